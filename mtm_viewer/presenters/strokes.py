"""From a path of the pointer over a raster to entries: the brush and the lasso, without Qt.

Places are (bin, row), in entries: ``(2.5, 0.5)`` is the middle of the third bin of the first row.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Place = tuple[float, float]
Cells = NDArray[np.bool_]

_STEP = 0.5
"""Longest way between two dabs of the brush, as a share of its radius and of an entry."""


def brush_cells(
    path: Sequence[Place], radius_bins: float, radius_rows: float, shape: tuple[int, int]
) -> Cells:
    """Say which entries a brush covers on its way.

    Parameters
    ----------
    path : sequence of (float, float)
        Where the pointer was, in this order.
    radius_bins, radius_rows : float
        Half of the brush's width and height; it is an ellipse. However small, it covers the
        entry under the pointer.
    shape : (int, int)
        Rows and bins of the raster.

    Returns
    -------
    ndarray of bool, shape (n_rows, n_bins)

    Examples
    --------
    >>> brush_cells([(0.5, 0.5), (2.5, 0.5)], 0.1, 0.1, (2, 4)).astype(int)
    array([[1, 1, 1, 0],
           [0, 0, 0, 0]])
    """
    covered = np.zeros(shape, dtype=bool)
    for place in _dabs(path, max(radius_bins, 0.5), max(radius_rows, 0.5)):
        _dab(covered, place, radius_bins, radius_rows)
    return covered


def lasso_cells(path: Sequence[Place], shape: tuple[int, int]) -> Cells:
    """Say which entries have their middle inside a closed outline.

    Where the outline crosses itself, what it goes round twice is outside (the even-odd rule).

    Parameters
    ----------
    path : sequence of (float, float)
        The outline; its end is joined to its start.
    shape : (int, int)
        Rows and bins of the raster.

    Returns
    -------
    ndarray of bool, shape (n_rows, n_bins)

    Examples
    --------
    >>> lasso_cells([(0, 0), (3, 0), (3, 1), (0, 1)], (2, 4)).astype(int)
    array([[1, 1, 1, 0],
           [0, 0, 0, 0]])
    """
    n_rows, n_bins = shape
    if len(path) < 3:
        return np.zeros(shape, dtype=bool)
    x0, y0 = np.asarray(path, dtype=np.float64).T
    x1, y1 = np.roll(x0, -1), np.roll(y0, -1)
    middle = np.arange(n_rows)[:, None] + 0.5
    # Each row of middles is crossed by some edges; between two crossings lies the inside.
    row, edge = np.nonzero((y0 <= middle) != (y1 <= middle))
    share = (middle[row, 0] - y0[edge]) / (y1[edge] - y0[edge])
    crossing = x0[edge] + share * (x1[edge] - x0[edge])
    first = np.clip(np.ceil(crossing - 0.5), 0, n_bins).astype(np.int64)
    toggles = np.zeros((n_rows, n_bins + 1), dtype=np.int64)
    np.add.at(toggles, (row, first), 1)
    inside: Cells = toggles[:, :-1].cumsum(axis=1) % 2 == 1
    return inside


def _dabs(path: Sequence[Place], radius_bins: float, radius_rows: float) -> NDArray[np.float64]:
    """Return places along a path, close enough that no entry on the way is left out."""
    points = np.asarray(path, dtype=np.float64).reshape(-1, 2)
    dabs = [points[:1]]
    for start, stop in itertools.pairwise(points):
        way = np.abs(stop - start) / (radius_bins, radius_rows)
        n_steps = max(1, int(np.ceil(way.max() / _STEP)))
        share = np.arange(1, n_steps + 1)[:, None] / n_steps
        dabs.append(start + share * (stop - start))
    return np.concatenate(dabs)


def _dab(
    covered: Cells, place: NDArray[np.float64], radius_bins: float, radius_rows: float
) -> None:
    """Cover an ellipse around a place; `covered` belongs to the caller, who gathers dabs."""
    n_rows, n_bins = covered.shape
    x, y = place
    bins = slice(max(0, int(x - radius_bins)), max(0, int(np.ceil(x + radius_bins)) + 1))
    rows = slice(max(0, int(y - radius_rows)), max(0, int(np.ceil(y + radius_rows)) + 1))
    part = covered[rows, bins]
    height, width = part.shape
    dx = (np.arange(width) + bins.start + 0.5 - x) / max(radius_bins, 1e-9)
    dy = (np.arange(height) + rows.start + 0.5 - y) / max(radius_rows, 1e-9)
    part |= dx**2 + dy[:, None] ** 2 <= 1
    if 0 <= x < n_bins and 0 <= y < n_rows:
        covered[int(y), int(x)] = True
