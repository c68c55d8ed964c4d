"""Spikes and clusters of a lab's own recording, in one folder or one for each probe."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.alf_arrays import read_npy
from mtm_core.data.byo_tables import LabTable
from mtm_core.data.raw import ProbeSpikes
from mtm_core.data.raw_checks import clean_spikes
from mtm_core.data.table import Column, Table
from mtm_core.errors import DatasetError, MissingDatasetError

CLUSTERS_FILE = "clusters.csv"
TIMES_FILE = "spikes.times.npy"
IDS_FILE = "spikes.clusters.npy"
SPIKES_TABLE = "spikes.csv"
SPIKE_FILES = (TIMES_FILE, IDS_FILE, SPIKES_TABLE)
ONE_PROBE = "probe00"
GOOD_LABEL = 1 - 1e-6
_QUALITY = {"good": 1, "mua": 0, "noise": 0, "unsorted": 0}
_TRUTH = {"true": 1, "1": 1, "yes": 1, "false": 0, "0": 0, "no": 0}
_NUMBERS = ("depth_um", "amplitude_uv", "firing_rate_hz")
_READ = {"cluster_id", "region", "probe", "uuid", "label", "is_good", *_NUMBERS}


@dataclass(frozen=True, eq=False, kw_only=True)
class ByoProbe:
    """One probe.

    Parameters
    ----------
    spikes : ProbeSpikes
        Its spikes; clusters are rows of its units.
    units : Table
        One row per cluster, without the levels of the region.
    notes : tuple of str
        What was mended or not read.
    """

    spikes: ProbeSpikes
    units: Table
    notes: tuple[str, ...]


def read_probes(folder: Path, sample_rate_hz: float | None) -> list[ByoProbe]:
    """Read all probes, sorted by name.

    Raises
    ------
    MissingDatasetError
        If spikes, clusters or a column of theirs are not there.
    DatasetError, DataError
        If they are damaged or do not fit together.
    """
    parts = (
        {folder: None} if _holds_spikes(folder) else {p: p.name for p in _probe_folders(folder)}
    )
    if not parts:
        msg = (
            f"{folder} has no spikes: {TIMES_FILE} and {IDS_FILE} (or {SPIKES_TABLE}) are neither "
            "in it nor in a folder for each probe. docs/bring_your_own.md shows how to write them."
        )
        raise MissingDatasetError(msg)
    return [
        probe for part, name in parts.items() for probe in _read_part(part, name, sample_rate_hz)
    ]


def _probe_folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir() and _holds_spikes(path))


def _holds_spikes(folder: Path) -> bool:
    return any((folder / name).is_file() for name in SPIKE_FILES)


def _read_part(folder: Path, name: str | None, rate: float | None) -> Iterator[ByoProbe]:
    table = LabTable(folder / CLUSTERS_FILE)
    table.require("cluster_id", "the sorter's number of the cluster")
    table.require("region", "acronym of the region, empty where it is not known")
    ids = table.whole("cluster_id")
    probe = _probes(table, name)
    _check_unique(table, ids)
    times, owners, notes = _read_spikes(folder, rate)
    row = _rows(folder, ids, owners)
    unread = [column for column in table.columns if column not in _READ]
    more = (f"{CLUSTERS_FILE}: not read: {', '.join(unread)}.",) if unread else ()
    for number, label in enumerate(sorted(set(probe.tolist()))):
        rows = np.flatnonzero(probe == label)
        place = np.full(len(ids), -1, dtype=np.int32)
        place[rows] = np.arange(len(rows), dtype=np.int32)
        clusters = place[row]
        is_here = clusters >= 0
        where = f"{folder / TIMES_FILE}, {label}"
        found = (times, clusters) if is_here.all() else (times[is_here], clusters[is_here])
        clean, own, mended = clean_spikes(*found, n_clusters=len(rows), where=where)
        yield ByoProbe(
            spikes=ProbeSpikes(probe=label, times_s=clean, clusters=own),
            units=Table(_unit_columns(table, ids, probe)).take(rows),
            notes=(*mended, *((*notes, *more) if number == 0 else ())),
        )


def _read_spikes(
    folder: Path, rate: float | None
) -> tuple[NDArray[np.float64], NDArray[Any], tuple[str, ...]]:
    """Return times in s, the cluster id of each spike, and notes."""
    if (folder / SPIKES_TABLE).is_file():
        times, owners = _read_table(folder / SPIKES_TABLE)
    else:
        times, owners = (_flat(folder / name) for name in (TIMES_FILE, IDS_FILE))
    if len(times) != len(owners):
        msg = (
            f"{folder / TIMES_FILE} has {len(times):,} spikes but {IDS_FILE} has "
            f"{len(owners):,}. Export both again."
        )
        raise DatasetError(msg)
    if rate is None:
        return times, owners, ()
    note = f"Spike times were divided by the {rate:g} samples per second of session.toml."
    return times.astype(np.float64) / rate, owners, (note,)


def _read_table(path: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    table = LabTable(path)
    for name, what in (("time_s", "seconds"), ("cluster_id", f"as in {CLUSTERS_FILE}")):
        table.require(name, what)
    column = table.numbers("time_s")
    return np.where(column.is_valid, column.values, np.nan), table.whole("cluster_id")


def _flat(path: Path) -> NDArray[Any]:
    values = read_npy(path)
    if values.ndim == 2 and 1 in values.shape:
        values = values.reshape(-1)  # as MATLAB and Kilosort write them
    if values.ndim != 1 or values.dtype.kind not in "iuf":
        msg = (
            f"{path} has the shape {values.shape} of {values.dtype}, but must hold one number for "
            "each spike."
        )
        raise DatasetError(msg)
    return values


def _rows(folder: Path, ids: NDArray[np.int64], owners: NDArray[Any]) -> NDArray[np.int64]:
    """Return the row of clusters.csv that each spike belongs to."""
    order = np.argsort(ids)
    if not len(owners):
        msg = f"{folder / IDS_FILE} holds no spikes."
        raise DatasetError(msg)
    place = np.minimum(np.searchsorted(ids, owners, sorter=order), len(ids) - 1)
    row: NDArray[np.int64] = order[place].astype(np.int64)
    is_unknown = ids[row] != owners
    if is_unknown.any():
        unknown = np.unique(owners[is_unknown])
        shown = ", ".join(f"{value:g}" for value in unknown[:5]) + (
            ", ..." if len(unknown) > 5 else ""
        )
        msg = (
            f"{folder / IDS_FILE}: {int(is_unknown.sum()):,} spikes belong to clusters that "
            f"{CLUSTERS_FILE} does not list ({shown}). Add a row for each, or leave out their "
            "spikes."
        )
        raise DatasetError(msg)
    return row


def _probes(table: LabTable, name: str | None) -> NDArray[np.str_]:
    if name is not None or "probe" not in table.columns:
        return np.full(table.n_rows, name or ONE_PROBE)
    column = table.text("probe")
    for row in np.flatnonzero(~column.is_valid)[:1]:
        raise DatasetError(table.fault("probe", int(row), "the label of a probe"))
    return column.values.astype(np.str_)


def _check_unique(table: LabTable, ids: NDArray[np.int64]) -> None:
    unique, counts = np.unique(ids, return_counts=True)
    if (counts > 1).any():
        msg = (
            f"{table.path}, column cluster_id names {int(unique[counts > 1][0])} twice. Give "
            "every cluster one row, or every probe a folder of its own."
        )
        raise DatasetError(msg)


def _unit_columns(
    table: LabTable, ids: NDArray[np.int64], probe: NDArray[np.str_]
) -> dict[str, Column]:
    columns = {
        "probe": Column.full(probe),
        "cluster_id": Column.full(ids),
        "region": table.text("region"),
        **{name: table.numbers(name) for name in _NUMBERS if name in table.columns},
        **_quality(table),
    }
    if "uuid" in table.columns:
        uuid = table.text("uuid")
        if len(set(uuid.values.tolist())) == table.n_rows:
            columns["unit_id"] = uuid
    return columns


def _quality(table: LabTable) -> dict[str, Column]:
    """Return label (0 to 1) and is_good, from numbers, words or yes and no."""
    columns = {}
    if "label" in table.columns:
        if table.columns["label"].dtype.kind == "U":
            word = table.signs("label", _QUALITY)
            columns["is_good"] = Column(word.values == np.int8(1), word.is_valid)
        else:
            label = table.numbers("label")
            values = label.values.astype(np.float64)
            for row in np.flatnonzero(label.is_valid & ((values < 0) | (values > 1)))[:1]:
                raise DatasetError(table.fault("label", int(row), "between 0 and 1"))
            columns["label"] = label
            columns["is_good"] = Column(values >= GOOD_LABEL, label.is_valid)
    if "is_good" in table.columns:
        told = table.signs("is_good", _TRUTH)
        columns["is_good"] = Column(told.values == np.int8(1), told.is_valid)
    return columns
