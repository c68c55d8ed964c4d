"""IBL sessions as NWB files (DANDI 000409), of either generation of names, with h5py alone.

The files come from the internet: sizes are checked before anything is allocated, links to other
files are refused, and a damaged part becomes a sentence.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import h5py

from mtm_core.data.hdf5 import open_hdf5
from mtm_core.data.nwb_fields import NwbTable, find_table, read_fact
from mtm_core.data.nwb_signals import read_licks, read_signals
from mtm_core.data.nwb_trials import read_trials
from mtm_core.data.nwb_units import read_units
from mtm_core.data.raw import Origin, RawSession
from mtm_core.errors import SessionFileError

SOURCE = "DANDI 000409 (NWB)"
LICENCE = (
    "The terms of the file's own DANDI page; IBL's public data is described as CC BY 4.0 by third "
    "parties, not checked here. Credit the International Brain Laboratory."
)
CITATION = (
    "International Brain Laboratory et al. (2025). A brain-wide map of neural activity during "
    "complex behaviour. Nature 645, 177-191. Data: DANDI 000409."
)
_EID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SIMULATED = re.compile(r"\b(simulated|simulation|synthetic)\b", re.IGNORECASE)


def read_nwb(path: str | os.PathLike[str]) -> RawSession:
    """Read a session from an NWB file.

    Parameters
    ----------
    path : path-like
        A file with units and trials (``desc-processed_behavior+ecephys.nwb`` or
        ``behavior+ecephys+image.nwb``).

    Returns
    -------
    RawSession
        Probes and clusters in order of their names and numbers; units without a region are
        ``void``; the notes say what was mended or could not be used.

    Raises
    ------
    SessionFileError
        If it is no NWB file, lacks units or trials, or is damaged.
    DataError
        If its spike times are not seconds.
    """
    path = Path(path)
    with open_hdf5(path) as file:
        _check_is_nwb(file, path.name)
        session_id, eid = _session_id(file, path)
        found = read_units(file, session_id)
        trials, trial_notes = read_trials(_trials_table(file))
        signals, signal_notes = read_signals(file)
        events, event_notes = read_licks(file)
        notes = (*found.notes, *trial_notes, *signal_notes, *event_notes)
        origin = _origin(file, path, session_id, eid, notes)
    return RawSession(
        origin=origin,
        spikes=found.spikes,
        units=found.units,
        trials=trials,
        signals=signals,
        events=events,
    )


def is_nwb_file(path: str | os.PathLike[str]) -> bool:
    """Tell whether a file says that it is NWB."""
    try:
        with open_hdf5(Path(path)) as file:
            return "nwb_version" in file.attrs
    except SessionFileError:
        return False


def _check_is_nwb(file: h5py.File, name: str) -> None:
    if "nwb_version" not in file.attrs:
        msg = f"{name} is an HDF5 file, but not NWB: it does not say its 'nwb_version'."
        raise SessionFileError(msg)


def _trials_table(file: h5py.File) -> NwbTable:
    table = find_table(file, "intervals/trials")
    if table is None or table.n_rows == 0:
        msg = (
            f"{Path(file.filename).name} has no trials. Open the session's file with 'behavior' "
            "in its name."
        )
        raise SessionFileError(msg)
    return table


def _session_id(file: h5py.File, path: Path) -> tuple[str, str | None]:
    """Return the session's id and its eid: from the file, else from its name."""
    for text in (read_fact(file, "general/session_id"), read_fact(file, "identifier"), path.name):
        found = _EID.search((text or "").lower())
        if found is not None:
            return found[0], found[0]
    return read_fact(file, "general/session_id") or path.stem, None


def _origin(
    file: h5py.File, path: Path, session_id: str, eid: str | None, notes: tuple[str, ...]
) -> Origin:
    started = read_fact(file, "session_start_time") or ""
    told = [read_fact(file, name) or "" for name in ("session_description", "general/notes")]
    is_simulated = any(_SIMULATED.search(text) for text in told)
    return Origin(
        session_id=session_id,
        source="NWB" if is_simulated else SOURCE,
        source_id=path.name,
        subject=read_fact(file, "general/subject/subject_id"),
        lab=read_fact(file, "general/lab"),
        date=started[:10] if re.match(r"\d{4}-\d{2}-\d{2}", started) else None,
        eid=eid,
        licence="Made by a program, no data of any animal." if is_simulated else LICENCE,
        citation="None: simulated." if is_simulated else CITATION,
        is_simulated=is_simulated,
        notes=notes,
    )
