"""Parts of a raster as rectangles, so that a hatch over them can be drawn in a few strokes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Rectangle:
    """Rows and bins from a start up to, and without, a stop.

    Parameters
    ----------
    row_start, row_stop : int
        First row, and the row after the last.
    bin_start, bin_stop : int
        First bin, and the bin after the last.
    """

    row_start: int
    row_stop: int
    bin_start: int
    bin_stop: int


def rectangles(mask: NDArray[np.bool_]) -> tuple[Rectangle, ...]:
    """Cover the True entries of a mask by rectangles that do not overlap.

    Parameters
    ----------
    mask : ndarray of bool, shape (n_rows, n_bins)
        What to cover. Neighbouring rows that are alike share their rectangles.

    Examples
    --------
    >>> rectangles(np.array([[False, True], [False, True], [False, False]]))
    (Rectangle(row_start=0, row_stop=2, bin_start=1, bin_stop=2),)
    """
    if mask.size == 0:
        return ()
    is_new = np.any(mask[1:] != mask[:-1], axis=1)
    starts = [0, *(np.flatnonzero(is_new) + 1).tolist()]
    stops = [*starts[1:], len(mask)]
    return tuple(
        Rectangle(row_start, row_stop, bin_start, bin_stop)
        for row_start, row_stop in zip(starts, stops, strict=True)
        for bin_start, bin_stop in _runs(mask[row_start])
    )


def _runs(row: NDArray[np.bool_]) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.r_[False, row, False].astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]
