"""Finding ALF sessions on disk, and listing what one holds."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from mtm_core.data.alf_files import parse_alf_name
from mtm_core.data.alf_plan import ROOT
from mtm_core.errors import DataError

_DEPTH_ABOVE = 8
"""Folders between a root and its sessions: disk/ONE/server/lab/Subjects/subject/date/number."""
_DEPTH_BELOW = 4
"""Folders between ``alf`` and its datasets: probe/sorter/revision, and one to spare."""
_PASSED_OVER = re.compile(r"[.#].*|raw_\w+_data|spike_sorters|node_modules")
_SPIKES = {("spikes", "times"), ("spikes", "clusters"), ("passingSpikes", "table")}


def is_alf_folder(path: Path) -> bool:
    """Tell whether a folder is an ALF session, its ``alf`` folder, or holds ALF sessions."""
    return next(find_sessions(path), None) is not None


def find_sessions(root: Path) -> Iterator[Path]:
    """Yield the session folders at or under a folder: those whose ``alf`` holds spikes.

    Hidden folders, raw data and links in circles are passed over; folders that may not be read,
    too.
    """
    root = Path(root)
    if root.name == ROOT and _holds_spikes(root):
        yield root.absolute().parent
        return
    yield from _search(root, _DEPTH_ABOVE, set())


def session_folder(path: Path) -> Path:
    """Return the one session that a path means.

    Parameters
    ----------
    path : Path
        The session folder, its ``alf`` folder, or a folder with exactly one session below.

    Raises
    ------
    DataError
        If there is no such folder, no session in it, or more than one.
    """
    if not path.is_dir():
        what = "is a file, not a folder" if path.exists() else "does not exist"
        msg = f"{path} {what}. Give the folder of a session, for example lab/Subjects/KS023/..."
        raise DataError(msg)
    found = list(islice(find_sessions(path), 1001))
    if len(found) > 1:
        count = "more than 1,000" if len(found) > 1000 else str(len(found))
        msg = f"{path} holds {count} sessions. Choose one, for example {found[0]}."
        raise DataError(msg)
    if not found:
        raise DataError(_why_none(path))
    return found[0]


def list_files(session: Path) -> list[str]:
    """Return the files below a session's ``alf`` folder, relative to the session, sorted."""
    return sorted(f"{ROOT}/{path}" for path in _walk(session / ROOT, "", _DEPTH_BELOW))


def unread_names(paths: list[str]) -> list[str]:
    """Return arrays and tables whose names say neither object nor attribute."""
    found = {Path(path).name for path in paths if parse_alf_name(path) is None}
    return sorted(name for name in found if name.endswith((".npy", ".pqt", ".csv")))


def _search(folder: Path, depth: int, seen: set[tuple[int, int]]) -> Iterator[Path]:
    """Yield sessions at or under a folder; `seen` holds folders met before, by device and node."""
    if _holds_spikes(folder / ROOT):
        yield folder
        return
    for entry in _subfolders(folder) if depth else ():
        status = entry.stat()
        mark = (status.st_dev, status.st_ino)
        if mark not in seen and not _PASSED_OVER.fullmatch(entry.name):
            seen.add(mark)
            yield from _search(Path(entry.path), depth - 1, seen)


def _holds_spikes(alf: Path) -> bool:
    names = (parse_alf_name(path) for path in _walk(alf, ROOT, _DEPTH_BELOW))
    return any(name and (name.object, name.attribute) in _SPIKES for name in names)


def _walk(folder: Path, prefix: str, depth: int) -> Iterator[str]:
    """Yield files with paths behind `prefix`, following links, not deeper than `depth`."""
    for entry in _entries(folder):
        path = f"{prefix}/{entry.name}" if prefix else entry.name
        if entry.is_dir():
            if depth and entry.name != ROOT:
                yield from _walk(Path(entry.path), path, depth - 1)
        elif not entry.name.startswith("."):
            yield path


def _subfolders(folder: Path) -> list[os.DirEntry[str]]:
    return [entry for entry in _entries(folder) if entry.is_dir()]


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError:  # not there, or not ours to read
        return []


def _why_none(path: Path) -> str:
    for alf in path.absolute().parents:
        if alf.name == ROOT and _holds_spikes(alf):
            return f"{path} is a part of a session. Give the session's folder: {alf.parent}."
    if path.name == ROOT or (path / ROOT).is_dir():
        alf = path if path.name == ROOT else path / ROOT
        return (
            f"{alf} holds no spikes: spikes.times.npy was found in no probe folder. "
            "Download or copy the spike sorting, for example to alf/probe00/pykilosort."
        )
    return (
        f"{path} is no ALF session: it has no folder 'alf' with spikes.times.npy in a probe "
        "folder. Give the session's folder (lab/Subjects/subject/date/number)."
    )
