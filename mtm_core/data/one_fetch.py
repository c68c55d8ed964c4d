"""One session from a database into the cache, with a note of what was fetched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from mtm_core.data import one_datasets
from mtm_core.data.one_cache import Cache
from mtm_core.data.one_download import LoginFor, Wanted, download
from mtm_core.data.one_notes import Note, NotedFile, Notes, mark_whole
from mtm_core.data.one_records import DownloadProgress, SessionEntry
from mtm_core.data.one_server import Record, Server


def fetch_session(
    server: Server,
    cache: Cache,
    record: Record,
    entry: SessionEntry,
    *,
    login_for: LoginFor,
    progress: Callable[[DownloadProgress], None],
    should_stop: Callable[[], bool],
) -> Path | None:
    """Download what preparing the session needs.

    Parameters
    ----------
    server, cache : Server, Cache
        From where to where.
    record : dict
        The database's record of the session.
    entry : SessionEntry
        The same as a line of a list.
    login_for, progress, should_stop : callable
        See `one_download.download`.

    Returns
    -------
    Path or None
        The session's folder; None if stopped.
    """
    folder = cache.folder_of(entry)
    files = [
        Wanted(dataset=dataset, target=folder / dataset.path)
        for dataset in one_datasets.within_reach(record, entry, server)
    ]
    note = _begin(cache.notes, entry, folder, files, server.url)
    fetched = download(
        files,
        cache.notes.lock_path(note.eid),
        login_for=login_for,
        progress=progress,
        should_stop=should_stop,
    )
    if fetched is None:
        return None
    cache.notes.write(mark_whole(note, cache.root, fetched))
    return folder


def _begin(
    notes: Notes, entry: SessionEntry, folder: Path, files: Sequence[Wanted], url: str
) -> Note:
    """Note what is to come, so that what a broken download leaves is known as ours."""
    eid = entry.eid or ""
    before = notes.find(eid)
    ours = {file.path for file in before.files if file.is_fetched} if before else set()
    noted = []
    for file in files:
        path = file.dataset.path.as_posix()
        is_ours = path in ours or not file.target.exists()
        noted.append(NotedFile(path=path, n_bytes=file.dataset.n_bytes, is_fetched=is_ours))
    note = Note(
        eid=eid,
        lab=entry.lab,
        subject=entry.subject,
        date=entry.date,
        number=entry.number or 1,
        folder=folder.relative_to(notes.root).as_posix(),
        url=url,
        n_probes=entry.n_probes or 0,
        files=tuple(noted),
    )
    notes.write(note)
    return note
