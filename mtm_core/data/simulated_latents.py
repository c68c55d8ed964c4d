"""Latents of a simulated session: what drives its neurons and its behaviour, step by step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from mtm_core.config_simulation import SimulationConfig
from mtm_core.data.simulated_trials import TrialPlan

FloatArray = NDArray[np.float64]

TASK_LATENTS = (
    "stimulus_left",
    "stimulus_right",
    "decision",
    "wheel_velocity",
    "wheel_speed",
    "whisking",
    "licking",
    "reward",
    "error",
    "block",
)
"""Latents that behaviour hangs on, or that hang on the task; all regions may follow them."""
N_DRIFT = 3
"""Slow waves over the session that make up the units' drift."""
WHEEL_TURN_RAD = 0.33
"""How far the wheel is turned to answer."""
_DELAY_S = 0.05
"""From the stimulus to its first effect."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Latents:
    """Latents on the steps of a session.

    Parameters
    ----------
    centre_s : ndarray of float64, shape (n_steps,)
        Middle of each step.
    values : ndarray of float32, shape (n_steps, n_latents)
        `TASK_LATENTS`, then the shared ones, then the private ones region by region, then drift.
    names : tuple of str
        For example ``"decision"``, ``"shared_1"``, ``"private_1 of CA1"``, ``"drift_1"``.
    """

    centre_s: FloatArray
    values: NDArray[np.float32]
    names: tuple[str, ...]

    def get(self, name: str) -> NDArray[np.float32]:
        """Return one latent by name, shape (n_steps,)."""
        return self.values[:, self.names.index(name)]


def private_name(region: str, number: int) -> str:
    """Return the name of a region's private latent, numbered from 1."""
    return f"private_{number} of {region}"


def draw_latents(config: SimulationConfig, plan: TrialPlan, rng: np.random.Generator) -> Latents:
    """Draw every latent of a session."""
    n_steps = int(np.ceil(plan.duration_s / config.step_s))
    centre: FloatArray = (np.arange(n_steps, dtype=np.float64) + 0.5) * config.step_s
    named = task_latents(plan, centre, config.step_s, rng)
    shared = np.geomspace(0.06, 1.0, max(config.shared_latents, 1))[: config.shared_latents]
    for i, tau in enumerate(shared):
        named[f"shared_{i + 1}"] = fluctuation(n_steps, tau / config.step_s, rng)
    for region in config.regions:
        for i, tau in enumerate(np.geomspace(0.08, 0.5, config.private_latents)):
            named[private_name(region, i + 1)] = fluctuation(n_steps, tau / config.step_s, rng)
    for i in range(N_DRIFT):
        wave = np.pi * (i + 1) * np.arange(n_steps) / n_steps
        named[f"drift_{i + 1}"] = np.sqrt(2.0) * np.cos(wave) / (i + 1)
    values = np.stack(list(named.values()), axis=1).astype(np.float32)
    return Latents(centre_s=centre, values=values, names=tuple(named))


def fluctuation(n_steps: int, tau_steps: float, rng: np.random.Generator) -> FloatArray:
    """Draw a stationary first-order autoregression of unit variance."""
    keep = np.exp(-1.0 / tau_steps)
    noise = rng.normal(0.0, np.sqrt(1.0 - keep**2), n_steps)
    noise[0] /= np.sqrt(1.0 - keep**2)
    drawn: FloatArray = lfilter([1.0], [1.0, -keep], noise)
    return drawn


def task_latents(
    plan: TrialPlan, centre: FloatArray, step_s: float, rng: np.random.Generator
) -> dict[str, FloatArray]:
    """Return the `TASK_LATENTS` by name, each of shape (n_steps,)."""
    n_steps = len(centre)
    velocity = _wheel_velocity(plan, centre) + _fidgets(n_steps, 0.1 / step_s, rng)
    speed = 1.5 * np.tanh(np.abs(velocity))
    licking = _licking(plan, centre)
    arousal = fluctuation(n_steps, 2.0 / step_s, rng)
    twitch = fluctuation(n_steps, 0.15 / step_s, rng)
    whisking = 0.7 * arousal + 0.9 * speed + 0.4 * licking + 0.4 * twitch
    seen: FloatArray = np.where(plan.contrast > 0, 0.5 + 0.5 * np.sqrt(plan.contrast), 0.0)
    is_rewarded = plan.feedback > 0
    return {
        "stimulus_left": _responses(plan.stim_on, seen * (plan.side > 0), centre, _visual),
        "stimulus_right": _responses(plan.stim_on, seen * (plan.side < 0), centre, _visual),
        "decision": _decision(plan, centre),
        "wheel_velocity": velocity,
        "wheel_speed": speed,
        "whisking": (whisking - whisking.mean()) / whisking.std(),
        "licking": licking,
        "reward": _responses(plan.feedback_time, is_rewarded, centre, _outcome),
        "error": _responses(plan.feedback_time, ~is_rewarded, centre, _outcome),
        "block": _block(plan, centre, step_s),
    }


def _responses(
    times: FloatArray,
    sizes: FloatArray | NDArray[np.bool_],
    centre: FloatArray,
    shape: Callable[[FloatArray], FloatArray],
) -> FloatArray:
    """Add up the responses to events, each `sizes` times `shape` of the time since the event."""
    step_s = centre[1] - centre[0]
    n_long = int(1.5 / step_s)
    first = np.searchsorted(centre, times)
    steps = first[:, None] + np.arange(n_long)
    steps = np.minimum(steps, len(centre) - 1)
    total = np.zeros(len(centre))
    np.add.at(total, steps, sizes[:, None] * shape(centre[steps] - times[:, None]))
    return total


def _visual(s: FloatArray) -> FloatArray:
    late = np.maximum(s - _DELAY_S, 0.0)
    return 3.0 * (1.0 - np.exp(-late / 0.03)) * np.exp(-late / 0.15)


def _outcome(s: FloatArray) -> FloatArray:
    return 2.0 * (1.0 - np.exp(-s / 0.05)) * np.exp(-s / 0.3)


def _decision(plan: TrialPlan, centre: FloatArray) -> FloatArray:
    """Rise from the stimulus to the movement, stay until feedback, and fall."""
    moves = plan.choice != 0
    begin = np.minimum(plan.stim_on + _DELAY_S, plan.movement - 0.02)[moves]
    knots = np.stack(
        [begin, plan.movement[moves], plan.feedback_time[moves], plan.feedback_time[moves] + 0.4],
        axis=1,
    )
    height = plan.choice * (1.2 + 0.3 * np.minimum(np.abs(plan.decision), 3.0))
    heights = height[moves][:, None] * np.array([0.0, 1.0, 1.0, 0.0])
    return _interpolate(centre, knots.ravel(), heights.ravel())


def _interpolate(at: FloatArray, knots: FloatArray, heights: FloatArray) -> FloatArray:
    if len(knots) == 0:
        return np.zeros_like(at)
    return np.interp(at, knots, heights, left=0.0, right=0.0)


def _wheel_velocity(plan: TrialPlan, centre: FloatArray) -> FloatArray:
    """Turn the wheel in each answered trial; clockwise (negative) for choice +1."""
    velocity = np.zeros_like(centre)
    moves = plan.choice != 0
    ends = plan.response + 0.08
    for begin, end, choice in zip(
        plan.movement[moves], ends[moves], plan.choice[moves], strict=True
    ):
        first, last = np.searchsorted(centre, [begin, end])
        phase = (centre[first:last] - begin) / (end - begin)
        peak = 2.0 * WHEEL_TURN_RAD / (end - begin)
        velocity[first:last] -= choice * peak * np.sin(np.pi * phase) ** 2
    return velocity


def _fidgets(n_steps: int, tau_steps: float, rng: np.random.Generator) -> FloatArray:
    """Small movements of the wheel at any time."""
    urge = fluctuation(n_steps, tau_steps, rng)
    return 0.25 * np.sign(urge) * np.maximum(np.abs(urge) - 1.2, 0.0)


def _licking(plan: TrialPlan, centre: FloatArray) -> FloatArray:
    times = plan.feedback_time[plan.feedback > 0]
    knots = times[:, None] + np.array([0.03, 0.15, 0.8, 1.2])
    return _interpolate(centre, knots.ravel(), np.tile([0.0, 1.5, 1.2, 0.0], len(times)))


def _block(plan: TrialPlan, centre: FloatArray, step_s: float) -> FloatArray:
    """Follow the block with a lag of a few trials: +1 where the left is likely."""
    trial = np.clip(np.searchsorted(plan.start, centre) - 1, 0, None)
    side = (plan.probability_left[trial] - 0.5) / 0.3
    keep = np.exp(-step_s / 8.0)
    followed: FloatArray = lfilter([1.0 - keep], [1.0, -keep], side)
    return followed
