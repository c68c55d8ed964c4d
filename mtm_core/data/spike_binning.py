"""From spike times to counts: one sorted search for all bin edges, one pass over the spikes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.binning import MAX_COUNT
from mtm_core.data.raw import ProbeSpikes
from mtm_core.errors import DataError


def bin_edges(start_s: NDArray[np.float64], n_bins: int, bin_size_s: float) -> NDArray[np.float64]:
    """Return the edges of every window's bins, each computed from the start, never by adding up.

    Parameters
    ----------
    start_s : ndarray of float64, shape (n_windows,)
        Start of each window.
    n_bins : int
        Bins of a window.
    bin_size_s : float
        Width of a bin.

    Returns
    -------
    ndarray of float64, shape (n_windows, n_bins + 1)

    Examples
    --------
    >>> bin_edges(np.array([10.0]), 2, 0.25)
    array([[10.  , 10.25, 10.5 ]])
    """
    return start_s[:, None] + bin_size_s * np.arange(n_bins + 1, dtype=np.float64)


def count_spikes(
    probes: Sequence[ProbeSpikes],
    edges: NDArray[np.float64],
    column_of_unit: NDArray[np.int64],
    n_columns: int,
) -> NDArray[np.uint8]:
    """Count the spikes of each unit in each bin of each window.

    Bin ``k`` holds the spikes from ``edges[k]`` (included) to ``edges[k + 1]`` (not included).
    Windows may overlap, and come in any order. Time and memory grow with the spikes inside
    the windows and with the size of the result; the spike arrays are neither copied nor merged.

    Parameters
    ----------
    probes : sequence of ProbeSpikes
        Spike times, rising, and clusters.
    edges : ndarray of float64, shape (n_windows, n_bins + 1)
        Rising in each window; see `bin_edges`.
    column_of_unit : ndarray of int64, shape (n_units,)
        Column of the result for each row of the unit table; -1 for units to leave out.
    n_columns : int
        Number of columns.

    Returns
    -------
    ndarray of uint8, shape (n_windows, n_bins, n_columns)

    Raises
    ------
    DataError
        If a cluster is not in the unit table, or a bin holds more than 255 spikes of a unit.

    Examples
    --------
    >>> probe = ProbeSpikes(
    ...     probe="p", times_s=np.array([0.0, 0.1, 0.1, 0.2]), clusters=np.array([0, 1, 1, 0])
    ... )
    >>> count_spikes([probe], np.array([[0.0, 0.1, 0.2]]), np.array([0, 1]), 2)
    array([[[1, 0],
            [0, 2]]], dtype=uint8)
    """
    n_windows, n_edges = edges.shape
    # One column more takes the spikes of the units that are left out.
    column = np.where(column_of_unit < 0, n_columns, column_of_unit)
    prepared = [(p.clusters, _lookup(p, column), _search(p, edges)) for p in probes]
    counts = np.empty((n_windows, n_edges - 1, n_columns), dtype=np.uint8)
    row_start = np.arange(n_edges - 1) * (n_columns + 1)
    for window in range(n_windows):
        total = np.zeros((n_edges - 1) * (n_columns + 1), dtype=np.int64)
        for clusters, lookup, bounds in prepared:
            bound = bounds[window]
            cell = np.repeat(row_start, np.diff(bound))
            cell += lookup[clusters[bound[0] : bound[-1]]]
            total += np.bincount(cell, minlength=len(total))
        kept = total.reshape(n_edges - 1, n_columns + 1)[:, :-1]
        _check_most(kept, window)
        counts[window] = kept
    return counts


def has_spikes(probes: Sequence[ProbeSpikes], n_units: int) -> NDArray[np.bool_]:
    """Tell which rows of the unit table have a spike anywhere in the recording.

    Raises
    ------
    DataError
        If a cluster is not in the unit table.
    """
    found = np.zeros(n_units, dtype=bool)
    for probe in probes:
        lookup = _lookup(probe, np.arange(n_units))
        found[lookup[_present(probe.clusters)]] = True
    return found


def _lookup(probe: ProbeSpikes, column: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the column of each cluster of a probe, checked to cover all of them."""
    own = column[probe.first_unit :]
    if not len(probe.clusters):
        return own
    low, high = int(probe.clusters.min()), int(probe.clusters.max())
    if low < 0 or high >= len(own):
        msg = (
            f"A spike of {probe.probe} belongs to cluster {low if low < 0 else high}, but the "
            f"table of units has room for 0 to {len(own) - 1} only. Spikes and clusters are not "
            "of the same sorting: download both again."
        )
        raise DataError(msg)
    return own


def _present(clusters: NDArray[np.integer]) -> NDArray[np.int64]:
    """Return the clusters that occur, a piece at a time so that nothing large is made."""
    size = 2**20
    pieces = [
        np.bincount(clusters[i : i + size].astype(np.int64, copy=False))
        for i in range(0, len(clusters), size)
    ]
    total = np.zeros(max((len(piece) for piece in pieces), default=0), dtype=np.int64)
    for piece in pieces:
        total[: len(piece)] += piece
    return np.flatnonzero(total)


def _search(probe: ProbeSpikes, edges: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the number of the first spike at or after each edge."""
    return np.searchsorted(probe.times_s, edges.reshape(-1)).reshape(edges.shape)


def _check_most(counts: NDArray[np.int64], window: int) -> None:
    if counts.size and counts.max() > MAX_COUNT:
        msg = (
            f"A bin of trial {window} holds {counts.max()} spikes of one unit; a session holds "
            f"at most {MAX_COUNT}. Choose a smaller --prepare.bin_size_s."
        )
        raise DataError(msg)
