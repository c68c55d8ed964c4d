"""The shuffle control's map comes once every trial has both answers, and where it is shown."""

from __future__ import annotations

import numpy as np

from mtm_viewer.jobs.reconstruct_job import ReconstructionJob, ReconstructionRequest
from mtm_viewer.presenters.mask_choice import recipe_choice
from mtm_viewer.presenters.picture import Picture
from mtm_viewer.presenters.raster_settings import RasterSettings
from mtm_viewer.state import Display
from tests.viewer.workspaces import make_small_workspace

WORKSPACE = make_small_workspace(n_trials=60)
MASK = recipe_choice("inter_region", "CA1", WORKSPACE.session)
PANELS = ("true", "model", "control")


def pictures(panels, *, wants_control: bool = False) -> list[Picture]:
    request = ReconstructionRequest(
        workspace=WORKSPACE,
        spec=MASK.spec,
        display=Display(raster=RasterSettings(panels=panels)),
        wants_control=wants_control,
    )
    return [p for p in ReconstructionJob()(request, lambda: False) if isinstance(p, Picture)]


def control_of(picture: Picture):
    (panel,) = [p for p in picture.raster.panels if p.name == "control"]
    return panel


def test_the_control_is_drawn_once_it_is_complete():
    first, *_, last = pictures(PANELS)
    assert control_of(first).message == "no shuffle control yet"
    assert control_of(last).message is None or not control_of(last).message
    assert np.ptp(control_of(last).values) > 0


def test_where_it_is_not_shown_it_is_no_panel():
    last = pictures(("true", "model", "temporal"), wants_control=True)[-1]
    assert "control" not in [panel.name for panel in last.raster.panels]
