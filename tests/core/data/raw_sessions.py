"""Small recordings for tests, made by hand: every spike and event is where the test says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mtm_core.data.raw import Origin, ProbeSpikes, RawSession, Signal
from mtm_core.data.regions import region_columns
from mtm_core.data.table import Column, Table

N_TRIALS = 6
STIM_ON_S = 10.0 + 4.0 * np.arange(N_TRIALS)


def column(values: Sequence[float] | np.ndarray) -> Column:
    """Make a column in which NaN stands for a value that is absent."""
    array = np.asarray(values, dtype=np.float64)
    is_valid = np.isfinite(array)
    return Column(np.where(is_valid, array, 0.0), is_valid)


def make_trials(**changed: Sequence[float] | None) -> Table:
    """Make six clean trials; None takes a column away."""
    columns: dict[str, Sequence[float] | np.ndarray | None] = {
        "stim_on_s": STIM_ON_S,
        "go_cue_s": STIM_ON_S + 0.01,
        "first_movement_s": STIM_ON_S + 0.25,
        "feedback_s": STIM_ON_S + 0.5,
        "choice": [1, -1, 1, -1, 1, -1],
        "contrast_left": [1, 0, 0.25, 0, 0.5, 0],
        "contrast_right": [0, 1, 0, 0.25, 0, 0],
        "feedback": [1, 1, 1, -1, 1, -1],
        "block": [0.5, 0.5, 0.8, 0.8, 0.2, 0.2],
    }
    columns |= changed
    kept = {name: column(values) for name, values in columns.items() if values is not None}
    n_rows = len(next(iter(kept.values())).values)
    return Table({"trial_id": Column.full(np.arange(n_rows)), **kept})


def make_units(regions: Sequence[str], is_good: Sequence[bool] | None = None) -> Table:
    """Make a unit table with these acronyms as given."""
    ids = np.array([f"unit-{row}" for row in range(len(regions))])
    columns = {"unit_id": Column.full(ids), **region_columns(regions)}
    if is_good is not None:
        columns["is_good"] = Column.full(np.array(is_good))
    return Table(columns)


def steady_spikes(n_units: int, end_s: float = 40.0, rate_hz: float = 10.0) -> ProbeSpikes:
    """Let units fire by turns without a pause: `rate_hz` spikes/s of each."""
    times = np.arange(0.0, end_s, 1 / (rate_hz * n_units))
    clusters = np.arange(len(times)) % n_units
    return ProbeSpikes(probe="probe00", times_s=times, clusters=clusters)


def make_raw(
    *,
    regions: Sequence[str] = ("CA1",) * 6 + ("VISp2/3",) * 6,
    is_good: Sequence[bool] | None = None,
    spikes: Sequence[ProbeSpikes] | None = None,
    trials: Table | None = None,
    signals: Mapping[str, Signal] | None = None,
    events: Mapping[str, np.ndarray] | None = None,
    quality: bool = True,
) -> RawSession:
    """Make a recording of six trials; all units fire steadily and are good unless said."""
    n_units = len(regions)
    good = (is_good if is_good is not None else [True] * n_units) if quality else None
    return RawSession(
        origin=Origin(
            session_id="made-by-hand",
            source="test",
            source_id="hand",
            licence="none",
            is_simulated=True,
            notes=("Made for a test.",),
        ),
        spikes=tuple(spikes) if spikes is not None else (steady_spikes(n_units),),
        units=make_units(regions, good),
        trials=make_trials() if trials is None else trials,
        signals=signals or {},
        events=events or {},
    )
