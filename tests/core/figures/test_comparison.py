from __future__ import annotations

import pytest
from PIL import Image

from mtm_core.figures.comparison import (
    Caption,
    Points,
    draw_curves,
    draw_regions,
    draw_sessions,
    draw_units,
)

CAPTION = Caption(title="Model against baseline", recipe="made by a test", x="baseline", y="model")


@pytest.mark.parametrize("name", ["sessions", "units", "regions", "curves"])
def test_each_figure_is_written_with_its_recipe(name, tmp_path):
    path = tmp_path / f"{name}.png"
    some = Points(x=[0.1, 0.2], y=[0.2, 0.1], group=["random", "blocked"], rate_hz=[0.0, 5.0])
    if name == "sessions":
        draw_sessions({"co-smoothing": some, "intra-region": some}, CAPTION, path)
    elif name == "units":
        draw_units({"co-smoothing": some}, CAPTION, path)
    elif name == "regions":
        draw_regions({"co-smoothing": {"CA1": (0.1, 0.2), "DG": (-0.1, 0.3)}}, CAPTION, path)
    else:
        draw_curves({"co-smoothing": [(0, 0.1, 0.0), (5, 0.2, 0.01)]}, CAPTION, path)
    with Image.open(path) as image:
        assert image.text["Description"] == "made by a test"
        assert image.size[0] > 300


def test_one_session_is_a_figure_too(tmp_path):
    one = Points(x=[0.1], y=[0.1], group=["random"])
    draw_sessions({"co-smoothing": one}, CAPTION, tmp_path / "one.svg")
    assert "above the line: 0 of 1" in (tmp_path / "one.svg").read_text()
