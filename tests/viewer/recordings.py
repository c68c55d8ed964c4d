"""Recordings as people have them: simulated ALF folders, the real excerpt."""

from __future__ import annotations

from pathlib import Path

from mtm_core.config_simulation import SimulationConfig
from mtm_core.data.alf_writer import write_alf
from mtm_core.data.simulated import simulate

EXCERPT = Path(__file__).parents[1] / "data" / "ibl_excerpt"


def write_simulated(root: Path, *, trials: int = 40, units: int = 40) -> Path:
    """Write a small simulated session as an ALF folder; return the session's folder."""
    config = SimulationConfig(trials=trials, good_units=units, other_units=10)
    return write_alf(simulate(config, 0), root)
