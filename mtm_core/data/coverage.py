"""Where a recording has nothing to say: stretches in which the whole population is silent."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.raw import ProbeSpikes
from mtm_core.errors import DataError

MAX_SILENCE_S = 1.0
"""A whole population that is silent for longer was not being recorded."""

_CHUNK = 2**20
"""Spikes looked at together: enough to be fast, and few enough to need no memory."""

Stretches = NDArray[np.float64]
"""Stretches of time in s, shape (n_stretches, 2): start and end, rising, none overlapping."""


def silent_stretches(
    probes: Sequence[ProbeSpikes], longer_than_s: float = MAX_SILENCE_S
) -> Stretches:
    """Find the stretches without a spike of any unit on any probe.

    The time before a recording's first spike and after its last one counts as silence.

    Parameters
    ----------
    probes : sequence of ProbeSpikes
        Every probe of the recording, with every cluster.
    longer_than_s : float
        Shorter stretches are left out.

    Returns
    -------
    ndarray of float64, shape (n_stretches, 2)
        Starts and ends; the first starts at -inf, the last ends at inf.

    Raises
    ------
    DataError
        If spike times are not rising, or are not finite.

    Examples
    --------
    >>> left = ProbeSpikes(probe="a", times_s=np.array([1.0, 5.0]), clusters=np.zeros(2, int))
    >>> right = ProbeSpikes(probe="b", times_s=np.array([3.5, 4.0]), clusters=np.zeros(2, int))
    >>> silent_stretches([left, right])
    array([[-inf,  1. ],
           [ 1. ,  3.5],
           [ 5. ,  inf]])
    """
    found = [_gaps(probe, longer_than_s) for probe in probes]
    shared = reduce(_intersect, found, np.array([[-np.inf, np.inf]]))
    long: Stretches = shared[shared[:, 1] - shared[:, 0] > longer_than_s]
    return long


def meets_stretch(
    stretches: Stretches, start_s: NDArray[np.float64], end_s: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Tell which windows share time with one of the stretches.

    Parameters
    ----------
    stretches : ndarray of float64, shape (n_stretches, 2)
        As `silent_stretches` returns them.
    start_s, end_s : ndarray of float64, shape (n_windows,)
        Start and end of each window.

    Returns
    -------
    ndarray of bool, shape (n_windows,)
    """
    if not len(stretches):
        return np.zeros(len(start_s), dtype=bool)
    first = np.searchsorted(stretches[:, 1], start_s, side="right")
    is_any = first < len(stretches)
    starts = stretches[np.minimum(first, len(stretches) - 1), 0]
    meets: NDArray[np.bool_] = is_any & (starts < end_s)
    return meets


def _gaps(probe: ProbeSpikes, longer_than_s: float) -> Stretches:
    times = probe.times_s
    if not len(times):
        return np.array([[-np.inf, np.inf]])
    if not (np.isfinite(times[0]) and np.isfinite(times[-1])):
        raise DataError(_unsorted(probe))
    rows = [np.zeros(0, dtype=np.int64)]
    for start in range(0, len(times) - 1, _CHUNK):
        steps = np.diff(times[start : start + _CHUNK + 1])
        if not (steps >= 0).all():  # NaN is not
            raise DataError(_unsorted(probe))
        rows.append(start + np.flatnonzero(steps > longer_than_s))
    row = np.concatenate(rows)
    starts = np.concatenate([[-np.inf], times[row], times[-1:]])
    ends = np.concatenate([times[:1], times[row + 1], [np.inf]])
    return np.stack([starts, ends], axis=1)


def _unsorted(probe: ProbeSpikes) -> str:
    return (
        f"The spike times of {probe.probe} are not rising, or some are missing (NaN). "
        "Sort them, together with their clusters, or download the recording again."
    )


def _intersect(left: Stretches, right: Stretches) -> Stretches:
    shared: list[tuple[float, float]] = []
    i = j = 0
    while i < len(left) and j < len(right):
        start, end = max(left[i, 0], right[j, 0]), min(left[i, 1], right[j, 1])
        if start < end:
            shared.append((start, end))
        if left[i, 1] < right[j, 1]:
            i += 1
        else:
            j += 1
    return np.array(shared, dtype=np.float64).reshape(-1, 2)
