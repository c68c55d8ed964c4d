"""Wheel, whisker motion energy and licks of an ALF session."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.alf_arrays import flat, numbers, read_npy
from mtm_core.data.alf_plan import CAMERA, CAMERAS, Object
from mtm_core.data.raw import Signal
from mtm_core.data.raw_checks import clean_events, clean_signal

_WHEEL = {"position": "wheel_position", "velocity": "wheel_velocity"}


def read_wheel(folder: Path, plan: Mapping[str, Object], notes: list[str]) -> dict[str, Signal]:
    """Read the wheel's position in rad (anti-clockwise positive), else its stored velocity.

    Parts of several tasks are joined, with a missing sample between them.
    """
    for attribute, ours in _WHEEL.items():
        parts = [
            signal
            for collection, files in plan.items()
            if attribute in files
            and (signal := _wheel_part(folder, collection, files, attribute, notes)) is not None
        ]
        if parts:
            return {ours: _join(parts, notes)}
    return {}


def read_motion_energy(
    folder: Path, plan: Mapping[str, Object], notes: list[str]
) -> dict[str, Signal]:
    """Read the whisker motion energy: of the left camera, else of the right one.

    Where times are longer than data the first extra times are dropped; where they are shorter the
    camera cannot be used.
    """
    for camera in CAMERAS:
        files = plan.get(camera, {})
        absent = [f"{camera}.{attribute}" for attribute in CAMERA if attribute not in files]
        if files and absent:
            notes.append(f"{camera} cannot be used: {absent[0]} is not there.")
        if absent:
            continue
        times, values = (_numbers(folder, files, attribute) for attribute in CAMERA)
        signal, said = clean_signal(times, values, f"{camera}.ROIMotionEnergy")
        notes.extend(said)
        if signal is not None:
            side = camera.removesuffix("Camera")
            notes.append(f"Whisker motion energy is that of the {side} camera.")
            return {"whisker_motion_energy": signal}
    return {}


def read_licks(
    folder: Path, plan: Mapping[str, Object], notes: list[str]
) -> dict[str, NDArray[np.float64]]:
    """Read the times of licks, of all tasks, rising; those without a time are left out."""
    if not plan:
        return {}
    times = np.concatenate([_numbers(folder, files, "times") for files in plan.values()])
    cleaned, said = clean_events(times, "licks.times")
    notes.extend(said)
    return {"licks": cleaned}


def _wheel_part(
    folder: Path, collection: str, files: Object, attribute: str, notes: list[str]
) -> Signal | None:
    where = f"{collection}: wheel.{attribute}"
    if "timestamps" not in files:
        notes.append(f"{where} cannot be used: wheel.timestamps is not there.")
        return None
    values = _numbers(folder, files, attribute)
    times = _expanded(_numbers(folder, files, "timestamps"), len(values))
    if len(times) != len(values):
        notes.append(f"{where} cannot be used: {len(times):,} times for {len(values):,} values.")
        return None
    signal, said = clean_signal(times, values, where)
    notes.extend(said)
    return signal


def _expanded(timestamps: NDArray[np.float64], n_samples: int) -> NDArray[np.float64]:
    """Fill in times that are stored as (sample, time) of a few samples, as ALF allows."""
    if timestamps.ndim == 2 and timestamps.shape[1] == 2:
        return np.interp(np.arange(n_samples), timestamps[:, 0], timestamps[:, 1])
    return timestamps


def _join(parts: list[Signal], notes: list[str]) -> Signal:
    parts = sorted(parts, key=lambda part: float(part.times_s[0]))
    times, values = [parts[0].times_s], [parts[0].values]
    for part in parts[1:]:
        last, first = float(times[-1][-1]), float(part.times_s[0])
        if first <= last:
            notes.append("Wheel: parts of several tasks overlap in time; the later is not used.")
            continue
        times += [np.array([(last + first) / 2]), part.times_s]
        values += [np.array([np.nan]), part.values]
    if len(times) == 1:
        return parts[0]
    return Signal(times_s=np.concatenate(times), values=np.concatenate(values))


def _numbers(folder: Path, files: Object, attribute: str) -> NDArray[Any]:
    name = files[attribute]
    return numbers(flat(read_npy(folder / name.path)), name.path)
