"""Which trials are kept: the brain-wide-map rule, the align event, and coverage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtm_core.config import PreparationConfig
from mtm_core.data.coverage import MAX_SILENCE_S, Stretches, meets_stretch
from mtm_core.data.dropping import Choice, Reason, choose
from mtm_core.data.table import Table
from mtm_core.errors import DataError

MIN_REACTION_S = 0.08
MAX_REACTION_S = 2.0
"""Fastest and slowest first movement after the stimulus, both allowed (brain-wide map)."""

EVENT_WORDS = {
    "stim_on": "stimulus onset",
    "first_movement": "first movement",
    "go_cue": "go cue",
    "feedback": "feedback",
}
"""What each align event is called in a session."""

_REACTION_FIELDS = ("stim_on_s", "first_movement_s")
_RULE_FIELDS = {
    "stim_on_s": "stimulus onset",
    "choice": "choice",
    "feedback_s": "time of feedback",
    "block": "block",
    "first_movement_s": "first movement",
    "feedback": "outcome",
}
"""The six columns of the brain-wide-map rule."""


@dataclass(frozen=True, eq=False, kw_only=True)
class TrialChoice:
    """The kept trials of a recording.

    Parameters
    ----------
    rows : ndarray of int64, shape (n_kept,)
        Rows of the trial table.
    align_s : ndarray of float64, shape (n_kept,)
        Time of the align event in each.
    choice : Choice
        Which rows these are, and why the others are not.
    rules : tuple of str
        The rules in words.
    """

    rows: NDArray[np.int64]
    align_s: NDArray[np.float64]
    choice: Choice
    rules: tuple[str, ...]


def choose_trials(trials: Table, config: PreparationConfig, silence: Stretches) -> TrialChoice:
    """Choose trials by the rules of the settings.

    Parameters
    ----------
    trials : Table
        Every trial of the recording; see `raw.RawSession`.
    config : PreparationConfig
        The rules.
    silence : ndarray of float64, shape (n_stretches, 2)
        Stretches that the recording does not cover (`coverage.silent_stretches`).

    Raises
    ------
    MissingFieldError
        If the recording lacks the align event, or what reaction times are made of.
    DataError
        If no trial is left, or fewer error trials than are asked for.
    """
    align = _align_times(trials, config.align)
    reasons = [*_event_reasons(trials, config), (f"without {_word(config)}", ~align.is_valid)]
    rules = [_rule_sentence(trials, config)]
    if config.drop_silence:
        start, end = align.values + config.window_start_s, align.values + config.window_end_s
        reasons.append(("not covered by the recording", meets_stretch(silence, start, end)))
        rules.append(
            f"Trials whose window meets over {MAX_SILENCE_S:g} s without a spike on any probe "
            "are left out."
        )
    choice = choose(trials.n_rows, reasons)
    rows = np.flatnonzero(choice.is_kept)
    _check_left(choice, trials, config)
    return TrialChoice(
        rows=rows, align_s=align.values[rows], choice=choice, rules=(*rules, *_error_rule(config))
    )


def reaction_time_s(trials: Table) -> tuple[NDArray[np.float64], NDArray[np.bool_]] | None:
    """Return first movement minus stimulus onset, and where it is known; None if not recorded."""
    return _reaction(trials) if all(map(trials.has, _REACTION_FIELDS)) else None


def fields_needed(config: PreparationConfig) -> dict[str, str]:
    """Return the columns that the rules cannot do without, each with the flag that asks for it."""
    needed = {f"{config.align}_s": f"--prepare.align {config.align}"}
    if config.trials == "brain_wide_map":
        needed |= dict.fromkeys(_REACTION_FIELDS, "--prepare.trials brain_wide_map")
    if config.min_error_trials:
        needed["feedback"] = f"--prepare.min_error_trials {config.min_error_trials}"
    return needed


@dataclass(frozen=True, eq=False)
class _Times:
    values: NDArray[np.float64]
    is_valid: NDArray[np.bool_]


def _align_times(trials: Table, align: str) -> _Times:
    column = trials.column(f"{align}_s")
    values = column.values.astype(np.float64)
    return _Times(np.where(column.is_valid, values, 0.0), column.is_valid)


def _word(config: PreparationConfig) -> str:
    return EVENT_WORDS[config.align]


def _event_reasons(trials: Table, config: PreparationConfig) -> list[Reason]:
    if config.trials == "event":
        return []
    present = [trials.column(name) for name in _RULE_FIELDS if trials.has(name)]
    is_complete = np.logical_and.reduce([column.is_valid for column in present])
    seconds, is_known = _reaction(trials)
    return [
        ("no-go", _no_go(trials)),
        ("missing events", ~is_complete),
        ("fast", is_known & (seconds < MIN_REACTION_S)),
        ("slow", is_known & (seconds > MAX_REACTION_S)),
    ]


def _reaction(trials: Table) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    stimulus, movement = (trials.column(name) for name in _REACTION_FIELDS)
    is_valid = stimulus.is_valid & movement.is_valid
    seconds = movement.values.astype(np.float64) - stimulus.values.astype(np.float64)
    return np.where(is_valid, seconds, 0.0), is_valid


def _no_go(trials: Table) -> NDArray[np.bool_]:
    if not trials.has("choice"):
        return np.zeros(trials.n_rows, dtype=bool)
    choice = trials.column("choice")
    is_no_go: NDArray[np.bool_] = choice.is_valid & (choice.values.astype(np.float64) == 0)
    return is_no_go


def _rule_sentence(trials: Table, config: PreparationConfig) -> str:
    if config.trials == "event":
        return f"Trials: all that have {_word(config)}."
    lacking = [words for name, words in _RULE_FIELDS.items() if not trials.has(name)]
    sentence = (
        "Trials: the brain-wide-map rule (stimulus onset, choice, feedback, outcome, block and "
        f"first movement known; a choice made; first movement {MIN_REACTION_S:g} to "
        f"{MAX_REACTION_S:g} s after the stimulus)."
    )
    if not lacking:
        return sentence
    return f"{sentence[:-1]}, without {', '.join(lacking)}, which this recording does not have."


def _error_rule(config: PreparationConfig) -> tuple[str, ...]:
    n_errors = config.min_error_trials
    return (f"At least {n_errors} trials ended in an error.",) if n_errors else ()


def _check_left(choice: Choice, trials: Table, config: PreparationConfig) -> None:
    if not choice.is_kept.any():
        reasons = ", ".join(f"{n} {words}" for words, n in choice.dropped)
        msg = (
            f"No trial is left of {trials.n_rows}: {reasons or 'the recording has none'}. "
            "Loosen --prepare.trials, or choose another --prepare.align or window."
        )
        raise DataError(msg)
    if not config.min_error_trials:
        return
    feedback = trials.column("feedback")
    is_error = choice.is_kept & feedback.is_valid & (feedback.values.astype(np.float64) < 0)
    if is_error.sum() < config.min_error_trials:
        msg = (
            f"Only {int(is_error.sum())} of the kept trials ended in an error, but "
            f"--prepare.min_error_trials asks for {config.min_error_trials}. Lower it, or choose "
            "another recording."
        )
        raise DataError(msg)
