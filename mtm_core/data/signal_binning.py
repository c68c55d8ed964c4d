"""Behaviour in bins: signals sampled once per bin, events counted, and which trials are valid."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.raw import ProbeSpikes, Signal
from mtm_core.data.session import Behavior
from mtm_core.data.spike_binning import count_spikes

SampleAt = Literal["centre", "right_edge"]

_HOLE_BINS = 2
_HOLE_SAMPLES = 5
"""Samples further apart than two bins, and than five samples usually are, leave a hole."""
_ENOUGH = 10_000
"""How many steps tell how far apart samples usually are."""


def sample_signal(
    signal: Signal, edges: NDArray[np.float64], sample_at: SampleAt = "centre"
) -> Behavior:
    """Sample a signal once in each bin, by linear interpolation between its own samples.

    A window is valid where the signal covers it: the first and the last sample inside lie no
    further than one bin from the window's start and end (or one usual step of the signal, where
    that is longer), no sample in it is NaN, and samples do not leave a hole.

    Parameters
    ----------
    signal : Signal
        Samples at their own times.
    edges : ndarray of float64, shape (n_windows, n_bins + 1)
        Edges of the bins, as `spike_binning.bin_edges` makes them.
    sample_at : {"centre", "right_edge"}
        Where in a bin.

    Returns
    -------
    Behavior
        Values of shape (n_windows, n_bins), 0 in windows that are not valid.

    Examples
    --------
    >>> ramp = Signal(times_s=np.arange(5.0), values=10 * np.arange(5.0))
    >>> sample_signal(ramp, np.array([[1.0, 2.0, 3.0], [3.0, 4.0, 5.0], [4.0, 5.0, 6.0]]))
    Behavior(values=array([[15., 25.],
           [35., 40.],
           [ 0.,  0.]], dtype=float32), is_valid=array([ True,  True, False]))
    """
    times, values = signal.times_s, signal.values
    if not len(times):
        return _absent(edges)
    points = edges[:, 1:] if sample_at == "right_edge" else (edges[:, 1:] + edges[:, :-1]) / 2
    sampled = np.interp(points.reshape(-1), times, values).reshape(points.shape)
    is_valid = _is_covered(times, values, edges) & np.isfinite(sampled).all(axis=1)
    return Behavior(
        values=np.where(is_valid[:, None], sampled, 0).astype(np.float32), is_valid=is_valid
    )


def count_events(times_s: NDArray[np.float64], edges: NDArray[np.float64]) -> Behavior:
    """Count events (licks) in each bin; every window is valid, since no event is an answer too.

    Parameters
    ----------
    times_s : ndarray of float64, shape (n_events,)
        When they happened, rising.
    edges : ndarray of float64, shape (n_windows, n_bins + 1)
        Edges of the bins.
    """
    clusters = np.zeros(len(times_s), dtype=np.int64)
    events = ProbeSpikes(probe="events", times_s=times_s, clusters=clusters)
    counts = count_spikes([events], edges, np.zeros(1, dtype=np.int64), 1)
    return Behavior(values=counts[:, :, 0].astype(np.float32), is_valid=np.ones(len(edges), bool))


def _is_covered(
    times: NDArray[np.float64], values: NDArray[np.float64], edges: NDArray[np.float64]
) -> NDArray[np.bool_]:
    start, end = edges[:, 0], edges[:, -1]
    bin_size = float((end[0] - start[0]) / (edges.shape[1] - 1)) if len(edges) else 0.0
    steps = np.diff(times)
    usual = float(np.median(steps[:: 1 + len(steps) // _ENOUGH])) if len(steps) else 0.0
    reach = max(bin_size, usual) * (1 + 1e-6)
    first = np.searchsorted(times, start, side="left")
    after = np.searchsorted(times, end, side="right")
    last = np.maximum(after - 1, 0)
    is_near = times[np.minimum(first, len(times) - 1)] - start <= reach
    is_near &= end - times[last] <= reach
    hole = max(_HOLE_BINS * bin_size, _HOLE_SAMPLES * usual)
    has_nan = _any_between(~np.isfinite(values), first, after)
    has_hole = _any_between(steps > hole, first, last)
    covered: NDArray[np.bool_] = (after > first) & is_near & ~has_nan & ~has_hole
    return covered


def _any_between(
    is_true: NDArray[np.bool_], start: NDArray[np.int64], stop: NDArray[np.int64]
) -> NDArray[np.bool_]:
    """Tell for each pair of places whether any is true from the one up to the other."""
    places = np.flatnonzero(is_true)
    found: NDArray[np.bool_] = np.searchsorted(places, stop) > np.searchsorted(places, start)
    return found


def _absent(edges: NDArray[np.float64]) -> Behavior:
    n_windows, n_edges = edges.shape
    values = np.zeros((n_windows, n_edges - 1), dtype=np.float32)
    return Behavior(values=values, is_valid=np.zeros(n_windows, dtype=bool))
