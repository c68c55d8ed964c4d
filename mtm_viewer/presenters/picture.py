"""One state of the answer on its way to the window: rasters, scores, single trials."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mtm_core.evaluation.rasters import trial_mean_hz
from mtm_core.evaluation.row_order import RegionBand, RowOrder
from mtm_core.models.answers import Reconstruction
from mtm_viewer.presenters.raster import OtherMap, RasterMask, RasterSettings, raster_image
from mtm_viewer.presenters.raster_drawable import RasterDrawable, ShownTrials
from mtm_viewer.presenters.raster_scene import RasterScene
from mtm_viewer.presenters.score_lines import TEMPORAL, UnitGains
from mtm_viewer.presenters.scores import ScoreLine
from mtm_viewer.presenters.workspace import Workspace


@dataclass(frozen=True, eq=False, kw_only=True)
class Answers:
    """What the models have said so far.

    Parameters
    ----------
    model : Reconstruction or None
        Of the model on screen; None before its first piece.
    baseline : Reconstruction or None
        Of the temporal baseline, with units in the model's order.
    control : Reconstruction or None
        Of the model given the visible activity of other trials.
    """

    model: Reconstruction | None = None
    baseline: Reconstruction | None = None
    control: Reconstruction | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class Picture:
    """What the window draws.

    Parameters
    ----------
    workspace : Workspace
        What it is of.
    raster : RasterDrawable
        The maps.
    trials : ndarray of int64, shape (n_done,)
        Rows of the trials that are done, in the order of `model_hz`; before any, all.
    n_wanted : int
        Trials that will be answered.
    n_done : int
        Trials that have an answer.
    model_hz : ndarray of float32, shape (n_done, n_bins, n_units), or None
        The model's rates in them.
    lines : tuple of ScoreLine
        Scores of the model and of what it is compared with; empty before any.
    gains : UnitGains or None
        Per trial and unit, what the score of a single unit is made from.
    is_exact : bool
        False while trials are missing or answered by a preview only.
    is_final : bool
        True once nothing more will come, baseline and control included.
    """

    workspace: Workspace
    raster: RasterDrawable
    trials: NDArray[np.int64]
    n_wanted: int
    n_done: int = 0
    model_hz: NDArray[np.float32] | None = None
    lines: tuple[ScoreLine, ...] = ()
    gains: UnitGains | None = None
    is_exact: bool = False
    is_final: bool = False


def make_raster(
    workspace: Workspace,
    answers: Answers,
    *,
    scene: RasterScene,
    settings: RasterSettings,
    region: str | None = None,
    model_hz: NDArray[np.float32] | None = None,
) -> RasterDrawable:
    """Average what is done into maps.

    Parameters
    ----------
    workspace : Workspace
        Session and trials.
    answers : Answers
        What is known; without a model's answer the true map alone is drawn.
    scene : RasterScene
        Order of rows, time axis.
    settings : RasterSettings
        The look.
    region : str, optional
        Show the rows of this region only.
    model_hz : ndarray, shape (n_done, n_bins, n_units), optional
        The model's rates in the trials that are done, if they are known already.
    """
    session, model = workspace.session, answers.model
    done = workspace.test if model is None else model.trials[model.is_done]
    drawable = raster_image(
        trial_mean_hz(session.counts[done], session.bin_size_s),
        None if model is None else _average_hz(model, model_hz),
        _other(answers.baseline),
        scene=scene,
        trials=ShownTrials(
            n_done=len(done), n_wanted=len(workspace.test), kind=workspace.trial_kind
        ),
        order=_order(scene.order, workspace, region),
        mask=None
        if model is None
        else RasterMask(is_hidden=_shown_hidden(model), is_scored=model.mask.is_scored),
        settings=settings,
    )
    return _marked(drawable) if session.provenance.is_simulated else drawable


def _marked(drawable: RasterDrawable) -> RasterDrawable:
    """Say over the rasters, and so in every picture saved of them, that they are simulated."""
    first, *others = drawable.panels
    panels = (replace(first, title=f"{first.title} (simulated)"), *others)
    return replace(drawable, panels=panels)


def _average_hz(model: Reconstruction, rates: NDArray[np.float32] | None) -> NDArray[np.float32]:
    return model.trial_average_hz() if rates is None else np.asarray(rates.mean(axis=0))


def rows_of_region(order: RowOrder, region: str) -> RowOrder:
    """Keep the rows of one region.

    Examples
    --------
    >>> order = RowOrder(rows=np.array([2, 0, 1]), words="",
    ...     bands=(RegionBand("DG", 0, 1), RegionBand("CA1", 1, 3)))
    >>> rows_of_region(order, "CA1").rows.tolist(), rows_of_region(order, "CA1").bands
    ([0, 1], (RegionBand(region='CA1', start=0, stop=2),))
    """
    return _keep(order, [band for band in order.bands if band.region == region])


def _order(order: RowOrder, workspace: Workspace, region: str | None) -> RowOrder:
    """Leave out units that the recording lacks; keep one region if asked."""
    if workspace.is_missing.any():
        order = _without(order, workspace.is_missing)
    if region is not None and any(band.region == region for band in order.bands):
        return rows_of_region(order, region)
    return order


def _without(order: RowOrder, is_left_out: NDArray[np.bool_]) -> RowOrder:
    kept = [order.rows[band.start : band.stop] for band in order.bands]
    kept = [rows[~is_left_out[rows]] for rows in kept]
    bands, start = [], 0
    for band, rows in zip(order.bands, kept, strict=True):
        if len(rows):
            bands.append(RegionBand(band.region, start, start + len(rows)))
            start += len(rows)
    return replace(order, rows=np.concatenate(kept), bands=tuple(bands))


def _keep(order: RowOrder, chosen: list[RegionBand]) -> RowOrder:
    rows = [order.rows[band.start : band.stop] for band in chosen]
    edges = np.cumsum([0, *map(len, rows)]).tolist()
    bands = tuple(
        RegionBand(band.region, start, stop)
        for band, start, stop in zip(chosen, edges[:-1], edges[1:], strict=True)
    )
    return replace(order, rows=np.concatenate(rows), bands=bands)


def _other(baseline: Reconstruction | None) -> OtherMap | None:
    if baseline is None or not baseline.n_done:
        return None
    return OtherMap(title=TEMPORAL, rate_hz=baseline.trial_average_hz())


def _shown_hidden(model: Reconstruction) -> NDArray[np.bool_]:
    """Hatch what was hidden from its own prediction: units hidden in turn as well."""
    is_hidden = model.mask.is_hidden
    return is_hidden | model.mask.is_scored if model.mask.one_at_a_time else is_hidden
