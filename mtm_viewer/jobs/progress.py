"""Progress from a working thread to the window: not more often than eyes can follow."""

from __future__ import annotations

import time

from PyQt6.QtCore import QObject, pyqtSignal

PAUSE_S = 0.1


class Progress(QObject):
    """Called in a working thread; tells of it in the window's thread.

    Notes
    -----
    Signal: `reported` what the work said. Of words that follow each other too fast only some are
    passed on; what is final does not come this way but as the answer of the work.
    """

    reported = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._last_s = 0.0

    def __call__(self, value: object) -> None:
        """Report how far the work is (any thread)."""
        now_s = time.monotonic()
        if now_s - self._last_s >= PAUSE_S:
            self._last_s = now_s
            self.reported.emit(value)
