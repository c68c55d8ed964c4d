"""What can be decoded: choice, contrast side, reward, block, and every signal of a session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.data.table import Column
from mtm_core.errors import DataError, MissingFieldError, UnknownNameError

TRIAL_TARGETS = ("choice", "contrast_side", "reward", "block")
"""Targets with two classes, one per trial; signals are known by their own names."""
ALIASES = {"feedback": "reward"}
BLOCKS = (0.2, 0.8)
"""Probabilities of a stimulus on the left in the two biased blocks."""

_FIELDS = {
    "choice": ("choice",),
    "contrast_side": ("contrast_left", "contrast_right"),
    "reward": ("feedback",),
    "block": ("block",),
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Target:
    """What a decoder is to tell, for every trial of a session.

    Parameters
    ----------
    name : str
        Its name.
    values : ndarray, shape (n_trials,) of int64 or (n_trials, n_bins) of float64
        0 or 1 for the two classes, or a signal; 0 where not valid.
    is_valid : ndarray of bool, shape (n_trials,)
        Trials in which it is known and of use.
    classes : tuple of str
        Names of the two classes; empty for a signal.
    left_out : tuple of (str, int)
        Why trials are not valid, and how many.
    warnings : tuple of str
        Sentences to be minded.
    """

    name: str
    values: NDArray[np.int64] | NDArray[np.float64]
    is_valid: NDArray[np.bool_]
    classes: tuple[str, ...] = ()
    left_out: tuple[tuple[str, int], ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def is_signal(self) -> bool:
        """True for a signal, False for two classes."""
        return not self.classes


def available_targets(session: Session) -> tuple[str, ...]:
    """Return the targets that a session has fields or signals for."""
    has = [name for name in TRIAL_TARGETS if all(map(session.trials.has, _FIELDS[name]))]
    return (*has, *session.behaviors)


def find_target(session: Session, name: str) -> Target:
    """Return a target by its name.

    Raises
    ------
    UnknownNameError
        If nothing is called so.
    MissingFieldError
        If this session does not have it; the text says which it has.
    DataError
        If it has the choice only where that equals the stimulus side.
    """
    name = ALIASES.get(name, name)
    if name in session.behaviors:
        return _signal(session, name)
    if name in TRIAL_TARGETS:
        if name not in available_targets(session):
            raise MissingFieldError(_not_there(session, name))
        return _MAKERS[name](session)
    if name in _SIGNALS:
        raise MissingFieldError(_not_there(session, name))
    raise UnknownNameError("target", name, {*TRIAL_TARGETS, *_SIGNALS, *session.behaviors})


def signed_contrast(session: Session) -> Column | None:
    """Return contrast right minus left of each trial; None where it was not recorded."""
    if not all(map(session.trials.has, _FIELDS["contrast_side"])):
        return None
    left, right = map(session.trials.column, _FIELDS["contrast_side"])
    difference = right.values.astype(np.float64) - left.values.astype(np.float64)
    is_valid = left.is_valid | right.is_valid
    return Column(np.where(is_valid, difference, 0.0), is_valid)


_SIGNALS = ("whisker_motion_energy", "wheel_speed", "wheel_velocity", "licks")


def _not_there(session: Session, name: str) -> str:
    known = ", ".join(available_targets(session)) or "nothing that could be decoded"
    return f"This session has no {name.replace('_', ' ')}. It has: {known}."


def _signal(session: Session, name: str) -> Target:
    behavior = session.behaviors[name]
    n_missing = int((~behavior.is_valid).sum())
    return Target(
        name=name,
        values=behavior.values.astype(np.float64),
        is_valid=behavior.is_valid,
        left_out=_counted(("signal not recorded", n_missing)),
    )


def _choice(session: Session) -> Target:
    column = session.trials.column("choice")
    values = column.values.astype(np.float64)
    is_valid = column.is_valid & (values != 0)
    return Target(
        name="choice",
        values=np.where(is_valid, values < 0, 0).astype(np.int64),
        is_valid=is_valid,
        classes=("left", "right"),
        left_out=_counted(
            ("choice unknown", int((~column.is_valid).sum())),
            ("no-go", int((column.is_valid & (values == 0)).sum())),
        ),
        warnings=_check_choice(session, values, is_valid),
    )


def _check_choice(
    session: Session, choice: NDArray[np.float64], is_valid: NDArray[np.bool_]
) -> tuple[str, ...]:
    """Refuse a choice that is nothing but the stimulus side; mind one known by its outcome."""
    contrast = signed_contrast(session)
    if contrast is not None and is_valid.any():
        agrees = np.sign(contrast.values.astype(np.float64)) == -np.sign(choice)
        if (agrees & contrast.is_valid)[is_valid].all():
            msg = (
                f"In all {int(is_valid.sum())} trials of known choice this session's choice is "
                "the side of the stimulus, so a decoder of it would be one of the stimulus. "
                "(A choice inferred from reward is known in rewarded trials only.) "
                "Decode contrast_side instead."
            )
            raise DataError(msg)
    if not session.trials.has("feedback"):
        return ()
    feedback = session.trials.column("feedback")
    is_error = feedback.is_valid & (feedback.values.astype(np.float64) < 0)
    if not is_error.any() or (is_error & is_valid).any():
        return ()
    return (
        "The choice is known in none of the unrewarded trials: decoding it may be decoding the "
        "stimulus or the reward.",
    )


def _contrast_side(session: Session) -> Target:
    contrast = signed_contrast(session)
    assert contrast is not None, "the fields were looked for"  # noqa: S101 - for the type checker
    values = contrast.values.astype(np.float64)
    is_valid = contrast.is_valid & (values != 0)
    n_equal = int((contrast.is_valid & (values == 0)).sum())
    return Target(
        name="contrast_side",
        values=(is_valid & (values > 0)).astype(np.int64),
        is_valid=is_valid,
        classes=("left", "right"),
        left_out=_counted(
            ("contrast unknown", int((~contrast.is_valid).sum())), ("equal contrasts", n_equal)
        ),
    )


def _reward(session: Session) -> Target:
    column = session.trials.column("feedback")
    is_valid = column.is_valid
    return Target(
        name="reward",
        values=(is_valid & (column.values.astype(np.float64) > 0)).astype(np.int64),
        is_valid=is_valid,
        classes=("not rewarded", "rewarded"),
        left_out=_counted(("outcome unknown", int((~is_valid).sum()))),
    )


def _block(session: Session) -> Target:
    column = session.trials.column("block")
    values = column.values.astype(np.float64)
    is_valid = column.is_valid & np.isclose(values[:, None], BLOCKS, atol=1e-3).any(axis=1)
    return Target(
        name="block",
        values=(is_valid & (values > 0.5)).astype(np.int64),
        is_valid=is_valid,
        classes=("right block", "left block"),
        left_out=_counted(
            ("block unknown", int((~column.is_valid).sum())),
            ("neither of the biased blocks", int((column.is_valid & ~is_valid).sum())),
        ),
    )


def _counted(*reasons: tuple[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple((why, n) for why, n in reasons if n)


_MAKERS: dict[str, Callable[[Session], Target]] = {
    "choice": _choice,
    "contrast_side": _contrast_side,
    "reward": _reward,
    "block": _block,
}
