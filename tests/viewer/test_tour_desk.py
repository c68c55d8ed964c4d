"""The tour points at the real widgets, can be left at any time, and comes back from Help."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import Qt

from mtm_viewer.presenters.tour import STEPS
from tests.viewer.workspaces import make_small_workspace

pytestmark = pytest.mark.gui
PATIENCE_MS = 60_000


@pytest.fixture
def opened(desktop, qtbot):
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        desktop.state.open_workspace(make_small_workspace())
    return desktop


def test_every_step_points_at_something_that_is_there(opened, qtbot):
    assert opened.explorer.registry.run("help.tour")
    overlay = opened.tour.overlay
    for place, step in enumerate(STEPS):
        assert overlay.title.text() == step.title
        assert overlay.text.text() == step.text
        hole = overlay.target_rect()
        assert hole.width() > 20
        assert hole.height() > 10
        assert overlay.rect().contains(hole)
        assert overlay.rect().contains(overlay.bubble.geometry())
        assert overlay.grab().toImage().pixelColor(overlay.bubble.geometry().center()).alpha()
        assert overlay.next.text() == ("Done" if place == len(STEPS) - 1 else "Next")
        overlay.next.click()
    assert opened.tour.overlay is None


def test_keys_go_on_back_and_out(opened, qtbot):
    opened.tour.start()
    overlay = opened.tour.overlay
    qtbot.keyClick(overlay, Qt.Key.Key_Right)
    qtbot.keyClick(overlay, Qt.Key.Key_Return)
    assert overlay.count.text() == "3 of 9"
    qtbot.keyClick(overlay, Qt.Key.Key_Left)
    assert overlay.count.text() == "2 of 9"
    overlay.back.click()
    qtbot.keyClick(overlay, Qt.Key.Key_Left)
    qtbot.keyClick(overlay, Qt.Key.Key_A)
    assert overlay.count.text() == "1 of 9"
    opened.explorer.window.resize(1100, 700)
    assert overlay.size() == opened.explorer.window.size()
    qtbot.keyClick(overlay, Qt.Key.Key_Escape)
    assert opened.tour.overlay is None


def test_it_can_be_skipped_and_begun_from_the_list_of_sessions(opened):
    opened.browse()
    opened.tour.start()
    assert not opened.explorer.window.is_browsing
    opened.tour.overlay.skip.click()
    assert opened.tour.overlay is None


def test_at_first_the_welcome_offers_it_with_the_demo(build_desktop, qtbot, monkeypatch):
    desktop = build_desktop()
    page = desktop.explorer.window.welcome
    assert page.first.isVisible()
    opened = []
    desktop.tour._open_demo = lambda: opened.append(1)
    page.tour.click()
    assert opened == [1]
    assert desktop.tour.overlay is None
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        desktop.state.open_workspace(make_small_workspace())
    assert desktop.tour.overlay is not None
    desktop.explorer.window.close()
    assert not build_desktop().explorer.window.welcome.first.isVisible()


def test_without_a_demo_there_is_no_tour_later_on(desktop, qtbot):
    desktop.tour._open_demo = lambda: desktop.explorer.told.emit("There is no demo.")
    desktop.tour.start()
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        desktop.state.open_workspace(make_small_workspace())
    assert desktop.tour.overlay is None
