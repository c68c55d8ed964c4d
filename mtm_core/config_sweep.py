"""Settings of a sweep, with their only defaults.

The line under a field is its documentation. A spec file holds them in its section ``[sweep]``;
`mtm_core.sweep.spec` reads it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from mtm_core.config_fields import Bounds, check_settings
from mtm_core.errors import ConfigError

Task = Literal["co_smoothing", "forward_prediction", "intra_region", "inter_region"]


@dataclass(frozen=True, kw_only=True)
class SweepConfig:
    """What is searched, and how trials are judged."""

    section: ClassVar[str] = "sweep"

    name: str = "sweep"
    """Name of the sweep, and of the preset that comes out of it."""
    preset: str = "quick"
    """Settings to start from: a bundled preset, or a TOML file."""
    sessions: tuple[str, ...] = ()
    """Session files, or beginnings of bundled names."""
    together: bool = False
    """Train one model on all sessions, instead of one on each and judging by the mean."""
    seeds: tuple[int, ...] = (0,)
    """Training seeds: a trial trains with each, and is judged by the mean."""
    trials: Annotated[int, Bounds(1, 100_000)] = 20
    """Trials in all, those that failed included; a grid takes all its points instead."""
    sampler: Literal["tpe", "random", "grid"] = "tpe"
    """How trials are chosen: by those before (a tree-structured Parzen estimator), by chance, or
    all combinations in turn."""
    sampler_seed: Annotated[int, Bounds(0, 2**31)] = 0
    """Seed of the choice."""
    judge: Literal["masks", "tasks"] = "masks"
    """Score validation trials under the training masks, as training does anyway, or on the four
    tasks, which takes longer and suits sweeps over masks."""
    tasks: tuple[Task, ...] = (
        "co_smoothing",
        "forward_prediction",
        "intra_region",
        "inter_region",
    )
    """The tasks that judge by tasks takes the mean over."""
    prune: bool = False
    """Stop a trial early whose validation lies below the median of the others at the same step."""

    def __post_init__(self) -> None:
        """Check every field, and that there is a session."""
        check_settings(self)
        if not self.sessions:
            msg = "--sweep.sessions needs at least one session."
            raise ConfigError(msg)
