from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PyQt6.QtCore import QEvent, QPoint, QPointF, Qt
from PyQt6.QtGui import QColor, QImage, QMouseEvent
from PyQt6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from mtm_core.evaluation.row_order import keep_rows
from mtm_viewer.presenters.raster_drawable import RasterDrawable
from mtm_viewer.presenters.raster_scene import EventLine, raster_scene
from mtm_viewer.presenters.raster_settings import RasterSettings
from mtm_viewer.theme import DARK, LIGHT
from mtm_viewer.views.raster_view import RasterView
from tests.core.sessions import make_session
from tests.viewer.views.drawables import PLAIN, SCENE, SESSION, hide, rasters

pytestmark = pytest.mark.gui
WIDTH, HEIGHT = 1100, 500


@pytest.fixture
def view(qtbot: QtBot) -> RasterView:
    widget = RasterView(LIGHT)
    qtbot.addWidget(widget)
    widget.resize(WIDTH, HEIGHT)
    with qtbot.waitExposed(widget):
        widget.show()
    return widget


def _show(view: RasterView, drawable) -> QImage:
    view.draw(drawable)
    for _ in range(3):
        QApplication.processEvents()
    return view.graphics.grab().toImage()


def _legend(view: RasterView) -> str:
    """Return the legend with its spaces as they are seen."""
    return view.legend.text().replace("&nbsp;", " ")


def _pixel(view: RasterView, panel: int, row: float, time_ms: float) -> QPoint:
    box = view.plots[panel].getViewBox()
    scene = box.mapViewToScene(QPointF(time_ms, row))
    return view.graphics.mapFromScene(scene)


def _colour(view: RasterView, image: QImage, panel: int, row: int, time_bin: int) -> QColor:
    """Return the colour well inside an entry, off its centre (where lines may be)."""
    return image.pixelColor(_pixel(view, panel, row + 0.3, (time_bin + 0.3) * 10))


def _single(row: int, time_bin: int) -> np.ndarray:
    true_hz = np.zeros((10, 12))
    true_hz[time_bin, SCENE.order.rows[row]] = 50.0
    return true_hz


def _grey(colour: QColor) -> int:
    return colour.red()


@pytest.mark.parametrize(("row", "time_bin"), [(0, 0), (0, 9), (11, 0), (4, 7)])
def test_a_bright_entry_stands_at_its_row_from_the_top_and_in_its_bin(view, row, time_bin):
    image = _show(view, rasters(_single(row, time_bin), _single(row, time_bin)))
    for panel in (0, 1):
        assert _grey(_colour(view, image, panel, row, time_bin)) > 240
        dark = [
            _grey(_colour(view, image, panel, other_row, other_bin))
            for other_row in range(12)
            for other_bin in range(10)
            if (other_row, other_bin) != (row, time_bin)
        ]
        assert max(dark) < 15


def test_a_bright_column_starts_at_the_tick_of_its_time_and_row_0_is_on_top(view):
    true_hz = np.zeros((10, 12))
    true_hz[4] = 50.0
    image = _show(view, rasters(true_hz, true_hz))
    first, last = _pixel(view, 0, 0.0, 2.0), _pixel(view, 0, 12.0, 98.0)
    assert first.y() < last.y()
    middle = (first.y() + last.y()) // 2
    bright = [x for x in range(first.x(), last.x()) if _grey(image.pixelColor(x, middle)) > 240]
    ticks = [
        x
        for x in range(first.x(), last.x())
        if _distance(image.pixelColor(x, last.y() + 3), QColor(LIGHT.border)) < 25
    ]
    assert view.plots[0].getAxis("bottom").tickSpacing(0, 100, last.x() - first.x())[0][0] == 20
    assert min(abs(tick - bright[0]) for tick in ticks) <= 1
    assert len(bright) == pytest.approx((last.x() - first.x()) / 9.6, abs=2)


def test_colours_are_those_of_the_table(view):
    true_hz = np.tile(np.linspace(0, 100, 10)[:, None], (1, 12))
    settings = replace(PLAIN, colour_map="viridis")
    drawable = rasters(true_hz, true_hz, settings=settings)
    image = _show(view, drawable)
    lut = LIGHT.lut("viridis")
    for time_bin in range(1, 10):
        expected = lut[drawable.panels[0].image[5, time_bin]]
        found = _colour(view, image, 0, 5, time_bin)
        assert [found.red(), found.green(), found.blue()] == pytest.approx(expected, abs=2)


def test_hidden_entries_are_hatched_in_the_model_panels_only(view):
    flat = np.full((10, 12), 20.0)
    image = _show(view, rasters(flat, flat, mask=hide("CA1"), temporal_hz=flat))
    for panel, is_hatched in ((0, False), (1, True), (2, True)):  # truth, model, baseline
        hidden = _distinct_colours(view, image, panel, 4.2, 7.8)
        assert (len(hidden) > 1) == is_hatched


def test_entries_that_are_not_scored_are_greyed_in_the_model_panels_only(view):
    flat = np.full((10, 12), 20.0)
    settings = replace(PLAIN, colour_map="magma")
    drawable = rasters(flat, flat, mask=hide("CA1"), temporal_hz=flat, settings=settings)
    image = _show(view, drawable)
    bare = _colour(view, image, 0, 1, 5)
    for panel in (1, 2):
        assert _colour(view, image, panel, 1, 5).saturation() < 0.5 * bare.saturation()


def test_a_difference_is_veiled_but_not_hatched(view):
    flat = np.full((10, 12), 20.0)
    image = _show(view, rasters(flat, flat * 0.8, mask=hide("CA1")))
    assert len(_distinct_colours(view, image, 2, 4.2, 7.8)) == 1
    plain, veiled = _colour(view, image, 2, 5, 5), _colour(view, image, 2, 1, 5)
    assert veiled.saturation() < plain.saturation()


def test_without_a_mask_no_panel_is_hatched(view):
    flat = np.full((10, 12), 20.0)
    image = _show(view, rasters(flat, flat))
    assert len(_distinct_colours(view, image, 1, 4.2, 7.8)) == 1


def test_the_hatch_keeps_its_width_when_zoomed_in(view):
    flat = np.full((10, 12), 20.0)
    drawable = rasters(flat, flat, mask=hide("CA1"))
    wide = _light_share(view, _show(view, drawable), 4.2, 7.8)
    view.show_region("CA1")
    near = _light_share(view, _show(view, drawable), 4.2, 7.8)
    assert near == pytest.approx(wide, rel=0.25)


def test_the_event_line_at_the_very_start_of_the_window_is_visible(view):
    image = _show(view, rasters(np.zeros((10, 12)), np.zeros((10, 12))))
    spot = _pixel(view, 0, 6.3, 0.0)
    near = [image.pixelColor(spot.x() + dx, spot.y()) for dx in (-1, 0, 1)]
    wanted = QColor(LIGHT.event)
    assert min(_distance(colour, wanted) for colour in near) < 40


def test_the_event_line_moves_with_the_window(view):
    scene_like = rasters()
    shifted = replace(
        scene_like,
        bin_start_s=scene_like.bin_start_s - 0.05,
        events=(EventLine(time_s=0.0, name="stimulus onset"),),
    )
    image = _show(view, shifted)
    spot = _pixel(view, 0, 6.3, 0.0)
    near = [image.pixelColor(spot.x() + dx, spot.y()) for dx in (-1, 0, 1)]
    assert min(_distance(colour, QColor(LIGHT.event)) for colour in near) < 40
    assert "time from stimulus onset (ms)" in view.time_label.text


def test_regions_have_the_colours_of_the_atlas_and_their_names(view):
    image = _show(view, rasters())
    box = view.column.getViewBox()
    for band in view.column._rows.bands:
        middle = box.mapViewToScene(QPointF(0.5, (band.start + band.stop) / 2))
        found = image.pixelColor(view.graphics.mapFromScene(middle))
        wanted = view.column._rows.colour[band.start]
        assert [found.red(), found.green(), found.blue()] == pytest.approx(wanted, abs=3)


def test_names_of_regions_give_way_to_numbers_of_units_when_zoomed_in(view):
    _show(view, rasters())
    view.resize(WIDTH, 170)
    _show(view, rasters())
    names = [text for _, text in view.column.getAxis("left")._tickLevels[0]]
    assert set(names) <= {"CA1", "DG", "VISp"}
    view.resize(WIDTH, HEIGHT)
    _show(view, rasters())
    texts = [text for _, text in view.column.getAxis("left")._tickLevels[0]]
    assert texts[:2] == ["#8", "#9"]


def test_all_panels_zoom_together_and_come_back(view):
    _show(view, rasters())
    view.plots[1].setRange(xRange=(20, 60), yRange=(3, 8), padding=0)
    _show(view, rasters())
    for plot in view.plots:
        (left, right), (low, high) = plot.getViewBox().viewRange()
        assert (left, right) == pytest.approx((20, 60), abs=1)
        assert (low, high) == pytest.approx((3, 8), abs=0.2)
    assert view.column.getViewBox().viewRange()[1] == pytest.approx([3, 8], abs=0.2)
    view.show_all()
    assert view.plots[2].getViewBox().viewRange()[1] == pytest.approx([0, 12], abs=0.2)


def test_a_refined_average_keeps_the_zoom_and_other_rows_reset_it(view):
    _show(view, rasters())
    view.show_region("CA1")
    _show(view, rasters())
    assert view.plots[0].getViewBox().viewRange()[1] == pytest.approx([4, 8], abs=0.2)
    fewer = rasters(order=replace_order("CA1"))
    _show(view, fewer)
    assert view.plots[0].getViewBox().viewRange()[1] == pytest.approx([0, 4], abs=0.2)


def replace_order(region: str):
    return keep_rows(SCENE.order, SESSION.region == region, SESSION.region)


def test_hovering_reads_out_the_entry_in_every_panel(view, qtbot):
    _show(view, rasters())
    with qtbot.waitSignal(view.hovered) as blocker:
        view._on_moved(QPointF(view.graphics.mapToScene(_pixel(view, 1, 2.5, 75.0))))
    assert blocker.args[0].startswith(f"unit VISp #{10}, 70 ms, true ")
    assert view.readout.text() == blocker.args[0]
    for plot in view.plots:
        assert plot.cross[0].value() == pytest.approx(75.0)
        assert plot.cross[1].value() == pytest.approx(2.5)


def test_leaving_takes_the_crosshair_away(view, qtbot):
    _show(view, rasters())
    view._on_moved(QPointF(view.graphics.mapToScene(_pixel(view, 1, 2.5, 75.0))))
    with qtbot.waitSignal(view.hovered) as blocker:
        view._on_moved(QPointF(2.0, 2.0))
    assert blocker.args == [""]
    assert not any(line.isVisible() for plot in view.plots for line in plot.cross)


def test_clicking_a_row_names_its_unit(view, qtbot):
    drawable = rasters()
    _show(view, drawable)
    spot = _pixel(view, 2, 7.4, 33.0)
    with qtbot.waitSignal(view.unit_clicked) as blocker:
        qtbot.mouseClick(view.graphics.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert blocker.args == [str(drawable.rows.unit_id[7])]


def test_clicking_the_colour_column_names_the_region(view, qtbot):
    _show(view, rasters())
    scene = view.column.getViewBox().mapViewToScene(QPointF(0.5, 6.0))
    with qtbot.waitSignal(view.region_clicked) as blocker:
        qtbot.mouseClick(
            view.graphics.viewport(),
            Qt.MouseButton.LeftButton,
            pos=view.graphics.mapFromScene(scene),
        )
    assert blocker.args == ["CA1"]


def test_a_double_click_on_a_region_zooms_in_and_on_a_raster_out(view):
    _show(view, rasters())
    view._clicks.zoom(view.column.getViewBox().mapViewToScene(QPointF(0.5, 6.0)))
    assert view.plots[0].getViewBox().viewRange()[1] == pytest.approx([4, 8], abs=0.2)
    view._clicks.zoom(view.plots[0].getViewBox().mapViewToScene(QPointF(50.0, 6.0)))
    assert view.plots[0].getViewBox().viewRange()[1] == pytest.approx([0, 12], abs=0.2)


def test_arrow_keys_move_the_crosshair_and_enter_chooses_its_unit(view, qtbot):
    drawable = rasters()
    _show(view, drawable)
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Up):
        qtbot.keyClick(view, key)
    assert view._cursor == (1, 1)
    with qtbot.waitSignal(view.unit_clicked) as blocker:
        qtbot.keyClick(view, Qt.Key.Key_Return)
    assert blocker.args == [str(drawable.rows.unit_id[1])]
    qtbot.keyClick(view, Qt.Key.Key_Home)
    assert view.plots[0].getViewBox().viewRange()[1] == pytest.approx([0, 12], abs=0.2)


def test_the_chosen_unit_is_framed_in_every_panel_and_stays_so_as_trials_arrive(view):
    drawable = rasters()
    _show(view, drawable)
    view.choose_unit(str(drawable.rows.unit_id[9]))
    _show(view, rasters())
    for plot in view.plots:
        assert plot.chosen.isVisible()
        assert plot.chosen.rect().top() == 9
        assert plot.arrows.isVisible()
        assert plot.arrows.getData()[1].tolist() == [9.5, 9.5]
    view.choose_unit("no such unit")
    assert not view.plots[0].chosen.isVisible()
    assert not view.plots[0].arrows.isVisible()


def test_a_thin_row_is_pointed_at_without_being_covered_by_a_frame(view):
    many = make_session(n_trials=8, n_bins=10, n_units=600)
    scene = raster_scene(many, np.arange(8), within="given")
    true_hz = np.full((10, 600), 5.0)
    _show(view, rasters(true_hz, true_hz, scene=scene))
    view.choose_unit(str(many.unit_id[3]))
    plot = view.plots[0]
    assert plot.arrows.isVisible()
    assert not plot.chosen.isVisible()
    row = int(np.flatnonzero(scene.order.rows == 3)[0])
    plot.setYRange(row - 4, row + 4, padding=0)
    assert plot.chosen.isVisible()


def test_one_colour_bar_serves_a_baseline_and_a_second_one_a_difference(view):
    flat = np.full((10, 12), 20.0)
    _show(view, rasters(flat, flat, temporal_hz=flat))
    assert [bar.isVisible() for bar in view.bars] == [False, False, True]
    assert view.bars[2].getAxis("right").labelText == "spikes/s"
    _show(view, rasters(flat, flat))
    assert [bar.isVisible() for bar in view.bars] == [False, True, True]
    assert view.bars[2].getAxis("right").labelText == "expected Poisson errors"


def test_panels_are_equally_wide_with_one_colour_bar_or_two(view):
    flat = np.full((10, 12), 20.0)
    for drawable in (rasters(flat, flat), rasters(flat, flat, temporal_hz=flat)):
        _show(view, drawable)
        widths = [plot.getViewBox().width() for plot in view.plots]
        assert max(widths) - min(widths) <= 4


@pytest.mark.parametrize("width", [620, 700, 1400])
def test_no_part_covers_another_at_any_width(view, width):
    view.resize(width, HEIGHT)
    _show(view, rasters())
    parts = [view.column, *view.plots[:2], view.bars[1], view.plots[2], view.bars[2]]
    edges = [
        (part.getViewBox().sceneBoundingRect().left(), part.sceneBoundingRect().right())
        for part in parts
    ]
    rights = [part.getViewBox().sceneBoundingRect().right() for part in parts]
    for right, (left, _) in zip(rights, edges[1:], strict=False):
        assert right < left
    assert edges[-1][1] <= view.graphics.width()
    assert min(plot.getViewBox().width() for plot in view.plots) > 60
    for plot in view.plots:
        title = plot.titleLabel.mapRectToScene(plot.titleLabel.itemRect()).center().x()
        middle = plot.getViewBox().sceneBoundingRect().center().x()
        assert title == pytest.approx(middle, abs=2)


def test_more_rows_than_pixels_are_pooled_without_losing_any_and_said_so(view):
    many = make_session(n_trials=8, n_bins=10, n_units=1200)
    scene = raster_scene(many, np.arange(8), within="given")
    for row in (0, 601, 1199):
        true_hz = np.zeros((10, 1200))
        true_hz[5, scene.order.rows[row]] = 50.0
        image = _show(view, rasters(true_hz, true_hz, scene=scene))
        top, bottom = _pixel(view, 0, 0.0, 53.0), _pixel(view, 0, 1200.0, 53.0)
        lit = [y for y in range(top.y(), bottom.y()) if _grey(image.pixelColor(top.x(), y)) > 240]
        assert len(lit) >= 1
        assert abs(np.mean(lit) - _pixel(view, 0, row + 0.5, 53.0).y()) <= 3
    assert " units share a pixel; the strongest is shown" in _legend(view)
    view.plots[0].setYRange(0, 100, padding=0)
    _show(view, rasters(true_hz, true_hz, scene=scene))
    assert "share a pixel" not in _legend(view)


def test_a_panel_without_a_map_says_why(view):
    drawable = rasters()
    drawable = replace(
        drawable,
        panels=(
            drawable.panels[0],
            replace(drawable.panels[1], message="no reconstruction yet"),
            drawable.panels[2],
        ),
    )
    _show(view, drawable)
    assert view.plots[1].message.isVisible()
    assert not view.plots[1].image.isVisible()
    assert not view.plots[0].message.isVisible()


def test_a_long_message_breaks_into_lines_within_its_plot(view):
    drawable, words = rasters(), "nothing compared yet: choose with what in the panel Compare"
    panels = (replace(drawable.panels[0], message=words), *drawable.panels[1:])
    _show(view, replace(drawable, panels=panels))
    plot = view.plots[0]
    assert plot.message.boundingRect().width() <= plot.getViewBox().width()
    assert (
        plot.message.textItem.boundingRect().height()
        > 2 * plot.message.textItem.font().pointSize()
    )
    assert not plot.bands.isVisible()


def test_all_colours_follow_the_theme(view):
    drawable = rasters()
    _show(view, drawable)
    view.set_theme(DARK)
    image = _show(view, drawable)
    corner = image.pixelColor(2, HEIGHT // 3)
    assert corner.name() == DARK.window
    spot = _pixel(view, 2, 3.3, 33.0)
    expected = DARK.lut("difference")[drawable.panels[2].image[3, 3]]
    found = image.pixelColor(spot)
    assert [found.red(), found.green(), found.blue()] == pytest.approx(expected, abs=3)


def test_with_no_session_nothing_is_drawn_and_keys_do_nothing(view, qtbot):
    view.draw(rasters())
    view.draw(None)
    assert view.graphics.isHidden()
    assert view.readout.text() == view.legend.text() == ""
    qtbot.keyClick(view, Qt.Key.Key_Down)
    view.show_all()
    view.show_region("CA1")


def test_images_are_quantised_and_never_downsampled_by_the_library(view):
    _show(view, rasters(settings=RasterSettings()))
    for plot in view.plots:
        assert plot.image.image.dtype == np.uint8
        assert plot.image.lut.shape == (256, 3)
        assert not plot.image.autoDownsample


def test_every_part_has_a_name_for_screen_readers(view):
    for part in (view, view.graphics, view.legend, view.readout):
        assert part.accessibleName()


def _distance(one: QColor, other: QColor) -> int:
    return max(
        abs(one.red() - other.red()),
        abs(one.green() - other.green()),
        abs(one.blue() - other.blue()),
    )


def _square(view: RasterView, image: QImage, panel: int, top: float, bottom: float):
    first, last = _pixel(view, panel, top, 22.0), _pixel(view, panel, bottom, 88.0)
    for y in range(first.y(), last.y()):
        for x in range(first.x(), last.x()):
            yield image.pixel(x, y)


def _distinct_colours(
    view: RasterView, image: QImage, panel: int, top: float, bottom: float
) -> set[int]:
    return set(_square(view, image, panel, top, bottom))


def _light_share(view: RasterView, image: QImage, top: float, bottom: float) -> float:
    pixels = list(_square(view, image, 1, top, bottom))
    base = max(set(pixels), key=pixels.count)
    return sum(pixel != base for pixel in pixels) / len(pixels)


def test_a_real_double_click_zooms_out(view, qtbot):
    _show(view, rasters())
    view.show_region("CA1")
    spot = _pixel(view, 0, 5.5, 44.0)
    qtbot.mouseDClick(view.graphics.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    qtbot.mouseRelease(view.graphics.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert view.plots[0].getViewBox().viewRange()[1] == pytest.approx([0, 12], abs=0.2)


def test_clicking_beside_the_maps_does_nothing(view, qtbot):
    _show(view, rasters())
    chosen = []
    view.unit_clicked.connect(chosen.append)
    view.region_clicked.connect(chosen.append)
    for spot in (QPoint(view.graphics.width() // 2, 4), _pixel(view, 0, 6.0, -0.9)):
        qtbot.mouseClick(view.graphics.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    assert chosen == []


def test_the_pointer_that_leaves_the_widget_takes_the_read_out_with_it(view):
    _show(view, rasters())
    view._on_moved(QPointF(view.graphics.mapToScene(_pixel(view, 1, 2.5, 75.0))))
    assert view.readout.text()
    QApplication.sendEvent(view, QEvent(QEvent.Type.Leave))
    assert view.readout.text() == ""


def test_other_keys_are_left_to_the_window(view, qtbot):
    _show(view, rasters())
    before = view.plots[0].getViewBox().viewRange()
    qtbot.keyClick(view, Qt.Key.Key_X)
    assert view._cursor is None
    assert view.plots[0].getViewBox().viewRange() == before


def _other_looks() -> list[RasterDrawable]:
    """Pictures that differ in what a raster may leave as it is: marks, colours, names, events."""
    louder = rasters(settings=replace(PLAIN, colour_map="magma"), mask=hide("CA1"))
    later = replace(SCENE, bin_start_s=SCENE.bin_start_s - 0.05)
    few = keep_rows(SCENE.order, SCENE.region != "DG", SCENE.region)
    return [
        rasters(),
        louder,
        rasters(mask=hide("DG"), settings=RasterSettings(panels=("true", "model", "difference"))),
        rasters(scene=replace(SCENE, events=())),
        rasters(scene=replace(SCENE, events=(*SCENE.events, EventLine(time_s=0.05, name="go")))),
        rasters(scene=later, mask=hide("CA1")),
        rasters(medians=(EventLine(time_s=0.064, name="response", is_median=True),)),
        rasters(order=few),
    ]


@pytest.mark.parametrize("place", range(8))
def test_a_picture_over_another_equals_one_on_an_empty_view(view, qtbot, place):
    wanted = _other_looks()[place]
    fresh = RasterView(LIGHT)
    qtbot.addWidget(fresh)
    fresh.resize(WIDTH, HEIGHT)
    with qtbot.waitExposed(fresh):
        fresh.show()
    unit = str(wanted.rows.unit_id[2])
    fresh.choose_unit(unit)
    view.choose_unit(unit)
    plain = _show(fresh, wanted)
    for before in _other_looks():
        _show(view, before)
        assert _show(view, wanted) == plain


def test_drawing_the_same_again_asks_for_no_new_marks(view):
    _show(view, rasters(mask=hide("CA1")))
    marks = [plot._events for plot in view.plots]
    lines = [list(events) for events in marks]
    _show(view, rasters(mask=hide("CA1")))
    assert [list(plot._events) for plot in view.plots] == lines


def test_a_click_on_a_title_offers_the_maps(view, qtbot, monkeypatch):
    _show(view, rasters())
    opened: list[QMenu] = []
    monkeypatch.setattr(QMenu, "popup", lambda menu, _: opened.append(menu))
    title = view.plots[1].titleLabel
    spot = view.graphics.mapFromScene(title.mapToScene(title.boundingRect().center()))
    qtbot.mouseClick(view.graphics.viewport(), Qt.MouseButton.LeftButton, pos=spot)
    (menu,) = opened
    assert menu.accessibleName() == "What the middle raster shows"
    assert [a.text() for a in menu.actions() if a.isChecked()] == ["Reconstructed"]
    with qtbot.waitSignal(view.panel_chosen) as chosen:
        next(a for a in menu.actions() if a.text() == "PSTH").trigger()
    assert chosen.args == [1, "psth"]


def _drag_handle(qtbot, view: RasterView, bar, start: float, stop: float) -> None:
    box, viewport = bar.getViewBox(), view.graphics.viewport()

    def spot(place: float) -> QPoint:
        return view.graphics.mapFromScene(box.mapViewToScene(QPointF(0.5, place)))

    qtbot.mouseMove(viewport, spot(start))
    qtbot.mousePress(viewport, Qt.MouseButton.LeftButton, pos=spot(start))
    for share in (0.3, 0.6, 1.0):
        qtbot.wait(20)
        move = QMouseEvent(
            QEvent.Type.MouseMove,
            QPointF(spot(start + share * (stop - start))),
            QPointF(viewport.mapToGlobal(spot(start + share * (stop - start)))),
            Qt.MouseButton.NoButton,
            Qt.MouseButton.LeftButton,
            Qt.KeyboardModifier.NoModifier,
        )
        QApplication.sendEvent(viewport, move)
    qtbot.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=spot(stop))


def test_the_upper_handle_of_the_bar_sets_the_brightest_value(view, qtbot):
    drawable = rasters(settings=replace(PLAIN, panels=("true", "model", "psth")))
    _show(view, drawable)
    high = drawable.panels[0].levels.high
    with qtbot.waitSignal(view.levels_chosen) as chosen:
        _drag_handle(qtbot, view, view.bars[2], 0.999, 0.6)
    assert chosen.args[0].high == pytest.approx(0.6 * high, rel=0.05)
    assert chosen.args[0].low == 0.0
    assert view.plots[0].image.levels[1] == pytest.approx(0.6 * 255, rel=0.05)


def test_handles_of_z_scores_stay_centred(view):
    _show(view, rasters(settings=replace(PLAIN, scale="zscore", panels=("true", "model", "psth"))))
    bar = view.bars[2]
    told: list[object] = []
    bar.levels_chosen.connect(told.append)
    bar.handles[0].setValue(0.25)
    bar.handles[0].sigPositionChangeFinished.emit(bar.handles[0])
    assert told[0].low == pytest.approx(-told[0].high)
    assert told[0].high == pytest.approx(0.5 * bar._panel.levels.high)


def test_handles_never_cross_and_rates_never_start_below_zero(view):
    _show(view, rasters(settings=replace(PLAIN, panels=("true", "model", "psth"))))
    bar = view.bars[2]
    told: list[object] = []
    bar.levels_chosen.connect(told.append)
    for place, handle in ((1.4, bar.handles[0]), (-0.5, bar.handles[0])):
        handle.setValue(place)
        handle.sigPositionChangeFinished.emit(handle)
    assert 0 < told[0].low < told[0].high
    assert told[1].low == 0.0


def test_a_double_click_on_the_bar_asks_for_automatic_levels(view, qtbot):
    _show(view, rasters(settings=replace(PLAIN, panels=("true", "model", "psth"))))
    bar = view.bars[2]
    middle = bar.getViewBox().mapViewToScene(QPointF(0.5, 0.5))
    with qtbot.waitSignal(view.levels_chosen) as chosen:
        qtbot.mouseDClick(
            view.graphics.viewport(),
            Qt.MouseButton.LeftButton,
            pos=view.graphics.mapFromScene(middle),
        )
    assert chosen.args == [None]


def test_the_bar_of_a_difference_has_no_handles(view):
    _show(view, rasters())
    assert not any(handle.isVisible() for handle in view.bars[2].handles)
    assert all(handle.isVisible() for handle in view.bars[1].handles)


def test_levels_are_those_of_the_rates(view):
    assert view.levels is None
    drawable = rasters(settings=replace(PLAIN, panels=("difference", "true", "model")))
    _show(view, drawable)
    assert view.levels == drawable.panels[1].levels
