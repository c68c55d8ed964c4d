"""A colour bar with round ticks and a unit."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QRectF, Qt, pyqtSignal
from PyQt6.QtWidgets import QGraphicsSceneMouseEvent

from mtm_core.evaluation.colour_scale import Levels, from_unit_interval
from mtm_viewer.presenters.raster_drawable import RasterPanel
from mtm_viewer.theme import Theme

_BAR_PX = 14
_SIDE_AXIS_PX = 52
_BOTTOM_AXIS_PX = 34
_HANDLE_PX = 4
_CLOSEST = 0.02
"""Smallest distance of the two handles, as a share of the bar."""


class ColourBar(pg.PlotItem):
    """Shows what the colours of a panel mean.

    Parameters
    ----------
    theme : Theme
        Colours.
    is_upright : bool
        Whether it stands beside a panel, or lies below it. Upright ones have a handle at each
        end, by which a person can set the levels of rates.

    Notes
    -----
    Signals: `dragged` the places of the handles while one moves, `levels_chosen` the `Levels`
    when it is let go; None after a double click: automatic levels.
    """

    dragged = pyqtSignal(float, float)
    levels_chosen = pyqtSignal(object)

    def __init__(self, theme: Theme, *, is_upright: bool = True) -> None:
        super().__init__(enableMenu=False)
        self._theme = theme
        self._is_upright = is_upright
        self._panel: RasterPanel | None = None
        self._written: tuple[object, ...] = ()
        self._axis = "right" if is_upright else "bottom"
        self.image = pg.ImageItem(axisOrder="row-major", autoDownsample=False)
        ramp = np.arange(256, dtype=np.uint8)
        self.image.setImage(ramp[:, None] if is_upright else ramp[None], levels=(0, 255))
        self.image.setRect(QRectF(0.0, 0.0, 1.0, 1.0))
        self.addItem(self.image, ignoreBounds=True)
        view = self.getViewBox()
        view.setMouseEnabled(x=False, y=False)
        view.setDefaultPadding(0.0)
        view.setRange(xRange=(0.0, 1.0), yRange=(0.0, 1.0))
        self.hideButtons()
        self.hideAxis("left")
        self.showAxis(self._axis)
        if is_upright:
            self.getAxis("right").setWidth(_SIDE_AXIS_PX)
            self.getAxis("bottom").setTicks([[]])
        else:
            self.setTitle(None)
            self.getAxis("bottom").setHeight(_BOTTOM_AXIS_PX)
            self.getAxis("bottom").setStyle(hideOverlappingLabels=False)
            self.setMaximumHeight(_BAR_PX + _BOTTOM_AXIS_PX)
        self.getAxis(self._axis).enableAutoSIPrefix(enable=False)
        self.handles = tuple(self._handle(is_low=is_low) for is_low in (True, False))
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        self.getAxis("bottom").setPen(pg.mkPen(None))
        axis = self.getAxis(self._axis)
        axis.setPen(pg.mkPen(theme.border))
        axis.setStyle(tickLength=4)
        axis.setTextPen(pg.mkPen(theme.muted))
        for handle in self.handles:
            handle.setPen(pg.mkPen(theme.text, width=_HANDLE_PX))
            handle.setHoverPen(pg.mkPen(theme.accent, width=_HANDLE_PX + 2))
        if self._panel is not None:
            self.draw(self._panel)

    def draw(self, panel: RasterPanel | None) -> None:
        """Explain a panel; with none, vanish."""
        self._panel = panel
        self.setVisible(panel is not None)
        if self._is_upright:
            width = 0 if panel is None else _BAR_PX + _SIDE_AXIS_PX
            self.setMinimumWidth(width)
            self.setMaximumWidth(width)
        can_set = panel is not None and panel.rate_hz is not None and self._is_upright
        for handle, place in zip(self.handles, (0.0, 1.0), strict=True):
            handle.setVisible(can_set)
            handle.blockSignals(True)
            handle.setValue(place)
            handle.blockSignals(False)
        if panel is None:
            return
        self.image.setLookupTable(self._theme.lut(panel.lut))
        written = (panel.ticks, panel.unit, self._theme)
        if written == self._written:  # an axis is laid out anew for every text it is given
            return
        self._written = written
        axis = self.getAxis(self._axis)
        axis.setTicks([list(panel.ticks)])
        unit = panel.unit if self._is_upright else panel.unit.removeprefix("expected ")
        axis.setLabel(unit, color=self._theme.muted)
        axis.resizeEvent()  # pyqtgraph centres a new text only then

    def mouseDoubleClickEvent(self, event: QGraphicsSceneMouseEvent | None) -> None:
        """Ask for automatic levels (Qt's own hook)."""
        if self.handles[0].isVisible():
            self.levels_chosen.emit(None)
        super().mouseDoubleClickEvent(event)

    def _handle(self, *, is_low: bool) -> pg.InfiniteLine:
        handle = pg.InfiniteLine(pos=0.0 if is_low else 1.0, angle=0, movable=True)
        end = "darkest" if is_low else "brightest"
        handle.setToolTip(f"Drag to set the {end} value; double-click for automatic levels.")
        handle.setCursor(Qt.CursorShape.SizeVerCursor)
        handle.setZValue(5)
        handle.hide()
        self.addItem(handle, ignoreBounds=True)
        handle.sigDragged.connect(lambda _: self.dragged.emit(*self._places(is_low=is_low)))
        handle.sigPositionChangeFinished.connect(lambda _: self._let_go(is_low=is_low))
        return handle

    def _places(self, *, is_low: bool) -> tuple[float, float]:
        """Return where the handles stand, apart from each other; z-scores stay centred."""
        low, high = (float(handle.value()) for handle in self.handles)
        if self._panel is not None and self._panel.scale == "zscore":
            moved = 1 - low if is_low else high
            high = max(moved, 0.5 + _CLOSEST)
            return 1 - high, high
        if is_low:
            return min(low, high - _CLOSEST), high
        return low, max(high, low + _CLOSEST)

    def _let_go(self, *, is_low: bool) -> None:
        if self._panel is None:
            return
        levels, scale = self._panel.levels, self._panel.scale
        low, high = (
            from_unit_interval(place, levels, scale) for place in self._places(is_low=is_low)
        )
        if scale != "zscore":
            low = max(0.0, low)
        self.levels_chosen.emit(Levels(low, high))
