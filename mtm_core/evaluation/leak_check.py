"""Does a hidden value reach its own prediction? Tried out on the mask and the model at hand.

What is hidden is replaced by other counts, and the prediction must not move; what is visible is
replaced likewise, to show that a prediction would move if it could.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.inference import Reconstructor
from mtm_core.masking.spec import MaskSpec
from mtm_core.models.answers import AnswerMemory
from mtm_core.models.checkpoint import Checkpoint

TOLERANCE = 1e-4
"""Largest difference of log-rates that rounding alone makes, where work is divided otherwise."""
MOST_TRIALS = 4
MOST_UNITS = 3
_MOST_COUNT = 6


@dataclass(frozen=True, kw_only=True)
class LeakCheck:
    """What came of it.

    Parameters
    ----------
    n_trials, n_entries : int
        Trials, and predicted entries in them, that were looked at.
    hidden_moved : float
        Largest change of a predicted log-rate after all that was hidden from it was replaced.
    visible_moved : float
        The same after all that was visible was replaced.
    """

    n_trials: int
    n_entries: int
    hidden_moved: float
    visible_moved: float

    @property
    def is_tight(self) -> bool:
        """Whether no hidden value reached a prediction."""
        return self.hidden_moved <= TOLERANCE


def leak_check(
    checkpoint: Checkpoint,
    recording: Session,
    spec: MaskSpec,
    trials: NDArray[np.int64],
    rng: np.random.Generator,
    *,
    device: str | None = None,
) -> LeakCheck:
    """Replace what a mask hides, and look whether predictions move.

    Parameters
    ----------
    checkpoint : Checkpoint
        The model.
    recording : Session
        The recording.
    spec : MaskSpec
        What is hidden and scored.
    trials : ndarray of int
        Rows of the session; the first few are taken.
    rng : numpy.random.Generator
        Draws the other counts and, where each unit is hidden in turn, the units to look at.
    device : str or None
        Where to compute; None means where the model lies.

    Raises
    ------
    MtmError
        If mask, model and recording do not go together.
    """
    rows = np.sort(trials[:MOST_TRIALS])

    def answer(session: Session) -> NDArray[np.float32]:
        memory = AnswerMemory(max_bytes=0)
        bound = Reconstructor(
            checkpoint, session, allow_overlap=True, device=device, memory=memory
        )
        return bound.complete(spec, rows).log_rate

    bound = Reconstructor(checkpoint, recording, allow_overlap=True, device=device)
    mask, session = bound.resolve(spec), bound.session
    before = answer(session)
    hidden_moved, visible_moved, n_entries = 0.0, 0.0, 0
    for units in _turns(mask.is_scored, rng, one_at_a_time=mask.one_at_a_time):
        is_hidden = mask.is_hidden.copy()
        is_scored = np.zeros_like(mask.is_scored)
        is_scored[:, units] = mask.is_scored[:, units]
        if mask.one_at_a_time:
            is_hidden[:, units] = True
        for is_replaced in (is_hidden, ~is_hidden):
            other = answer(_with_other_counts(session, rows, is_replaced, rng))
            moved = float(np.abs(other - before)[:, is_scored].max())
            if is_replaced is is_hidden:
                hidden_moved = max(hidden_moved, moved)
            else:
                visible_moved = max(visible_moved, moved)
        n_entries += int(is_scored.sum()) * len(rows)
    return LeakCheck(
        n_trials=len(rows),
        n_entries=n_entries,
        hidden_moved=hidden_moved,
        visible_moved=visible_moved,
    )


def _turns(
    is_scored: NDArray[np.bool_], rng: np.random.Generator, *, one_at_a_time: bool
) -> list[NDArray[np.int64]]:
    """Return the units of each turn: all that are scored, or a few one by one."""
    units = np.flatnonzero(is_scored.any(axis=0))
    if not one_at_a_time:
        return [units]
    chosen = rng.choice(units, size=min(MOST_UNITS, len(units)), replace=False)
    return [np.array([unit]) for unit in chosen]


def _with_other_counts(
    session: Session,
    rows: NDArray[np.int64],
    is_replaced: NDArray[np.bool_],
    rng: np.random.Generator,
) -> Session:
    counts = session.counts.copy()
    drawn = rng.integers(0, _MOST_COUNT, size=counts[rows].shape, dtype=np.uint8)
    counts[rows] = np.where(is_replaced, drawn, counts[rows])
    return replace(session, counts=counts)
