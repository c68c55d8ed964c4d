"""Plain ALF folders of the International Brain Laboratory -> `RawSession`, without ONE.

The rules, each in its module: which file serves (`alf_files`), what is read (`alf_plan`), spikes
(`alf_probe`), units and regions (`alf_units`), trials (`alf_trials`), wheel, cameras and licks
(`alf_signals`), where it came from (`alf_origin`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import accumulate
from pathlib import Path

import numpy as np

from mtm_core.data.alf_folders import find_sessions, is_alf_folder, list_files, session_folder
from mtm_core.data.alf_folders import unread_names as _unread_names
from mtm_core.data.alf_origin import merge_origins, name_with_hash, origin_of_folder
from mtm_core.data.alf_plan import AlfPlan, make_plan
from mtm_core.data.alf_probe import ProbeData, read_probe
from mtm_core.data.alf_signals import read_licks, read_motion_energy, read_wheel
from mtm_core.data.alf_trials import read_trials
from mtm_core.data.alf_units import drop_shared_uuids
from mtm_core.data.raw import Origin, ProbeSpikes, RawSession
from mtm_core.data.regions import region_columns
from mtm_core.data.table import Column, Table
from mtm_core.errors import MissingDatasetError

__all__ = ["find_sessions", "is_alf_folder", "read_alf", "wanted_datasets"]


def read_alf(
    folder: Path,
    *,
    revision: str | None = None,
    sorter: str | None = None,
    origin: Origin | None = None,
) -> RawSession:
    """Read one ALF session: all probes, trials, wheel, whisker motion energy, licks.

    Parameters
    ----------
    folder : Path
        The session's folder, its ``alf`` folder, or a folder with exactly one session below.
    revision : str or None
        The last revision that may serve (``"2024-05-06"``), for each file by itself; None for the
        newest.
    sorter : str or None
        The sorter folder to prefer; else iblsorter, pykilosort, then the shortest path.
    origin : Origin or None
        What the caller knows of the session (its eid); the folder's path fills in the rest.

    Returns
    -------
    RawSession
        The notes of its origin say what was chosen, mended and left out.

    Raises
    ------
    MissingDatasetError
        If spikes or trials are not there.
    DatasetError, DataError
        If a file is damaged, the files do not fit together, or this is no ALF session.
    """
    session = session_folder(Path(folder))
    paths = list_files(session)
    plan = make_plan(paths, revision=revision, sorter=sorter)
    notes = _what_serves(plan, sorter)
    _refuse_without_spikes(plan, session)
    trials = read_trials(session, plan.trials, notes)
    last_s = _last_event_s(trials)
    probes = [read_probe(session, p, plan.files, notes, trials_end_s=last_s) for p in plan.probes]
    signals = read_wheel(session, plan.wheel, notes)
    signals |= read_motion_energy(session, plan.cameras, notes)
    events = read_licks(session, plan.licks, notes)
    said = origin_of_folder(session, has_note=plan.origin is not None)
    known = merge_origins(*filter(None, (origin, said)))
    session_id = known.session_id or _content_id(session, probes)
    units = _unit_table(session_id, probes, notes)
    if odd := _unread_names(paths):
        notes.append(f"Not read, as the names are not object.attribute: {', '.join(odd)}.")
    return RawSession(
        origin=replace(
            known,
            session_id=session_id,
            source_id=known.source_id or session_id,
            notes=(*known.notes, *notes),
        ),
        spikes=_probe_spikes(probes),
        units=units,
        trials=trials,
        signals=signals,
        events=events,
    )


def wanted_datasets(
    names: Iterable[str], *, revision: str | None = None, sorter: str | None = None
) -> list[str]:
    """Choose from a session's datasets those that are read.

    The reader follows the same plan, so that a download of exactly these is enough.

    Parameters
    ----------
    names : iterable of str
        Paths relative to the session folder, with forward slashes.
    revision : str or None
        The last revision that may serve; None for the newest of each dataset.
    sorter : str or None
        The sorter folder to prefer.

    Returns
    -------
    list of str
        A part of `names`, sorted.

    Examples
    --------
    >>> names = ["alf/probe00/spikes.times.npy", "alf/probe00/pykilosort/spikes.times.npy",
    ...          "alf/probe00/pykilosort/#2024-05-06#/spikes.times.npy", "alf/licks.times.npy"]
    >>> wanted_datasets(names)
    ['alf/licks.times.npy', 'alf/probe00/pykilosort/#2024-05-06#/spikes.times.npy']
    """
    plan = make_plan(names, revision=revision, sorter=sorter)
    return [name.path for name in plan.datasets()]


def _what_serves(plan: AlfPlan, sorter: str | None) -> list[str]:
    """Say which folders and which revisions serve."""
    notes = [f"Spikes of {probe.probe} come from {probe.collection}." for probe in plan.probes]
    if sorter is not None:
        without = [p.probe for p in plan.probes if p.collection.rpartition("/")[2] != sorter]
        if without:
            notes.append(f"There is no sorter folder '{sorter}' for {', '.join(without)}.")
    revisions = [name.revision for name in plan.datasets()]
    used = sorted({revision for revision in revisions if revision})
    if used:
        counts = ", ".join(f"{revision} ({revisions.count(revision)} files)" for revision in used)
        notes.append(f"Revisions read: {counts}; {revisions.count('')} files have none.")
    return notes


def _refuse_without_spikes(plan: AlfPlan, session: Path) -> None:
    """Say why none of the spikes that the session has may serve: all are of later revisions."""
    if plan.probes:
        return
    names = [name for name in plan.files.newer.values() if name.object.endswith("pikes")]
    msg = (
        f"The spikes in {session / 'alf'} lie in revision {min(n.revision for n in names)} only, "
        f"after the asked {plan.files.revision}. Ask for a later revision, or for none."
    )
    raise MissingDatasetError(msg)


def _last_event_s(trials: Table) -> float:
    """Return the time of the last event of any trial; 0 where no trial has a time."""
    valid = [c.values[c.is_valid] for name, c in trials.columns.items() if name.endswith("_s")]
    return max((float(times.max()) for times in valid if len(times)), default=0.0)


def _content_id(session: Path, probes: Sequence[ProbeData]) -> str:
    arrays = [values for probe in probes for values in (probe.times_s, probe.clusters)]
    return name_with_hash(session.resolve().name or "session", arrays)


def _probe_spikes(probes: Sequence[ProbeData]) -> tuple[ProbeSpikes, ...]:
    firsts = accumulate((probe.n_clusters for probe in probes), initial=0)
    return tuple(
        ProbeSpikes(
            probe=probe.probe,
            times_s=probe.times_s,
            clusters=probe.clusters,
            first_unit=first,
        )
        for probe, first in zip(probes, firsts, strict=False)
    )


def _unit_table(session_id: str, probes: Sequence[ProbeData], notes: list[str]) -> Table:
    """Put the units of all probes below each other; a field that one lacks is absent there."""
    units = drop_shared_uuids({probe.probe: probe.units for probe in probes}, notes)
    ids = [
        uuid or f"{session_id}/{probe.probe}/{cluster}"
        for probe, fields in zip(probes, units, strict=True)
        for cluster, uuid in enumerate(fields.uuids.tolist())
    ]
    regions = np.concatenate([fields.regions for fields in units])
    names = list(dict.fromkeys(name for fields in units for name in fields.columns))
    columns = {"unit_id": Column.full(np.array(ids, dtype=np.str_)), **region_columns(regions)}
    for name in names:
        parts = [fields.columns.get(name) or _absent(len(fields.regions)) for fields in units]
        columns[name] = Column(
            np.concatenate([part.values for part in parts]),
            np.concatenate([part.is_valid for part in parts]),
        )
    return Table(columns)


def _absent(n_rows: int) -> Column:
    return Column(np.zeros(n_rows, dtype=bool), np.zeros(n_rows, dtype=bool))
