"""A decoder with its search: the penalty is chosen in folds of the fitted trials, then refitted.

The same search is made for every target that is given, real or drawn by chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.evaluation.decoding_fit import (
    LOGISTIC_C,
    RANKS,
    RIDGE_ALPHA,
    cut_rank,
    fit_logistic,
    fit_ridge,
    main_directions,
    project,
    reduced_errors,
)
from mtm_core.evaluation.decoding_trials import DecodingTrials, Rows
from mtm_core.one_blas_thread import on_one_blas_thread

Array = NDArray[np.float64]
Chosen = dict[str, float | int]


@dataclass(frozen=True, eq=False, kw_only=True)
class ClassAnswer:
    """What a logistic decoder says of the test trials.

    Parameters
    ----------
    log_odds : ndarray, shape (n_targets, n_test)
        Log-odds of class 1.
    chosen : tuple of dict
        The penalty that was chosen for each target.
    """

    log_odds: Array
    chosen: tuple[Chosen, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class SignalAnswer:
    """What a decoder says of a signal in the test trials.

    Parameters
    ----------
    predicted : ndarray, shape (n_test, n_bins)
        The signal.
    chosen : dict
        The penalty that was chosen, and the rank.
    """

    predicted: Array
    chosen: Chosen


class Decoder:
    """Features of one kind, ready to decode any target from.

    Parameters
    ----------
    features : ndarray, shape (n_trials, n_bins, n_dims)
        Features of every trial of the session.
    is_kept : ndarray of bool, shape (n_trials, n_bins)
        Bins that may be used.
    trials : DecodingTrials
        Trials to fit to and to test on.
    """

    @on_one_blas_thread
    def __init__(
        self, features: NDArray[Any], is_kept: NDArray[np.bool_], trials: DecodingTrials
    ) -> None:
        self.trials = trials
        self._folds = [project(features, is_kept, *fold) for fold in trials.folds]
        self._whole = project(features, is_kept, trials.fit, trials.test)

    @property
    def n_features(self) -> int:
        """Features that vary over the fitted trials."""
        return self._whole.n_features

    @on_one_blas_thread
    def decode_classes(self, labels: NDArray[np.int64]) -> ClassAnswer:
        """Fit logistic regressions, C by the likelihood of the folds' checked trials.

        Parameters
        ----------
        labels : ndarray of 0 and 1, shape (n_targets, n_trials)
            Of every trial of the session; those of test trials are not looked at.
        """
        loss = np.zeros((len(LOGISTIC_C), len(labels)))
        for where, (fit, check) in zip(self._folds, self.trials.folds, strict=True):
            odds = fit_logistic(where, labels[:, fit].T.astype(np.float64))
            sign = 1.0 - 2.0 * labels[:, check].T
            loss += np.logaddexp(0.0, sign * odds).sum(axis=1)
        best = loss.argmin(axis=0)
        odds = fit_logistic(self._whole, labels[:, self.trials.fit].T.astype(np.float64))
        return ClassAnswer(
            log_odds=odds[best, :, np.arange(len(labels))],
            chosen=tuple({"C": LOGISTIC_C[i]} for i in best),
        )

    @on_one_blas_thread
    def decode_signal(self, signal: Array) -> dict[str, SignalAnswer]:
        """Fit ridge and reduced-rank regressions to whole traces, settings by squared error.

        Parameters
        ----------
        signal : ndarray, shape (n_trials, n_bins)
            Of every trial of the session; that of test trials is not looked at.

        Returns
        -------
        dict of str to SignalAnswer
            Of ``ridge`` and ``reduced_rank``.
        """
        full = np.zeros(len(RIDGE_ALPHA))
        reduced = np.zeros((len(RIDGE_ALPHA), len(RANKS)))
        for where, (fit, check) in zip(self._folds, self.trials.folds, strict=True):
            predicted, mean = fit_ridge(where, signal[fit]), signal[fit].mean(axis=0)
            full += ((predicted - signal[check]) ** 2).sum(axis=(1, 2))
            directions = main_directions(where, signal[fit])
            reduced += reduced_errors(predicted, directions, mean, signal[check])
        best = int(full.argmin())
        alpha, rank = (int(i) for i in np.unravel_index(reduced.argmin(), reduced.shape))
        known = signal[self.trials.fit]
        predicted = fit_ridge(self._whole, known)
        directions = main_directions(self._whole, known)[alpha]
        cut = cut_rank(predicted[alpha], directions, known.mean(axis=0), RANKS[rank])
        return {
            "ridge": SignalAnswer(predicted=predicted[best], chosen={"alpha": RIDGE_ALPHA[best]}),
            "reduced_rank": SignalAnswer(
                predicted=cut, chosen={"alpha": RIDGE_ALPHA[alpha], "rank": RANKS[rank]}
            ),
        }


def is_at_edge(chosen: Chosen) -> bool:
    """Say whether a chosen penalty is the first or last of its grid."""
    edges = {"C": (LOGISTIC_C[0], LOGISTIC_C[-1]), "alpha": (RIDGE_ALPHA[0], RIDGE_ALPHA[-1])}
    return any(chosen.get(name) in ends for name, ends in edges.items())


def has_both_classes(labels: NDArray[np.int64], trials: DecodingTrials) -> NDArray[np.bool_]:
    """Say for which of many targets (n_targets, n_trials) all parts hold both classes."""
    parts: list[Rows] = [trials.fit, trials.test, *(fit for fit, _ in trials.folds)]
    shares = np.stack([labels[:, rows].mean(axis=1) for rows in parts])
    return np.asarray(((shares > 0) & (shares < 1)).all(axis=0))
