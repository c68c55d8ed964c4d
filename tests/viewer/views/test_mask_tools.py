"""The row of tools says what is in hand; what does not belong to the tool is switched off."""

from __future__ import annotations

import pytest

from mtm_viewer.theme import DARK
from mtm_viewer.views.history_panel import HistoryPanel
from mtm_viewer.views.mask_tools import MaskTools
from mtm_viewer.views.random_units import RandomUnits

pytestmark = pytest.mark.gui


@pytest.fixture
def tools(qtbot):
    widget = MaskTools()
    qtbot.addWidget(widget)
    return widget


def test_the_pointer_is_in_hand_at_first(tools):
    assert tools.tool == "point"
    assert not tools.is_painting
    assert not tools.eraser.isEnabled()


@pytest.mark.parametrize(("tool", "has_width"), [("brush", True), ("lasso", False)])
def test_a_click_takes_a_tool(tools, qtbot, tool, has_width):
    with qtbot.waitSignal(tools.tool_changed) as heard:
        tools.tools[tool].click()
    assert heard.args == [tool]
    assert tools.is_painting
    assert tools.eraser.isEnabled()
    assert tools.extent.isEnabled()
    assert tools.width_px.isEnabled() == has_width


def test_grow_and_invert_are_asked_for(tools, qtbot):
    for button, signal in ((tools.grow, tools.grow_asked), (tools.invert, tools.invert_asked)):
        with qtbot.waitSignal(signal):
            button.click()


def test_a_random_share_is_asked_for_with_its_seed(qtbot):
    widget = RandomUnits()
    qtbot.addWidget(widget)
    widget.percent.setValue(12)
    widget.seed.setValue(7)
    widget.scope.setCurrentIndex(widget.scope.findData("hidden"))
    with qtbot.waitSignal(widget.asked) as heard:
        widget.draw_units.click()
    assert heard.args == ["hidden", 12.0, 7]


def test_the_history_follows_the_theme(qtbot):
    panel = HistoryPanel()
    qtbot.addWidget(panel)
    panel.set_theme(DARK)
    assert DARK.muted in panel.hint.styleSheet()
