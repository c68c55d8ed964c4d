"""Reconstructing what was hidden."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mtm_core.api.models import ModelName, load_model
from mtm_core.data.session import Session
from mtm_core.evaluation.mask_scores import (
    PredictorScore,
    ScoredTrials,
    fit_rivals,
    score_answers,
)
from mtm_core.inference import Reconstructor
from mtm_core.masking.spec import MaskSpec, best_prompt
from mtm_core.models.answers import Reconstruction
from mtm_core.models.backend import probe_backend, use_backend
from mtm_core.models.checkpoint import Checkpoint
from mtm_core.models.session_split import split_for

Trials = Literal["test", "val", "train", "all"] | Sequence[int] | NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False, kw_only=True)
class Prediction:
    """What a model makes of some trials under a mask.

    Parameters
    ----------
    answer : Reconstruction
        Log-rates, and which entries were hidden and are scored.
    session : Session
        The recording in the model's units and bins.
    mask : MaskSpec
        What was hidden, with the prompt that the model was given.
    model : Checkpoint
        The model.
    """

    answer: Reconstruction
    session: Session
    mask: MaskSpec
    model: Checkpoint

    @property
    def trials(self) -> NDArray[np.int64]:
        """Rows of the session, shape (n_trials,)."""
        return self.answer.trials

    @property
    def rate_hz(self) -> NDArray[np.float32]:
        """Predicted rates in spikes/s, shape (n_trials, n_bins, n_units).

        Hidden entries are predictions from what was visible; others are the model's output with
        their own counts in view.
        """
        return self.answer.rate_hz()

    @property
    def counts(self) -> NDArray[np.uint8]:
        """Recorded spikes per bin of the same entries, shape (n_trials, n_bins, n_units)."""
        return self.session.counts[self.trials]

    @property
    def is_hidden(self) -> NDArray[np.bool_]:
        """What was withheld from the model, shape (n_bins, n_units)."""
        return self.answer.mask.is_hidden

    @property
    def is_scored(self) -> NDArray[np.bool_]:
        """What counts in the scores, shape (n_bins, n_units)."""
        return self.answer.mask.is_scored

    def scores(self) -> tuple[PredictorScore, ...]:
        """Return the scores of the model, then of rivals without a network, in bits per spike.

        ``bps_beyond_psth``, with its interval, is over each unit's PSTH in training trials of the
        same condition, pooled; ``bps_pooled`` and ``bps_unit_mean`` are over the mean rate.
        """
        split, _ = split_for(self.session, self.model.manifest)
        trials = ScoredTrials(
            session=self.session, train=split.train, val=split.val, shown=np.sort(self.trials)
        )
        name = self.model.manifest.config.name
        scores, _ = score_answers(trials, [(name, self.answer)], fit_rivals(trials))
        return scores


def reconstruct(
    model: Checkpoint | ModelName,
    session: Session,
    mask: MaskSpec,
    trials: Trials = "test",
    *,
    prompt: str = "auto",
) -> Prediction:
    """Hide something of a recording and let a model predict it from the rest.

    Parameters
    ----------
    model : Checkpoint or name
        The model; see `load_model`.
    session : Session
        The recording.
    mask : MaskSpec
        What to hide; see `hide`.
    trials : {"test", "val", "train", "all"} or rows
        Which trials: of the model's own split, or rows of the session.
    prompt : str
        How the model is told; ``auto`` takes what suits the mask best, ``own`` the mask's.

    Returns
    -------
    Prediction

    Raises
    ------
    MismatchError
        If model and session do not belong together.
    MaskError
        If the mask cannot be applied to the session.

    Examples
    --------
    >>> from mtm_core.api.masks import hide
    >>> from mtm_core.api.sessions import open_session
    >>> session = open_session("steinmetz2019_s12")
    >>> predicted = reconstruct("demo", session, hide(region="DG"), trials=range(8))
    >>> predicted.rate_hz.shape, int(predicted.is_hidden.any(axis=0).sum())
    ((8, 40, 698), 65)
    >>> predicted.mask.prompt
    'inter_region'
    """
    found = model if isinstance(model, Checkpoint) else load_model(model, session)
    bound = Reconstructor(found, session)
    with use_backend(probe_backend("cpu")):
        spec = _with_prompt(mask, bound, prompt)
        answer = bound.complete(spec, _rows(trials, bound))
    return Prediction(answer=answer, session=bound.session, mask=spec, model=found)


def _with_prompt(mask: MaskSpec, bound: Reconstructor, prompt: str) -> MaskSpec:
    if prompt == "own":
        return mask
    if prompt != "auto":
        return mask.with_prompt(prompt)
    schemes = bound.checkpoint.manifest.config.masking.schemes
    rates = bound.train_rate_hz() if mask.needs_rates else None
    return mask.with_prompt(best_prompt(mask, bound.session, schemes, rates))


def _rows(trials: Trials, bound: Reconstructor) -> NDArray[np.int64]:
    if not isinstance(trials, str):
        return np.asarray(trials, dtype=np.int64)
    if trials == "all":
        return np.arange(bound.session.n_trials)
    split, _ = split_for(bound.session, bound.checkpoint.manifest)
    return {"test": split.test, "val": split.val, "train": split.train}[trials]
