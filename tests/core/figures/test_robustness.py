from __future__ import annotations

from dataclasses import replace

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from mtm_core.evaluation.robustness import CurvePoint, RobustnessReport, TaskCurves
from mtm_core.evaluation.scores import Judgement
from mtm_core.figures.robustness import draw_robustness, make_figure

HEADER = {
    "session": "simulated-0",
    "is_simulated": True,
    "preset": "quick",
    "n_trials": 12,
    "split": "test",
    "split_kind": "random",
    "split_seed": 0,
    "null": "train_mean",
    "n_draws": 2,
    "seed": 0,
    "train_step": 3,
    "train_seed": 0,
    "checkpoint": "model.safetensors",
    "damages": {"dropped": "...", "added": "...", "thinned": "..."},
}


def judgement(bps: float | None) -> Judgement:
    interval = None if bps is None else (bps - 0.05, bps + 0.05)
    return Judgement(
        bps_pooled=bps,
        interval=interval,
        bps_unit_mean=bps,
        interval_unit_mean=interval,
        bps_beyond_psth=bps,
        interval_beyond_psth=interval,
        d2=bps,
    )


def point(level: float, bps: float | None) -> CurvePoint:
    return CurvePoint(level=level, mean=judgement(bps), draws=(bps, bps) if level else (bps,))


def make_report(worst: float | None = 0.05) -> RobustnessReport:
    curves = {kind: (point(0, 0.4), point(0.5, worst)) for kind in HEADER["damages"]}
    task = TaskCurves(n_units=5, n_units_all=9, n_spikes=300, psth=judgement(0.1), curves=curves)
    return RobustnessReport(header=HEADER, tasks={"co_smoothing": task, "inter_region": task})


def texts(figure) -> str:
    drawn = [*figure.texts, *(text for axes in figure.axes for text in axes.texts)]
    return " ".join(text.get_text() for text in drawn).replace("\n", " ")


def test_the_figure_says_what_it_shows():
    figure = make_figure(make_report())
    FigureCanvasAgg(figure).draw()
    assert len(figure.axes) == 6
    said = texts(figure)
    for words in ("5 of 9 units, 300 spikes", "Null: train_mean", "(simulated)", "2 draws"):
        assert words in said
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels[:2] == ["co-smoothing", "co-smoothing, PSTH alone"]


def test_no_text_leaves_the_figure():
    report = make_report()
    figure = make_figure(replace(report, header={**HEADER, "checkpoint": "a/long/path/" * 9}))
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    width, height = canvas.get_width_height()
    for text in (*figure.texts, *figure.legends[0].get_texts()):
        box = text.get_window_extent(canvas.get_renderer())
        assert 0 <= box.x0 < box.x1 <= width
        assert 0 <= box.y0 < box.y1 <= height


def test_scores_far_below_the_null_do_not_flatten_the_curves():
    figure = make_figure(make_report(worst=-3.0))
    assert figure.axes[0].get_ylim()[0] == pytest.approx(-0.2)
    assert "-3.00" in texts(figure)


def test_absent_scores_are_left_out(tmp_path):
    path = tmp_path / "r.svg"
    draw_robustness(make_report(worst=None), path)
    assert "nan" not in path.read_text().lower()
