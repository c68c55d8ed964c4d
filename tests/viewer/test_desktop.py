"""What the menus do: dialogs, pictures, help, what was open last."""

from __future__ import annotations

import gc
import logging
import time
import weakref
from dataclasses import replace
from functools import partial

import pytest
from PyQt6.QtCore import QRect, Qt
from PyQt6.QtWidgets import QApplication, QFileDialog, QMenu, QMessageBox

from mtm_core import resources
from mtm_viewer.desktop import LogKeeper
from mtm_viewer.jobs.engine_thread import EngineThread
from mtm_viewer.jobs.reconstruct_job import ReconstructionJob
from mtm_viewer.main_window import MainWindow
from mtm_viewer.theme import LIGHT
from mtm_viewer.views.dialogs import LogView, ShortcutSheet
from tests.core.sessions import make_session
from tests.viewer.workspaces import make_small_workspace, write_files

pytestmark = pytest.mark.gui
PATIENCE_MS = 10_000


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_files(tmp_path_factory.mktemp("files"), make_session())


@pytest.fixture
def opened(desktop, qtbot):
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        desktop.state.open_workspace(make_small_workspace())
    return desktop


def only(desktop, kind):
    (dialog,) = [w for w in desktop.explorer.window.findChildren(kind) if w.isVisible()]
    return dialog


@pytest.mark.parametrize(
    ("command", "title", "place"),
    [("session.open", "Open session", 0), ("model.open", "Open checkpoint", 1)],
)
def test_files_are_asked_for_and_opened(opened, files, qtbot, command, title, place):
    if place:
        with qtbot.waitSignal(opened.explorer.settled, timeout=PATIENCE_MS):
            opened.open_session(files[0])
    opened.explorer.registry.run(command)
    dialog = only(opened, QFileDialog)
    assert dialog.windowTitle() == title
    with qtbot.waitSignal(opened.explorer.settled, timeout=PATIENCE_MS):
        dialog.fileSelected.emit(str(files[place]))
    dialog.reject()
    workspace = opened.state.workspace
    assert (workspace.path, workspace.model.checkpoint.path)[place] == files[place]


def test_pictures_are_saved_where_a_person_says(opened, tmp_path):
    opened.explorer.registry.run("export.rasters.picture")
    dialog = only(opened, QFileDialog)
    dialog.fileSelected.emit(str(tmp_path / "rasters.svg"))
    dialog.reject()
    opened.exports.wait()
    assert b"<svg" in (tmp_path / "rasters.svg").read_bytes()


def rasters(desktop):
    return next(panel for panel in desktop.exports.panels if panel.name == "rasters")


def test_a_picture_that_cannot_be_saved_is_told(opened, tmp_path, qtbot):
    with qtbot.waitSignal(opened.explorer.told) as told:
        opened.exports.save_picture(rasters(opened), tmp_path / "rasters.jpg")
    assert "Known: pdf, png, svg" in told.args[0]
    only(opened, QMessageBox).close()


def test_rasters_are_copied(opened, qtbot):
    clipboard = QApplication.clipboard()
    clipboard.clear()
    opened.explorer.registry.run("export.rasters.copy")
    qtbot.waitUntil(lambda: not clipboard.image().isNull())


def test_help_shows_shortcuts_log_and_what_this_is(opened, caplog):
    registry = opened.explorer.registry
    registry.run("help.shortcuts")
    only(opened, ShortcutSheet).reject()
    opened._log.emit(logging.makeLogRecord({"msg": "something happened"}))
    registry.run("help.log")
    assert "something happened" in only(opened, LogView).text.toPlainText()
    only(opened, LogView).reject()
    registry.run("help.about")
    box = only(opened, QMessageBox)
    assert "MtM Viewer" in box.text()
    box.close()


def test_the_search_box_is_a_key_away(opened):
    opened.explorer.window.activateWindow()
    opened.explorer.registry.run("edit.search")
    assert opened.explorer.window.tree.search.hasFocus()


def test_the_palette_clicks_regions(opened, qtbot):
    palette = opened.explorer.window.palette_dialog
    opened.explorer.registry.run("edit.palette")
    qtbot.keyClicks(palette.search, "region DG")
    with qtbot.waitSignal(opened.explorer.settled, timeout=PATIENCE_MS):
        palette.search.returnPressed.emit()
    assert opened.state.mask.region == "DG"


def test_zooming_to_the_region_and_out(opened):
    plot = opened.explorer.window.raster.plots[0]

    def rows() -> list[float]:
        return plot.getViewBox().viewRange()[1]

    opened.explorer.registry.run("view.region")
    near = rows()
    assert near[1] - near[0] == pytest.approx(8, abs=0.5)
    opened.explorer.registry.run("view.all")
    assert rows()[1] - rows()[0] == pytest.approx(24, abs=0.5)


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("view.scale.linear", lambda d: d.raster.scale == "linear"),
        ("view.smoothing.0", lambda d: d.raster.sigma_s == 0),
        ("view.colours.viridis", lambda d: d.raster.colour_map == "viridis"),
        ("view.order.rate", lambda d: d.within == "rate"),
        ("view.difference", lambda d: d.raster.panels[2] == "difference"),
    ],
)
def test_the_look_is_changed_from_the_menu(opened, qtbot, command, shown):
    with qtbot.waitSignal(opened.explorer.settled, timeout=PATIENCE_MS):
        opened.explorer.registry.run(command)
    assert shown(opened.state.display)
    assert opened.explorer.window._actions[command].isChecked()


def test_the_difference_is_switched_off_again(opened):
    for wanted in ("difference", "temporal"):
        opened.explorer.registry.run("view.difference")
        assert opened.state.display.raster.panels[2] == wanted


def test_the_demo_is_opened_by_name(desktop, files, monkeypatch, qtbot):
    monkeypatch.setattr(
        resources, "checkpoint_path", lambda name: files[1] if name == "demo" else None
    )
    monkeypatch.setattr(resources, "list_checkpoints", list)
    monkeypatch.setattr(resources, "list_sessions", lambda: ["small"])
    monkeypatch.setattr(resources, "session_path", lambda _: files[0])
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        desktop.explorer.registry.run("session.demo")
    assert desktop.state.workspace.session.session_id == "simulated-0"


def test_without_a_demo_it_is_told(desktop, monkeypatch, qtbot):
    def nowhere(name: str):
        raise resources.UnknownNameError("checkpoint", name, [])

    monkeypatch.setattr(resources, "checkpoint_path", nowhere)
    with qtbot.waitSignal(desktop.explorer.told) as told:
        desktop.open_demo()
    assert "no checkpoint 'demo'" in told.args[0]
    only(desktop, QMessageBox).close()


def test_the_layout_comes_back(build_desktop, qtbot):
    first = build_desktop()
    with qtbot.waitSignal(first.explorer.settled, timeout=PATIENCE_MS):
        first.state.open_workspace(make_small_workspace())
    left = Qt.DockWidgetArea.LeftDockWidgetArea
    first.explorer.window.addDockWidget(left, first.explorer.window.unit_dock)
    first.explorer.window.close()
    second = build_desktop()
    second.explorer.opened.emit(make_small_workspace())
    assert second.explorer.window.dockWidgetArea(second.explorer.window.unit_dock) == left


@pytest.mark.parametrize(("screen", "height"), [((1440, 900), 852), ((3840, 2160), 900)])
def test_the_first_window_fits_the_screen(build_desktop, monkeypatch, screen, height):
    class Screen:
        def availableGeometry(self):
            return QRect(0, 0, *screen)

    monkeypatch.setattr(MainWindow, "screen", lambda _: Screen())
    window = build_desktop().explorer.window
    window.fit_screen()
    assert window.height() == height
    assert window.width() <= 1440


def test_quit_is_the_last_of_its_menu(desktop):
    (menu,) = [m for m in desktop.explorer.window.findChildren(QMenu) if m.title() == "Session"]
    texts = [action.text() for action in menu.actions() if not action.isSeparator()]
    assert texts.index("Bundled recordings") < texts.index("Quit") == len(texts) - 1


def test_a_session_that_was_closed_is_let_go(desktop, qtbot, tmp_path, monkeypatch):
    """Menus, panels and jobs that knew it let go of it when another takes its place."""
    explorer, state, workspace = desktop.explorer, desktop.state, make_small_workspace()
    gone = weakref.ref(workspace), weakref.ref(workspace.session), weakref.ref(workspace.models[0])
    monkeypatch.setenv("MTM_CACHE", str(tmp_path / "cache"))
    desktop.matrix.state.choose(min_units=4)
    for name in explorer.window.side_docks:
        desktop.toggle_side(name)
    for deed in (
        partial(state.open_workspace, workspace),
        partial(desktop.compare.compare_with, "prompt"),
        partial(desktop.theatre.state.show, is_shown=True),
        partial(state.click_region, "DG"),
    ):
        with qtbot.waitSignal(explorer.settled, timeout=PATIENCE_MS):
            deed()
            explorer.compute()
    desktop.honesty.check()
    explorer.window.side_docks["matrix"].raise_()
    qtbot.waitUntil(lambda: desktop.matrix.state.answer is not None, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: not desktop.honesty._thread.is_busy, timeout=PATIENCE_MS)
    del workspace, deed
    with qtbot.waitSignal(explorer.settled, timeout=PATIENCE_MS):
        state.open_workspace(make_small_workspace(seed=3))

    def is_gone() -> bool:
        gc.collect()
        return not any(each() for each in gone)

    qtbot.waitUntil(is_gone, timeout=PATIENCE_MS)


def test_a_light_desktop_gets_a_light_window(desktop):
    assert desktop.state.theme is LIGHT


def test_quitting_closes_the_window(desktop):
    desktop.explorer.registry.run("session.quit")
    assert not desktop.explorer.window.isVisible()


def test_closing_while_it_computes_ends_all_threads(build_desktop, qtbot):
    """To stop the engine tells others that it is idle: none may begin anything then."""
    job = ReconstructionJob()

    def never_ready(request, should_stop):
        for picture in job(request, should_stop):
            yield replace(picture, is_final=False)
        while not should_stop():
            time.sleep(0.002)

    desktop = build_desktop(work=never_ready)
    explorer = desktop.explorer
    explorer.window.toggle_side("matrix")
    with qtbot.waitSignal(
        explorer.pictured,
        timeout=PATIENCE_MS,
        check_params_cb=lambda picture: picture is not None and picture.gains is not None,
    ):
        desktop.state.open_workspace(make_small_workspace())
    assert explorer.engine.is_busy
    explorer.window.close()
    engines = explorer.window.findChildren(EngineThread)
    assert len(engines) > 5
    assert all(engine._thread.isFinished() and not engine.is_busy for engine in engines)


def test_the_log_keeps_the_last_lines():
    keeper = LogKeeper()
    for number in range(3000):
        keeper.emit(logging.makeLogRecord({"msg": f"line {number}", "levelname": "INFO"}))
    assert len(keeper.lines) == 2000
    assert keeper.lines[-1].endswith("line 2999")
