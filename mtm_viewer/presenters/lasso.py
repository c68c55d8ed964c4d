"""Points inside an outline that a person drew."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def points_inside(
    path: Sequence[tuple[float, float]], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Tell which points lie inside a closed outline, by the even-odd rule; shape (n_points,).

    Parameters
    ----------
    path : sequence of (float, float)
        The outline; its end is joined to its start. Fewer than three places hold nothing.
    x, y : ndarray, shape (n_points,)
        The points, in the same coordinates.

    Examples
    --------
    >>> square = [(0, 0), (2, 0), (2, 2), (0, 2)]
    >>> points_inside(square, np.array([1.0, 3.0]), np.array([1.0, 1.0])).tolist()
    [True, False]
    """
    if len(path) < 3:
        return np.zeros(len(x), dtype=bool)
    x0, y0 = np.asarray(path, dtype=np.float64).T
    x1, y1 = np.roll(x0, -1), np.roll(y0, -1)
    crosses = (y0 <= y[:, None]) != (y1 <= y[:, None])
    height = np.where(y1 == y0, 1.0, y1 - y0)
    crossing = x0 + (y[:, None] - y0) / height * (x1 - x0)
    inside: NDArray[np.bool_] = (crosses & (x[:, None] < crossing)).sum(axis=1) % 2 == 1
    return inside
