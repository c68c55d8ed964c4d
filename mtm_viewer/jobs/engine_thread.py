"""One long-lived thread with a one-slot mailbox: the newest request wins.

A running piece of work is always finished and shown; only then is the newest request taken, so
that a person who clicks faster than the engine computes keeps seeing pictures. What crosses
threads is numpy arrays and frozen dataclasses, never a widget.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PyQt6.QtCore import QObject, QThread, QTimer, pyqtSignal, pyqtSlot

from mtm_core.errors import MtmError

logger = logging.getLogger(__name__)

MAX_PAUSE_MS = 250
"""Longest pause between two answers, however long the window took to show one."""

Work = Callable[[object, Callable[[], bool]], Iterator[object]]
"""Turns a request into growing results; asks the given function whether to stop."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One result on its way to the window.

    Parameters
    ----------
    ticket : int
        Number of the request that it answers; see `EngineThread.request`.
    value : object
        What the work yielded.
    """

    ticket: int
    value: object


@dataclass(frozen=True, kw_only=True)
class _Letter:
    ticket: int
    request: object


class Mailbox:
    """A slot for one letter; a newer one replaces it.

    Examples
    --------
    >>> box = Mailbox()
    >>> box.put(1, "old"), box.put(2, "new")
    (None, None)
    >>> box.take().request, box.take()
    ('new', None)
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._letter: _Letter | None = None

    def put(self, ticket: int, request: object) -> None:
        """Leave a request, in place of the one that still waits."""
        with self._lock:
            self._letter = _Letter(ticket=ticket, request=request)

    def take(self) -> _Letter | None:
        """Take the waiting request out, if there is one."""
        with self._lock:
            letter, self._letter = self._letter, None
            return letter

    def is_waiting(self) -> bool:
        """Tell whether a request waits."""
        with self._lock:
            return self._letter is not None


class _Worker(QObject):
    """Lives in the engine's thread and runs the work."""

    piece = pyqtSignal(object)
    done = pyqtSignal(object)
    broke = pyqtSignal(int, str)
    idle = pyqtSignal(int)

    def __init__(self, work: Work, mailbox: Mailbox) -> None:
        super().__init__()
        self._work = work
        self._mailbox = mailbox
        self.cancelled_up_to = 0

    @pyqtSlot()
    def wake(self) -> None:
        """Work until the mailbox is empty."""
        while (letter := self._mailbox.take()) is not None:
            self._run(letter)
            self.idle.emit(letter.ticket)

    def _run(self, letter: _Letter) -> None:
        def should_stop() -> bool:
            return self._mailbox.is_waiting() or letter.ticket <= self.cancelled_up_to

        if letter.ticket <= self.cancelled_up_to:
            return
        last: object | None = None
        try:
            for value in self._work(letter.request, should_stop):
                last = value
                self.piece.emit(Answer(ticket=letter.ticket, value=value))
                if should_stop():
                    return
        except MtmError as error:
            self.broke.emit(letter.ticket, str(error))
            return
        except Exception as error:  # the thread must outlive any fault of a request
            logger.exception("A request failed in the engine.")
            self.broke.emit(letter.ticket, _unexpected(error))
            return
        if not should_stop():
            self.done.emit(Answer(ticket=letter.ticket, value=last))


def _unexpected(error: Exception) -> str:
    """Say in a sentence that the fault is ours; the traceback is in the log."""
    return (
        f"The computation stopped with a fault of the program ({type(error).__name__}: {error}). "
        "What was on screen before is kept; Help > Show log has the details."
    )


class EngineThread(QObject):
    """Runs `work` for the newest request, off the GUI thread, and tells what came of it.

    Parameters
    ----------
    work : callable
        ``work(request, should_stop)`` yields growing results, and ends early when
        ``should_stop()`` is true.
    name : str
        Name of the thread, for logs.

    Notes
    -----
    Signals: `partial` carries an `Answer` for each piece, `finished` the last one of a request
    that ran to its end, `failed` a ticket and a sentence, `busy` whether anything is going on.

    Qt delivers events that keep arriving before it looks at mouse, timers and paint, so that
    pieces which come faster than they are drawn would freeze the window. Hence an answer waits
    for a timer, a newer one takes its place meanwhile, and the pause after each is as long as
    showing it took: at most half of the window's time is spent on answers.
    """

    partial = pyqtSignal(object)
    finished = pyqtSignal(object)
    failed = pyqtSignal(int, str)
    busy = pyqtSignal(bool)
    _wake = pyqtSignal()

    def __init__(self, work: Work, name: str = "engine", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._mailbox = Mailbox()
        self._ticket = 0
        self._is_busy = False
        self._is_stopped = False
        self._unseen: Answer | None = None
        self._last_ticket = 0
        self._pause_ms = 0
        self._clock = QTimer(self)
        self._clock.setSingleShot(True)
        self._clock.timeout.connect(self._pass_on)
        self._thread = QThread()
        self._thread.setObjectName(name)
        self._worker = _Worker(work, self._mailbox)
        self._worker.moveToThread(self._thread)
        self._wake.connect(self._worker.wake)
        self._worker.piece.connect(self._on_piece)
        self._worker.done.connect(self._on_done)
        self._worker.broke.connect(self._on_broke)
        self._worker.idle.connect(self._on_idle)
        self._thread.start()

    @property
    def newest_ticket(self) -> int:
        """Ticket of the newest request, 0 before the first."""
        return self._ticket

    @property
    def is_busy(self) -> bool:
        """Tell whether a request runs or waits."""
        return self._is_busy

    def request(self, request: object) -> int:
        """Ask for work in place of whatever waits; return the ticket of the answers.

        Once the thread was ended nothing is done: the last signals of a window that closes may
        still ask for something.
        """
        self._ticket += 1
        if self._is_stopped:
            return self._ticket
        self._mailbox.put(self._ticket, request)
        self._set_busy(is_busy=True)
        self._wake.emit()
        return self._ticket

    def cancel(self) -> None:
        """Drop the waiting request and stop the running one after its piece.

        No answer to a request made before is delivered afterwards.
        """
        self._worker.cancelled_up_to = self._ticket
        self._unseen = None
        self._clock.stop()
        if self._is_busy and self._mailbox.take() is not None:
            self._wake.emit()
        self._set_busy(is_busy=False)

    def stop(self) -> None:
        """End the thread after the running piece; the engine cannot be used again."""
        self._is_stopped = True
        self.cancel()
        self._thread.quit()
        self._thread.wait()

    def _set_busy(self, *, is_busy: bool) -> None:
        if is_busy != self._is_busy:
            self._is_busy = is_busy
            self.busy.emit(is_busy)

    @pyqtSlot(object)
    def _on_piece(self, answer: Answer) -> None:
        if answer.ticket <= self._worker.cancelled_up_to:
            return
        self._unseen = answer
        if not self._clock.isActive():
            self._clock.start(self._pause_ms if answer.ticket == self._last_ticket else 0)

    @pyqtSlot()
    def _pass_on(self) -> None:
        """Deliver the newest answer that was not delivered yet."""
        answer, self._unseen = self._unseen, None
        self._clock.stop()
        if answer is None:
            return
        start_s = time.perf_counter()
        self.partial.emit(answer)
        self._pause_ms = min(round(1000 * (time.perf_counter() - start_s)), MAX_PAUSE_MS)
        self._last_ticket = answer.ticket

    @pyqtSlot(object)
    def _on_done(self, answer: Answer) -> None:
        if answer.ticket > self._worker.cancelled_up_to:
            self._pass_on()
            self.finished.emit(answer)

    @pyqtSlot(int, str)
    def _on_broke(self, ticket: int, sentence: str) -> None:
        if ticket > self._worker.cancelled_up_to:
            self._pass_on()
            self.failed.emit(ticket, sentence)

    @pyqtSlot(int)
    def _on_idle(self, ticket: int) -> None:
        if ticket == self._ticket:
            self._set_busy(is_busy=False)
