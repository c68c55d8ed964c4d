"""What a decoder scores by chance: targets that could have been, with the same slow changes.

Neurons drift, and choices, blocks and movements come in runs, so that time alone predicts them:
targets drawn afresh for each trial would make chance too easy to beat. Pseudo-sessions draw
blocks as the task does; circular shifts keep a target's own order in time, but not its place.

References
----------
Harris (2020), Nonsense correlations in neuroscience, bioRxiv 2020.11.29.402719.
International Brain Laboratory (2025), A brain-wide map of neural activity during complex
behaviour, Nature 645, 177-191: pseudo-sessions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.evaluation.decoding_targets import BLOCKS, Target

N_UNBIASED = 90
"""Trials before the first biased block."""
BLOCK_SCALE, BLOCK_MIN, BLOCK_MAX = 60.0, 20, 100
"""Lengths of blocks are exponential with this scale, drawn again until within these bounds."""
MIN_SHIFT = 5
"""Fewest trials to shift a target by."""
MIN_DRAWS = 20
"""With fewer draws no interval is told."""

Values = NDArray[Any]


@dataclass(frozen=True, eq=False, kw_only=True)
class Chance:
    """Scores of targets that could have been.

    Parameters
    ----------
    mean : float
        Their mean.
    interval : (float, float)
        The middle 95 % of them.
    p : float
        One plus the number that score at least as high as the real one, over one plus their
        number.
    """

    mean: float
    interval: tuple[float, float]
    p: float


def method_words(target: Target) -> str:
    """Say how chance is made for a target."""
    if target.name == "block":
        return (
            f"pseudo-sessions: {N_UNBIASED} unbiased trials, then blocks of {BLOCK_MIN} to "
            f"{BLOCK_MAX} trials (exponential, scale {BLOCK_SCALE:g}) in turn"
        )
    what = "trials of the signal" if target.is_signal else "labels"
    return f"circular shifts of the {what} by at least {MIN_SHIFT} trials, in the order of trials"


def draw_targets(
    session: Session, target: Target, n_draws: int, rng: np.random.Generator
) -> Values:
    """Draw targets that could have been.

    Parameters
    ----------
    session : Session
        The recording.
    target : Target
        The real one.
    n_draws : int
        How many; circular shifts are all different, so that there may be fewer.
    rng : numpy.random.Generator
        The source of randomness.

    Returns
    -------
    ndarray, shape (n_drawn, *target.values.shape)
    """
    trial_id = session.trials.values("trial_id").astype(np.int64)
    if target.name == "block":
        drawn = [_pseudo_blocks(trial_id, target, rng) for _ in range(n_draws)]
    else:
        rows = np.flatnonzero(target.is_valid)
        rows = rows[np.argsort(trial_id[rows], kind="stable")]
        shifts = np.arange(MIN_SHIFT, len(rows) - MIN_SHIFT + 1)
        chosen = rng.permutation(shifts)[:n_draws]
        drawn = [_shifted(target.values, rows, int(shift)) for shift in chosen]
    return np.stack(drawn) if drawn else np.zeros((0, *target.values.shape))


def compare(real: float, drawn: NDArray[np.float64]) -> Chance | None:
    """Compare a score with those of drawn targets; None if there are too few of these."""
    if len(drawn) < MIN_DRAWS:
        return None
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Chance(
        mean=float(drawn.mean()),
        interval=(float(low), float(high)),
        p=float((1 + (drawn >= real - 1e-12).sum()) / (1 + len(drawn))),
    )


def draw_blocks(
    n_trials: int, rng: np.random.Generator, n_unbiased: int = N_UNBIASED
) -> NDArray[np.float64]:
    """Draw the probabilities of a left stimulus in a session, as the IBL task does.

    Examples
    --------
    >>> blocks = draw_blocks(300, np.random.default_rng(0))
    >>> sorted(set(blocks[:90])), sorted(set(blocks[90:]))
    ([np.float64(0.5)], [np.float64(0.2), np.float64(0.8)])
    """
    probability = np.full(n_trials, 0.5)
    start, side = n_unbiased, int(rng.integers(2))
    while start < n_trials:
        length = BLOCK_MAX + 1.0
        while not BLOCK_MIN <= length <= BLOCK_MAX:
            length = float(rng.exponential(BLOCK_SCALE))
        probability[start : start + int(length)] = BLOCKS[side]
        start, side = start + int(length), 1 - side
    return probability


def _pseudo_blocks(
    trial_id: NDArray[np.int64], target: Target, rng: np.random.Generator
) -> Values:
    """Draw blocks for a session's trials, whose ids are their places in the recording."""
    place = trial_id - min(int(trial_id.min()), 0)
    n_unbiased = min(N_UNBIASED, int(place[target.is_valid].min()))
    blocks = draw_blocks(int(place.max()) + 1, rng, n_unbiased)[place]
    return np.where(target.is_valid, blocks == BLOCKS[1], 0).astype(np.int64)


def _shifted(values: Values, rows: NDArray[np.int64], shift: int) -> Values:
    moved = np.zeros_like(values)
    moved[rows] = np.roll(values[rows], shift, axis=0)
    return moved
