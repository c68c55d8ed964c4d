"""What a raster figure shows, as numbers: computed here, drawn in `mtm_core.figures.raster`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from mtm_core.evaluation.mask_scores import FEWEST_TRIALS
from mtm_core.evaluation.rasters import trial_mean_hz
from mtm_core.evaluation.row_order import RowOrder, keep_rows, order_session
from mtm_core.evaluation.scores import TaskScores
from mtm_core.evaluation.tasks import Exam, OnProgress, predict_task
from mtm_core.figures.raster_targets import (
    RasterRequest,
    check_baseline,
    plan_without_prompt,
    set_raster_exam,
)
from mtm_core.figures.raster_words import recipe_words, subtitle_words, title_words
from mtm_core.inference import Reconstructor
from mtm_core.models.baselines_rates import trial_psth

_Number = TypeVar("_Number", bound=np.generic)


@dataclass(frozen=True, kw_only=True)
class MapScore:
    """Bits per spike over the training PSTH of each trial's condition.

    Parameters
    ----------
    bps : float or None
        Pooled over the units shown; None without a spike.
    interval : tuple of float or None
        95 % bootstrap interval over trials.
    """

    bps: float | None
    interval: tuple[float, float] | None


@dataclass(frozen=True, eq=False, kw_only=True)
class PredictedMap:
    """What a predictor says.

    Parameters
    ----------
    title : str
        Its name.
    rate_hz : ndarray, shape (n_scored_bins, n_rows)
        Trial average in the bins that are predicted, not smoothed, in the order of the rows.
    score : MapScore or None
        Its score; None for the null itself.
    """

    title: str
    rate_hz: NDArray[np.float64]
    score: MapScore | None


@dataclass(frozen=True, eq=False, kw_only=True)
class RasterContent:
    """All numbers and words of a raster figure.

    Parameters
    ----------
    title, subtitle : str
        What is hidden, and whose data these are.
    order : RowOrder
        Rows, of which `bands` are the regions.
    unit_id : ndarray of str, shape (n_rows,)
        Unit of each row.
    true_hz : ndarray, shape (n_bins, n_rows)
        Trial average of the recording, not smoothed.
    model, rival : PredictedMap
        The model, and what it is compared with.
    unit_bps : ndarray, shape (n_rows,)
        The model's bits per spike over the PSTH, unit by unit; 0 where there is none.
    unit_spikes : ndarray of int64, shape (n_rows,)
        Scored spikes of each unit.
    first_bin, stop_bin : int
        The bins that are predicted.
    bin_start_s, bin_size_s : ndarray and float
        The time axis.
    event : str
        What happens at time 0.
    n_trials : int
        Trials in the averages.
    trial_kind : str
        Which they are, for example ``"rewarded test"``.
    recipe : tuple of str
        How the picture was made, a sentence each.
    """

    title: str
    subtitle: str
    order: RowOrder
    unit_id: NDArray[np.str_]
    true_hz: NDArray[np.float64]
    model: PredictedMap
    rival: PredictedMap
    unit_bps: NDArray[np.float64]
    unit_spikes: NDArray[np.int64]
    first_bin: int
    stop_bin: int
    bin_start_s: NDArray[np.float64]
    bin_size_s: float
    event: str
    n_trials: int
    recipe: tuple[str, ...]
    trial_kind: str = "test"


def compute_raster(
    model: Reconstructor,
    request: RasterRequest,
    *,
    exam: Exam | None = None,
    baseline: Reconstructor | None = None,
    on_progress: OnProgress | None = None,
) -> RasterContent:
    """Reconstruct regions and gather what a figure shows of them.

    Parameters
    ----------
    model : Reconstructor
        The model bound to the recording.
    request : RasterRequest
        What to draw.
    exam : Exam, optional
        What `set_raster_exam` made of the request, if that was done before.
    baseline : Reconstructor, optional
        The temporal baseline bound to the same recording; without one the model is compared with
        each unit's PSTH in the training trials.
    on_progress : callable, optional
        See `mtm_core.evaluation.tasks.OnProgress`.

    Raises
    ------
    MaskError
        If a region is not in the session or cannot be a target; the nearest name is offered.
    MismatchError
        If the test trials are not in the session, or the baseline was trained on them.
    """
    exam = exam or set_raster_exam(model, request)
    if baseline is not None:
        check_baseline(baseline, model)
    shown = _Shown(exam, _order(model, request, exam))
    log_rate = predict_task(model, shown.plan, exam.trials, on_progress=on_progress)
    scores = shown.truth.score(log_rate)
    session, config = exam.session, model.checkpoint.manifest.config
    return RasterContent(
        title=title_words(request, session),
        subtitle=subtitle_words(request, exam, shown.plan.specs[0].prompt, config.data.split),
        order=shown.order,
        unit_id=session.unit_id[shown.rows],
        true_hz=trial_mean_hz(session.counts[exam.trials], session.bin_size_s)[:, shown.rows],
        model=PredictedMap(
            title="MtM" if len(config.masking.schemes) > 1 else config.name,
            rate_hz=shown.mean_hz(np.exp(log_rate)),
            score=shown.map_score(scores),
        ),
        rival=_rival(shown, baseline, on_progress),
        unit_bps=shown.arrange(scores.units.bps_beyond_psth.values),
        unit_spikes=shown.arrange(scores.units.n_spikes),
        first_bin=int(shown.bins[0]),
        stop_bin=int(shown.bins[-1]) + 1,
        bin_start_s=session.bin_start_s,
        bin_size_s=session.bin_size_s,
        event=session.provenance.align_event,
        n_trials=len(exam.trials),
        recipe=recipe_words(request, model, baseline, shown.order),
    )


class _Shown:
    """The rows of the figure, and how predictions of them are averaged and scored."""

    def __init__(self, exam: Exam, order: RowOrder) -> None:
        (self.plan,) = exam.plans.values()
        (self.truth,) = exam.truths.values()
        self.exam = exam
        self.order = order
        self.rows = order.rows
        self.bins = self.truth.bins

    def mean_hz(self, rate: NDArray[np.floating]) -> NDArray[np.float64]:
        """Average rates per bin over trials, in spikes/s, in the predicted bins and the rows."""
        scored = rate[:, self.bins][..., self.rows]
        return trial_mean_hz(scored, self.exam.session.bin_size_s)

    def arrange(self, values: NDArray[_Number]) -> NDArray[_Number]:
        """Bring values of the scored units into the order of the rows."""
        return values[np.searchsorted(self.truth.rows, self.rows)]

    def map_score(self, scores: TaskScores) -> MapScore:
        """Take from all scores the one that a figure shows."""
        overall = scores.overall
        is_enough = len(self.exam.trials) >= FEWEST_TRIALS
        return MapScore(
            bps=overall.bps_beyond_psth,
            interval=overall.interval_beyond_psth if is_enough else None,
        )


def _rival(
    shown: _Shown, baseline: Reconstructor | None, on_progress: OnProgress | None
) -> PredictedMap:
    exam = shown.exam
    if baseline is None:
        null = trial_psth(exam.data, exam.trials)
        return PredictedMap(title="PSTH null", rate_hz=shown.mean_hz(null), score=None)
    plan = plan_without_prompt(shown.plan, baseline, exam.session)
    answer = predict_task(baseline, plan, exam.trials, on_progress=on_progress)
    place = {str(unit): column for column, unit in enumerate(baseline.session.unit_id)}
    log_rate = answer[..., [place[str(unit)] for unit in exam.session.unit_id]]
    return PredictedMap(
        title="Temporal baseline",
        rate_hz=shown.mean_hz(np.exp(log_rate)),
        score=shown.map_score(shown.truth.score(log_rate)),
    )


def _order(model: Reconstructor, request: RasterRequest, exam: Exam) -> RowOrder:
    order = order_session(exam.session, exam.data.train, request.within)
    region = exam.session.region
    return keep_rows(order, np.isin(region, request.regions) & ~model.is_missing, region)
