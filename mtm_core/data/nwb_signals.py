"""Wheel, whisker motion energy and licks of an IBL NWB file."""

from __future__ import annotations

import h5py
import numpy as np
from numpy.typing import NDArray

from mtm_core.data.hdf5 import read_array
from mtm_core.data.nwb_fields import find_groups, read_series
from mtm_core.data.raw import Signal
from mtm_core.data.raw_checks import clean_events, clean_signal

SERIES = {
    "wheel_position": (r"wheelposition(series)?$",),
    "wheel_velocity": (r"wheelvelocity\w*$",),
    "whisker_motion_energy": (r"left\w*motionenergy$", r"right\w*motionenergy$"),
}
"""Our signal, and what its series is called; of several the first usable one serves."""
LICKS = r"licktimes$"


def read_signals(file: h5py.File) -> tuple[dict[str, Signal], tuple[str, ...]]:
    """Return the signals that the file has, and notes on those that could not be used."""
    signals: dict[str, Signal] = {}
    notes: list[str] = []
    for name, patterns in SERIES.items():
        for group in _series_groups(file, patterns):
            signal, more = _read_signal(group)
            notes += more
            if signal is not None:
                signals[name] = signal
                notes += _remark(name, group)
                break
    if "wheel_position" in signals:  # from which the velocity is made, alike for every source
        signals.pop("wheel_velocity", None)
    return signals, tuple(notes)


def read_licks(file: h5py.File) -> tuple[dict[str, NDArray[np.float64]], tuple[str, ...]]:
    """Return the times of licks under ``licks``, where the file has them, and notes."""
    for group in find_groups(file, "processing", LICKS):
        for column in ("timestamps", "lick_time"):
            if column in group:
                times = read_array(group, column)
                licks, notes = clean_events(times, "licks")
                return {"licks": licks}, notes
    return {}, ()


def _series_groups(file: h5py.File, patterns: tuple[str, ...]) -> list[h5py.Group]:
    found = [group for pattern in patterns for group in find_groups(file, "processing", pattern)]
    return [group for group in found if "data" in group]


def _read_signal(group: h5py.Group) -> tuple[Signal | None, tuple[str, ...]]:
    name = group.name.rpartition("/")[2]
    unit = str(group["data"].attrs.get("unit", "")).lower()
    if "wheel" in name.lower() and unit and not unit.startswith(("rad", "n/a", "unknown")):
        return None, (f"{name} cannot be used: it is in {unit}, not in radians.",)
    times, values = read_series(group)
    return clean_signal(times, values, name)


def _remark(name: str, group: h5py.Group) -> list[str]:
    if name != "whisker_motion_energy" or "right" not in group.name.rpartition("/")[2].lower():
        return []
    return ["Whisker motion energy is the right camera's, as the left one's is not usable."]
