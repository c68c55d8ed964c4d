"""Scores of what is on screen, from the trials that have arrived, with what each of them means."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from mtm_core.data.conditions import available_conditions, trial_conditions
from mtm_core.data.session import Session
from mtm_core.evaluation import mask_scores
from mtm_core.evaluation.mask_scores import (
    CONTROL,
    DRIFT,
    PSTH,
    TEMPORAL,
    PredictorScore,
    Rivals,
    Rows,
    ScoredTrials,
    SingleUnitScore,
    UnitGains,
    score_gains,
)
from mtm_core.evaluation.paired_change import PairedChange
from mtm_core.models.answers import Reconstruction
from mtm_viewer.presenters.condition_words import FIELD_TITLES, level_words
from mtm_viewer.presenters.scores import NO_GROUPS, ScoreLine
from mtm_viewer.presenters.workspace import Workspace

_EXPLANATIONS = {
    "MtM": "The model on screen, given the visible entries of each trial.",
    TEMPORAL: "A model trained by hiding time bins only, under the same mask.",
    CONTROL: "The same model, given the visible activity of another trial of the same condition: "
    "what remains is not read from this trial's neurons.",
    PSTH: "Each unit's mean response over all training trials, whatever the "
    "condition. It sees no neuron.",
    DRIFT: "PSTH times the unit's own rate in neighbouring training trials. It sees no other "
    "unit.",
}

_COMPARED = "What the model is compared with, in the panel Compare, on the same entries."
_ALONE = (
    "Each row has its own spikes and its own interval; where intervals overlap, rows are not "
    "shown to differ."
)


def scored_trials(workspace: Workspace) -> ScoredTrials:
    """Return the session and the trials of a workspace, as scores take them."""
    return ScoredTrials(
        session=workspace.session,
        train=workspace.train,
        val=workspace.val,
        shown=workspace.test,
        folds=workspace.folds,
    )


def fit_rivals(workspace: Workspace) -> Rivals:
    """Fit mean rates, PSTHs and drift on the training trials of a session."""
    return mask_scores.fit_rivals(scored_trials(workspace))


def score_answers(
    workspace: Workspace,
    model: Reconstruction,
    others: dict[str, Reconstruction | None],
    rivals: Rivals,
) -> tuple[tuple[ScoreLine, ...], UnitGains]:
    """Score the trials that are done.

    Parameters
    ----------
    workspace : Workspace
        Session and trials.
    model : Reconstruction
        Of the model on screen.
    others : dict of str to Reconstruction or None
        Further answers by name; None and those without a trial are left out.
    rivals : Rivals
        Null models and predictors without a network.

    Returns
    -------
    tuple of ScoreLine
        The model first.
    UnitGains
        The parts of the model's score, per trial and unit.
    """
    name = "MtM" if workspace.model is None else workspace.model.kind
    answers = [(name, model), *others.items()]
    scores, gains = mask_scores.score_answers(scored_trials(workspace), answers, rivals)
    return tuple(map(_line, scores)), gains


def unit_score(gains: UnitGains | None, unit: int) -> SingleUnitScore | None:
    """Score a single unit; None where it was not scored."""
    return None if gains is None else mask_scores.unit_score(gains, unit)


def opponent_line(change: PairedChange) -> ScoreLine:
    """Return the score of what the model is compared with."""
    return ScoreLine(**dataclasses.asdict(change.other), explanation=_COMPARED)


def score_groupings(session: Session) -> Mapping[str, str]:
    """Name what rows of scores can stand for: predictions, or trials by a field of theirs."""
    known = available_conditions(session)
    by_field = {
        field: f"By {title[:1].lower()}{title[1:]}"
        for field, title in FIELD_TITLES.items()
        if field in known
    }
    return dict(NO_GROUPS) | by_field


def lines_by_condition(
    session: Session, trials: Rows, gains: UnitGains, field: str
) -> tuple[ScoreLine, ...]:
    """Score the model in the trials of each condition of a field.

    Parameters
    ----------
    session : Session
        The recording.
    trials : ndarray of int64, shape (n_trials,)
        Rows of the trials that the gains are of, in any order.
    gains : UnitGains
        The parts of the model's score.
    field : str
        One of `FIELD_TITLES`.
    """
    conditions, trials = trial_conditions(session, (field,)), np.sort(trials)
    label = np.where(conditions.is_valid[trials], conditions.label[trials], -1)
    groups = [*enumerate(conditions.names), (-1, "unknown")]
    lines = []
    for level, name in groups:
        rows = np.flatnonzero(label == level)
        if len(rows):
            score = score_gains(level_words(name), gains, session.session_id, rows=rows)
            lines.append(_group_line(score, len(rows)))
    return tuple(lines)


def _group_line(score: PredictorScore, n_trials: int) -> ScoreLine:
    trials = f"{n_trials} trial{'s' * (n_trials != 1)}"
    line = ScoreLine(
        **dataclasses.asdict(score), explanation=f"The model on screen in {trials}. {_ALONE}"
    )
    return dataclasses.replace(line, name=f"{score.name} ({trials})")


def _line(score: PredictorScore) -> ScoreLine:
    explanation = _EXPLANATIONS.get(score.name, "A model under the same mask.")
    return ScoreLine(**dataclasses.asdict(score), explanation=explanation)
