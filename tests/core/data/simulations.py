"""Simulated recordings shared by tests: made once, since they are never changed."""

from __future__ import annotations

from functools import cache

from mtm_core.data.simulated import Simulated, simulate
from mtm_core.simulation_presets import load_simulation


@cache
def simulated(preset: str = "tiny", seed: int = 0, **settings: str) -> Simulated:
    """Simulate a preset with some settings changed, given as typed: ``trials="12"``."""
    overrides = [(f"simulate.{name}", value) for name, value in settings.items()]
    return simulate(load_simulation(preset, overrides), seed)
