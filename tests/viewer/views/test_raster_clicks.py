"""Two dabs in quick succession are no double click."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QPointF, Qt
from PyQt6.QtWidgets import QApplication

from mtm_viewer.theme import LIGHT
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
    return widget


def spot(view: RasterView, place: tuple[float, float]):
    plot = view.plots[0]
    scene = plot.box.mapViewToScene(QPointF(*plot.from_entries(*place)))
    return view.graphics.mapFromScene(scene)


def test_a_double_click_paints_with_a_brush_and_zooms_out_with_the_pointer(view, qtbot):
    view.draw(rasters())
    view.plots[0].setYRange(2, 8, padding=0)
    QApplication.processEvents()
    viewport, left = view.graphics.viewport(), Qt.MouseButton.LeftButton
    view.tools.choose("brush")
    with qtbot.waitSignal(view.painter.stroke_painted):
        qtbot.mouseDClick(viewport, left, pos=spot(view, (4.5, 4.5)))
        qtbot.mouseRelease(viewport, left, pos=spot(view, (4.5, 4.5)))
    assert view.plots[0].box.viewRange()[1] == pytest.approx([2, 8], abs=0.3)
    view.tools.choose("point")
    qtbot.mouseDClick(viewport, left, pos=spot(view, (4.5, 4.5)))
    qtbot.mouseRelease(viewport, left, pos=spot(view, (4.5, 4.5)))
    assert view.plots[0].box.viewRange()[1] == pytest.approx([0, 12], abs=0.3)


def test_clicks_on_an_empty_view_do_nothing(view, qtbot, monkeypatch):
    opened: list[int] = []
    monkeypatch.setattr(view._clicks, "open_panel_menu", opened.append)
    view.graphics.show()
    with qtbot.assertNotEmitted(view.unit_clicked):
        for x in (200, 500, 800):
            for y in (15, 200):
                scene = view.graphics.mapToScene(x, y)
                qtbot.mouseClick(
                    view.graphics.viewport(),
                    Qt.MouseButton.LeftButton,
                    pos=view.graphics.mapFromScene(scene),
                )
    assert opened == []
