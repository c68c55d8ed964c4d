"""The session browser in the whole program: find, drop, paste, download, prepare, ask, save."""

from __future__ import annotations

import shutil
import time

import pytest
from PyQt6.QtCore import QMimeData, QPointF, Qt, QUrl
from PyQt6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent
from PyQt6.QtWidgets import QApplication, QFileDialog, QLineEdit, QMessageBox

from mtm_core.config import PreparationConfig
from mtm_core.config_io import load_preparation
from mtm_core.data.session_file import read_session, write_session
from mtm_core.errors import DownloadError
from mtm_viewer.jobs.prepare_job import OpenJob
from mtm_viewer.views.details import SessionDetailsView
from mtm_viewer.views.preparation_dialog import PreparationDialog
from tests.core.data.small_nwb import write_small_nwb
from tests.core.sessions import make_session
from tests.viewer.one_client import EID, PASSWORD, FakeDatabase
from tests.viewer.recordings import EXCERPT, write_simulated

pytestmark = pytest.mark.gui
PATIENCE_MS = 15_000
STRICT = PreparationConfig(align="first_movement", window_start_s=-8.0, window_end_s=8.0)


@pytest.fixture
def database():
    return FakeDatabase(folder=EXCERPT)


@pytest.fixture
def desk(build_desktop, database):
    return build_desktop(connect=database.connect)


def settle(qtbot, desk, deed) -> None:
    with qtbot.waitSignal(desk.explorer.settled, timeout=PATIENCE_MS):
        deed()


def wait(qtbot, until) -> None:
    qtbot.waitUntil(lambda: bool(until()), timeout=PATIENCE_MS)


def boxes(desk) -> list[QMessageBox]:
    return [box for box in desk.explorer.window.findChildren(QMessageBox) if box.isVisible()]


def press(desk, name: str) -> None:
    (box,) = boxes(desk)
    next(b for b in box.buttons() if b.accessibleName() == name).click()


def only(desk, kind):
    (dialog,) = [w for w in desk.explorer.window.findChildren(kind) if w.isVisible()]
    return dialog


def rows(desk) -> list[str]:
    return [row.name for row in desk.explorer.window.browser.table.sessions.rows]


def drop(desk, *, paths=(), text="") -> None:
    data = QMimeData()
    if paths:
        data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    else:
        data.setText(text)
    spot, copy = QPointF(30, 30), Qt.DropAction.CopyAction
    button, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window = desk.explorer.window
    window.dragEnterEvent(QDragEnterEvent(spot.toPoint(), copy, data, button, none))
    assert window._target.isVisible()
    window.dropEvent(QDropEvent(spot, copy, data, button, none))
    assert not window._target.isVisible()


def show_database(qtbot, desk) -> None:
    desk.explorer.registry.run("session.database")
    wait(qtbot, lambda: not desk.browsing._database.is_busy)


def test_bundled_recordings_are_listed_with_their_regions(desk, qtbot):
    wait(qtbot, lambda: len(rows(desk)) == 14)
    (first, *_) = desk.explorer.window.browser.table.sessions.rows
    assert first.n_units
    assert first.regions
    qtbot.keyClicks(desk.explorer.window.browser.search, "Forssmann VISa")
    assert rows(desk) == ["steinmetz2019_s04_Forssmann_2017-11-01"]


def test_a_dropped_folder_is_prepared_and_shown_with_its_health(desk, qtbot):
    settle(qtbot, desk, lambda: drop(desk, paths=[EXCERPT]))
    window = desk.explorer.window
    labels = {name: label.text() for name, label in window.health.labels.items()}
    assert labels["Origin"] == "recorded"
    assert labels["Trials"].startswith("24 of 30 trials kept: ")
    assert "whisker motion energy" in labels["Missing behaviour"]
    assert not window.opening.isVisible()


def test_without_a_model_true_rasters_psths_and_what_to_do_next_are_shown(desk, qtbot):
    settle(qtbot, desk, lambda: drop(desk, paths=[EXCERPT]))
    window = desk.explorer.window
    assert window.raster._drawable.panels[0].image.any()
    assert window.unit.title.text().startswith("unit ")
    assert "mtm-core train --preset quick --session " in window.scores.verdict.text()
    assert not window.scores.shuffle.isVisible()
    QApplication.clipboard().clear()
    window.scores.copy.click()
    command = QApplication.clipboard().text()
    desk.explorer.registry.run("model.train")
    assert QApplication.clipboard().text() == command
    path = desk.state.workspace.path
    assert f"--session {path} " in command
    assert read_session(path).n_trials == 24


def test_a_simulated_folder_says_so_wherever_it_shows(desk, qtbot, tmp_path):
    folder = write_simulated(tmp_path)
    desk.open_session(folder)
    wait(qtbot, lambda: desk.state.workspace is not None or boxes(desk))
    if boxes(desk):
        press(desk, "Go on with these trials")
    wait(qtbot, lambda: desk.explorer.window.raster._drawable is not None)
    window = desk.explorer.window
    assert "(simulated)" in window.windowTitle()
    assert "(simulated)" in window.status.session.text()
    assert window.health.labels["Origin"].text() == "simulated"
    assert window.raster._drawable.panels[0].title == "True (simulated)"
    desk.exports.save_picture(desk.exports.panels[0], tmp_path / "rasters.svg")
    desk.exports.wait()
    assert "simulated" in (tmp_path / "rasters.svg").read_text()
    wait(qtbot, lambda: not desk.explorer.engine.is_busy)


def test_losing_many_trials_is_asked_about_before_anything_is_shown(desk, qtbot):
    desk.explorer.opener.set_config(STRICT)
    desk.open_session(EXCERPT)
    wait(qtbot, lambda: boxes(desk))
    assert "of 30 trials kept" in boxes(desk)[0].informativeText()
    press(desk, "Cancel")
    assert desk.state.workspace is None
    desk.open_session(EXCERPT)
    wait(qtbot, lambda: boxes(desk))
    settle(qtbot, desk, lambda: press(desk, "Go on with these trials"))
    assert desk.state.workspace.opened.config == STRICT


def test_the_settings_can_be_changed_instead(desk, qtbot):
    desk.explorer.opener.set_config(STRICT)
    desk.open_session(EXCERPT)
    wait(qtbot, lambda: boxes(desk))
    press(desk, "Change settings…")
    dialog = only(desk, PreparationDialog)
    dialog.show_config(load_preparation("paper"))
    settle(qtbot, desk, dialog._accept)
    assert desk.state.workspace.session.n_trials == 27
    assert desk.explorer.opener.config == load_preparation("paper")


def test_rules_that_leave_nothing_offer_the_settings(desk, qtbot):
    desk.explorer.opener.set_config(PreparationConfig(min_region_units=999))
    desk.open_session(EXCERPT)
    wait(qtbot, lambda: boxes(desk))
    assert boxes(desk)[0].text() == "This recording could not be prepared"
    press(desk, "Change settings…")
    only(desk, PreparationDialog).reject()
    assert desk.state.workspace is None


def test_what_is_open_is_prepared_again_with_other_settings(desk, qtbot):
    settle(qtbot, desk, lambda: desk.open_session(EXCERPT))
    n_units = desk.state.workspace.session.n_units
    desk.explorer.window.health.settings.click()
    dialog = only(desk, PreparationDialog)
    dialog.fields["units"].setCurrentIndex(dialog.fields["units"].findData("all"))
    settle(qtbot, desk, dialog._accept)
    assert desk.state.workspace.session.n_units > n_units


def test_preparing_can_be_cancelled_and_leaves_all_as_it_was(build_desktop, qtbot, monkeypatch):
    def slow(self, request, should_stop):
        request.report("reading")
        while not should_stop():
            time.sleep(0.005)

    monkeypatch.setattr(OpenJob, "_read", slow)
    desk = build_desktop()
    desk.open_session(EXCERPT)
    strip = desk.explorer.window.opening
    wait(qtbot, strip.isVisible)
    assert strip.title.text() == "Opening ibl_excerpt"
    wait(qtbot, lambda: strip.detail.text() == "reading")
    strip.cancel.click()
    assert not strip.isVisible()
    assert desk.state.workspace is None
    assert not desk.explorer.opener.loader.is_busy


def test_an_nwb_file_is_dropped(desk, qtbot, tmp_path):
    lenient = load_preparation("paper", [("prepare.drop_silence", "false")])
    desk.explorer.opener.set_config(lenient)
    settle(qtbot, desk, lambda: drop(desk, paths=[write_small_nwb(tmp_path / "small.nwb")]))
    assert desk.state.workspace.opened.source.endswith("small.nwb")


def test_several_dropped_sessions_are_listed_to_choose_from(desk, qtbot, tmp_path):
    write_session(make_session(), tmp_path / "one.h5")
    write_session(make_session(seed=1), tmp_path / "two.h5")
    drop(desk, paths=[tmp_path / "one.h5", tmp_path / "two.h5"])
    wait(qtbot, lambda: rows(desk) == ["one", "two"])
    browser = desk.explorer.window.browser
    assert browser.shelf == "disk"
    browser.table.selectRow(1)
    settle(qtbot, desk, browser.open.click)
    assert desk.state.workspace.session.session_id == "simulated-1"


def test_a_folder_of_many_sessions_is_looked_through(desk, qtbot, tmp_path):
    for name in ("a", "b"):
        shutil.copytree(EXCERPT / "alf", tmp_path / name / "alf")
    desk.open_session(tmp_path)
    wait(qtbot, lambda: rows(desk) == ["a", "b"])
    qtbot.keyClicks(desk.explorer.window.browser.search, "nothing")
    assert "No session fits" in desk.explorer.window.browser.message.text()


def test_an_empty_folder_says_what_was_looked_for(desk, qtbot, tmp_path):
    desk.browsing.scan([tmp_path])
    message = desk.explorer.window.browser.message
    wait(qtbot, lambda: "No session was found in" in message.text())


@pytest.mark.parametrize(
    ("command", "title"), [("session.folder", "Open folder"), ("scan", "Look for sessions")]
)
def test_folders_are_asked_for(desk, qtbot, command, title):
    if command == "scan":
        desk.explorer.window.browser.scan_requested.emit()
    else:
        desk.explorer.registry.run(command)
    dialog = only(desk, QFileDialog)
    assert dialog.windowTitle().startswith(title)
    dialog.fileSelected.emit(str(EXCERPT))
    dialog.reject()
    wait(qtbot, lambda: desk.state.workspace is not None or rows(desk) == ["ibl_excerpt"])
    wait(qtbot, lambda: not desk.explorer.engine.is_busy)


def test_files_dropped_on_a_text_field_reach_the_window(desk):
    fields = desk.explorer.window.findChildren(QLineEdit)
    assert fields
    assert not any(field.acceptDrops() for field in fields)


def test_leaving_with_what_is_dragged_hides_the_target(desk):
    window = desk.explorer.window
    window._target.draw(is_shown=True)
    window.dragLeaveEvent(QDragLeaveEvent())
    assert not window._target.isVisible()


@pytest.mark.parametrize("way", ["path", "file", "search", "drop"])
def test_a_path_is_pasted_typed_or_dropped(desk, qtbot, way):
    clipboard, browser = QApplication.clipboard(), desk.explorer.window.browser

    def deed() -> None:
        if way == "path":
            clipboard.setText(f" {EXCERPT} ")
            desk.explorer.registry.run("session.paste")
        elif way == "file":
            data = QMimeData()
            data.setUrls([QUrl.fromLocalFile(str(EXCERPT))])
            clipboard.setMimeData(data)
            desk.explorer.registry.run("session.paste")
        elif way == "search":
            browser.search.setText(str(EXCERPT))
            qtbot.keyClick(browser.search, Qt.Key.Key_Return)
        else:
            drop(desk, text=str(EXCERPT))

    settle(qtbot, desk, deed)
    assert desk.state.workspace.opened.source == str(EXCERPT)


def test_text_that_names_nothing_is_told(desk, qtbot):
    QApplication.clipboard().setText("just words")
    desk.explorer.registry.run("session.paste")
    assert "neither the path of a session nor an eid" in boxes(desk)[0].informativeText()
    boxes(desk)[0].close()
    qtbot.wait(10)
    drop(desk, text="just words")
    assert boxes(desk)[0].text() == "This text cannot be opened"
    boxes(desk)[0].close()


def test_enter_in_the_search_box_goes_on_to_the_list(desk, qtbot):
    wait(qtbot, lambda: len(rows(desk)) == 14)
    desk.explorer.window.activateWindow()
    browser = desk.explorer.window.browser
    qtbot.keyClicks(browser.search, "Cori")
    qtbot.keyClick(browser.search, Qt.Key.Key_Return)
    assert browser.table.current().subject == "Cori"


def test_a_pasted_eid_is_downloaded_and_opened(desk, qtbot, database):
    QApplication.clipboard().setText(f"eid = '{EID}'")
    settle(qtbot, desk, lambda: desk.explorer.registry.run("session.paste"))
    assert database.downloads == [EID]
    assert desk.state.workspace.source == EID
    assert [session.source for session in desk.recent()] == [EID]


def test_a_download_shows_how_far_it_is_and_can_be_cancelled(desk, qtbot, database):
    database.gate.clear()
    desk.open_source(EID, name="KS014")
    strip = desk.explorer.window.download
    wait(qtbot, lambda: "40.0 of 100 MB" in strip.detail.text())
    assert strip.title.text() == "Downloading KS014"
    assert "about 20 s left" in strip.detail.text()
    assert strip.progress.value() == 400
    strip.cancel.click()
    wait(qtbot, lambda: not desk.browsing.downloads.thread_of_work.is_busy)
    assert not strip.isVisible()
    assert desk.state.workspace is None
    assert not boxes(desk)


def test_downloads_wait_for_each_other(desk, qtbot, database):
    database.gate.clear()
    for _ in range(2):
        desk.open_source(EID, name="first")
    wait(qtbot, lambda: desk.browsing.downloads.running is not None)
    desk._download_row("c7bf2d49-4937-4597-b307-9f39cb1c7b16", "second")
    strip = desk.explorer.window.download
    wait(qtbot, lambda: "(1 more waiting)" in strip.detail.text())
    strip.cancel.click()
    assert strip.title.text() == "Downloading second"
    strip.cancel.click()
    assert not strip.isVisible()


def test_what_arrives_late_does_not_push_aside_what_is_open_now(desk, qtbot, database):
    database.gate.clear()
    desk.open_source(EID, name="KS014")
    wait(qtbot, lambda: desk.browsing.downloads.running is not None)
    settle(qtbot, desk, lambda: desk.open_session(EXCERPT))
    database.gate.set()
    wait(qtbot, lambda: boxes(desk))
    assert boxes(desk)[0].text() == "KS014 has arrived"
    assert desk.state.workspace.source == str(EXCERPT)
    settle(qtbot, desk, lambda: press(desk, "Open it"))
    assert desk.state.workspace.source == EID


def test_a_failed_download_can_be_tried_again(desk, qtbot, database):
    database.fault = DownloadError("spikes.times.npy did not arrive whole. Try again.")
    desk.open_source(EID, name="KS014")
    wait(qtbot, lambda: boxes(desk))
    assert boxes(desk)[0].text() == "KS014 was not downloaded"
    settle(qtbot, desk, lambda: press(desk, "Try again"))
    assert database.downloads == [EID, EID]


def test_the_database_is_asked_only_when_it_is_looked_at(desk, qtbot, database):
    assert database.accounts == []
    show_database(qtbot, desk)
    assert len(database.accounts) == 1
    wait(qtbot, lambda: rows(desk) == ["KS014 2019-12-03 001", "CSH_ZAD_019 2020-08-14 001"])
    assert desk.explorer.window.browser.database.badge.text() == "online"


def test_typing_is_searched_for_once_it_pauses(desk, qtbot, database):
    show_database(qtbot, desk)
    n_before = len(database.queries)
    qtbot.keyClicks(desk.explorer.window.browser.search, "zador")
    wait(qtbot, lambda: rows(desk) == ["CSH_ZAD_019 2020-08-14 001"])
    assert [query.text for query in database.queries[n_before:]] == ["zador"]


def test_filters_narrow_the_search(desk, qtbot, database):
    show_database(qtbot, desk)
    bar = desk.explorer.window.browser.database
    bar.lab.setCurrentIndex(bar.lab.findData("mainenlab"))
    bar.lab.activated.emit(bar.lab.currentIndex())
    bar.date_from.setText("2019")
    wait(qtbot, lambda: rows(desk) == ["KS014 2019-12-03 001"])
    assert (database.queries[-1].lab, database.queries[-1].date_from) == (
        "mainenlab",
        "2019-01-01",
    )


def test_a_session_of_the_list_is_downloaded_and_opened(desk, qtbot):
    show_database(qtbot, desk)
    wait(qtbot, lambda: len(rows(desk)) == 2)
    browser = desk.explorer.window.browser
    browser.table.selectRow(0)
    assert browser.open.text() == "Download and open"
    settle(qtbot, desk, browser.open.click)
    assert desk.state.workspace.source == EID


def test_no_network_is_a_badge_and_a_sentence(desk, qtbot, database):
    database.is_down = True
    show_database(qtbot, desk)
    bar = desk.explorer.window.browser.database
    wait(qtbot, lambda: bar.badge.text() == "offline")
    assert bar.words.text() == "There is no network. Check the cable, or work offline."
    wait(qtbot, lambda: "Without the database" in desk.explorer.window.browser.message.text())
    database.is_down = False
    bar.retry.click()
    wait(qtbot, lambda: bar.badge.text() == "online")


def test_working_offline_is_a_choice(desk, qtbot, database):
    database.needs_login = True
    show_database(qtbot, desk)
    bar = desk.explorer.window.browser.database
    wait(qtbot, lambda: bar.badge.text() == "not logged in")
    bar.offline.click()
    wait(qtbot, lambda: bar.badge.text() == "offline")
    assert database.accounts[-1].mode == "local"


def test_logging_in_corrects_a_wrong_password_and_then_goes_on(desk, qtbot, database):
    database.needs_login = True
    desk.open_source(EID, name="KS014")
    wait(qtbot, lambda: desk.browsing.login_dialog is not None)
    dialog = desk.browsing.login_dialog
    assert "Nobody is logged in" in dialog.problem.text()
    dialog.username.setText("me")
    dialog.password.setText("wrong")
    dialog._submit()
    wait(qtbot, lambda: "was not accepted" in dialog.problem.text())
    dialog.password.setText(PASSWORD)
    settle(qtbot, desk, dialog._submit)
    assert desk.state.workspace.source == EID
    assert desk.browsing.login_dialog is None
    assert desk.browsing.account.password is None


def test_a_login_that_is_given_up_changes_nothing(desk, qtbot, database):
    desk.explorer.registry.run("session.login")
    desk.browsing.login_dialog.reject()
    assert desk.browsing.login_dialog is None
    assert database.accounts == []


def test_secrets_reach_neither_settings_nor_log(desk, qtbot, database, settings, caplog):
    database.needs_login = True
    desk.explorer.registry.run("session.login")
    dialog = desk.browsing.login_dialog
    dialog.username.setText("me")
    dialog.password.setText(PASSWORD)
    dialog._submit()
    wait(qtbot, lambda: desk.browsing.login_dialog is None)
    desk.explorer.window.close()
    stored = " ".join(str(settings.value(key)) for key in settings.allKeys())
    assert PASSWORD not in stored.split()
    assert PASSWORD not in caplog.text.split()


def test_the_browser_comes_and_goes_without_moving_the_docks(desk, qtbot):
    settle(qtbot, desk, lambda: desk.open_session(EXCERPT))
    window = desk.explorer.window
    width = window.tree_dock.width()
    desk.explorer.registry.run("session.browse")
    assert window.is_browsing
    assert not window.tree_dock.isVisible()
    assert window.welcome.back.isVisible()
    desk.explorer.registry.run("edit.search")
    desk.explorer.registry.run("model.cancel")  # Esc
    assert not window.is_browsing
    qtbot.waitUntil(lambda: abs(window.tree_dock.width() - width) < 3)


def test_settings_of_the_preparation_are_shown_and_survive(build_desktop, qtbot):
    first = build_desktop()
    first.explorer.window.browser.settings.click()
    dialog = only(first, PreparationDialog)
    dialog.show_config(load_preparation("paper"))
    dialog._accept()
    assert "all units" in first.explorer.window.browser.preparation.text()
    first.explorer.window.close()
    second = build_desktop()
    assert second.explorer.opener.config == load_preparation("paper")


def test_all_about_a_session_is_a_key_away(desk, qtbot):
    settle(qtbot, desk, lambda: desk.open_session(EXCERPT))
    desk.explorer.registry.run("session.details")
    view = only(desk, SessionDetailsView)
    assert "24 of 30 trials kept" in view.text.toPlainText()
    view.reject()


def test_the_prepared_session_is_saved_for_other_people(desk, qtbot, tmp_path):
    settle(qtbot, desk, lambda: desk.open_session(EXCERPT))
    desk.explorer.registry.run("session.save")
    dialog = only(desk, QFileDialog)
    dialog.fileSelected.emit(str(tmp_path / "copy.h5"))
    dialog.reject()
    wait(qtbot, lambda: (tmp_path / "copy.h5").exists())
    wait(qtbot, lambda: not desk.explorer.opener.loader.is_busy)
    assert read_session(tmp_path / "copy.h5").preparation.n_trials_kept == 24


def test_a_session_that_is_gone_says_so(desk, qtbot, tmp_path):
    path = tmp_path / "soon gone.h5"
    write_session(make_session(), path)
    settle(qtbot, desk, lambda: desk.open_session(path))
    desk.browse()
    path.unlink()
    browser = desk.explorer.window.browser
    browser.choose_shelf("recent")
    assert desk.recent() == []
    browser.table.selectRow(0)
    browser.open.click()
    wait(qtbot, lambda: boxes(desk))
    assert "There is no file or folder" in boxes(desk)[0].informativeText()
    boxes(desk)[0].close()
