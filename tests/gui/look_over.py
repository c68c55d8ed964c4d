"""Look the window over at one scale: every panel, light and dark, small and large.

``QT_SCALE_FACTOR=1.5 python tests/gui/look_over.py FOLDER`` opens the demo on a display, shows
every panel in its turn, saves a picture of each, and ends with a code other than 0 if a text is
cut, two things overlap, something stands outside of the window, or a panel is empty.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from PyQt6.QtCore import QCoreApplication, QEvent, QPoint, QRect, Qt
from PyQt6.QtGui import QImage
from PyQt6.QtWidgets import (
    QAbstractButton,
    QAbstractScrollArea,
    QApplication,
    QDialog,
    QDockWidget,
    QLabel,
    QRubberBand,
    QSizeGrip,
    QSizePolicy,
    QTabBar,
    QToolButton,
    QWidget,
)

from mtm_viewer import app as program
from mtm_viewer.desktop import Desktop, LogKeeper
from mtm_viewer.theme import THEMES
from mtm_viewer.views.drop_target import DropTarget
from mtm_viewer.views.status import ElidedLabel
from mtm_viewer.views.tour_overlay import TourOverlay

SIZES = ((1280, 720), (2560, 1440))
PATIENCE_S = 120.0
FEWEST_COLOURS = 6
"""A panel with fewer shows nothing but its background and a frame."""
_OVER = (TourOverlay, DropTarget, QRubberBand, QSizeGrip)
"""What is meant to lie over other things."""


class Looker:
    """Shows one thing after the other, and looks at each.

    Parameters
    ----------
    desktop : Desktop
        The program, with its window shown.
    folder : Path
        Where pictures go.
    """

    def __init__(self, desktop: Desktop, folder: Path) -> None:
        self.desktop = desktop
        self.window = desktop.explorer.window
        self.faults: list[str] = []
        self._folder = folder
        self._settled = 0
        desktop.explorer.settled.connect(self._count)

    def look_at_all(self) -> None:
        """Go through sizes, themes and panels."""
        for theme in THEMES.values():
            self.desktop.state.set_theme(theme)
            for size in SIZES:
                self.window.resize(*size)
                self._idle(0.4)
                name = f"{theme.name}-{size[0]}x{size[1]}"
                own = (self.window.width(), self.window.height())
                if max(abs(own[0] - size[0]), abs(own[1] - size[1])) > 1:  # whole pixels of X
                    self.faults.append(f"{name}: the window is {self.window.size()}")
                self._look_at_panels(name)

    def open_demo(self) -> None:
        """Look at the list of sessions, then open the demo."""
        self._idle(1.0)
        self._look("welcome", self.window)
        before = self._settled
        self.desktop.open_demo()
        self._wait(lambda: self._settled > before and not self.desktop.explorer.engine.is_busy)

    def _look_at_panels(self, name: str) -> None:
        window = self.window
        self._look(name, window)
        parts = (window.raster.graphics, window.scores, window.tree, window.unit)
        for part in parts:
            self._check_filled(name, part)
        for side, dock in window.side_docks.items():
            dock.show()
            dock.raise_()
            self._idle(1.0 if side == "matrix" else 0.3)
            self._look(f"{name}-{side}", window)
            if side not in ("names", "history"):  # nothing is named or undone yet
                self._check_filled(f"{name}-{side}", dock)
            dock.hide()
        self._look_at_all_at_once(name)
        for command in ("help.shortcuts", "edit.preferences", "edit.palette"):
            self.desktop.explorer.registry.run(command)
            self._idle(0.3)
            for dialog in (d for d in window.findChildren(QDialog) if d.isVisible()):
                self._look(f"{name}-{command}", dialog)
                dialog.reject()

    def _look_at_all_at_once(self, name: str) -> None:
        """Show all panels: each has a tab whose name can be read."""
        docks = list(self.window.side_docks.values())
        for dock in docks:
            dock.show()
        self._idle(1.0)
        self._look(f"{name}-all", self.window)
        self.faults += [f"{name}-all: cut: {what}" for what in cut_tabs(self.window)]
        for dock in docks:
            dock.hide()

    def _look(self, name: str, root: QWidget) -> None:
        root.grab().save(str(self._folder / f"{name}.png"))
        for kind, find in (("cut", cut_texts), ("overlap", overlaps), ("outside", outsiders)):
            self.faults += [f"{name}: {kind}: {what}" for what in find(root)]

    def _check_filled(self, name: str, part: QWidget) -> None:
        if n_colours(part.grab().toImage()) < FEWEST_COLOURS:
            self.faults.append(f"{name}: empty: {_name(part)}")

    def _count(self) -> None:
        self._settled += 1

    def _idle(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
            QApplication.processEvents()
            time.sleep(0.005)

    def _wait(self, until: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE_S
        while not until() and time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.005)


def cut_texts(root: QWidget) -> Iterator[str]:
    """Name labels and buttons that have less room than their text needs."""
    for label in _visible(root, QLabel):
        if isinstance(label, ElidedLabel) or not label.text() or label.wordWrap():
            continue
        if label.sizePolicy().horizontalPolicy() == QSizePolicy.Policy.Ignored:
            continue  # made to be cut, with the whole text in its tooltip
        if label.sizeHint().width() > label.width() + 1:
            yield f"{_name(label)} '{label.text()[:40]}' {label.width()} px"
    for button in _visible(root, QAbstractButton):
        is_drawn = isinstance(button, QToolButton) and not button.text()
        own = button.minimumSizeHint().width()
        if button.text() and not is_drawn and own > button.width() + 1:
            yield f"{_name(button)} '{button.text()[:40]}' {button.width()} of {own} px"


def cut_tabs(root: QWidget) -> Iterator[str]:
    """Name rows of tabs that have less room than their names need."""
    for bar in _visible(root, QTabBar):
        is_upright = bar.shape() in (QTabBar.Shape.RoundedEast, QTabBar.Shape.RoundedWest)
        needed, there = bar.sizeHint(), bar.size()
        short = there.height() < needed.height() if is_upright else there.width() < needed.width()
        if short:
            yield f"the tabs {[bar.tabText(place) for place in range(bar.count())]}"


def overlaps(root: QWidget) -> Iterator[str]:
    """Name neighbours that lie over each other."""
    for parent in (root, *_visible(root, QWidget)):
        children = [c for c in parent.children() if isinstance(c, QWidget) and _is_seen(c, root)]
        children = [c for c in children if not isinstance(c, _OVER) and not c.isWindow()]
        if isinstance(parent, QAbstractScrollArea | QDockWidget) or len(children) < 2:
            continue
        for place, one in enumerate(children):
            for other in children[place + 1 :]:
                both = one.geometry().intersected(other.geometry())
                if both.width() > 1 and both.height() > 1:
                    yield f"{_name(one)} and {_name(other)} by {both.width()} x {both.height()}"


def outsiders(root: QWidget) -> Iterator[str]:
    """Name what stands outside of the window, where it cannot be scrolled to."""
    for widget in _visible(root, QWidget):
        if _can_be_scrolled_to(widget, root) or isinstance(widget, _OVER):
            continue
        place = QRect(widget.mapTo(root, QPoint(0, 0)), widget.size())
        if not root.rect().adjusted(-2, -2, 2, 2).contains(place):
            yield f"{_name(widget)} at {place}"


def n_colours(image: QImage) -> int:
    """Count the colours of a picture, at every fourth pixel."""
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    bits = image.constBits()
    bits.setsize(image.sizeInBytes())
    pixels = np.frombuffer(bits, np.uint32).reshape(image.height(), image.bytesPerLine() // 4)
    return len(np.unique(pixels[::4, : image.width() : 4]))


def _visible(root: QWidget, kind: type) -> list:
    found = root.findChildren(kind)
    return [w for w in found if _is_seen(w, root)]


def _is_seen(widget: QWidget, root: QWidget) -> bool:
    """Tell whether a widget is on screen: Qt parks docks behind others far outside."""
    if not widget.isVisible() or widget.window() is not root.window():
        return False
    return root.rect().intersects(QRect(widget.mapTo(root, QPoint(0, 0)), widget.size()))


def _can_be_scrolled_to(widget: QWidget, root: QWidget) -> bool:
    parent = widget.parentWidget()
    while parent is not None and parent is not root:
        if isinstance(parent, QAbstractScrollArea):
            return True
        parent = parent.parentWidget()
    return False


def _name(widget: QWidget) -> str:
    own = widget.accessibleName() or widget.objectName()
    parent = widget.parentWidget()
    above = "" if parent is None else parent.accessibleName() or type(parent).__name__
    return f"{type(widget).__name__} '{own}' in {above}"


def main(words: list[str]) -> int:
    """Run it from the command line."""
    folder = Path(words[0])
    folder.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))
    with tempfile.TemporaryDirectory(prefix="mtm-look-") as home:
        os.environ.update(XDG_CONFIG_HOME=home, XDG_DATA_HOME=home, XDG_CACHE_HOME=home)
        app = program._make_app()
        desktop = program.build(LogKeeper())
        window = desktop.explorer.window
        window.setWindowFlag(Qt.WindowType.FramelessWindowHint)
        window.resize(*SIZES[0])
        window.show()
        looker = Looker(desktop, folder)
        looker.open_demo()
        looker.look_at_all()
        window.close()
        app.processEvents()
    n_pictures = len(list(folder.glob("*.png")))
    scale = os.environ.get("QT_SCALE_FACTOR", "1")
    print(f"scale {scale}: {n_pictures} pictures in {folder}, {len(looker.faults)} faults")
    for fault in looker.faults:
        print(f"  {fault}")
    return 1 if looker.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
