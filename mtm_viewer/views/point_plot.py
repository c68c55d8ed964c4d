"""Units as points in a plane: click one, draw a lasso round several, walk by the arrow keys."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtCore import QEvent, QPointF, Qt, pyqtSignal
from PyQt6.QtGui import QBrush, QColor, QKeyEvent, QMouseEvent, QPainterPath, QPen
from PyQt6.QtWidgets import QGraphicsPathItem, QLabel, QVBoxLayout, QWidget

from mtm_viewer.presenters.lasso import points_inside
from mtm_viewer.presenters.population_drawable import Mark, PointCloud
from mtm_viewer.theme import LIGHT, Theme
from mtm_viewer.views.plain_plot import colour_frame, hold_still
from mtm_viewer.views.region_bands import RegionBands

_NEAR_PX = 14.0
"""A click further from every point chooses none."""
_DRAG_PX = 6
_SIZE, _SMALL, _RING = 8, 6, 15
_SYMBOLS = {Mark.USUAL: "o", Mark.WELL: "t1", Mark.BADLY: "t", Mark.FEW: "o", Mark.UNSCORED: "_"}
_AXIS_PX = 60
_TWO_LINES_PX = 44
_STEPS = {
    Qt.Key.Key_Left: (-1, 0),
    Qt.Key.Key_Right: (1, 0),
    Qt.Key.Key_Up: (0, 1),
    Qt.Key.Key_Down: (0, -1),
}
HELP = (
    "Click: look at a unit. Drag: a lasso picks units; with Shift or Ctrl it adds to them. Arrow "
    "keys walk from unit to unit, Space picks one more, Ctrl+A picks all."
)


class _Canvas(pg.PlotWidget):
    """A plot that tells of the pointer in its own coordinates, and moves nothing itself."""

    pressed = pyqtSignal(QPointF, object)
    moved = pyqtSignal(QPointF, bool)
    released = pyqtSignal(QPointF, object)
    left = pyqtSignal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, enableMenu=False)
        self.setMouseTracking(True)

    def mousePressEvent(self, ev: QMouseEvent) -> None:
        """Tell where (Qt's own hook)."""
        if ev.button() == Qt.MouseButton.LeftButton:
            self.pressed.emit(ev.position(), ev.modifiers())
        else:  # the right one asks for the menu of the panel
            super().mousePressEvent(ev)
        ev.accept()

    def mouseMoveEvent(self, ev: QMouseEvent) -> None:
        """Tell where, and whether the button is down (Qt's own hook)."""
        self.moved.emit(ev.position(), bool(ev.buttons() & Qt.MouseButton.LeftButton))
        ev.accept()

    def mouseReleaseEvent(self, ev: QMouseEvent) -> None:
        """Tell where (Qt's own hook)."""
        if ev.button() == Qt.MouseButton.LeftButton:
            self.released.emit(ev.position(), ev.modifiers())
        else:
            super().mouseReleaseEvent(ev)
        ev.accept()

    def leaveEvent(self, ev: QEvent) -> None:
        """Tell that the pointer is gone (Qt's own hook)."""
        self.left.emit()
        super().leaveEvent(ev)


class PointPlot(QWidget):
    """Draws one `PointCloud`.

    Notes
    -----
    Signals: `unit_clicked` a unit id; `units_picked` the ids of all units that are picked from
    now on; `hovered` a unit id, "" for none.
    """

    unit_clicked = pyqtSignal(str)
    units_picked = pyqtSignal(list)
    hovered = pyqtSignal(str)

    def __init__(self, name: str, theme: Theme = LIGHT, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name, self._theme = name, theme
        self._cloud: PointCloud | None = None
        self._picked: frozenset[str] = frozenset()
        self._unit = ""
        self._path: list[QPointF] = []
        self._hovered = ""
        self.plot = _Canvas(self)
        self.message = QLabel(self)
        self.message.setWordWrap(True)
        self.message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.note = QLabel(self)
        self.note.setWordWrap(True)
        self.note.setAccessibleName(f"{name}: what is drawn")
        self._make_items()
        self._set_up()
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        colour_frame(self.plot, theme)
        for label in (self.note, self.message):
            label.setStyleSheet(f"color: {theme.muted};")
        self._zeros.setPen(pg.mkPen(theme.muted, width=1, style=Qt.PenStyle.DashLine))
        pen = QPen(QColor(theme.accent), 2)
        pen.setCosmetic(True)
        self._outline.setPen(pen)
        self._bands.set_theme(theme)
        self._draw_points()

    def draw(self, cloud: PointCloud) -> None:
        """Show a cloud; without points, why there are none."""
        self._cloud = cloud
        has_points = not cloud.message
        self.plot.setVisible(has_points)
        self.note.setVisible(has_points)
        self.message.setVisible(not has_points)
        self.message.setText(cloud.message)
        self.message.setAccessibleName(f"{self._name}: {cloud.message}")
        self.note.setText(cloud.note)
        if not has_points:
            return
        self.plot.setRange(xRange=cloud.x_range, yRange=cloud.y_range, padding=0)
        for name, ticks in (("bottom", cloud.x_ticks), ("left", cloud.y_ticks)):
            self.plot.getAxis(name).setTicks(None if ticks is None else [list(ticks)])
        has_two_lines = any("\n" in text for _, text in cloud.x_ticks or ())
        self.plot.getAxis("bottom").setHeight(_TWO_LINES_PX if has_two_lines else None)
        for name, label in (("bottom", cloud.x_label), ("left", cloud.y_label)):
            self.plot.getAxis(name).setLabel(label, color=self._theme.muted)
            self.plot.getAxis(name).resizeEvent()  # pyqtgraph centres a new text only then
        ends = np.array(cloud.zeros, dtype=np.float64).reshape(-1, 2)
        self._zeros.setData(ends[:, 0], ends[:, 1])
        self._bands.draw(cloud.bands)
        self._draw_points()

    def choose_unit(self, unit_id: str) -> None:
        """Ring a unit; "" rings none."""
        self._unit = unit_id
        self._draw_ring()

    def pick_units(self, unit_ids: Collection[str]) -> None:
        """Mark units as picked."""
        self._picked = frozenset(unit_ids)
        self._draw_halo()

    def place_of(self, unit_id: str) -> QPointF | None:
        """Return where a unit is, in the widget's coordinates."""
        cloud = self._cloud
        found = np.flatnonzero(cloud.unit_id == unit_id) if cloud is not None else np.zeros(0)
        if cloud is None or not len(found):
            return None
        return QPointF(*self._pixels()[int(found[0])])

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Walk, pick, or pick all (Qt's own hook)."""
        if event is None or self._cloud is None or not len(self._cloud.units):
            return
        key = Qt.Key(event.key())
        is_held = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if key in _STEPS:
            self._walk(*_STEPS[key])
        elif key == Qt.Key.Key_Space and self._unit:
            self.units_picked.emit(sorted(self._picked ^ {self._unit}))
        elif key == Qt.Key.Key_A and is_held:
            self.units_picked.emit(sorted(self._cloud.unit_id.tolist()))
        else:
            super().keyPressEvent(event)

    def _make_items(self) -> None:
        self._bands = RegionBands(self.plot, self._theme)
        self._zeros = pg.PlotCurveItem(connect="pairs")
        self._halo = pg.ScatterPlotItem(pxMode=True)
        self._points = pg.ScatterPlotItem(pxMode=True)
        self._ring = pg.ScatterPlotItem(pxMode=True)
        self._outline = QGraphicsPathItem()
        items = (self._zeros, self._halo, self._points, self._ring, self._outline)
        for layer, item in enumerate(items, start=1):
            item.setZValue(layer)
            self.plot.addItem(item, ignoreBounds=True)

    def _set_up(self) -> None:
        plot = self.plot
        hold_still(plot, self)
        plot.getViewBox().disableAutoRange()
        plot.getAxis("left").setWidth(_AXIS_PX)
        plot.pressed.connect(self._press)
        plot.moved.connect(self._move)
        plot.released.connect(self._release)
        plot.left.connect(lambda: self._hover(""))
        plot.getViewBox().sigResized.connect(lambda _: self._bands.place_labels())
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self._name)
        self.setAccessibleDescription(HELP)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        box.addWidget(plot, 1)
        box.addWidget(self.message, 1)
        box.addWidget(self.note)

    def _draw_points(self) -> None:
        cloud = self._cloud
        if cloud is None or not len(cloud.units):
            self._points.setData([], [])
            self._draw_ring()
            self._draw_halo()
            return
        # Points that look alike share pen and brush, and so the picture that is made of them.
        keys = np.column_stack([cloud.colour, cloud.mark])
        kinds, which = np.unique(keys, axis=0, return_inverse=True)
        looks = [self._look(*kind) for kind in kinds.tolist()]
        mine = [looks[kind] for kind in np.ravel(which).tolist()]
        pens, brushes, sizes, symbols = (list(part) for part in zip(*mine, strict=True))
        self._points.setData(
            x=cloud.x, y=cloud.y, brush=brushes, pen=pens, size=sizes, symbol=symbols
        )
        self._draw_ring()
        self._draw_halo()

    def _look(self, red: int, green: int, blue: int, mark: int) -> tuple[QPen, QBrush, int, str]:
        """Return pen, brush, size and symbol of a point."""
        fill = QColor(red, green, blue)
        is_hollow = mark in (Mark.FEW, Mark.UNSCORED)
        line = QColor(self._theme.panel)
        if is_hollow:
            line = QColor(self._theme.muted) if mark == Mark.UNSCORED else fill
        pen = pg.mkPen(line, width=1.5 if is_hollow else 0.7)
        brush = pg.mkBrush(None) if is_hollow else pg.mkBrush(fill)
        size = _SMALL if is_hollow else _SIZE + 3 * (mark != Mark.USUAL)
        return pen, brush, size, _SYMBOLS[Mark(mark)]

    def _draw_ring(self) -> None:
        is_mine = self._is_among({self._unit})
        pen = pg.mkPen(self._theme.text, width=2)
        self._ring.setData(**self._at(is_mine), size=_RING, pen=pen, brush=None)

    def _draw_halo(self) -> None:
        is_mine = self._is_among(self._picked)
        colour = QColor(self._theme.accent)
        colour.setAlpha(150)
        self._halo.setData(**self._at(is_mine), size=_RING, pen=None, brush=pg.mkBrush(colour))

    def _is_among(self, unit_ids: Collection[str]) -> NDArray[np.bool_]:
        if self._cloud is None:
            return np.zeros(0, dtype=bool)
        return np.isin(self._cloud.unit_id, sorted(unit_ids))

    def _at(self, is_mine: NDArray[np.bool_]) -> dict[str, NDArray[np.float64]]:
        if self._cloud is None or not len(is_mine):
            return {"x": np.zeros(0), "y": np.zeros(0)}
        return {"x": self._cloud.x[is_mine], "y": self._cloud.y[is_mine]}

    def _pixels(self) -> NDArray[np.float64]:
        """Return where the points are in the widget's coordinates, shape (n_points, 2)."""
        if self._cloud is None:
            return np.zeros((0, 2))
        rect = self.plot.getViewBox().sceneBoundingRect()
        (left, right), (low, high) = self.plot.getViewBox().viewRange()
        x = rect.left() + (self._cloud.x - left) / max(right - left, 1e-12) * rect.width()
        y = rect.bottom() - (self._cloud.y - low) / max(high - low, 1e-12) * rect.height()
        return np.stack([x, y], axis=1)

    def _nearest(self, place: QPointF) -> str:
        """Return the unit next to a place of the widget; "" where none is near."""
        if self._cloud is None or not len(self._cloud.units):
            return ""
        away = np.hypot(*(self._pixels() - [place.x(), place.y()]).T)
        return str(self._cloud.unit_id[away.argmin()]) if away.min() <= _NEAR_PX else ""

    def _walk(self, right: int, up: int) -> None:
        """Go to the nearest unit in a direction, by what the eye sees."""
        cloud = self._cloud
        here = self.place_of(self._unit)
        if cloud is None:
            return
        if here is None:
            self.unit_clicked.emit(str(cloud.unit_id[0]))
            return
        away = (self._pixels() - [here.x(), here.y()]) * [1, -1]
        along = away @ [right, up]
        aside = np.abs(away @ [up, right])
        cost = np.where((along > 0) & (cloud.unit_id != self._unit), along + 2 * aside, np.inf)
        if np.isfinite(cost.min()):
            self.unit_clicked.emit(str(cloud.unit_id[cost.argmin()]))

    def _press(self, place: QPointF, _: object) -> None:
        self.setFocus(Qt.FocusReason.MouseFocusReason)
        self._path = [place]

    def _move(self, place: QPointF, is_down: bool) -> None:
        if not is_down or not self._path:
            self._hover(self._nearest(place))
            return
        self._path.append(place)
        outline = QPainterPath()
        box = self.plot.getViewBox()
        for number, spot in enumerate(self._path):
            where = box.mapSceneToView(spot)
            outline.lineTo(where) if number else outline.moveTo(where)
        self._outline.setPath(outline)

    def _release(self, place: QPointF, modifiers: object) -> None:
        path, self._path = [*self._path, place], []
        self._outline.setPath(QPainterPath())
        start = path[0]
        reach = max(abs(spot.x() - start.x()) + abs(spot.y() - start.y()) for spot in path)
        if reach < _DRAG_PX:
            self._click(place, modifiers)
        elif self._cloud is not None:
            places = [(spot.x(), spot.y()) for spot in path]
            inside = points_inside(places, *self._pixels().T)
            caught = set(self._cloud.unit_id[inside].tolist())
            self.units_picked.emit(sorted(caught | (self._picked if _adds(modifiers) else set())))

    def _click(self, place: QPointF, modifiers: object) -> None:
        unit_id = self._nearest(place)
        if unit_id and _adds(modifiers):
            self.units_picked.emit(sorted(self._picked ^ {unit_id}))
        elif unit_id:
            self.unit_clicked.emit(unit_id)
        elif self._picked:
            self.units_picked.emit([])

    def _hover(self, unit_id: str) -> None:
        if unit_id != self._hovered:
            self._hovered = unit_id
            self.hovered.emit(unit_id)


def _adds(modifiers: object) -> bool:
    held = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    return isinstance(modifiers, Qt.KeyboardModifier) and bool(modifiers & held)
