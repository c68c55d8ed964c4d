"""A running program for tests: the real window with the real engine on a small session."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QSettings

from mtm_viewer.commands import CommandRegistry
from mtm_viewer.desktop import Desktop, LogKeeper
from mtm_viewer.explorer import Explorer
from mtm_viewer.jobs.open_job import open_work
from mtm_viewer.jobs.reconstruct_job import ReconstructionJob
from mtm_viewer.main_window import MainWindow
from mtm_viewer.state import ViewerState


@pytest.fixture
def settings(tmp_path):
    return QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)


@pytest.fixture
def build_desktop(qtbot, settings):
    """Build programs whose windows are closed and whose threads are ended after the test."""
    built: list[Desktop] = []

    def build(work=None) -> Desktop:
        registry = CommandRegistry()
        window = MainWindow(registry)
        works = (open_work, work or ReconstructionJob())
        explorer = Explorer(ViewerState(), window, registry, works, ("cpu",))
        built.append(Desktop(explorer, settings, LogKeeper()))
        window.resize(1280, 800)
        with qtbot.waitExposed(window):
            window.show()
        return built[-1]

    yield build
    for desktop in built:
        window = desktop.explorer.window
        window.close()
        window.deleteLater()


@pytest.fixture
def desktop(build_desktop):
    return build_desktop()
