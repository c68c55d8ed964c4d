"""Tools, whole-mask edits and side panels from menus and keys."""

from __future__ import annotations

import pytest

from tests.viewer.workspaces import make_small_workspace

pytestmark = pytest.mark.gui
PATIENCE_MS = 10_000


@pytest.fixture
def opened(desktop, qtbot):
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        desktop.state.open_workspace(make_small_workspace())
    return desktop


@pytest.mark.parametrize("tool", ["brush", "lasso", "point"])
def test_a_tool_is_taken_from_the_menu(opened, tool):
    registry, tools = opened.explorer.registry, opened.explorer.window.raster.tools
    tools.choose("lasso")
    assert registry.run(f"mask.tool.{tool}")
    assert tools.tool == tool
    checked = [name for name in ("point", "brush", "lasso") if _is_on(opened, f"mask.tool.{name}")]
    assert checked == [tool]


def test_the_eraser_is_switched_from_the_menu(opened):
    opened.explorer.registry.run("mask.eraser")
    assert opened.explorer.window.raster.tools.eraser.isChecked()
    assert _is_on(opened, "mask.eraser")


@pytest.mark.parametrize("name", ["names", "history"])
def test_a_side_panel_is_shown_and_hidden(opened, name):
    dock = opened.explorer.window.side_docks[name]
    assert dock.isHidden()
    opened.explorer.registry.run(f"view.{name}")
    assert not dock.isHidden()
    assert _is_on(opened, f"view.{name}")
    opened.explorer.registry.run(f"view.{name}")
    assert dock.isHidden()


def test_the_mask_is_inverted_and_grown_from_the_menu(opened, qtbot):
    opened.explorer.registry.run("mask.invert")
    assert opened.state.undo_stack.undoText() == "invert the mask"
    opened.state.toggle_unit(str(opened.state.workspace.session.unit_id[0]))
    opened.explorer.registry.run("mask.grow")
    assert opened.state.undo_stack.undoText() == "grow to CA1, DG"
    opened.state.show_everything()
    assert not opened.explorer.registry.run("mask.invert")
    qtbot.waitUntil(lambda: not opened.explorer.engine.is_busy, timeout=PATIENCE_MS)


def test_side_panels_wait_until_a_session_is_open(desktop):
    assert not desktop.explorer.registry.run("view.history")
    assert not desktop.explorer.registry.run("mask.tool.brush")


def _is_on(desktop, command_id: str) -> bool:
    return desktop.explorer.registry.get(command_id).is_checked()
