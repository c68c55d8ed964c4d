"""Drawables that several tests of views share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.conditions import trial_conditions
from mtm_core.evaluation.rasters import trial_mean_hz
from mtm_viewer.presenters.psth import unit_panel
from mtm_viewer.presenters.raster import RasterMaps, RasterMask, raster_image
from mtm_viewer.presenters.raster_drawable import RasterDrawable, ShownTrials
from mtm_viewer.presenters.raster_scene import raster_scene
from mtm_viewer.presenters.raster_settings import RasterSettings
from mtm_viewer.presenters.unit_drawable import UnitDrawable
from tests.core.sessions import make_session

SESSION = make_session(n_trials=40, n_bins=10, n_units=12)
TEST = np.arange(25, 40)
SCENE = raster_scene(SESSION, np.arange(25), within="given")
PLAIN = RasterSettings(sigma_s=0.0, scale="linear", colour_map="grey")


def hide(region: str) -> RasterMask:
    """Hide a region of `SESSION`."""
    is_hidden = np.zeros((SESSION.n_bins, SESSION.n_units), dtype=bool)
    is_hidden[:, SESSION.region == region] = True
    return RasterMask(is_hidden=is_hidden, is_scored=is_hidden)


def rasters(
    true_hz: NDArray[np.float64] | None = None,
    model_hz: NDArray[np.float64] | None = None,
    **options: object,
) -> RasterDrawable:
    """Draw `SESSION`; by default what the model says is half the truth."""
    true_hz = (
        trial_mean_hz(SESSION.counts[TEST], SESSION.bin_size_s) if true_hz is None else true_hz
    )
    model_hz = true_hz / 2 if model_hz is None else model_hz
    names = ("temporal_hz", "psth_hz", "control_hz")
    others = {name: options.pop(name) for name in names if name in options}
    trials = ShownTrials(n_done=len(TEST), n_wanted=len(TEST))
    options = {"scene": SCENE, "trials": trials, "settings": PLAIN, **options}
    maps = RasterMaps(true_hz=true_hz, model_hz=model_hz, **others)  # type: ignore[arg-type]
    return raster_image(maps, **options)  # type: ignore[arg-type]


def one_unit(unit: int = 3, *, has_model: bool = True) -> UnitDrawable:
    """Look at a unit of `SESSION` closely."""
    label = trial_conditions(SESSION, ("contrast_side",)).label[TEST]
    model_hz = np.repeat(30.0 + 40.0 * label[:, None], SESSION.n_bins, axis=1)
    if not has_model:
        return unit_panel(SESSION, unit, TEST, None)
    return unit_panel(SESSION, unit, TEST, model_hz)
