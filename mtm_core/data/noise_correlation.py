"""Noise correlations between units: what they share from trial to trial beside the stimulus."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session

_MAX_PIECES = 10
"""Bins of a trial are joined into this many pieces at most: spikes per bin are too few."""
_SILENT = 1e-6


@dataclass(frozen=True, eq=False, kw_only=True)
class Partners:
    """The units that share most noise with each unit.

    Parameters
    ----------
    is_active : ndarray of bool, shape (n_units,)
        Units that fire at all; the others have no partner and are nobody's.
    rows : ndarray of int64, shape (n_units, n_partners)
        Rows of the partners of each unit, in no order; without meaning where not active.
    """

    is_active: NDArray[np.bool_]
    rows: NDArray[np.int64]


def noise_correlation(session: Session) -> NDArray[np.float32]:
    """Correlate units over trials and pieces of the trial, the stimulus response removed.

    Counts are summed in pieces, square-rooted (which evens out the variance of fast and slow
    units), and freed of their mean over trials of the same two contrasts (over all trials in a
    session without contrasts), piece by piece.

    Returns
    -------
    ndarray of float32, shape (n_units, n_units)
        0 for units that never fire.
    """
    edges = np.unique(np.linspace(0, session.n_bins, _MAX_PIECES + 1).astype(int)[:-1])
    pieces = np.add.reduceat(session.counts, edges, axis=1, dtype=np.float32)
    pieces = np.sqrt(pieces)
    noise = _without_stimulus_mean(pieces.reshape(session.n_trials, -1), _stimulus(session))
    noise = noise.reshape(-1, session.n_units)
    spread = noise.std(axis=0)
    noise /= np.where(spread > _SILENT, spread, np.float32(1))
    correlation: NDArray[np.float32] = noise.T @ noise / np.float32(len(noise))
    return correlation


def noise_partners(session: Session, n_partners: int) -> Partners:
    """Find each unit's most noise-correlated partners among the units that fire.

    Parameters
    ----------
    session : Session
        The recording.
    n_partners : int
        How many; fewer than there are units that fire.
    """
    is_active: NDArray[np.bool_] = np.any(session.counts, axis=(0, 1))
    ranked = np.where(is_active, noise_correlation(session), -np.inf)
    np.fill_diagonal(ranked, -np.inf)
    rows = np.argpartition(-ranked, n_partners, axis=1)[:, :n_partners]
    return Partners(is_active=is_active, rows=rows)


def _stimulus(session: Session) -> NDArray[np.int64]:
    names = [name for name in ("contrast_left", "contrast_right") if session.trials.has(name)]
    if not names:
        return np.zeros(session.n_trials, dtype=np.int64)
    contrasts = np.stack([session.trials.values(name) for name in names])
    _, group = np.unique(contrasts, axis=1, return_inverse=True)
    return np.asarray(group, dtype=np.int64).reshape(-1)


def _without_stimulus_mean(
    values: NDArray[np.float32], group: NDArray[np.int64]
) -> NDArray[np.float32]:
    membership = np.eye(int(group.max()) + 1, dtype=np.float32)[group]
    means = membership.T @ values / membership.sum(axis=0)[:, None]
    free: NDArray[np.float32] = values - means[group]
    return free
