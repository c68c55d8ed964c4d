"""Training from the window: what is ordered, shown, stopped, and put on screen when it is done."""

from __future__ import annotations

import shutil
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

import platformdirs
from PyQt6.QtCore import QObject, QSettings

from mtm_viewer.browsing import Browsing
from mtm_viewer.explorer import Explorer
from mtm_viewer.jobs.engine_thread import Answer, EngineThread
from mtm_viewer.jobs.process import is_trained
from mtm_viewer.jobs.run_order import FILE, RunOrder
from mtm_viewer.jobs.runs_job import (
    CurveRead,
    CurveRequest,
    curve_work,
)
from mtm_viewer.kept_settings import are_kept
from mtm_viewer.own_models import OwnModels
from mtm_viewer.presenters.run_head import live_head, past_head
from mtm_viewer.presenters.run_list import (
    RunInfo,
    RunState,
    run_lines,
    with_states,
)
from mtm_viewer.presenters.training_choice import (
    SessionChoice,
    TrainingChoice,
    session_choices,
    time_words,
)
from mtm_viewer.presenters.training_plan import (
    QUICK,
    preset_choices,
    quick_words,
)
from mtm_viewer.run_shelf import RunShelf
from mtm_viewer.training_actions import add_training_commands
from mtm_viewer.training_queue import TrainingQueue
from mtm_viewer.views.file_questions import ask_folder
from mtm_viewer.views.runs_table import OPEN, REMOVE, RESUME
from mtm_viewer.views.training_dialog import TrainingDialog
from mtm_viewer.views.training_panel import CANCEL, PAUSE
from mtm_viewer.views.training_questions import ask_about_run, ask_removal

_PANEL = "training"
_ROOT = "runs"
_SAID_MS = 8000


class Opens(Protocol):
    """Opens checkpoints, and knows which sessions there are."""

    browsing: Browsing

    def open_checkpoint(self, path: Path) -> None:
        """Open a checkpoint."""


class TrainingDesk(QObject):
    """The deeds of training.

    Parameters
    ----------
    explorer : Explorer
        The running program.
    settings : QSettings
        Remembers where runs are kept.
    desk : Opens
        Opens the finished model.
    """

    def __init__(self, explorer: Explorer, settings: QSettings, desk: Opens) -> None:
        super().__init__(explorer.window)
        self.queue = TrainingQueue(self)
        self.shelf = RunShelf(self.queue, self)
        self._explorer = explorer
        self._window = explorer.window
        self._panel = explorer.window.training
        self._settings = settings
        self._desk = desk
        self._wanted: Path | None = None
        self._is_leaving = False
        self._own = OwnModels(explorer.state, self._window.models, desk.open_checkpoint, self._say)
        self._reading = EngineThread(curve_work, "reading curves", self)
        self._connect()
        add_training_commands(explorer.registry, self)
        self._draw_panel()
        self.look_for_runs()

    @property
    def root(self) -> Path:
        """The folder in which runs are kept."""
        own = Path(platformdirs.user_data_dir("mtm-viewer", appauthor=False)) / "runs"
        return Path(str(self._settings.value(_ROOT, str(own))))

    @property
    def runs(self) -> tuple[RunInfo, ...]:
        """The runs of that folder, as they were when it was last looked through."""
        return self.shelf.runs

    @property
    def is_open(self) -> bool:
        """Whether a session is open."""
        return self._explorer.state.workspace is not None

    @property
    def is_running(self) -> bool:
        """Whether a run trains now."""
        return self.queue.folder is not None

    @property
    def can_resume(self) -> bool:
        """Whether the chosen run can go on."""
        run = self._panel.runs.chosen
        return run is not None and run.can_resume

    @property
    def is_shown(self) -> bool:
        """Whether the panel of training is shown."""
        return not self._window.side_docks[_PANEL].isHidden()

    @property
    def quick_title(self) -> str:
        """What the quick training is called now, with its time."""
        workspace = self._explorer.state.workspace
        title = "Train a model for this session"
        if workspace is None:
            return title
        return f"{title} ({quick_words(workspace.recording, self.shelf.speed)})"

    def train_quickly(self) -> None:
        """Train a model for the session that is open, with the preset `quick`."""
        self.train(TrainingChoice(preset=QUICK, sessions=self._sessions()[:1]))

    def train(self, choice: TrainingChoice) -> None:
        """Train what was chosen, after the runs before it."""
        order = RunOrder(
            preset=choice.preset,
            session_paths=tuple(session.path for session in choice.sessions),
            session_names=tuple(session.name for session in choice.sessions),
            asked_paths=tuple(session.path for session in choice.sessions),
            created=datetime.now().astimezone().isoformat(timespec="seconds"),
            folds=choice.folds,
            seed=choice.seed,
            split=choice.split,
        )
        self._explorer.attempt("The folder of runs", partial(self._add, order))

    def ask_training(self) -> None:
        """Choose settings and sessions, and train."""
        dialog = TrainingDialog(
            preset_choices(),
            self._sessions(),
            self._time_words,
            self._explorer.state.theme,
            is_busy=self.is_running,
            parent=self._window,
        )
        dialog.chosen.connect(self.train)
        dialog.open()

    def pause(self) -> None:
        """Stop the run at a checkpoint."""
        self._explorer.attempt("This run", self.queue.pause)

    def resume(self) -> None:
        """Go on with the chosen run."""
        run = self._panel.runs.chosen
        if run is not None:
            self._resume(run.folder)

    def cancel(self) -> None:
        """Stop the run at once, or take the chosen one out of the queue."""
        run = self._panel.runs.chosen
        folder = run.folder if run is not None and run.state == "waiting" else None
        self._explorer.attempt("This run", partial(self.queue.cancel, folder))

    def toggle_panel(self) -> None:
        """Show the panel of training, or hide it."""
        self._window.toggle_side(_PANEL)

    def ask_root(self) -> None:
        """Choose the folder in which runs are kept."""
        ask_folder(self._window, "Keep runs in", str(self.root), self.set_root)

    def set_root(self, root: Path) -> None:
        """Keep runs in a folder from now on; those elsewhere stay where they are."""
        self._settings.setValue(_ROOT, str(root))
        self.look_for_runs()

    def look_for_runs(self) -> None:
        """Look through the folder of runs in the background."""
        if are_kept(self._settings):
            self.shelf.look(self.root)

    def may_close(self) -> bool:
        """Tell whether the window may be closed; ask if a run goes on."""
        order = self.queue.order
        if order is None or self._is_leaving:
            return True
        ask_about_run(
            self._window,
            order.title,
            len(self.queue.waiting),
            {
                "Let it go on": self._leave,
                "Pause it": lambda: self._leave(PAUSE),
                "Stop it": lambda: self._leave(CANCEL),
            },
        )
        return False

    def stop(self) -> None:
        """Follow the run no longer, and end the threads."""
        self.queue.let_go()
        self.shelf.stop()
        self._reading.stop()

    def _connect(self) -> None:
        panel, queue, window = self._panel, self.queue, self._window
        window.may_close = self.may_close
        window.scores.train_requested.connect(self.train_quickly)
        panel.train_requested.connect(self.ask_training)
        panel.stop_requested.connect(lambda how: self.pause() if how == PAUSE else self.cancel())
        panel.runs.deed_chosen.connect(self._do)
        panel.runs.run_chosen.connect(self._draw_chosen)
        panel.runs.folder_requested.connect(self.ask_root)
        # Commands show it, and so does a layout; at the window's end no thread may begin anew.
        seen = window.side_docks[_PANEL].visibilityChanged
        seen.connect(lambda is_seen: self._draw_chosen() if is_seen else None)
        queue.changed.connect(self._on_change)
        queue.progressed.connect(lambda _: self._on_progress())
        queue.finished.connect(self._on_finished)
        queue.failed.connect(self._on_failed)
        self.shelf.changed.connect(self._on_runs)
        self.shelf.found_again.connect(self._on_found_again)
        self._reading.partial.connect(self._on_curve)
        self._explorer.state.workspace_changed.connect(lambda _: self._draw_offer())
        self._explorer.opener.training_wanted.connect(self.train_quickly)

    def _add(self, order: RunOrder) -> None:
        self._wanted = self.queue.add(self.root, order)
        if not self.is_shown:
            self._window.toggle_side(_PANEL)
        self._window.side_docks[_PANEL].raise_()
        self._say(f"Training: {self._wanted}")

    def _resume(self, folder: Path) -> None:
        self._wanted = folder
        self._explorer.attempt("This run", partial(self.queue.resume, folder))

    def _do(self, deed: str, run: RunInfo) -> None:
        if deed == OPEN:
            self._desk.open_checkpoint(run.model_path)
        elif deed == RESUME:
            self._resume(run.folder)
        elif deed == REMOVE:
            ask_removal(self._window, run.title, {"Delete it": partial(self._remove, run)})

    def _remove(self, run: RunInfo) -> None:
        """Delete the folder of a run; nothing else is ever deleted."""
        if run.folder != self.queue.folder and (run.folder / FILE).is_file():
            if is_trained(run.folder):
                self._explorer.tell(
                    "The run was not deleted",
                    f"Another window or command trains into {run.folder} now. Stop it there.",
                )
                return
            shutil.rmtree(run.folder, ignore_errors=True)
            self.shelf.forget(run.folder)
            self._draw_panel()
            self.look_for_runs()

    def _leave(self, how: str = "") -> None:
        """Close the window; the run goes on, saves a checkpoint and ends, or ends at once."""
        self.queue.clear()
        if how == PAUSE:
            self.pause()
        elif how == CANCEL:
            self.cancel()
        self._is_leaving = True
        self._window.close()

    def _on_change(self) -> None:
        self.look_for_runs()
        self._draw_panel()
        self._draw_offer()
        self._window.refresh_actions()

    def _on_runs(self) -> None:
        self._draw_panel()
        self._draw_offer()
        self._window.refresh_actions()

    def _on_found_again(self, run: RunInfo) -> None:
        self._wanted = run.folder
        self._say(f"Found again: {run.title}, which went on without the window.")

    def _on_curve(self, answer: Answer) -> None:
        read, run = answer.value, self._panel.runs.chosen
        if isinstance(read, CurveRead) and run is not None and run.folder == read.folder:
            self._panel.draw_curves(read.curve.drawable())

    def _on_progress(self) -> None:
        run = self._panel.runs.chosen
        if run is None or run.folder == self.queue.folder:
            self._draw_chosen()

    def _on_finished(self, folder: Path, order: RunOrder) -> None:
        workspace = self._explorer.state.workspace
        finished = self.queue.curve.finished
        score = "" if finished is None else f", validation {finished.bps:.3f} bits per spike"
        self._say(f"{folder.name} is trained{score}")
        if workspace is not None and str(workspace.path.resolve()) in order.asked_paths:
            self._desk.open_checkpoint(folder / "model.safetensors")

    def _on_failed(self, folder: Path, sentence: str) -> None:
        actions = {"Try again": partial(self._resume, folder)}
        self._explorer.tell("Training stopped", sentence, actions)

    def _draw_panel(self) -> None:
        """Show all runs as they stand now."""
        states: dict[Path, RunState] = dict.fromkeys(self.queue.waiting, "waiting")
        if self.queue.folder is not None:
            states[self.queue.folder] = "running"
        runs = self._panel.runs
        runs.draw(run_lines(with_states(self.runs, states)), self.root)
        if self._wanted is not None and self._wanted in {run.folder for run in self.runs}:
            runs.choose(self._wanted)
            self._wanted = None
        self._draw_chosen()

    def _draw_chosen(self) -> None:
        """Show the chosen run: live if it trains, otherwise as it was left."""
        run, panel = self._panel.runs.chosen, self._panel
        if run is None or run.folder == self.queue.folder:
            order = self.queue.order
            if order is None:
                panel.draw_head(None)
                panel.draw_curves(None)
            else:
                self._draw_live(order)
            return
        panel.draw_head(past_head(run))
        if self.is_shown:
            self._reading.request(CurveRequest(folder=run.folder))

    def _draw_live(self, order: RunOrder) -> None:
        queue = self.queue
        head = live_head(
            order.title,
            queue.curve,
            seconds=queue.seconds,
            n_waiting=len(queue.waiting),
            is_stopping=queue.is_stopping,
        )
        self._panel.draw_head(head)
        if self.is_shown:
            self._panel.draw_curves(queue.curve.drawable())

    def _draw_offer(self) -> None:
        """Open the model that was trained here, or say on the button how long one takes."""
        self._own.look(self.runs)
        button, workspace = self._window.scores.train, self._explorer.state.workspace
        if workspace is None:
            return
        order = self.queue.order
        is_coming = order is not None and str(workspace.path.resolve()) in order.asked_paths
        button.setEnabled(not is_coming)
        button.setText("A model is being trained…" if is_coming else self.quick_title)
        button.setToolTip(
            f"Train with the preset '{QUICK}' in the background. The time is estimated "
            f"{self.shelf.speed.words}; it is longer while other programs use the processor."
        )

    def _sessions(self) -> tuple[SessionChoice, ...]:
        """Return the sessions that can be trained on, the open one first."""
        rows = self._desk.browsing.session_files
        return session_choices(self._explorer.state.workspace, rows)

    def _time_words(self, choice: TrainingChoice) -> str:
        return time_words(choice, self.shelf.speed)

    def _say(self, sentence: str) -> None:
        bar = self._window.statusBar()
        if bar is not None:
            bar.showMessage(sentence, _SAID_MS)
