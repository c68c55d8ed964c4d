"""What every reader asks of spike times, signals and events before it believes them.

Each function mends what can be mended and says so in a note, or refuses with a sentence.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.raw import Signal
from mtm_core.errors import DataError

LONGEST_S = 7 * 86_400.0
"""No recording lasts longer than a week: larger times are not seconds."""
_MANY = 1000
"""So many times that are all whole numbers are not seconds either."""


def clean_spikes(
    times: NDArray[Any], clusters: NDArray[Any], *, n_clusters: int, where: str
) -> tuple[NDArray[np.float64], NDArray[np.integer[Any]], tuple[str, ...]]:
    """Check the spikes of one probe; what is in order already is returned without a copy.

    Parameters
    ----------
    times : ndarray, shape (n_spikes,)
        Seconds.
    clusters : ndarray of whole numbers, shape (n_spikes,)
        Row of each spike's cluster.
    n_clusters : int
        How many rows there are.
    where : str
        Where the spikes lie, for the sentences.

    Returns
    -------
    tuple
        Rising times, clusters in the same order, and notes of what was done.

    Raises
    ------
    DataError
        If the two differ in length, the times are not seconds, or a cluster does not exist.

    Examples
    --------
    >>> times, clusters, notes = clean_spikes(
    ...     np.array([0.2, 0.1, np.nan]), np.array([1, 0, 0]), n_clusters=2, where="probe00"
    ... )
    >>> times.tolist(), clusters.tolist()
    ([0.1, 0.2], [0, 1])
    >>> notes
    ('probe00: 1 of 3 spikes left out: no time.', 'probe00: spikes put in order of time.')
    """
    _check_shapes(times, clusters, where)
    check_seconds(times, where)
    notes: list[str] = []
    times = times.astype(np.float64, copy=False)
    is_known = np.isfinite(times)
    n_lost = len(times) - int(np.count_nonzero(is_known))
    if n_lost:
        notes.append(f"{where}: {n_lost:,} of {len(times):,} spikes left out: no time.")
        times, clusters = times[is_known], clusters[is_known]
    _check_clusters(clusters, n_clusters, where)
    if not is_rising(times):
        order = np.argsort(times, kind="stable")
        times, clusters = times[order], clusters[order]
        notes.append(f"{where}: spikes put in order of time.")
    return times, clusters, tuple(notes)


def check_seconds(times: NDArray[Any], where: str) -> None:
    """Refuse times that cannot be seconds: samples of a clock, or milliseconds.

    Raises
    ------
    DataError
        If there is no number among them, the largest is beyond a week, or many are all whole.
    """
    if times.dtype.kind not in "iuf":
        msg = f"{where}: times must be numbers (seconds), not {times.dtype}."
        raise DataError(msg)
    largest = _largest(times)
    is_whole = len(times) >= _MANY and bool(np.all(times[:_MANY] == np.round(times[:_MANY])))
    if largest > LONGEST_S or is_whole:
        why = (
            f"reach {largest:,.0f}, which would be {largest / 86_400:,.0f} days"
            if largest > LONGEST_S
            else "are all whole numbers"
        )
        msg = (
            f"{where}: times {why}, so they look like samples or milliseconds, not seconds. "
            "Divide them by the sampling rate (30,000 for Neuropixels) and export them again."
        )
        raise DataError(msg)


def clean_signal(
    times: NDArray[Any], values: NDArray[Any], where: str
) -> tuple[Signal | None, tuple[str, ...]]:
    """Make a signal of samples, or say why it cannot be one.

    Where there are more times than values the first extra times are dropped, as IBL's own code
    does with cameras that started before the clock; fewer times make it unusable.

    Returns
    -------
    tuple
        The signal, or None, and notes of what was done.
    """
    notes: list[str] = []
    extra = len(times) - len(values)
    if times.ndim != 1 or values.ndim != 1 or extra < 0 or len(values) == 0:
        shape = f"{len(times):,} times for {len(values):,} values"
        return None, (f"{where} cannot be used: {shape}.",)
    if extra:
        notes.append(f"{where}: the first {extra:,} times dropped, as they have no value.")
        times = times[extra:]
    times, values = times.astype(np.float64, copy=False), values.astype(np.float64, copy=False)
    is_known = np.isfinite(times)
    if not is_known.all():
        notes.append(f"{where}: {int((~is_known).sum()):,} samples left out: no time.")
        times, values = times[is_known], values[is_known]
    if len(times) == 0 or float(times.max()) > LONGEST_S:
        return None, (f"{where} cannot be used: its times are not seconds.",)
    if not is_rising(times):
        order = np.argsort(times, kind="stable")
        times, values = times[order], values[order]
        notes.append(f"{where}: samples put in order of time.")
    return Signal(times_s=times, values=values), tuple(notes)


def clean_events(times: NDArray[Any], where: str) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Return the times of events in order, without those that are absent, and notes."""
    check_seconds(times, where)
    flat = times.reshape(-1).astype(np.float64)
    known = np.sort(flat[np.isfinite(flat)])
    n_lost = len(flat) - len(known)
    return known, ((f"{where}: {n_lost:,} events left out: no time.",) if n_lost else ())


def is_rising(times: NDArray[Any]) -> bool:
    """Tell whether no time lies before the one in front of it."""
    return len(times) < 2 or not bool(np.any(times[1:] < times[:-1]))


def _check_shapes(times: NDArray[Any], clusters: NDArray[Any], where: str) -> None:
    if times.ndim != 1 or clusters.shape != times.shape:
        msg = (
            f"{where}: there are {times.size:,} spike times but {clusters.size:,} cluster "
            "numbers. One of the two is incomplete: copy, download or export both again."
        )
        raise DataError(msg)


def _check_clusters(clusters: NDArray[Any], n_clusters: int, where: str) -> None:
    if clusters.dtype.kind not in "iu":
        msg = f"{where}: cluster numbers must be whole numbers, not {clusters.dtype}."
        raise DataError(msg)
    if not len(clusters):
        return
    for worst in (int(clusters.min()), int(clusters.max())):
        if not 0 <= worst < n_clusters:
            msg = (
                f"{where}: a spike belongs to cluster {worst}, but there are {n_clusters:,} "
                "clusters, counted from 0. Spikes and clusters come from different sortings."
            )
            raise DataError(msg)


def _largest(times: NDArray[Any]) -> float:
    largest = float(np.max(times)) if len(times) else 0.0
    if np.isfinite(largest):
        return largest
    known = times[np.isfinite(times)]
    return float(np.max(known)) if len(known) else 0.0
