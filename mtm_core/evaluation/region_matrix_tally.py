"""The growing sums behind a matrix: gains over the PSTH, per trial, summed over units.

Bits per spike are ratios of sums over units, draws and trials, so these sums are all that a cell's
value, its interval and every comparison of two cells need.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

SourceName = Literal["model", "regression"]
SOURCES: tuple[SourceName, ...] = get_args(SourceName)
"""Who predicts."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Gains:
    """Sums of one predictor, in nats; entries that are not done are 0.

    Parameters
    ----------
    cell : ndarray of float64, shape (n_regions, n_regions, n_draws, n_trials)
        Log-likelihood of the column's units in view of the row's alone, minus that of the PSTH by
        condition.
    is_cell_done : ndarray of bool, shape (n_regions, n_draws)
        Rows, draw by draw: a row is computed as a whole.
    ceiling : ndarray of float64, shape (n_regions, n_draws, n_trials)
        The same for the column's units in view of everything outside the column's region.
    is_ceiling_done : ndarray of bool, shape (n_regions,)
        Columns.
    """

    cell: NDArray[np.float64]
    is_cell_done: NDArray[np.bool_]
    ceiling: NDArray[np.float64]
    is_ceiling_done: NDArray[np.bool_]

    @classmethod
    def empty(cls, n_regions: int, n_draws: int, n_trials: int) -> Gains:
        """Return sums of which nothing is done."""
        return cls(
            cell=np.zeros((n_regions, n_regions, n_draws, n_trials)),
            is_cell_done=np.zeros((n_regions, n_draws), dtype=bool),
            ceiling=np.zeros((n_regions, n_draws, n_trials)),
            is_ceiling_done=np.zeros(n_regions, dtype=bool),
        )

    def copy(self) -> Gains:
        """Return sums of their own, which do not grow with these."""
        return Gains(
            cell=self.cell.copy(),
            is_cell_done=self.is_cell_done.copy(),
            ceiling=self.ceiling.copy(),
            is_ceiling_done=self.is_ceiling_done.copy(),
        )


@dataclass(frozen=True, eq=False, kw_only=True)
class Tally:
    """The sums of a matrix.

    Parameters
    ----------
    model, regression : Gains
        Who predicts.
    floor : ndarray of float64, shape (n_regions, n_draws, n_trials)
        Gain of each unit's training PSTH over all trials, which sees neither neurons nor the
        condition, over the PSTH by condition.
    spikes : ndarray of float64, shape (n_regions, n_draws, n_trials)
        Scored spikes of each region's units.
    """

    model: Gains
    regression: Gains
    floor: NDArray[np.float64]
    spikes: NDArray[np.float64]

    def of(self, source: SourceName) -> Gains:
        """Return the sums of one predictor."""
        return self.model if source == "model" else self.regression

    def copy(self) -> Tally:
        """Return sums of their own, which do not grow with these."""
        return Tally(
            model=self.model.copy(),
            regression=self.regression.copy(),
            floor=self.floor,
            spikes=self.spikes,
        )
