"""What stands behind the picture follows it, and the leak check runs on the mask at hand."""

from __future__ import annotations

import pytest

from mtm_viewer import honesty_desk
from mtm_viewer.presenters.trial_filter import TrialFilter
from tests.viewer.workspaces import make_small_workspace

pytestmark = pytest.mark.gui
PATIENCE_MS = 30_000


@pytest.fixture
def opened(desktop, qtbot):
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        desktop.state.open_workspace(make_small_workspace(n_trials=60))
    return desktop


def said(desktop) -> dict[str, tuple[str, str]]:
    lines = desktop.explorer.window.honesty.lines
    return {line.what: (line.verdict, line.words) for line in lines}


def test_the_panel_follows_what_is_on_screen(opened, qtbot):
    assert opened.explorer.registry.run("view.honesty")
    qtbot.waitUntil(lambda: said(opened).get("Averages", ("", ""))[0] == "fine")
    with qtbot.waitSignal(opened.explorer.settled, timeout=PATIENCE_MS):
        opened.state.target_regions(("DG",))
    assert "DG hidden" in said(opened)["Hidden (hatched)"][1]
    with qtbot.waitSignal(opened.explorer.settled, timeout=PATIENCE_MS):
        opened.state.show_trials(TrialFilter(split="train"))
    assert said(opened)["Trials"][0] == "bad"


def test_the_leak_check_tells_of_the_mask_on_screen_only(opened, qtbot):
    assert opened.explorer.registry.run("model.leak_check")
    qtbot.waitUntil(lambda: said(opened)["Leak check"][0] == "fine", timeout=PATIENCE_MS)
    assert "at most" in said(opened)["Leak check"][1]
    with qtbot.waitSignal(opened.explorer.settled, timeout=PATIENCE_MS):
        opened.state.target_regions(("DG",))
    assert said(opened)["Leak check"][1].startswith("not tried")
    opened.explorer.window.honesty.check.click()
    qtbot.waitUntil(lambda: said(opened)["Leak check"][0] == "fine", timeout=PATIENCE_MS)


def test_a_check_that_fails_says_so(opened, qtbot, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("broken")

    monkeypatch.setattr(honesty_desk, "leak_check", fail)
    opened.explorer.registry.run("model.leak_check")
    qtbot.waitUntil(
        lambda: "fault of the program" in said(opened)["Leak check"][1], timeout=PATIENCE_MS
    )


def test_without_a_session_there_is_nothing_to_check(desktop):
    assert not desktop.explorer.registry.run("model.leak_check")
    desktop.honesty.check()
    desktop.explorer.registry.run("view.honesty")
    assert desktop.explorer.window.honesty.empty.isVisible()
