"""A small answer to a mask, made by hand: what the tests of units and trials look at."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mtm_core.data.session import Session
from mtm_core.evaluation.mask_scores import ScoredTrials, fit_rivals, score_answers
from mtm_core.evaluation.unit_facts import Answered
from mtm_core.masking.spec import ResolvedMask
from mtm_core.models.answers import Reconstruction
from tests.core.sessions import make_session

TRAIN, SHOWN = np.arange(0, 30), np.arange(30, 60)


def make_answered(
    session: Session | None = None,
    *,
    rate: np.ndarray | None = None,
    scored: tuple[int, ...] = (0, 1, 2, 3),
    bins: slice = slice(None),
    one_at_a_time: bool = False,
) -> Answered:
    """Answer a mask that hides and scores some bins of some units, by default with 20 Hz."""
    session = session or make_session(n_trials=60, n_units=12)
    entries = np.zeros(session.counts.shape[1:], dtype=bool)
    entries[bins, list(scored)] = True
    is_hidden = np.zeros_like(entries) if one_at_a_time else entries
    mask = ResolvedMask(
        is_hidden=is_hidden, is_scored=entries, one_at_a_time=one_at_a_time, prompt="neuron"
    )
    shape = (len(SHOWN), *session.counts.shape[1:])
    rate = np.broadcast_to(np.full(shape, 0.2) if rate is None else rate, shape)
    every = np.ones(len(SHOWN), dtype=bool)
    answer = Reconstruction(
        trials=SHOWN,
        log_rate=np.log(rate).astype(np.float32),
        is_done=every,
        is_exact=every,
        mask=mask,
        bin_size_s=session.bin_size_s,
    )
    trials = ScoredTrials(session=session, train=TRAIN, val=TRAIN[:5], shown=SHOWN)
    _, gains = score_answers(trials, [("model", answer)], fit_rivals(trials))
    return Answered(
        session=session,
        train=TRAIN,
        trials=SHOWN,
        rate_hz=rate / session.bin_size_s,
        mask=mask,
        gains=gains,
    )


def with_counts(session: Session, unit: int, counts: np.ndarray) -> Session:
    """Give a unit other counts, (n_trials, n_bins) or what broadcasts to it."""
    changed = session.counts.copy()
    changed[:, :, unit] = counts
    return replace(session, counts=changed)
