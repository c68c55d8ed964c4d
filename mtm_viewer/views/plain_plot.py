"""What every plot of pyqtgraph needs before it may be part of a window."""

from __future__ import annotations

import pyqtgraph as pg
from PyQt6.QtWidgets import QWidget


def adopt_menus(plot: pg.PlotItem, owner: QWidget) -> None:
    """Let the menus that a plot makes for itself live and die with the widget that shows it.

    They are never opened, but are windows of their own otherwise, and stay behind when the
    widget is gone.
    """
    plot.ctrlMenu.setParent(owner, plot.ctrlMenu.windowFlags())
