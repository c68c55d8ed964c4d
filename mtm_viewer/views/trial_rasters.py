"""Single trials of one unit: true, model, residual, one row per trial."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QRectF, Qt
from PyQt6.QtWidgets import QVBoxLayout, QWidget

from mtm_viewer.presenters.unit_drawable import UnitDrawable
from mtm_viewer.theme import Theme, rgba
from mtm_viewer.views.colour_bar import ColourBar
from mtm_viewer.views.plain_plot import adopt_menus
from mtm_viewer.views.raster_plot import MS, Frame, RasterPlot

N_PANELS = 3
_MINIMUM_HEIGHT = 260
_TITLE_PX = 30
_COLUMN_PX = 12
_TICK_ROOM_PX = 10
"""Beside a colour bar, so that its last number does not run into the next one's first."""


class TrialRasters(QWidget):
    """Up to three rasters beside a column that tells the condition of each trial."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._drawable: UnitDrawable | None = None
        self.graphics = pg.GraphicsLayoutWidget(self)
        self.graphics.setMinimumHeight(_MINIMUM_HEIGHT)
        self.graphics.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.column = pg.PlotItem(enableMenu=False)
        self.groups = pg.ImageItem(axisOrder="row-major", autoDownsample=False)
        self.column.addItem(self.groups, ignoreBounds=True)
        self.plots = tuple(RasterPlot(theme) for _ in range(N_PANELS))
        self.bars = tuple(ColourBar(theme, is_upright=False) for _ in range(2))
        self._lay_out()
        self.setAccessibleName("Single trials of the unit: true, model, residual")
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        self.graphics.setBackground(theme.window)
        for plot in self.plots:
            plot.set_theme(theme)
        for bar in self.bars:
            bar.set_theme(theme)
        self.column.getViewBox().setBackgroundColor(theme.panel)
        if self._drawable is not None:
            self._draw_groups(self._drawable)

    def draw(self, drawable: UnitDrawable) -> None:
        """Show the trials of a unit; a panel that there is not yet stays away."""
        self._drawable = drawable
        frame = Frame(
            bin_start_s=drawable.bin_start_s,
            bin_size_s=drawable.bin_size_s,
            events=drawable.events,
            separators=tuple(group.stop for group in drawable.groups[:-1]),
            veil=drawable.veil,
        )
        n_trials = len(drawable.trials[0].image)
        for position, plot in enumerate(self.plots):
            is_there = position < len(drawable.trials)
            plot.setVisible(is_there)
            if is_there:
                plot.setRange(
                    xRange=frame.time_range_ms(), yRange=(0, max(1, n_trials)), padding=0
                )
                plot.draw(drawable.trials[position], frame)
                plot.getAxis("bottom").setTicks([_time_ticks(drawable)])
        self.bars[0].draw(drawable.trials[0])
        self.bars[1].draw(drawable.trials[2] if len(drawable.trials) == N_PANELS else None)
        self.column.setRange(xRange=(0, 1), yRange=(0, max(1, n_trials)), padding=0)
        self._draw_groups(drawable)

    def _lay_out(self) -> None:
        layout = self.graphics.ci.layout
        layout.setContentsMargins(8, 2, 8, 0)
        layout.setHorizontalSpacing(8)
        layout.setVerticalSpacing(2)
        for position, part in enumerate((self.column, *self.plots)):
            self.graphics.addItem(part, row=0, col=position)
            adopt_menus(part, self)
            part.layout.setRowFixedHeight(0, _TITLE_PX)
            part.titleLabel.setMaximumHeight(_TITLE_PX)
            part.getAxis("bottom").setHeight(20)
            part.setMouseEnabled(x=False, y=False)
        self._set_up_column()
        for plot in self.plots:
            plot.setMinimumWidth(50)
            plot.setPreferredWidth(200)
            plot.getViewBox().sigResized.connect(plot.repool)
        self.graphics.addItem(self.bars[0], row=1, col=1, colspan=2)
        self.graphics.addItem(self.bars[1], row=1, col=3)
        for bar in self.bars:
            adopt_menus(bar, self)
            bar.layout.setContentsMargins(0, 0, _TICK_ROOM_PX, 0)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self.graphics)

    def _set_up_column(self) -> None:
        self.column.hideButtons()
        self.column.hideAxis("left")
        self.column.getAxis("bottom").setTicks([[]])
        self.column.getAxis("bottom").setPen(pg.mkPen(None))
        self.column.getViewBox().invertY(b=True)
        self.column.getViewBox().setDefaultPadding(0.0)
        self.column.setMaximumWidth(_COLUMN_PX)
        self.column.setMinimumWidth(_COLUMN_PX)

    def _draw_groups(self, drawable: UnitDrawable) -> None:
        colours = np.zeros((len(drawable.trials[0].image), 1, 3), dtype=np.uint8)
        for group in drawable.groups:
            colours[group.start : group.stop] = rgba(self._theme.condition(group.role))[:3]
        self.groups.setImage(colours, levels=(0, 255), autoLevels=False)
        self.groups.setRect(QRectF(0.0, 0.0, 1.0, float(len(colours))))
        self.groups.setVisible(bool(drawable.groups))


def _time_ticks(drawable: UnitDrawable) -> list[tuple[float, str]]:
    """Name the start and the middle; the end would run into the next panel."""
    start_ms = float(drawable.bin_start_s[0]) * MS
    half_ms = len(drawable.bin_start_s) * drawable.bin_size_s * MS / 2
    marked = [(start_ms, f"{start_ms:.0f}"), (start_ms + half_ms, f"{start_ms + half_ms:.0f}")]
    return [*marked, (start_ms + 2 * half_ms, "")]
