"""What an ALF folder says of each cluster of a probe: place, region, quality, uuid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.alf_arrays import numbers, one_column, read_npy, read_table
from mtm_core.data.alf_files import AlfName
from mtm_core.data.alf_plan import CLUSTERS, REGION_ACRONYMS, REGION_IDS, Object, ProbePlan
from mtm_core.data.regions import region_names_of_ids
from mtm_core.data.table import Column

GOOD_LABEL = 1 - 1e-6
"""A unit is good if its label is 1: all of IBL's criteria are met (stored in thirds)."""

_METRICS = {
    "label": "label",
    "firing_rate": "firing_rate_hz",
    "presence_ratio": "presence_ratio",
    "noise_cutoff": "noise_cutoff",
    "slidingRP_viol": "sliding_rp_viol",
}
_TABLES = ("metrics", "uuids")
_POSITIONS = ("mlapdv", "localCoordinates")
"""Datasets of several columns."""

Fields = Mapping[str, NDArray[Any]]
"""Arrays with one row per cluster; columns of the metrics as ``metrics.label``."""


@dataclass(frozen=True, eq=False, kw_only=True)
class UnitFields:
    """What is known of the units of one probe.

    Parameters
    ----------
    columns : mapping of str to Column
        Fields of the unit table, without ids and regions.
    regions : ndarray of str, shape (n_clusters,)
        Acronyms as given; "" where a unit has none.
    uuids : ndarray of str, shape (n_clusters,)
        "" where a unit has none.
    """

    columns: Mapping[str, Column]
    regions: NDArray[np.str_]
    uuids: NDArray[np.str_]


def read_clusters(folder: Path, plan: Object) -> dict[str, NDArray[Any]]:
    """Read the datasets of the object ``clusters``, whatever their lengths."""
    found = {a: _read_array(folder, plan[a]) for a in CLUSTERS if _is_array(plan.get(a))}
    if "metrics" in plan and "metrics" not in found:
        found |= {f"metrics.{k}": v for k, v in read_table(folder / plan["metrics"].path).items()}
    if "uuids" in plan and "uuids" not in found:
        columns = read_table(folder / plan["uuids"].path)
        found["uuids"] = columns.get("uuids", next(iter(columns.values()), np.zeros(0)))
    return found


def count_clusters(fields: Fields, clusters: NDArray[Any], probe: str, notes: list[str]) -> int:
    """Count the clusters: by the arrays that list them all, else by tables and spikes."""
    for name in CLUSTERS:
        if name in fields and name not in _TABLES:
            return len(fields[name])
    notes.append(f"{probe}: no clusters.channels; the clusters are counted by other datasets.")
    has_spikes = len(clusters) and clusters.dtype.kind in "iu"
    n_named = int(clusters.max()) + 1 if has_spikes else 0
    return max([n_named, *(len(values) for values in fields.values())])


def describe_units(
    folder: Path, plan: ProbePlan, fields: Fields, n_clusters: int, notes: list[str]
) -> UnitFields:
    """Join what is known of each cluster; datasets of another length are left out and said.

    Parameters
    ----------
    folder : Path
        The session.
    plan : ProbePlan
        Which datasets of channels and electrode sites to read.
    fields : mapping of str to ndarray
        See `read_clusters`.
    n_clusters : int
        See `count_clusters`.
    notes : list of str
        What was found and done is added here.
    """
    probe = plan.probe
    fields = _of_equal_length(fields, n_clusters, probe, notes)
    fields = {**_of_channels(folder, plan, fields, notes), **fields}
    return UnitFields(
        columns=_columns(probe, n_clusters, fields),
        regions=_regions(probe, n_clusters, fields, notes),
        uuids=fields.get("uuids", np.full(n_clusters, "")).astype(np.str_),
    )


def drop_shared_uuids(probes: Mapping[str, UnitFields], notes: list[str]) -> list[UnitFields]:
    """Do without the uuids of probes in which one occurs twice, here or in another probe."""
    every = np.concatenate([units.uuids for units in probes.values()])
    unique, counts = np.unique(every[every != ""], return_counts=True)
    shared = unique[counts > 1]
    kept = []
    for probe, units in probes.items():
        n_shared = int(np.isin(units.uuids, shared).sum())
        if n_shared:
            notes.append(
                f"{probe}: {n_shared} units share a uuid (clusters.uuids), so its units are "
                "named by session, probe and cluster instead."
            )
        kept.append(replace(units, uuids=np.full(len(units.uuids), "")) if n_shared else units)
    return kept


def _read_array(folder: Path, name: AlfName) -> NDArray[Any]:
    values = read_npy(folder / name.path)
    return values if name.attribute in _POSITIONS else one_column(values, name.path)


def _is_array(name: AlfName | None) -> bool:
    return name is not None and PurePosixPath(name.path).suffix == ".npy"


def _of_equal_length(
    fields: Fields, n_clusters: int, probe: str, notes: list[str]
) -> dict[str, NDArray[Any]]:
    odd = {name.partition(".")[0]: len(v) for name, v in fields.items() if len(v) != n_clusters}
    for name, length in odd.items():
        notes.append(
            f"{probe}: clusters.{name} has {length:,} rows for {n_clusters:,} clusters and is "
            "not used."
        )
    return {name: values for name, values in fields.items() if len(values) == n_clusters}


def _of_channels(
    folder: Path, plan: ProbePlan, fields: Fields, notes: list[str]
) -> dict[str, NDArray[Any]]:
    """Return positions and atlas ids of the units, by way of their channels."""
    if "channels" not in fields:
        return {}
    channel = numbers(fields["channels"], f"{plan.probe}: clusters.channels")
    found: dict[str, NDArray[Any]] = {}
    for name, values in _channel_fields(folder, plan, notes).items():
        is_there = (channel >= 0) & (channel < len(values))
        of_unit = np.full((len(channel), *values.shape[1:]), np.nan)
        of_unit[is_there] = values[channel[is_there].astype(np.int64)]
        found[f"channel.{name}"] = of_unit
        if name == REGION_IDS and not is_there.all():
            n = int((~is_there).sum())
            notes.append(f"{plan.probe}: {n} units lie on channels without an atlas id.")
    return found


def _channel_fields(
    folder: Path, plan: ProbePlan, notes: list[str]
) -> dict[str, NDArray[np.float64]]:
    """Read the channels; electrode sites override them field by field, or stand alone."""
    channels, sites = (
        {a: numbers(_read_array(folder, name), name.path) for a, name in part.items()}
        for part in (plan.channels, plan.sites)
    )
    n_channels, n_sites = (len(next(iter(part.values()), [])) for part in (channels, sites))
    if channels and sites and n_channels != n_sites:
        notes.append(
            f"{plan.probe}: {n_channels} channels but {n_sites} electrode sites; the electrode "
            "sites alone are used."
        )
        return sites
    return {**channels, **sites}


def _columns(probe: str, n_clusters: int, fields: Fields) -> dict[str, Column]:
    columns = {
        "probe": Column.full(np.full(n_clusters, probe)),
        "cluster_id": Column.full(np.arange(n_clusters, dtype=np.int64)),
    }
    if "channels" in fields:
        columns["channel"] = Column.where_finite(fields["channels"], np.int64)
    for name, values in _positions(fields).items():
        columns[name] = Column.where_finite(numbers(values, f"{probe}: {name}"))
    for name, ours in _METRICS.items():
        if (metric := fields.get(f"metrics.{name}")) is not None:
            columns[ours] = Column.where_finite(numbers(metric, f"{probe}: metrics.{name}"))
    if (label := columns.get("label")) is not None:
        is_good = label.values.astype(np.float64) >= GOOD_LABEL
        columns["is_good"] = Column(is_good, label.is_valid)
    return columns


def _positions(fields: Fields) -> dict[str, NDArray[Any]]:
    found = {}
    sites = fields.get("channel.localCoordinates", np.zeros(0))
    if "depths" in fields:
        found["depth_um"] = fields["depths"]
    elif _has_columns(sites, 2):
        found["depth_um"] = sites[:, 1]
    place = fields.get("mlapdv", fields.get("channel.mlapdv", np.zeros(0)))
    if _has_columns(place, 3):
        found |= {name: place[:, k] for k, name in enumerate(("ml_um", "ap_um", "dv_um"))}
    return found


def _has_columns(values: NDArray[Any], n: int) -> bool:
    return values.ndim == 2 and values.shape[1] >= n


def _regions(probe: str, n_clusters: int, fields: Fields, notes: list[str]) -> NDArray[np.str_]:
    """Return acronyms: from ids of channels, of clusters, from stored acronyms, or none."""
    for name in (f"channel.{REGION_IDS}", REGION_IDS, "metrics.atlas_id"):
        if name in fields:
            return _named(probe, numbers(fields[name], f"{probe}: {name}"), notes)
    for name in (REGION_ACRONYMS, "metrics.acronym"):
        if name in fields and fields[name].dtype.kind == "U":
            return fields[name]
    notes.append(f"{probe}: no atlas ids on file, so its units have no region.")
    return np.full(n_clusters, "")


def _named(probe: str, ids: NDArray[np.float64], notes: list[str]) -> NDArray[np.str_]:
    has_id = np.isfinite(ids)
    names, n_unknown = region_names_of_ids(np.where(has_id, ids, 0))
    if n_unknown:
        which = np.unique(ids[has_id & (names == "void") & (ids != 0)])[:5].astype(np.int64)
        notes.append(
            f"{probe}: {n_unknown} units have an atlas id that the atlas does not know "
            f"({', '.join(map(str, which.tolist()))}); they are 'void'."
        )
    return np.where(has_id, names, "")
