"""Opening sessions: the thread that reads and prepares, and what is asked on the way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from PyQt6.QtCore import QObject, pyqtSignal

from mtm_core.config import PreparationConfig
from mtm_core.config_io import load_preparation
from mtm_core.data.one_records import DownloadProgress
from mtm_viewer.jobs.engine_thread import Answer, EngineThread, Work
from mtm_viewer.jobs.open_job import Misfit, OpenRequest
from mtm_viewer.jobs.prepare_job import (
    Failure,
    KeepRequest,
    ManySessions,
    NeedsDownload,
    PrepareRequest,
    Question,
    Saved,
    SaveRequest,
)
from mtm_viewer.jobs.progress import Progress
from mtm_viewer.main_window import MainWindow
from mtm_viewer.presenters.model_fit import misfit_words
from mtm_viewer.presenters.transfer import TaskDrawable, progress_task
from mtm_viewer.presenters.workspace import Workspace
from mtm_viewer.state import ViewerState
from mtm_viewer.views.dialogs import Actions, ask_about_trials
from mtm_viewer.views.preparation_dialog import PreparationDialog

Tell = Callable[[str, str, Actions | None], None]


class Opener(QObject):
    """Opens files, folders and eids; what is on screen stays until the new session is whole.

    Parameters
    ----------
    state : ViewerState
        What is open now.
    window : MainWindow
        Where progress is shown, and dialogs belong to.
    work : Work
        What its thread runs.
    tell : callable
        Shows a problem: title, sentence, ways out.

    Notes
    -----
    Signals: `opened` a `Workspace`, `settings_changed` a `PreparationConfig`, `login_failed` the
    sentence, `download_wanted` a `PrepareRequest`, `many_found` a folder with several sessions,
    `said` a sentence in passing, `busy` whether something is being opened, `training_wanted`
    that a model shall be trained for what was opened just now.
    """

    opened = pyqtSignal(object)
    settings_changed = pyqtSignal(object)
    login_failed = pyqtSignal(str)
    download_wanted = pyqtSignal(object)
    many_found = pyqtSignal(object)
    said = pyqtSignal(str)
    busy = pyqtSignal(bool)
    training_wanted = pyqtSignal()

    def __init__(self, state: ViewerState, window: MainWindow, work: Work, tell: Tell) -> None:
        super().__init__(window)
        self.config = load_preparation()
        self.loader = EngineThread(work, "opening files", self)
        self.offline: Callable[[], object] | None = None
        self._state = state
        self._window = window
        self._tell = tell
        self._running: PrepareRequest | None = None
        self._trains_next = False
        self._progress = Progress(self)
        self._progress.reported.connect(self._show_progress)
        self.loader.partial.connect(self._on_answer)
        self.loader.failed.connect(lambda _, text: self._on_failed(text))
        self.loader.busy.connect(self._on_busy)
        window.opening.cancelled.connect(self.cancel)

    def open_files(self, request: OpenRequest) -> None:
        """Open files that need no preparation."""
        self._running, self._trains_next = None, False
        self.loader.request(request)

    def prepare(self, request: PrepareRequest) -> None:
        """Prepare a recording and open it."""
        self._trains_next = False
        self._running = replace(request, report=self._progress)
        self._show_task(None)
        self.loader.request(self._running)

    def save(self, request: SaveRequest) -> None:
        """Save a session in the background."""
        self._running = None
        self.loader.request(request)

    def cancel(self) -> None:
        """Stop opening; what is on screen stays."""
        self._running, self._trains_next = None, False
        self.loader.cancel()

    def stop(self) -> None:
        """End the thread."""
        self.loader.stop()

    def set_config(self, config: PreparationConfig) -> None:
        """Prepare what is opened next like this."""
        if config != self.config:
            self.config = config
            self.settings_changed.emit(config)

    def ask_settings(self, request: PrepareRequest | None = None) -> None:
        """Show the settings; with a request, prepare its source by what is chosen."""
        config = self.config if request is None else request.config
        act = "Use these settings" if request is None else "Prepare"
        open_now = None if request is None else request.current
        misfit = None if open_now is None else partial(misfit_words, open_now)
        dialog = PreparationDialog(config, self._state.theme, act, self._window, misfit)
        dialog.chosen.connect(self.set_config)
        if request is not None:
            dialog.chosen.connect(
                lambda chosen: self.prepare(replace(request, config=chosen, is_accepted=False))
            )
        dialog.training_wanted.connect(self._train_next)
        dialog.open()

    def _train_next(self) -> None:
        self._trains_next = True

    def _on_workspace(self, workspace: Workspace) -> None:
        is_training_wanted, self._trains_next = self._trains_next, False
        self.opened.emit(workspace)
        if is_training_wanted:
            self.training_wanted.emit()

    def _on_answer(self, answer: Answer) -> None:
        deeds: dict[type, Callable[[Any], object]] = {
            Workspace: self._on_workspace,
            Misfit: self._tell_misfit,
            Question: self._ask,
            Failure: self._on_failure,
            NeedsDownload: lambda value: self.download_wanted.emit(value.request),
            ManySessions: lambda value: self.many_found.emit(value.root),
            Saved: lambda value: self.said.emit(f"Saved {value.path}"),
        }
        deed = deeds.get(type(answer.value))
        if deed is not None:
            deed(answer.value)

    def _ask(self, question: Question) -> None:
        """Ask before a session that lost many trials is shown."""
        report = question.session.preparation
        if report is None:
            return
        ask_about_trials(
            self._window,
            report,
            {
                "Go on with these trials": lambda: self.loader.request(
                    KeepRequest(question=question)
                ),
                "Change settings…": partial(self.ask_settings, question.request),
            },
        )

    def _on_failure(self, failure: Failure) -> None:
        request = failure.request
        actions: dict[str, Callable[[], object]] = {}
        title = "This could not be opened"
        if failure.kind == "login":
            self.login_failed.emit(failure.sentence)
            return
        if failure.kind == "network":
            title = "The database cannot be reached"
            actions["Try again"] = partial(self.prepare, request)
            if self.offline is not None:
                actions["Work offline"] = self.offline
        elif failure.kind == "settings":
            title = "This recording could not be prepared"
            actions["Change settings…"] = partial(self.ask_settings, request)
        self._tell(title, failure.sentence, actions)

    def _on_failed(self, sentence: str) -> None:
        self._tell("This file could not be opened", sentence, None)

    def _tell_misfit(self, misfit: Misfit) -> None:
        actions: dict[str, Callable[[], object]] = {}
        request = misfit.request
        if misfit.own_session is not None:
            own = replace(request, session_path=misfit.own_session, session=None, opened=None)
            actions["Open its own recording"] = lambda: self.open_files(own)
        if misfit.can_overlap:
            shared = replace(request, allow_overlap=True)
            actions["Use the units that both share"] = lambda: self.open_files(shared)
        self._tell("Checkpoint and session do not belong together", misfit.sentence, actions)

    def _on_busy(self, is_busy: bool) -> None:
        if not is_busy:
            self._running = None  # it knows what was open before
            self._window.opening.draw(None)
        self.busy.emit(is_busy)

    def _show_progress(self, value: object) -> None:
        if self._running is not None and self.loader.is_busy:
            self._show_task(value)

    def _show_task(self, value: object) -> None:
        running = self._running
        name = "" if running is None else running.name or running.source
        task: TaskDrawable = progress_task(f"Opening {name}", value)
        if isinstance(value, DownloadProgress):
            task = replace(task, title=f"Downloading {name}")
        self._window.opening.draw(task)
