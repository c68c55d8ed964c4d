"""Which trials a decoder is fitted to and tested on, and the folds of its search.

Trials whose windows overlap share spikes and signals: they are never on two sides of a fold, and
those that overlap a test trial are left out of the fit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtm_core.config import DataConfig
from mtm_core.data.session import Session
from mtm_core.errors import DataError
from mtm_core.evaluation.decoding_targets import Target

N_FOLDS = 4
"""Folds of the search for a regularisation."""
MIN_FIT = 4 * N_FOLDS
"""Fewest trials to fit to."""
MIN_TEST = 4
"""Fewest trials to test on."""
MIN_CLASS_FIT = 2 * N_FOLDS
"""Fewest trials of each class to fit to."""
MIN_CLASS_TEST = 2
"""Fewest trials of each class to test on."""

Rows = NDArray[np.int64]
Fold = tuple[Rows, Rows]
"""Rows to fit to, and rows to check on."""


@dataclass(frozen=True, eq=False, kw_only=True)
class DecodingTrials:
    """Trials of a decoder.

    Parameters
    ----------
    fit, test : ndarray of int64
        Rows of the session's trials, sorted.
    folds : tuple of Fold
        Divisions of `fit`.
    n_overlapping : int
        Trials that were left out of `fit` since their windows overlap that of a test trial.
    """

    fit: Rows
    test: Rows
    folds: tuple[Fold, ...]
    n_overlapping: int


def choose_decoding_trials(
    session: Session,
    target: Target,
    fit: Rows,
    test: Rows,
    config: DataConfig,
    rng: np.random.Generator,
) -> DecodingTrials:
    """Choose trials for a target.

    Parameters
    ----------
    session : Session
        The recording.
    target : Target
        Trials in which it is not valid are left out.
    fit, test : ndarray of int64
        Rows to choose from.
    config : DataConfig
        How the trials were split: the folds follow the same way.
    rng : numpy.random.Generator
        Draws the folds of a random split.

    Raises
    ------
    DataError
        If there are too few trials, or too few of one class.
    """
    fit, test = (np.sort(rows[target.is_valid[rows]]) for rows in (fit, test))
    is_overlapping = overlaps(session, fit, test)
    fit = fit[~is_overlapping]
    _check_numbers(target, fit, test)
    folds = make_folds(fit, window_groups(session, fit), config, rng)
    _check_folds(target, folds)
    return DecodingTrials(fit=fit, test=test, folds=folds, n_overlapping=int(is_overlapping.sum()))


def overlaps(session: Session, rows: Rows, others: Rows) -> NDArray[np.bool_]:
    """Say which trials have a window that overlaps that of one of the others."""
    align = session.trials.values("align_s").astype(np.float64)
    apart = np.abs(align[rows][:, None] - align[others])
    return np.asarray((apart < _window_s(session)).any(axis=1))


def window_groups(session: Session, rows: Rows) -> Rows:
    """Give trials numbers so that those whose windows form a chain of overlaps share a number."""
    align = session.trials.values("align_s").astype(np.float64)[rows]
    order = np.argsort(align, kind="stable")
    starts_anew = np.diff(align[order]) >= _window_s(session)
    groups = np.zeros(len(rows), dtype=np.int64)
    groups[order[1:]] = np.cumsum(starts_anew)
    return groups


def make_folds(
    rows: Rows, groups: Rows, config: DataConfig, rng: np.random.Generator
) -> tuple[Fold, ...]:
    """Divide trials into folds in the way of the split; a group is never torn apart.

    Random: groups are drawn. Interleaved: they are dealt out in turn. Blocked: folds are
    contiguous, and trials within ``split_gap`` of a fold are not fitted to when it is checked.

    Raises
    ------
    DataError
        If there are fewer groups than folds.
    """
    names, first = np.unique(groups, return_index=True)
    names = names[np.argsort(first)]  # in the order of trials
    if len(names) < N_FOLDS:
        msg = (
            f"{len(rows)} trials in {len(names)} groups of overlapping windows cannot be divided "
            f"into {N_FOLDS} folds. Take a shorter window, or a session with more trials."
        )
        raise DataError(msg)
    if config.split == "random":
        names = rng.permutation(names)
    place = np.empty(names.max() + 1, dtype=np.int64)
    place[names] = np.arange(len(names))
    dealt = place % N_FOLDS if config.split == "interleaved" else place * N_FOLDS // len(names)
    fold = dealt[groups]
    gap = config.split_gap if config.split == "blocked" else 0
    return tuple(_fold(rows, fold == k, gap) for k in range(N_FOLDS))


def _fold(rows: Rows, is_check: NDArray[np.bool_], gap: int) -> Fold:
    check = rows[is_check]
    is_near = (np.abs(rows[:, None] - check) <= gap).any(axis=1)
    return rows[~is_check & ~is_near], check


def _window_s(session: Session) -> float:
    """Length of a trial's window; a hair less, so that windows that touch do not overlap."""
    return session.n_bins * session.bin_size_s - 1e-6


def _check_numbers(target: Target, fit: Rows, test: Rows) -> None:
    for rows, least, what in ((fit, MIN_FIT, "fit it to"), (test, MIN_TEST, "test it on")):
        if len(rows) < least:
            msg = (
                f"{_words(target)} cannot be decoded: there are {len(rows)} trials to {what}, and "
                f"at least {least} are needed. Take a session with more trials."
            )
            raise DataError(msg)
    if target.is_signal:
        _check_moves(target, fit, test)
        return
    for rows, least, what in (
        (fit, MIN_CLASS_FIT, "to fit to"),
        (test, MIN_CLASS_TEST, "to test"),
    ):
        sizes = np.bincount(target.values[rows].astype(np.int64), minlength=2)
        if sizes.min() < least:
            msg = (
                f"{_words(target)} cannot be decoded: of the {len(rows)} trials {what} "
                f"{sizes.min()} are '{target.classes[int(sizes.argmin())]}', and at least {least} "
                "are needed. Take another target or session."
            )
            raise DataError(msg)


def _check_moves(target: Target, fit: Rows, test: Rows) -> None:
    for rows in (fit, test):
        if np.ptp(target.values[rows]) == 0:
            msg = f"{_words(target)} cannot be decoded: it never changes in these trials."
            raise DataError(msg)


def _check_folds(target: Target, folds: tuple[Fold, ...]) -> None:
    for fit, check in folds:
        is_poor = len(check) == 0 or len(fit) < 2 * N_FOLDS
        if is_poor or (not target.is_signal and len(np.unique(target.values[fit])) < 2):
            msg = (
                f"{_words(target)} cannot be decoded: {N_FOLDS} folds of these trials leave one "
                "with too few trials, or with one class alone. Take a session with more trials."
            )
            raise DataError(msg)


def _words(target: Target) -> str:
    words = target.name.replace("_", " ")
    return words[:1].upper() + words[1:]
