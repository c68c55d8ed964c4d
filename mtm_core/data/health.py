"""Is a session in good health? A few numbers to look at before anything is trained on it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.behaviors import BEHAVIOR_NAMES, NOT_RECORDED, missing_trial_fields
from mtm_core.data.session import Session

N_PARTS = 5
"""Parts of the session that are compared: its fifths."""


@dataclass(frozen=True, kw_only=True)
class SessionHealth:
    """What to know about a session at a glance.

    Parameters
    ----------
    n_units : int
        Units of the session.
    n_good : int or None
        Units that pass every quality criterion; None where quality is not recorded.
    n_silent : int
        Units without a spike in any trial.
    n_trials : int
        Trials of the session.
    n_trials_dropped : int or None
        Trials of the recording that the preparation left out; None where it is not known.
    trials_dropped : tuple of (str, int)
        Why, and how many.
    rate_hz_by_fifth : tuple of float
        Mean rate over all units in each fifth of the trials, in spikes/s; fewer parts where
        there are fewer trials.
    behaviors_missing : tuple of (str, str)
        Behaviours that are missing, and why.
    behaviors_partial : tuple of (str, int)
        Behaviours that are not valid in some trials, and in how many.
    is_simulated : bool
        True if a program made the spikes.
    """

    n_units: int
    n_good: int | None
    n_silent: int
    n_trials: int
    n_trials_dropped: int | None
    trials_dropped: tuple[tuple[str, int], ...]
    rate_hz_by_fifth: tuple[float, ...]
    behaviors_missing: tuple[tuple[str, str], ...]
    behaviors_partial: tuple[tuple[str, int], ...]
    is_simulated: bool

    @property
    def mean_rate_hz(self) -> float:
        """Mean rate over the parts of the session, in spikes/s."""
        return float(np.mean(self.rate_hz_by_fifth))

    @property
    def drift_by_fifth(self) -> tuple[float, ...]:
        """Rate of each fifth relative to the mean: 0.1 is a tenth more; 0 without spikes."""
        mean = self.mean_rate_hz
        return tuple(rate / mean - 1 if mean else 0.0 for rate in self.rate_hz_by_fifth)

    @property
    def drift(self) -> float:
        """Change of the mean rate from the first fifth to the last, relative to the mean."""
        return self.drift_by_fifth[-1] - self.drift_by_fifth[0]


def session_health(session: Session) -> SessionHealth:
    """Look a session over.

    Parameters
    ----------
    session : Session
        Trials in the order of time.
    """
    report = session.preparation
    missing = _missing(session) if report is None else report.behaviors_missing
    invalid = {name: int((~b.is_valid).sum()) for name, b in session.behaviors.items()}
    return SessionHealth(
        n_units=session.n_units,
        n_good=_n_good(session),
        n_silent=int((~session.counts.any(axis=(0, 1))).sum()),
        n_trials=session.n_trials,
        n_trials_dropped=(
            None if report is None else report.n_trials_given - report.n_trials_kept
        ),
        trials_dropped=() if report is None else report.trials_dropped,
        rate_hz_by_fifth=_rates(session),
        behaviors_missing=missing,
        behaviors_partial=tuple((name, n) for name, n in invalid.items() if n),
        is_simulated=session.provenance.is_simulated,
    )


def _missing(session: Session) -> tuple[tuple[str, str], ...]:
    names = [name for name in BEHAVIOR_NAMES if name not in session.behaviors]
    lacking = tuple((name, NOT_RECORDED) for name in names)
    return (*lacking, *missing_trial_fields(session.trials))


def _n_good(session: Session) -> int | None:
    if not session.units.has("is_good"):
        return None
    good = session.units.column("is_good")
    return int((good.is_valid & good.values.astype(bool)).sum())


def _rates(session: Session) -> tuple[float, ...]:
    per_trial: NDArray[np.float64] = session.counts.mean(axis=(1, 2), dtype=np.float64)
    parts = np.array_split(per_trial, min(N_PARTS, session.n_trials))
    return tuple(float(part.mean()) / session.bin_size_s for part in parts)
