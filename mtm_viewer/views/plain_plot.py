"""What every plot of pyqtgraph needs before it may be part of a window."""

from __future__ import annotations

import pyqtgraph as pg
from PyQt6.QtCore import QSizeF, Qt
from PyQt6.QtWidgets import QLabel, QVBoxLayout, QWidget

from mtm_viewer.theme import Theme

_AXES = ("left", "bottom")
_TICK_PX = 4
_RIGHT_PX = 16
"""Room for the half of the last tick's text that stands out."""


def adopt_menus(plot: pg.PlotItem, owner: QWidget) -> None:
    """Let the menus that a plot makes for itself live and die with the widget that shows it.

    They are never opened, but are windows of their own otherwise, and stay behind when the
    widget is gone.
    """
    plot.ctrlMenu.setParent(owner, plot.ctrlMenu.windowFlags())


def hold_still(plot: pg.PlotWidget, owner: QWidget) -> None:
    """Let nobody move a plot, nor choose from pyqtgraph's own buttons and menus.

    Parameters
    ----------
    plot : PlotWidget
        Made without a menu.
    owner : QWidget
        The widget that shows it.
    """
    plot.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    plot.setMouseEnabled(x=False, y=False)
    plot.hideButtons()
    adopt_menus(plot.getPlotItem(), owner)
    for name in _AXES:
        plot.getAxis(name).enableAutoSIPrefix(enable=False)


def colour_frame(plot: pg.PlotWidget, theme: Theme) -> None:
    """Give background and axes of a plot the colours of a theme."""
    plot.setBackground(theme.window)
    plot.getViewBox().setBackgroundColor(theme.panel)
    for name in _AXES:
        axis = plot.getAxis(name)
        axis.setPen(pg.mkPen(theme.border))
        axis.setTextPen(pg.mkPen(theme.muted))
        axis.setStyle(tickLength=_TICK_PX)


class LegendPlot(QWidget):
    """A plot that nobody can move, with its legend in words above it.

    Parameters
    ----------
    parent : QWidget or None
        Where it stands.
    least_px, left_px, bottom_px : int
        Least height of the plot; width and height of its axes.
    """

    def __init__(
        self, parent: QWidget | None, *, least_px: int, left_px: int, bottom_px: int
    ) -> None:
        super().__init__(parent)
        self.legend = QLabel(self)
        self.legend.setTextFormat(Qt.TextFormat.RichText)
        self.legend.setWordWrap(True)
        self.legend.setContentsMargins(6, 3, 6, 0)
        self.plot = pg.PlotWidget(self, enableMenu=False)
        self.plot.setMinimumHeight(least_px)
        hold_still(self.plot, self)
        self.plot.getAxis("left").setWidth(left_px)
        bottom = self.plot.getAxis("bottom")
        bottom.setHeight(bottom_px)
        bottom.setStyle(hideOverlappingLabels=False)
        self.plot.getPlotItem().layout.setContentsMargins(0, 2, _RIGHT_PX, 0)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self.legend)
        box.addWidget(self.plot, 1)


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
