"""Keeps a journal of what is on screen, and offers it again after a crash."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, QTimer
from PyQt6.QtWidgets import QMessageBox

from mtm_core.experiment.record import Experiment
from mtm_viewer.commands import Command, CommandRegistry
from mtm_viewer.experiment_desk import ExperimentDesk
from mtm_viewer.explorer import Explorer
from mtm_viewer.jobs.engine_thread import Answer, EngineThread
from mtm_viewer.jobs.experiment_job import ExperimentRequest
from mtm_viewer.jobs.journal_job import JournalJob, LeftBehind, Note, Noted
from mtm_viewer.presenters.journal_entry import JournalEntry, offer_words
from mtm_viewer.presenters.preparation_form import read_settings
from mtm_viewer.presenters.workspace import Opened
from mtm_viewer.theatre_state import TheatreState
from mtm_viewer.views.dialogs import tell_problem

logger = logging.getLogger(__name__)
_SAID_MS = 8000
_DELAY_MS = 300
"""What changes within this time is written down together."""


class JournalDesk(QObject):
    """Writes down each change, and brings back what was lost.

    Parameters
    ----------
    explorer : Explorer
        The running program.
    experiments : ExperimentDesk
        Knows how things are shown, and opens them again.
    theatre : TheatreState
        How single trials are shown.
    folder : Path
        Where journals lie.
    """

    def __init__(
        self,
        explorer: Explorer,
        experiments: ExperimentDesk,
        theatre: TheatreState,
        folder: Path,
    ) -> None:
        super().__init__(explorer)
        self._theatre = theatre
        self._explorer = explorer
        self._experiments = experiments
        self._job = JournalJob(folder)
        self._thread = EngineThread(self._job, "journal", self)
        self._left: LeftBehind | None = None
        self._restoring: Path | None = None
        self._reopened: JournalEntry | None = None
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.setInterval(_DELAY_MS)
        self._delay.timeout.connect(self._note)
        self._thread.partial.connect(self._on_answer)
        self._thread.failed.connect(lambda _, text: logger.warning("%s", text))
        self._follow()
        self._thread.request("look")

    @property
    def left(self) -> LeftBehind | None:
        """What a window that did not end by itself had on screen."""
        return self._left

    def last(self) -> JournalEntry | None:
        """Return what was on screen when the last window was closed."""
        return self._job.last()

    def go_on(self) -> None:
        """Show what was on screen when the last window was closed."""
        last = self.last()
        if last is None:
            self._explorer.tell(
                "There is nothing to go on with",
                "No session was open when the window was last closed. Open one from the list.",
            )
        else:
            self._open(last)

    def offer(self) -> None:
        """Ask whether to restore what was left behind."""
        left = self._left
        if left is None:
            return
        box = tell_problem(
            self._explorer.window,
            "The window did not close by itself last time",
            f"This was on screen: {offer_words(left.entry)} Restore it?",
            {"Restore": partial(self.restore, left), "Discard": partial(self.discard, left)},
        )
        box.setIcon(QMessageBox.Icon.Question)
        later = box.button(QMessageBox.StandardButton.Close)
        if later is not None:
            later.setText("Later")
            later.setToolTip("Ask again when the program starts next.")
            later.setAccessibleName("Later")

    def restore(self, left: LeftBehind) -> None:
        """Show what was left behind; it is forgotten once it is written down anew."""
        self._restoring = left.path
        self._open(left.entry)

    def discard(self, left: LeftBehind) -> None:
        """Forget what was left behind."""
        self._job.forget(left.path)
        self._set_left(None)

    def stop(self) -> None:
        """Write down the last change, end the thread, and keep what is on screen as the last."""
        note = self._now() if self._delay.isActive() else None
        self._delay.stop()
        self._thread.stop()
        try:
            if note is not None:
                self._job.note(note)
        except Exception:  # closing must go on
            logger.exception("The last change could not be written down.")
        self._job.close()

    def _follow(self) -> None:
        state = self._explorer.state
        for signal in (
            *(state.workspace_changed, state.mask_changed, state.unit_changed),
            *(state.display_changed, state.trials_changed, state.control_changed),
            *(state.compare_changed, state.unit_settings_changed),
            *(self._theatre.shown_changed, self._theatre.trial_changed),
            *(self._theatre.sort_changed, self._theatre.levels_changed),
        ):
            signal.connect(self._wait)
        self._experiments.shown.connect(self._on_shown)

    def _wait(self) -> None:
        if not self._delay.isActive():
            self._delay.start()

    def _note(self) -> None:
        note = self._now()
        if note is not None:
            self._thread.request(note)

    def _now(self) -> Note | None:
        state = self._explorer.state
        if state.shown is None:
            return None
        return Note(
            workspace=state.shown,
            view=self._experiments.view(),
            title=state.describe_mask(),
            device=state.device,
            history=state.history,
        )

    def _on_shown(self, experiment: Experiment) -> None:
        """Bring the steps back once their screen is there; steps of today stay what they are."""
        entry, state = self._reopened, self._explorer.state
        if entry is None or entry.experiment is not experiment:
            return
        self._reopened = None
        if state.undo_stack.count() > 1:  # the one step is that to this screen
            return
        bar = self._explorer.window.statusBar()
        if not state.load_history(entry.history) and bar is not None:
            bar.showMessage("The history of steps begins anew.", _SAID_MS)

    def _on_answer(self, answer: Answer) -> None:
        if isinstance(answer.value, LeftBehind):
            self._set_left(answer.value)
            self.offer()
        elif isinstance(answer.value, Noted):
            self._on_noted(answer.value.entry)

    def _on_noted(self, entry: JournalEntry) -> None:
        """Forget what was left behind once its session is on screen and written down."""
        left = self._left
        if left is None or left.path != self._restoring:
            return
        if entry.experiment.session == left.entry.experiment.session:
            self._job.forget(left.path)
            self._set_left(None)

    def _set_left(self, left: LeftBehind | None) -> None:
        self._left = left
        self._explorer.window.refresh_actions()

    def _open(self, entry: JournalEntry) -> None:
        self._reopened = entry
        source, opened = entry.experiment.session.source, None
        if source and entry.preparation:
            opened = Opened(source=source, config=read_settings(entry.preparation))
        self._experiments.reopen(
            ExperimentRequest(
                path=self._job.folder / "journal",
                current=self._explorer.state.workspace,
                experiment=entry.experiment,
                opened=opened,
                models=tuple(map(Path, entry.models)),
            )
        )


def add_journal_commands(registry: CommandRegistry, desk: JournalDesk) -> None:
    """Put the commands of the journal into the registry."""
    registry.add(
        Command(
            id="file.go_on",
            title="Go on where you left off",
            menu="File",
            shortcut="Ctrl+Alt+G",
            help="Show what was on screen when the window was last closed.",
            run=desk.go_on,
            starts_group=True,
        ),
        Command(
            id="file.recover",
            title="Restore after a crash…",
            menu="File",
            help="Bring back what was on screen in a window that did not close by itself.",
            run=desk.offer,
            is_enabled=lambda: desk.left is not None,
        ),
    )
