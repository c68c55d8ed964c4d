"""Regions behind points: pale bands in the atlas's colours with their names, where they fit."""

from __future__ import annotations

import pyqtgraph as pg
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QColor, QFontMetricsF
from PyQt6.QtWidgets import QGraphicsRectItem

from mtm_viewer.presenters.population_drawable import Band
from mtm_viewer.theme import Theme

_ALPHA = 70
_FONT_PT = 8


class RegionBands:
    """Draws bands into a plot; rectangles and texts are made once and used again."""

    def __init__(self, plot: pg.PlotWidget, theme: Theme) -> None:
        self._plot, self._theme = plot, theme
        self._bands: tuple[Band, ...] = ()
        self._boxes: list[QGraphicsRectItem] = []
        self._names: list[pg.TextItem] = []

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        self.draw(self._bands)

    def draw(self, bands: tuple[Band, ...]) -> None:
        """Show these bands in place of those before."""
        self._bands = bands
        while len(self._boxes) < len(bands):
            self._add()
        for number, (box, name) in enumerate(zip(self._boxes, self._names, strict=True)):
            is_used = number < len(bands)
            box.setVisible(is_used)
            name.setVisible(False)
            if is_used:
                self._place(box, name, bands[number])
        self.place_labels()

    def place_labels(self) -> None:
        """Show the names of those bands that are high enough for them."""
        view = self._plot.getViewBox()
        low, high = view.viewRange()[1]
        px = view.height() / max(high - low, 1e-12)
        font = self._names[0].textItem.font() if self._names else None
        needed = QFontMetricsF(font).height() if font is not None else 0.0
        for band, name in zip(self._bands, self._names, strict=False):
            name.setVisible(bool(band.name) and (band.high - band.low) * px >= needed)

    def _add(self) -> None:
        box, name = QGraphicsRectItem(), pg.TextItem(anchor=(1.0, 0.5))
        font = name.textItem.font()
        font.setPointSize(_FONT_PT)
        name.setFont(font)
        box.setZValue(-2)
        name.setZValue(-1)
        for item in (box, name):
            self._plot.addItem(item, ignoreBounds=True)
        self._boxes.append(box)
        self._names.append(name)

    def _place(self, box: QGraphicsRectItem, name: pg.TextItem, band: Band) -> None:
        fill = QColor(band.colour)
        fill.setAlpha(_ALPHA)
        pen = pg.mkPen(self._theme.border, width=1)
        box.setRect(QRectF(band.left, band.low, band.right - band.left, band.high - band.low))
        box.setBrush(fill)
        box.setPen(pen)
        name.setText(band.name, color=self._theme.text)
        name.setPos(band.right, (band.low + band.high) / 2)
