"""Co-smoothing and forecasting as BrainWideBench asks for them, on trials of our own split.

A window is a trial; what is scored is its last second, all of it where it is shorter. The units
that co-smoothing hides are all hidden at once, for the whole trial; forecasting hides the last
0.1 s of every unit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.errors import DataError, MaskError
from mtm_core.export.bwb_files import BwbAnswer
from mtm_core.export.bwb_tasks import FORECAST_S, TARGET_S, BwbTask
from mtm_core.export.bwb_units import encode_ids, file_unit_ids, held_out_units
from mtm_core.inference import Reconstructor
from mtm_core.masking.choice import Block, UnitChoice
from mtm_core.masking.spec import MaskSpec, best_prompt


@dataclass(frozen=True, eq=False)
class ActivityPlan:
    """What a task hides and scores.

    Parameters
    ----------
    spec : MaskSpec
        The mask.
    bins : tuple of int
        First scored bin, and the bin after the last one.
    units : ndarray of str
        Ids of the scored units.
    """

    spec: MaskSpec
    bins: tuple[int, int]
    units: NDArray[np.str_]


def answer_activity(
    bound: Reconstructor, task: BwbTask, units: NDArray[np.str_], trials: NDArray[np.int64]
) -> BwbAnswer:
    """Predict activity.

    Parameters
    ----------
    bound : Reconstructor
        Model and session.
    task : BwbTask
        Co-smoothing or forecasting.
    units : ndarray of str
        Ids of the units to score, or to choose hidden ones from.
    trials : ndarray of int64
        Rows of the session.

    Raises
    ------
    MaskError
        If the window is too short to hide its end, or nothing would be left to see.
    DataError
        If two trials have the same start, or a unit's id cannot be written.
    """
    session = bound.session
    plan = _PLANS[task.name](session, units)
    schemes = bound.checkpoint.manifest.config.masking.schemes
    spec = plan.spec.with_prompt(best_prompt(plan.spec, session, schemes))
    columns = np.flatnonzero(np.isin(session.unit_id, plan.units))
    keys = {
        "window_timestamps": torch.from_numpy(window_starts(session, trials)),
        "unit_ids": encode_ids(file_unit_ids(session.session_id, session.unit_id[columns])),
    }
    scored = np.ix_(np.arange(len(trials)), np.arange(*plan.bins), columns)
    log_rate = bound.complete(spec, trials).log_rate[scored]
    counts = session.counts[trials][scored].astype(np.float32)
    return BwbAnswer(
        task=task,
        predictions={"predictions": torch.from_numpy(log_rate), **keys},
        truth={"targets": torch.from_numpy(counts), **keys},
        choices={"mask": spec.describe(session)},
        caveat=spec.untrained_reason(session, schemes),
    )


def n_target_bins(session: Session) -> int:
    """Return how many bins at the end of a window co-smoothing scores."""
    return min(max(round(TARGET_S / session.bin_size_s), 1), session.n_bins)


def window_starts(session: Session, trials: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return when the last second of each trial starts, in seconds on the session's clock.

    Raises
    ------
    DataError
        If two trials start at the same time: files of this format know windows by it.
    """
    n_before = session.n_bins - n_target_bins(session)
    align_s = session.trials.values("align_s").astype(np.float64)[trials]
    starts = align_s + session.window_start_s + n_before * session.bin_size_s
    values, n_times = np.unique(starts, return_counts=True)
    if n_times.max() > 1:
        msg = (
            f"{n_times.max()} trials of {session.session_id} start at the same time, "
            f"{values[n_times.argmax()]:g} s, and the format knows trials by their time. "
            "Prepare the session with the times of its trials."
        )
        raise DataError(msg)
    return starts


def _co_smoothing(session: Session, units: NDArray[np.str_]) -> ActivityPlan:
    held = units[held_out_units(units)]
    bins = (session.n_bins - n_target_bins(session), session.n_bins)
    choice = UnitChoice.these(held)
    return ActivityPlan(
        MaskSpec(blocks=(Block(choice),), scored=(Block(choice, bins),)), bins, held
    )


def _forecasting(session: Session, units: NDArray[np.str_]) -> ActivityPlan:
    n_hidden = max(round(FORECAST_S / session.bin_size_s), 1)
    if n_hidden >= session.n_bins:
        msg = (
            f"Forecasting hides the last {FORECAST_S:g} s, and the window of this session is "
            f"{session.n_bins * session.bin_size_s:g} s long. Prepare it with a longer window."
        )
        raise MaskError(msg)
    bins = (session.n_bins - n_hidden, session.n_bins)
    scored = (Block(UnitChoice.these(units), bins),)
    spec = MaskSpec(blocks=(Block(bins=bins),), scored=scored, prompt="causal")
    return ActivityPlan(spec, bins, units)


_PLANS: dict[str, Callable[[Session, NDArray[np.str_]], ActivityPlan]] = {
    "co_smoothing": _co_smoothing,
    "forecasting": _forecasting,
}
