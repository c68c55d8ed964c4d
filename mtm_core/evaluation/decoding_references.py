"""What a target's score is to be held against: the commoner class, the stimulus, the time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.evaluation.decoding_features import Cut
from mtm_core.evaluation.decoding_scores import (
    Score,
    score_classes,
    score_signal,
    signal_errors,
)
from mtm_core.evaluation.decoding_search import Decoder
from mtm_core.evaluation.decoding_targets import Target, signed_contrast
from mtm_core.evaluation.decoding_trials import DecodingTrials
from mtm_core.seeding import numpy_generator

References = dict[str, dict[str, Score]]


def decode_references(
    session: Session, target: Target, cut: Cut, trials: DecodingTrials, seed: int
) -> References:
    """Score what needs no neuron.

    Returns
    -------
    dict of str to dict of str to Score
        For two classes the ``commoner class`` of the fitted trials; the same logistic decoder on
        the ``stimulus`` (each signed contrast a feature), unless the stimulus is the target; and
        on the ``time of the cut`` where features end at another time in each trial. For a signal
        the ``average trace`` of the fitted trials.
    """
    rng = numpy_generator(seed, "decoding references", target.name)
    if target.is_signal:
        return {"average trace": _average_trace(target, trials, rng)}
    is_true = target.values[trials.test] > 0
    is_common = np.full(len(is_true), target.values[trials.fit].mean() > 0.5)
    found = {"commoner class": score_classes(is_true, is_common, rng)}
    for name, columns in _covariates(session, target, cut).items():
        features = columns[:, None, :]
        is_kept = np.ones((session.n_trials, 1), dtype=bool)
        answer = Decoder(features, is_kept, trials).decode_classes(
            target.values[None].astype(np.int64)
        )
        found[name] = score_classes(is_true, answer.log_odds[0] > 0, rng)
    return found


def _average_trace(
    target: Target, trials: DecodingTrials, rng: np.random.Generator
) -> dict[str, Score]:
    signal = target.values.astype(np.float64)
    average = signal[trials.fit].mean(axis=0)
    test = signal[trials.test]
    return score_signal(signal_errors(test, np.broadcast_to(average, test.shape), average), rng)


def _covariates(session: Session, target: Target, cut: Cut) -> dict[str, NDArray[np.float64]]:
    found: dict[str, NDArray[np.float64]] = {}
    contrast = signed_contrast(session)
    if contrast is not None and target.name != "contrast_side":
        value = np.round(contrast.values.astype(np.float64), 6)
        levels = np.unique(value)
        if len(levels) > 1:
            found["stimulus"] = (value[:, None] == levels).astype(np.float64)
    n_kept = cut.is_kept.sum(axis=1).astype(np.float64)
    if np.ptp(n_kept) > 0:
        found["time of the cut"] = np.column_stack([n_kept, n_kept**2])
    return found
