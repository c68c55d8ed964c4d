"""What the unit panel draws: plain data, no Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtm_viewer.presenters.raster_drawable import RasterPanel
from mtm_viewer.presenters.raster_scene import EventLine
from mtm_viewer.presenters.rectangles import Rectangle


@dataclass(frozen=True, eq=False, kw_only=True)
class ConditionLine:
    """The mean of the trials of one condition.

    Parameters
    ----------
    name : str
        The condition, for example ``"left > right"``.
    role : str
        What its colour stands for, see `mtm_viewer.theme.Theme.condition`.
    n_trials : int
        Trials in the mean.
    true_hz : ndarray, shape (n_bins,)
        Smoothed mean rate.
    sem_hz : ndarray, shape (n_bins,), or None
        Standard error of that mean over trials; None for a single trial.
    model_hz : ndarray, shape (n_bins,), or None
        The model's mean rate over the same trials, smoothed alike.
    model_sem_hz : ndarray, shape (n_bins,), or None
        Standard error of that mean over trials: how much the model's trials differ.
    """

    name: str
    role: str
    n_trials: int
    true_hz: NDArray[np.float64]
    sem_hz: NDArray[np.float64] | None
    model_hz: NDArray[np.float64] | None
    model_sem_hz: NDArray[np.float64] | None = None


@dataclass(frozen=True, eq=False, kw_only=True)
class ConditionPlot:
    """PSTHs of one field.

    Parameters
    ----------
    title : str
        The field in words.
    lines : tuple of ConditionLine
        One per condition that occurs; empty where there is a message instead.
    message : str
        Why there is nothing to draw; else "".
    note : str
        How many trials were left out because the field is unknown in them; else "".
    """

    title: str
    lines: tuple[ConditionLine, ...]
    message: str = ""
    note: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class TrialGroup:
    """Neighbouring trials of the same condition in the single-trial rasters.

    Parameters
    ----------
    name, role : str
        The condition and what its colour stands for.
    start, stop : int
        First row, and the row after the last.
    """

    name: str
    role: str
    start: int
    stop: int


@dataclass(frozen=True, eq=False, kw_only=True)
class UnitDrawable:
    """Everything that the unit panel draws.

    Parameters
    ----------
    title, subtitle : str
        Which unit; its depth, rate and spikes.
    score, score_tooltip : str
        Its score in words, and what that means.
    plots : tuple of ConditionPlot
        PSTHs by condition.
    top_hz : float
        Upper end of the rate axis that the plots share.
    trials : tuple of RasterPanel
        True, model, residual: one row per trial.
    groups : tuple of TrialGroup
        How the rows of the trials are sorted.
    bin_start_s : ndarray, shape (n_bins,)
        Start of each bin.
    bin_size_s : float
        Duration of a bin.
    events : tuple of EventLine
        Vertical lines.
    note : str
        How the picture was made.
    trial_order : str
        How the rows of the trials are sorted, in words.
    is_model_shown : ndarray of bool, shape (n_bins,), or None
        Bins in which the model's PSTHs are drawn; None for all.
    veil : tuple of Rectangle
        The other bins of the single trials of model and residual.
    """

    title: str
    subtitle: str
    score: str
    score_tooltip: str
    plots: tuple[ConditionPlot, ...]
    top_hz: float
    trials: tuple[RasterPanel, ...]
    groups: tuple[TrialGroup, ...]
    bin_start_s: NDArray[np.float64]
    bin_size_s: float
    events: tuple[EventLine, ...]
    note: str
    trial_order: str = ""
    is_model_shown: NDArray[np.bool_] | None = None
    veil: tuple[Rectangle, ...] = ()
