"""What is known of a simulated session beyond its data: true rates, coupling, latents."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.data.simulated_population import Coupling
from mtm_core.data.simulated_spikes import Drive
from mtm_core.errors import DataError


@dataclass(frozen=True, eq=False, kw_only=True)
class Truth:
    """What made a simulated session.

    Parameters
    ----------
    session_id, eid : str
        Ids of the session that this is the truth of.
    seed : int
        The seed.
    config : mapping of str to plain values
        The settings.
    step_s : float
        Length of a step; step k begins ``k * step_s`` after the start of the recording.
    drive : Drive
        True rates on all steps, in factors.
    factor_names : tuple of str
        Latents, then the coupled pairs of regions ("CA1 to LP").
    unit_id : ndarray of str, shape (n_units,)
        Ids of the clusters, those without spikes included.
    regions : tuple of str
        Acronyms of the coupled regions, as given.
    coupling : Coupling
        Who sends to whom.
    trial_start_s, trial_end_s : ndarray of float64, shape (n_trials,)
        When each trial ran; trial k has ``trial_id`` k.
    """

    session_id: str
    eid: str
    seed: int
    config: Mapping[str, Any]
    step_s: float
    drive: Drive
    factor_names: tuple[str, ...]
    unit_id: NDArray[np.str_]
    regions: tuple[str, ...]
    coupling: Coupling
    trial_start_s: NDArray[np.float64]
    trial_end_s: NDArray[np.float64]

    @property
    def n_steps(self) -> int:
        """Number of steps."""
        return len(self.drive.factors)

    def latent(self, name: str) -> NDArray[np.float32]:
        """Return one latent or received signal on all steps, shape (n_steps,)."""
        return self.drive.factors[:, self.factor_names.index(name)]


def true_rate_hz(truth: Truth, session: Session) -> NDArray[np.float32]:
    """Return the true rates on the bins of a session that was prepared from the recording.

    In each bin it is the mean of the rate that made the spikes: the conditional intensity, given
    the latents and every spike of an earlier step. It is therefore the best answer of somebody
    who knows the simulation, its latents at that very moment, and what the other regions have
    sent until then; no model that sees spikes alone can expect to reach it.

    Parameters
    ----------
    truth : Truth
        What made the recording.
    session : Session
        Any selection of its trials and units, any align event, window and bin size.

    Returns
    -------
    ndarray of float32, shape (n_trials, n_bins, n_units)

    Raises
    ------
    DataError
        If the session holds units or trials that the recording does not have.
    """
    units = _find_units(truth, session)
    begin = _first_bin(truth, session)
    rates = np.empty(session.counts.shape, dtype=np.float32)
    for row, start in enumerate(begin.tolist()):
        edges = start + session.bin_size_s * np.arange(session.n_bins + 1, dtype=np.float64)
        first = int(np.floor(edges[0] / truth.step_s))
        last = min(int(np.ceil(edges[-1] / truth.step_s)), truth.n_steps)
        steps = truth.step_s * np.arange(first, last + 1, dtype=np.float64)
        share = _shares(edges, steps)
        rates[row] = share @ truth.drive.rate_hz(slice(first, last), units)
    return rates


def true_counts_rate(truth: Truth, session: Session) -> NDArray[np.float32]:
    """Return the expected spikes per bin: `true_rate_hz` times the bin size."""
    return true_rate_hz(truth, session) * np.float32(session.bin_size_s)


def _find_units(truth: Truth, session: Session) -> NDArray[np.int64]:
    row_of = {name: row for row, name in enumerate(truth.unit_id.tolist())}
    rows = [row_of.get(name, -1) for name in session.unit_id.tolist()]
    n_strange = rows.count(-1)
    if n_strange:
        msg = (
            f"This truth belongs to {truth.session_id}: {n_strange} of the {session.n_units} "
            f"units of session {session.session_id} are not in it. Give the truth file that was "
            "written beside that recording."
        )
        raise DataError(msg)
    return np.array(rows, dtype=np.int64)


def _first_bin(truth: Truth, session: Session) -> NDArray[np.float64]:
    """Return when the first bin of each trial begins, after checks that this can be."""
    align = session.trials.values("align_s").astype(np.float64)
    trial = session.trials.values("trial_id").astype(np.int64)
    is_known = (trial >= 0) & (trial < len(truth.trial_start_s))
    where = np.where(is_known, trial, 0)
    is_inside = (align >= truth.trial_start_s[where]) & (align <= truth.trial_end_s[where])
    begin = align + session.window_start_s
    end = begin + session.n_bins * session.bin_size_s
    is_covered = (begin >= 0) & (end <= truth.n_steps * truth.step_s)
    n_bad = int((~(is_known & is_inside & is_covered)).sum())
    if n_bad:
        msg = (
            f"{n_bad} of the {session.n_trials} trials of session {session.session_id} lie at "
            f"other times than the trials of this truth ({truth.session_id}). Prepare the "
            "simulated recording again, and give the truth file that lies beside it."
        )
        raise DataError(msg)
    return begin


def _shares(bins: NDArray[np.float64], steps: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return which share of each bin each step makes up, shape (n_bins, n_steps)."""
    begin = np.maximum(bins[:-1, None], steps[None, :-1])
    end = np.minimum(bins[1:, None], steps[None, 1:])
    shares: NDArray[np.float64] = np.maximum(end - begin, 0.0) / np.diff(bins)[:, None]
    return np.asarray(shares, dtype=np.float32)
