"""Random commands, clicks, keys and drags over the bundled sessions, and what they leave behind.

``python -m tests.gui.monkey [--steps 10000] [--seed 0]`` runs it on demand, on any platform of Qt,
in the folder of the project; `tests/viewer/test_monkey.py` runs a short one. It ends with a code
other than 0 if anything went wrong: an exception, an error in the log, a warning of Qt, a thread,
timer, window or widget left over, or memory that grew by more than 50 MB after the warm-up.

Memory needs a warm-up: what threads free stays in their pools in part, until each has met the
largest thing that it works at, and pools fill with holes. It is judged by long runs only. What
made it grow without end were closed sessions, what was copied, and the programs that oneDNN
writes for every shape of a product (`mtm_viewer.jobs.kept_memory`).
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PyQt6.QtCore import (
    QPoint,
    QPointF,
    QSettings,
    Qt,
    QTimer,
    QtMsgType,
    qInstallMessageHandler,
)
from PyQt6.QtGui import QWheelEvent
from PyQt6.QtTest import QTest
from PyQt6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
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
from mtm_viewer.jobs.kept_memory import keep_little
from mtm_viewer.jobs.prepare_job import OpenJob
from mtm_viewer.jobs.prepared_cache import PreparedCache
from mtm_viewer.jobs.reconstruct_job import ReconstructionJob
from mtm_viewer.last_deletions import delete_at_exit
from mtm_viewer.main_window import MainWindow
from mtm_viewer.presenters.compare_choice import CompareChoice
from mtm_viewer.presenters.honesty import HonestyLine
from mtm_viewer.presenters.mask_choice import MaskChoice
from mtm_viewer.presenters.population import PopulationChoice
from mtm_viewer.presenters.region_matrix import MatrixChoice
from mtm_viewer.presenters.trial_filter import TrialFilter
from mtm_viewer.presenters.unit_settings import FIELD_TITLES, UnitSettings
from mtm_viewer.state import Display, ViewerState
from mtm_viewer.theatre_state import TheatreState
from mtm_viewer.theme import LIGHT
from tests.gui.leftovers import Leftovers, active_timers, look_around

ANSWERS_BYTES = 8 * 2**20
PATIENCE_S = 120.0
logger = logging.getLogger(__name__)
_WATCH_MS, _BLOCKED_S = 100, 0.3
_LOOK_S = 0.005
_MOST_LINES = 20
_WHICH = "beginnings of names, the demo's (steinmetz2019_s12) among them; all if left out"
_NO_FAULT = "This plugin does not support"
"""What the offscreen platform says of every window."""
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
    tell : callable
        Told how far it is.
    """

    def __init__(
        self,
        desktop: Desktop,
        folder: Path,
        seed: int,
        tell: Callable[[str], object] = logger.info,
    ) -> None:
        self.desktop = desktop
        self._tell_someone = tell
        self.window = desktop.explorer.window
        self.report = Report()
        self.last: list[str] = []
        self._folder = folder
        self._rng = np.random.default_rng(seed)
        self._settled = 0
        desktop.explorer.settled.connect(self._count)
        desktop.training.train = lambda _: self._note("would train")
        self._may_close, self.window.may_close = self.window.may_close, self._stay
        self._deed_since = time.monotonic()
        self._watch = QTimer(desktop.explorer.window)
        self._watch.timeout.connect(self._close_what_blocks)
        self._watch.start(_WATCH_MS)

    def run(
        self, n_steps: int, warm_up: int, *, every: int = 1000, is_memory_judged: bool = True
    ) -> Report:
        """Do so many things, after some to warm up; say what was left over.

        Each bundled session is opened once before: what the largest of them needs stays with the
        process, and is no leak. The monkey looks around after each stretch of `every` deeds.
        """
        start = time.monotonic()
        with contextlib.suppress(ImportError):  # its compiler takes 250 MB when first used
            import rastermap  # noqa: F401
        for name in resources.list_sessions():
            self._settle(partial(self.desktop.open_source, str(resources.session_path(name))))
        self._do(warm_up)
        before = after = self.rest()
        self._tell(0, start, before)
        for done in range(0, n_steps, every):
            stretch = min(every, n_steps - done)
            self._do(stretch)
            after = self.rest()
            self._tell(done + stretch, start, after)
        self.report.n_steps = n_steps
        self.report.seconds = time.monotonic() - start
        self.report.growth = after.memory - before.memory
        self.report.problems += [
            told
            for told in before.words(after)
            if is_memory_judged or not told.startswith("memory")
        ]
        self._watch.stop()
        self.window.may_close = self._may_close
        return self.report

    def _tell(self, n_done: int, start: float, left: Leftovers) -> None:
        words = (
            f"{n_done} deeds, {time.monotonic() - start:.0f} s: {left.memory / 2**20:.0f} MB, "
            f"{left.widgets.total()} widgets, {len(self.report.problems)} problems"
        )
        self._tell_someone(words)

    def rest(self) -> Leftovers:
        """Come back to the demo with everything closed and chosen as at first; look around."""
        self._close_all()
        desktop = self.desktop
        desktop.tour.end()
        desktop.explorer.cancel()
        self._choose_as_at_first()
        self._settle(desktop.open_demo)
        for dock in self.window.side_docks.values():  # some begin their thread when first seen
            dock.show()
            dock.raise_()
            self._idle(0.05)
            dock.hide()
        for dock in self.window.findChildren(QDockWidget):
            dock.setFloating(False)
        self._make_what_waits()
        desktop.honesty.check()
        desktop.theatre.state.show(is_shown=True)
        self._idle(0.2)
        desktop.theatre.state.show(is_shown=False)
        desktop.state.undo_stack.clear()
        clipboard = QApplication.clipboard()
        if clipboard is not None:  # a picture or a table of many megabytes
            clipboard.clear()
        desktop.exports.wait()
        self._close_all()
        self._idle(0.6)
        # To look through all objects while a thread makes some is not safe in CPython.
        threads = [*self.window.findChildren(EngineThread)]
        self._wait(lambda: not any(thread.is_busy for thread in threads))
        self._wait(lambda: not any(t.isSingleShot() for t in active_timers()))
        return look_around()

    def _choose_as_at_first(self) -> None:
        """Choose all anew that says what is computed and shown: what it takes is no leak."""
        desktop, state = self.desktop, self.desktop.state
        state.set_compare(CompareChoice())
        state.set_display(Display())
        state.set_unit_settings(UnitSettings(fields=tuple(FIELD_TITLES)))
        desktop.attempt("The trials", partial(state.show_trials, TrialFilter()))
        desktop.attempt("The recipe", partial(state.choose_recipe, MaskChoice().recipe))
        state.pick_units(())
        state.set_theme(LIGHT)
        desktop.matrix.state.choose(**asdict(MatrixChoice()))
        desktop.matrix.state.set_paused(is_paused=False)
        desktop.population.state.choose(**asdict(PopulationChoice()))
        desktop.theatre.state.sort_by(TheatreState().sort)
        desktop.theatre.state.set_levels(None)

    def _make_what_waits(self) -> None:
        """Make what Qt and the panels make only once it is needed, and keep from then on."""
        for box in self.window.findChildren(QComboBox):
            box.view()
        lines = [HonestyLine(what=str(place), words="") for place in range(_MOST_LINES)]
        self.window.honesty.draw(lines, can_check=False)
        self.window.unit.draw_settings(self.desktop.state.unit_settings)

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

    def _stay(self) -> bool:
        """Keep the window open: what comes after its end would try nothing any more."""
        self._note("would close")
        return False

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
    """Take every exception, every logged error and every warning of Qt down as a problem."""

    def hook(kind, error, trace) -> None:
        import traceback

        text = "".join(traceback.format_exception(kind, error, trace))
        monkey.report.problems.append(f"{text}after: {'; '.join(monkey.last[-6:])}")

    def heed(kind: QtMsgType, _, text: str | None) -> None:
        is_known = kind == QtMsgType.QtDebugMsg or kind == QtMsgType.QtInfoMsg
        if not is_known and not str(text).startswith(_NO_FAULT):
            monkey.report.problems.append(f"Qt: {text}, after: {'; '.join(monkey.last[-6:])}")

    handler, before = Errors(monkey.report), sys.excepthook
    qInstallMessageHandler(heed)
    logging.getLogger().addHandler(handler)
    sys.excepthook = hook
    try:
        yield
    finally:
        sys.excepthook = before
        qInstallMessageHandler(None)
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
    parser.add_argument("--warm-up", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--sessions", nargs="*", help=_WHICH)
    parser.add_argument("--any-memory", action="store_true", help="do not judge memory")
    arguments = parser.parse_args(words)
    if arguments.sessions:
        chosen = tuple(arguments.sessions)
        names = [name for name in resources.list_sessions() if name.startswith(chosen)]
        resources.list_sessions = lambda: names
    keep_little()  # as the program does
    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
    app = QApplication([])
    delete_at_exit()
    with tempfile.TemporaryDirectory(prefix="mtm-monkey-") as name:
        os.environ.update(XDG_CONFIG_HOME=name, XDG_DATA_HOME=name, XDG_CACHE_HOME=name)
        desktop = build(Path(name))
        monkey = Monkey(desktop, Path(name), arguments.seed, partial(print, flush=True))
        with watched(monkey):
            report = monkey.run(
                arguments.steps, arguments.warm_up, is_memory_judged=not arguments.any_memory
            )
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
