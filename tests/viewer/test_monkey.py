"""Random commands and clicks do no harm; ``python tests/gui/monkey.py`` does ten thousand."""

from __future__ import annotations

import pytest

from mtm_core import resources
from tests.gui.monkey import Monkey, build, watched

pytestmark = [
    pytest.mark.gui,
    pytest.mark.slow,
    pytest.mark.qt_log_ignore("This plugin does not support", extend=True),
]
STEPS, WARM_UP = 100, 10
SESSIONS = ("steinmetz2019_s12", "steinmetz2019_s17")


def test_a_monkey_finds_no_fault_and_leaves_nothing_behind(qtbot, tmp_path, monkeypatch):
    """A hundred deeds in place of two thousand, which would take minutes."""
    names = [name for name in resources.list_sessions() if name.startswith(SESSIONS)]
    monkeypatch.setattr(resources, "list_sessions", lambda: names)
    desktop = build(tmp_path)
    window = desktop.explorer.window
    monkey = Monkey(desktop, tmp_path, seed=1)
    try:
        with watched(monkey), qtbot.captureExceptions() as faults:
            report = monkey.run(STEPS, WARM_UP)
    finally:
        window.close()
        window.deleteLater()
    assert report.problems == []
    assert faults == []
    assert report.n_steps == STEPS
