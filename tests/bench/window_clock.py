"""How long a person waits for the window: from a click to pixels, and between two of its ticks."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
from PyQt6.QtCore import QTimer

PATIENCE_MS = 120_000
_TICK_MS = 5


class Ticks:
    """A clock in the window's own thread: how far its ticks are apart tells how long it stood.

    Attributes
    ----------
    gaps : list of float
        Seconds between two ticks.
    work : list of float
        Processor seconds of the window's own thread between them: however busy the machine is.
    """

    def __init__(self) -> None:
        self.gaps: list[float] = []
        self.work: list[float] = []
        self._last = (0.0, 0.0)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Tick inside the block."""
        clock = QTimer()
        clock.timeout.connect(self._tick)
        self._last = (time.perf_counter(), time.thread_time())
        clock.start(_TICK_MS)
        try:
            yield
        finally:
            clock.stop()

    def note(self, measured, what: str) -> None:
        """Note the gap that 99 of 100 keep, the longest, and the most work in one."""
        measured(f"gap between ticks of the window, {what}, 99 %", self.quantile(0.99), 0.05)
        measured(f"gap between ticks of the window, {what}, longest", max(self.gaps))
        measured(f"work of the window between two ticks, {what}, longest", max(self.work), 0.05)

    def quantile(self, share: float) -> float:
        """Return the gap that a share of all gaps keep."""
        return float(np.quantile(self.gaps, share))

    def _tick(self) -> None:
        now = (time.perf_counter(), time.thread_time())
        self.gaps.append(now[0] - self._last[0])
        self.work.append(now[1] - self._last[1])
        self._last = now


class Witness:
    """Sees when the rasters have been painted, as they are for a person.

    To ask for the painting would cost twice.

    Parameters
    ----------
    graphics : GraphicsView
        The rasters.
    """

    def __init__(self, graphics) -> None:
        self.is_awaited = False
        self.painted_s: list[float] = []
        self._graphics, self._paint = graphics, graphics.paintEvent
        graphics.paintEvent = self._on_paint

    def expect(self) -> None:
        """Note the next time."""
        self.is_awaited = True

    def leave(self) -> None:
        """Look no longer."""
        del self._graphics.paintEvent

    def _on_paint(self, event) -> None:
        self._paint(event)
        if self.is_awaited:
            self.painted_s.append(time.perf_counter())
            self.is_awaited = False


def first_picture_s(explorer, qtbot, act: Callable[[], object]) -> float:
    """Return how long it takes from an action until its first picture has been painted."""
    witness = Witness(explorer.window.raster.graphics)
    link = explorer.engine.partial.connect(lambda _: witness.expect())
    start = time.perf_counter()
    with qtbot.waitSignal(explorer.settled, timeout=PATIENCE_MS):
        act()
    explorer.engine.partial.disconnect(link)
    witness.leave()
    return witness.painted_s[0] - start


@contextlib.contextmanager
def busy_cores() -> Iterator[None]:
    """Keep every core busy with a process that does nothing else."""
    words = [sys.executable, "-c", "while True: pass"]
    processes = [subprocess.Popen(words) for _ in range(os.cpu_count() or 1)]
    try:
        time.sleep(0.5)
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()
