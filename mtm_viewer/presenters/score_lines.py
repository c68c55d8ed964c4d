"""Scores of what is on screen, from the trials that have arrived, with what each of them means."""

from __future__ import annotations

import dataclasses

from mtm_core.evaluation import mask_scores
from mtm_core.evaluation.mask_scores import (
    CONTROL,
    DRIFT,
    PSTH,
    TEMPORAL,
    PredictorScore,
    Rivals,
    ScoredTrials,
    UnitGains,
)
from mtm_core.models.answers import Reconstruction
from mtm_viewer.presenters.psth import UnitScore
from mtm_viewer.presenters.scores import ScoreLine
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


def unit_score(gains: UnitGains | None, unit: int) -> UnitScore | None:
    """Score a single unit; None where it was not scored."""
    found = None if gains is None else mask_scores.unit_score(gains, unit)
    return None if found is None else UnitScore(**dataclasses.asdict(found))


def _line(score: PredictorScore) -> ScoreLine:
    explanation = _EXPLANATIONS.get(score.name, "A model under the same mask.")
    return ScoreLine(**dataclasses.asdict(score), explanation=explanation)
