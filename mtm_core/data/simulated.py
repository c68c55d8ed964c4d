"""Simulated sessions at the shape of an IBL recording, of which everything is known.

Two probes or more, several regions, clusters of every quality, the IBL task with its behaviour,
and neurons that follow latents of the task, latents that all regions share, latents of their own
region, and the spikes of regions that send to theirs (`simulated_spikes`). The parameters are
`SimulationConfig`; the same parameters and seed give the same session on the same machine.
"""

from __future__ import annotations

import dataclasses
import json
import uuid
from dataclasses import dataclass
from pathlib import PurePath

import numpy as np
from numpy.typing import NDArray

from mtm_core import __version__
from mtm_core.config_simulation import SimulationConfig
from mtm_core.data.raw import Origin, RawSession
from mtm_core.data.regions import region_columns, region_info
from mtm_core.data.simulated_latents import Latents, draw_latents
from mtm_core.data.simulated_population import (
    N_CHANNELS,
    ROOT,
    Population,
    draw_coupling,
    draw_population,
)
from mtm_core.data.simulated_signals import lick_times, motion_energy, wheel_position
from mtm_core.data.simulated_spikes import draw_spikes
from mtm_core.data.simulated_trials import TrialPlan, draw_trials
from mtm_core.data.simulated_truth import GroundTruth
from mtm_core.data.table import Column, Table
from mtm_core.seeding import derive_seed, numpy_generator

SOURCE = "simulated"
LAB = "simulated"
DATE = "2000-01-01"
"""A day before there were such recordings; a session needs one in its path."""
NUMBER = 1
_LICENCE = "Simulated by MtM Viewer; no animal, no recording. Free of any terms."


@dataclass(frozen=True, eq=False, kw_only=True)
class Simulated:
    """A simulated session and everything behind it.

    Parameters
    ----------
    raw : RawSession
        What a reader of the session would return.
    truth : GroundTruth
        What made it.
    config : SimulationConfig
        The settings.
    seed : int
        The seed.
    plan : TrialPlan
        The trials, with what the trial table does not hold.
    population : Population
        Clusters and channels.
    latents : Latents
        What drove neurons and behaviour.
    """

    raw: RawSession
    truth: GroundTruth
    config: SimulationConfig
    seed: int
    plan: TrialPlan
    population: Population
    latents: Latents

    @property
    def eid(self) -> str:
        """The id that this session has where sessions are known by eids (ONE, NWB)."""
        return self.truth.eid

    def generator(self, *names: str | int) -> np.random.Generator:
        """Make a random generator for a named purpose, the same for the same session."""
        return numpy_generator(self.seed, "simulation", self.config.name, *names)


def simulate(config: SimulationConfig, seed: int) -> Simulated:
    """Simulate a session.

    Parameters
    ----------
    config : SimulationConfig
        What to simulate.
    seed : int
        Of everything that is drawn.

    Raises
    ------
    UnknownNameError
        If a region is not in the Allen atlas.

    Examples
    --------
    >>> simulated = simulate(SimulationConfig(trials=3, good_units=10), seed=0)
    >>> simulated.raw.trials.n_rows, simulated.raw.origin.session_id
    (3, 'simulated/tiny-0/2000-01-01/001')
    """
    for name in config.regions:
        region_info(name)

    def generator(purpose: str) -> np.random.Generator:
        return numpy_generator(seed, "simulation", config.name, purpose)

    plan = draw_trials(config, generator("trials"))
    latents = draw_latents(config, plan, generator("latents"))
    population = draw_population(config, latents.names, generator("population"))
    coupling = draw_coupling(config, generator("coupling"))
    spikes, drive = draw_spikes(config, population, coupling, latents, generator("spikes"))
    origin = _origin(config, seed)
    raw = RawSession(
        origin=origin,
        spikes=spikes,
        units=_unit_table(config, population),
        trials=_trial_table(plan),
        signals={
            "wheel_position": wheel_position(latents),
            "whisker_motion_energy": motion_energy(latents, "left", generator("left camera")),
        },
        events={"licks": lick_times(latents, generator("licks"))},
    )
    regions = config.regions
    truth = GroundTruth(
        session_id=origin.session_id,
        eid=_eid(config, seed),
        seed=seed,
        config=json.loads(json.dumps(dataclasses.asdict(config))),
        step_s=config.step_s,
        drive=drive,
        factor_names=(
            *latents.names,
            *(f"{regions[a]} to {regions[b]}" for a, b in coupling.edges),
        ),
        unit_id=population.uuid,
        regions=regions,
        coupling=coupling,
        trial_start_s=plan.start,
        trial_end_s=plan.end,
    )
    return Simulated(
        raw=raw,
        truth=truth,
        config=config,
        seed=seed,
        plan=plan,
        population=population,
        latents=latents,
    )


def session_path(config: SimulationConfig, seed: int) -> PurePath:
    """Return the session's place below a root: lab, "Subjects", subject, date, number."""
    return PurePath(LAB, "Subjects", f"{config.name}-{seed}", DATE, f"{NUMBER:03d}")


def channel_depth_um() -> NDArray[np.float64]:
    """Return how far each channel is from the tip: two to a row, rows 20 um apart."""
    row = np.arange(N_CHANNELS) // 2
    return (20 * (row + 1)).astype(np.float64)


def region_names(config: SimulationConfig, region: NDArray[np.int64]) -> NDArray[np.str_]:
    """Return the acronym that a reader finds for each row of ``config.regions`` (or stray)."""
    known = np.array([*config.regions, "void", "root"])
    return known[np.where(region == ROOT, len(known) - 1, np.where(region < 0, -2, region))]


def _origin(config: SimulationConfig, seed: int) -> Origin:
    subject = session_path(config, seed).parts[2]
    return Origin(
        session_id=f"{LAB}/{subject}/{DATE}/{NUMBER:03d}",
        source=SOURCE,
        source_id=f"{config.name}, seed {seed}",
        subject=subject,
        lab=LAB,
        date=DATE,
        number=NUMBER,
        licence=_LICENCE,
        is_simulated=True,
        notes=(f"Simulated by version {__version__}: no animal, no recording.",),
    )


def _eid(config: SimulationConfig, seed: int) -> str:
    words = json.dumps(dataclasses.asdict(config), sort_keys=True)
    numbers = [derive_seed(seed, "eid", part, words) for part in ("first", "second")]
    data = b"".join(number.to_bytes(8, "big") for number in numbers)
    return str(uuid.UUID(bytes=data, version=4))


def _unit_table(config: SimulationConfig, population: Population) -> Table:
    probe = np.array([f"probe{number:02d}" for number in population.probe])
    is_good = population.label > 1.0 - 1e-6
    return Table(
        {
            "unit_id": Column.full(population.uuid),
            **region_columns(region_names(config, population.region).tolist()),
            "probe": Column.full(probe),
            "cluster_id": Column.full(population.cluster_id),
            "label": Column.full(population.label),
            "is_good": Column.full(is_good),
            "depth_um": Column.full(channel_depth_um()[population.channel]),
        }
    )


def _trial_table(plan: TrialPlan) -> Table:
    n = len(plan.start)
    is_left = plan.side > 0
    plain: dict[str, NDArray[np.generic]] = {
        "choice": plan.choice.astype(np.int8),
        "contrast_left": np.where(is_left, plan.contrast, 0.0),
        "contrast_right": np.where(is_left, 0.0, plan.contrast),
        "stim_side": plan.side.astype(np.int8),
        "feedback": plan.feedback.astype(np.int8),
        "block": plan.probability_left,
        "reward_volume_ul": plan.reward_volume_ul,
    }
    times = {
        "start_s": plan.start,
        "end_s": plan.end,
        "stim_off_s": plan.stim_off,
        "stim_on_s": np.where(plan.has_stim_time, plan.stim_on, np.nan),
        "go_cue_s": plan.go_cue,
        "first_movement_s": plan.movement,
        "response_s": plan.response,
        "feedback_s": plan.feedback_time,
    }
    columns = {"trial_id": Column.full(np.arange(n))}
    columns |= {name: _with_gaps(values) for name, values in times.items()}
    columns |= {name: Column.full(values) for name, values in plain.items()}
    return Table(columns)


def _with_gaps(values: NDArray[np.float64]) -> Column:
    is_valid = np.isfinite(values)
    return Column(np.where(is_valid, values, 0.0), is_valid)
