"""One state of the answer on its way to the window: rasters, scores, single trials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.evaluation.mask_scores import UnitGains
from mtm_core.evaluation.rasters import gain_in_errors, trial_mean_hz
from mtm_core.evaluation.row_order import RowOrder, keep_rows
from mtm_core.masking.spec import ResolvedMask
from mtm_core.models.answers import Reconstruction
from mtm_core.models.backend import Backend
from mtm_viewer.presenters.compared import Compared, ComparedMaps, compared_maps
from mtm_viewer.presenters.raster import RasterMaps, RasterMask, raster_image
from mtm_viewer.presenters.raster_drawable import RasterDrawable, ShownTrials
from mtm_viewer.presenters.raster_scene import RasterScene, median_events
from mtm_viewer.presenters.raster_settings import RasterSettings
from mtm_viewer.presenters.scores import ScoreLine
from mtm_viewer.presenters.workspace import Workspace

_SIMULATED = " (simulated)"
_FOLD_NOTE = (
    "cross-fitted: every trial is shown, so that rows are ordered by trials that are shown as well"
)
PsthOf = Callable[[NDArray[np.int64]], NDArray[np.floating]]
"""Turns rows of trials into the average rates that training trials foretell for them."""


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
    opponent : Reconstruction or None
        Of what the model is compared with, with units in the model's order.
    problem : str
        Why that cannot answer; "" where it can.
    """

    model: Reconstruction | None = None
    baseline: Reconstruction | None = None
    control: Reconstruction | None = None
    opponent: Reconstruction | None = None
    problem: str = ""


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
    mask : ResolvedMask or None
        What was hidden and what is scored; None where no model answered.
    scene : RasterScene or None
        Order of rows and time axis of the raster.
    is_exact : bool
        False while trials are missing or answered by a preview only.
    is_final : bool
        True once nothing more will come, baseline and control included.
    backend : Backend or None
        How it was computed; None where that was left to PyTorch.
    compared : Compared or None
        What the model is compared with; None where nothing is compared.
    """

    workspace: Workspace
    raster: RasterDrawable
    trials: NDArray[np.int64]
    n_wanted: int
    n_done: int = 0
    model_hz: NDArray[np.float32] | None = None
    lines: tuple[ScoreLine, ...] = ()
    gains: UnitGains | None = None
    mask: ResolvedMask | None = None
    scene: RasterScene | None = None
    is_exact: bool = False
    is_final: bool = False
    backend: Backend | None = None
    compared: Compared | None = None


def make_raster(
    workspace: Workspace,
    answers: Answers,
    *,
    scene: RasterScene,
    settings: RasterSettings,
    regions: Sequence[str] = (),
    model_hz: NDArray[np.float32] | None = None,
    psth: PsthOf | None = None,
    compared: Compared | None = None,
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
    regions : sequence of str
        Show the rows of these regions only; none shows all.
    model_hz : ndarray, shape (n_done, n_bins, n_units), optional
        The model's rates in the trials that are done, if they are known already.
    psth : callable, optional
        ``psth(trials)`` returns what training trials foretell for some trials, averaged,
        (n_bins, n_units) in spikes/s; asked only where it is shown.
    compared : Compared, optional
        What the model is compared with.
    """
    session, model = workspace.session, answers.model
    done = workspace.test if model is None else model.trials[model.is_done]
    wants_psth = psth is not None and "psth" in settings.panels
    drawable = raster_image(
        RasterMaps(
            true_hz=trial_mean_hz(session.counts[done], session.bin_size_s),
            model_hz=None if model is None else _average_hz(model, model_hz),
            temporal_hz=_known_hz(answers.baseline),
            control_gain=_control_gain(session, answers, settings),
            psth_hz=psth(done) if psth is not None and wants_psth else None,
            has_temporal=workspace.baseline is not None,
            compared=_compared_maps(session, answers, settings, compared),
        ),
        scene=scene,
        trials=ShownTrials(
            n_done=len(done), n_wanted=len(workspace.test), kind=workspace.trial_kind
        ),
        order=row_order(scene, workspace, regions),
        mask=None
        if model is None
        else RasterMask(is_hidden=shown_hidden(model.mask), is_scored=model.mask.is_scored),
        settings=settings,
        medians=median_events(session, done),
    )
    if workspace.folds:
        drawable = replace(drawable, note=f"{drawable.note}; {_FOLD_NOTE}")
    return mark_simulated(drawable) if session.provenance.is_simulated else drawable


def mark_simulated(drawable: RasterDrawable) -> RasterDrawable:
    """Say over the rasters, and so in every picture saved of them, that they are simulated."""
    first, *others = drawable.panels
    panels = (replace(first, title=f"{first.title}{_SIMULATED}"), *others)
    blink = drawable.blink
    if blink is not None:
        blink = replace(blink, title=f"{blink.title}{_SIMULATED}")
    return replace(drawable, panels=panels, blink=blink)


def _average_hz(model: Reconstruction, rates: NDArray[np.float32] | None) -> NDArray[np.float32]:
    return model.trial_average_hz() if rates is None else np.asarray(rates.mean(axis=0))


def row_order(scene: RasterScene, workspace: Workspace, regions: Sequence[str]) -> RowOrder:
    """Leave out units that the recording lacks; keep some regions if asked."""
    keep = ~workspace.is_missing
    is_wanted = np.isin(scene.region, regions)
    if (keep & is_wanted).any():
        keep = keep & is_wanted
    return scene.order if keep.all() else keep_rows(scene.order, keep, scene.region)


def _known_hz(answer: Reconstruction | None) -> NDArray[np.float32] | None:
    return None if answer is None or not answer.n_done else answer.trial_average_hz()


def _control_gain(
    session: Session, answers: Answers, settings: RasterSettings
) -> NDArray[np.float64] | None:
    """Compare model and shuffle control trial by trial, once all have an answer, if shown."""
    model, control = answers.model, answers.control
    if model is None or control is None or "control" not in settings.panels:
        return None
    is_complete = model.is_done.all() and control.is_done.all()
    counts, sigma_bins = session.counts[model.trials], settings.sigma_s / session.bin_size_s
    return (
        gain_in_errors(counts, model.log_rate, control.log_rate, sigma_bins)
        if is_complete
        else None
    )


def _compared_maps(
    session: Session, answers: Answers, settings: RasterSettings, compared: Compared | None
) -> ComparedMaps | None:
    if compared is None or answers.model is None:
        return None
    return compared_maps(
        session, answers.model, answers.opponent, settings, compared.choice, compared.name
    )


def shown_hidden(mask: ResolvedMask) -> NDArray[np.bool_]:
    """Hatch what was hidden from its own prediction: units hidden in turn as well."""
    return mask.is_hidden | mask.is_scored if mask.one_at_a_time else mask.is_hidden
