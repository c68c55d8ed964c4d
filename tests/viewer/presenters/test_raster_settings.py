"""Three different maps stand side by side whatever is chosen."""

from __future__ import annotations

import pytest

from mtm_core.evaluation.colour_scale import Levels
from mtm_viewer.presenters.raster_settings import PANEL_WORDS, PANELS, RasterSettings


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("name", list(PANELS))
def test_a_map_takes_its_place_and_none_stands_there_twice(place, name):
    panels = RasterSettings().with_panel(place, name).panels
    assert panels[place] == name
    assert len(set(panels)) == 3


def test_a_map_that_is_shown_already_changes_places():
    assert RasterSettings().with_panel(0, "temporal").panels == ("temporal", "model", "true")


def test_levels_belong_to_their_scale():
    settings = RasterSettings(levels=Levels(0.0, 9.0))
    assert settings.with_scale("log").levels is None
    assert settings.with_scale("log").scale == "log"


def test_every_map_has_a_title_and_a_short_word():
    assert list(PANEL_WORDS) == list(PANELS)
    assert PANEL_WORDS["psth"] == "PSTH"
