"""The hatch over hidden entries and the veil over those that are not scored."""

from __future__ import annotations

import pyqtgraph as pg
from PyQt6.QtCore import QLineF, QPointF, QRectF, Qt
from PyQt6.QtGui import QBrush, QColor, QImage, QPainter, QPen, QTransform
from PyQt6.QtWidgets import QStyleOptionGraphicsItem, QWidget

from mtm_viewer.presenters.rectangles import Rectangle
from mtm_viewer.theme import Theme, rgba

_TILE = 18
"""Pixels between two lines of the hatch."""
_OVERSAMPLING = 2


class MaskOverlay(pg.GraphicsObject):
    """Marks rectangles of a raster; lines of the hatch stay the same width at every zoom.

    Parameters
    ----------
    theme : Theme
        Colours.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._hatch: list[QRectF] = []
        self._veil: list[QRectF] = []
        self._bounds = QRectF()
        self._shown: tuple[object, ...] = ()
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._veil_colour = QColor(*rgba(theme.veil))
        self._brush = QBrush(_hatch_tile(QColor(*rgba(theme.hatch))))
        self.update()

    def set_rectangles(
        self,
        hatch: tuple[Rectangle, ...],
        veil: tuple[Rectangle, ...],
        *,
        start: float,
        step: float,
    ) -> None:
        """Say what to mark.

        Parameters
        ----------
        hatch, veil : tuple of Rectangle
            Hidden entries, and entries that are not scored.
        start, step : float
            Where bin 0 starts on the time axis, and the width of a bin.
        """
        shown = (hatch, veil, start, step)
        if shown == self._shown:
            return
        self._shown = shown
        self._hatch = [_to_plot(part, start, step) for part in hatch]
        self._veil = [_to_plot(part, start, step) for part in veil]
        bounds = QRectF()
        for part in (*self._hatch, *self._veil):
            bounds = bounds.united(part)
        self.prepareGeometryChange()
        self._bounds = bounds
        self.update()

    def boundingRect(self) -> QRectF:
        """Return the area that may be painted (Qt's own hook)."""
        return self._bounds

    def paint(
        self,
        painter: QPainter | None,
        option: QStyleOptionGraphicsItem | None,
        widget: QWidget | None = None,
    ) -> None:
        """Paint (Qt's own hook)."""
        if painter is None:
            return
        for part in self._veil:
            painter.fillRect(part, self._veil_colour)
        # The tile is drawn in pixels of the screen, whatever the zoom.
        upright = QTransform.fromScale(1 / _OVERSAMPLING, 1 / _OVERSAMPLING)
        inverse, is_invertible = painter.worldTransform().inverted()
        if not is_invertible:
            return
        self._brush.setTransform(upright * inverse)
        for part in self._hatch:
            painter.fillRect(part, self._brush)


def _to_plot(part: Rectangle, start: float, step: float) -> QRectF:
    left, right = start + part.bin_start * step, start + part.bin_stop * step
    return QRectF(QPointF(left, float(part.row_start)), QPointF(right, float(part.row_stop)))


def _hatch_tile(colour: QColor) -> QImage:
    """Draw one tile: a light diagonal with a dark edge, so that it shows on any colour."""
    size = _TILE * _OVERSAMPLING
    tile = QImage(size, size, QImage.Format.Format_ARGB32_Premultiplied)
    tile.fill(Qt.GlobalColor.transparent)
    painter = QPainter(tile)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    dark = QColor(0, 0, 0, colour.alpha() // 2)
    for ink, shift in ((dark, _OVERSAMPLING), (colour, 0)):
        painter.setPen(QPen(ink, _OVERSAMPLING))
        for offset in (-size, 0, size):
            # A line too long on both sides, repeated: tiles join without a gap.
            first = QPointF(offset - size + shift, 2 * size)
            last = QPointF(offset + 2 * size + shift, -size)
            painter.drawLine(QLineF(first, last))
    painter.end()
    return tile
