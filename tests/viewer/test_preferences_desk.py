"""Preferences are taken up at once, kept, and come back the next time."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PyQt6.QtCore import QSettings, Qt
from PyQt6.QtWidgets import QApplication, QDialogButtonBox, QFileDialog

from mtm_viewer import app
from mtm_viewer.jobs.backend_job import BackendWork
from mtm_viewer.jobs.reconstruct_job import ReconstructionJob
from mtm_viewer.preferences_desk import KEY, stored_preferences
from mtm_viewer.presenters.preferences import GB, Preferences, write_preferences
from mtm_viewer.views.preferences_dialog import PreferencesDialog
from tests.core.sessions import make_session
from tests.viewer.workspaces import make_small_workspace, write_files

pytestmark = pytest.mark.gui
PATIENCE_MS = 30_000


def dialog_of(desktop) -> PreferencesDialog:
    assert desktop.explorer.registry.run("edit.preferences")
    window = desktop.explorer.window
    (dialog,) = [d for d in window.findChildren(PreferencesDialog) if d.isVisible()]
    return dialog


def choose(box, value) -> None:
    box.setCurrentIndex(box.findData(value))


def test_what_is_chosen_is_taken_up_kept_and_comes_back(build_desktop, settings):
    desktop = build_desktop()
    dialog = dialog_of(desktop)
    choose(dialog.theme, "dark")
    choose(dialog.colour_map, "viridis")
    choose(dialog.font_percent, 125)
    dialog.prepared_gb.setValue(9)
    dialog.accept()
    assert desktop.state.theme.name == "dark"
    assert desktop.state.display.raster.colour_map == "viridis"
    assert desktop.explorer.works[0].cache.max_bytes == 9 * GB
    assert "starts next" in desktop.explorer.window.statusBar().currentMessage()
    desktop.explorer.window.close()
    again = build_desktop()
    assert again.state.theme.name == "dark"
    assert again.preferences.shown == desktop.preferences.shown
    assert stored_preferences(settings).font_percent == 125


def test_the_engine_is_told_how_to_compute(build_desktop, qtbot):
    work = BackendWork(lambda chosen: ReconstructionJob(chosen.memory_bytes))
    desktop = build_desktop(work)
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        desktop.state.open_workspace(make_small_workspace())
    status = desktop.explorer.window.status
    assert status.route.text().startswith("fp32, 1 thread")
    dialog = dialog_of(desktop)
    dialog.threads.setValue(2)
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        dialog.accept()
    assert status.route.text().startswith("fp32, 2 threads")
    experiment = desktop.experiments.experiment()
    assert experiment.backend == desktop.explorer.picture.backend
    assert experiment.backend.threads == 2


def test_the_matrix_is_told_how_to_compute_and_begins_anew(
    build_desktop, qtbot, monkeypatch, tmp_path
):
    monkeypatch.setenv("MTM_CACHE", str(tmp_path / "cache"))
    desktop = build_desktop()
    desktop.matrix.state.choose(min_units=4)
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        desktop.state.open_workspace(make_small_workspace())
    desktop.explorer.registry.run("matrix.show")

    def words() -> str:
        answer = desktop.matrix.state.answer
        is_whole = answer is not None and answer.share_done == 1
        return answer.report("psth_by_condition").header["backend"] if is_whole else ""

    qtbot.waitUntil(lambda: words().startswith("cpu, "), timeout=PATIENCE_MS)
    assert "bf16" not in words()
    dialog = dialog_of(desktop)
    choose(dialog.precision, "bf16")
    dialog.accept()
    qtbot.waitUntil(lambda: "bf16 layers" in words(), timeout=PATIENCE_MS)


def test_cancel_changes_nothing_and_defaults_can_be_restored(desktop):
    before = desktop.preferences.shown
    dialog = dialog_of(desktop)
    choose(dialog.theme, "dark")
    dialog.reject()
    assert desktop.preferences.shown == before
    assert desktop.state.theme.name == "light"
    dialog = dialog_of(desktop)
    dialog.threads.setValue(5)
    buttons = dialog.findChild(QDialogButtonBox)
    buttons.button(QDialogButtonBox.StandardButton.RestoreDefaults).click()
    assert dialog.read() == Preferences()
    dialog.change.click()
    (asked,) = desktop.explorer.window.findChildren(QFileDialog)
    asked.reject()
    dialog.reject()


def test_the_window_follows_the_desktop_until_a_theme_is_chosen(desktop, monkeypatch):
    hints = QApplication.styleHints()
    monkeypatch.setattr("mtm_viewer.preferences_desk._desktop_theme", lambda: "dark", raising=True)
    hints.colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert desktop.state.theme.name == "dark"
    assert desktop.preferences.shown.theme == "system"
    desktop.explorer.registry.run("view.theme.light")
    hints.colorSchemeChanged.emit(Qt.ColorScheme.Dark)
    assert desktop.state.theme.name == "light"


def test_the_theme_of_an_earlier_version_is_kept(settings):
    settings.setValue("theme", "dark")
    assert stored_preferences(settings).theme == "dark"
    settings.setValue("theme", "pink")
    assert stored_preferences(settings) == Preferences()


def test_it_begins_where_a_person_left_off(build_desktop, settings, qtbot, tmp_path):
    session, model, _ = write_files(tmp_path, make_session())
    settings.setValue(KEY, write_preferences(Preferences(at_start="last")))
    first = build_desktop()
    first.begin()  # nothing was open before
    with qtbot.waitSignal(first.explorer.settled, timeout=PATIENCE_MS):
        first.open_source(str(session), checkpoints=[model])
    first.explorer.window.close()
    again = build_desktop()
    with qtbot.waitSignal(again.explorer.settled, timeout=PATIENCE_MS):
        again.begin()
    assert again.state.workspace.path == session


def test_letters_are_scaled_before_the_window_is_built(monkeypatch, tmp_path):
    stored = QSettings(str(tmp_path / "a.ini"), QSettings.Format.IniFormat)
    monkeypatch.setattr(app, "_settings", lambda **_: stored)
    monkeypatch.delenv("QT_FONT_DPI", raising=False)
    app._scale_letters(is_offscreen=False)
    assert "QT_FONT_DPI" not in app.os.environ
    stored.setValue(KEY, write_preferences(Preferences(font_percent=150)))
    monkeypatch.setenv("QT_FONT_DPI", "")
    monkeypatch.delenv("QT_FONT_DPI")
    app._scale_letters(is_offscreen=False)
    assert app.os.environ.pop("QT_FONT_DPI") == "144"


def test_what_another_window_chose_stays_when_this_one_closes(build_desktop, settings):
    desktop = build_desktop()
    theirs = write_preferences(Preferences(theme="dark", threads=3))
    other = QSettings(settings.fileName(), QSettings.Format.IniFormat)
    other.setValue(KEY, theirs)
    other.sync()
    desktop.explorer.window.close()
    assert stored_preferences(settings) == Preferences(theme="dark", threads=3)
    desktop = build_desktop()
    desktop.preferences.choose(replace(desktop.preferences.shown, font_percent=125))
    other.setValue(KEY, theirs)
    other.sync()
    desktop.preferences.choose(replace(desktop.preferences.shown, prepared_gb=7))
    kept = stored_preferences(settings)
    assert (kept.threads, kept.prepared_gb, kept.font_percent) == (3, 7, 100)
