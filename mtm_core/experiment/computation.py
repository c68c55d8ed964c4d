"""Computing the numbers of an experiment anew, the way the window does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.errors import ExperimentError
from mtm_core.evaluation.mask_answers import (
    control_donors,
    in_units_of,
    kind_words,
    mask_for,
    mixed_order,
)
from mtm_core.evaluation.mask_scores import (
    CONTROL,
    TEMPORAL,
    ScoredTrials,
    UnitGains,
    fit_rivals,
    score_answers,
    unit_score,
)
from mtm_core.experiment.finding import Places, find_checkpoint, find_session
from mtm_core.experiment.record import Experiment, Numbers, UnitNumbers
from mtm_core.inference import Reconstructor
from mtm_core.masking.spec import MaskSpec
from mtm_core.models.answers import Reconstruction
from mtm_core.models.session_split import split_for

OnTrials = Callable[[int], object]
"""Told how many trials were answered since it was last told."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Bound:
    """An experiment with the session and the models that it was made with.

    Parameters
    ----------
    experiment : Experiment
        What was done.
    mask : MaskSpec
        What was hidden.
    model : Reconstructor
        The model bound to the session.
    baseline : Reconstructor or None
        The temporal baseline likewise.
    trials : ScoredTrials
        The session in the model's units and bins, with its trials.
    """

    experiment: Experiment
    mask: MaskSpec
    model: Reconstructor
    baseline: Reconstructor | None
    trials: ScoredTrials

    @property
    def session(self) -> Session:
        """The session in the model's units and bins."""
        return self.trials.session

    @property
    def n_answers(self) -> int:
        """Trials that will be answered, by all models together: what `OnTrials` counts."""
        n_models = 1 + (self.baseline is not None) + self.has_control
        return n_models * len(self.trials.shown)

    @property
    def has_control(self) -> bool:
        """Whether the shuffle control is among the numbers."""
        return any(score.name == CONTROL for score in self.experiment.numbers.predictors)


@dataclass(frozen=True, eq=False, kw_only=True)
class Outcome:
    """What came out.

    Parameters
    ----------
    numbers : Numbers
        The scores.
    gains : UnitGains
        What they are made of, unit by unit.
    model : Reconstruction
        The model's answer.
    baseline : Reconstruction or None
        The temporal baseline's, with units in the model's order.
    """

    numbers: Numbers
    gains: UnitGains
    model: Reconstruction
    baseline: Reconstruction | None


def bind_experiment(experiment: Experiment, where: Places, *, device: str = "cpu") -> Bound:
    """Find what an experiment was made with and bring it together.

    Raises
    ------
    ExperimentError
        If session or model are not here or have changed, or nothing was hidden.
    MtmError
        If they cannot be read, or do not fit.
    """
    if experiment.model is None or experiment.mask is None:
        msg = (
            "This experiment shows a recording without a model's reconstruction, so that there "
            "is nothing to compute. Open it in mtm-viewer."
        )
        raise ExperimentError(msg)
    recording, _ = find_session(experiment, where)
    session_id = recording.session_id
    own = find_checkpoint(experiment.model, session_id, where, where.model, device=device)
    baseline = None
    if experiment.baseline is not None:
        rival = find_checkpoint(
            experiment.baseline,
            session_id,
            where,
            where.baseline,
            device=device,
            flag="--baseline CKPT",
        )
        baseline = Reconstructor(rival, recording, allow_overlap=True, device=device)
    model = Reconstructor(own, recording, allow_overlap=True, device=device)
    parts, _ = split_for(model.session, own.manifest)
    shown = _rows(experiment, model.session)
    trials = ScoredTrials(session=model.session, train=parts.train, val=parts.val, shown=shown)
    return Bound(
        experiment=experiment, mask=experiment.mask, model=model, baseline=baseline, trials=trials
    )


def compute(bound: Bound, on_trials: OnTrials | None = None) -> Outcome:
    """Reconstruct and score as the window does.

    Parameters
    ----------
    bound : Bound
        The experiment.
    on_trials : callable, optional
        See `OnTrials`.

    Raises
    ------
    MaskError
        If the mask does not fit the session.
    """
    tell = on_trials or (lambda _: None)
    seed, session, shown = bound.experiment.seed, bound.session, bound.trials.shown
    order = mixed_order(session.session_id, shown, seed)
    own = _answer(bound.model, bound.mask, order, None, tell)
    rival, control = None, None
    if bound.baseline is not None:
        found = _answer(bound.baseline, bound.mask, order, None, tell)
        rival = in_units_of(found, bound.baseline.session, session)
    if bound.has_control:
        donors = control_donors(session, shown, order, seed)
        control = _answer(bound.model, bound.mask, order, donors, tell)
    name = kind_words(_schemes(bound.model))
    answers = [(name, own), (TEMPORAL, rival), (CONTROL, control)]
    scores, gains = score_answers(bound.trials, answers, fit_rivals(bound.trials), seed=seed)
    numbers = Numbers(predictors=scores, unit=_unit_numbers(bound, gains))
    return Outcome(numbers=numbers, gains=gains, model=own, baseline=rival)


def _answer(
    model: Reconstructor,
    mask: MaskSpec,
    order: NDArray[np.int64],
    donors: NDArray[np.int64] | None,
    tell: OnTrials,
) -> Reconstruction:
    n_before = 0
    spec = mask_for(_schemes(model), mask)
    for answer in model.reconstruct(spec, order, visible_from=donors):
        tell(answer.n_done - n_before)
        n_before = answer.n_done
    return answer


def _schemes(model: Reconstructor) -> tuple[str, ...]:
    return model.checkpoint.manifest.config.masking.schemes


def _unit_numbers(bound: Bound, gains: UnitGains) -> UnitNumbers | None:
    saved = bound.experiment.numbers.unit
    if saved is None:
        return None
    column = np.flatnonzero(bound.session.unit_id == saved.unit_id)
    if not len(column):
        return None
    score = unit_score(gains, int(column[0]), bound.experiment.seed)
    return None if score is None else UnitNumbers(unit_id=saved.unit_id, score=score)


def _rows(experiment: Experiment, session: Session) -> NDArray[np.int64]:
    rows = np.array(experiment.trials.rows, dtype=np.int64)
    if rows[-1] >= session.n_trials:
        msg = (
            f"The experiment shows trial {rows[-1]}, and its session has only {session.n_trials}. "
            "The file was edited, or belongs to another session."
        )
        raise ExperimentError(msg)
    return rows
