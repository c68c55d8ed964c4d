"""Doing one step of a matrix: the model's or the regression's prediction, and its gain."""

from __future__ import annotations

import collections
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mtm_core.errors import DataError
from mtm_core.evaluation import metrics
from mtm_core.evaluation.region_matrix_plan import MatrixPlan
from mtm_core.evaluation.region_matrix_steps import MatrixStep
from mtm_core.evaluation.region_matrix_tally import Tally
from mtm_core.inference import Reconstructor
from mtm_core.masking.choice import Block, UnitChoice
from mtm_core.masking.region_level import all_others_visible
from mtm_core.masking.spec import MaskSpec
from mtm_core.models.baselines import BaselineData
from mtm_core.models.baselines_rates import psth, trial_psth
from mtm_core.models.group_regression import Choice
from mtm_core.models.source_regression import choose_settings, predict_from

ShouldStop = Callable[[], bool]
Rows = NDArray[np.int64]

CEILING_UNITS = 16
"""Units of a region on which the settings of a regression's ceiling are chosen: it is costly."""
_ALL_AT_ONCE = 256
"""Trials in the first piece: nobody waits for a picture."""


class MatrixWork:
    """Does the steps of a matrix.

    Parameters
    ----------
    bound : Reconstructor
        Model and session.
    plan : MatrixPlan
        Regions and units.
    prompt : str
        What the model is told.
    data : BaselineData
        The recording as the regression sees it.
    trials : ndarray of int64
        Rows that are scored.
    """

    def __init__(
        self,
        bound: Reconstructor,
        plan: MatrixPlan,
        prompt: str,
        data: BaselineData,
        trials: Rows,
    ) -> None:
        self._bound, self._plan, self._prompt = bound, plan, prompt
        self._data, self._trials = data, trials
        self.exam = Exam.of(data, trials)
        self._choices: dict[int, Choice] = {}

    def row_mask(self, row: int, draw: int) -> MaskSpec:
        """Return the mask of a row in a draw: only its chosen units are visible."""
        ids = self._bound.session.unit_id[self._plan.chosen[row, draw]]
        visible = Block(UnitChoice.these(ids.tolist()), invert=True)
        return MaskSpec(blocks=(visible,), prompt=self._prompt)

    def add_to(self, tally: Tally, step: MatrixStep, stop: ShouldStop) -> bool:
        """Do a step and write its sums into a tally; say whether it was done to its end."""
        units = self._targets(step)
        predict = self._ask_model if step.source == "model" else self._ask_regression
        log_rate = predict(step, units, stop)
        if log_rate is None:
            return False
        gain, plan, gains = self.exam.gain(log_rate, units), self._plan, tally.of(step.source)
        if step.kind == "row":
            others = np.delete(np.arange(plan.n_regions), step.region)
            per_region = gain.reshape(len(gain), len(others), plan.n_matched).sum(axis=2)
            gains.cell[step.region, others, step.draw] = per_region.T
            gains.is_cell_done[step.region, step.draw] = True
        else:
            of_unit = np.zeros((len(gain), self._bound.session.n_units))
            of_unit[:, units] = gain
            gains.ceiling[step.region] = sum_by_draw(of_unit, plan.chosen[[step.region]])[0]
            gains.is_ceiling_done[step.region] = True
        return True

    def _targets(self, step: MatrixStep) -> Rows:
        """Return the units to predict: region by region in a row, each once in a ceiling."""
        chosen = self._plan.chosen
        if step.kind == "ceiling":
            return np.unique(chosen[step.region])
        return np.delete(chosen[:, step.draw], step.region, axis=0).reshape(-1)

    def _ask_model(
        self, step: MatrixStep, units: Rows, stop: ShouldStop
    ) -> NDArray[np.float32] | None:
        if step.kind == "row":
            spec = self.row_mask(step.region, step.draw)
        else:
            name = self._plan.regions[step.region]
            spec = all_others_visible(self._plan.settings.level, name, self._prompt)
        pieces = self._bound.reconstruct(
            spec, self._trials, first_piece=_ALL_AT_ONCE, should_stop=stop
        )
        answers = collections.deque(pieces, maxlen=1)
        if not answers or not answers[0].is_final:
            return None
        return np.asarray(answers[0].log_rate[:, :, units])

    def _ask_regression(
        self, step: MatrixStep, units: Rows, stop: ShouldStop
    ) -> NDArray[np.float32] | None:
        choice: Choice | None
        if step.kind == "ceiling":
            inside = self._plan.members(self._plan.regions[step.region])
            sources = np.flatnonzero(~inside & ~self._bound.is_missing)
            data, targets = self._data, units
            choice = choose_settings(data, sources, targets, stop, CEILING_UNITS)
        else:
            data, sources, targets = self._small(step.region, step.draw)
            choice = self._choice(step.region, stop)
        if choice is None:
            return None
        return predict_from(data, sources, targets, choice, self._trials)

    def _choice(self, row: int, stop: ShouldStop) -> Choice | None:
        """Return a row's settings, chosen once, on its first draw; None if asked to stop."""
        if row not in self._choices:
            choice = choose_settings(*self._small(row, 0), stop)
            if choice is None:
                return None
            self._choices[row] = choice
        return self._choices[row]

    def _small(self, row: int, draw: int) -> tuple[BaselineData, Rows, Rows]:
        """Return the recording of a draw's units alone, the row's first, sources and targets."""
        chosen = self._plan.chosen[:, draw]
        units = np.concatenate([chosen[row], np.delete(chosen, row, axis=0).reshape(-1)])
        data = replace(
            self._data, counts=self._data.counts[:, :, units], region=self._data.region[units]
        )
        places = np.arange(len(units))
        return data, places[: self._plan.n_matched], places[self._plan.n_matched :]


@dataclass(frozen=True, eq=False, kw_only=True)
class Exam:
    """What predictions are compared with.

    Parameters
    ----------
    counts : ndarray, shape (n_trials, n_bins, n_units)
        Scored counts.
    spikes : ndarray, shape (n_trials, n_units)
        Their sums.
    null, floor : ndarray, shape (n_trials, n_units)
        Log-likelihood of the PSTH by condition, and what the PSTH of all trials gains over it.
    """

    counts: NDArray[np.float64]
    spikes: NDArray[np.float64]
    null: NDArray[np.float64]
    floor: NDArray[np.float64]

    @classmethod
    def of(cls, data: BaselineData, trials: Rows) -> Exam:
        """Make it from the training trials of a recording."""
        counts = data.counts[trials].astype(np.float64)
        # As exact as predictions are (float32), so that a null scores 0 over itself.
        null, plain = (
            metrics.log_likelihood(
                counts, np.broadcast_to(np.log(rate).astype(np.float32), counts.shape)
            )
            for rate in (trial_psth(data, trials), psth(data))
        )
        return cls(counts=counts, spikes=counts.sum(axis=1), null=null, floor=plain - null)

    def gain(self, log_rate: NDArray[np.float32], units: Rows) -> NDArray[np.float64]:
        """Return the gain of a prediction of some units, shape (n_trials, len(units)).

        Raises
        ------
        DataError
            If the prediction is not a number.
        """
        found = metrics.log_likelihood(self.counts[:, :, units], log_rate)
        if not np.isfinite(found).all():
            msg = "A prediction is not a finite number: the model is of no use. Train it anew."
            raise DataError(msg)
        return np.asarray(found - self.null[:, units])


def sum_by_draw(of_unit: NDArray[np.float64], chosen: Rows) -> NDArray[np.float64]:
    """Sum numbers of units over those that stand for each region.

    Parameters
    ----------
    of_unit : ndarray, shape (n_trials, n_units)
        A number of every unit.
    chosen : ndarray of int64, shape (n_regions, n_draws, n_matched)
        See `MatrixPlan`.

    Returns
    -------
    ndarray, shape (n_regions, n_draws, n_trials)
    """
    return np.moveaxis(of_unit[:, chosen].sum(axis=-1), 0, -1)
