"""Train, validation and test trials of one session.

Every split depends on the session id, the number of trials and the settings only, so that it is
the same on every machine and after re-binning.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtm_core.config import DataConfig
from mtm_core.data.session import Session
from mtm_core.errors import ConfigError
from mtm_core.seeding import numpy_generator

Rows = NDArray[np.int64]

_TRAIN, _VAL, _TEST, _DROPPED = range(4)


@dataclass(frozen=True, eq=False, kw_only=True)
class Split:
    """Rows of the trials of each part, each sorted; no trial is in two parts.

    Parameters
    ----------
    train, val, test : ndarray of int64
        Rows of the session's trials.
    dropped : ndarray of int64
        Rows in none of the parts: the gaps of a blocked split, and training trials beyond
        ``train_trials``.
    """

    train: Rows
    val: Rows
    test: Rows
    dropped: Rows


def split_trials(session: Session, config: DataConfig) -> Split:
    """Split the trials of a session (see `split_rows`)."""
    return split_rows(session.n_trials, session.session_id, config)


def default_training_trials(session: Session) -> Rows:
    """Return the trials that a model with default settings would be trained on.

    They give mean rates to rules where the model was trained on another session. A session too
    short to be split gives all of its trials.
    """
    try:
        return split_trials(session, DataConfig()).train
    except ConfigError:
        return np.arange(session.n_trials)


def split_rows(n_trials: int, session_id: str, config: DataConfig) -> Split:
    """Split trial rows into train, validation and test.

    Parameters
    ----------
    n_trials : int
        Number of trials.
    session_id : str
        Enters the draw, together with ``config.split_seed``.
    config : DataConfig
        ``split`` names the way. ``random``: a draw without regard to time. ``interleaved``: test
        and validation trials evenly spread over the session. ``blocked``: contiguous blocks, one
        pair (validation, test) in each of ``split_blocks`` equal stretches of the session, and
        ``split_gap`` trials between any two parts belong to neither. With ``folds`` the test part
        is fold number ``fold`` of a division of all trials. With ``train_trials``, the
        training trials beyond that number belong to no part either.

    Raises
    ------
    ConfigError
        If a part would be empty, the blocks and their gaps do not fit, or there are fewer
        training trials than asked for.
    """
    n_val = round(n_trials * config.val_fraction)
    rng = numpy_generator(config.split_seed, "split", session_id)
    if config.folds is not None:
        test = _fold(n_trials, config.folds, config, rng)
        _check_sizes(n_trials, n_val, len(test))
        part = _around(test, n_trials, n_val, config, rng)
    else:
        part = _single(n_trials, n_val, config, rng)
    if config.train_trials is not None:
        part = _thin(
            part, config.train_trials, numpy_generator(config.split_seed, "few", session_id)
        )
    train, val, test, dropped = (np.flatnonzero(part == p) for p in range(4))
    return Split(train=train, val=val, test=test, dropped=dropped)


def _single(n_trials: int, n_val: int, config: DataConfig, rng: np.random.Generator) -> Rows:
    """Draw one test part and one validation part."""
    n_test = round(n_trials * config.test_fraction)
    _check_sizes(n_trials, n_val, n_test)
    if config.split == "random":
        return _random(n_trials, n_val, n_test, rng)
    if config.split == "interleaved":
        return _interleaved(n_trials, n_val, n_test, rng)
    return _blocked(n_trials, n_val, n_test, config, rng)


def _fold(n_trials: int, n_folds: int, config: DataConfig, rng: np.random.Generator) -> Rows:
    """Return the test trials of a fold; every trial is in the test part of one fold only.

    The draw is that of all folds, so that the parts of one seed belong together.
    """
    if config.split == "random":
        return np.sort(rng.permutation(n_trials)[config.fold - 1 :: n_folds])
    if config.split == "interleaved":
        return np.arange(config.fold - 1, n_trials, n_folds)
    edges = np.concatenate([[0], _shares(n_trials, n_folds).cumsum()])
    return np.arange(edges[config.fold - 1], edges[config.fold])


def _around(
    test: Rows, n_trials: int, n_val: int, config: DataConfig, rng: np.random.Generator
) -> Rows:
    """Choose validation trials among the others; blocks have gaps around them."""
    part = np.full(n_trials, _TRAIN, dtype=np.int64)
    part[test] = _TEST
    rest = np.flatnonzero(part == _TRAIN)
    if config.split == "random":
        part[rng.permutation(rest)[:n_val]] = _VAL
        return part
    if config.split == "interleaved":
        part[rest[_evenly(len(rest), n_val, rng)]] = _VAL
        return part
    gap = config.split_gap
    after = test[-1] + 1 + gap
    start = after if after + n_val <= n_trials else test[0] - gap - n_val
    if start < 0 or len(rest) < n_val + 3 * gap + 1:
        raise ConfigError(_blocks_do_not_fit(n_trials, config.folds or 1, gap))
    part[start : start + n_val] = _VAL
    is_near = np.convolve(part != _TRAIN, np.ones(2 * gap + 1), mode="same") > 0
    part[(part == _TRAIN) & is_near] = _DROPPED
    return part


def _check_sizes(n_trials: int, n_val: int, n_test: int) -> None:
    sizes = {"train": n_trials - n_val - n_test, "validation": n_val, "test": n_test}
    for name, size in sizes.items():
        if size < 1:
            msg = (
                f"{n_trials} trials split by these shares leave zero {name} trials "
                f"({n_val} validation, {n_test} test). Change --data.val_fraction or "
                "--data.test_fraction, or take a session with more trials."
            )
            raise ConfigError(msg)


def _random(n_trials: int, n_val: int, n_test: int, rng: np.random.Generator) -> Rows:
    part = np.full(n_trials, _TRAIN, dtype=np.int64)
    order = rng.permutation(n_trials)
    part[order[:n_test]] = _TEST
    part[order[n_test : n_test + n_val]] = _VAL
    return part


def _interleaved(n_trials: int, n_val: int, n_test: int, rng: np.random.Generator) -> Rows:
    part = np.full(n_trials, _TRAIN, dtype=np.int64)
    part[_evenly(n_trials, n_test, rng)] = _TEST
    rest = np.flatnonzero(part == _TRAIN)
    part[rest[_evenly(len(rest), n_val, rng)]] = _VAL
    return part


def _evenly(n: int, n_chosen: int, rng: np.random.Generator) -> Rows:
    """Choose `n_chosen` of `n` places at equal distance, from a drawn start."""
    return np.floor((np.arange(n_chosen) + rng.random()) * n / n_chosen).astype(np.int64)


def _blocked(
    n_trials: int, n_val: int, n_test: int, config: DataConfig, rng: np.random.Generator
) -> Rows:
    """Place a validation and a test block at a drawn place in each stretch of the session."""
    n_blocks, gap = min(config.split_blocks, n_val, n_test), config.split_gap
    part = np.full(n_trials, _TRAIN, dtype=np.int64)
    edges = _shares(n_trials, n_blocks).cumsum()
    sizes = zip(
        edges,
        _shares(n_trials, n_blocks),
        _shares(n_val, n_blocks),
        _shares(n_test, n_blocks),
        strict=True,
    )
    for end, n_stretch, n_val_here, n_test_here in sizes:
        n_free = int(n_stretch - n_val_here - n_test_here - 3 * gap)
        if n_free < 1:
            raise ConfigError(_blocks_do_not_fit(n_trials, n_blocks, gap))
        start = int(end - n_stretch) + gap + int(rng.integers(n_free + 1))
        first, second = (_VAL, _TEST) if rng.random() < 0.5 else (_TEST, _VAL)
        n_first, n_second = (n_val_here, n_test_here)[:: 1 if first == _VAL else -1]
        part[start : start + n_first] = first
        part[start + n_first + gap : start + n_first + gap + n_second] = second
    is_near = np.convolve(part != _TRAIN, np.ones(2 * gap + 1), mode="same") > 0
    part[(part == _TRAIN) & is_near] = _DROPPED
    return part


def _thin(part: Rows, n_kept: int, rng: np.random.Generator) -> Rows:
    """Keep the first training trials of a drawn order; more of them keep those of fewer."""
    train = np.flatnonzero(part == _TRAIN)
    if n_kept > len(train):
        msg = (
            f"--data.train_trials is {n_kept}, but there are only {len(train)} training trials. "
            f"The nearest valid value is {len(train)}."
        )
        raise ConfigError(msg)
    thinned = part.copy()
    thinned[rng.permutation(train)[n_kept:]] = _DROPPED
    return thinned


def _shares(n: int, n_parts: int) -> Rows:
    """Divide `n` things into parts whose sizes differ by one at most."""
    return np.diff(np.arange(n_parts + 1) * n // n_parts)


def _blocks_do_not_fit(n_trials: int, n_blocks: int, gap: int) -> str:
    return (
        f"{n_blocks} blocks with gaps of {gap} trials leave nothing to train on in a session of "
        f"{n_trials} trials. Lower --data.split_blocks or --data.split_gap."
    )
