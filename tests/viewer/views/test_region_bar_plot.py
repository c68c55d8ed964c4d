from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QColor

from mtm_viewer.presenters.population_drawable import RegionBar, RegionBars
from mtm_viewer.theme import LIGHT
from mtm_viewer.views.region_bar_plot import RegionBarPlot

pytestmark = pytest.mark.gui
BARS = RegionBars(
    bars=tuple(
        RegionBar(
            name=name,
            colour=colour,
            bps=bps,
            interval=interval,
            text="8 units",
            sentence=f"{name}: {bps}",
        )
        for name, colour, bps, interval in (
            ("VISp", "#08858c", 0.2, (0.1, 0.3)),
            ("CA1", "#7ed04b", -0.1, None),
            ("DG", "#7ed04b", 0.05, (0.0, 0.1)),
        )
    ),
    limits=(-0.15, 0.35),
    label="bits/spike",
)


@pytest.fixture
def plot(qtbot):
    widget = RegionBarPlot(LIGHT)
    qtbot.addWidget(widget)
    widget.resize(360, 200)
    with qtbot.waitExposed(widget):
        widget.show()
    widget.draw(BARS)
    return widget


def test_a_click_chooses_the_region_of_its_row(plot, qtbot):
    with qtbot.waitSignal(plot.region_chosen) as chosen:
        qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, pos=plot.row_place("CA1").toPoint())
    assert chosen.args == ["CA1", False]
    control = Qt.KeyboardModifier.ControlModifier
    with qtbot.waitSignal(plot.region_chosen) as added:
        qtbot.mouseClick(plot, Qt.MouseButton.LeftButton, control, plot.row_place("DG").toPoint())
    assert added.args == ["DG", True]


def test_keys_walk_over_the_rows_and_choose(plot, qtbot):
    heard = []
    plot.region_pointed.connect(heard.append)
    for _ in range(5):
        qtbot.keyClick(plot, Qt.Key.Key_Down)
    qtbot.keyClick(plot, Qt.Key.Key_Up)
    assert heard == ["VISp: 0.2", "CA1: -0.1", "DG: 0.05", "CA1: -0.1"]
    with qtbot.waitSignal(plot.region_chosen) as chosen:
        qtbot.keyClick(plot, Qt.Key.Key_Return)
    assert chosen.args[0] == "CA1"


def test_the_pointer_reads_a_row_and_leaving_reads_none(plot, qtbot):
    heard = []
    plot.region_pointed.connect(heard.append)
    qtbot.mouseMove(plot, plot.row_place("VISp").toPoint())
    plot.leaveEvent(None)
    assert heard == ["VISp: 0.2", ""]


def test_bars_reach_from_zero_to_their_score(plot):
    image = plot.grab().toImage()
    area = plot._area()
    row = int(plot.row_place("VISp").y()) + 5
    colour = QColor("#08858c").getRgb()[:3]
    inside, outside = (int(plot._x(value, area)) for value in (0.05, -0.05))
    assert QColor(image.pixel(inside, row)).getRgb()[:3] == colour
    assert QColor(image.pixel(outside, row)).getRgb()[:3] != colour
    row = int(plot.row_place("CA1").y())
    assert QColor(image.pixel(outside, row)).getRgb()[:3] == QColor("#7ed04b").getRgb()[:3]


def test_without_bars_it_says_why_and_chooses_nothing(plot, qtbot):
    plot.draw(RegionBars(message="Nothing is scored yet."))
    assert "Nothing is scored yet." in plot.accessibleDescription()
    with qtbot.assertNotEmitted(plot.region_chosen):
        qtbot.keyClick(plot, Qt.Key.Key_Return)
        qtbot.keyClick(plot, Qt.Key.Key_Down)
    assert plot.row_place("VISp") is None
