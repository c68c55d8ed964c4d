"""One probe of an ALF session: its spikes, and a table row for every cluster."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.alf_arrays import one_column, read_npy, read_table
from mtm_core.data.alf_files import AlfFiles
from mtm_core.data.alf_plan import SPIKES, ProbePlan
from mtm_core.data.alf_units import UnitFields, count_clusters, describe_units, read_clusters
from mtm_core.data.raw_checks import clean_spikes
from mtm_core.errors import DatasetError, MissingDatasetError

MAX_LOST = 0.01
"""A larger share of spikes without a time is no accident of the end of a recording."""
_DAY_S = 86_400.0
_TOO_LONG = 100
"""Spikes that go on for so many times the trials, and for over a day, are not in seconds."""


@dataclass(frozen=True, eq=False, kw_only=True)
class ProbeData:
    """What was read of one probe.

    Parameters
    ----------
    probe : str
        Label.
    times_s : ndarray of float64, shape (n_spikes,)
        Rising.
    clusters : ndarray of integers, shape (n_spikes,)
        In the type that they are stored in.
    n_clusters : int
        Rows of the unit table, with or without spikes.
    units : UnitFields
        What is known of each.
    """

    probe: str
    times_s: NDArray[np.float64]
    clusters: NDArray[np.integer[Any]]
    n_clusters: int
    units: UnitFields


def read_probe(
    folder: Path, plan: ProbePlan, files: AlfFiles, notes: list[str], *, trials_end_s: float
) -> ProbeData:
    """Read one probe.

    Parameters
    ----------
    folder : Path
        The session.
    plan : ProbePlan
        Which datasets to read.
    files : AlfFiles
        All datasets of the session, to say what else is there.
    notes : list of str
        What was found and done is added here.
    trials_end_s : float
        Time of the last event of a trial, by which times in samples are noticed.

    Raises
    ------
    MissingDatasetError
        If spike times or cluster numbers are not there.
    DatasetError, DataError
        If a dataset is damaged, or they do not fit together.
    """
    times, clusters = _read_spikes(folder, plan, files)
    fields = read_clusters(folder, plan.clusters)
    n_clusters = count_clusters(fields, clusters, plan.probe, notes)
    where = f"{plan.probe} (spikes in {plan.collection})"
    _refuse_odd_times(times, where, trials_end_s)
    times, clusters, said = clean_spikes(times, clusters, n_clusters=n_clusters, where=where)
    notes.extend(said)
    units = describe_units(folder, plan, fields, n_clusters, notes)
    if plan.passing is not None:
        notes.append(f"{plan.probe}: spikes of units with label 1 only (passingSpikes.table).")
    return ProbeData(
        probe=plan.probe,
        times_s=times,
        clusters=clusters,
        n_clusters=n_clusters,
        units=units,
    )


def _read_spikes(
    folder: Path, plan: ProbePlan, files: AlfFiles
) -> tuple[NDArray[Any], NDArray[Any]]:
    if plan.passing is not None:
        table = read_table(folder / plan.passing.path)
        absent = [name for name in SPIKES if name not in table]
        if absent:
            raise MissingDatasetError(f"{plan.passing.path} has no column '{absent[0]}'.")
        return table["times"], table["clusters"]
    for attribute in SPIKES:
        if attribute not in plan.spikes:
            raise MissingDatasetError(_why_missing(plan.collection, attribute, files))
    paths = [plan.spikes[name].path for name in SPIKES]
    times, clusters = (one_column(read_npy(folder / path), path) for path in paths)
    return times, clusters


def _why_missing(collection: str, attribute: str, files: AlfFiles) -> str:
    name = f"spikes.{attribute}.npy"
    newer = files.newer.get((collection, "spikes", attribute))
    if newer is not None:
        return (
            f"{name} lies in {collection} in revision {newer.revision} only, after the asked "
            f"{files.revision}. Ask for a later revision, or for none."
        )
    return f"{name} not found in {collection}. Download or copy it, or choose another sorter."


def _refuse_odd_times(times: NDArray[Any], where: str, trials_end_s: float) -> None:
    """Refuse times of which many are no numbers, or which run too fast for the trials."""
    if times.dtype.kind not in "iuf" or not len(times):
        return
    last = float(times.max())
    if not np.isfinite(last):
        is_known = np.isfinite(times)
        n_lost = len(times) - int(np.count_nonzero(is_known))
        if n_lost > MAX_LOST * len(times):
            msg = (
                f"{where}: {n_lost:,} of {len(times):,} spike times are not numbers. "
                "Export or download spikes.times.npy again."
            )
            raise DatasetError(msg)
        last = float(times[is_known].max())
    if trials_end_s > 0 and last > max(_TOO_LONG * trials_end_s, _DAY_S):
        msg = (
            f"{where}: the spikes go on until {last:,.0f}, but the trials end at "
            f"{trials_end_s:,.0f} s: spikes.times.npy seems to hold samples (as "
            "spikes.samples.npy does), not seconds. Divide it by the sampling rate (30,000 for "
            "Neuropixels), or download it again."
        )
        raise DatasetError(msg)
