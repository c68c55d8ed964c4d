"""Train models in a real window on a real X server: offer, queue, cancel, pause, resume, close.

``python tests/gui/click_training.py FOLDER`` opens a bundled recording cut down to some units,
without a model; trains one by the button that offers it and sees it open itself, lets a cross-fit
wait for a long run, cancels that, pauses and resumes the cross-fit until its model opens itself,
closes the window while another trains, finds all of them again in a new window, and chooses the
first among the models. Pictures go into the folder; it ends with a code other than 0 at the first
thing that is wrong.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PyQt6.QtWidgets import QMessageBox, QPushButton

from mtm_core import resources
from mtm_core.data.session_file import read_session, write_session
from mtm_viewer import app as program
from mtm_viewer.desktop import LogKeeper
from mtm_viewer.jobs.open_job import OpenRequest
from mtm_viewer.jobs.process import is_trained
from mtm_viewer.jobs.run_order import read_order
from mtm_viewer.presenters.run_list import RunInfo
from mtm_viewer.presenters.workspace import LoadedModel
from mtm_viewer.views.runs_table import REMOVE, RESUME
from mtm_viewer.views.training_dialog import TrainingDialog
from tests.gui.click_through import SIZES, Person, WrongError, check, set_stage

NAME = "steinmetz2019_s16"
UNITS_OF_A_REGION = 50
LONG = "recommended"
TRAINED_S = 180.0
"""A run of a cut recording takes less, on a slow machine that does other things too."""


def main(words: list[str]) -> int:
    """Click through; return the exit code."""
    pictures = Path(words[0])
    faults = set_stage(pictures)
    if faults is None:
        return 2
    with tempfile.TemporaryDirectory(prefix="mtm-gui-training-") as name:
        place = Path(name)
        for kind in ("CONFIG", "DATA", "CACHE"):
            os.environ[f"XDG_{kind}_HOME"] = str(place / kind.lower())
        file = _cut_down(place / f"{NAME}.h5")
        n_pictures = 0
        for steps in (STEPS, STEPS_IN_A_NEW_WINDOW):
            person = Person(program.build(LogKeeper()), pictures)
            person.n_pictures = n_pictures
            if not _take(person, (partial(_begin, file=file), *steps), faults):
                return 1
            n_pictures = person.n_pictures
    sys.stdout.write(f"{n_pictures} pictures in {pictures}\n")
    return 0


def _take(person: Person, steps: Sequence[Callable[[Person], object]], faults: list[str]) -> bool:
    """Take steps in a window, then close it; tell whether all went well."""
    try:
        for step in steps:
            step(person)
            check(faults)
    except (WrongError, RuntimeError, AttributeError, LookupError) as error:
        person.look("wrong")
        sys.stderr.write(f"{step}: {error}\n")
        return False
    finally:
        person.desktop.training.queue.cancel()
        person.window.close()
    return True


def _cut_down(path: Path) -> Path:
    """Keep some units of each region of a recording: a run takes seconds."""
    session = read_session(resources.session_path(NAME))
    rows = [
        np.flatnonzero(session.region == region)[:UNITS_OF_A_REGION]
        for region in session.region_names()
    ]
    write_session(session.take_units(np.sort(np.concatenate(rows))), path)
    return path


def _begin(person: Person, file: Path) -> None:
    person.window.move(0, 0)
    person.window.resize(*SIZES[1])
    person.window.show()
    person.window.activateWindow()
    person.wait(person.window.isActiveWindow, "the window is in front", 10)
    request = OpenRequest(session_path=file, checkpoint_paths=())
    person.act(lambda: person.explorer.open_files(request), "the recording is open")


def _offer(person: Person) -> None:
    """Train by the one button that says how long it takes."""
    button = person.window.scores.train
    person.wait(button.isVisible, "a model is offered", 10)
    person.says(button.text(), part="Train a model for this session (about")
    person.says(button.text(), part="s)")
    person.look("offered")
    person.click(button)
    _wait_for_steps(person)
    person.says(person.window.scores.train.text(), part="A model is being trained")
    person.look("training")
    person.wait(lambda: _has_model(person), "the model opens itself", TRAINED_S)
    person.wait(lambda: not person.explorer.engine.is_busy, "it is drawn")
    person.look("trained")


def _train_long(person: Person) -> None:
    """Train by a preset that takes minutes."""
    person.click(person.window.training.train)
    dialog = _dialog(person)
    dialog.preset.setCurrentText(LONG)
    person.idle(0.2)
    person.look("long-asked")
    _press_ok(person, dialog, "Train")
    _wait_for_steps(person)


def _queue_a_cross_fit(person: Person) -> None:
    """Let a cross-fit wait for the run."""
    person.click(person.window.training.train)
    dialog = _dialog(person)
    person.click(dialog.cross_fit)
    dialog.folds.setValue(2)
    person.idle(0.2)
    person.look("cross-fit-asked")
    _press_ok(person, dialog, "Add to the queue")
    person.wait(lambda: person.window.training.detail.text() == "Waiting.", "it waits", 10)
    if len(person.desktop.training.queue.waiting) != 1:
        raise WrongError("the cross-fit is not in the queue")
    person.look("waiting")


def _cancel(person: Person) -> None:
    """Cancel the run that trains; the one that waits begins."""
    queue = person.desktop.training.queue
    first = _choose_running(person)
    person.click(person.window.training.cancel)
    person.wait(lambda: _state(person, first) == "cancelled", "the run is cancelled", 20)
    person.wait(lambda: queue.folder not in (None, first), "the cross-fit begins", 20)
    _wait_for_steps(person)
    person.look("cancelled")


def _pause(person: Person) -> None:
    """Pause the cross-fit and let it go on."""
    queue = person.desktop.training.queue
    folder = _choose_running(person)
    person.click(person.window.training.pause)
    person.wait(lambda: _state(person, folder) == "paused", "the run is paused", 60)
    person.look("paused")
    person.click(person.window.training.runs.buttons[RESUME])
    person.wait(lambda: queue.folder == folder, "the run goes on", 20)


def _finish(person: Person) -> None:
    """See the cross-fitted model open itself, with every trial scored."""
    person.wait(lambda: _is_cross_fitted(person), "the model opens itself", TRAINED_S)
    _wait_until_drawn(person)
    person.look("finished")
    person.says(person.window.models.trials.text(), part="280")


def _close(person: Person) -> None:
    """Close the window while a run trains: think better of it, then let the run pause."""
    queue = person.desktop.training.queue
    _train_long(person)
    folder = queue.folder
    assert folder is not None
    person.window.close()
    person.look("asked-at-the-end")
    _answer(person, "Keep the window open")
    if not person.window.isVisible() or queue.folder != folder:
        raise WrongError("the window, or its run, did not stay")
    person.window.close()
    _answer(person, "Pause it")
    person.wait(lambda: not person.window.isVisible(), "the window is closed", 30)
    person.wait(lambda: not is_trained(folder), "the run has ended", 60)
    if read_order(folder).stopped != "paused":
        raise WrongError(f"the run says '{read_order(folder).stopped}', not 'paused'")


def _find_again(person: Person) -> None:
    """A new window opens the newest model by itself, and knows all four runs."""
    person.wait(lambda: _has_model(person), "the model that was trained here is opened")
    training = person.desktop.training
    if not training.is_shown:
        person.desktop.explorer.registry.run("training.panel")
    states = ["cancelled", "finished", "finished", "paused"]
    # The process of the last one may take a moment to end after it has saved all.
    person.wait(
        lambda: sorted(run.state for run in training.runs) == states,
        "the runs are as they were left",
        60,
    )
    _wait_until_drawn(person)
    person.look("found-again")


def _choose_own(person: Person) -> None:
    """Choose the first model of all, which is listed beside the newest."""
    models = person.window.models.model
    listed = [models.itemText(row) for row in range(models.count())]
    if sum(name.startswith("Trained here: quick") for name in listed) != 1:
        raise WrongError(f"the models are {listed}")
    person.choose(models, "Trained")
    person.wait(lambda: not _is_cross_fitted(person), "the first model is opened")
    _wait_until_drawn(person)
    person.look("own-model")


def _delete(person: Person) -> None:
    """Delete the cancelled run; the others stay."""
    run = _run(person, "cancelled")
    person.window.training.runs.choose(run.folder)
    person.click(person.window.training.runs.buttons[REMOVE])
    _answer(person, "Delete it")
    person.wait(lambda: not run.folder.exists(), "the run is deleted", 20)
    if len(person.desktop.training.runs) != 3:
        raise WrongError("another run is gone too")
    person.look("deleted")


STEPS = (_offer, _train_long, _queue_a_cross_fit, _cancel, _pause, _finish, _close)
STEPS_IN_A_NEW_WINDOW = (_find_again, _choose_own, _delete)


def _wait_for_steps(person: Person) -> None:
    queue = person.desktop.training.queue
    person.wait(lambda: queue.folder is not None, "a run trains", 20)
    person.wait(lambda: queue.curve.n_steps > 0, "it has begun", 60)
    person.idle(1.5)


def _choose_running(person: Person) -> Path:
    """Choose the row of the run that trains: buttons act on the chosen one; return its folder."""
    folder = person.desktop.training.queue.folder
    assert folder is not None
    person.window.training.runs.choose(folder)
    return folder


def _wait_until_drawn(person: Person) -> None:
    person.wait(lambda: not person.explorer.engine.is_busy, "it is drawn")
    person.idle(0.5)


def _state(person: Person, folder: Path) -> str:
    runs = {run.folder: run for run in person.desktop.training.runs}
    return runs[folder].state if folder in runs else ""


def _run(person: Person, state: str) -> RunInfo:
    return next(run for run in person.desktop.training.runs if run.state == state)


def _model(person: Person) -> LoadedModel | None:
    workspace = person.explorer.state.workspace
    return None if workspace is None else workspace.model


def _has_model(person: Person) -> bool:
    return _model(person) is not None


def _is_cross_fitted(person: Person) -> bool:
    model = _model(person)
    return model is not None and bool(model.checkpoint.folds)


def _press_ok(person: Person, dialog: TrainingDialog, text: str) -> None:
    button = dialog.buttons.button(dialog.buttons.StandardButton.Ok)
    assert button is not None
    person.says(button.text(), part=text)
    person.click(button)


def _dialog(person: Person) -> TrainingDialog:
    def found() -> list[TrainingDialog]:
        dialogs = person.window.findChildren(TrainingDialog)
        return [each for each in dialogs if each.isVisible()]

    person.wait(lambda: bool(found()), "the dialog is there", 10)
    person.idle(0.3)
    return found()[0]


def _answer(person: Person, name: str) -> None:
    """Click a button of the question that is asked."""

    def boxes() -> list[QMessageBox]:
        return [box for box in person.window.findChildren(QMessageBox) if box.isVisible()]

    person.wait(lambda: bool(boxes()), "a question is asked", 10)
    person.idle(0.3)
    buttons: list[QPushButton] = boxes()[0].findChildren(QPushButton)
    person.click(next(button for button in buttons if button.accessibleName() == name))
    person.idle(0.3)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
