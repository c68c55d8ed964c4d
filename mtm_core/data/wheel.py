"""How fast the wheel turns: position at 1000 Hz, low-passed at 20 Hz without delay, then steps."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.raw import Signal

RATE_HZ = 1000.0
"""Rate at which the position is interpolated, before it is filtered."""
CORNER_HZ = 20.0
ORDER = 8

LOST_S = 0.5
LOST_RAD = 0.1
"""The encoder is silent while the wheel rests. Where it is silent for longer than `LOST_S` and the
wheel stands elsewhere by more than `LOST_RAD` afterwards, samples were lost."""


def wheel_velocity(position: Signal) -> Signal:
    """Return the velocity of the wheel in rad/s, at 1000 Hz.

    The position is interpolated linearly to 1000 Hz and low-passed by a Butterworth filter of
    order 8 at 20 Hz, forwards and backwards, as IBL does. Where samples were lost, the parts
    before and after are filtered on their own and the velocity between them is NaN.

    Parameters
    ----------
    position : Signal
        Position in rad, at any times.

    Returns
    -------
    Signal
        Rad/s; empty if there are too few samples to filter.

    References
    ----------
    `brainbox.behavior.wheel.velocity_filtered` of the International Brain Laboratory's ibllib.

    Examples
    --------
    >>> turning = Signal(times_s=np.arange(0, 3, 0.01), values=2 * np.arange(0, 3, 0.01))
    >>> velocity = wheel_velocity(turning)
    >>> np.round(velocity.values[1500], 6)
    np.float64(2.0)
    """
    is_known = np.isfinite(position.times_s) & np.isfinite(position.values)
    times, first = np.unique(position.times_s[is_known], return_index=True)
    values = position.values[is_known][first]
    is_lost = (np.diff(times) > LOST_S) & (np.abs(np.diff(values)) > LOST_RAD)
    cuts = np.flatnonzero(is_lost) + 1
    parts = [
        _filtered(t, v)
        for t, v in zip(np.split(times, cuts), np.split(values, cuts), strict=True)
        if len(t) > 1
    ]
    return _joined([part for part in parts if len(part.times_s)])


def _filtered(times: NDArray[np.float64], values: NDArray[np.float64]) -> Signal:
    from scipy.signal import butter, sosfiltfilt

    sos = butter(ORDER, CORNER_HZ, btype="lowpass", output="sos", fs=RATE_HZ)
    n_samples = int(np.floor((times[-1] - times[0]) * RATE_HZ)) + 1
    grid = times[0] + np.arange(n_samples) / RATE_HZ
    pad = 3 * (2 * len(sos) + 1)  # what sosfiltfilt asks for at most
    if n_samples <= pad:
        return Signal(times_s=grid[:0], values=grid[:0])
    position = sosfiltfilt(sos, np.interp(grid, times, values))
    velocity = np.diff(position, prepend=position[:1]) * RATE_HZ
    return Signal(times_s=grid, values=velocity)


def _joined(parts: list[Signal]) -> Signal:
    """Put parts one after another, with a NaN between any two."""
    times: list[NDArray[np.float64]] = []
    values: list[NDArray[np.float64]] = []
    for part in parts:
        if times:
            middle = (times[-1][-1] + part.times_s[0]) / 2
            times.append(np.array([middle]))
            values.append(np.array([np.nan]))
        times.append(part.times_s)
        values.append(part.values)
    if not times:
        return Signal(times_s=np.zeros(0), values=np.zeros(0))
    return Signal(times_s=np.concatenate(times), values=np.concatenate(values))
