"""Small simulated sessions for tests, with shared latent activity to be learnt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mtm_core.data.regions import region_columns
from mtm_core.data.session import Provenance, Session
from mtm_core.data.table import Column, Table


def make_session(
    *,
    n_trials: int = 40,
    n_bins: int = 10,
    n_units: int = 24,
    regions: Sequence[str] = ("CA1", "DG", "VISp"),
    seed: int = 0,
    mean_count: float = 0.5,
    session_id: str | None = None,
    bin_size_s: float = 0.01,
) -> Session:
    """Simulate a session: one private latent per region, one shared by all, Poisson spikes.

    Parameters
    ----------
    n_trials, n_bins, n_units : int
        Size of the counts.
    regions : sequence of str
        Regions in equal contiguous shares of the units; ``""`` is a unit without a region, and an
        empty sequence makes a session without regions.
    seed : int
        Same seed, same session.
    mean_count : float
        About the mean number of spikes in a bin.
    session_id : str or None
        The id; by default made from the seed.
    bin_size_s : float
        Width of a bin.

    Returns
    -------
    Session
        With contrasts, feedback and choice (absent in some trials), clearly marked as simulated.
    """
    rng = np.random.default_rng(seed)
    name = session_id or f"simulated-{seed}"
    names = list(regions) or [""]
    which = np.arange(n_units) * len(names) // n_units
    side = rng.integers(0, 2, n_trials)
    latents = _smooth(rng.normal(size=(len(names) + 1, n_trials, n_bins)))
    latents[-1] += np.where(side, 1.0, -1.0)[:, None] * np.linspace(0, 1, n_bins)
    own = np.moveaxis(latents[which], 0, -1) * rng.uniform(0.6, 1.0, n_units)
    shared = latents[-1][:, :, None] * rng.normal(0, 0.5, n_units)
    rate = mean_count * rng.gamma(4.0, 0.25, n_units) * np.exp(own + shared - 0.5)
    return Session(
        session_id=name,
        counts=np.minimum(rng.poisson(rate), 255).astype(np.uint8),
        units=_unit_table(name, [names[i] for i in which], rng),
        trials=_trial_table(side, rng),
        provenance=_provenance(name, bin_size_s),
    )


def _smooth(noise: np.ndarray) -> np.ndarray:
    """Give noise a memory of a few bins, and unit variance in the long run."""
    for t in range(1, noise.shape[-1]):
        noise[..., t] = 0.8 * noise[..., t - 1] + 0.6 * noise[..., t]
    return noise


def _unit_table(name: str, regions: list[str], rng: np.random.Generator) -> Table:
    n_units = len(regions)
    return Table(
        {
            "unit_id": Column.full(np.array([f"{name}/{row:04d}" for row in range(n_units)])),
            **region_columns(regions),
            "depth_um": Column.full(np.linspace(0.0, 3800.0, n_units)),
            "is_good": Column.full(rng.random(n_units) < 0.7),
        }
    )


def _trial_table(side: np.ndarray, rng: np.random.Generator) -> Table:
    n_trials = len(side)
    contrast = rng.choice([0.25, 0.5, 1.0], n_trials).astype(np.float32)
    feedback = np.where(rng.random(n_trials) < 0.75, 1, -1).astype(np.int8)
    is_known = feedback == 1
    choice = np.where(is_known, np.where(side, -1, 1), 0).astype(np.int8)
    return Table(
        {
            "trial_id": Column.full(np.arange(n_trials, dtype=np.int64)),
            "align_s": Column.full(5.0 * np.arange(n_trials) + 1.0),
            "contrast_left": Column.full(np.where(side, 0, contrast).astype(np.float32)),
            "contrast_right": Column.full(np.where(side, contrast, 0).astype(np.float32)),
            "feedback": Column.full(feedback),
            "choice": Column(choice, is_known),
        }
    )


def _provenance(name: str, bin_size_s: float) -> Provenance:
    return Provenance(
        source="simulated",
        source_id=name,
        subject=None,
        lab=None,
        date=None,
        number=None,
        eid=None,
        licence="CC0 1.0: made by a program, no data of any animal.",
        citation="None: simulated.",
        align_event="simulated stimulus onset",
        window_start_s=0.0,
        bin_size_s=bin_size_s,
        is_simulated=True,
        notes=("Simulated: latent activity per region and shared, Poisson spikes.",),
    )
