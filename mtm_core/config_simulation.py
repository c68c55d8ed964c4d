"""Settings of a simulated session, with their only defaults.

The line under a field is its documentation and its command-line help. Presets lie in
``resources/simulation``; they were fixed before any model was scored on what they make.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, ClassVar

from mtm_core.config_fields import Bounds, check_settings
from mtm_core.errors import ConfigError

Gain = Annotated[float, Bounds(0.0, 3.0)]
Units = Annotated[int, Bounds(0, 20_000)]


@dataclass(frozen=True, kw_only=True)
class SimulationConfig:
    """How a session is simulated (see `mtm_core.data.simulated`)."""

    section: ClassVar[str] = "simulate"

    name: str = "tiny"
    """Name of the preset; the simulated subject is called by it."""
    trials: Annotated[int, Bounds(1, 100_000)] = 60
    """Trials of the recording, those that a trial rule will drop included."""
    odd_trials: Annotated[float, Bounds(0.0, 0.9)] = 0.04
    """Share of trials without a choice, too quick, too slow, or without a stimulus time."""
    regions: tuple[str, ...] = ("VISa5", "CA1", "LP", "MOs5", "CP")
    """Allen acronyms; the first half is on the first probe, from the surface to the tip."""
    probes: Annotated[int, Bounds(1, 8)] = 2
    """Number of probes."""
    good_units: Units = 40
    """Clusters that pass the quality criteria (label 1), over all regions."""
    other_units: Units = 16
    """Clusters with spikes that fail a criterion (label below 1), over all regions."""
    silent_clusters: Units = 3
    """Clusters without a spike."""
    stray_units: Units = 4
    """Clusters outside the named regions: half in root, half at an id that no atlas knows."""
    median_rate_hz: Annotated[float, Bounds(0.01, 100.0)] = 2.0
    """Median of the units' mean rates, which are log-normal."""
    rate_spread: Annotated[float, Bounds(0.0, 3.0)] = 1.0
    """Standard deviation of the log of the units' mean rates."""
    task_gain: Gain = 0.3
    """How strongly stimulus, decision, movement, whisking, reward and block drive log-rates."""
    shared_latents: Annotated[int, Bounds(0, 100)] = 3
    """Fluctuating latents that all regions share."""
    shared_gain: Gain = 0.2
    """How strongly each shared latent drives log-rates."""
    private_latents: Annotated[int, Bounds(1, 100)] = 2
    """Fluctuating latents that each region has of its own; the first is what it sends."""
    private_gain: Gain = 0.3
    """How strongly each private latent drives the log-rates of its region."""
    coupling_gain: Gain = 0.45
    """How strongly the spikes of a region drive the log-rates of one that it sends to."""
    inputs_per_region: Annotated[int, Bounds(0, 20)] = 2
    """Regions that each region listens to, as far as no two listen to each other."""
    min_delay: Annotated[int, Bounds(1, 100)] = 2
    """Shortest delay from region to region, in steps."""
    max_delay: Annotated[int, Bounds(1, 100)] = 5
    """Longest delay from region to region, in steps."""
    memory_s: Annotated[float, Bounds(0.001, 1.0)] = 0.04
    """Time constant with which a region's spikes are summed before they are sent."""
    drift_gain: Gain = 0.15
    """How far the units' log-rates drift slowly over the session."""
    step_s: Annotated[float, Bounds(0.001, 0.1)] = 0.02
    """Length of a step, in which every true rate is constant."""
    max_rate_hz: Annotated[float, Bounds(1.0, 1000.0)] = 150.0
    """No true rate is higher."""

    def __post_init__(self) -> None:
        """Check every field, and that they fit together."""
        check_settings(self)
        if not re.fullmatch(r"[\w.-]{1,60}", self.name):
            msg = (
                f"--simulate.name is '{self.name}', but names a folder: use letters, digits, "
                "hyphens and dots, 60 at most."
            )
            raise ConfigError(msg)
        if self.max_delay < self.min_delay:
            msg = (
                f"--simulate.max_delay is {self.max_delay}, but must be at least "
                f"--simulate.min_delay {self.min_delay}."
            )
            raise ConfigError(msg)
        self._check_population()

    def _check_population(self) -> None:
        n_regions = len(self.regions)
        if self.probes > n_regions:
            msg = (
                f"--simulate.probes is {self.probes}, but there are {n_regions} "
                f"--simulate.regions, and each probe needs one. At most {n_regions} here."
            )
            raise ConfigError(msg)
        if self.good_units < n_regions:
            msg = (
                f"--simulate.good_units is {self.good_units}, but must be at least {n_regions}: "
                "one for each of the --simulate.regions."
            )
            raise ConfigError(msg)
