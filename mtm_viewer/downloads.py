"""Downloads of sessions, one after the other, while everything else goes on."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from PyQt6.QtCore import QObject, pyqtSignal

from mtm_core.data.one_records import DownloadProgress
from mtm_viewer.jobs.database_job import (
    Account,
    Downloaded,
    DownloadFailure,
    DownloadRequest,
)
from mtm_viewer.jobs.engine_thread import Answer, EngineThread, Work
from mtm_viewer.jobs.progress import Progress
from mtm_viewer.presenters.session_list import SessionRow
from mtm_viewer.presenters.transfer import download_task
from mtm_viewer.views.task_strip import TaskStrip


class Downloads(QObject):
    """The queue of downloads.

    Parameters
    ----------
    work : Work
        What its thread runs.
    strip : TaskStrip
        Where progress is shown.
    parent : QObject
        Whom it belongs to.

    Notes
    -----
    Signals: `arrived` a `SessionRow`, `failed` a `DownloadFailure`.
    """

    arrived = pyqtSignal(object)
    failed = pyqtSignal(object)

    def __init__(self, work: Work, strip: TaskStrip, parent: QObject) -> None:
        super().__init__(parent)
        self.thread_of_work = EngineThread(work, "downloads", self)
        self._strip = strip
        self._waiting: deque[DownloadRequest] = deque()
        self._running: DownloadRequest | None = None
        self._progress = Progress(self)
        self._progress.reported.connect(self._show)
        self.thread_of_work.finished.connect(self._on_answer)
        self.thread_of_work.failed.connect(self._on_fault)
        strip.cancelled.connect(self.cancel)

    @property
    def running(self) -> SessionRow | None:
        """The session that is being downloaded."""
        return None if self._running is None else self._running.row

    def add(self, row: SessionRow, account: Account) -> None:
        """Download a session after those that wait; twice is once."""
        asked = [self._running, *self._waiting]
        if any(request is not None and request.row.source == row.source for request in asked):
            return
        self._waiting.append(DownloadRequest(account=account, row=row, report=self._progress))
        if self._running is None:
            self._next()
        else:
            self._show(None)

    def cancel(self) -> None:
        """Stop the running download and go on with the next; what has arrived is kept."""
        self.thread_of_work.cancel()
        self._next()

    def stop(self) -> None:
        """End the thread."""
        self._waiting.clear()
        self._running = None
        self.thread_of_work.stop()

    def _next(self) -> None:
        self._running = self._waiting.popleft() if self._waiting else None
        if self._running is None:
            self._strip.draw(None)
            return
        self._show(None)
        self.thread_of_work.request(self._running)

    def _on_answer(self, answer: Answer) -> None:
        self._next()
        if isinstance(answer.value, DownloadFailure):
            self.failed.emit(answer.value)
        elif isinstance(answer.value, Downloaded) and answer.value.folder is not None:
            self.arrived.emit(replace(answer.value.row, is_local=True))

    def _on_fault(self, _: int, sentence: str) -> None:
        """Tell of a fault of the program like of any other failure."""
        row = self.running
        self._next()
        if row is not None:
            self.failed.emit(DownloadFailure(row=row, needs_login=False, sentence=sentence))

    def _show(self, value: object) -> None:
        if self._running is None:
            return
        progress = value if isinstance(value, DownloadProgress) else None
        name = self._running.row.name
        self._strip.draw(download_task(name, progress, len(self._waiting)))
