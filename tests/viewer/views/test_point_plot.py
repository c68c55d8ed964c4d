from __future__ import annotations

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, Qt
from PyQt6.QtGui import QColor

from mtm_viewer.presenters.population_drawable import Band, Mark, PointCloud
from mtm_viewer.theme import DARK, LIGHT
from mtm_viewer.views.point_plot import PointPlot

pytestmark = pytest.mark.gui
LEFT = Qt.MouseButton.LeftButton
NO_KEY = Qt.KeyboardModifier.NoModifier


def make_cloud(**changes) -> PointCloud:
    """A grid of five by five units."""
    x, y = (a.ravel() for a in np.meshgrid(np.arange(5) / 4, np.arange(5) / 4))
    settings = {
        "x": x,
        "y": y,
        "units": np.arange(25),
        "unit_id": np.array([f"u{k:02d}" for k in range(25)]),
        "colour": np.full((25, 3), 120, dtype=np.uint8),
        "mark": np.arange(25).astype(np.int8) % 5,
        "x_range": (-0.1, 1.1),
        "y_range": (-0.1, 1.1),
        "zeros": ((-0.1, 0.0, 1.1, 0.0),),
        "note": "25 of 25 units",
    }
    return PointCloud(**{**settings, **changes})


@pytest.fixture
def plot(qtbot):
    widget = PointPlot("Scores", LIGHT)
    qtbot.addWidget(widget)
    widget.resize(420, 400)
    with qtbot.waitExposed(widget):
        widget.show()
    widget.draw(make_cloud())
    qtbot.wait(20)
    return widget


def spot(plot, unit):
    return plot.place_of(unit).toPoint()


def drag(qtbot, plot, places, modifiers=NO_KEY):
    canvas = plot.plot.viewport()
    qtbot.mousePress(canvas, LEFT, modifiers, places[0])
    for place in places[1:]:
        event_place = QPoint(place)
        qtbot.mouseMove(canvas, event_place)
        plot.plot.moved.emit(event_place.toPointF(), True)
    qtbot.mouseRelease(canvas, LEFT, modifiers, places[-1])


def test_a_click_on_a_point_looks_at_its_unit(plot, qtbot):
    with qtbot.waitSignal(plot.unit_clicked) as clicked:
        qtbot.mouseClick(plot.plot.viewport(), LEFT, pos=spot(plot, "u07") + QPoint(3, 2))
    assert clicked.args == ["u07"]


def test_a_click_beside_all_points_chooses_none_and_ends_picking(plot, qtbot):
    between = (spot(plot, "u00") + spot(plot, "u06")) / 2
    with qtbot.assertNotEmitted(plot.unit_clicked), qtbot.assertNotEmitted(plot.units_picked):
        qtbot.mouseClick(plot.plot.viewport(), LEFT, pos=between)
    plot.pick_units(["u01"])
    with qtbot.waitSignal(plot.units_picked) as picked:
        qtbot.mouseClick(plot.plot.viewport(), LEFT, pos=between)
    assert picked.args == [[]]


def test_a_lasso_picks_what_it_goes_round(plot, qtbot):
    first, last = spot(plot, "u06"), spot(plot, "u12")
    left, right = first.x() - 15, last.x() + 15
    low, high = first.y() + 15, last.y() - 15
    ring = [QPoint(left, low), QPoint(right, low), QPoint(right, high), QPoint(left, high)]
    with qtbot.waitSignal(plot.units_picked) as picked:
        drag(qtbot, plot, ring)
    assert picked.args == [["u06", "u07", "u11", "u12"]]
    plot.pick_units(["u24"])
    with qtbot.waitSignal(plot.units_picked) as more:
        drag(qtbot, plot, ring, Qt.KeyboardModifier.ShiftModifier)
    assert more.args == [["u06", "u07", "u11", "u12", "u24"]]


def test_a_click_with_control_picks_one_more_or_one_less(plot, qtbot):
    control = Qt.KeyboardModifier.ControlModifier
    plot.pick_units(["u03", "u04"])
    with qtbot.waitSignal(plot.units_picked) as picked:
        qtbot.mouseClick(plot.plot.viewport(), LEFT, control, spot(plot, "u07"))
    assert picked.args == [["u03", "u04", "u07"]]
    with qtbot.waitSignal(plot.units_picked) as fewer:
        qtbot.mouseClick(plot.plot.viewport(), LEFT, control, spot(plot, "u04"))
    assert fewer.args == [["u03"]]


@pytest.mark.parametrize(
    ("key", "unit"),
    [
        (Qt.Key.Key_Right, "u13"),
        (Qt.Key.Key_Left, "u11"),
        (Qt.Key.Key_Up, "u17"),
        (Qt.Key.Key_Down, "u07"),
    ],
)
def test_arrow_keys_walk_to_the_next_unit(plot, qtbot, key, unit):
    plot.choose_unit("u12")
    with qtbot.waitSignal(plot.unit_clicked) as clicked:
        qtbot.keyClick(plot, key)
    assert clicked.args == [unit]


def test_at_the_edge_the_walk_stays_and_without_a_unit_it_begins(plot, qtbot):
    plot.choose_unit("u24")
    with qtbot.assertNotEmitted(plot.unit_clicked):
        qtbot.keyClick(plot, Qt.Key.Key_Up)
    plot.choose_unit("")
    with qtbot.waitSignal(plot.unit_clicked) as clicked:
        qtbot.keyClick(plot, Qt.Key.Key_Up)
    assert clicked.args == ["u00"]


def test_space_picks_the_unit_and_control_a_picks_all(plot, qtbot):
    plot.choose_unit("u12")
    with qtbot.waitSignal(plot.units_picked) as picked:
        qtbot.keyClick(plot, Qt.Key.Key_Space)
    assert picked.args == [["u12"]]
    with qtbot.waitSignal(plot.units_picked) as every:
        qtbot.keyClick(plot, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(every.args[0]) == 25


def test_the_unit_under_the_pointer_is_told_once(plot, qtbot):
    heard = []
    plot.hovered.connect(heard.append)
    for shift in (0, 1, 60):
        qtbot.mouseMove(plot.plot.viewport(), spot(plot, "u12") + QPoint(shift // 2, shift // 2))
    plot.plot.left.emit()
    assert heard == ["u12", ""]


def test_without_points_it_says_why_and_keys_do_nothing(plot, qtbot):
    plot.draw(PointCloud.empty("Depth: not in this session."))
    assert plot.message.text() == "Depth: not in this session."
    assert plot.plot.isHidden()
    with qtbot.assertNotEmitted(plot.unit_clicked):
        qtbot.keyClick(plot, Qt.Key.Key_Right)
    assert plot.place_of("u12") is None


def test_points_take_the_colour_of_their_region_in_both_themes(plot, qtbot):
    colour = np.full((25, 3), [200, 30, 90], dtype=np.uint8)
    for theme in (LIGHT, DARK):
        plot.set_theme(theme)
        plot.draw(make_cloud(colour=colour, mark=np.zeros(25, dtype=np.int8)))
        qtbot.wait(20)
        image = plot.plot.grab().toImage()
        place = spot(plot, "u12")
        assert QColor(image.pixel(place)).getRgb()[:3] == (200, 30, 90)


def test_few_spikes_are_rings_and_outliers_triangles(plot, qtbot):
    colour = np.full((25, 3), [200, 30, 90], dtype=np.uint8)
    mark = np.full(25, Mark.FEW, dtype=np.int8)
    plot.draw(make_cloud(colour=colour, mark=mark))
    qtbot.wait(20)
    image = plot.plot.grab().toImage()
    assert QColor(image.pixel(spot(plot, "u12"))).getRgb()[:3] != (200, 30, 90)
    symbols = {point.symbol() for point in plot._points.points()}
    assert symbols == {"o"}


def test_bands_lie_behind_the_points_and_are_named_where_there_is_room(plot, qtbot):
    bands = (
        Band(name="CA1", colour="#7ed04b", left=0.0, right=1.0, low=0.0, high=0.5),
        Band(name="DG", colour="#7ed04b", left=0.0, right=1.0, low=0.5, high=0.51),
    )
    plot.draw(make_cloud(bands=bands, x_ticks=((0.5, "probe00"),)))
    qtbot.wait(20)
    names = [item.textItem.toPlainText() for item in plot._bands._names if item.isVisible()]
    assert names == ["CA1"]
    plot.draw(make_cloud())
    assert not any(box.isVisible() for box in plot._bands._boxes)
