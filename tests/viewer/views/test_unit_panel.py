from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import QPointF, QTimer
from PyQt6.QtGui import QColor, QImage
from PyQt6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from mtm_viewer.presenters.psth import NOT_IN_SESSION
from mtm_viewer.theme import DARK, LIGHT
from mtm_viewer.views.unit_panel import EMPTY, UnitPanel
from tests.viewer.views.drawables import one_unit

pytestmark = pytest.mark.gui


@pytest.fixture
def panel(qtbot: QtBot) -> UnitPanel:
    widget = UnitPanel(LIGHT)
    qtbot.addWidget(widget)
    widget.resize(380, 950)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def _draw(panel: UnitPanel, drawable) -> None:
    panel.draw(drawable)
    for _ in range(3):
        QApplication.processEvents()


def _has(image: QImage, colour: str, tolerance: int = 6) -> bool:
    wanted = QColor(colour)
    rgb = [wanted.red(), wanted.green(), wanted.blue()]
    plain = image.convertToFormat(QImage.Format.Format_RGB888)
    bits = plain.constBits()
    assert bits is not None
    rows = np.frombuffer(bits.asstring(plain.sizeInBytes()), np.uint8)
    rows = rows.reshape(plain.height(), plain.bytesPerLine())[:, : plain.width() * 3]
    pixels = rows.reshape(plain.height(), plain.width(), 3).astype(int)
    return bool((np.abs(pixels - rgb).max(axis=2) <= tolerance).any())


def test_without_a_unit_it_says_how_to_choose_one(panel):
    assert panel.subtitle.text() == EMPTY
    assert panel.title.isHidden()
    assert panel.plots == ()


def test_title_score_and_note_are_those_of_the_drawable(panel):
    drawable = one_unit()
    _draw(panel, drawable)
    assert panel.title.text() == drawable.title
    assert panel.subtitle.text() == drawable.subtitle
    assert panel.score.text() == drawable.score
    assert panel.note.text() == drawable.note
    assert panel.time_label.text() == "time from simulated stimulus onset (ms)"


def test_every_field_has_a_plot_with_its_conditions_and_trial_counts(panel):
    drawable = one_unit()
    _draw(panel, drawable)
    assert len(panel.plots) == 4
    for plot, shown in zip(panel.plots, drawable.plots, strict=True):
        text = plot.legend.text().replace("&nbsp;", " ").replace("&gt;", ">")
        for line in shown.lines:
            assert f"{line.name} ({line.n_trials})" in text
        assert shown.title in text


def test_true_is_pale_and_model_strong_in_each_theme(panel):
    drawable = one_unit()
    for theme in (LIGHT, DARK):
        panel.set_theme(theme)
        _draw(panel, drawable)
        image = panel.plots[0].plot.grab().toImage()
        for line in drawable.plots[0].lines:
            assert _has(image, theme.pale(theme.condition(line.role)))
            assert _has(image, theme.strong(theme.condition(line.role)), tolerance=24)
        assert image.pixelColor(1, 1).name() == theme.window


def test_without_a_model_there_is_no_model_line_and_no_residual(panel):
    _draw(panel, one_unit(has_model=False))
    image = panel.plots[0].plot.grab().toImage()
    assert not _has(image, LIGHT.strong(LIGHT.condition("left")))
    assert [plot.isVisible() for plot in panel.trials.plots] == [True, False, False]


def test_a_field_that_the_session_lacks_says_so_in_place_of_a_plot(panel):
    drawable = one_unit()
    missing = replace(drawable.plots[1], lines=(), message=NOT_IN_SESSION)
    _draw(panel, replace(drawable, plots=(drawable.plots[0], drawable.plots[2], missing)))
    below = panel.plots[1].mapTo(panel, panel.plots[1].rect().bottomLeft()).y()
    label = panel.time_label.mapTo(panel, panel.time_label.rect().topLeft()).y()
    absent = panel.plots[2].mapTo(panel, panel.plots[2].rect().topLeft()).y()
    assert below < label < absent
    _draw(panel, replace(drawable, plots=(drawable.plots[0], missing, drawable.plots[2])))
    assert NOT_IN_SESSION in panel.plots[1].legend.text()
    assert panel.plots[1].plot.isHidden()
    assert panel.plots[1].accessibleDescription() == NOT_IN_SESSION
    _draw(panel, drawable)
    assert panel.plots[1].plot.isVisible()


def test_all_plots_share_one_rate_axis(panel):
    drawable = one_unit()
    _draw(panel, drawable)
    tops = {plot.plot.getViewBox().viewRange()[1][1] for plot in panel.plots}
    assert tops == {drawable.top_hz}


def test_trials_stand_in_the_order_of_the_drawable_from_the_top(panel):
    drawable = one_unit()
    _draw(panel, drawable)
    raster = panel.trials.plots[0]
    image = panel.trials.graphics.grab().toImage()
    lut = LIGHT.lut(drawable.trials[0].lut)
    for row in (0, 7, 14):
        for time_bin in (2, 8):
            scene = raster.getViewBox().mapViewToScene(QPointF((time_bin + 0.4) * 10, row + 0.45))
            found = image.pixelColor(panel.trials.graphics.mapFromScene(scene))
            wanted = lut[drawable.trials[0].image[row, time_bin]]
            assert [found.red(), found.green(), found.blue()] == pytest.approx(wanted, abs=3)


def test_the_colours_beside_the_trials_are_those_of_the_legend(panel):
    drawable = one_unit()
    _draw(panel, drawable)
    image = panel.trials.graphics.grab().toImage()
    for group in drawable.groups:
        middle = (group.start + group.stop) / 2
        scene = panel.trials.column.getViewBox().mapViewToScene(QPointF(0.5, middle))
        found = image.pixelColor(panel.trials.graphics.mapFromScene(scene))
        assert found.name() == LIGHT.condition(group.role)


def test_a_unit_with_fewer_plots_hides_the_others(panel):
    drawable = one_unit()
    _draw(panel, drawable)
    _draw(panel, replace(drawable, plots=drawable.plots[:1]))
    assert len(panel.plots) == 1
    _draw(panel, None)
    assert panel.plots == ()
    assert panel.trials.isHidden()


def test_every_part_has_a_name_for_screen_readers(panel):
    _draw(panel, one_unit())
    parts = (panel, panel.title, panel.subtitle, panel.score, panel.note, panel.trials)
    assert all(part.accessibleName() for part in (*parts, *panel.plots))
    assert "trials, true mean" in panel.plots[0].accessibleDescription()


def test_drawn_by_parts_it_ends_as_if_drawn_at_once(panel, qtbot):
    drawable = one_unit(5)
    _draw(panel, drawable)
    at_once = panel.grab().toImage()
    _draw(panel, one_unit(2))
    with qtbot.waitSignal(panel.drawn):
        panel.draw_by_parts(drawable)
        assert panel.title.text() == drawable.title
    for _ in range(3):
        QApplication.processEvents()
    assert panel.grab().toImage() == at_once


def test_between_the_parts_the_window_answers(panel, qtbot):
    _draw(panel, one_unit(2))
    ticks: list[int] = []
    clock = QTimer(panel)
    clock.timeout.connect(lambda: ticks.append(1))
    clock.start(0)
    with qtbot.waitSignal(panel.drawn):
        panel.draw_by_parts(one_unit(5))
    clock.stop()
    assert len(ticks) >= len(panel.plots)


def test_another_unit_takes_the_place_of_one_that_is_half_drawn(panel, qtbot):
    last = one_unit(7)
    with qtbot.waitSignal(panel.drawn):
        panel.draw_by_parts(one_unit(2))
        panel.draw_by_parts(last)
    assert panel.title.text() == last.title
    assert all(plot._shown[1] is last for plot in panel.plots)
    assert panel.trials._drawable is last


def test_no_unit_takes_the_place_of_one_that_is_half_drawn(panel, qtbot):
    with qtbot.waitSignal(panel.drawn):
        panel.draw_by_parts(one_unit(2))
        panel.draw_by_parts(None)
    assert panel.plots == ()
    assert panel.trials.isHidden()
