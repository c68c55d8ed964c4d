"""Painting over rasters: follows the pointer, shows what is covered, and hands in the stroke."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtCore import QObject, QPointF, Qt, pyqtSignal

from mtm_viewer.presenters.mask_edits import Stroke
from mtm_viewer.presenters.strokes import Place, brush_cells, lasso_cells
from mtm_viewer.theme import Theme, rgba
from mtm_viewer.views.mask_tools import LASSO, MaskTools
from mtm_viewer.views.raster_plot import RasterPlot

_COVER_ALPHA = 130


class RasterPainter(QObject):
    """Turns drags and clicks over any of the linked rasters into strokes.

    Parameters
    ----------
    tools : MaskTools
        The tool in hand.
    plots : sequence of RasterPlot
        The rasters.
    theme : Theme
        Colours.

    Notes
    -----
    Signal: `stroke_painted` a `Stroke`, once for each gesture.
    """

    stroke_painted = pyqtSignal(object)

    def __init__(
        self, tools: MaskTools, plots: Sequence[RasterPlot], theme: Theme, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._tools = tools
        self._plots = tuple(plots)
        self._unit_id: NDArray[np.str_] = np.zeros(0, dtype=np.str_)
        self._path: list[Place] = []
        self._covered: NDArray[np.bool_] | None = None
        self.covers = tuple(pg.ImageItem(axisOrder="row-major") for _ in plots)
        self.outlines = tuple(pg.PlotCurveItem() for _ in plots)
        for plot, cover, outline in zip(plots, self.covers, self.outlines, strict=True):
            for layer, item in ((1.5, cover), (1.6, outline)):
                item.setZValue(layer)
                item.hide()
                plot.addItem(item, ignoreBounds=True)
            plot.box.dragged.connect(lambda event, plot=plot: self._on_drag(plot, event))
        tools.tool_changed.connect(lambda _: self._take_tool())
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        colour = (*rgba(theme.accent)[:3], _COVER_ALPHA)
        table = np.array([(0, 0, 0, 0), colour], dtype=np.uint8)
        for cover in self.covers:
            cover.setLookupTable(table)
        for outline in self.outlines:
            outline.setPen(pg.mkPen(theme.accent, width=2))

    def set_units(self, unit_id: NDArray[np.str_]) -> None:
        """Say which unit stands in which row; a stroke that is going on is dropped."""
        self._unit_id = unit_id
        self._end()

    def dab(self, plot: RasterPlot, row: int, time_bin: int) -> None:
        """Paint a single dab on an entry, as a click and the space bar do."""
        self._path = [(time_bin + 0.5, row + 0.5)]
        self._cover(plot)
        self._finish()

    def _take_tool(self) -> None:
        for plot in self._plots:
            plot.box.is_painting = self._tools.is_painting
            if self._tools.is_painting:
                plot.setCursor(Qt.CursorShape.CrossCursor)
            else:
                plot.unsetCursor()

    def _on_drag(self, plot: RasterPlot, event: object) -> None:
        if event.isStart():  # type: ignore[attr-defined]
            self._path = [self._place(plot, event.buttonDownPos())]  # type: ignore[attr-defined]
        if not self._path:
            return
        self._path.append(self._place(plot, event.pos()))  # type: ignore[attr-defined]
        self._cover(plot)
        if event.isFinish():  # type: ignore[attr-defined]
            self._finish()

    @staticmethod
    def _place(plot: RasterPlot, position: QPointF) -> Place:
        return plot.in_entries(plot.box.mapToView(position))

    def _cover(self, plot: RasterPlot) -> None:
        """Work out what is covered, and show it."""
        shape = plot.map_shape
        if shape is None:
            return
        if self._tools.tool == LASSO and len(self._path) > 1:
            self._covered = lasso_cells(self._path, shape)
        else:
            start = 0 if self._covered is None else max(0, len(self._path) - 2)
            radius = plot.radius_in_entries(self._tools.width_px.value() / 2)
            if self._tools.tool == LASSO:
                radius = (0.0, 0.0)
            new = brush_cells(self._path[start:], *radius, shape)
            self._covered = new if self._covered is None else self._covered | new
        self._show(plot)

    def _show(self, plot: RasterPlot) -> None:
        place = self._plots.index(plot)
        cover, outline = self.covers[place], self.outlines[place]
        if self._covered is not None:
            cover.setImage(self._covered.astype(np.uint8), levels=(0, 1), autoLevels=False)
            cover.setRect(plot.extent())
            cover.show()
        if self._tools.tool == LASSO:
            corners = [plot.from_entries(x, y) for x, y in [*self._path, self._path[0]]]
            outline.setData([x for x, _ in corners], [y for _, y in corners])
            outline.show()

    def _finish(self) -> None:
        covered = self._covered
        self._end()
        if covered is None or not covered.any() or len(covered) != len(self._unit_id):
            return
        self.stroke_painted.emit(
            Stroke(
                unit_id=self._unit_id,
                is_inside=covered,
                is_erasing=self._tools.eraser.isChecked(),
                extent=self._tools.extent.currentData(),
            )
        )

    def _end(self) -> None:
        self._path = []
        self._covered = None
        for item in (*self.covers, *self.outlines):
            item.hide()
