"""Conditions of trials: the stimulus side, the outcome, the choice, and their combinations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.errors import MissingFieldError, UnknownNameError

SIDE_NAMES = ("left > right", "right > left", "equal")


@dataclass(frozen=True, eq=False, kw_only=True)
class Conditions:
    """Which condition each trial belongs to.

    Parameters
    ----------
    label : ndarray of int64, shape (n_trials,)
        Index into `names`; 0 where `is_valid` is False.
    names : tuple of str
        The conditions that occur, readable, for example ``"left > right, rewarded"``.
    is_valid : ndarray of bool, shape (n_trials,)
        False where a needed field is absent in that trial.
    """

    label: NDArray[np.int64]
    names: tuple[str, ...]
    is_valid: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class _Factor:
    """One field as level numbers; `names[level]` says what the level is."""

    level: NDArray[np.int64]
    names: tuple[str, ...]
    is_valid: NDArray[np.bool_]


def trial_conditions(
    session: Session, by: tuple[str, ...] = ("contrast_side", "feedback")
) -> Conditions:
    """Group trials by one or more fields.

    Parameters
    ----------
    session : Session
        The recording.
    by : tuple of str
        Fields out of `CONDITION_FIELDS`. None at all puts every trial in one condition.

    Raises
    ------
    UnknownNameError
        If a field is not one of `CONDITION_FIELDS`.
    MissingFieldError
        If the session lacks what a field is made from.
    """
    factors = [_factor(session, name) for name in by]
    is_valid = np.ones(session.n_trials, dtype=bool)
    key = np.zeros(session.n_trials, dtype=np.int64)
    names = [""]
    for factor in factors:
        is_valid &= factor.is_valid
        key = key * len(factor.names) + factor.level
        names = [f"{a}, {b}" if a else b for a in names for b in factor.names]
    present = np.unique(key[is_valid])
    label = np.where(is_valid, np.searchsorted(present, key), 0).astype(np.int64)
    shown = tuple(names[k] or "all trials" for k in present.tolist())
    return Conditions(label=label, names=shown, is_valid=is_valid)


def available_conditions(session: Session) -> tuple[str, ...]:
    """Return the fields out of `CONDITION_FIELDS` that this session can be grouped by."""
    return tuple(name for name in CONDITION_FIELDS if _has(session, name))


def _has(session: Session, name: str) -> bool:
    try:
        return bool(_factor(session, name).is_valid.any())
    except MissingFieldError:
        return False


def _factor(session: Session, name: str) -> _Factor:
    if name not in _MAKERS:
        raise UnknownNameError("condition", name, _MAKERS)
    return _MAKERS[name](session)


def _contrasts(session: Session) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the contrast right minus left (an empty side counts as 0) of each trial."""
    left, right = (session.trials.column(f"contrast_{side}") for side in ("left", "right"))
    difference = right.values.astype(np.float64) - left.values.astype(np.float64)
    return difference, left.is_valid | right.is_valid


def _side(session: Session) -> _Factor:
    difference, is_valid = _contrasts(session)
    level = np.select([difference < 0, difference > 0], [0, 1], default=2).astype(np.int64)
    return _Factor(level, SIDE_NAMES, is_valid)


def _contrast(session: Session) -> _Factor:
    difference, is_valid = _contrasts(session)
    return _by_value(difference, is_valid, lambda v: f"contrast {v:+g}")


def _feedback(session: Session) -> _Factor:
    column = session.trials.column("feedback")
    is_rewarded = column.values.astype(np.int64) > 0
    level = np.where(is_rewarded, 0, 1).astype(np.int64)
    return _Factor(level, ("rewarded", "not rewarded"), column.is_valid)


def _choice(session: Session) -> _Factor:
    column = session.trials.column("choice")
    level = np.clip(1 - column.values.astype(np.int64), 0, 2)
    return _Factor(level, ("left chosen", "no choice", "right chosen"), column.is_valid)


def _block(session: Session) -> _Factor:
    column = session.trials.column("block")
    values = column.values.astype(np.float64)
    return _by_value(values, column.is_valid, lambda v: f"block {v:g} left")


def _by_value(
    values: NDArray[np.float64], is_valid: NDArray[np.bool_], name: Callable[[float], str]
) -> _Factor:
    rounded = np.round(values, 6)
    present = np.unique(rounded[is_valid])
    level = np.where(is_valid, np.searchsorted(present, rounded), 0).astype(np.int64)
    return _Factor(level, tuple(name(float(v)) for v in present), is_valid)


_MAKERS: dict[str, Callable[[Session], _Factor]] = {
    "contrast_side": _side,
    "contrast": _contrast,
    "feedback": _feedback,
    "choice": _choice,
    "block": _block,
}

CONDITION_FIELDS = tuple(_MAKERS)
"""The fields that trials can be grouped by."""
