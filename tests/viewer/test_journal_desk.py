"""A window that is killed leaves its screen behind, and the next one brings it back."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PyQt6.QtWidgets import QMessageBox

from mtm_core.masking.recipes import RecipeSettings
from mtm_viewer.jobs.journal_job import JournalJob, Note
from mtm_viewer.presenters.experiment_view import View
from mtm_viewer.presenters.journal_entry import write_line
from mtm_viewer.presenters.trial_filter import TrialFilter
from mtm_viewer.state import Display
from tests.core.sessions import make_session
from tests.viewer.workspaces import make_small_workspace, write_files

pytestmark = pytest.mark.gui
PATIENCE_MS = 60_000
VICTIM = """
import sys
from dataclasses import replace
from pathlib import Path
import torch
from PyQt6.QtCore import QSettings, QTimer
from PyQt6.QtWidgets import QApplication
from mtm_viewer.commands import CommandRegistry
from mtm_viewer.desktop import Desktop, LogKeeper
from mtm_viewer.explorer import Explorer
from mtm_viewer.jobs.prepare_job import OpenJob
from mtm_viewer.jobs.reconstruct_job import ReconstructionJob
from mtm_viewer.main_window import MainWindow
from mtm_viewer.state import ViewerState

settings, session, *models = sys.argv[1:]
app = QApplication([])
registry = CommandRegistry()
works = (OpenJob(), ReconstructionJob())
explorer = Explorer(ViewerState(), MainWindow(registry), registry, works, ("cpu",))
desktop = Desktop(explorer, QSettings(settings, QSettings.Format.IniFormat), LogKeeper())
explorer.window.show()

def act():
    explorer.opened.disconnect(act)
    desktop.state.target_regions(("DG",))
    desktop.state.choose_recipe("co_smoothing")
    desktop.state.name_mask("mine")
    desktop.state.undo_stack.undo()
    desktop.state.undo_stack.undo()
    raster = replace(desktop.state.display.raster, scale="zscore", colour_map="viridis")
    desktop.state.set_display(replace(desktop.state.display, raster=raster, within="peak"))
    desktop.state.select_unit(str(desktop.state.workspace.session.unit_id[10]))

def tell(answer):
    view = answer.value.entry.experiment.view
    if view["within"] == "peak" and view["unit"]:
        print("noted", flush=True)

explorer.opened.connect(act)
desktop.journal._thread.partial.connect(tell)
desktop.open_source(session, checkpoints=[Path(model) for model in models])
app.exec()
"""


def boxes(desktop) -> list[QMessageBox]:
    window = desktop.explorer.window
    return [box for box in window.findChildren(QMessageBox) if box.isVisible()]


def press(box: QMessageBox, text: str) -> None:
    (button,) = [each for each in box.buttons() if each.text() == text]
    button.click()


@pytest.fixture
def files(tmp_path):
    return write_files(tmp_path, make_session(n_trials=120))


@pytest.fixture
def killed(settings, files):
    """Kill a real window with something on screen, as hard as can be."""
    words = [sys.executable, "-c", VICTIM, settings.fileName(), *map(str, files)]
    env = os.environ | {"QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, env=env) as victim:
        assert victim.stdout.readline().strip() == b"noted"
        victim.send_signal(signal.SIGKILL)


@pytest.mark.usefixtures("killed")
def test_what_a_killed_window_showed_comes_back(build_desktop, qtbot, files):
    desktop = build_desktop()
    qtbot.waitUntil(lambda: len(boxes(desktop)) == 1, timeout=PATIENCE_MS)
    (box,) = boxes(desktop)
    assert "small" in box.informativeText()
    assert "DG hidden" in box.informativeText()
    assert "1 step can be undone and 1 step can be done again." in box.informativeText()
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        press(box, "Restore")
    state = desktop.state
    assert state.workspace.path == files[0]
    assert [model.checkpoint.path for model in state.workspace.models] == list(files[1:])
    assert state.mask.regions == ("DG",)
    assert (state.display.within, state.display.raster.scale) == ("peak", "zscore")
    assert state.unit_id == str(state.workspace.session.unit_id[10])
    stack = state.undo_stack
    assert (stack.undoText(), stack.redoText()) == ("Inter-region DG", "Co-smoothing DG")
    qtbot.waitUntil(lambda: desktop.journal.left is None, timeout=PATIENCE_MS)
    assert not desktop.explorer.registry.run("file.recover")


def test_the_steps_before_can_be_undone_and_done_again(build_desktop, qtbot, files):
    first = build_desktop()
    with qtbot.waitSignal(first.explorer.settled, timeout=PATIENCE_MS):
        first.open_source(str(files[0]), checkpoints=files[1:])
    state = first.state
    masks = [state.mask]
    unit = str(state.workspace.session.unit_id[3])
    for deed in (
        lambda: state.target_regions(("DG", "CA1")),
        lambda: state.choose_recipe("forward_prediction"),
        lambda: state.set_recipe(RecipeSettings(last_bins=2)),
        lambda: state.choose_prompt("causal"),
        lambda: state.toggle_unit(unit),
        lambda: state.hide_by_rule("rate_hz > 45"),
        lambda: state.hide_bins((2, 5)),
        state.show_everything,
    ):
        deed()
        masks.append(state.mask)
    assert len(set(masks)) == len(masks)
    state.undo_stack.setIndex(6)
    names = [state.undo_stack.text(place) for place in range(state.undo_stack.count())]
    first.explorer.window.close()
    again = build_desktop()
    with qtbot.waitSignal(again.explorer.settled, timeout=PATIENCE_MS):
        again.journal.go_on()
    stack = again.state.undo_stack
    assert [stack.text(place) for place in range(stack.count())] == names
    for place in (6, 8, 7, 3, 0, 5, 1, 2, 4):
        stack.setIndex(place)
        assert again.state.mask == masks[place]


def test_steps_of_today_are_not_lost_by_going_on(build_desktop, qtbot, files):
    first = build_desktop()
    with qtbot.waitSignal(first.explorer.settled, timeout=PATIENCE_MS):
        first.open_source(str(files[0]), checkpoints=files[1:])
    first.state.target_regions(("DG",))
    first.explorer.window.close()
    again = build_desktop()
    with qtbot.waitSignal(again.explorer.settled, timeout=PATIENCE_MS):
        again.open_source(str(files[0]), checkpoints=files[1:])
    again.state.target_regions(("CA1",))
    again.state.choose_recipe("co_smoothing")
    with qtbot.waitSignal(again.explorer.settled, timeout=PATIENCE_MS):
        again.journal.go_on()
    stack = again.state.undo_stack
    names = [stack.text(place) for place in range(stack.count())]
    assert names == ["Inter-region CA1", "Co-smoothing CA1", "open journal"]


def test_steps_that_lead_elsewhere_are_left_out_and_it_says_so(build_desktop, qtbot, files):
    first = build_desktop()
    with qtbot.waitSignal(first.explorer.settled, timeout=PATIENCE_MS):
        first.open_source(str(files[0]), checkpoints=files[1:])
    first.state.target_regions(("DG",))
    first.explorer.window.close()
    journal = Path(first.settings.fileName()).parent / "journal" / "last.jsonl"
    entry = first.journal.last()
    journal.write_bytes(write_line(replace(entry, history=replace(entry.history, n_done=0))))
    again = build_desktop()
    with qtbot.waitSignal(again.explorer.settled, timeout=PATIENCE_MS):
        again.journal.go_on()
    assert again.state.mask.regions == ("DG",)
    said = again.explorer.window.statusBar().currentMessage()
    assert said == "The history of steps begins anew."


def test_later_keeps_it_and_discard_does_not(build_desktop, qtbot, settings):
    folder = Path(settings.fileName()).parent / "journal"
    job = JournalJob(folder)
    job.note(Note(workspace=make_small_workspace(), view=View(), title="", device="cpu"))
    for lock in job._locks.values():  # as the system does when a process is killed
        lock.release()
    for answer in ("Later", "Discard"):
        desktop = build_desktop()
        qtbot.waitUntil(lambda desktop=desktop: len(boxes(desktop)) == 1, timeout=PATIENCE_MS)
        press(boxes(desktop)[0], answer)
        desktop.explorer.window.close()
    assert list(folder.iterdir()) == []


def test_closing_remembers_the_last_screen(build_desktop, qtbot, files):
    first = build_desktop()
    with qtbot.waitSignal(first.explorer.opened, timeout=PATIENCE_MS):
        first.open_source(str(files[0]), checkpoints=files[1:])
    first.state.show_trials(TrialFilter(levels=(("feedback", "rewarded"),)))
    raster = replace(first.state.display.raster, colour_map="viridis")
    first.state.set_display(Display(raster=raster))
    first.state.choose_recipe("intra_region")
    first.explorer.window.close()
    again = build_desktop()
    with qtbot.waitSignal(again.explorer.settled, timeout=PATIENCE_MS):
        assert again.explorer.registry.run("file.go_on")
    assert boxes(again) == []
    assert again.state.mask == first.state.mask
    assert again.state.trial_filter == first.state.trial_filter
    assert again.state.display == first.state.display


def test_without_a_last_screen_it_says_so(desktop, qtbot):
    with qtbot.waitSignal(desktop.explorer.told) as told:
        desktop.explorer.registry.run("file.go_on")
    assert told.args[0].startswith("No session was open")
    boxes(desktop)[0].close()
    desktop.journal.offer()
    assert boxes(desktop) == []


def test_a_model_that_is_gone_does_not_keep_the_rest_away(build_desktop, qtbot, files):
    first = build_desktop()
    with qtbot.waitSignal(first.explorer.settled, timeout=PATIENCE_MS):
        first.open_source(str(files[0]), checkpoints=files[1:2])
    first.explorer.window.close()
    extra = files[0].with_name("extra.safetensors")
    journal = Path(first.settings.fileName()).parent / "journal" / "last.jsonl"
    entry = first.journal.last()
    extra.write_bytes(b"no checkpoint")
    gone = str(extra.with_name("gone.safetensors"))
    journal.write_bytes(write_line(replace(entry, models=(*entry.models, gone, str(extra)))))
    again = build_desktop()
    with qtbot.waitSignal(again.explorer.settled, timeout=PATIENCE_MS):
        again.journal.go_on()
    assert again.state.workspace.models[0].checkpoint.path == files[1]


def test_a_journal_that_cannot_be_written_leaves_the_window_alone(
    build_desktop, qtbot, files, caplog
):
    desktop = build_desktop()
    folder = Path(desktop.settings.fileName()).parent / "journal"
    folder.write_text("in the way")
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        desktop.open_source(str(files[0]), checkpoints=files[1:2])
    qtbot.waitUntil(lambda: "cannot be written" in caplog.text, timeout=PATIENCE_MS)
    desktop.state.choose_recipe("co_smoothing")
    desktop.explorer.window.close()
    assert "could not be written down" in caplog.text
