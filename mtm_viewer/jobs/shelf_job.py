"""Listing sessions off the GUI thread: files by their headers, folders by looking into them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import h5py

from mtm_core.data.alf_folders import find_sessions
from mtm_core.data.alf_origin import ORIGIN_PATH, read_origin
from mtm_core.data.hdf5 import open_hdf5, read_array
from mtm_core.data.nwb import is_nwb_file
from mtm_core.data.session_file import SCHEMA
from mtm_core.errors import MtmError
from mtm_core.json_text import parse_json
from mtm_viewer.presenters.session_list import (
    SessionRow,
    find_eid,
    ordered_regions,
    row_of_folder,
    short_path,
)

ShouldStop = Callable[[], bool]
_HDF5 = (".h5", ".hdf5")
_PASSED_OVER = (".", "#", "raw_")
_BATCH = 20
"""Found sessions are shown in batches, the first one at once."""


@dataclass(frozen=True, kw_only=True)
class ListRequest:
    """Describe these sources, in this order.

    Parameters
    ----------
    bundled, recent : tuple of str
        Paths and eids.
    """

    bundled: tuple[str, ...] = ()
    recent: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The answer to a `ListRequest`: rows in the order of its sources."""

    bundled: tuple[SessionRow, ...]
    recent: tuple[SessionRow, ...]


@dataclass(frozen=True, kw_only=True)
class ScanRequest:
    """Look for sessions in these folders; files among them are sessions themselves."""

    roots: tuple[Path, ...]


@dataclass(frozen=True, kw_only=True)
class ScanAnswer:
    """What folders hold, as far as they were looked through.

    Parameters
    ----------
    roots : tuple of Path
        The folders.
    rows : tuple of SessionRow
        Sessions found so far.
    folder : str
        Where the search is.
    is_complete : bool
        Whether all of it was looked through.
    """

    roots: tuple[Path, ...]
    rows: tuple[SessionRow, ...]
    folder: str = ""
    is_complete: bool = False


def list_work(request: object, should_stop: ShouldStop) -> Iterator[object]:
    """Describe the sources of a `ListRequest`; yields one `Listing`."""
    if not isinstance(request, ListRequest):
        msg = f"This thread lists sessions; it cannot do {type(request).__name__}."
        raise TypeError(msg)
    rows: list[SessionRow] = []
    for source in (*request.bundled, *request.recent):
        if should_stop():
            return
        is_bundled = len(rows) < len(request.bundled)
        rows.append(describe_source(source) if is_bundled else _with_place(source))
    n_bundled = len(request.bundled)
    yield Listing(bundled=tuple(rows[:n_bundled]), recent=tuple(rows[n_bundled:]))


def scan_work(request: object, should_stop: ShouldStop) -> Iterator[object]:
    """Look through the folder of a `ScanRequest`; yields growing `ScanAnswer`."""
    if not isinstance(request, ScanRequest):
        msg = f"This thread looks through folders; it cannot do {type(request).__name__}."
        raise TypeError(msg)
    rows: list[SessionRow] = []
    n_told = 0
    for n_folders, (folder, found) in enumerate(_walk_all(request.roots)):
        if should_stop():
            return
        rows += found
        if (found and not n_told) or len(rows) - n_told >= _BATCH or n_folders % 200 == 199:
            n_told = len(rows)
            yield ScanAnswer(roots=request.roots, rows=tuple(rows), folder=folder)
    yield ScanAnswer(roots=request.roots, rows=tuple(rows), is_complete=True)


def _with_place(source: str) -> SessionRow:
    """Describe a source and say where it lies."""
    row = describe_source(source)
    if not Path(source).is_absolute():  # an eid
        return row
    return replace(row, where=short_path(str(Path(source).parent), str(Path.home())))


def describe_source(source: str) -> SessionRow:
    """Say what is known about a source without opening it."""
    if find_eid(source) == source.lower():
        return SessionRow(source=source, name=source, kind="IBL session")
    path = Path(source)
    if not path.exists():
        row = SessionRow(source=source, name=path.name)
        return replace(row, problem=f"{source} is not there any more.")
    if path.is_dir():
        return describe_folder(path)
    try:
        stat = path.stat()
        return _describe_file(path, stat.st_mtime_ns, stat.st_size)
    except (MtmError, OSError, ValueError) as error:
        return SessionRow(source=source, name=path.name, problem=str(error))


def describe_folder(path: Path) -> SessionRow:
    """Describe an ALF session folder, or a folder of another layout, by its names."""
    row = row_of_folder(path)
    if not (path / "alf").is_dir():
        return replace(row, kind="own layout")
    try:
        probes = [p for p in (path / "alf").iterdir() if p.is_dir() and "probe" in p.name]
        note = path / ORIGIN_PATH
        is_simulated = note.is_file() and read_origin(note).is_simulated
    except (MtmError, OSError) as error:
        return replace(row, problem=str(error))
    return replace(row, n_probes=len(probes) or None, is_simulated=is_simulated)


def _walk_all(roots: tuple[Path, ...]) -> Iterator[tuple[str, list[SessionRow]]]:
    for root in roots:
        if root.is_dir():
            yield from _walk(root)
        else:
            yield str(root.parent), [_with_place(str(root))]


def _walk(root: Path) -> Iterator[tuple[str, list[SessionRow]]]:
    """Look into a folder and all below; yield each with the sessions that lie right in it."""
    for place, folders, files in os.walk(root):
        folder = Path(place)
        if "alf" in folders and next(find_sessions(folder / "alf"), None) is not None:
            folders.clear()
            yield place, [_with_place(place)]
            continue
        folders[:] = sorted(f for f in folders if not f.startswith(_PASSED_OVER))
        yield place, [row for name in sorted(files) if (row := _row_of_file(folder / name))]


def _row_of_file(path: Path) -> SessionRow | None:
    """Describe a file that is a session; None for any other file."""
    is_ours = path.suffix in _HDF5
    if path.name.startswith(".") or not (is_ours or path.suffix == ".nwb"):
        return None
    row = _with_place(str(path))
    if is_ours and row.kind == "HDF5 file":
        return None
    return row


@lru_cache(maxsize=4096)
def _describe_file(path: Path, changed_ns: int, size: int) -> SessionRow:
    """Describe a file by its header; `changed_ns` and `size` tell a changed file from itself."""
    row = SessionRow(source=str(path), name=path.stem)
    if path.suffix == ".nwb":
        known = is_nwb_file(path)
        problem = "" if known else f"{path.name} is no NWB file, or it is damaged."
        return replace(row, kind="NWB file", problem=problem)
    with open_hdf5(path) as file:
        if str(file.attrs.get("schema", "")) != SCHEMA:
            return replace(row, kind="HDF5 file")
        return _describe_session_file(file, row)


def _describe_session_file(file: h5py.File, row: SessionRow) -> SessionRow:
    facts: dict[str, Any] = parse_json(str(read_array(file, "provenance")))
    n_trials, _, n_units = file["counts"].shape
    regions = read_array(file["units/values"], "region")
    return replace(
        row,
        subject=facts.get("subject") or "",
        lab=facts.get("lab") or "",
        date=facts.get("date") or "",
        number=facts.get("number"),
        n_units=int(n_units),
        n_trials=int(n_trials),
        regions=ordered_regions(str(name) for name in regions),
        is_simulated=bool(facts.get("is_simulated")),
    )
