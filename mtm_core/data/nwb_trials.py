"""The trial table of an IBL NWB file, of either generation of names, in our columns."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.nwb_fields import NwbTable
from mtm_core.data.table import Column, Table
from mtm_core.errors import SessionFileError

NUMBERS = {
    "start_s": ("start_time",),
    "end_s": ("stop_time",),
    "stim_off_s": ("gabor_stimulus_offset_time", "stim_off_time", "stimOff_times"),
    "stim_on_s": ("gabor_stimulus_onset_time", "stim_on_time", "stimOn_times"),
    "go_cue_s": ("auditory_cue_time", "go_cue_time", "goCue_times"),
    "first_movement_s": (
        "wheel_movement_onset_time",
        "first_movement_time",
        "firstMovement_times",
    ),
    "response_s": ("choice_registration_time", "response_time", "response_times"),
    "feedback_s": ("feedback_time", "feedback_times"),
    "block": ("probability_left", "probabilityLeft"),
    "reward_volume_ul": ("reward_volume_uL", "reward_volume", "rewardVolume"),
}
"""Our column, and its names in the files, the newest generation first."""
EVENTS = ("stim_on_s", "go_cue_s", "first_movement_s", "feedback_s")
CHOICE_WORDS = {
    "clockwise": 1,
    "counter_clockwise": -1,
    "counterclockwise": -1,
    "none": 0,
    "no_go": 0,
    "left": -1,
    "right": 1,
}
"""Turn of the wheel to our sign (+1 left stimulus chosen). Some files name the turn by ``left``
(counter-clockwise, IBL's -1) and ``right``."""
SIDE_WORDS = {"left": 1, "right": -1}


def read_trials(table: NwbTable) -> tuple[Table, tuple[str, ...]]:
    """Return the trials in the columns of `RawSession.trials`, and notes.

    Raises
    ------
    SessionFileError
        If the table has no event that trials could be aligned to, or a column is damaged.
    """
    columns = {"trial_id": Column.full(np.arange(table.n_rows, dtype=np.int64))}
    for name, theirs in NUMBERS.items():
        found = table.numbers(*theirs)
        if found is not None:
            columns[name] = found
    if not any(name in columns for name in EVENTS):
        msg = (
            f"{table.name} has none of the events stimulus onset, go cue, first movement and "
            f"feedback under a name that is known here; it has {', '.join(table.names()[:12])}. "
            "Export the session in the layout of docs/bring_your_own.md."
        )
        raise SessionFileError(msg)
    columns |= _contrasts(table)
    columns |= _outcome(table)
    choice = _choice(table)
    if choice is None:
        return Table(columns), ()
    columns["choice"], notes = _check_choice(choice, columns, table.name)
    return Table(columns), notes


def split_contrasts(left: NDArray[np.float64], right: NDArray[np.float64]) -> dict[str, Column]:
    """Return both contrasts and the side from columns in which the empty side is NaN.

    Where both sides have a number, the one above 0 is the side of the stimulus; where that does
    not tell, the side is absent.

    Examples
    --------
    >>> columns = split_contrasts(np.array([0.0, np.nan]), np.array([np.nan, 0.25]))
    >>> columns["stim_side"].values, columns["contrast_left"].values
    (array([ 1, -1], dtype=int8), array([0., 0.]))
    """
    has_left, has_right = np.isfinite(left), np.isfinite(right)
    shown_left, shown_right = np.where(has_left, left, 0.0), np.where(has_right, right, 0.0)
    only = has_left.astype(np.int8) - has_right.astype(np.int8)
    larger = np.where((shown_left > 0) & (shown_right > 0), 0, np.sign(shown_left - shown_right))
    side = np.where(has_left & has_right, larger, only).astype(np.int8)
    is_known = has_left | has_right
    return {
        "contrast_left": Column(shown_left, is_known),
        "contrast_right": Column(shown_right, is_known.copy()),
        "stim_side": Column(side, side != 0),
    }


def _contrasts(table: NwbTable) -> dict[str, Column]:
    contrast = table.numbers("gabor_stimulus_contrast")
    side = table.text("gabor_stimulus_side")
    if contrast is not None and side is not None:
        sign = _look_up(side, SIDE_WORDS)
        values = contrast.values.astype(np.float64)
        # Percent; the lowest of IBL's contrasts above 0 is 6.25 %.
        values = values / 100.0 if values.max(initial=0.0) > 1.0 else values
        values = np.where(contrast.is_valid & sign.is_valid, values, np.nan)
        left, right = (np.where(sign.values == s, values, np.nan) for s in (1, -1))
        return split_contrasts(left, right)
    pair = [table.numbers(f"contrast_{s}", f"contrast{s.title()}") for s in ("left", "right")]
    if pair[0] is None or pair[1] is None:
        return {}
    left, right = (np.where(c.is_valid, c.values, np.nan) for c in pair if c is not None)
    return split_contrasts(left, right)


def _outcome(table: NwbTable) -> dict[str, Column]:
    feedback = table.numbers("feedback_type", "feedbackType")
    if feedback is None:
        rewarded = table.numbers("is_mouse_rewarded")
        if rewarded is None:
            return {}
        feedback = Column(np.where(rewarded.values != 0, 1.0, -1.0), rewarded.is_valid)
    is_known = feedback.is_valid & np.isin(feedback.values, (-1, 1))
    values = np.where(is_known, feedback.values, 0).astype(np.int8)
    return {"feedback": Column(values, is_known)}


def _choice(table: NwbTable) -> Column | None:
    # "none" is a choice here: no turn of the wheel.
    words = table.text("mouse_wheel_choice", absent=frozenset({"", "nan"}))
    if words is None:
        numbers = table.numbers("choice")
        if numbers is None:
            return None
        is_known = numbers.is_valid & np.isin(numbers.values, (-1, 0, 1))
        return Column(np.where(is_known, numbers.values, 0).astype(np.int8), is_known)
    return _look_up(words, CHOICE_WORDS)


def _check_choice(
    choice: Column, columns: dict[str, Column], name: str
) -> tuple[Column, tuple[str, ...]]:
    """Turn the sign round where rewarded trials say so: correct is +1 for a left stimulus."""
    if "feedback" not in columns or "stim_side" not in columns:
        return choice, ()
    side, feedback = columns["stim_side"], columns["feedback"]
    is_telling = side.is_valid & choice.is_valid & (choice.values != 0)
    is_telling &= feedback.is_valid & (feedback.values == 1)
    n_telling = int(is_telling.sum())
    agreeing = int((choice.values[is_telling] == side.values[is_telling]).sum())
    if n_telling < 5 or agreeing >= 0.5 * n_telling:
        return choice, ()
    note = (
        f"{name}: the sign of choice was turned round, since {n_telling - agreeing} of "
        f"{n_telling} rewarded trials contradict it."
    )
    turned = (-choice.values.astype(np.int64)).astype(np.int8)
    return Column(turned, choice.is_valid), (note,)


def _look_up(words: Column, signs: dict[str, int]) -> Column:
    lower = np.char.lower(words.values.astype(np.str_)).tolist()
    values = np.array([signs.get(word, 0) for word in lower], dtype=np.int8)
    is_known = np.array([word in signs for word in lower], dtype=bool)
    return Column(values, is_known)
