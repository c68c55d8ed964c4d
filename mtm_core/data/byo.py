"""'Bring your own': a small documented layout for recordings of labs outside IBL.

A folder with spike times, clusters with their regions, and trials; ``docs/bring_your_own.md``
says how to write it in five lines. What cannot be trusted is refused by file, column and row.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.alf_origin import name_with_hash
from mtm_core.data.byo_facts import FACTS_FILE, Facts, read_facts
from mtm_core.data.byo_probe import CLUSTERS_FILE, SPIKE_FILES, ByoProbe, read_probes
from mtm_core.data.byo_signals import read_events, read_signals, unread_files
from mtm_core.data.byo_trials import TRIALS_FILE, read_trials
from mtm_core.data.raw import Origin, RawSession
from mtm_core.data.regions import region_columns
from mtm_core.data.table import Column, Table
from mtm_core.errors import MissingDatasetError

SOURCE = "bring your own"


def is_byo_folder(folder: Path) -> bool:
    """Tell whether a folder holds files of this layout, if not all of them."""
    folder = Path(folder)
    nearest = folder.absolute().parts[-2:]
    if "alf" in nearest or (folder / "alf").is_dir():
        return False  # a part of an ALF session, or one
    names = (CLUSTERS_FILE, TRIALS_FILE, *SPIKE_FILES)
    return folder.is_dir() and any((folder / name).is_file() for name in names)


def read_byo(folder: Path) -> RawSession:
    """Read a folder of this layout.

    Parameters
    ----------
    folder : Path
        With ``trials.csv``, and spikes and ``clusters.csv`` in it or in one folder per probe.

    Returns
    -------
    RawSession
        Its notes say what was mended and which files and columns were not read.

    Raises
    ------
    MissingDatasetError
        If a file or a column is needed and not there.
    DatasetError, DataError
        If one is damaged or does not fit the others.
    """
    folder = Path(folder)
    _check_is_there(folder)
    facts = read_facts(folder)
    probes = read_probes(folder, facts.sample_rate_hz)
    trials, trial_notes = read_trials(folder, facts.trial_columns)
    signals, signal_notes = read_signals(folder)
    events, event_notes = read_events(folder)
    session_id = _session_id(folder, facts, probes)
    notes = (
        *(note for probe in probes for note in probe.notes),
        *trial_notes,
        *signal_notes,
        *event_notes,
        *unread_files(folder),
    )
    return RawSession(
        origin=_origin(folder, facts, session_id, notes),
        spikes=tuple(
            replace(probe.spikes, first_unit=first)
            for probe, first in zip(probes, _first_units(probes), strict=True)
        ),
        units=_units(session_id, probes),
        trials=trials,
        signals=signals,
        events=events,
    )


def _check_is_there(folder: Path) -> None:
    if not folder.is_dir():
        msg = f"There is no folder {folder}."
        raise MissingDatasetError(msg)
    if not (folder / TRIALS_FILE).is_file():
        msg = (
            f"{folder} has no {TRIALS_FILE}: one row for each trial, with the column stim_on_s in "
            "seconds. docs/bring_your_own.md shows how to write it."
        )
        raise MissingDatasetError(msg)


def _session_id(folder: Path, facts: Facts, probes: list[ByoProbe]) -> str:
    if facts.subject and facts.date:
        place = (facts.lab, facts.subject, facts.date, f"{facts.number or 1:03d}")
        return "/".join(part for part in place if part)
    arrays = [a for probe in probes for a in (probe.spikes.times_s, probe.spikes.clusters)]
    return name_with_hash(folder.resolve().name or "session", arrays)


def _origin(folder: Path, facts: Facts, session_id: str, notes: tuple[str, ...]) -> Origin:
    said = () if facts.is_given else (f"There is no {FACTS_FILE}: lab and subject are not known.",)
    return Origin(
        session_id=session_id,
        source=facts.lab or SOURCE,
        source_id=folder.resolve().name,
        subject=facts.subject,
        lab=facts.lab,
        date=facts.date,
        number=facts.number,
        licence=facts.licence,
        citation=facts.citation,
        is_simulated=facts.is_simulated,
        notes=(*said, *notes),
    )


def _first_units(probes: list[ByoProbe]) -> list[int]:
    sizes = [probe.units.n_rows for probe in probes]
    return [sum(sizes[:i]) for i in range(len(sizes))]


def _units(session_id: str, probes: list[ByoProbe]) -> Table:
    """Put the units of all probes below each other; a field that one lacks is absent there."""
    names = dict.fromkeys(name for probe in probes for name in probe.units.columns)
    columns: dict[str, Column] = {}
    for name in names:
        like = next(p.units.columns[name] for p in probes if name in p.units.columns)
        parts = [probe.units.columns.get(name) or _absent(like, probe) for probe in probes]
        columns[name] = Column(
            np.concatenate([part.values for part in parts]),
            np.concatenate([part.is_valid for part in parts]),
        )
    region = columns.pop("region")
    given = columns.pop("unit_id", None)
    unit_id = given if given is not None and given.is_valid.all() else None
    return Table(
        {
            "unit_id": unit_id or Column.full(_ids(session_id, columns)),
            **region_columns(region.values.tolist()),
            **columns,
        }
    )


def _absent(like: Column, probe: ByoProbe) -> Column:
    n_rows = probe.units.n_rows
    return Column(np.zeros(n_rows, dtype=like.values.dtype), np.zeros(n_rows, dtype=bool))


def _ids(session_id: str, columns: dict[str, Column]) -> NDArray[np.str_]:
    pairs = zip(
        columns["probe"].values.tolist(), columns["cluster_id"].values.tolist(), strict=True
    )
    return np.array([f"{session_id}/{probe}/{cluster}" for probe, cluster in pairs], dtype=np.str_)
