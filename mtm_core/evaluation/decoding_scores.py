"""Scores of decoders: accuracy, balanced accuracy, R2, with intervals over test trials."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Labels = NDArray[np.bool_]

N_SAMPLES = 1000
"""Samples of trials behind an interval."""

METRICS = {False: ("accuracy", "balanced_accuracy"), True: ("r2", "r2_beyond_average")}
"""Names of the scores: of classes (False) and of signals (True)."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Score:
    """One score.

    Parameters
    ----------
    value : float
        The score on the test trials.
    interval : (float, float) or None
        The middle 95 % over samples of test trials drawn with replacement.
    """

    value: float
    interval: tuple[float, float] | None


def class_scores(is_true: Labels, is_predicted: Labels) -> Array:
    """Return accuracy and balanced accuracy of predictions, shape (2, ...).

    Parameters
    ----------
    is_true, is_predicted : ndarray of bool, shape (..., n_trials)
        Whether a trial is of class 1. Balanced accuracy is the mean over the two classes of the
        share that is found; NaN where one class is not there.
    """
    is_right = is_true == is_predicted
    shares = []
    for is_class in (is_true, ~is_true):
        n = is_class.sum(axis=-1)
        found = (is_right & is_class).sum(axis=-1)
        shares.append(np.where(n > 0, found / np.maximum(n, 1), np.nan))
    return np.stack([is_right.mean(axis=-1), np.mean(shares, axis=0)])


def signal_errors(signal: Array, predicted: Array, average: Array) -> Array:
    """Return sums of squares per trial, from which `signal_scores` makes scores.

    Parameters
    ----------
    signal, predicted : ndarray, shape (n_trials, n_bins)
        The truth, and what was predicted.
    average : ndarray, shape (n_bins,)
        The average trace over the trials that the decoder was fitted to.

    Returns
    -------
    ndarray, shape (4, n_trials)
        Squares of the errors, of the distance from the average trace, of the signal, and its sum
        over the root of the number of bins.
    """
    return np.stack(
        [
            ((signal - predicted) ** 2).sum(axis=1),
            ((signal - average) ** 2).sum(axis=1),
            (signal**2).sum(axis=1),
            signal.sum(axis=1) / np.sqrt(signal.shape[1]),
        ]
    )


def signal_scores(errors: Array) -> Array:
    """Return R2 and R2 beyond the average trace, shape (2, ...).

    Parameters
    ----------
    errors : ndarray, shape (4, ..., n_trials)
        See `signal_errors`. R2 is pooled over trials and bins, and its null is the mean of the
        scored trials, as published; beyond the average, the null is the average trace.
    """
    error, from_average, squares, sums = errors
    n = errors.shape[-1]
    spread = squares.sum(axis=-1) - sums.sum(axis=-1) ** 2 / n
    found: Array = np.stack(
        [1 - error.sum(axis=-1) / spread, 1 - error.sum(axis=-1) / from_average.sum(axis=-1)]
    )
    return found


def score_classes(
    is_true: Labels, is_predicted: Labels, rng: np.random.Generator
) -> dict[str, Score]:
    """Return accuracy and balanced accuracy with their intervals."""
    drawn = rng.integers(len(is_true), size=(N_SAMPLES, len(is_true)))
    samples = class_scores(is_true[drawn], is_predicted[drawn])
    return _named(False, class_scores(is_true, is_predicted), samples)


def score_signal(errors: Array, rng: np.random.Generator) -> dict[str, Score]:
    """Return both R2 with their intervals."""
    n = errors.shape[-1]
    drawn = rng.integers(n, size=(N_SAMPLES, n))
    with np.errstate(divide="ignore", invalid="ignore"):
        samples = signal_scores(errors[:, drawn])
    return _named(True, signal_scores(errors), samples)


def _named(is_signal: bool, values: Array, samples: Array) -> dict[str, Score]:
    scores = {}
    for name, value, sample in zip(METRICS[is_signal], values, samples, strict=True):
        known = sample[np.isfinite(sample)]
        interval = None
        if len(known) >= N_SAMPLES // 2:
            low, high = np.percentile(known, [2.5, 97.5])
            interval = (float(low), float(high))
        scores[name] = Score(value=float(value), interval=interval)
    return scores
