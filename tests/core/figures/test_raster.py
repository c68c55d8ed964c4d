from __future__ import annotations

import itertools
import re
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.image import imread

from mtm_core.errors import OutputError
from mtm_core.figures.raster import draw_raster, make_figure, recipe_lines
from mtm_core.figures.raster_content import MapScore, PredictedMap
from tests.core.figures.contents import make_content

NAMES = ("bands", "recorded", "model", "rival", "bar", "difference", "difference bar", "units")


def _render(figure) -> np.ndarray:
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].astype(int)


def _axes(figure, name):
    return figure.axes[NAMES.index(name)]


def _pixel(image, axes, time_ms, row):
    x, y = axes.transData.transform((time_ms, row))
    return image[round(image.shape[0] - y), round(x)]


def _texts(figure):
    """Return every text that is drawn: not the ticks beyond the ends of an axis."""
    beyond = set()
    for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
        low, high = sorted(axis.get_view_interval())
        ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
        for tick in ticks:
            if not low <= tick.get_loc() <= high:
                beyond |= {tick.label1, tick.label2}
    found = figure.findobj(lambda item: hasattr(item, "get_text"))
    return [t for t in found if t.get_text().strip() and t.get_visible() and t not in beyond]


@pytest.mark.parametrize(("row", "time_bin"), [(0, 0), (0, 39), (11, 0), (5, 17)])
def test_a_bright_entry_stands_in_its_row_and_under_its_time(row, time_bin):
    true_hz = np.zeros((40, 12))
    true_hz[time_bin, row] = 100.0
    figure = make_figure(make_content(true_hz), sigma_s=0.0)
    image = _render(figure)
    for name in ("recorded", "model", "rival"):
        axes = _axes(figure, name)
        assert _pixel(image, axes, 10 * time_bin + 7, row + 0.5).sum() > 650
        for other_row, other_bin in ((row - 1, time_bin), (row, time_bin - 1), (row + 1, 20)):
            if 0 <= other_row < 12 and 0 <= other_bin < 40:
                assert _pixel(image, axes, 10 * other_bin + 7, other_row + 0.5).sum() < 60


def test_time_is_in_milliseconds_from_the_event():
    figure = make_figure(make_content())
    axes = _axes(figure, "recorded")
    assert axes.get_xlabel() == "time from visual stimulus onset (ms)"
    low, high = axes.get_xlim()
    assert -10 < low < 0
    assert 400 < high < 410


def test_the_event_line_at_the_start_of_the_window_is_drawn_whole():
    figure = make_figure(make_content(np.zeros((40, 12))))
    image = _render(figure)
    for name in ("recorded", "model", "rival", "difference"):
        red, green, blue = _pixel(image, _axes(figure, name), 0.0, 5.5)
        assert blue > 150
        assert blue > red + 60
        assert green > red


def test_before_the_event_there_is_no_line_at_the_edge():
    content = make_content(np.zeros((40, 12)))
    late = replace(content, bin_start_s=content.bin_start_s + 0.2)
    figure = make_figure(late)
    assert len(_axes(figure, "recorded").lines) == 0


def test_all_maps_share_the_scale_of_the_recorded_one():
    content = make_content()
    louder = replace(content, model=replace(content.model, rate_hz=content.model.rate_hz * 100))
    for each in (content, louder):
        figure = make_figure(each)
        limits = {
            (_axes(figure, name).images[0].norm.vmin, _axes(figure, name).images[0].norm.vmax)
            for name in ("recorded", "model", "rival")
        }
        assert len(limits) == 1
    assert limits == {(0.0, make_figure(content).axes[1].images[0].norm.vmax)}


def test_the_difference_is_in_expected_errors_and_centred():
    content = make_content(np.full((40, 12), 20.0), model_hz=np.full((40, 12), 10.0))
    figure = make_figure(content, sigma_s=0.0)
    image = _axes(figure, "difference").images[0]
    error_hz = np.sqrt(10.0 / (68 * 0.01))
    np.testing.assert_allclose(image.get_array(), 10.0 / error_hz)
    assert (image.norm.vmin, image.norm.vmax) == (-4.0, 4.0)
    assert _axes(figure, "difference bar").get_ylabel() == "expected Poisson errors"


def test_a_perfect_model_leaves_no_difference():
    figure = make_figure(make_content())
    assert np.all(_axes(figure, "difference").images[0].get_array() == 0)
    texts = [text.get_text() for text in _axes(figure, "difference").texts]
    assert any(text.startswith("0 % beyond") for text in texts)


def test_regions_are_banded_in_the_colours_of_the_atlas_with_names_and_counts():
    content = make_content(regions=("VISp",) * 20 + ("CA1",) * 10)
    figure = make_figure(content)
    image = _render(figure)
    bands = _axes(figure, "bands")
    assert _pixel(image, bands, 0.5, 10).tolist() == [0x08, 0x85, 0x8C]
    assert _pixel(image, bands, 0.5, 25).tolist() == [0x7E, 0xD0, 0x4B]
    assert {text.get_text() for text in bands.texts} == {"VISp\n20 units", "CA1\n10 units"}


def test_units_are_numbered_where_there_is_room():
    few = _axes(make_figure(make_content()), "recorded").get_yticklabels()
    assert [label.get_text() for label in few][:3] == ["#0", "#1", "#2"]
    many = make_content(regions=("CA1",) * 200)
    assert len(_axes(make_figure(many), "recorded").get_yticks()) == 0


def test_forward_prediction_shows_the_predicted_bins_and_where_they_begin():
    content = make_content(first_bin=36)
    figure = make_figure(content)
    for name in ("model", "rival", "difference"):
        axes = _axes(figure, name)
        assert axes.images[0].get_extent()[:2] == pytest.approx([360, 400])
        assert axes.get_xlim()[0] > 350
    (line,) = [x for x in _axes(figure, "recorded").lines if x.get_xdata()[0] == 360]
    assert line.get_linestyle() != "-"


def test_every_unit_is_scored_beside_its_row_and_few_spikes_are_told_apart():
    content = make_content()
    figure = make_figure(content)
    axes = _axes(figure, "units")
    dots = [line for line in axes.lines if line.get_marker() in "o<>" and len(line.get_xdata())]
    shown = np.sort(np.concatenate([line.get_ydata() for line in dots]))
    np.testing.assert_allclose(shown, np.arange(1, 12) + 0.5)
    open_dots = [line for line in dots if line.get_markerfacecolor() == "white"]
    assert sum(len(line.get_xdata()) for line in open_dots) == 2
    assert any("3 units" in text.get_text() for text in axes.texts)


def test_units_beyond_the_axis_are_arrow_heads_at_its_end():
    content = make_content()
    bps = content.unit_bps.copy()
    bps[1] = -50.0
    figure = make_figure(replace(content, unit_bps=bps))
    axes = _axes(figure, "units")
    (arrow,) = [x for x in axes.lines if x.get_marker() == "<" and len(x.get_xdata())]
    assert arrow.get_ydata().tolist() == [1.5]
    assert arrow.get_xdata()[0] == pytest.approx(axes.get_xlim()[0])


@pytest.mark.parametrize(
    ("score", "words"),
    [
        (MapScore(bps=0.212, interval=(-0.149, 0.284)), "0.212 bits/spike beyond PSTH\n[−0.149"),  # noqa: RUF001
        (MapScore(bps=0.2, interval=None), "0.200 bits/spike beyond PSTH"),
        (MapScore(bps=None, interval=None), "no spike to score"),
        (None, "by definition"),
    ],
)
def test_each_map_carries_its_score(score, words):
    content = make_content()
    rival = PredictedMap(title="PSTH null", rate_hz=content.rival.rate_hz, score=score)
    figure = make_figure(replace(content, rival=rival))
    assert any(words in text.get_text() for text in _axes(figure, "rival").texts)


@pytest.mark.parametrize("n_rows", [3, 12, 60, 400])
def test_no_text_is_cut_or_covers_another(n_rows):
    regions = ("VISp",) * (n_rows // 2) + ("CA1",) * (n_rows - n_rows // 2)
    figure = make_figure(make_content(regions=regions))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    width, height = canvas.get_width_height()
    boxes = {text: text.get_window_extent(renderer) for text in _texts(figure)}
    for text, box in boxes.items():
        assert box.x0 >= 0, text
        assert box.x1 <= width, text
        assert box.y0 >= 0, text
        assert box.y1 <= height, text
    for (one, box), (two, other) in itertools.combinations(boxes.items(), 2):
        shared = min(box.x1, other.x1) - max(box.x0, other.x0)
        overlap = min(box.y1, other.y1) - max(box.y0, other.y0)
        assert shared <= 1 or overlap <= 1, (one.get_text(), two.get_text())


def test_a_long_title_is_shortened_rather_than_cut():
    title = "many regions " * 30
    figure = make_figure(make_content(title=title))
    assert figure.texts[0].get_text().endswith("...")


def test_the_recipe_tells_the_choices_of_drawing():
    content = make_content()
    smoothed = " ".join(recipe_lines(content, 0.02))
    assert "Gaussian of 20 ms" in smoothed
    assert content.recipe[0] in smoothed
    assert "99th percentile of the recorded map" in smoothed
    assert "not smoothed" in " ".join(recipe_lines(content, 0.0))


def test_a_png_has_a_pixel_for_every_row_and_carries_its_recipe(tmp_path):
    from PIL import Image

    path = tmp_path / "f.png"
    content = make_content(regions=("CA1",) * 3000, n_bins=4)
    draw_raster(content, path)
    assert imread(path).shape[0] > 3000
    with Image.open(path) as picture:
        assert picture.info["Title"] == content.title
        assert "Session s, content" in picture.info["Description"]


def test_an_svg_keeps_text_as_text_and_its_recipe_and_is_the_same_each_time(tmp_path):
    path = tmp_path / "f.svg"
    draw_raster(make_content(), path)
    first = path.read_bytes()
    draw_raster(make_content(), path)
    assert path.read_bytes() == first
    root = ET.fromstring(first)
    texts = " ".join(node.text or "" for node in root.iter() if node.tag.endswith("}text"))
    assert "Temporal baseline" in texts
    assert b"Session s, content 0123456789ab." in first
    assert re.search(rb"<dc:date>", first) is None


def test_a_pdf_is_one(tmp_path):
    path = tmp_path / "f.PDF"
    draw_raster(make_content(), path)
    assert path.read_bytes().startswith(b"%PDF-")
    assert b"CreationDate" not in path.read_bytes()


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("f.gif", "'.gif', but a figure is written as"),
        ("f", "no ending"),
        ("no/f.png", "no folder"),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_in_a_sentence(tmp_path, name, sentence):
    with pytest.raises(OutputError, match=sentence):
        draw_raster(make_content(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_picture_and_no_rest(tmp_path, monkeypatch):
    path = tmp_path / "f.png"
    path.write_bytes(b"old")

    def fail(*args: object, **kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("matplotlib.figure.Figure.savefig", fail)
    with pytest.raises(OutputError, match="space"):
        draw_raster(make_content(), path)
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["f.png"]
