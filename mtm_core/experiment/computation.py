"""Computing the numbers of an experiment anew, the way the window does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.errors import ExperimentError
from mtm_core.evaluation.contrast import score_contrast
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
from mtm_core.evaluation.opponents import (
    Contender,
    check_comparable,
    opponent_name,
    rival_of,
    short_name,
)
from mtm_core.evaluation.paired_change import PairedChange, paired_change
from mtm_core.experiment.finding import Places, find_checkpoint, find_session
from mtm_core.experiment.record import Experiment, Numbers, UnitNumbers
from mtm_core.inference import Reconstructor
from mtm_core.masking.spec import MaskSpec
from mtm_core.models.answers import Reconstruction
from mtm_core.models.baselines_masked import baselines_of
from mtm_core.models.checkpoint import Checkpoint
from mtm_core.models.session_split import folds_of, split_for

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
    contender : Contender or None
        What the model is compared with.
    """

    experiment: Experiment
    mask: MaskSpec
    model: Reconstructor
    baseline: Reconstructor | None
    trials: ScoredTrials
    contender: Contender | None = None

    @property
    def session(self) -> Session:
        """The session in the model's units and bins."""
        return self.trials.session

    @property
    def n_answers(self) -> int:
        """Trials that will be answered, by all models together: what `OnTrials` counts."""
        rivals = (self.baseline, self.contender)
        n_models = 1 + sum(rival is not None for rival in rivals) + self.has_control
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
    opponent : Reconstruction or None
        The opponent's likewise.
    change : PairedChange or None
        Model against opponent, unit by unit.
    """

    numbers: Numbers
    gains: UnitGains
    model: Reconstruction
    baseline: Reconstruction | None
    opponent: Reconstruction | None = None
    change: PairedChange | None = None


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
    opponent = own
    if experiment.opponent is not None and experiment.opponent.model is not None:
        opponent = find_checkpoint(
            experiment.opponent.model,
            session_id,
            where,
            where.opponent,
            device=device,
            flag="--with CKPT",
        )
    return bind_parts(
        experiment,
        recording=recording,
        model=Reconstructor(own, recording, allow_overlap=True, device=device),
        baseline=baseline,
        opponent=opponent,
        device=device,
    )


def bind_parts(
    experiment: Experiment,
    *,
    recording: Session,
    model: Reconstructor,
    opponent: Checkpoint,
    baseline: Reconstructor | None = None,
    device: str = "cpu",
) -> Bound:
    """Bring together what is in memory already.

    Parameters
    ----------
    experiment : Experiment
        What was done.
    recording : Session
        As it was read.
    model : Reconstructor
        The model bound to it.
    opponent : Checkpoint
        The opponent's model; the model itself where there is no other.
    baseline : Reconstructor or None
        The temporal baseline.
    device : str
        Where the opponent computes.

    Raises
    ------
    ExperimentError
        If the session has fewer trials.
    MismatchError
        If the opponent is a model of other units, bins or split.
    """
    parts, _ = split_for(model.session, model.checkpoint.manifest)
    shown = _rows(experiment, model.session)
    folds = folds_of(model.session, model.checkpoint)
    trials = ScoredTrials(
        session=model.session, train=parts.train, val=parts.val, shown=shown, folds=folds
    )
    ref, contender = experiment.opponent, None
    if ref is not None and ref.opponent.is_baseline:
        known = baselines_of(model.session, parts, folds)
        contender = Contender(opponent=ref.opponent, own=model, baselines=known)
    elif ref is not None:
        check_comparable(model.checkpoint.manifest, opponent.manifest)
        bound = rival_of(ref.opponent, opponent, recording, device=device)
        contender = Contender(opponent=ref.opponent, own=model, bound=bound)
    return Bound(
        experiment=experiment,
        mask=experiment.mask or MaskSpec(),
        model=model,
        baseline=baseline,
        trials=trials,
        contender=contender,
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
    rivals = fit_rivals(bound.trials)
    scores, gains = score_answers(bound.trials, answers, rivals, seed=seed)
    opponent, change = None, None
    if bound.contender is not None:
        opponent = _last(bound.contender.answers(bound.mask, order), tell)
        mine = short_name(bound.model.checkpoint)
        pair = (mine, own), (_opponent_name(bound), opponent)
        change = paired_change(bound.trials, rivals, *pair, seed=seed)
    field = bound.experiment.contrast
    numbers = Numbers(
        predictors=scores,
        unit=_unit_numbers(bound, gains),
        change=None if change is None else change.score,
        contrast=score_contrast(session, own, field) if field else None,
    )
    return Outcome(
        numbers=numbers,
        gains=gains,
        model=own,
        baseline=rival,
        opponent=opponent,
        change=change,
    )


def _answer(
    model: Reconstructor,
    mask: MaskSpec,
    order: NDArray[np.int64],
    donors: NDArray[np.int64] | None,
    tell: OnTrials,
) -> Reconstruction:
    spec = mask_for(_schemes(model), mask)
    return _last(model.reconstruct(spec, order, visible_from=donors), tell)


def _last(answers: Iterator[Reconstruction], tell: OnTrials) -> Reconstruction:
    n_before = 0
    for answer in answers:
        tell(answer.n_done - n_before)
        n_before = answer.n_done
    return answer


def _opponent_name(bound: Bound) -> str:
    """Name the opponent as the window does."""
    contender = bound.contender
    if contender is None or contender.bound is None:
        return "" if contender is None else opponent_name(contender.opponent, "")
    return opponent_name(contender.opponent, short_name(contender.bound.checkpoint))


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
