"""What a program of Qt holds at a moment of rest: memory, threads, timers, windows, widgets."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import threading
from collections import Counter
from dataclasses import dataclass

import psutil
from PyQt6.QtCore import QCoreApplication, QEvent, QThread, QTimer
from PyQt6.QtWidgets import QApplication, QWidget

MOST_GROWTH = 50 * 2**20
"""Bytes that memory may grow by after the warm-up."""


@dataclass(frozen=True, kw_only=True)
class Leftovers:
    """What a program holds at a moment of rest."""

    memory: int
    threads: Counter[str]
    timers: Counter[str]
    windows: Counter[str]
    widgets: Counter[str]

    def words(self, later: Leftovers) -> list[str]:
        """Say what there is more of later."""
        told = []
        for name in ("threads", "timers", "windows", "widgets"):
            more = getattr(later, name) - getattr(self, name)
            told += [f"{count} more {what} ({name})" for what, count in more.items()]
        growth = later.memory - self.memory
        if growth > MOST_GROWTH:
            told.append(f"memory grew by {growth / 2**20:.0f} MB")
        return told


def look_around() -> Leftovers:
    """Count threads, timers, windows and widgets after all deletions; read memory."""
    for _ in range(3):
        gc.collect()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()
    with contextlib.suppress(OSError, AttributeError):  # what is free goes back to the system
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    return Leftovers(
        memory=own_memory(),
        threads=Counter(_threads()),
        timers=Counter(_timers()),
        windows=Counter(_kind(widget) for widget in QApplication.topLevelWidgets()),
        widgets=Counter(_kind(widget) for widget in QApplication.allWidgets()),
    )


def own_memory() -> int:
    """Return the bytes of RAM that the program took for itself.

    Pages of files, such as libraries, are left out where the system tells them apart (Linux): it
    drops them when it likes and reads them again when they are needed, 100 MB of them here.
    """
    held = psutil.Process().memory_info()
    return held.rss - getattr(held, "shared", 0)


def _threads() -> list[str]:
    dummy = threading._DummyThread
    own = [t.name for t in threading.enumerate() if not isinstance(t, dummy)]
    running = [t for t in gc.get_objects() if issubclass(type(t), QThread)]
    return own + [t.objectName() for t in running if _runs(t)]


def _timers() -> list[str]:
    return [f"timer of {type(timer.parent()).__name__}" for timer in active_timers()]


def active_timers() -> list[QTimer]:
    """Return the timers that tick."""
    timers = [t for t in gc.get_objects() if issubclass(type(t), QTimer)]
    return [timer for timer in timers if _ticks(timer)]


def _ticks(timer: QTimer) -> bool:
    try:
        return timer.isActive()
    except RuntimeError:  # the C++ side is gone already
        return False


def _kind(widget: QWidget) -> str:
    """Name the class as Qt does, which has more of them than PyQt, and whose it is.

    A bare widget without an owner is told by what it holds. One that holds nothing may be Qt's:
    it makes one, for its style, when a layout of a graphics scene is first used.
    """
    kind, parent, owner = widget.metaObject(), widget.parent(), None
    if parent is not None:
        owner = parent.metaObject()
    name = "?" if kind is None else kind.className()
    if owner is None and name == "QWidget":
        held = sorted({type(child).__name__ for child in widget.children()})
        return f"{name} {widget.windowTitle()!r} holding {', '.join(held) or 'nothing'}"
    return name if owner is None else f"{name} in {owner.className()}"


def _runs(thread: QThread) -> bool:
    try:
        return thread.isRunning()
    except RuntimeError:  # the C++ side is gone already
        return False
