"""The whole raster, small, with a frame around what is in view; it is there while zoomed in."""

from __future__ import annotations

import pyqtgraph as pg
from PyQt6.QtCore import QRectF, Qt, pyqtSignal
from PyQt6.QtWidgets import QGraphicsRectItem

from mtm_core.evaluation.colour_scale import pool
from mtm_viewer.presenters.raster_drawable import RasterPanel
from mtm_viewer.theme import Theme

_WIDTH = 40
_MOST_ROWS, _MOST_BINS = 600, 80
_WHOLE = 0.97
"""In view is so much of rows and bins at least when nothing is zoomed in."""


class _StripBox(pg.ViewBox):
    """Tells where one clicks or drags.

    Notes
    -----
    Signal: `pointed` a place in coordinates of the view.
    """

    pointed = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.setMouseEnabled(x=False, y=False)

    def mouseDragEvent(self, ev: object, axis: int | None = None) -> None:
        """Follow a drag (pyqtgraph's own hook)."""
        ev.accept()  # type: ignore[attr-defined]
        self.pointed.emit(self.mapToView(ev.pos()))  # type: ignore[attr-defined]

    def mouseClickEvent(self, ev: object) -> None:
        """Follow a click (pyqtgraph's own hook)."""
        ev.accept()  # type: ignore[attr-defined]
        self.pointed.emit(self.mapToView(ev.pos()))  # type: ignore[attr-defined]


class OverviewStrip(pg.PlotItem):
    """A small picture of all rows and bins.

    Notes
    -----
    Signal: `moved` the place (x, y) that should be in the middle of the view.
    """

    moved = pyqtSignal(float, float)

    def __init__(self, theme: Theme) -> None:
        self.box = _StripBox()
        super().__init__(viewBox=self.box, enableMenu=False)
        self.image = pg.ImageItem(axisOrder="row-major", autoDownsample=False)
        self.frame = QGraphicsRectItem()
        for layer, item in enumerate((self.image, self.frame)):
            item.setZValue(layer)
            self.addItem(item, ignoreBounds=True)
        self.box.invertY(b=True)
        self.box.setDefaultPadding(0.0)
        self.box.disableAutoRange()
        self.box.pointed.connect(lambda place: self.moved.emit(place.x(), place.y()))
        self.setToolTip("All rows and bins; click or drag to move what is in view.")
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.hideButtons()
        self.hideAxis("left")
        self.getAxis("bottom").setTicks([[]])
        self.getAxis("bottom").setStyle(tickLength=0)
        self._panel: RasterPanel | None = None
        self._extent = QRectF()
        self.set_theme(theme)
        self._show(is_shown=False)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        self.box.setBackgroundColor(theme.panel)
        self.getAxis("bottom").setPen(pg.mkPen(None))
        pen = pg.mkPen(theme.event, width=2)
        pen.setCosmetic(True)
        self.frame.setPen(pen)
        if self._panel is not None:
            self.image.setLookupTable(theme.lut(self._panel.lut))

    def draw(self, panel: RasterPanel, extent: QRectF) -> None:
        """Show a panel, which lies at `extent` in coordinates of the plot."""
        self._panel, self._extent = panel, extent
        pooled = pool(panel.image, _MOST_ROWS, _MOST_BINS, centre=panel.centre)
        self.image.setLookupTable(self._theme.lut(panel.lut))
        self.image.setImage(pooled.image, levels=(0, 255), autoLevels=False)
        self.image.setRect(extent)
        self.box.setRange(extent, padding=0)

    def frame_view(self, x_range: tuple[float, float], y_range: tuple[float, float]) -> None:
        """Frame what is in view; where that is everything the strip vanishes."""
        whole = self._extent
        if whole.isEmpty():
            return
        (left, right), (top, bottom) = x_range, y_range
        view = QRectF(left, top, right - left, bottom - top).intersected(whole)
        self.frame.setRect(view)
        share = min(view.width() / whole.width(), view.height() / whole.height())
        self._show(is_shown=share < _WHOLE)

    def _show(self, *, is_shown: bool) -> None:
        if is_shown == self.isVisible() and self.maximumWidth() in (0, _WIDTH):
            return
        self.setVisible(is_shown)
        width = _WIDTH if is_shown else 0
        self.setMinimumWidth(width)
        self.setMaximumWidth(width)
