"""Which regions may be drawn or asked for as targets.

Units of `root`, of `void` and without a region are hidden and visible like others, but by default
they are never a target: these are not areas but the lack of one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.regions import UNNAMED_REGIONS


def region_sizes(region: NDArray[np.str_]) -> dict[str, int]:
    """Count the units of each region, by name.

    Examples
    --------
    >>> region_sizes(np.array(["DG", "CA1", "DG"]))
    {'CA1': 1, 'DG': 2}
    """
    names, sizes = np.unique(region, return_counts=True)
    return {str(name): int(size) for name, size in zip(names, sizes, strict=True)}


def target_regions(
    region: NDArray[np.str_], min_units: int, *, with_unnamed: bool = False
) -> tuple[str, ...]:
    """Return the regions that are large enough to be a target, by name.

    Parameters
    ----------
    region : ndarray of str, shape (n_units,)
        Region of each unit.
    min_units : int
        Smallest number of units.
    with_unnamed : bool
        Allow `root`, `void` and units without a region too.

    Examples
    --------
    >>> target_regions(np.array(["DG", "CA1", "DG", "root", "root"]), 2)
    ('DG',)
    """
    return tuple(
        name
        for name, size in region_sizes(region).items()
        if size >= min_units and (with_unnamed or name not in (*UNNAMED_REGIONS, ""))
    )
