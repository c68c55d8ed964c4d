"""What stays the same while masks come and go: units, row order, time axis, training map."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.evaluation.rasters import PeakScale, ZScore, trial_mean_hz
from mtm_core.evaluation.row_order import RowOrder, WithinName, order_session
from mtm_core.evaluation.unit_labels import region_colour

_EVENTS = {
    "stim_on_s": "stimulus onset",
    "go_cue_s": "go cue",
    "first_movement_s": "first movement",
    "response_s": "response",
    "feedback_s": "feedback",
}
"""Fields of the trial table that say when something happened."""


@dataclass(frozen=True, kw_only=True)
class EventLine:
    """Something that happens in every trial.

    Parameters
    ----------
    time_s : float
        When, relative to the event that trials are aligned to.
    name : str
        What.
    is_median : bool
        Whether it happens at a time of its own in each trial, and this is the median.
    """

    time_s: float
    name: str
    is_median: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class RasterScene:
    """The constant part of a raster.

    Parameters
    ----------
    unit_id, region : ndarray of str, shape (n_units,)
        Id and acronym of each unit.
    order : RowOrder
        Which unit stands in which row.
    train_hz : ndarray, shape (n_bins, n_units)
        True trial average of the training trials, not smoothed.
    n_train : int
        Number of training trials.
    bin_start_s : ndarray, shape (n_bins,)
        Start of each bin.
    bin_size_s : float
        Duration of a bin.
    events : tuple of EventLine
        Lines to draw; the first is the event that trials are aligned to.
    """

    unit_id: NDArray[np.str_]
    region: NDArray[np.str_]
    order: RowOrder
    train_hz: NDArray[np.float64]
    n_train: int
    bin_start_s: NDArray[np.float64]
    bin_size_s: float
    events: tuple[EventLine, ...]

    def z_score(self, sigma_bins: float) -> ZScore:
        """Return the scoring by training mean and spread for maps smoothed so much."""
        return ZScore.from_training(self.train_hz, self.n_train, self.bin_size_s, sigma_bins)

    def peak_scale(self, sigma_bins: float) -> PeakScale:
        """Return the scaling by the training peak for maps smoothed so much."""
        return PeakScale.from_training(self.train_hz, self.n_train, self.bin_size_s, sigma_bins)


def raster_scene(
    session: Session,
    train_trials: NDArray[np.int64],
    *,
    within: WithinName = "auto",
    is_by_region: bool = True,
) -> RasterScene:
    """Prepare a session for rasters.

    Parameters
    ----------
    session : Session
        The recording.
    train_trials : ndarray of int64
        Rows of the training trials: they alone decide the order of units and the z-scores.
    within : str
        Order of units within a region, see `mtm_core.evaluation.row_order.ORDERS`.
    is_by_region : bool
        Keep the units of a region together; otherwise all units are ordered as one.
    """
    counts = session.counts[train_trials]
    return RasterScene(
        unit_id=session.unit_id,
        region=session.region,
        order=order_session(session, train_trials, within, is_by_region=is_by_region),
        train_hz=trial_mean_hz(counts, session.bin_size_s)
        if len(counts)
        else np.zeros(session.counts.shape[1:]),
        n_train=max(1, len(counts)),
        bin_start_s=session.bin_start_s,
        bin_size_s=session.bin_size_s,
        events=(EventLine(time_s=0.0, name=session.provenance.align_event),),
    )


def median_events(session: Session, trials: NDArray[np.int64]) -> tuple[EventLine, ...]:
    """Find when things happen in the middle trial of some, as far as that lies in the window.

    Parameters
    ----------
    session : Session
        The recording; it may lack any of the events. Its event times count from the event that
        trials are aligned to (see `mtm_core.data.trial_table`).
    trials : ndarray of int64
        Rows of the trials that are shown.
    """
    start_s = session.window_start_s
    stop_s = start_s + session.n_bins * session.bin_size_s
    lines = []
    for field, name in _EVENTS.items():
        column = session.trials.columns.get(field)
        if column is None or not column.is_valid[trials].any():
            continue
        is_known = column.is_valid[trials]
        after_s = column.values.astype(np.float64)[trials][is_known]
        median = float(np.median(after_s))
        is_aligned = np.allclose(after_s, 0.0, atol=session.bin_size_s / 2)
        if start_s <= median < stop_s and not is_aligned:
            lines.append(EventLine(time_s=median, name=name, is_median=True))
    return tuple(lines)


def colours_of(region: NDArray[np.str_]) -> NDArray[np.uint8]:
    """Return the atlas's colour of each unit, shape (n_units, 3)."""
    names, place = np.unique(region, return_inverse=True)
    digits = [bytes.fromhex(region_colour(name).removeprefix("#")) for name in names.tolist()]
    return np.frombuffer(b"".join(digits), dtype=np.uint8).reshape(-1, 3)[place]
