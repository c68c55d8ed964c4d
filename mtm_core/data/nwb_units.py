"""The units table of an IBL NWB file: spike times, probes, quality and regions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from mtm_core.data.hdf5 import read_array
from mtm_core.data.nwb_fields import NwbTable, find_groups, find_table
from mtm_core.data.raw import ProbeSpikes
from mtm_core.data.raw_checks import clean_spikes
from mtm_core.data.regions import load_regions, region_columns
from mtm_core.data.table import Column, Table
from mtm_core.errors import SessionFileError

VOID = "void"
GOOD_LABEL = 1 - 1e-6
"""IBL's label counts the criteria met in thirds; a good unit meets all."""
ELECTRODES = "general/extracellular_ephys/electrodes"
LOCATIONS = (
    ("allen_location", "brain_region", "location", "acronym", "region"),
    ("beryl_location",),
    ("cosmos_location",),
)
"""Names of the columns that tell where a unit is, the finest level first."""


@dataclass(frozen=True, eq=False)
class NwbUnits:
    """Units and spikes of a file.

    Parameters
    ----------
    units : Table
        Sorted by probe and cluster.
    spikes : tuple of ProbeSpikes
        One for each probe.
    notes : tuple of str
        What was found and done.
    """

    units: Table
    spikes: tuple[ProbeSpikes, ...]
    notes: tuple[str, ...]


def read_units(file: h5py.File, session_id: str) -> NwbUnits:
    """Read the units table.

    Raises
    ------
    SessionFileError
        If there is none, it has no spike times, or it is damaged.
    DataError
        If the spike times are not seconds.
    """
    table = _units_table(file)
    ends = _spike_ends(file, table)
    probe = _probes(file, table)
    cluster = _cluster_ids(table, probe)
    order = np.lexsort((cluster, probe))
    region, notes = _regions(file, table)
    columns: dict[str, Column] = {
        "unit_id": _unit_ids(table, session_id, probe, cluster),
        **region_columns(region),
        "probe": Column.full(probe),
        "cluster_id": Column.full(cluster),
        **_quality(table),
    }
    spikes, more = _spikes(file, ends, probe, order)
    return NwbUnits(Table(columns).take(order), spikes, (*notes, *more))


def acronym_of(name: str) -> str:
    """Return the acronym of a region given by acronym or by its full name.

    Examples
    --------
    >>> acronym_of("Field CA1"), acronym_of("CA1"), acronym_of("somewhere")
    ('CA1', 'CA1', 'somewhere')
    """
    if name in load_regions():
        return name
    return _acronyms_by_name().get(_plain(name), name)


def _units_table(file: h5py.File) -> NwbTable:
    table = find_table(file, "units")
    if table is None or not table.has("spike_times") or not table.has("spike_times_index"):
        what = "no units" if table is None else "units without spike times"
        msg = (
            f"{Path(file.filename).name} holds {what}: it is perhaps the raw or the "
            "behaviour-only file of the session. Open the one with 'desc-processed' or "
            "'+ecephys' in its name."
        )
        raise SessionFileError(msg)
    return table


def _spike_ends(file: h5py.File, table: NwbTable) -> NDArray[np.int64]:
    """Return where the spikes of each unit end among those of all units."""
    ends = read_array(file["units"], "spike_times_index")
    shape = getattr(file["units/spike_times"], "shape", None)
    if shape is None or len(shape) != 1:
        what = f"{table.name}/spike_times is no list of times."
        msg = f"{what} The file is damaged; download it again."
        raise SessionFileError(msg)
    n_spikes = int(shape[0])
    is_sound = ends.dtype.kind in "iu" and ends.shape == (table.n_rows,)
    if is_sound and table.n_rows:
        signed = ends.astype(np.int64)
        rises = bool((np.diff(signed) >= 0).all()) and signed[0] >= 0
        if rises and int(signed[-1]) == n_spikes:
            return signed
    if is_sound and not table.n_rows:
        msg = f"{table.name} has no rows: the session has no units."
    else:
        msg = (
            f"{table.name}/spike_times_index does not divide the {n_spikes:,} spike times among "
            f"the {table.n_rows:,} units. The file is damaged; download it again."
        )
    raise SessionFileError(msg)


def _probes(file: h5py.File, table: NwbTable) -> NDArray[np.str_]:
    names = table.text("probe_name", "electrode_group_name")
    if names is None:
        names = _through_electrodes(file, table, ("probe_name", "group_name"))
    if names is None:
        return np.full(table.n_rows, "probe00")
    return np.array([_probe_label(name) for name in names.values.tolist()], dtype=np.str_)


def _probe_label(name: str) -> str:
    """Return IBL's label: ``NeuropixelsProbe00`` and ``Probe00`` are ``probe00``."""
    found = re.search(r"probe[ _-]?(\w+)$", name, re.IGNORECASE)
    return f"probe{found[1].lower()}" if found else name or "probe00"


def _cluster_ids(table: NwbTable, probe: NDArray[np.str_]) -> NDArray[np.int64]:
    """Return the sorter's number of each unit, else its place among the units of its probe."""
    numbers = table.numbers("cluster_id")
    if numbers is not None and numbers.is_valid.all():
        given = numbers.values.astype(np.int64)
        if _are_unique(probe, given):
            return given
    names = table.text("unit_name")
    if names is not None:
        tails = [re.search(r"_(\d{1,9})$", name) for name in names.values.tolist()]
        if all(tails):
            given = np.array([int(tail[1]) for tail in tails if tail], dtype=np.int64)
            if _are_unique(probe, given):
                return given
    place = np.zeros(table.n_rows, dtype=np.int64)
    for name in np.unique(probe):
        place[probe == name] = np.arange(int((probe == name).sum()))
    return place


def _are_unique(probe: NDArray[np.str_], cluster: NDArray[np.int64]) -> bool:
    pairs = set(zip(probe.tolist(), cluster.tolist(), strict=True))
    return len(pairs) == len(cluster)


def _unit_ids(
    table: NwbTable, session_id: str, probe: NDArray[np.str_], cluster: NDArray[np.int64]
) -> Column:
    uuids = table.text("cluster_uuid")
    if uuids is not None and uuids.is_valid.all() and len(set(uuids.values)) == table.n_rows:
        return Column.full(uuids.values)
    pairs = zip(probe.tolist(), cluster.tolist(), strict=True)
    return Column.full(np.array([f"{session_id}/{p}/{c}" for p, c in pairs], dtype=np.str_))


def _quality(table: NwbTable) -> dict[str, Column]:
    columns = {}
    label = table.numbers("ibl_quality_score", "label")
    if label is not None:
        columns["label"] = label
        is_good = label.is_valid & (label.values.astype(np.float64) >= GOOD_LABEL)
        columns["is_good"] = Column(is_good, label.is_valid)
    depth = table.numbers("distance_from_probe_tip_um", "mean_relative_depth")
    if depth is not None:
        columns["depth_um"] = depth
    return columns


def _regions(file: h5py.File, table: NwbTable) -> tuple[list[str], tuple[str, ...]]:
    """Return the acronym of each unit, from the finest source that knows it; else void."""
    region = np.full(table.n_rows, "", dtype=object)
    for found in _locations(file, table):
        is_new = (region == "") & found.is_valid
        region[is_new] = [acronym_of(name) for name in found.values[is_new].tolist()]
    n_void = int((region == "").sum())
    region[region == ""] = VOID
    if not n_void:
        return region.tolist(), ()
    return region.tolist(), (f"{n_void} of {table.n_rows} units have no region and are void.",)


def _locations(file: h5py.File, table: NwbTable) -> Iterator[Column]:
    """Yield what is said about the place of each unit, level by level, by unit or electrode."""
    for names in LOCATIONS:
        own = table.text(*names)
        if own is not None:
            yield own
        for found in (
            _through_electrodes(file, table, names),
            _through_localization(file, table, names),
        ):
            if found is not None:
                yield found


def _through_electrodes(file: h5py.File, table: NwbTable, names: tuple[str, ...]) -> Column | None:
    electrodes = find_table(file, ELECTRODES)
    row = table.numbers("max_electrode")
    given = None if electrodes is None else electrodes.text(*names)
    if electrodes is None or row is None or given is None:
        return None
    return _take(given, row)


def _through_localization(
    file: h5py.File, table: NwbTable, names: tuple[str, ...]
) -> Column | None:
    """Follow a unit's electrode into a table of anatomical coordinates, where there is one."""
    row = table.numbers("max_electrode")
    groups = find_groups(file, "general", "AnatomicalCoordinates")
    for group in groups if row is not None else []:
        coordinates = NwbTable(group)
        given, electrode = coordinates.text(*names), coordinates.numbers("localized_entity")
        if given is None or row is None:
            continue
        if electrode is None:
            return _take(given, row)
        place = {int(e): i for i, e in enumerate(electrode.values)}
        rows = np.array([place.get(int(r), -1) for r in row.values], dtype=np.float64)
        return _take(given, Column(rows, row.is_valid))
    return None


def _take(given: Column, row: Column) -> Column:
    """Take entries by row number; a row that does not exist is absent."""
    at = row.values.astype(np.int64)
    is_there = row.is_valid & (at >= 0) & (at < len(given.values))
    if not len(given.values):
        return Column(np.full(len(at), ""), is_there)
    at = np.where(is_there, at, 0)
    is_valid = is_there & given.is_valid[at]
    return Column(np.where(is_valid, given.values[at], "").astype(np.str_), is_valid)


def _spikes(
    file: h5py.File,
    ends: NDArray[np.int64],
    probe: NDArray[np.str_],
    order: NDArray[np.intp],
) -> tuple[tuple[ProbeSpikes, ...], tuple[str, ...]]:
    """Sort the spikes of each probe by time; those of a unit lie together in the file."""
    times = read_array(file["units"], "spike_times")
    starts = np.concatenate([[0], ends[:-1]])
    found: list[ProbeSpikes] = []
    notes: list[str] = []
    first = 0
    for name in np.unique(probe).tolist():
        rows = order[probe[order] == name]
        lengths = (ends - starts)[rows]
        joined = np.concatenate([times[starts[row] : ends[row]] for row in rows])
        clusters = np.repeat(np.arange(len(rows), dtype=np.int32), lengths)
        by_time = np.argsort(joined, kind="stable")
        where = f"{Path(file.filename).name}: {name}"
        clean, owners, more = clean_spikes(
            joined[by_time], clusters[by_time], n_clusters=len(rows), where=where
        )
        found.append(ProbeSpikes(probe=name, times_s=clean, clusters=owners, first_unit=first))
        notes += more
        first += len(rows)
    return tuple(found), tuple(notes)


@cache
def _acronyms_by_name() -> dict[str, str]:
    return {_plain(info.name): acronym for acronym, info in load_regions().items()}


def _plain(name: str) -> str:
    return " ".join(re.sub(r"[^a-z0-9/]", " ", name.lower()).split())
