"""The matrix panel in the real window: it fills, waits for clicks, pauses, and sets masks."""

from __future__ import annotations

import csv
import dataclasses

import pytest
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QFileDialog

from mtm_viewer.jobs import matrix_job
from tests.viewer.workspaces import make_small_workspace

pytestmark = pytest.mark.gui
PATIENCE_MS = 30_000


@pytest.fixture
def desktop(build_desktop, monkeypatch, tmp_path, qtbot):
    monkeypatch.setenv("MTM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(matrix_job, "PAUSE_S", 0.0)
    desktop = build_desktop()
    desktop.matrix.state.choose(min_units=4)
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        desktop.state.open_workspace(make_small_workspace())
    return desktop


@pytest.fixture
def filled(desktop, qtbot):
    desktop.explorer.registry.run("matrix.show")
    qtbot.waitUntil(lambda: is_complete(desktop), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: not desktop.matrix.is_running, timeout=PATIENCE_MS)
    return desktop


def is_complete(desktop) -> bool:
    answer = desktop.matrix.state.answer
    return answer is not None and answer.share_done == 1


def place(desktop, row, column):
    return desktop.explorer.window.matrix.map.cell_rect(row, column).center().toPoint()


def test_nothing_is_computed_before_the_panel_is_shown(desktop, qtbot):
    qtbot.wait(100)
    assert not desktop.matrix.is_running
    assert desktop.matrix.state.answer is None


def test_the_panel_fills_and_says_so(filled, qtbot):
    view = filled.explorer.window.matrix
    assert view.progress_words.text() == "complete"
    assert view.badge.isVisible()
    assert not view.pause.isEnabled()
    qtbot.mouseMove(view.map, place(filled, 0, 1))
    assert view.read_out.text().startswith("CA1 from VISp alone:")


def test_a_click_on_a_cell_sets_its_mask(filled, qtbot):
    view = filled.explorer.window.matrix
    with qtbot.waitSignal(filled.explorer.settled, timeout=PATIENCE_MS):
        qtbot.mouseClick(view.map, Qt.MouseButton.LeftButton, pos=place(filled, 1, 2))
    mask, session = filled.state.resolved, filled.state.workspace.session
    assert session.region[~mask.is_hidden[0]].tolist() == ["CA1"] * 8
    assert session.region[mask.is_scored[0]].tolist() == ["DG"] * 8
    assert mask.prompt == "inter_region"
    assert filled.state.undo_stack.undoText() == "only CA1 visible, DG scored"
    assert "all but CA1 hidden, DG scored" in filled.explorer.window.status.mask_words.text()


def test_another_look_is_drawn_from_what_is_known(filled, qtbot):
    view = filled.explorer.window.matrix
    for command in ("matrix.asymmetry", "matrix.regression"):
        filled.explorer.registry.run(command)
        assert not filled.matrix.is_running
    assert view.asymmetry.isChecked()
    assert view.source.currentData() == "regression"
    assert "cell minus transpose" in view.title.text()
    filled.explorer.registry.run("matrix.level.cosmos")
    qtbot.waitUntil(lambda: is_complete(filled), timeout=PATIENCE_MS)
    assert filled.matrix.state.answer.report("psth_by_condition").regions == ("Isocortex", "HPF")


def test_pausing_keeps_what_is_done_and_going_on_ends_it(desktop, qtbot):
    state, view = desktop.matrix.state, desktop.explorer.window.matrix
    state.answer_changed.connect(lambda _: state.set_paused(is_paused=True))
    desktop.explorer.registry.run("matrix.show")
    qtbot.waitUntil(lambda: state.is_paused, timeout=PATIENCE_MS)
    assert 0 < state.answer.share_done < 1
    assert view.pause.text() == "Go on"
    assert view.progress_words.text().endswith("paused")
    assert not desktop.matrix.is_running
    state.answer_changed.disconnect()
    state.answer_changed.connect(lambda _: desktop.matrix._draw())
    desktop.explorer.registry.run("matrix.pause")
    qtbot.waitUntil(lambda: is_complete(desktop), timeout=PATIENCE_MS)


def test_hiding_the_panel_stops_the_filling(desktop, qtbot):
    desktop.explorer.registry.run("matrix.show")
    qtbot.waitUntil(lambda: desktop.matrix.state.answer is not None, timeout=PATIENCE_MS)
    desktop.explorer.registry.run("matrix.show")
    qtbot.waitUntil(lambda: not desktop.matrix.is_running, timeout=PATIENCE_MS)


def test_clicks_hold_the_filling(desktop, monkeypatch):
    held = []
    monkeypatch.setattr(desktop.matrix._job, "hold", lambda *, is_held: held.append(is_held))
    desktop.explorer.engine.busy.emit(True)
    desktop.explorer.engine.busy.emit(False)
    assert held == [True, False]


def test_the_table_is_saved_where_a_person_says(filled, tmp_path):
    filled.explorer.registry.run("matrix.table")
    (dialog,) = filled.explorer.window.findChildren(QFileDialog)
    dialog.fileSelected.emit(str(tmp_path / "matrix.csv"))
    dialog.reject()
    with (tmp_path / "matrix.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    report = filled.matrix.state.answer.report("psth_by_condition")
    assert [float(row["bps_beyond_null"]) for row in rows] == [
        cell.model.score.value for cell in report.cells.values()
    ]


def test_another_session_begins_another_matrix(filled, qtbot):
    first = filled.matrix.state.answer
    with qtbot.waitSignal(filled.explorer.settled, timeout=PATIENCE_MS):
        filled.state.open_workspace(make_small_workspace(seed=3))
    qtbot.waitUntil(lambda: is_complete(filled), timeout=PATIENCE_MS)
    assert filled.matrix.state.answer is not first


def test_without_a_model_the_panel_says_what_it_needs(filled, qtbot):
    with qtbot.waitSignal(filled.explorer.settled, timeout=PATIENCE_MS):
        filled.state.open_workspace(make_small_workspace(has_models=False))
    view = filled.explorer.window.matrix
    assert view.title.text().startswith("The matrix needs a model of this session")
    assert not filled.matrix.is_running


def test_too_few_regions_are_said_in_the_panel(filled, qtbot):
    view = filled.explorer.window.matrix
    view.least.setValue(300)
    qtbot.waitUntil(lambda: "A matrix needs two regions" in view.title.text(), timeout=PATIENCE_MS)
    assert not view.table.isEnabled()
    view.least.setValue(4)
    qtbot.waitUntil(lambda: is_complete(filled), timeout=PATIENCE_MS)


def test_an_untrained_model_is_told_apart_from_a_trained_one(filled):
    reasons = filled.matrix.state.answer.report("psth_by_condition").untrained_reasons
    assert reasons
    assert dataclasses.asdict(filled.matrix.state.choice)["min_units"] == 4
