"""Trials of a simulated session: the IBL task, with a simulated animal that does it.

The stimulus is left or right; after 90 even trials its side is likely (80 %) to be the same for
blocks of 20 to 100 trials. A decision variable made of contrast, the likely side and noise gives
the choice; the weaker it is, the later the wheel is turned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.config_simulation import SimulationConfig

FloatArray = NDArray[np.float64]

FIRST_TRIAL_S = 5.0
"""When the first trial starts."""
TAIL_S = 5.0
"""How long the recording goes on after the last trial."""
NO_GO_S = 60.0
"""How long the task waits for a choice."""
N_UNBIASED = 90
CONTRASTS = (1.0, 0.25, 0.125, 0.0625, 0.0)
_SHARES = (2 / 9, 2 / 9, 2 / 9, 2 / 9, 1 / 9)
_KINDS = ("plain", "no_go", "early", "late", "no_stim_time")


@dataclass(frozen=True, eq=False, kw_only=True)
class TrialPlan:
    """What happened in each trial; every array has one entry per trial, times in s.

    Parameters
    ----------
    start, stim_on, go_cue, movement, response, feedback_time, stim_off, end : ndarray
        Times; `movement` is NaN where the wheel was not turned.
    has_stim_time : ndarray of bool
        False where the recording lost the time of the stimulus.
    side : ndarray
        +1 for a stimulus on the left, -1 on the right.
    contrast : ndarray
        0 to 1.
    probability_left : ndarray
        The block: 0.5, 0.2 or 0.8.
    decision : ndarray
        Decision variable; positive for the left stimulus.
    choice : ndarray
        +1 left stimulus chosen (wheel clockwise), -1 right, 0 none.
    feedback : ndarray
        +1 rewarded, -1 not.
    """

    start: FloatArray
    stim_on: FloatArray
    go_cue: FloatArray
    movement: FloatArray
    response: FloatArray
    feedback_time: FloatArray
    stim_off: FloatArray
    end: FloatArray
    has_stim_time: NDArray[np.bool_]
    side: FloatArray
    contrast: FloatArray
    probability_left: FloatArray
    decision: FloatArray
    choice: FloatArray
    feedback: FloatArray

    @property
    def duration_s(self) -> float:
        """Length of the recording."""
        return float(self.end[-1]) + TAIL_S

    @property
    def quiescence_s(self) -> FloatArray:
        """How long the wheel was still before each stimulus."""
        return self.stim_on - self.start

    @property
    def reward_volume_ul(self) -> FloatArray:
        """Water given."""
        return np.where(self.feedback > 0, 1.5, 0.0)


def draw_trials(config: SimulationConfig, rng: np.random.Generator) -> TrialPlan:
    """Let the simulated animal do the task."""
    n = config.trials
    probability_left = _draw_blocks(n, rng)
    side = np.where(rng.random(n) < probability_left, 1.0, -1.0)
    contrast = rng.choice(CONTRASTS, n, p=_SHARES)
    kind = rng.choice(_KINDS, n, p=_kind_shares(config.odd_trials))
    evidence = 2.2 * side * np.tanh(contrast / 0.15) + 1.6 * (probability_left - 0.5)
    decision = evidence + rng.normal(0.0, 1.0, n)
    choice = np.where(kind == "no_go", 0.0, np.where(decision > 0, 1.0, -1.0))
    reaction = _draw_reactions(decision, kind, rng)
    turn = 0.12 + rng.gamma(2.0, 0.05, n)
    feedback = np.where(choice == side, 1.0, -1.0)
    clock = _lay_out(reaction, np.where(kind == "no_go", NO_GO_S, reaction + turn), feedback, rng)
    return TrialPlan(
        **clock,
        has_stim_time=kind != "no_stim_time",
        side=side,
        contrast=contrast,
        probability_left=probability_left,
        decision=decision,
        choice=choice,
        feedback=feedback,
    )


def _kind_shares(odd: float) -> list[float]:
    return [1.0 - odd, 0.15 * odd, 0.35 * odd, 0.35 * odd, 0.15 * odd]


def _draw_blocks(n: int, rng: np.random.Generator) -> FloatArray:
    probability = np.full(n, 0.5)
    start, value = N_UNBIASED, float(rng.choice([0.2, 0.8]))
    while start < n:
        length = int(np.clip(20 + rng.exponential(40.0), 20, 100))
        probability[start : start + length] = value
        start, value = start + length, 1.0 - value
    return probability


def _draw_reactions(
    decision: FloatArray, kind: NDArray[Any], rng: np.random.Generator
) -> FloatArray:
    n = len(decision)
    reaction = 0.12 + rng.gamma(2.0, 0.06, n) + 0.3 * np.exp(-np.abs(decision))
    reaction = np.where(kind == "early", rng.uniform(0.03, 0.07, n), reaction)
    reaction = np.where(kind == "late", rng.uniform(2.1, 3.5, n), reaction)
    return np.where(kind == "no_go", np.nan, reaction)


def _lay_out(
    reaction: FloatArray,
    until_response: FloatArray,
    feedback: FloatArray,
    rng: np.random.Generator,
) -> dict[str, FloatArray]:
    """Put the trials one after another on the recording's clock; return their times."""
    n = len(reaction)
    quiet = np.clip(0.4 + rng.exponential(0.35, n), 0.4, 1.5) + 0.2
    pause = np.where(feedback > 0, 1.0, 2.0)
    gap = 0.5 + rng.exponential(0.3, n)
    length = quiet + until_response + pause
    start = FIRST_TRIAL_S + np.concatenate([[0.0], np.cumsum(length + gap)[:-1]])
    stim_on = start + quiet
    response = stim_on + until_response
    return {
        "start": start,
        "stim_on": stim_on,
        "go_cue": stim_on + np.abs(rng.normal(0.001, 0.0005, n)),
        "movement": stim_on + reaction,
        "response": response,
        "feedback_time": response + 0.0005,
        "stim_off": response + pause - 0.01,
        "end": response + pause,
    }
