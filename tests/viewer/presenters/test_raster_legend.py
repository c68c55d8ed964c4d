"""The legend explains only the marks that are there."""

from __future__ import annotations

from dataclasses import replace

from mtm_viewer.presenters.raster_legend import legend_text, time_caption
from mtm_viewer.presenters.raster_scene import EventLine
from mtm_viewer.theme import LIGHT
from tests.viewer.views.drawables import SCENE, hide, rasters


def legend(drawable, note: str = "") -> str:
    """Return the text with its spaces as they are seen."""
    return legend_text(drawable, LIGHT, note).replace("&nbsp;", " ")


def test_marks_are_explained_where_they_are():
    text = legend(rasters(mask=hide("DG")), "2 units share a pixel")
    for part in ("hidden from the model", "not scored", "2 units share a pixel", LIGHT.event):
        assert part in text


def test_marks_that_are_not_there_are_not_explained():
    text = legend(rasters())
    assert "hidden" not in text
    assert "not scored" not in text


def test_the_time_axis_is_named_by_what_trials_are_aligned_to():
    assert time_caption(rasters()) == f"time from {SCENE.events[0].name} (ms)"
    assert time_caption(rasters(scene=replace(SCENE, events=()))) == "time from start (ms)"


def test_medians_are_told_with_their_time():
    drawable = rasters(medians=(EventLine(time_s=0.064, name="response", is_median=True),))
    assert "response, median 64 ms" in legend(drawable)
    assert time_caption(drawable) == f"time from {SCENE.events[0].name} (ms)"


def test_a_line_is_broken_between_marks_only():
    text = legend_text(rasters(mask=hide("DG")), LIGHT, "2 units share a pixel")
    lines = text.replace("<span style", "<span_style").split(" ")
    assert len(lines) == 4
    assert lines[-1].startswith("2&nbsp;units&nbsp;share")
