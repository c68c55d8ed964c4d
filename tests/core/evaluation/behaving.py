"""Small simulated sessions of which it is known what their spikes tell about behaviour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mtm_core.data.session import Behavior, Session
from mtm_core.data.table import Column, Table
from tests.core.sessions import make_session

N_BEFORE = 4
"""Bins before the stimulus."""
MOVEMENT_BINS = (7, 10)
"""The first movement falls into one of these bins."""


def make_behaving_session(
    encodes: tuple[str, ...] = ("choice",),
    *,
    n_trials: int = 160,
    n_bins: int = 12,
    n_units: int = 12,
    strength: float = 1.2,
    seed: int = 0,
    session_id: str = "behaving",
) -> Session:
    """Simulate a session whose units tell what is listed and nothing else.

    Parameters
    ----------
    encodes : tuple of str
        Out of ``choice`` (from the stimulus on), ``late choice`` (from the movement on),
        ``block`` (always), ``wheel_speed`` (bin by bin).
    n_trials, n_bins, n_units : int
        Size of the counts. The first half of the units is CA1 and tells, the others are DG.
    strength : float
        How much log-rates change.
    seed : int
        Same seed, same session.
    session_id : str
        The id.
    """
    rng = np.random.default_rng(seed)
    choice, side = rng.choice([-1, 1], (2, n_trials))
    block = np.where(
        np.arange(n_trials) < 10, 0.5, np.where(np.arange(n_trials) // 25 % 2, 0.8, 0.2)
    )
    movement = rng.integers(*MOVEMENT_BINS, n_trials)
    wheel = np.abs(np.cumsum(rng.normal(size=(n_trials, n_bins)), axis=1)) * 0.5
    bins = np.arange(n_bins)
    parts = {
        "choice": choice[:, None] * (bins >= N_BEFORE),
        "late choice": choice[:, None] * (bins >= movement[:, None]),
        "block": np.sign(block - 0.5)[:, None] * np.ones(n_bins),
        "wheel_speed": wheel - wheel.mean(),
    }
    latent = sum((parts[name] for name in encodes), np.zeros((n_trials, n_bins)))
    weight = rng.normal(0, strength, n_units) * (np.arange(n_units) < n_units // 2)
    counts = rng.poisson(0.5 * np.exp(np.clip(latent[:, :, None] * weight, -3, 3)))
    base = make_session(n_trials=n_trials, n_bins=n_bins, n_units=n_units, regions=("CA1", "DG"))
    base = replace(base, session_id=session_id, counts=np.minimum(counts, 255).astype(np.uint8))
    base = with_trials(
        base,
        choice=choice,
        contrast_left=np.where(side > 0, 0.5, 0.0),
        contrast_right=np.where(side > 0, 0.0, 0.5),
        feedback=rng.choice([-1, 1, 1], n_trials),
        block=block,
        stim_on_s=np.zeros(n_trials),
        first_movement_s=0.01 * (movement - N_BEFORE) + 0.002,
    )
    whisker = rng.normal(size=(n_trials, n_bins))
    return with_window(
        replace(
            base,
            behaviors={"wheel_speed": signal(wheel), "whisker_motion_energy": signal(whisker)},
        ),
        -0.01 * N_BEFORE,
    )


def signal(values: np.ndarray) -> Behavior:
    return Behavior(values=values.astype(np.float32), is_valid=np.ones(len(values), dtype=bool))


def with_trials(session: Session, **fields: np.ndarray | Column | None) -> Session:
    """Replace fields of the trial table; None takes one away."""
    columns = dict(session.trials.columns)
    for name, values in fields.items():
        columns.pop(name, None)
        if values is not None:
            columns[name] = values if isinstance(values, Column) else Column.full(values)
    return replace(session, trials=Table(columns))


def with_window(session: Session, start_s: float) -> Session:
    return replace(session, provenance=replace(session.provenance, window_start_s=start_s))
