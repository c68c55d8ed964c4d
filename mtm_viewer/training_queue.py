"""Runs of training, one at a time: what waits, what runs, what came of it."""

from __future__ import annotations

from collections import deque
from pathlib import Path

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from mtm_core.errors import MtmError
from mtm_viewer.jobs.process import RunProcess
from mtm_viewer.jobs.run_order import RunOrder, keep_sessions, make_new_folder, write_order
from mtm_viewer.presenters.training_curve import TrainingCurve

LOOK_MS = 400
"""How often the events of a run are looked at."""


class TrainingQueue(QObject):
    """Trains what is ordered, one run after the other.

    Parameters
    ----------
    parent : QObject
        Whom it belongs to.

    Notes
    -----
    Signals: `changed` when a run begins, waits, or ends; `progressed` the `TrainingCurve` of the
    run; `finished` folder and order of a run that
    reached its end; `failed` a folder and a sentence.
    """

    changed = pyqtSignal()
    progressed = pyqtSignal(object)
    finished = pyqtSignal(object, object)
    failed = pyqtSignal(object, str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.curve = TrainingCurve()
        self._waiting: deque[Path] = deque()
        self._running: RunProcess | None = None
        self._clock = QTimer(self)
        self._clock.setInterval(LOOK_MS)
        self._clock.timeout.connect(self.look)

    @property
    def folder(self) -> Path | None:
        """The folder of the run that trains now."""
        return None if self._running is None else self._running.folder

    @property
    def order(self) -> RunOrder | None:
        """The order of the run that trains now."""
        return None if self._running is None else self._running.order

    @property
    def seconds(self) -> float:
        """How long the run that trains now has been running."""
        return 0.0 if self._running is None else self._running.seconds

    @property
    def is_stopping(self) -> bool:
        """Whether the run was asked to pause and has not ended yet."""
        return self._running is not None and bool(self._running.order.stopped)

    @property
    def waiting(self) -> tuple[Path, ...]:
        """Folders of the runs that wait, the next one first."""
        return tuple(self._waiting)

    def add(self, root: Path, order: RunOrder) -> Path:
        """Order a run; it begins when those before it have ended. Return its folder.

        Raises
        ------
        OutputError
            If its folder cannot be made.
        """
        folder = make_new_folder(root, order.session_names[0], order.variant)
        write_order(folder, keep_sessions(folder, order))
        self.resume(folder)
        return folder

    def resume(self, folder: Path) -> None:
        """Go on with a run when those before it have ended."""
        if folder != self.folder and folder not in self._waiting:
            self._waiting.append(folder)
            self._begin_next()
            self.changed.emit()

    def watch(self, folder: Path) -> bool:
        """Follow a run whose process goes on from before; tell whether that was possible."""
        process = RunProcess.find(folder) if self._running is None else None
        if process is not None:
            self._follow(process)
            self.changed.emit()
        return process is not None

    def pause(self) -> None:
        """Let the run save a checkpoint and end; those that wait stay waiting until resumed."""
        if self._running is not None:
            self._waiting.clear()
            self._running.pause()
            self.changed.emit()

    def cancel(self, folder: Path | None = None) -> None:
        """Stop a run at once, or take it out of the queue; by default the one that trains."""
        if folder is not None and folder in self._waiting:
            self._waiting.remove(folder)
        elif self._running is not None and folder in (None, self.folder):
            self._running.kill()
            self._end(self._running)
            self._begin_next()
        self.changed.emit()

    def clear(self) -> None:
        """Take all runs that wait out of the queue; they can be resumed."""
        self._waiting.clear()

    def let_go(self) -> None:
        """Follow the run no longer; its process goes on alone."""
        self._clock.stop()
        self._waiting.clear()
        self._running = None

    def look(self) -> None:
        """Look how far the run is."""
        process = self._running
        if process is None:
            return
        is_alive = process.is_alive  # asked first: what it wrote before it ended is read then
        self._read(process)
        if not is_alive and self._running is process:
            self._end(process)
            self._begin_next()
            self.changed.emit()

    def _read(self, process: RunProcess) -> None:
        try:
            events, is_anew = process.tail.read_new()
        except MtmError as error:  # the process may go on, but cannot be followed
            self._clock.stop()
            self._running = None
            self.failed.emit(process.folder, str(error))
            return
        if is_anew:
            self.curve = TrainingCurve()
        if events or not self.curve.n_steps:  # before the first event the time goes on
            self.curve.take(events)
            self.progressed.emit(self.curve)

    def _end(self, process: RunProcess) -> None:
        """Say what came of a run whose process has ended."""
        self._clock.stop()
        self._running = None
        order = process.close(is_finished=self.curve.finished is not None)
        if self.curve.finished is not None:
            self.finished.emit(process.folder, order)
        elif order.error:
            self.failed.emit(process.folder, order.error)

    def _begin_next(self) -> None:
        while self._running is None and self._waiting:
            folder = self._waiting.popleft()
            try:
                self._follow(RunProcess.begin(folder))
            except MtmError as error:
                self.failed.emit(folder, str(error))

    def _follow(self, process: RunProcess) -> None:
        self._running = process
        self.curve = TrainingCurve()
        self.progressed.emit(self.curve)
        self._clock.start()
        self.look()
