"""The overview is there while zoomed in, frames what is in view, and moves it."""

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


def rows_in_view(view: RasterView) -> list[float]:
    return view.plots[0].box.viewRange()[1]


def test_the_overview_is_there_only_while_one_is_zoomed_in(view):
    assert not view.overview.isVisible()
    view.show_region("CA1")
    assert view.overview.isVisible()
    view.show_all()
    assert not view.overview.isVisible()


def test_it_shows_every_row_and_frames_those_in_view(view):
    view.plots[0].setYRange(2, 5, padding=0)
    frame = view.overview.frame.rect()
    assert (frame.top(), frame.bottom()) == pytest.approx((2, 5), abs=0.2)
    assert view.overview.box.viewRange()[1] == pytest.approx([0, 12], abs=0.01)
    assert np.array_equal(view.overview.image.image, view.drawable.panels[0].image)


def test_a_click_brings_its_place_into_the_middle(view, qtbot):
    view.plots[0].setYRange(0, 3, padding=0)
    QApplication.processEvents()
    place = view.overview.box.mapViewToScene(QPointF(50.0, 8.0))
    where = view.graphics.mapFromScene(place)
    qtbot.mouseClick(view.graphics.viewport(), Qt.MouseButton.LeftButton, pos=where)
    assert rows_in_view(view) == pytest.approx([6.5, 9.5], abs=0.3)


def test_a_drag_follows_the_pointer_and_stops_at_the_edge(view):
    view.plots[0].setYRange(0, 4, padding=0)
    view.overview.moved.emit(50.0, 6.0)
    assert rows_in_view(view) == pytest.approx([4, 8], abs=0.2)
    view.overview.moved.emit(50.0, 40.0)
    assert rows_in_view(view) == pytest.approx([8, 12], abs=0.2)


def test_it_takes_the_colours_of_the_theme(view):
    view.set_theme(DARK)
    assert view.overview.frame.pen().color().name() == DARK.event


def test_keys_zoom_and_scroll(view, qtbot):
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Down)
    qtbot.keyClick(view, Qt.Key.Key_Plus)
    low, high = rows_in_view(view)
    assert high - low == pytest.approx(0.7 * 12, abs=0.2)
    qtbot.keyClick(view, Qt.Key.Key_PageDown)
    assert rows_in_view(view)[1] == pytest.approx(12, abs=0.1)
    qtbot.keyClick(view, Qt.Key.Key_PageUp)
    assert rows_in_view(view)[0] == pytest.approx(0, abs=0.1)
    qtbot.keyClick(view, Qt.Key.Key_Minus)
    assert rows_in_view(view) == pytest.approx([0, 12], abs=0.2)
