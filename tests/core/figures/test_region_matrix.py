from __future__ import annotations

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from mtm_core.errors import OutputError
from mtm_core.figures.region_matrix import draw_region_matrix, make_figure, number, recipe
from tests.core.evaluation.matrices import REGIONS, UNTRAINED, make_report


def texts(figure) -> list[str]:
    drawn = [*figure.texts, *(text for axes in figure.axes for text in axes.texts)]
    return [text.get_text().replace("\n", " ") for text in drawn]


def test_every_known_cell_stands_in_its_place():
    report = make_report()
    figure = make_figure(report)
    FigureCanvasAgg(figure).draw()
    model = figure.axes[0]
    assert [label.get_text() for label in model.get_xticklabels()] == list(REGIONS)
    assert [label.get_text() for label in model.get_yticklabels()] == list(REGIONS)
    written = {text.get_position(): text.get_text() for text in model.texts}
    assert len(written) == 6
    for (row, column), cell in report.cells.items():
        place = (REGIONS.index(column), REGIONS.index(row))
        assert written[place] == number(cell.model.score.value)


def test_bold_numbers_are_those_whose_interval_leaves_out_zero():
    report = make_report()
    model = make_figure(report).axes[0]
    for text in model.texts:
        column, row = text.get_position()
        cell = report.cells[REGIONS[row], REGIONS[column]]
        assert (text.get_weight() == "bold") == (not cell.model.score.spans_zero)


def test_it_says_predictive_not_causal_and_how_it_was_made():
    words = " ".join(texts(make_figure(make_report())))
    assert "Predictive, not causal." in words
    assert "simulated-0 (simulated)" in words
    assert "5 of its units" in words
    assert "2 draws of units (seed 0), regions as given" in words
    assert "Left out: root: not a named region" in words
    assert "not trained" not in words


def test_an_untrained_model_wears_its_badge():
    words = " ".join(texts(make_figure(make_report(reason=UNTRAINED))))
    assert "Not trained for this: it is a mask of region-subset" in words


def test_ceilings_and_floors_stand_below_their_columns():
    report = make_report()
    figure = make_figure(report)
    strip = next(
        axes for axes in figure.axes if len(axes.texts) == 6 and axes is not figure.axes[0]
    )
    numbers = {text.get_position(): text.get_text() for text in strip.texts}
    for place, name in enumerate(REGIONS):
        assert numbers[place, 0] == number(report.columns[name].ceiling.value)
        assert numbers[place, 1] == number(report.columns[name].floor.value)


def test_an_unfinished_matrix_says_so_and_draws_what_there_is():
    report = make_report(is_done=False)
    assert "0 of 12 steps done" in recipe(report)
    figure = make_figure(report)
    FigureCanvasAgg(figure).draw()
    assert not figure.axes[0].texts


@pytest.mark.parametrize("regions", [("CA1", "DG"), tuple(f"area {n}" for n in range(9))])
@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_small_and_large_matrices_are_written(tmp_path, regions, suffix):
    path = tmp_path / f"m.{suffix}"
    draw_region_matrix(make_report(regions), path)
    assert path.stat().st_size > 5000


def test_a_wrong_ending_is_a_sentence(tmp_path):
    with pytest.raises(OutputError, match="but a figure is written as"):
        draw_region_matrix(make_report(), tmp_path / "m.txt")


def test_nothing_overlaps_the_words_at_the_foot():
    figure = make_figure(make_report())
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    foot = max(figure.texts, key=lambda text: len(text.get_text()))
    top = foot.get_window_extent(canvas.get_renderer()).y1
    assert all(axes.get_tightbbox(canvas.get_renderer()).y0 > top for axes in figure.axes)
