"""Behavioural signals and events of a lab's own recording."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.alf_arrays import read_npy
from mtm_core.data.byo_facts import FACTS_FILE
from mtm_core.data.byo_probe import CLUSTERS_FILE, SPIKE_FILES
from mtm_core.data.byo_tables import LabTable
from mtm_core.data.byo_trials import TRIALS_FILE
from mtm_core.data.raw import Signal
from mtm_core.data.raw_checks import check_seconds, clean_events, clean_signal
from mtm_core.errors import DatasetError

SIGNALS = ("wheel_position", "wheel_velocity", "wheel_speed", "whisker_motion_energy")
EVENTS = ("licks",)
_SUFFIXES = (".npy", ".csv")
_READ = {CLUSTERS_FILE, TRIALS_FILE, FACTS_FILE, *SPIKE_FILES}


def read_signals(folder: Path) -> tuple[dict[str, Signal], tuple[str, ...]]:
    """Read the signals that are there, each a file of times and values, and notes.

    Raises
    ------
    DatasetError
        If a file does not hold two columns of numbers, or its times are not seconds.
    """
    signals: dict[str, Signal] = {}
    notes: list[str] = []
    for name in SIGNALS:
        path = _find(folder, name)
        if path is None:
            continue
        times, values = _two_columns(path)
        check_seconds(times, str(path))
        signal, more = clean_signal(times, values, path.name)
        notes += more
        if signal is not None:
            signals[name] = signal
    return signals, tuple(notes)


def read_events(folder: Path) -> tuple[dict[str, NDArray[np.float64]], tuple[str, ...]]:
    """Read the events that are there, each a file of times, and notes."""
    events: dict[str, NDArray[np.float64]] = {}
    notes: list[str] = []
    for name in EVENTS:
        path = _find(folder, name)
        if path is None:
            continue
        times = read_npy(path) if path.suffix == ".npy" else _csv_columns(path, ("time_s",))[0]
        events[name], more = clean_events(times, str(path))
        notes += more
    return events, tuple(notes)


def unread_files(folder: Path) -> tuple[str, ...]:
    """Say which files of the folder nobody reads."""
    known = _READ | {f"{name}{s}" for name in (*SIGNALS, *EVENTS) for s in _SUFFIXES}
    rest = sorted(
        path.name
        for path in folder.iterdir()
        if path.is_file() and path.suffix in _SUFFIXES and path.name not in known
    )
    return (f"Files not read, as their names are not known here: {', '.join(rest)}.",) * bool(rest)


def _find(folder: Path, name: str) -> Path | None:
    paths = (folder / f"{name}{suffix}" for suffix in _SUFFIXES)
    return next((path for path in paths if path.is_file()), None)


def _two_columns(path: Path) -> tuple[NDArray[Any], NDArray[Any]]:
    if path.suffix == ".csv":
        times, values = _csv_columns(path, ("time_s", "value"))
        return times, values
    array = read_npy(path)
    if array.ndim != 2 or array.shape[1] != 2 or array.dtype.kind not in "iuf":
        msg = (
            f"{path} has the shape {array.shape} of {array.dtype}, but must be (samples, 2): time "
            "in seconds, and value."
        )
        raise DatasetError(msg)
    return array[:, 0], array[:, 1]


def _csv_columns(path: Path, names: tuple[str, ...]) -> list[NDArray[Any]]:
    table = LabTable(path)
    found = []
    for name in names:
        table.require(name, "seconds" if name == "time_s" else "the signal")
        column = table.numbers(name)
        found.append(np.where(column.is_valid, column.values, np.nan))
    return found
