"""Training in the whole window: offered, begun, followed, stopped, put on screen, asked about."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from PyQt6.QtWidgets import QMessageBox

from mtm_core.config_io import to_toml
from mtm_core.data.session_file import write_session
from mtm_core.models.checkpoint import read_checkpoint
from mtm_core.training.events import RunStarted, StepDone, ValidationDone
from mtm_core.training.run_folder import RunFolder
from mtm_viewer.jobs.run_order import FILE, RunOrder, read_order, write_order
from mtm_viewer.jobs.runs_job import describe_run
from mtm_viewer.presenters.training_choice import TrainingChoice
from mtm_viewer.presenters.workspace import Opened
from mtm_viewer.views.preparation_dialog import PreparationDialog
from mtm_viewer.views.training_dialog import TrainingDialog
from tests.core.checkpoints import make_checkpoint, write_checkpoint
from tests.core.sessions import make_session
from tests.core.training.runs import tiny_config
from tests.viewer.jobs.fake_training import fake_training
from tests.viewer.workspaces import MTM, make_small_workspace

pytestmark = pytest.mark.gui
PATIENCE_MS = 60_000


@pytest.fixture
def desk(build_desktop, settings, qtbot, tmp_path):
    """Open a small session without a model; end whatever still trains."""
    settings.setValue("runs", str(tmp_path / "runs"))
    write_session(make_session(), tmp_path / "small.h5")
    desktop = build_desktop()
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        desktop.open_session(tmp_path / "small.h5")
    yield desktop
    desktop.training.queue.clear()
    desktop.training.queue.cancel()


def button(desk, text: str):
    boxes = desk.explorer.window.findChildren(QMessageBox)
    (found,) = [
        b
        for box in boxes
        if box.isVisible()
        for b in box.buttons()
        if b.text().replace("&", "") == text
    ]
    return found


def until(qtbot, condition) -> None:
    qtbot.waitUntil(condition, timeout=PATIENCE_MS)


@pytest.mark.slow
def test_a_trained_model_is_put_on_screen(desk, qtbot, tmp_path):
    (tmp_path / "tiny.toml").write_text(to_toml(tiny_config()))
    training, panel = desk.training, desk.explorer.window.training
    assert desk.state.workspace.model is None
    dialog = open_dialog(desk)
    training.train(replace(dialog.choice, preset=str(tmp_path / "tiny.toml")))
    dialog.reject()
    assert training.is_shown
    until(qtbot, lambda: desk.state.workspace.model is not None)
    until(qtbot, lambda: panel.runs.buttons["open"].isEnabled())
    assert desk.state.workspace.model.name == "MtM (small-simulated-tiny)"
    assert "Finished; validation" in panel.detail.text()
    assert panel.runs.chosen.scores[0][0] == "mean"
    until(qtbot, lambda: "Best validation" in panel.validation.accessibleDescription())


def finished_run(desk, root, name: str, created: str):
    """Leave a finished run of the open session's file in the folder of runs."""
    session = desk.state.workspace.recording
    folder = root / name
    path = str(desk.state.workspace.path)
    order = RunOrder(
        preset=name,
        session_paths=(path,),
        session_names=("small",),
        asked_paths=(path,),
        created=created,
    )
    write_order(folder, order)
    write_checkpoint(folder / "model.safetensors", make_checkpoint(session, MTM))
    return describe_run(folder, order, read_checkpoint(folder / "model.safetensors")[0])


def test_a_session_comes_with_the_newest_model_that_was_trained_here(desk, qtbot, tmp_path):
    runs = [
        replace(finished_run(desk, tmp_path / "runs", name, created), state="finished")
        for name, created in (("new", "2026-11-28T12:00:00"), ("old", "2026-11-27T12:00:00"))
    ]
    desk.training.shelf.runs = tuple(runs)
    with qtbot.waitSignal(desk.explorer.settled, timeout=PATIENCE_MS):
        desk.state.open_workspace(desk.state.workspace)
    until(qtbot, lambda: desk.state.workspace.model is not None)
    assert desk.state.workspace.model.name == "MtM (new)"
    models = desk.explorer.window.models.model
    listed = [models.itemText(row) for row in range(models.count())]
    assert "Trained here: old, 27 Nov 2026, 12:00" in listed
    assert not any("Trained here: new" in words for words in listed)  # it is loaded


def test_curves_are_read_whatever_shows_the_panel(desk, qtbot, tmp_path):
    run = finished_run(desk, tmp_path / "runs", "new", "2026-11-28T12:00:00")
    events = (
        RunStarted(step=0, n_steps=4, n_parameters=1, n_train=8, n_val=2, backend="cpu"),
        StepDone(
            step=1, n_steps=4, loss=1.0, lr=0.1, grad_norm=1.0, seconds=1.0, seconds_left=3.0
        ),
        ValidationDone(step=1, bps=0.1, scores={"neuron": 0.1}, is_best=True),
    )
    log = RunFolder(run.folder).events
    log.append(events)
    log.close()
    desk.training.look_for_runs()
    until(qtbot, lambda: len(desk.training.runs) == 1)
    curve = desk.explorer.window.training.validation
    assert "Best validation" not in curve.accessibleDescription()
    dock = desk.explorer.window.side_docks["training"]
    dock.show()  # as a restored layout does
    dock.raise_()
    until(qtbot, lambda: "Best validation" in curve.accessibleDescription())


def open_dialog(desk) -> TrainingDialog:
    desk.explorer.registry.run("training.choose")
    (dialog,) = desk.explorer.window.findChildren(TrainingDialog)
    return dialog


def test_a_session_without_a_model_is_offered_one_with_its_time(desk, qtbot, monkeypatch):
    fake_training(monkeypatch, "wait")
    button = desk.explorer.window.scores.train
    assert button.isVisible()
    assert "Train a model for this session (about " in button.text()
    button.click()
    panel = desk.explorer.window.training
    until(qtbot, lambda: desk.training.queue.curve.step == 2)
    until(qtbot, lambda: panel.detail.text().startswith("Step 2 of 4"))
    assert not button.isEnabled()
    order = desk.training.queue.order
    assert (order.preset, order.session_names) == ("quick", ("small (simulated)",))
    assert panel.progress.value() == panel.progress.maximum() // 2
    desk.explorer.registry.run("training.pause")
    until(qtbot, lambda: desk.training.queue.folder is None)
    until(qtbot, lambda: desk.training.can_resume)
    assert button.isEnabled()
    desk.explorer.registry.run("training.resume")
    assert desk.training.is_running
    desk.explorer.registry.run("training.cancel")
    until(qtbot, lambda: panel.detail.text().startswith("Cancelled"))


def test_a_failure_is_told_in_a_sentence(desk, qtbot, monkeypatch):
    fake_training(monkeypatch, "fail")
    with qtbot.waitSignal(desk.explorer.told, timeout=PATIENCE_MS) as told:
        desk.training.train_quickly()
    assert told.args[0] == "The disk is full."
    panel = desk.explorer.window.training
    until(qtbot, lambda: panel.detail.text() == "The disk is full.")
    button(desk, "Close").click()
    folder = panel.runs.chosen.folder
    elsewhere = RunFolder(folder)
    elsewhere.hold()  # as another window or a command does that trains into it
    panel.runs.buttons["remove"].click()
    button(desk, "Delete it").click()
    assert (folder / FILE).exists()
    elsewhere.release()
    button(desk, "Close").click()
    panel.runs.buttons["remove"].click()
    button(desk, "Delete it").click()
    assert not folder.exists()
    until(qtbot, lambda: panel.runs.empty.isVisible())


def test_closing_asks_and_a_run_that_goes_on_is_found_at_the_next_start(
    desk, build_desktop, qtbot, monkeypatch
):
    fake_training(monkeypatch, "wait")
    desk.training.train_quickly()
    queue, window = desk.training.queue, desk.explorer.window
    child = queue._running._child
    until(qtbot, lambda: queue.curve.step == 2)
    window.close()
    assert window.isVisible()
    folder = queue.folder
    button(desk, "Let it go on").click()
    assert not window.isVisible()
    assert child.poll() is None
    second = build_desktop()
    until(qtbot, lambda: second.training.queue.folder == folder)
    second.explorer.window.close()
    button(second, "Pause it").click()
    assert not second.explorer.window.isVisible()
    assert child.wait(timeout=30) != 0
    assert read_order(folder).stopped == "paused"


def test_the_dialog_takes_sessions_where_the_preset_does(desk, qtbot, tmp_path):
    dialog = open_dialog(desk)
    until(qtbot, lambda: dialog.time.text() != "")
    assert dialog.choice.preset == "quick"
    assert "bout" in dialog.time.text()
    dialog.preset.setCurrentIndex(dialog.preset.findData("multi"))
    dialog.list.item(1).setCheckState(dialog.list.item(0).checkState())
    assert len(dialog.choice.sessions) == 2
    dialog.preset.setCurrentIndex(dialog.preset.findData("lfads-quick"))
    assert "after its first steps" in dialog.time.text()
    dialog.preset.setCurrentIndex(dialog.preset.findData("quick"))
    assert [session.name for session in dialog.choice.sessions] == ["small (simulated)"]
    assert not dialog.folds.isEnabled()
    before = dialog.time.text()
    dialog.cross_fit.setChecked(True)
    dialog.folds.setValue(4)
    assert dialog.time.text() != before
    dialog.preset.setCurrentIndex(dialog.preset.findData("multi"))
    assert not dialog.cross_fit.isEnabled()
    assert dialog.choice.folds == 0
    dialog.preset.setCurrentIndex(dialog.preset.findData("quick"))
    dialog.seed.setValue(3)
    dialog.split.setCurrentIndex(dialog.split.findData("blocked"))
    with qtbot.waitSignal(dialog.chosen) as chosen:
        dialog.buttons.accepted.emit()
    assert isinstance(chosen.args[0], TrainingChoice)
    assert chosen.args[0].folds == 4
    assert (chosen.args[0].seed, chosen.args[0].split) == (3, "blocked")
    assert desk.training.queue.order.variant == "quick, 4 folds, seed 3, blocked split"
    desk.training.queue.cancel()


def test_other_bins_warn_that_the_model_will_not_fit_and_offer_another(desk, qtbot, monkeypatch):
    opener = desk.explorer.opener
    workspace = replace(
        make_small_workspace(), opened=Opened(source="folder", config=opener.config)
    )
    with qtbot.waitSignal(desk.explorer.settled, timeout=PATIENCE_MS):
        desk.state.open_workspace(workspace)
    asked = []
    monkeypatch.setattr(opener.loader, "request", asked.append)
    desk.ask_preparation()
    (dialog,) = desk.explorer.window.findChildren(PreparationDialog)
    assert not dialog.misfit.isVisible()
    dialog.fields["bin_size_s"].setValue(0.01)
    assert "will not fit" in dialog.misfit.text()
    assert dialog.misfit.isVisible()
    dialog.train.setChecked(True)
    dialog.buttons.accepted.emit()
    assert len(asked) == 1
    fake_training(monkeypatch, "wait")
    opener.loader.partial.emit(type("A", (), {"value": replace(workspace, models=())})())
    assert desk.training.is_running
    assert desk.training.queue.order.preset == "quick"


def test_runs_can_be_kept_elsewhere(desk, settings, tmp_path):
    desk.training.set_root(tmp_path / "other")
    assert settings.value("runs") == str(tmp_path / "other")
    assert desk.training.root == tmp_path / "other"


def test_a_run_that_is_trained_elsewhere_is_looked_at_until_it_ends(
    desk, qtbot, monkeypatch, tmp_path
):
    desk.training.shelf._clock.setInterval(50)
    fake_training(monkeypatch, "wait")
    desk.training.train_quickly()  # the queue follows this one, and so no other
    other = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    folder = tmp_path / "runs" / "elsewhere"
    order = RunOrder(
        preset="quick",
        session_paths=(),
        session_names=("other",),
        asked_paths=(),
        created="2026-11-28T12:00:00",
    )
    write_order(folder, replace(order.began(other.pid), stopped="paused"))
    desk.training.look_for_runs()

    def state() -> str:
        return {run.folder: run.state for run in desk.training.runs}.get(folder, "")

    until(qtbot, lambda: state() == "running")
    other.communicate(b"\n")
    until(qtbot, lambda: state() == "paused")
