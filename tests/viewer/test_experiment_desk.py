"""What is on screen is kept, comes back to the same screen, and replays to the same numbers."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from PyQt6.QtCore import QMimeData, QPointF, Qt, QUrl
from PyQt6.QtGui import QDropEvent
from PyQt6.QtWidgets import QApplication, QFileDialog, QMessageBox

from mtm_core.cli.__main__ import main
from mtm_core.evaluation.colour_scale import Levels
from mtm_core.experiment.files import read_experiment
from mtm_viewer.presenters.theatre_settings import TheatreSettings
from mtm_viewer.presenters.trial_filter import TrialFilter
from mtm_viewer.presenters.unit_settings import UnitSettings
from mtm_viewer.state import Display
from tests.core.sessions import make_session
from tests.viewer.workspaces import write_files

pytestmark = pytest.mark.gui
PATIENCE_MS = 60_000
NAME = "versuch ü 实验.mtm.json"


@pytest.fixture
def kept(desktop, qtbot, tmp_path):
    """A window with a mask, a view and a choice of trials of its own, saved as an experiment."""
    session, model, temporal = write_files(tmp_path, make_session(n_trials=120))
    settle(
        desktop, qtbot, lambda: desktop.open_source(str(session), checkpoints=[model, temporal])
    )
    state = desktop.state
    state.target_regions(("DG",))
    raster = replace(state.display.raster, scale="zscore", colour_map="viridis")
    state.set_display(Display(raster=raster, within="peak", is_focused=True))
    state.show_trials(TrialFilter(levels=(("feedback", "rewarded"),)))
    unit = str(state.workspace.session.unit_id[10])
    settle(desktop, qtbot, lambda: state.set_control(is_wanted=True))
    state.select_unit(unit)
    desktop.experiments.save(tmp_path / NAME)
    return desktop


def settle(desktop, qtbot, deed) -> None:
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        deed()
    qtbot.waitUntil(lambda: not desktop.explorer.engine.is_busy, timeout=PATIENCE_MS)


def screen(desktop):
    state, picture = desktop.state, desktop.explorer.picture
    shown = (state.mask, state.display, state.trial_filter, state.unit_id, state.wants_control)
    return shown, picture.lines, picture.raster.panels[0].title, state.shown.trial_kind


def said(desktop) -> str:
    return desktop.explorer.window.statusBar().currentMessage()


def leave(desktop, qtbot) -> None:
    """Go to another mask, view and choice of trials."""
    desktop.state.set_display(Display())
    desktop.state.show_trials(TrialFilter())
    settle(desktop, qtbot, lambda: desktop.state.choose_recipe("co_smoothing"))


def test_a_replay_equals_the_saved_numbers(kept, tmp_path, capsys):
    saved = read_experiment(tmp_path / NAME)
    assert [score.name for score in saved.numbers.predictors][:3] == [
        "MtM",
        "Temporal baseline",
        "Shuffle control",
    ]
    words = ["replay", str(tmp_path / NAME), "--out", str(tmp_path / "out"), "--figure", "none"]
    assert main(words) == 0
    assert "All 39 saved numbers came out again, within 1e-06." in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["json", "png", "svg", "pdf"])
def test_what_is_dropped_comes_back_to_the_same_screen(kept, qtbot, tmp_path, kind):
    path = tmp_path / NAME
    if kind != "json":
        path = tmp_path / f"bild ü.{kind}"
        kept.exports.save_picture(kept.exports.panels[0], path)
        kept.exports.wait()
        caption = (tmp_path / "bild ü.caption.txt").read_text(encoding="utf-8")
        assert caption.startswith("Rasters. DG hidden: 8 of 24 units, inter-region prompt.")
    before = screen(kept)
    leave(kept, qtbot)
    assert screen(kept) != before
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path))])
    event = QDropEvent(
        QPointF(5, 5),
        Qt.DropAction.CopyAction,
        data,
        Qt.MouseButton.LeftButton,
        Qt.KeyboardModifier.NoModifier,
    )
    settle(kept, qtbot, lambda: kept.explorer.window.dropEvent(event))
    qtbot.waitUntil(lambda: "numbers are those" in said(kept), timeout=PATIENCE_MS)
    assert said(kept) == "All 39 numbers are those that were saved."
    assert screen(kept) == before


def test_the_theatre_and_the_unit_panel_come_back(kept, qtbot, tmp_path):
    state, theatre = kept.state, kept.theatre
    qtbot.waitUntil(lambda: theatre.can_step_extreme(), timeout=PATIENCE_MS)
    state.set_unit_settings(UnitSettings(fields=("choice", "block"), sort="reaction"))
    theatre.state.sort_by("reaction")
    theatre.toggle()
    theatre.step(3)
    theatre.state.set_levels(Levels(0.0, 55.0))
    before, unit_panel = theatre.state.settings, state.unit_settings
    assert before.is_shown
    kept.experiments.save(tmp_path / "theatre.mtm.json")
    theatre.toggle()
    state.set_unit_settings(UnitSettings())
    leave(kept, qtbot)
    theatre.state.choose_trial(0)
    settle(kept, qtbot, lambda: kept.experiments.open(tmp_path / "theatre.mtm.json"))
    qtbot.waitUntil(lambda: theatre.shown_trial == before.trial, timeout=PATIENCE_MS)
    assert theatre.state.settings == before
    assert state.unit_settings == unit_panel
    window = kept.explorer.window
    assert window.theatre.isVisible()
    assert not window.raster.isVisible()
    assert [plot.isVisibleTo(window.unit) for plot in window.unit.plots] == [True, True]


def test_an_experiment_of_before_the_theatre_was_kept_opens_without_it(kept, qtbot, tmp_path):
    value = json.loads((tmp_path / NAME).read_text())
    for later in ("unit_panel", "theatre"):
        del value["view"][later]
    (tmp_path / "old.mtm.json").write_text(json.dumps(value))
    before = screen(kept)
    kept.theatre.toggle()
    leave(kept, qtbot)
    settle(kept, qtbot, lambda: kept.experiments.open(tmp_path / "old.mtm.json"))
    assert screen(kept) == before
    assert kept.theatre.state.settings == TheatreSettings()
    assert kept.state.unit_settings == UnitSettings()
    assert kept.explorer.window.raster.isVisible()


def test_a_number_that_was_changed_is_told(kept, qtbot, tmp_path):
    value = json.loads((tmp_path / NAME).read_text())
    value["numbers"]["predictors"][0]["bps_pooled"] += 0.5
    (tmp_path / "changed.mtm.json").write_text(json.dumps(value))
    leave(kept, qtbot)
    with qtbot.waitSignal(kept.explorer.told, timeout=PATIENCE_MS) as told:
        kept.experiments.open(tmp_path / "changed.mtm.json")
    assert told.args[0].startswith("1 of 39 numbers are not those that were saved. MtM, bps_poo")
    close_boxes(kept)


def close_boxes(desktop) -> None:
    for box in desktop.explorer.window.findChildren(QMessageBox):
        box.close()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda v: v["session"].update(content_hash="0" * 64), "or open it here first"),
        (lambda v: v["trials"].update(rows=[0, 1]), "no choice in this window makes"),
    ],
    ids=["another session", "other trials"],
)
def test_what_does_not_fit_is_told(kept, qtbot, tmp_path, change, told):
    value = json.loads((tmp_path / NAME).read_text())
    change(value)
    (tmp_path / "bad.json").write_text(json.dumps(value))
    with qtbot.waitSignal(kept.explorer.told, timeout=PATIENCE_MS) as heard:
        kept.open_dropped([tmp_path / "bad.json"])
    assert told in heard.args[0]
    qtbot.waitUntil(lambda: not kept.explorer.engine.is_busy, timeout=PATIENCE_MS)
    close_boxes(kept)


def test_files_are_asked_for_and_numbers_are_copied(kept, qtbot, tmp_path):
    registry, window = kept.explorer.registry, kept.explorer.window
    registry.run("file.save_experiment")
    (dialog,) = [d for d in window.findChildren(QFileDialog) if d.isVisible()]
    assert dialog.defaultSuffix() == "mtm.json"
    dialog.fileSelected.emit(str(tmp_path / "again.mtm.json"))
    dialog.reject()
    assert read_experiment(tmp_path / "again.mtm.json").numbers
    registry.run("file.copy_numbers")
    assert "Shuffle control\t" in QApplication.clipboard().text()
    registry.run("file.copy_caption")
    assert QApplication.clipboard().text().startswith("DG hidden")
    registry.run("file.open_experiment")
    dialogs = [d for d in window.findChildren(QFileDialog) if d.isVisible()]
    settle(kept, qtbot, lambda: dialogs[-1].fileSelected.emit(str(tmp_path / NAME)))
    dialogs[-1].reject()


def test_what_is_not_computed_to_the_end_has_no_numbers(kept, qtbot, tmp_path):
    kept.state.target_regions(("CA1",))
    experiment = kept.experiments.experiment()
    assert experiment is not None
    assert not experiment.numbers
    with qtbot.waitSignal(kept.explorer.told):
        kept.experiments.copy_numbers()
    kept.experiments.save(tmp_path / "early.mtm.json")
    assert "without numbers" in said(kept)
    close_boxes(kept)
    qtbot.waitUntil(lambda: not kept.explorer.engine.is_busy, timeout=PATIENCE_MS)


def test_without_a_session_there_is_nothing_to_keep(desktop):
    assert desktop.experiments.experiment() is None
    assert not desktop.explorer.registry.run("file.save_experiment")
