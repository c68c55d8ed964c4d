"""The sessions in a cache folder: ONE's cache, a lab's folder, what this program downloaded."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

import numpy as np

from mtm_core.data.alf_arrays import numbers, read_npy
from mtm_core.data.alf_folders import find_sessions, is_alf_folder
from mtm_core.data.alf_origin import origin_of_path
from mtm_core.data.one_download import held, is_part
from mtm_core.data.one_notes import Note, Notes
from mtm_core.data.one_records import CachedSession, PruneReport, SessionEntry
from mtm_core.data.one_refs import is_at, is_eid, query_of_place
from mtm_core.data.pick_lists import released_sessions
from mtm_core.data.regions import region_columns, region_names_of_ids, sort_regions
from mtm_core.errors import DatasetError

_IDS = "*.brainLocationIds_ccf_2017*.npy"
_NO_REGION = {"void", "root"}
Key = tuple[str, str, int]
"""Subject, date and number: with them a session is found whatever its eid."""


class Cache:
    """One cache folder.

    Parameters
    ----------
    root : Path
        It need not exist.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().absolute()
        self.notes = Notes(self.root)

    def folder_of(self, entry: SessionEntry) -> Path:
        """Return where a session lies or would lie.

        ``lab/Subjects/subject/date/001`` as ONE has it, or one of the layouts of lab folders if
        that is there.
        """
        subject, number = f"{entry.subject}/{entry.date}", entry.number or 1
        places = [
            f"{top}{subject}/{name}"
            for top in (f"{entry.lab}/Subjects/", "Subjects/", "")
            for name in (f"{number:03d}", f"{number}")
        ]
        return next(
            (p for each in places if (p := self.root / each).is_dir()), self.root / places[0]
        )

    def entries(self) -> Iterator[SessionEntry]:
        """Yield the sessions of the folder, downloaded by this program or not."""
        noted = {note.folder: note for note in self.notes.all()}
        for folder in sorted(find_sessions(self.root)):
            note = noted.pop(folder.relative_to(self.root).as_posix(), None)
            yield self._entry(folder, note)
        for note in noted.values():
            if (self.root / note.folder).is_dir():
                yield note.entry(self.root)

    def find(self, ref: str) -> SessionEntry | None:
        """Return the session of an eid or of ``subject/date/number``, if it lies in the folder.

        Raises
        ------
        DataError
            If `ref` is neither.
        """
        if not is_eid(ref):
            place = query_of_place(ref)
            return next((entry for entry in self._nearest_first() if is_at(entry, place)), None)
        eid = ref.lower()
        note, listed = self.notes.find(eid), released_sessions().get(eid)
        if note is not None and (self.root / note.folder).is_dir():
            return note.entry(self.root)
        if listed is not None and (found := self.complete(listed)).local_path is not None:
            return found
        return next((entry for entry in self.entries() if (entry.eid or "").lower() == eid), None)

    def at(self, folder: Path) -> SessionEntry:
        """Return the session of a folder."""
        relative = folder.relative_to(self.root).as_posix()
        notes = (note for note in self.notes.all() if note.folder == relative)
        return self._entry(folder, next(notes, None))

    def _nearest_first(self) -> Iterator[SessionEntry]:
        """Yield what is noted before looking through the whole folder."""
        for note in self.notes.all():
            if (self.root / note.folder).is_dir():
                yield note.entry(self.root)
        yield from self.entries()

    def complete(self, entry: SessionEntry) -> SessionEntry:
        """Return a session of a database with what this machine knows of it."""
        note = self.notes.find(entry.eid) if entry.eid else None
        folder = self.root / note.folder if note else self.folder_of(entry)
        if not (entry.subject or note) or not folder.is_dir():
            return entry
        is_cached = note.holds(self.root) if note else is_alf_folder(folder)
        regions = entry.regions or regions_of(folder)
        return replace(entry, local_path=folder, is_cached=is_cached, regions=regions)

    def sessions(self) -> list[CachedSession]:
        """Return the sessions of the folder with what they take up, the last used first."""
        found = [self._measure(entry) for entry in self.entries()]
        return sorted(found, key=lambda each: each.last_used, reverse=True)

    def prune(
        self, entries: Iterable[SessionEntry], older_than_days: float | None, *, dry_run: bool
    ) -> PruneReport:
        """Remove leftovers, and the downloaded files of sessions; see `OneClient.prune`."""
        asked = {entry.eid for entry in entries}
        sessions: list[str] = []
        sizes: dict[Path, int] = {}
        n_leftovers = 0
        for note in self.notes.all():
            with held(self.notes.lock_path(note.eid)) as is_idle:
                if not is_idle:
                    continue
                is_asked = note.eid in asked or _is_older(note, older_than_days)
                leftovers = self._parts(note)
                gone = [*leftovers, *(self._fetched(note) if is_asked else ())]
                n_leftovers += len(leftovers)
                sizes |= {path: path.stat().st_size for path in gone if path.is_file()}
                sessions += [note.eid] if is_asked else []
                if not dry_run:
                    self._remove(gone, [note] if is_asked else [])
        return PruneReport(
            sessions=tuple(sessions),
            n_files=len(sizes),
            n_bytes=sum(sizes.values()),
            n_leftovers=n_leftovers,
        )

    def _parts(self, note: Note) -> list[Path]:
        parts = (self.root / note.folder).rglob(".*.part")
        return sorted(path for path in parts if is_part(path.name))

    def _fetched(self, note: Note) -> list[Path]:
        folder = self.root / note.folder
        paths = [folder / file.path for file in note.files if file.is_fetched]
        return [path for path in paths if path.is_file()]

    def _remove(self, paths: Iterable[Path], notes: Iterable[Note]) -> None:
        for path in paths:
            path.unlink(missing_ok=True)
            self._remove_empty(path.parent)
        for note in notes:
            self.notes.forget(note.eid)

    def _remove_empty(self, folder: Path) -> None:
        """Remove a folder and those above it, up to the cache, as far as nothing is in them."""
        while folder != self.root and self.root in folder.parents:
            try:
                folder.rmdir()
            except OSError:
                return
            folder = folder.parent

    def _entry(self, folder: Path, note: Note | None) -> SessionEntry:
        regions = regions_of(folder)
        if note is not None:
            return replace(note.entry(self.root), regions=regions)
        origin = origin_of_path(folder)
        key = (origin.subject or "", origin.date or "", origin.number or 0)
        return SessionEntry(
            eid=self._eids.get(key) or _released_eids().get(key),
            lab=origin.lab or "",
            subject=origin.subject or "",
            date=origin.date or "",
            number=origin.number,
            regions=regions,
            is_cached=True,
            local_path=folder,
        )

    @cached_property
    def _eids(self) -> dict[Key, str]:
        """The eids of ONE's tables in this folder. A table made locally draws them at random."""
        if not (self.root / "sessions.pqt").is_file():
            return {}
        try:
            from one.alf.cache import load_tables

            table = load_tables(self.root, glob_pattern="sessions.pqt")["sessions"].reset_index()
            rows = zip(table["subject"], table["date"], table["number"], table["id"], strict=True)
            return {(str(s), str(day), int(n)): str(eid) for s, day, n, eid in rows}
        except (ImportError, RuntimeError, OSError, ValueError, KeyError):
            return {}

    def _measure(self, entry: SessionEntry) -> CachedSession:
        note = self.notes.find(entry.eid) if entry.eid else None
        folder = entry.local_path or self.root
        files = [path for path in folder.rglob("*") if path.is_file()]
        return CachedSession(
            entry=entry,
            n_files=len(files),
            n_bytes=sum(path.stat().st_size for path in files),
            is_ours=note is not None,
            is_whole=note is None or note.holds(self.root),
            last_used=note.last_used if note else "",
        )


def regions_of(folder: Path) -> tuple[str, ...] | None:
    """Return the Beryl regions that the probes of a session folder go through.

    Returns
    -------
    tuple of str or None
        None where no file says so.
    """
    ids = []
    for path in sorted((folder / "alf").rglob(_IDS)):
        with contextlib.suppress(DatasetError):
            ids.append(numbers(read_npy(path), path.name).reshape(-1))
    if not ids:
        return None
    names, _ = region_names_of_ids(np.concatenate(ids))
    beryl = region_columns(names.tolist())["region_beryl"].values
    return tuple(sort_regions(set(beryl.tolist()) - _NO_REGION))


def _released_eids() -> dict[Key, str]:
    entries = released_sessions().values()
    return {(e.subject, e.date, e.number or 0): e.eid for e in entries if e.eid}


def _is_older(note: Note, days: float | None) -> bool:
    if days is None:
        return False
    try:
        used = datetime.fromisoformat(note.last_used)
        return datetime.now(UTC) - used >= timedelta(days=days)
    except (TypeError, ValueError):  # no time, or one of no zone: not written by this program
        return True
