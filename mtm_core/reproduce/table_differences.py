"""Two models on the same trials of the same sessions: what sets them apart, and how surely."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.evaluation.summary import Mean
from mtm_core.seeding import numpy_generator

Values = Mapping[str, Any]
N_SAMPLES = 2000
"""Bootstrap samples."""
SEED = 0
"""Their seed."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A row minus the baseline of its table, in one column.

    Parameters
    ----------
    over_sessions : Mean
        Mean over sessions, with its interval by Student's t over sessions.
    by_trials : tuple of float or None
        95 % interval where sessions are drawn with replacement, and trials within each; None where
        what is needed was not kept.
    n_won, n_clear : int
        Sessions in which the row is above the baseline, and those where the 95 % interval over
        trials of that session says so too.
    """

    over_sessions: Mean
    by_trials: tuple[float, float] | None = None
    n_won: int = 0
    n_clear: int = 0


def paired_difference(
    task: str, ours: Sequence[Sequence[Values]], theirs: Sequence[Sequence[Values]]
) -> Difference | None:
    """Compare pooled bits per spike of two rows, trial by trial.

    Parameters
    ----------
    task : str
        Name of the task.
    ours, theirs : sequence of sequences of mappings
        Cells of the same sessions in the same order, for each its seeds, which are averaged.

    Returns
    -------
    Difference or None
        None if some cell does not hold the task's likelihoods.
    """
    try:
        gains = [
            _per_trial(a, task) - _per_trial(b, task) for a, b in zip(ours, theirs, strict=True)
        ]
    except (KeyError, ValueError):
        return None
    if not gains:
        return None
    samples = [_resampled(gain, number) for number, gain in enumerate(gains)]
    rng = numpy_generator(SEED, "sessions")
    drawn = rng.integers(len(gains), size=(N_SAMPLES, len(gains)))
    means = np.array(samples)[drawn, np.arange(N_SAMPLES)[:, None]].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return Difference(
        over_sessions=Mean.of([float(gain.sum()) for gain in gains]),
        by_trials=(float(low), float(high)),
        n_won=sum(bool(gain.sum() > 0) for gain in gains),
        n_clear=sum(bool(np.percentile(each, 2.5) > 0) for each in samples),
    )


def _per_trial(cells: Sequence[Values], task: str) -> NDArray[np.float64]:
    """Average over seeds: bits per spike of the session that each trial adds."""
    found = [cell["trials"][task] for cell in cells]
    likelihood = np.mean([each["log_likelihood"] for each in found], axis=0)
    return np.asarray(likelihood / (found[0]["n_spikes"] * np.log(2)))


def _resampled(gain: NDArray[np.float64], number: int) -> NDArray[np.float64]:
    """Draw trials of a session with replacement: its difference in each sample."""
    rng = numpy_generator(SEED, "trials", number)
    drawn = gain[rng.integers(len(gain), size=(N_SAMPLES, len(gain)))]
    return np.asarray(drawn.sum(axis=1))
