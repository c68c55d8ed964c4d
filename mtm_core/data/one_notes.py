"""Our own notes beside a cache: what was downloaded for which session, and is it whole.

They lie in the hidden folder ``.mtm-viewer`` of the cache; neither ONE nor a reader minds them.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

from mtm_core.data.one_records import EID, SessionEntry
from mtm_core.errors import OutputError
from mtm_core.json_text import parse_json
from mtm_core.resources import atomic_write

HIDDEN = ".mtm-viewer"


@dataclass(frozen=True, kw_only=True)
class NotedFile:
    """A file that a session needs.

    Parameters
    ----------
    path : str
        Relative to the session's folder.
    n_bytes : int or None
        Its size on this machine once it was whole; before that the size on record.
    is_fetched : bool
        Whether this program downloaded it; what lay there before is never pruned.
    """

    path: str
    n_bytes: int | None
    is_fetched: bool = False


@dataclass(frozen=True, kw_only=True)
class Note:
    """What is known of one downloaded session.

    Parameters
    ----------
    eid, lab, subject, date : str
        As the database has them.
    number : int
        The session's number on its day.
    folder : str
        The session's folder, relative to the cache, with forward slashes.
    url : str
        The database.
    n_probes : int
        Probes of the session.
    files : tuple of NotedFile
        What preparing it needs.
    is_whole : bool
        Whether all of them have arrived.
    last_used : str
        ISO date and time, UTC.
    """

    eid: str
    lab: str
    subject: str
    date: str
    number: int
    folder: str
    url: str
    n_probes: int = 0
    files: tuple[NotedFile, ...] = ()
    is_whole: bool = False
    last_used: str = ""

    def entry(self, root: Path) -> SessionEntry:
        """Return the session as a line of a list; regions are left open."""
        folder = root / self.folder
        return SessionEntry(
            eid=self.eid,
            lab=self.lab,
            subject=self.subject,
            date=self.date,
            number=self.number,
            n_probes=self.n_probes or None,
            is_cached=self.holds(root),
            local_path=folder if folder.is_dir() else None,
        )

    def holds(self, root: Path) -> bool:
        """Whether the session was downloaded whole and every file still has its size."""
        return self.is_whole and all(
            _size(root / self.folder / file.path) == file.n_bytes for file in self.files
        )


class Notes:
    """The notes of one cache folder.

    Parameters
    ----------
    root : Path
        The cache folder; nothing is made before something is written.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folder = root / HIDDEN / "sessions"

    def lock_path(self, eid: str) -> Path:
        """Return the file that is locked while a session is downloaded."""
        return self.root / HIDDEN / "locks" / f"{eid}.lock"

    def find(self, eid: str) -> Note | None:
        """Return the note of a session; None where there is none that can be read."""
        if not EID.fullmatch(eid):
            return None
        return _read(self._path(eid))

    def all(self) -> list[Note]:
        """Return every note that can be read."""
        found = (_read(path) for path in sorted(self._folder.glob("*.json")))
        return [note for note in found if note is not None]

    def write(self, note: Note) -> None:
        """Write a note, with the time of now.

        Raises
        ------
        OutputError
            If the cache folder cannot be written.
        """
        path = self._path(note.eid)
        make_folder(path.parent)
        with atomic_write(path) as temporary:
            temporary.write_text(json.dumps(asdict(_now(note)), indent=1), encoding="utf-8")

    def touch(self, note: Note) -> None:
        """Note that a session was opened now; a cache that cannot be written stays as it is."""
        with contextlib.suppress(OutputError):
            self.write(note)

    def forget(self, eid: str) -> None:
        """Remove a note."""
        self._path(eid).unlink(missing_ok=True)

    def _path(self, eid: str) -> Path:
        return self._folder / f"{eid}.json"


def make_folder(folder: Path) -> None:
    """Make a folder in or of the cache.

    Raises
    ------
    OutputError
        If that cannot be done.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(not_writable(folder, error)) from error


def not_writable(folder: Path, error: OSError) -> str:
    """Say that a folder of the cache cannot be written."""
    reason = os.strerror(error.errno).lower() if error.errno else str(error)
    return f"The cache folder {folder} cannot be written: {reason}. Choose another cache folder."


def is_inside(path: str) -> bool:
    """Whether a relative path stays within its folder: nothing that a server says is trusted.

    Examples
    --------
    >>> is_inside("alf/probe00/spikes.times.npy"), is_inside("alf/../x.npy"), is_inside("/etc/x")
    (True, False, False)
    """
    parts = PurePosixPath(path).parts
    odd = set('\\:\0"<>|?*') | {chr(code) for code in range(32)}
    return bool(parts) and not any(p in ("/", "..", ".") or odd & set(p) for p in parts)


def mark_whole(note: Note, root: Path, fetched: Iterable[str]) -> Note:
    """Return a note of a session that is whole now, with sizes as they are."""
    new = set(fetched)
    files = tuple(
        replace(
            file,
            n_bytes=_size(root / note.folder / file.path),
            is_fetched=file.is_fetched or file.path in new,
        )
        for file in note.files
    )
    return replace(note, files=files, is_whole=True)


def _now(note: Note) -> Note:
    return replace(note, last_used=datetime.now(UTC).isoformat(timespec="seconds"))


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _read(path: Path) -> Note | None:
    try:
        stored: dict[str, Any] = parse_json(path.read_text(encoding="utf-8"))
        files = tuple(NotedFile(**file) for file in stored.pop("files"))
        note = Note(**{**stored, "files": files})
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None  # damaged, or of another version: the session is looked up anew
    is_sound = note.eid == path.stem and is_inside(note.folder)
    return note if is_sound and all(is_inside(file.path) for file in files) else None
