"""Whether a region-to-region matrix finds the coupling of a simulated session.

Spearman's rank correlation of the matrix with the coupling that made the spikes, over cells and
over pairs of regions, with chance by renaming regions: rows and columns of the truth are permuted
together, since cells of one region are not independent.

Prediction has no direction: what a region sends can be read from the receiver as well. So the
*pairs* (mean of a cell and its transpose, against coupling in either direction) are the fair
question; cells and asymmetry are reported beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.regions import load_regions
from mtm_core.data.simulated_truth import GroundTruth
from mtm_core.errors import DataError
from mtm_core.masking.region_level import LevelName
from mtm_core.seeding import numpy_generator

Grid = NDArray[np.float64]

N_PERMUTATIONS = 2000
"""Renamings of regions that make the chance level."""
FEWEST_REGIONS = 4
"""With fewer regions a rank correlation says nothing."""


@dataclass(frozen=True, kw_only=True)
class RankCorrelation:
    """A rank correlation, what it could be at best, and how often chance does as well.

    Parameters
    ----------
    rho : float or None
        Spearman's; None if the matrix or the truth does not vary.
    best : float or None
        The highest that a matrix without ties can reach: most pairs are not coupled at all, and
        no order among them is the right one.
    p : float or None
        Share of the renamings of regions whose correlation is as high or higher.
    n : int
        Cells or pairs.
    """

    rho: float | None
    best: float | None
    p: float | None
    n: int


@dataclass(frozen=True, kw_only=True)
class CouplingRecovery:
    """How well a matrix agrees with the coupling that made the spikes.

    Parameters
    ----------
    pairs : RankCorrelation
        Mean of a cell and its transpose against the coupling in either direction.
    cells : RankCorrelation
        Cells against what the row region sends to the column region.
    asymmetry : RankCorrelation
        Cell minus transpose against what is sent minus what is received.
    """

    pairs: RankCorrelation
    cells: RankCorrelation
    asymmetry: RankCorrelation


def recover_coupling(
    values: Grid, regions: Sequence[str], truth: GroundTruth, level: LevelName
) -> CouplingRecovery:
    """Compare a matrix with a simulation's coupling.

    Parameters
    ----------
    values : ndarray, shape (n_regions, n_regions)
        The matrix; its diagonal is not looked at.
    regions : sequence of str
        Its rows and columns.
    truth : GroundTruth
        What made the session.
    level : {"given", "beryl", "cosmos"}
        Where the names of the regions come from.

    Raises
    ------
    DataError
        If the simulation has no such regions, or there are too few.
    """
    strength = coupling_between(regions, truth, level)
    if len(regions) < FEWEST_REGIONS:
        msg = (
            f"{len(regions)} regions are too few to compare a matrix with a coupling; at least "
            f"{FEWEST_REGIONS} are needed."
        )
        raise DataError(msg)
    rng = numpy_generator(0, "renamed regions", truth.session_id)
    orders = [rng.permutation(len(regions)) for _ in range(N_PERMUTATIONS)]
    return CouplingRecovery(
        pairs=_compare(values, strength, orders, lambda m: (m + m.T)[np.triu_indices(len(m), 1)]),
        cells=_compare(values, strength, orders, lambda m: m[~np.eye(len(m), dtype=bool)]),
        asymmetry=_compare(
            values, strength, orders, lambda m: (m - m.T)[np.triu_indices(len(m), 1)]
        ),
    )


def coupling_between(regions: Sequence[str], truth: GroundTruth, level: LevelName) -> Grid:
    """Return how strongly each region drives each other one, shape (n_regions, n_regions).

    Where a region at the level holds several of the simulated ones, their couplings add up.

    Raises
    ------
    DataError
        If a region is not among the simulated ones.
    """
    strength = np.zeros((len(regions), len(regions)))
    place = {name: row for row, name in enumerate(regions)}
    rows = [place.get(name, -1) for name in _names_at(level, truth, regions)]
    unknown = [name for row, name in enumerate(regions) if row not in rows]
    if unknown:
        msg = (
            f"This truth ({truth.session_id}) knows no region {', '.join(unknown)}. Give the "
            "truth file that was written beside the simulated recording."
        )
        raise DataError(msg)
    for sender, receiver in truth.coupling.edges:
        row, column = rows[sender], rows[receiver]
        if row >= 0 and column >= 0 and row != column:
            strength[row, column] += abs(truth.coupling.strength[sender, receiver])
    return strength


def _names_at(level: LevelName, truth: GroundTruth, regions: Sequence[str]) -> list[str]:
    """Name the simulated regions as the session names them."""
    known = load_regions()
    if level == "beryl":
        return [known[name].beryl for name in truth.regions]
    if level == "cosmos":
        return [known[name].cosmos for name in truth.regions]
    # A session's "given" regions are those that it was prepared with, at whatever level.
    found = []
    for name in truth.regions:
        candidates = (name, known[name].beryl, known[name].cosmos)
        found.append(next((each for each in candidates if each in regions), name))
    return found


def _compare(
    values: Grid,
    strength: Grid,
    orders: Sequence[NDArray[np.int64]],
    entries: Callable[[Grid], NDArray[np.float64]],
) -> RankCorrelation:
    one, other = _ranks(entries(values)), _ranks(entries(strength))
    size = float(np.sqrt((one @ one) * (other @ other)))
    if size == 0:
        return RankCorrelation(rho=None, best=None, p=None, n=len(one))
    chance = np.array([one @ _ranks(entries(strength[np.ix_(o, o)])) for o in orders])
    in_order = _ranks(np.argsort(np.argsort(other, kind="stable")).astype(np.float64))
    return RankCorrelation(
        rho=float(one @ other) / size,
        best=float(in_order @ other / np.sqrt((in_order @ in_order) * (other @ other))),
        p=float(1 + (chance >= one @ other - 1e-9 * size).sum()) / (1 + len(orders)),
        n=len(one),
    )


def _ranks(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ranks around their mean; ties share theirs."""
    in_order = np.sort(values)
    first, last = (np.searchsorted(in_order, values, side) for side in ("left", "right"))
    return np.asarray((first + last - len(values)) / 2)
