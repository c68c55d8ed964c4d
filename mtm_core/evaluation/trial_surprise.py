"""How surprising each trial is to a model: what the single-trial views sort by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from mtm_core.data.session import Session
from mtm_core.evaluation.metrics import UnitValues
from mtm_core.evaluation.unit_facts import Answered

Rows = NDArray[np.int64]
REACTIONS = {
    "first_movement_s": "first movement",
    "response_s": "response",
    "feedback_s": "feedback",
}
"""Fields of the trial table that reaction times are taken from, the best first."""
_STIMULUS = "stim_on_s"
_SMALLEST_RATE_HZ = 1e-9


@dataclass(frozen=True, eq=False, kw_only=True)
class TrialSurprise:
    """What a model makes of each trial, over the scored entries; arrays (n_trials,).

    Parameters
    ----------
    trials : ndarray of int64
        Rows of the session, sorted.
    nats_per_bin : ndarray
        Negative log-likelihood of the counts, Poisson with its constant, per scored entry (one
        unit in one bin).
    bps : UnitValues
        Bits per spike beyond the training PSTH; a trial without a scored spike has none.
    n_spikes : ndarray of int64
        Scored spikes.
    n_entries : int
        Scored entries of a trial.
    """

    trials: Rows
    nats_per_bin: NDArray[np.float64]
    bps: UnitValues
    n_spikes: Rows
    n_entries: int


@dataclass(frozen=True, eq=False, kw_only=True)
class ReactionTimes:
    """When the animal reacted, by trial of the session.

    Parameters
    ----------
    seconds : ndarray, shape (n_trials,)
        After stimulus onset where that is known, else after the event trials are aligned to; 0
        where not `is_valid`.
    is_valid : ndarray of bool, shape (n_trials,)
        Trials in which it is known.
    words : str
        What it is, for example ``"first movement after stimulus onset"``.
    """

    seconds: NDArray[np.float64]
    is_valid: NDArray[np.bool_]
    words: str


def trial_surprise(answer: Answered) -> TrialSurprise:
    """Score every trial that has an answer; a model that foretells it well is not surprised."""
    n_entries = int(answer.weight.sum())
    likelihood = [_log_likelihood(answer, place) for place in range(len(answer.trials))]
    nats = -np.array(likelihood) / max(1, n_entries)
    gain, spikes = answer.gains.gain.sum(axis=1), answer.gains.spikes.sum(axis=1)
    is_valid = spikes > 0
    bps = np.where(is_valid, gain / (np.where(is_valid, spikes, 1) * np.log(2)), 0.0)
    return TrialSurprise(
        trials=answer.trials,
        nats_per_bin=nats,
        bps=UnitValues(bps, is_valid),
        n_spikes=spikes.astype(np.int64),
        n_entries=n_entries,
    )


def _log_likelihood(answer: Answered, place: int) -> float:
    """Return the Poisson log-likelihood of one trial's scored entries, with its constant."""
    counts = answer.scored_counts(answer.trials[[place]])[0].astype(np.float64)
    expected = answer.rate_hz[place].take(answer.units, axis=1).astype(np.float64)
    expected = np.maximum(expected, _SMALLEST_RATE_HZ) * answer.session.bin_size_s
    likelihood = counts * np.log(expected) - expected - gammaln(counts + 1)
    return float((likelihood * answer.weight).sum())


def reaction_times(session: Session) -> ReactionTimes | None:
    """Return when the animal reacted; None where the session has no such field."""
    columns = session.trials.columns
    field = next((name for name in REACTIONS if _is_known(session, name)), None)
    if field is None:
        return None
    late = columns[field].values.astype(np.float64)  # after the event trials are aligned to
    is_valid, event = columns[field].is_valid.copy(), session.provenance.align_event
    if _is_known(session, _STIMULUS):
        late, event = late - columns[_STIMULUS].values.astype(np.float64), "stimulus onset"
        is_valid &= columns[_STIMULUS].is_valid
    after = np.where(is_valid, late, 0.0)
    return ReactionTimes(
        seconds=after, is_valid=is_valid, words=f"{REACTIONS[field]} after {event}"
    )


def _is_known(session: Session, field: str) -> bool:
    column = session.trials.columns.get(field)
    return column is not None and bool(column.is_valid.any())
