"""What is known of a simulated session beyond its data: true rates, coupling, latents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.data.simulated_population import Coupling
from mtm_core.data.simulated_spikes import Drive
from mtm_core.errors import DataError

StepValues = Callable[[NDArray[np.int64]], NDArray[np.float32]]
_CHUNK_ENTRIES = 2_000_000
_ROUNDING = 1e-9
"""An edge so little before a step (in steps) lies on it."""


@dataclass(frozen=True, eq=False, kw_only=True)
class GroundTruth:
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


def true_rate_hz(truth: GroundTruth, session: Session) -> NDArray[np.float32]:
    """Return the true rates on the bins of a session that was prepared from the recording.

    In each bin it is the mean of the rate that made the spikes: the conditional intensity, given
    the latents and every spike of an earlier step. It is therefore the best answer of somebody
    who knows the simulation, its latents at that very moment, and what the other regions have
    sent until then; no model that sees spikes alone can expect to reach it.

    Parameters
    ----------
    truth : GroundTruth
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
    units = units_of(truth, session)
    return _binned(truth, session, len(units), lambda steps: truth.drive.rate_hz(steps, units))


def binned_factors(truth: GroundTruth, session: Session) -> NDArray[np.float32]:
    """Return the means of the factors (latents, received signals) in the bins of a session.

    Parameters
    ----------
    truth : GroundTruth
        What made the recording.
    session : Session
        See `true_rate_hz`.

    Returns
    -------
    ndarray of float32, shape (n_trials, n_bins, n_factors)

    Raises
    ------
    DataError
        See `true_rate_hz`.
    """
    factors = truth.drive.factors
    return _binned(truth, session, factors.shape[1], lambda steps: factors[steps])


def true_counts_rate(truth: GroundTruth, session: Session) -> NDArray[np.float32]:
    """Return the expected spikes per bin: `true_rate_hz` times the bin size."""
    return true_rate_hz(truth, session) * np.float32(session.bin_size_s)


def units_of(truth: GroundTruth, session: Session) -> NDArray[np.int64]:
    """Return the rows of a truth that a session's units have.

    Raises
    ------
    DataError
        If a unit is not in the recording.
    """
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


def _first_bin(truth: GroundTruth, session: Session) -> NDArray[np.float64]:
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


def _binned(
    truth: GroundTruth, session: Session, n_values: int, values_of: StepValues
) -> NDArray[np.float32]:
    """Average what is known of every step over the bins of a session."""
    begin = _first_bin(truth, session)
    binned = np.empty((*session.counts.shape[:2], n_values), dtype=np.float32)
    n_at_once = max(_CHUNK_ENTRIES // (session.n_bins * n_values), 1)
    for first in range(0, session.n_trials, n_at_once):
        rows = slice(first, first + n_at_once)
        edges = begin[rows, None] + session.bin_size_s * np.arange(session.n_bins + 1)
        binned[rows] = _means(truth, edges, values_of)
    return binned


def _means(
    truth: GroundTruth, edges: NDArray[np.float64], values_of: StepValues
) -> NDArray[np.float32]:
    """Average the values of the steps that each bin overlaps, each by its share of the bin.

    Parameters
    ----------
    truth : GroundTruth
        For the steps.
    edges : ndarray of float64, shape (n_trials, n_bins + 1)
        Edges of the bins in s.
    values_of : callable
        Returns the values of steps.
    """
    steps_at = edges / truth.step_s
    first = np.floor(steps_at[:, :-1] + _ROUNDING).astype(np.int64)
    width = np.diff(steps_at)
    base = first[:, 0]
    n_steps = int((np.ceil(steps_at[:, -1]) - base).max()) + 1
    window = np.minimum(base[:, None] + np.arange(n_steps), truth.n_steps - 1)
    of_steps = values_of(window.ravel())
    of_steps = of_steps.reshape(*window.shape, of_steps.shape[-1])
    trial = np.arange(len(edges))[:, None]
    total = np.zeros((*first.shape, of_steps.shape[-1]), dtype=np.float32)
    for later in range(int(np.ceil(width.max())) + 1):
        step = first + later
        overlap = np.minimum(steps_at[:, 1:], step + 1) - np.maximum(steps_at[:, :-1], step)
        share = np.maximum(overlap, 0.0) / width
        here = np.minimum(step - base[:, None], n_steps - 1)
        total += share[:, :, None].astype(np.float32) * of_steps[trial, here]
    return total
