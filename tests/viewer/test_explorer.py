"""The whole program: real window, real engine, small session with untrained models."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pyqtgraph as pg
import pytest
from PyQt6.QtCore import QMimeData, QPointF, Qt, QTimer, QUrl
from PyQt6.QtGui import QDropEvent
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QLabel,
    QLineEdit,
    QMenu,
    QMessageBox,
    QPlainTextEdit,
    QProgressBar,
    QScrollArea,
)

from mtm_core.data.session_file import write_session
from mtm_core.evaluation.mask_scores import CONTROL
from mtm_viewer.jobs.reconstruct_job import ReconstructionJob
from mtm_viewer.theme import DARK
from tests.core.sessions import make_session
from tests.viewer.workspaces import make_small_workspace, write_files

pytestmark = pytest.mark.gui
PATIENCE_MS = 10_000


@pytest.fixture
def explorer(desktop, qtbot):
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        desktop.state.open_workspace(make_small_workspace())
    return desktop.explorer


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_files(tmp_path_factory.mktemp("files"), make_session())


def settle(qtbot, explorer, deed) -> None:
    with qtbot.waitSignal(explorer.settled, timeout=PATIENCE_MS):
        deed()


def click_region(qtbot, window, region: str) -> None:
    view = window.tree
    place = view.tree.visualRect(view.model.region_index(region)).center()
    qtbot.mouseClick(view.tree.viewport(), Qt.MouseButton.LeftButton, pos=place)


def table(explorer) -> list[str]:
    scores = explorer.window.scores.table
    return [scores.item(row, 0).text() for row in range(scores.rowCount())]


def dialogs(explorer) -> list[QMessageBox]:
    return [box for box in explorer.window.findChildren(QMessageBox) if box.isVisible()]


def close_dialogs(qtbot, explorer) -> None:
    for box in dialogs(explorer):
        box.close()
    qtbot.wait(10)


def test_opening_shows_rasters_scores_unit_and_words(explorer):
    window = explorer.window
    assert window.raster._drawable.panels[1].message == ""
    assert table(explorer) == ["MtM", "Temporal baseline", "PSTH, all trials", "Drift"]
    assert "bits/spike beyond PSTH" in window.scores.headline.text()
    assert window.unit.title.text().startswith("unit VISp")
    status = window.status
    assert status.session.text() == "simulated-0 (simulated) · 40 trials · 24 units"
    assert status.mask_words.text() == "VISp hidden: 8 of 24 units, inter-region prompt"
    assert status.progress_words.text() == "8 test trials, exact"
    assert window.windowTitle() == "small (simulated) — MtM Viewer"


def test_a_click_on_a_region_hides_it_and_draws_it_anew(explorer, qtbot):
    before = explorer.picture
    settle(qtbot, explorer, lambda: click_region(qtbot, explorer.window, "CA1"))
    assert explorer.picture is not before
    rows = explorer.picture.raster.rows
    assert set(rows.region[rows.is_hidden[:, 0]]) == {"CA1"}
    assert explorer.window.status.mask_words.text().startswith("CA1 hidden")


def test_a_click_on_a_region_of_the_raster_does_the_same(explorer, qtbot):
    settle(qtbot, explorer, lambda: explorer.window.raster.region_clicked.emit("DG"))
    assert explorer.state.mask.region == "DG"


def test_a_click_on_a_recipe_keeps_the_region(explorer, qtbot):
    button = explorer.window.recipes.buttons["intra_region"]
    settle(qtbot, explorer, button.click)
    assert explorer.state.mask.title == "Intra-region VISp"
    assert explorer.window.tree.hint.text() == "Click: keep only this region"


def test_a_click_on_a_unit_shows_it_closely(explorer, qtbot):
    unit = str(explorer.state.workspace.session.unit_id[17])
    explorer.window.raster.unit_clicked.emit(unit)
    assert explorer.window.unit.title.text() == "unit VISp #17 (simulated)"
    assert "beyond PSTH" in explorer.window.unit.score.text()
    assert len(explorer.window.unit.plots) == 4


def test_the_proposed_unit_follows_the_mask_until_a_person_chooses_one(explorer, qtbot):
    def region_of_unit() -> str:
        return str(explorer.state.workspace.session.region[explorer.state.unit_row])

    assert region_of_unit() == "VISp"
    settle(qtbot, explorer, lambda: explorer.state.click_region("CA1"))
    assert region_of_unit() == "CA1"
    explorer.window.raster.unit_clicked.emit(str(explorer.state.workspace.session.unit_id[17]))
    settle(qtbot, explorer, lambda: explorer.state.click_region("DG"))
    assert region_of_unit() == "VISp"


def test_an_eye_hides_in_a_custom_mask(explorer, qtbot):
    view = explorer.window.tree
    eye = view.model.region_index("DG").siblingAtColumn(2)
    place = view.tree.visualRect(eye).center()
    settle(
        qtbot,
        explorer,
        lambda: qtbot.mouseClick(view.tree.viewport(), Qt.MouseButton.LeftButton, pos=place),
    )
    assert explorer.state.mask.recipe == "custom"
    assert explorer.window.editor_dock.isVisible()
    assert set(explorer.state.parts.regions) == {"DG", "VISp"}


def test_the_editor_edits_the_mask(explorer, qtbot):
    explorer.state.choose_recipe("custom")
    settle(qtbot, explorer, lambda: explorer.window.editor.bins_entered.emit((2, 5)))
    assert explorer.window.models.badge.isVisible()
    assert explorer.window.models.badge.toolTip().startswith("not trained for this")
    settle(qtbot, explorer, explorer.window.editor.cleared.emit)
    assert explorer.window.status.mask_words.text() == "nothing hidden"
    assert explorer.window.scores.headline.text() == "beyond PSTH: nothing scored"


def test_undo_and_redo_stand_in_the_menu_by_name(explorer, qtbot):
    settle(qtbot, explorer, lambda: click_region(qtbot, explorer.window, "CA1"))
    undo = explorer.window._actions["edit.undo"]
    assert undo.text() == "Undo Inter-region CA1"
    settle(qtbot, explorer, undo.trigger)
    assert explorer.state.mask.region == "VISp"
    assert not undo.isEnabled()
    assert explorer.window._actions["edit.redo"].text() == "Redo Inter-region CA1"


def test_the_control_is_a_click_away(explorer, qtbot):
    shuffle = explorer.window.scores.shuffle
    settle(qtbot, explorer, shuffle.click)
    assert CONTROL in table(explorer)
    assert shuffle.isChecked()
    settle(qtbot, explorer, lambda: click_region(qtbot, explorer.window, "CA1"))
    assert shuffle.isEnabled()


def test_the_third_raster_can_show_the_difference(explorer, qtbot):
    bar = explorer.window.models
    settle(qtbot, explorer, lambda: bar.third_chosen.emit("difference"))
    assert explorer.picture.raster.panels[2].unit == "expected Poisson errors"
    assert bar.third.currentText() == "Difference"


def test_the_rows_can_be_those_of_the_region(explorer, qtbot):
    settle(qtbot, explorer, lambda: explorer.window.models.focus_chosen.emit(True))
    assert set(explorer.picture.raster.rows.region) == {"VISp"}


def test_another_model_is_put_on_screen(explorer, qtbot):
    settle(qtbot, explorer, lambda: explorer.window.models.model_chosen.emit(1))
    assert explorer.state.workspace.model.is_temporal
    assert explorer.window.models.model.currentIndex() == 1
    assert table(explorer)[0] == "Temporal baseline"


def test_masks_that_cannot_be_used_are_told_and_leave_everything(explorer, qtbot):
    before = explorer.state.mask
    explorer.window.raster.region_clicked.emit("XYZ")
    (box,) = dialogs(explorer)
    assert "no region 'XYZ'" in box.informativeText()
    assert explorer.state.mask == before
    close_dialogs(qtbot, explorer)


def test_opening_files_goes_on_in_the_background(desktop, files, qtbot):
    session, mtm, temporal = files
    settle(qtbot, desktop.explorer, lambda: desktop.open_dropped([session, mtm, temporal]))
    assert desktop.state.workspace.path == session
    assert [m.kind for m in desktop.state.workspace.models] == ["MtM", "Temporal baseline"]


def test_a_foreign_file_is_told_and_what_was_open_stays(explorer, desktop, tmp_path, qtbot):
    foreign = tmp_path / "foreign.h5"
    foreign.write_bytes(b"not a session")
    before = desktop.state.workspace
    with qtbot.waitSignal(explorer.told, timeout=PATIENCE_MS) as told:
        desktop.open_session(foreign)
    assert "foreign.h5" in told.args[0]
    assert "Traceback" not in told.args[0]
    assert desktop.state.workspace is before
    assert table(explorer)[0] == "MtM"
    close_dialogs(qtbot, explorer)


def test_a_checkpoint_of_other_units_offers_the_overlap(desktop, files, tmp_path, qtbot):
    explorer = desktop.explorer
    part = tmp_path / "part.h5"
    write_session(make_session().take_units(np.arange(20)), part)
    settle(qtbot, explorer, lambda: desktop.open_session(part))
    assert desktop.state.workspace.model is None
    with qtbot.waitSignal(explorer.told, timeout=PATIENCE_MS) as told:
        desktop.open_checkpoint(files[1])
    assert "4 of the checkpoint's 24 units" in told.args[0]
    assert desktop.state.workspace.model is None
    (box,) = dialogs(explorer)
    names = {button.accessibleName(): button for button in box.buttons()}
    settle(qtbot, explorer, names["Use the units that both share"].click)
    assert desktop.state.workspace.is_missing.sum() == 4
    assert "20 units" in explorer.window.status.session.text()


def test_a_checkpoint_of_another_window_is_told_and_nothing_changes(
    desktop, files, tmp_path, qtbot
):
    coarse = tmp_path / "coarse.h5"
    write_session(make_session(bin_size_s=0.02), coarse)
    settle(qtbot, desktop.explorer, lambda: desktop.open_session(coarse))
    with qtbot.waitSignal(desktop.explorer.told, timeout=PATIENCE_MS) as told:
        desktop.open_checkpoint(files[1])
    assert "this session has 20 ms" in told.args[0]
    assert desktop.state.workspace.path == coarse
    close_dialogs(qtbot, desktop.explorer)


def test_a_session_without_a_model_is_shown_and_says_so(desktop, qtbot):
    explorer = desktop.explorer
    settle(
        qtbot,
        explorer,
        lambda: desktop.state.open_workspace(make_small_workspace(has_models=False)),
    )
    assert explorer.window.status.progress_words.text() == "no model for this session"
    assert "mtm-core train --preset quick" in explorer.window.scores.verdict.text()
    assert explorer.window.raster._drawable.panels[1].message
    assert not explorer.window._actions["model.control"].isEnabled()


def test_a_session_without_regions_can_be_looked_at(desktop, qtbot):
    settle(
        qtbot,
        desktop.explorer,
        lambda: desktop.state.open_workspace(make_small_workspace(regions=())),
    )
    assert desktop.state.mask.spec is None
    assert desktop.explorer.window.tree.model.rowCount() == 1
    desktop.explorer.window.recipes.buttons["inter_region"].click()
    (box,) = dialogs(desktop.explorer)
    assert "needs a region" in box.informativeText()
    assert desktop.explorer.window.recipes.buttons["custom"].isChecked()
    close_dialogs(qtbot, desktop.explorer)


def test_fields_that_the_session_lacks_are_said_to_be_missing(desktop, qtbot):
    workspace = make_small_workspace()
    session = workspace.session
    columns = {k: v for k, v in session.trials.columns.items() if k in ("trial_id", "align_s")}
    bare = replace(session, trials=replace(session.trials, columns=columns))
    workspace = replace(workspace, session=bare, recording=bare)
    settle(qtbot, desktop.explorer, lambda: desktop.state.open_workspace(workspace))
    plots = desktop.explorer.window.unit.plots
    assert len(plots) == 4
    assert all("not in this session" in _texts(plot) for plot in plots)


def test_dropping_files_on_the_window_opens_them(desktop, files, qtbot):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in files])
    drop = QDropEvent(
        QPointF(20, 20),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    settle(qtbot, desktop.explorer, lambda: desktop.explorer.window.dropEvent(drop))
    assert desktop.state.workspace.path == files[0]


def test_what_was_open_lately_is_offered_again(build_desktop, files, qtbot):
    first = build_desktop()
    settle(qtbot, first.explorer, lambda: first.open_dropped([files[0]]))
    first.explorer.window.close()
    second = build_desktop()
    assert str(files[0]) in [session.source for session in second.recent()]
    assert f"session.recent.{files[0]}" in second.explorer.window._actions


def test_colours_chosen_last_time_come_back(build_desktop):
    first = build_desktop()
    first.explorer.registry.run("view.theme.dark")
    first.explorer.window.close()
    assert build_desktop().state.theme is DARK


def test_cancelling_keeps_what_is_on_screen(build_desktop, qtbot):
    def slow(request, should_stop):
        for picture in ReconstructionJob()(request, should_stop):
            yield replace(picture, is_exact=False, is_final=False)
            while not should_stop():
                time.sleep(0.005)

    explorer = build_desktop(slow).explorer
    explorer.state.open_workspace(make_small_workspace(n_trials=120))
    qtbot.waitUntil(lambda: explorer.picture is not None, timeout=PATIENCE_MS)
    qtbot.waitUntil(explorer.window.status.busy.isVisible, timeout=PATIENCE_MS)
    explorer.registry.run("model.cancel")
    assert not explorer.window.status.busy.isVisible()
    assert explorer.window.status.progress_words.text().endswith("stopped")
    assert explorer.window.raster._drawable is not None


def test_newest_click_wins_and_its_picture_is_the_last(explorer, qtbot):
    for region in ("CA1", "DG", "VISp", "DG", "CA1"):
        explorer.state.click_region(region)
    qtbot.waitUntil(lambda: not explorer.engine.is_busy, timeout=PATIENCE_MS)
    rows = explorer.picture.raster.rows
    assert set(rows.region[rows.is_hidden[:, 0]]) == {"CA1"}
    assert explorer.picture.is_final


def test_pictures_of_a_session_that_is_gone_are_never_drawn(explorer, qtbot):
    explorer.state.click_region("CA1")
    other = make_small_workspace(seed=3)
    settle(qtbot, explorer, lambda: explorer.state.open_workspace(other))
    assert explorer.picture.workspace is other


def test_the_window_goes_on_while_the_engine_works(build_desktop, qtbot):
    explorer = build_desktop().explorer
    workspace = make_small_workspace(n_trials=200, n_units=120, n_bins=40)
    settle(qtbot, explorer, lambda: explorer.state.open_workspace(workspace))
    ticks: list[float] = []
    timer = QTimer()
    timer.setInterval(5)
    timer.timeout.connect(lambda: ticks.append(time.perf_counter()))
    timer.start()
    start_s = time.perf_counter()
    settle(qtbot, explorer, lambda: explorer.state.choose_recipe("intra_region"))
    elapsed_s = time.perf_counter() - start_s
    timer.stop()
    gaps = np.diff([start_s, *ticks])
    assert len(ticks) > 5
    # Drawing a picture takes its time, and the machine may be busy: far from a freeze is enough.
    assert np.median(gaps) < max(0.05, 0.2 * elapsed_s)


def test_every_control_has_a_name_for_screen_readers(explorer):
    explorer.state.choose_recipe("custom")
    explorer.registry.run("help.shortcuts")
    explorer.registry.run("help.log")
    nameless = [
        f"{type(control).__name__} in {type(control.parent()).__name__}"
        for control in _controls(explorer.window)
        if not _spoken(control)
    ]
    assert nameless == []


def test_every_control_can_be_reached_by_keyboard(explorer):
    deaf = [
        _spoken(control)
        for control in _controls(explorer.window)
        if control.isVisibleTo(explorer.window)
        and control.isEnabled()
        and not control.focusPolicy() & Qt.FocusPolicy.TabFocus
    ]
    assert deaf == []


def test_every_command_has_a_sentence_or_a_plain_title(desktop):
    for commands in desktop.explorer.registry.in_menus().values():
        for command in commands:
            assert command.title_now.strip()


def test_closing_ends_all_threads(desktop):
    desktop.explorer.window.close()
    explorer, browsing = desktop.explorer, desktop.browsing
    engines = [explorer.engine, explorer.opener.loader, browsing.downloads.thread_of_work]
    engines += [browsing._listing, browsing._scanning, browsing._database]
    assert all(engine._thread.isFinished() for engine in engines)


def _controls(window) -> list:
    kinds = (
        *(QAbstractButton, QComboBox, QLineEdit, QAbstractSpinBox, QAbstractItemView),
        *(QPlainTextEdit, QProgressBar, QScrollArea),
    )
    return [
        control
        for kind in kinds
        for control in window.findChildren(kind)
        if not _is_inner(control)
    ]


def _is_inner(control) -> bool:
    """Tell parts that Qt and pyqtgraph make themselves inside others, which speak for them."""
    if control.objectName().startswith(("qt_", "_q_")):
        return True
    owner = control.parent()
    while owner is not None:
        if isinstance(owner, QMenu | QComboBox | QAbstractSpinBox | QLineEdit | QAbstractItemView):
            return True
        owner = owner.parent()
    return False


def _spoken(control) -> str:
    text = control.text() if isinstance(control, QAbstractButton) else ""
    return (control.accessibleName() or text).strip()


def _texts(plot) -> str:
    said = [label.text() for label in plot.findChildren(QLabel)]
    scenes = [view.scene() for view in plot.findChildren(pg.GraphicsView)]
    scenes += [plot.scene()] if isinstance(plot, pg.GraphicsView) else []
    for scene in scenes:
        said += [item.toPlainText() for item in scene.items() if hasattr(item, "toPlainText")]
    return " ".join(said)
