"""A colour bar with round ticks and a unit."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QRectF

from mtm_viewer.presenters.raster_drawable import RasterPanel
from mtm_viewer.theme import Theme

_BAR_PX = 14
_SIDE_AXIS_PX = 52
_BOTTOM_AXIS_PX = 34


class ColourBar(pg.PlotItem):
    """Shows what the colours of a panel mean.

    Parameters
    ----------
    theme : Theme
        Colours.
    is_upright : bool
        Whether it stands beside a panel, or lies below it.
    """

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
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        self.getAxis("bottom").setPen(pg.mkPen(None))
        axis = self.getAxis(self._axis)
        axis.setPen(pg.mkPen(theme.border))
        axis.setStyle(tickLength=4)
        axis.setTextPen(pg.mkPen(theme.muted))
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
