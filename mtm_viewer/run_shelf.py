"""The runs of a folder as they stand, also those that another window or command trains."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QObject, QTimer, pyqtSignal

from mtm_viewer.jobs.engine_thread import Answer, EngineThread
from mtm_viewer.jobs.runs_job import RunsFound, RunsRequest, runs_work
from mtm_viewer.presenters.run_list import RunInfo
from mtm_viewer.presenters.training_plan import Speed
from mtm_viewer.training_queue import TrainingQueue

LOOK_AGAIN_MS = 2000
"""How soon runs are looked at again while one of them trains that the queue does not follow."""


class RunShelf(QObject):
    """Looks for runs in the background.

    Parameters
    ----------
    queue : TrainingQueue
        Follows a run that is found alive, if it has no other.
    parent : QObject
        Whom it belongs to.

    Notes
    -----
    Signals: `changed` when the runs were looked at, `found_again` the `RunInfo` of a run that the
    queue follows from now on.
    """

    changed = pyqtSignal()
    found_again = pyqtSignal(object)

    def __init__(self, queue: TrainingQueue, parent: QObject) -> None:
        super().__init__(parent)
        self.runs: tuple[RunInfo, ...] = ()
        self.speed = Speed()
        self._root: Path | None = None
        self._queue = queue
        self._looking = EngineThread(runs_work, "looking for runs", self)
        self._looking.partial.connect(self._on_runs)
        self._clock = QTimer(self)
        self._clock.setSingleShot(True)
        self._clock.setInterval(LOOK_AGAIN_MS)
        self._clock.timeout.connect(self._look)

    def look(self, root: Path) -> None:
        """Look through a folder; what was known of another one is forgotten."""
        if root != self._root:
            self._root, self.runs = root, ()
        self._look()

    def forget(self, folder: Path) -> None:
        """Leave a run out whose folder was deleted."""
        self.runs = tuple(run for run in self.runs if run.folder != folder)

    def stop(self) -> None:
        """Look no more, and end the thread."""
        self._clock.stop()
        self._looking.stop()

    def _look(self) -> None:
        if self._root is not None:
            self._looking.request(RunsRequest(root=self._root))

    def _on_runs(self, answer: Answer) -> None:
        found = answer.value
        if not isinstance(found, RunsFound) or found.root != self._root:
            return
        self.runs, self.speed = found.runs, found.speed
        alone = [run for run in self.runs if run.state == "running" and not self._is_followed(run)]
        for run in alone:
            if self._queue.watch(run.folder):
                self.found_again.emit(run)
        if not all(map(self._is_followed, alone)):  # over by now, or not ours to follow
            self._clock.start()
        self.changed.emit()

    def _is_followed(self, run: RunInfo) -> bool:
        return run.folder == self._queue.folder
