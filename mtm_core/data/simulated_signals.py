"""What the rig records of a simulated animal: wheel, whisker motion energy, licks.

All of it follows the latents that the neurons follow too, so that it can be decoded from spikes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.raw import Signal
from mtm_core.data.simulated_latents import Latents

FloatArray = NDArray[np.float64]

WHEEL_TICK_RAD = 2.0 * np.pi / 4096
"""The encoder reports 4096 positions per turn."""
_WHEEL_HZ = 250.0
CAMERA_HZ = {"left": 60.0, "right": 150.0}
_LICK_HZ = 5.0
_LICK_GAP_S = 0.09


def wheel_position(latents: Latents) -> Signal:
    """Sum the wheel's velocity; as on the rig, a sample stands where the encoder moved.

    Position is in radians, anti-clockwise positive; a choice of +1 turns the wheel clockwise.
    """
    times = np.arange(0.0, latents.centre_s[-1], 1.0 / _WHEEL_HZ)
    velocity = np.interp(times, latents.centre_s, latents.get("wheel_velocity"))
    ticks = np.round(np.cumsum(velocity) / _WHEEL_HZ / WHEEL_TICK_RAD)
    is_new = np.ones(len(times), dtype=bool)
    is_new[1:-1] = np.diff(ticks)[:-1] != 0  # the first and the last sample always stand
    return Signal(times_s=times[is_new], values=ticks[is_new] * WHEEL_TICK_RAD)


def motion_energy(latents: Latents, camera: str, rng: np.random.Generator) -> Signal:
    """Film the whiskers: energy rises with the whisking latent, frames are not quite even."""
    step = 1.0 / CAMERA_HZ[camera]
    times = np.arange(0.3, latents.centre_s[-1] - 0.3, step)
    times = times + 0.02 * step * rng.uniform(-1.0, 1.0, len(times))
    drive = np.interp(times, latents.centre_s, latents.get("whisking"))
    values = 2.0 + 1.5 * np.log1p(np.exp(drive)) + 0.15 * rng.normal(0.0, 1.0, len(times))
    return Signal(times_s=times, values=np.maximum(values, 0.0))


def lick_times(latents: Latents, rng: np.random.Generator) -> FloatArray:
    """Lick mostly after rewards; no two licks are closer than the tongue allows."""
    step_s = latents.centre_s[1] - latents.centre_s[0]
    rate = 0.05 + _LICK_HZ * latents.get("licking")
    at = np.repeat(latents.centre_s - step_s / 2, rng.poisson(rate * step_s))
    times = np.sort(at + step_s * rng.random(len(at)))
    kept, last = [], -np.inf
    for time in times.tolist():
        if time - last >= _LICK_GAP_S:
            kept.append(time)
            last = time
    return np.array(kept, dtype=np.float64)
