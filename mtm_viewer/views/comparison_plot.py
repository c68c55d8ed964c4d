"""A point for every unit: what the model tells of it against what its opponent does."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QPointF, Qt, pyqtSignal
from PyQt6.QtGui import QColor
from PyQt6.QtWidgets import QVBoxLayout, QWidget

from mtm_viewer.presenters.comparison_panel import ComparisonPoints
from mtm_viewer.theme import LIGHT, Theme
from mtm_viewer.views.plain_plot import colour_frame, hold_still

_AXIS_WIDTH = 52
_SIZE, _SMALL, _CHOSEN = 9, 6, 15
_NEAR_PX = 12


class ComparisonPlot(QWidget):
    """Draws the points, the line on which both are equal, and the chosen unit.

    Notes
    -----
    Signals: `unit_clicked` a unit id, `pointed` the words of the unit under the pointer or "".
    """

    unit_clicked = pyqtSignal(str)
    pointed = pyqtSignal(str)

    def __init__(self, theme: Theme = LIGHT, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._points: ComparisonPoints | None = None
        self._axes = ("", "")
        self._chosen = ""
        self.plot = pg.PlotWidget(self, enableMenu=False)
        self.equal = pg.PlotCurveItem()
        self.zeros = (pg.InfiniteLine(angle=90), pg.InfiniteLine(angle=0))
        self.dots = pg.ScatterPlotItem(pxMode=True)
        self.ring = pg.ScatterPlotItem(pxMode=True)
        for item in (*self.zeros, self.equal, self.dots, self.ring):
            self.plot.addItem(item, ignoreBounds=True)
        self._set_up()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.plot)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        colour_frame(self.plot, theme)
        for line in self.zeros:
            line.setPen(pg.mkPen(theme.border))
        self.equal.setPen(pg.mkPen(theme.muted, style=Qt.PenStyle.DashLine))
        points, self._points = self._points, None
        self.draw(points, self._axes, self._chosen)

    def draw(
        self, points: ComparisonPoints | None, axes: tuple[str, str] = ("", ""), unit_id: str = ""
    ) -> None:
        """Show points; None shows an empty plot."""
        if points is None or points is not self._points:
            self._points, self._axes = points, axes
            self._draw_points()
        self.choose_unit(unit_id)

    def choose_unit(self, unit_id: str) -> None:
        """Ring a unit; "" rings none."""
        self._chosen = unit_id
        points = self._points
        place = None if points is None else points.row_of(unit_id)
        if points is None or place is None:
            self.ring.setData([], [])
            return
        pen = pg.mkPen(self._theme.accent, width=2)
        self.ring.setData(
            [points.other[place]], [points.own[place]], pen=pen, brush=None, size=_CHOSEN
        )

    def _set_up(self) -> None:
        self.setAccessibleName("Units: the model against what it is compared with")
        hold_still(self.plot, self)
        self.plot.setMinimumHeight(180)
        self.plot.getAxis("left").setWidth(_AXIS_WIDTH)
        scene = self.plot.scene()
        scene.sigMouseMoved.connect(self._on_moved)
        scene.sigMouseClicked.connect(self._on_clicked)

    def _draw_points(self) -> None:
        points = self._points
        for name, text in zip(("bottom", "left"), self._axes, strict=True):
            self.plot.setLabel(name, text, color=self._theme.muted)
        if points is None:
            self.dots.setData([], [])
            self.equal.setData(np.zeros(0), np.zeros(0))
            return
        self.plot.setXRange(*points.limits, padding=0)
        self.plot.setYRange(*points.limits, padding=0)
        self.equal.setData(np.array(points.limits), np.array(points.limits))
        self._draw_dots(points)

    def _draw_dots(self, points: ComparisonPoints) -> None:
        """Fill those whose interval leaves out 0; those without an interval are small."""
        outline = QColor(self._theme.text)
        outline.setAlpha(160)
        brushes = [
            pg.mkBrush(*colour) if is_clear else pg.mkBrush(None)
            for colour, is_clear in zip(points.colour.tolist(), points.is_clear, strict=True)
        ]
        pens = [
            pg.mkPen(outline, width=1) if is_clear else pg.mkPen(*colour, width=1.5)
            for colour, is_clear in zip(points.colour.tolist(), points.is_clear, strict=True)
        ]
        size = np.where(points.is_judged, _SIZE, _SMALL)
        self.dots.setData(points.other, points.own, size=size, brush=brushes, pen=pens)

    def _row_under(self, position: QPointF) -> int | None:
        """Return the nearest point within reach of the pointer."""
        points = self._points
        if points is None or not len(points.unit_id):
            return None
        box = self.plot.getViewBox()
        if not box.sceneBoundingRect().contains(position):
            return None
        at = box.mapSceneToView(position)
        width, height = box.viewPixelSize()
        distance = np.hypot((points.other - at.x()) / width, (points.own - at.y()) / height)
        row = int(distance.argmin())
        return row if distance[row] <= _NEAR_PX else None

    def _on_moved(self, position: QPointF) -> None:
        row = self._row_under(position)
        self.pointed.emit("" if row is None or self._points is None else self._points.words[row])

    def _on_clicked(self, event: object) -> None:
        row = self._row_under(event.scenePos())  # type: ignore[attr-defined]
        if row is not None and self._points is not None:
            self.unit_clicked.emit(str(self._points.unit_id[row]))
