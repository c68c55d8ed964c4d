"""What every plot of pyqtgraph needs before it may be part of a window."""

from __future__ import annotations

import pyqtgraph as pg
from PyQt6.QtCore import QSizeF, Qt
from PyQt6.QtWidgets import QWidget


def adopt_menus(plot: pg.PlotItem, owner: QWidget) -> None:
    """Let the menus that a plot makes for itself live and die with the widget that shows it.

    They are never opened, but are windows of their own otherwise, and stay behind when the
    widget is gone.
    """
    plot.ctrlMenu.setParent(owner, plot.ctrlMenu.windowFlags())


class ShrinkingTitle(pg.LabelItem):
    """A title that may be wider than its plot, so that a long one never keeps a plot wide."""

    def updateMin(self) -> None:
        """Ask for height only (pyqtgraph's own hook)."""
        super().updateMin()
        self.setMinimumWidth(0.0)

    def sizeHint(self, hint: Qt.SizeHint, constraint: QSizeF) -> QSizeF:
        """Need no width, but take what there is (Qt's own hook)."""
        size = QSizeF(super().sizeHint(hint, constraint))
        if hint in (Qt.SizeHint.MinimumSize, Qt.SizeHint.PreferredSize):
            size.setWidth(0.0)
        return size


def let_title_shrink(plot: pg.PlotItem) -> None:
    """Give a plot a `ShrinkingTitle`."""
    old = plot.titleLabel
    plot.layout.removeItem(old)
    old.setParentItem(None)
    plot.titleLabel = ShrinkingTitle("", size="11pt", parent=plot)
    plot.layout.addItem(plot.titleLabel, 0, 1)
