"""A running program for tests: the real window with the real engine on a small session."""

from __future__ import annotations

import pytest
from PyQt6.QtCore import QSettings

from mtm_core.errors import UnreachableError
from mtm_viewer.browsing import BrowserWorks
from mtm_viewer.commands import CommandRegistry
from mtm_viewer.desktop import Desktop, LogKeeper
from mtm_viewer.explorer import Explorer
from mtm_viewer.jobs.database_job import DatabaseJob, DownloadJob
from mtm_viewer.jobs.prepare_job import OpenJob
from mtm_viewer.jobs.prepared_cache import PreparedCache
from mtm_viewer.jobs.reconstruct_job import ReconstructionJob
from mtm_viewer.last_deletions import delete_at_exit
from mtm_viewer.main_window import MainWindow
from mtm_viewer.state import ViewerState

delete_at_exit()  # the end of the tests is the end of a program of Qt, too


@pytest.fixture
def settings(tmp_path):
    return QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)


def no_network(_):
    """Connect to nothing: tests that need a database bring their own."""
    raise UnreachableError("There is no network. Check the cable, or work offline.")


@pytest.fixture
def build_desktop(qtbot, settings, tmp_path):
    """Build programs whose windows are closed and whose threads are ended after the test."""
    built: list[Desktop] = []

    def build(work=None, connect=no_network) -> Desktop:
        registry = CommandRegistry()
        window = MainWindow(registry)
        cache = PreparedCache(tmp_path / "prepared")
        works = (OpenJob(cache, connect), work or ReconstructionJob())
        browser = BrowserWorks(database=DatabaseJob(connect), download=DownloadJob(connect))
        explorer = Explorer(ViewerState(), window, registry, works, ("cpu",))
        built.append(Desktop(explorer, settings, LogKeeper(), browser))
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
