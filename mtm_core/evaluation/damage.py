"""Ways to spoil what a model is shown: units missing, spikes added, spikes lost.

What is scored stays as it was recorded; only what the model may look at is spoilt.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.masking.choice import Block, UnitChoice
from mtm_core.masking.spec import MaskSpec

DamageName = Literal["dropped", "added", "thinned"]
DAMAGES: tuple[DamageName, ...] = get_args(DamageName)
"""Names of the ways."""


def drop_units(
    spec: MaskSpec, session: Session, fraction: float, rng: np.random.Generator
) -> MaskSpec:
    """Hide a random share of the units that a mask leaves visible, too.

    Parameters
    ----------
    spec : MaskSpec
        The mask.
    session : Session
        The recording that it is for.
    fraction : float
        Share of the visible units to hide, for the whole trial. One unit, and two where units are
        hidden one at a time, stay visible at least.
    rng : numpy.random.Generator
        The source of randomness. The same state drops more of the same units at a larger share.

    Returns
    -------
    MaskSpec
        Scores what `spec` scores. Units that are scored one at a time may be dropped as well:
        each is hidden in its own turn anyway.
    """
    visible = np.flatnonzero((~spec.resolve(session).is_hidden).any(axis=0))
    order = rng.permutation(visible)
    most = max(len(order) - (2 if spec.one_at_a_time else 1), 0)
    dropped = order[: min(round(fraction * len(order)), most)]
    if len(dropped) == 0:
        return spec
    missing = Block(UnitChoice.these(session.unit_id[dropped].tolist()))
    scored = spec.blocks if spec.scored is None else spec.scored
    return replace(spec, blocks=(*spec.blocks, missing), scored=scored)


def add_spikes(
    session: Session,
    trials: NDArray[np.int64],
    mean_count: NDArray[np.float64],
    factor: float,
    rng: np.random.Generator,
) -> Session:
    """Add Poisson noise to some trials: `factor` times each unit's mean count, in every bin.

    Parameters
    ----------
    session : Session
        The recording; left as it is.
    trials : ndarray of int64
        Rows to spoil.
    mean_count : ndarray, shape (n_units,)
        Spikes per bin of each unit.
    factor : float
        How many spikes to add for every recorded one, on average.
    rng : numpy.random.Generator
        The source of randomness.
    """
    shape = (len(trials), session.n_bins, session.n_units)
    return _with_trials(
        session, trials, session.counts[trials] + rng.poisson(factor * mean_count, shape)
    )


def thin_spikes(
    session: Session, trials: NDArray[np.int64], share: float, rng: np.random.Generator
) -> Session:
    """Lose every spike of some trials with chance `share`; arguments as for `add_spikes`."""
    return _with_trials(session, trials, rng.binomial(session.counts[trials], 1 - share))


def _with_trials(
    session: Session, trials: NDArray[np.int64], spoilt: NDArray[np.int64]
) -> Session:
    counts = session.counts.copy()
    counts[trials] = np.minimum(spoilt, np.iinfo(counts.dtype).max)
    return replace(session, counts=counts)
