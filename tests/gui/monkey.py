"""Random commands, clicks, keys and drags over the bundled sessions, and what they leave behind.

``python tests/gui/monkey.py [--steps 10000] [--seed 0]`` runs it on demand, on any platform of Qt;
`tests/viewer/test_monkey.py` runs a short one. It ends with a code other than 0 if anything went
wrong: an exception, an error in the log, a thread, timer, window or widget left over, or memory
that grew by more than 50 MB after the warm-up.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import logging
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import psutil
import torch
from PyQt6.QtCore import QCoreApplication, QEvent, QPoint, QPointF, QSettings, Qt, QThread, QTimer
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QDialog,
    QDockWidget,
    QFileDialog,
    QMenu,
    QMessageBox,
    QWidget,
)

from mtm_core import resources
from mtm_core.errors import UnreachableError
from mtm_viewer.browsing import BrowserWorks
from mtm_viewer.commands import CommandRegistry
from mtm_viewer.desktop import Desktop, LogKeeper
from mtm_viewer.explorer import Explorer
from mtm_viewer.jobs.database_job import DatabaseJob, DownloadJob
from mtm_viewer.jobs.engine_thread import EngineThread
from mtm_viewer.jobs.prepare_job import OpenJob
from mtm_viewer.jobs.prepared_cache import PreparedCache
from mtm_viewer.jobs.reconstruct_job import ReconstructionJob
from mtm_viewer.main_window import MainWindow
from mtm_viewer.state import ViewerState

MOST_GROWTH = 50 * 2**20
"""Bytes that memory may grow by after the warm-up."""
ANSWERS_BYTES = 8 * 2**20
FEW_WIDGETS = 40
"""Panels have more or fewer lines of words, as what they show asks for; a leak soon has more."""
PATIENCE_S = 120.0
_WATCH_MS, _BLOCKED_S = 100, 0.3
_LOOK_S = 0.005
_NOT_RUN = ("session.quit",)
"""It would end the program."""
_KEYS = (
    *(Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Return),
    *(Qt.Key.Key_Space, Qt.Key.Key_Tab, Qt.Key.Key_Escape, Qt.Key.Key_Plus, Qt.Key.Key_Minus),
    *(Qt.Key.Key_Home, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Backspace),
)
_TEXTS = ("VIS*", "rate > 2", "region in CA1", "(", "0", "-1", "1e9", "not good and", " ")
_ENDINGS = (".png", ".svg", ".pdf", ".csv", ".npz", ".h5", ".mtm.json", ".xyz", "")
_MODIFIERS = (
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.NoModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.ShiftModifier,
)


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
            if name == "widgets" and more.total() <= FEW_WIDGETS:
                continue
            told += [f"{count} more {what} ({name})" for what, count in more.items()]
        growth = later.memory - self.memory
        if growth > MOST_GROWTH:
            told.append(f"memory grew by {growth / 2**20:.0f} MB")
        return told


@dataclass(kw_only=True)
class Report:
    """What came of it."""

    n_steps: int = 0
    seconds: float = 0.0
    growth: int = 0
    deeds: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


class Monkey:
    """Someone who knows nothing and fears nothing.

    Parameters
    ----------
    desktop : Desktop
        The program, with its window shown.
    folder : Path
        Where files may be written.
    seed : int
        Same seed, same wishes; what they meet depends on the machine's speed too.
    """

    def __init__(self, desktop: Desktop, folder: Path, seed: int) -> None:
        self.desktop = desktop
        self.window = desktop.explorer.window
        self.report = Report()
        self.last: list[str] = []
        self._folder = folder
        self._rng = np.random.default_rng(seed)
        self._settled = 0
        desktop.explorer.settled.connect(self._count)
        desktop.training.train = lambda _: self._note("would train")
        self._deed_since = time.monotonic()
        self._watch = QTimer(desktop.explorer.window)
        self._watch.timeout.connect(self._close_what_blocks)
        self._watch.start(_WATCH_MS)

    def run(self, n_steps: int, warm_up: int, *, is_memory_judged: bool = True) -> Report:
        """Do so many things, after some to warm up; say what was left over.

        Each bundled session is opened once before: what the largest of them needs stays with the
        process, and is no leak. After a short warm-up memory still grows, and cannot be judged.
        """
        start = time.monotonic()
        for name in resources.list_sessions():
            self._settle(partial(self.desktop.open_source, str(resources.session_path(name))))
        self._do(warm_up)
        before = self.rest()
        self._do(n_steps)
        after = self.rest()
        self.report.n_steps = n_steps
        self.report.seconds = time.monotonic() - start
        self.report.growth = after.memory - before.memory
        found = before.words(after)
        self.report.problems += [
            each for each in found if is_memory_judged or not each.startswith("memory")
        ]
        self._watch.stop()
        return self.report

    def rest(self) -> Leftovers:
        """Come back to the demo with everything closed, and look around."""
        self._close_all()
        desktop = self.desktop
        desktop.tour.end()
        desktop.explorer.cancel()
        self._settle(desktop.open_demo)
        for dock in self.window.side_docks.values():  # some begin their thread when first seen
            dock.show()
            dock.raise_()
            self._idle(0.05)
            dock.hide()
        for dock in self.window.findChildren(QDockWidget):
            dock.setFloating(False)
        desktop.honesty.check()
        desktop.theatre.state.show(is_shown=True)
        self._idle(0.2)
        desktop.theatre.state.show(is_shown=False)
        desktop.state.undo_stack.clear()
        desktop.exports.wait()
        self._close_all()
        self._idle(0.6)
        # To look through all objects while a thread makes some is not safe in CPython.
        threads = [*self.window.findChildren(EngineThread)]
        self._wait(lambda: not any(thread.is_busy for thread in threads))
        self._wait(lambda: not any(t.isSingleShot() for t in _active_timers()))
        return look_around()

    def _do(self, n_steps: int) -> None:
        for _ in range(n_steps):
            self._deed_since = time.monotonic()
            self._act()
            QApplication.processEvents()
            if self._rng.random() < 0.05:
                self._idle(0.05)
            if self._rng.random() < 0.3:
                self._close_all()

    def _act(self) -> None:
        popup = QApplication.activePopupWidget()
        if popup is not None:
            self._answer_popup(popup)
            return
        asking = QApplication.activeModalWidget()
        if isinstance(asking, QFileDialog):  # a key could write beside the recordings
            self._answer(asking)
            return
        choice = self._rng.random()
        if choice < 0.4 and QApplication.activeModalWidget() is None:
            self._run_command()
        elif choice < 0.8:
            self._click()
        elif choice < 0.9:
            self._press()
        elif choice < 0.95:
            self._drag()
        else:
            self._wheel()

    def _close_what_blocks(self) -> None:
        """Close a menu that a button opened in an event loop of its own: a click waits for it."""
        popup = QApplication.activePopupWidget()
        if popup is not None and time.monotonic() - self._deed_since > _BLOCKED_S:
            self._note(f"closed {type(popup).__name__}")
            popup.close()

    def _note(self, deed: str) -> None:
        self.report.deeds[deed.split(" ")[0]] += 1
        self.last = [*self.last[-30:], deed]

    def _pick(self, things):
        things = list(things)
        return things[int(self._rng.integers(len(things)))]

    def _run_command(self) -> None:
        found = [c for c in self.desktop.explorer.registry.search("") if c.id not in _NOT_RUN]
        command = self._pick(found)
        self._note(f"command {command.id}")
        self.desktop.explorer.registry.run(command.id)

    def _target(self) -> tuple[QWidget, QPoint] | None:
        root = QApplication.activeModalWidget() or self.window
        widgets = [w for w in root.findChildren(QWidget) if w.isVisible() and w.isEnabled()]
        widgets = [w for w in widgets if w.width() > 1 and w.height() > 1]
        if not widgets:
            return None
        widget = self._pick(widgets)
        x, y = self._rng.integers(widget.width()), self._rng.integers(widget.height())
        return widget, QPoint(int(x), int(y))

    def _click(self) -> None:
        target = self._target()
        if target is None or _is_quit(target[0]):
            return
        widget, place = target
        button = Qt.MouseButton.RightButton if self._rng.random() < 0.1 else None
        button = button or Qt.MouseButton.LeftButton
        modifiers = self._pick(_MODIFIERS)
        self._note(f"click {type(widget).__name__} {widget.accessibleName()} {place}")
        QTest.mouseClick(widget, button, modifiers, place)
        if self._rng.random() < 0.1 and _is_alive(widget):
            QTest.mouseDClick(widget, button, modifiers, place)

    def _press(self) -> None:
        widget = QApplication.focusWidget() or self.window
        if self._rng.random() < 0.3:
            text = self._pick(_TEXTS)
            self._note(f"type {text!r} in {type(widget).__name__}")
            QTest.keyClicks(widget, text)
            return
        key = self._pick(_KEYS)
        self._note(f"key {key.name} in {type(widget).__name__}")
        QTest.keyClick(widget, key, self._pick(_MODIFIERS))

    def _drag(self) -> None:
        viewport = self.window.raster.graphics.viewport()
        if viewport is None or not viewport.isVisible():
            return
        places = [
            QPoint(int(self._rng.integers(viewport.width())), int(y))
            for y in self._rng.integers(viewport.height(), size=5)
        ]
        self._note(f"drag {places[0]}")
        modifiers = self._pick(_MODIFIERS)
        QTest.mousePress(viewport, Qt.MouseButton.LeftButton, modifiers, places[0])
        for place in places[1:]:
            QTest.mouseMove(viewport, place)
            QApplication.processEvents()
        QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, modifiers, places[-1])

    def _wheel(self) -> None:
        target = self._target()
        if target is None:
            return
        widget, place = target
        self._note(f"wheel {type(widget).__name__}")
        event = QWheelEvent(
            QPointF(place),
            QPointF(widget.mapToGlobal(place)),
            QPoint(),
            QPoint(0, int(self._pick((-240, -120, 120, 240)))),
            Qt.MouseButton.NoButton,
            self._pick(_MODIFIERS),
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(widget, event)

    def _answer_popup(self, popup: QWidget) -> None:
        actions = popup.actions() if isinstance(popup, QMenu) else []
        actions = [a for a in actions if a.isEnabled() and not a.isSeparator() and not a.menu()]
        actions = [a for a in actions if a.text() != "Quit"]
        if actions and self._rng.random() < 0.6:
            action = self._pick(actions)
            self._note(f"menu {action.text()}")
            popup.close()
            action.trigger()
            return
        key = self._pick((Qt.Key.Key_Down, Qt.Key.Key_Return, Qt.Key.Key_Escape))
        if isinstance(popup, QMenu):  # Return could choose Quit
            key = Qt.Key.Key_Escape
        self._note(f"popup {key.name}")
        QTest.keyClick(popup, key)
        if _is_alive(popup) and popup.isVisible() and key == Qt.Key.Key_Escape:
            popup.close()

    def _close_all(self) -> None:
        for _ in range(20):
            popup = QApplication.activePopupWidget()
            if popup is not None:
                popup.close()
                QApplication.processEvents()
                continue
            tops = QApplication.topLevelWidgets()  # all children of a window are thousands
            dialogs = [w for w in tops if isinstance(w, QDialog) and w.isVisible()]
            if not dialogs:
                return
            self._answer(dialogs[-1])
            QApplication.processEvents()

    def _answer(self, dialog: QDialog) -> None:
        self._note(f"answer {type(dialog).__name__} {dialog.windowTitle()}")
        if isinstance(dialog, QFileDialog):
            if dialog.acceptMode() == QFileDialog.AcceptMode.AcceptSave:
                name = f"file{int(self._rng.integers(30))}{self._pick(_ENDINGS)}"
                dialog.fileSelected.emit(str(self._folder / name))
            dialog.reject()
        elif isinstance(dialog, QMessageBox) and self._rng.random() < 0.3:
            self._pick(dialog.buttons()).click()
        else:
            dialog.reject()

    def _settle(self, deed: Callable[[], object]) -> None:
        before, engine = self._settled, self.desktop.explorer.engine
        deed()
        self._wait(lambda: self._settled > before and not engine.is_busy)

    def _count(self) -> None:
        self._settled += 1

    def _idle(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.002)

    def _wait(self, until) -> None:
        end = time.monotonic() + PATIENCE_S
        while not until():
            if time.monotonic() > end:
                self.report.problems.append(f"waited in vain after: {'; '.join(self.last)}")
                return
            self._close_all()
            QApplication.processEvents()
            time.sleep(_LOOK_S)


def look_around() -> Leftovers:
    """Count threads, timers, windows and widgets after all deletions; read memory."""
    for _ in range(3):
        gc.collect()
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QApplication.processEvents()
    with contextlib.suppress(OSError, AttributeError):  # what is free goes back to the system
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    return Leftovers(
        memory=psutil.Process().memory_info().rss,
        threads=Counter(_threads()),
        timers=Counter(_timers()),
        windows=Counter(type(w).__name__ for w in QApplication.topLevelWidgets()),
        widgets=Counter(type(w).__name__ for w in QApplication.allWidgets()),
    )


def _threads() -> list[str]:
    dummy = threading._DummyThread
    own = [t.name for t in threading.enumerate() if not isinstance(t, dummy)]
    running = [t for t in gc.get_objects() if issubclass(type(t), QThread)]
    return own + [t.objectName() for t in running if _is_alive(t) and t.isRunning()]


def _timers() -> list[str]:
    return [f"timer of {type(timer.parent()).__name__}" for timer in _active_timers()]


def _active_timers() -> list[QTimer]:
    timers = [t for t in gc.get_objects() if issubclass(type(t), QTimer)]
    return [timer for timer in timers if _ticks(timer)]


def _ticks(timer: QTimer) -> bool:
    try:
        return timer.isActive()
    except RuntimeError:  # the C++ side is gone already
        return False


def _is_alive(thing) -> bool:
    try:
        thing.objectName()
    except RuntimeError:
        return False
    return True


def _is_quit(widget: QWidget) -> bool:
    return isinstance(widget, QAbstractButton) and "quit" in widget.text().lower()


class Errors(logging.Handler):
    """Keeps what the program logs as an error, with what was done before."""

    def __init__(self, report: Report) -> None:
        super().__init__(logging.ERROR)
        self._report = report

    def emit(self, record: logging.LogRecord) -> None:
        """Keep it."""
        self._report.problems.append(self.format(record))


@contextlib.contextmanager
def watched(monkey: Monkey):
    """Take every exception and every logged error down as a problem."""

    def hook(kind, error, trace) -> None:
        import traceback

        text = "".join(traceback.format_exception(kind, error, trace))
        monkey.report.problems.append(f"{text}after: {'; '.join(monkey.last[-6:])}")

    handler, before = Errors(monkey.report), sys.excepthook
    logging.getLogger().addHandler(handler)
    sys.excepthook = hook
    try:
        yield
    finally:
        sys.excepthook = before
        logging.getLogger().removeHandler(handler)


def no_network(_):
    """Connect to nothing."""
    msg = "There is no network. Check the cable, or work offline."
    raise UnreachableError(msg)


def build(folder: Path) -> Desktop:
    """Build a program of its own: no network, settings and caches in a folder."""
    settings = QSettings(str(folder / "settings.ini"), QSettings.Format.IniFormat)
    settings.setValue("runs", str(folder / "runs"))
    registry = CommandRegistry()
    window = MainWindow(registry)
    # What is kept of answers grows up to its limit, and would hide what leaks.
    engine = ReconstructionJob(memory_bytes=ANSWERS_BYTES)
    works = (OpenJob(PreparedCache(folder / "prepared"), no_network), engine)
    browser = BrowserWorks(database=DatabaseJob(no_network), download=DownloadJob(no_network))
    explorer = Explorer(ViewerState(), window, registry, works, ("cpu",))
    desktop = Desktop(explorer, settings, LogKeeper(), browser)
    window.resize(1280, 800)
    window.show()
    return desktop


def main(words: list[str]) -> int:
    """Run it from the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--warm-up", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sessions", nargs="*", help="beginnings of names; all if left out")
    arguments = parser.parse_args(words)
    if arguments.sessions:
        chosen = tuple(arguments.sessions)
        names = [name for name in resources.list_sessions() if name.startswith(chosen)]
        resources.list_sessions = lambda: names
    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
    app = QApplication([])
    with tempfile.TemporaryDirectory(prefix="mtm-monkey-") as name:
        os.environ.update(XDG_CONFIG_HOME=name, XDG_DATA_HOME=name, XDG_CACHE_HOME=name)
        desktop = build(Path(name))
        monkey = Monkey(desktop, Path(name), arguments.seed)
        with watched(monkey):
            report = monkey.run(arguments.steps, arguments.warm_up)
        desktop.explorer.window.close()
        app.processEvents()
    print(f"{report.n_steps} steps in {report.seconds:.0f} s, seed {arguments.seed}")
    print(f"memory after the warm-up: {report.growth / 2**20:+.1f} MB")
    print("; ".join(f"{deed} {count}" for deed, count in report.deeds.most_common()))
    for problem in report.problems:
        print(f"PROBLEM: {problem}")
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
