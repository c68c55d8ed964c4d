"""What the painter makes of gestures, and what it shows meanwhile."""

from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtCore import QPointF, Qt
from PyQt6.QtWidgets import QApplication

from mtm_viewer.theme import DARK, LIGHT
from mtm_viewer.views.raster_view import RasterView
from tests.viewer.views.drawables import rasters

pytestmark = pytest.mark.gui


@pytest.fixture
def view(qtbot) -> RasterView:
    widget = RasterView(LIGHT)
    qtbot.addWidget(widget)
    widget.resize(1000, 500)
    with qtbot.waitExposed(widget):
        widget.show()
    widget.draw(rasters())
    QApplication.processEvents()
    return widget


def click(qtbot, view: RasterView, place: tuple[float, float], modifier=None) -> None:
    plot = view.plots[0]
    scene = plot.box.mapViewToScene(QPointF(*plot.from_entries(*place)))
    where = view.graphics.mapFromScene(scene)
    modifier = modifier or Qt.KeyboardModifier.NoModifier
    qtbot.mouseClick(view.graphics.viewport(), Qt.MouseButton.LeftButton, modifier, where)


def test_a_click_with_the_brush_is_a_dab(view, qtbot):
    view.tools.choose("brush")
    view.tools.width_px.setValue(2)
    with qtbot.waitSignal(view.painter.stroke_painted) as heard:
        click(qtbot, view, (4.5, 3.5))
    (stroke,) = heard.args
    assert np.argwhere(stroke.is_inside).tolist() == [[3, 4]]
    assert stroke.unit_id.tolist() == view._drawable.rows.unit_id.tolist()
    assert (stroke.extent, stroke.is_erasing) == ("entries", False)


def test_the_width_of_the_brush_is_in_pixels_of_the_screen(view, qtbot):
    view.tools.choose("brush")
    plot = view.plots[0]
    row_px = plot.box.height() / 12
    view.tools.width_px.setValue(round(3 * row_px))
    with qtbot.waitSignal(view.painter.stroke_painted) as heard:
        click(qtbot, view, (4.5, 5.5))
    assert heard.args[0].is_inside[:, 4].sum() == 3


def test_the_space_bar_paints_the_entry_under_the_crosshair(view, qtbot):
    view.tools.choose("brush")
    view.tools.width_px.setValue(2)
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Down)
    with qtbot.waitSignal(view.painter.stroke_painted) as heard:
        qtbot.keyClick(view, Qt.Key.Key_Space)
    assert np.argwhere(heard.args[0].is_inside).tolist() == [[1, 0]]


def test_with_the_pointer_a_click_paints_nothing(view, qtbot):
    with qtbot.assertNotEmitted(view.painter.stroke_painted):
        click(qtbot, view, (4.5, 3.5))
        qtbot.keyClick(view, Qt.Key.Key_Space)


def test_another_set_of_rows_drops_a_stroke_that_is_going_on(view):
    painter, plot = view.painter, view.plots[0]
    painter._path = [(1.5, 1.5)]
    painter._cover(plot)
    assert painter.covers[0].isVisible()
    painter.set_units(view._drawable.rows.unit_id)
    assert not painter.covers[0].isVisible()


def test_what_is_covered_is_shown_in_the_colours_of_the_theme(view):
    view.set_theme(DARK)
    painter, plot = view.painter, view.plots[1]
    view.tools.choose("lasso")
    painter._path = [(1.0, 1.0), (6.0, 1.0), (6.0, 6.0)]
    painter._cover(plot)
    assert painter.covers[1].isVisible()
    assert painter.outlines[1].isVisible()
    x, y = painter.outlines[1].getData()
    assert (x[0], y[0]) == (x[-1], y[-1])


def test_ctrl_picks_one_row_and_shift_all_from_the_last_click(view, qtbot):
    units = view._drawable.rows.unit_id.tolist()
    with qtbot.waitSignal(view.unit_clicked):
        click(qtbot, view, (4.5, 2.5))
    with qtbot.waitSignal(view.units_picked) as heard:
        click(qtbot, view, (4.5, 5.5), Qt.KeyboardModifier.ShiftModifier)
    assert heard.args[0] == units[2:6]
    with qtbot.waitSignal(view.units_picked) as heard:
        click(qtbot, view, (4.5, 8.5), Qt.KeyboardModifier.ControlModifier)
    assert heard.args[0] == units[8:9]
    with qtbot.waitSignal(view.units_picked) as heard:
        click(qtbot, view, (4.5, 7.5), Qt.KeyboardModifier.ShiftModifier)
    assert heard.args[0] == units[7:9]


def test_regions_are_picked_on_their_bands(view, qtbot):
    band = view.column.getViewBox()
    first, second, third = (band.region for band in view._drawable.rows.bands)
    for row, modifier, wanted in (
        (1.0, Qt.KeyboardModifier.ControlModifier, [first]),
        (9.0, Qt.KeyboardModifier.ShiftModifier, [first, second, third]),
    ):
        where = view.graphics.mapFromScene(band.mapViewToScene(QPointF(0.5, row)))
        with qtbot.waitSignal(view.regions_picked) as heard:
            qtbot.mouseClick(view.graphics.viewport(), Qt.MouseButton.LeftButton, modifier, where)
        assert heard.args[0] == wanted
