"""What every baseline is given, and what every baseline gives back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.conditions import available_conditions, trial_conditions
from mtm_core.data.session import Session

FloatArray = NDArray[np.floating[Any]]
IntArray = NDArray[np.int64]
Counts = NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False, kw_only=True)
class BaselineData:
    """A recording as a baseline sees it: plain arrays and the trials it may learn from.

    Parameters
    ----------
    counts : ndarray of int, shape (n_trials, n_bins, n_units)
        Spike counts of all trials, those to be predicted included (their visible part is input).
    region : ndarray of str, shape (n_units,)
        Region of each unit.
    condition : ndarray of int64, shape (n_trials,)
        Condition of each trial; -1 where it is not known.
    train, val : ndarray of int64
        Rows to fit on, and rows that choose smoothing widths, components and penalties.
    bin_size_s : float
        Length of a bin in seconds.
    """

    counts: Counts
    region: NDArray[np.str_]
    condition: IntArray
    train: IntArray
    val: IntArray
    bin_size_s: float

    @classmethod
    def from_session(cls, session: Session, train: IntArray, val: IntArray) -> Self:
        """Take from a session what the baselines need.

        The conditions are stimulus side by outcome, as far as the session has them.
        """
        known = available_conditions(session)
        conditions = trial_conditions(session, tuple(f for f in CONDITIONS if f in known))
        is_one = len(conditions.names) < 2
        return cls(
            counts=session.counts,
            region=session.region,
            condition=np.where(conditions.is_valid & ~np.bool_(is_one), conditions.label, -1),
            train=train,
            val=val,
            bin_size_s=session.bin_size_s,
        )

    @property
    def n_bins(self) -> int:
        """Number of bins."""
        return int(self.counts.shape[1])

    @property
    def n_units(self) -> int:
        """Number of units."""
        return int(self.counts.shape[2])


class Plan(Protocol):
    """The part of a task plan that a baseline reads (see `mtm_core.masking.tasks.TaskPlan`)."""

    @property
    def name(self) -> str:
        """Name of the task."""

    @property
    def groups(self) -> tuple[str | None, ...]:
        """Target region of each pass; None where the task has no region."""

    @property
    def is_scored(self) -> NDArray[np.bool_]:
        """Entries that are scored, shape (n_bins, n_units)."""


class Predictor(Protocol):
    """A baseline that was fitted on training trials."""

    @property
    def name(self) -> str:
        """Key of the baseline in reports."""

    @property
    def tasks(self) -> tuple[str, ...]:
        """Tasks that the baseline can be scored on."""

    def predict(self, plan: Plan, trials: IntArray) -> NDArray[np.float32]:
        """Return `log_rate`, shape (n_trials, n_bins, n_units), of the entries that `plan` scores.

        A scored entry is predicted without the entries that the task hides with it. Entries that
        are not scored hold an arbitrary finite number.
        """


CONDITIONS = ("contrast_side", "feedback")
"""Fields whose combinations are the conditions of PSTHs."""
ALL_TASKS = ("co_smoothing", "forward_prediction", "intra_region", "inter_region")
