"""The pieces of work that a matrix is filled by, their order, and how long they take."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from mtm_core.evaluation.region_matrix_plan import MatrixPlan
from mtm_core.evaluation.region_matrix_tally import SOURCES, Gains, SourceName, Tally

StepKind = Literal["row", "ceiling"]

_GUESSED_COST = {
    ("model", "row"): 1.0,
    ("model", "ceiling"): 1.0,
    ("regression", "first row"): 4.0,
    ("regression", "row"): 0.5,
    ("regression", "ceiling"): 30.0,
}
"""Cost of a step against a row of the model, before one of its kind was timed. With the first draw
of a row the regression chooses its settings, which takes longer."""


@dataclass(frozen=True, kw_only=True)
class MatrixStep:
    """A piece of work.

    Parameters
    ----------
    source : {"model", "regression"}
        Who predicts.
    kind : {"row", "ceiling"}
        All columns from one row's units, or one column from everything else.
    region : int
        The row, or the column of a ceiling.
    draw : int
        Which draw of units; a ceiling serves all draws.
    """

    source: SourceName
    kind: StepKind
    region: int
    draw: int = 0

    @property
    def cost_kind(self) -> tuple[str, str]:
        """Steps of one kind take about the same time."""
        is_first = self.source == "regression" and self.kind == "row" and self.draw == 0
        return self.source, "first row" if is_first else self.kind

    def is_done(self, tally: Tally) -> bool:
        """Tell whether it is done already."""
        gains = tally.of(self.source)
        if self.kind == "ceiling":
            return bool(gains.is_ceiling_done[self.region])
        return bool(gains.is_cell_done[self.region, self.draw])

    def cells(self, regions: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """Name the cells (row, column) whose numbers it makes new."""
        here = regions[self.region]
        others = [name for name in regions if name != here]
        if self.kind == "row":
            return tuple((here, column) for column in others)
        return tuple((row, here) for row in others)


@dataclass(frozen=True, kw_only=True)
class MatrixProgress:
    """A finished step.

    Parameters
    ----------
    step : MatrixStep
        What was done.
    cells : tuple of (str, str)
        Cells (row, column) whose numbers are new.
    n_done, n_steps : int
        Steps that are done, those of earlier calls included, and steps of the whole matrix.
    seconds_left : float
        Estimate for the rest.
    """

    step: MatrixStep
    cells: tuple[tuple[str, str], ...]
    n_done: int
    n_steps: int
    seconds_left: float


def steps_of(plan: MatrixPlan) -> list[MatrixStep]:
    """Return all steps of a matrix in their order: the cheapest first.

    One draw of every row of the model, ceilings, the other draws, then the same of the regression
    with its costly ceilings last.
    """
    steps: list[MatrixStep] = []
    for source in SOURCES if plan.settings.with_regression else SOURCES[:1]:
        rows = [
            MatrixStep(source=source, kind="row", region=region, draw=draw)
            for draw in range(plan.settings.n_draws)
            for region in range(plan.n_regions)
        ]
        ceilings = [
            MatrixStep(source=source, kind="ceiling", region=region)
            for region in range(plan.n_regions)
        ]
        n_first = plan.n_regions if source == "model" else len(rows)
        steps += [*rows[:n_first], *ceilings, *rows[n_first:]]
    return steps


def empty_gains(plan: MatrixPlan, n_trials: int) -> Gains:
    """Return sums of a matrix of which nothing is done."""
    return Gains.empty(plan.n_regions, plan.settings.n_draws, n_trials)


@dataclass(eq=False)
class StepClock:
    """Guesses how long steps will take from those that were timed."""

    _seconds: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def add(self, step: MatrixStep, seconds: float) -> None:
        """Remember how long a step took."""
        self._seconds.setdefault(step.cost_kind, []).append(seconds)

    def estimate_s(self, steps: list[MatrixStep]) -> float:
        """Return the time that some steps will take; a kind not met yet is guessed.

        Guesses go by what the same predictor took so far, or else by what the other did.

        Examples
        --------
        >>> clock = StepClock()
        >>> row = MatrixStep(source="model", kind="row", region=0)
        >>> clock.add(row, 0.5)
        >>> clock.estimate_s([row, row])
        1.0
        """
        timed = {kind: float(np.median(found)) for kind, found in self._seconds.items()}
        return sum(self._one(step.cost_kind, timed) for step in steps)

    @staticmethod
    def _one(kind: tuple[str, str], timed: dict[tuple[str, str], float]) -> float:
        if kind in timed:
            return timed[kind]
        alike = {known: seconds for known, seconds in timed.items() if known[0] == kind[0]}
        units = [s / _GUESSED_COST[known] for known, s in (alike or timed).items()]
        return float(np.mean(units)) * _GUESSED_COST[kind] if units else 0.0
