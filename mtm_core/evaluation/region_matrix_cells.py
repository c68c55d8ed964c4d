"""From sums to numbers: value, interval, share of the ceiling and asymmetry of every cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from mtm_core.evaluation import metrics
from mtm_core.evaluation.region_matrix_plan import MatrixPlan
from mtm_core.evaluation.region_matrix_tally import Gains, Tally
from mtm_core.evaluation.scores import Interval

NullName = Literal["psth_by_condition", "psth_all_trials"]
NULLS: tuple[NullName, ...] = get_args(NullName)
"""What scores are gains over: the training PSTH in the trial's condition, or over all trials."""
Bools = NDArray[np.bool_]
Sums = tuple[NDArray[np.float64], NDArray[np.float64]]
"""Gain and spikes of each trial, shape (n_trials, 1) each."""


class Estimate(NamedTuple):
    """Bits per spike beyond the null, with the 95 % interval over samples of trials.

    `value` is None where nothing is known yet, or where there is no spike.
    """

    value: float | None = None
    interval: Interval = None

    @property
    def is_above_zero(self) -> bool:
        """True if the whole interval lies above 0."""
        return self.interval is not None and self.interval[0] > 0

    @property
    def spans_zero(self) -> bool:
        """True if 0 lies in the interval, or nothing is known."""
        return self.interval is None or self.interval[0] <= 0 <= self.interval[1]


@dataclass(frozen=True, kw_only=True)
class SourceCell:
    """What one predictor makes of a cell.

    Parameters
    ----------
    score : Estimate
        Bits per spike beyond the null, pooled over units and draws.
    share : float or None
        The score divided by the column's ceiling over the same draws; None unless that ceiling's
        whole interval lies above 0.
    asymmetry : Estimate
        The score minus that of the transposed cell, over the draws that both have.
    n_draws : int
        Draws that are done.
    draw_spread : float or None
        Standard deviation of the score over draws; None for fewer than two.
    """

    score: Estimate
    share: float | None
    asymmetry: Estimate
    n_draws: int
    draw_spread: float | None


@dataclass(frozen=True, kw_only=True)
class MatrixCell:
    """How well one region is predicted from another alone.

    Parameters
    ----------
    row, column : str
        The region that is visible, and the one that is scored.
    n_spikes : int
        Scored spikes of the draws that are done.
    model, regression : SourceCell
        The model's numbers, and those of the rival in the same cell.
    difference : Estimate
        Model minus regression, over the draws that both have.
    untrained_reason : str or None
        Why the model was not trained for this mask; None if it was.
    """

    row: str
    column: str
    n_spikes: int
    model: SourceCell
    regression: SourceCell
    difference: Estimate
    untrained_reason: str | None


@dataclass(frozen=True, kw_only=True)
class ColumnFacts:
    """What is known of a region as a target, whatever is visible.

    Parameters
    ----------
    region : str
        The region.
    n_units : int
        Units that it has.
    n_spikes : int
        Scored spikes of the units that stand for it, over all draws.
    ceiling, regression_ceiling : Estimate
        Score in view of everything outside the region.
    floor : Estimate
        Score of the training PSTH over all trials, which sees no neuron and does not know the
        condition: what a row that tells nothing comes to. 0 where that is the null.
    """

    region: str
    n_units: int
    n_spikes: int
    ceiling: Estimate
    regression_ceiling: Estimate
    floor: Estimate


def read_cells(
    plan: MatrixPlan,
    tally: Tally,
    weights: NDArray[np.float64],
    reasons: Mapping[tuple[str, str], str | None],
    null: NullName = "psth_by_condition",
) -> dict[tuple[str, str], MatrixCell]:
    """Return all cells by (row, column), those of which nothing is known yet included.

    Parameters
    ----------
    plan : MatrixPlan
        Regions.
    tally : Tally
        The sums so far.
    weights : ndarray, shape (n_samples, n_trials)
        Samples of trials, see `metrics.bootstrap_weights`.
    reasons : mapping of (str, str) to (str or None)
        For each cell why the model was not trained for it.
    null : str
        One of `NULLS`.
    """
    judge = _Judge(tally, weights, null)
    return {
        (plan.regions[row], plan.regions[column]): judge.cell(
            row, column, plan, reasons[plan.regions[row], plan.regions[column]]
        )
        for row, column in pairs(plan.n_regions)
    }


def read_columns(
    plan: MatrixPlan,
    tally: Tally,
    weights: NDArray[np.float64],
    null: NullName = "psth_by_condition",
) -> dict[str, ColumnFacts]:
    """Return ceiling and floor of every region; see `read_cells`."""
    judge = _Judge(tally, weights, null)
    every = np.ones(tally.spikes.shape[1], dtype=bool)
    facts = {}
    for column, region in enumerate(plan.regions):
        facts[region] = ColumnFacts(
            region=region,
            n_units=plan.sizes[region],
            n_spikes=int(tally.spikes[column].sum()),
            ceiling=judge.ceiling(tally.model, column, every),
            regression_ceiling=judge.ceiling(tally.regression, column, every),
            floor=judge.score(tally.floor[column], column, every),
        )
    return facts


def pairs(n_regions: int) -> Iterator[tuple[int, int]]:
    """Yield all (row, column) off the diagonal, row by row."""
    for row in range(n_regions):
        for column in range(n_regions):
            if row != column:
                yield row, column


@dataclass(frozen=True, eq=False)
class _Judge:
    tally: Tally
    weights: NDArray[np.float64]
    null: NullName

    def over_null(self, gain: NDArray[np.float64], column: int) -> NDArray[np.float64]:
        """Turn a column's gains over the PSTH by condition into those over the null."""
        return gain if self.null == "psth_by_condition" else gain - self.tally.floor[column]

    def sums(self, gain: NDArray[np.float64], column: int, draws: Bools) -> Sums:
        """Sum gains (n_draws, n_trials) and a region's spikes over some draws."""
        spikes = self.tally.spikes[column][draws]
        return gain[draws].sum(axis=0)[:, None], spikes.sum(axis=0)[:, None]

    def estimate(self, sums: Sums) -> Estimate:
        """Return a score with its interval."""
        value = metrics.pooled_bps(*sums)
        if value is None:
            return Estimate()
        return Estimate(value, metrics.pooled_interval(*sums, self.weights))

    def score(self, gain: NDArray[np.float64], column: int, draws: Bools) -> Estimate:
        """Return the score of gains (n_draws, n_trials) over some draws."""
        return self.estimate(self.sums(self.over_null(gain, column), column, draws))

    def ceiling(self, gains: Gains, column: int, draws: Bools) -> Estimate:
        """Return the ceiling of a column over some draws."""
        if not gains.is_ceiling_done[column]:
            return Estimate()
        return self.score(gains.ceiling[column], column, draws)

    def cell(self, row: int, column: int, plan: MatrixPlan, reason: str | None) -> MatrixCell:
        """Return one cell."""
        model, regression = self.tally.model, self.tally.regression
        both = model.is_cell_done[row] & regression.is_cell_done[row]
        gain = model.cell[row, column] - regression.cell[row, column]
        done = model.is_cell_done[row]
        return MatrixCell(
            row=plan.regions[row],
            column=plan.regions[column],
            n_spikes=int(self.tally.spikes[column][done].sum()),
            model=self._of(model, row, column),
            regression=self._of(regression, row, column),
            difference=self.estimate(self.sums(gain, column, both)),
            untrained_reason=reason,
        )

    def _of(self, gains: Gains, row: int, column: int) -> SourceCell:
        draws = gains.is_cell_done[row]
        score = self.score(gains.cell[row, column], column, draws)
        ceiling = self.ceiling(gains, column, draws)
        is_shared = score.value is not None and ceiling.value and ceiling.is_above_zero
        return SourceCell(
            score=score,
            share=score.value / ceiling.value if is_shared else None,  # type: ignore[operator]
            asymmetry=self._asymmetry(gains, row, column),
            n_draws=int(draws.sum()),
            draw_spread=self._spread(gains, row, column),
        )

    def _asymmetry(self, gains: Gains, row: int, column: int) -> Estimate:
        draws = gains.is_cell_done[row] & gains.is_cell_done[column]
        here, there = (
            self.sums(self.over_null(gains.cell[a, b], b), b, draws)
            for a, b in ((row, column), (column, row))
        )
        values = metrics.pooled_bps(*here), metrics.pooled_bps(*there)
        if values[0] is None or values[1] is None:
            return Estimate()
        interval = metrics.ratio_difference_interval(here, there, self.weights)
        return Estimate(values[0] - values[1], interval)

    def _spread(self, gains: Gains, row: int, column: int) -> float | None:
        spikes = self.tally.spikes[column].sum(axis=1)
        known = gains.is_cell_done[row] & (spikes > 0)
        if known.sum() < 2:
            return None
        gain = self.over_null(gains.cell[row, column], column).sum(axis=1)
        bps = gain[known] / (spikes[known] * np.log(2))
        return float(bps.std(ddof=1))
