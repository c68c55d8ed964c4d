"""The narrow column beside a raster: the atlas's colour of each unit, and names."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QPointF, QRectF
from PyQt6.QtGui import QFontMetricsF

from mtm_core.evaluation.row_order import RegionBand
from mtm_core.evaluation.unit_labels import unit_number
from mtm_viewer.presenters.band_labels import place_labels
from mtm_viewer.presenters.raster_drawable import RowInfo
from mtm_viewer.theme import Theme

_WIDTH = 14
_LABEL_WIDTH = 56
"""Room for the longest acronym in use and for ``#1234``."""


class RegionColumn(pg.PlotItem):
    """Colours and acronyms of the regions; the numbers of units once they fit."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(enableMenu=False)
        self._rows: RowInfo | None = None
        self.image = pg.ImageItem(axisOrder="row-major", autoDownsample=False)
        self.addItem(self.image, ignoreBounds=True)
        self.edges = pg.PlotCurveItem(connect="pairs")
        self.addItem(self.edges, ignoreBounds=True)
        view = self.getViewBox()
        view.invertY(b=True)
        view.setMouseEnabled(x=False, y=True)
        view.setDefaultPadding(0.0)
        view.setXRange(0.0, 1.0)
        view.disableAutoRange()
        view.sigResized.connect(self.place_labels)
        self.hideButtons()
        self._set_up_axes()
        self.set_theme(theme)

    def _set_up_axes(self) -> None:
        left, bottom = self.getAxis("left"), self.getAxis("bottom")
        left.setWidth(_LABEL_WIDTH)
        left.setStyle(tickLength=0, autoExpandTextSpace=False, hideOverlappingLabels=False)
        left.setTickPen(pg.mkPen(None))
        bottom.setTicks([[]])
        bottom.setStyle(tickLength=0)
        self.setMaximumWidth(_WIDTH + _LABEL_WIDTH)
        self.setMinimumWidth(_WIDTH + _LABEL_WIDTH)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self.getViewBox().setBackgroundColor(theme.panel)
        self.edges.setPen(pg.mkPen(theme.panel, width=2))
        left, bottom = self.getAxis("left"), self.getAxis("bottom")
        left.setPen(pg.mkPen(None))
        left.setTextPen(pg.mkPen(theme.text))
        bottom.setPen(pg.mkPen(None))

    def draw(self, rows: RowInfo) -> None:
        """Show the regions of these rows."""
        if self._rows is not None and _looks_alike(self._rows, rows):
            self._rows = rows
            return
        self._rows = rows
        self.image.setImage(rows.colour[:, None, :], levels=(0, 255), autoLevels=False)
        self.image.setRect(QRectF(0.0, 0.0, 1.0, float(len(rows.region))))
        stops = [float(band.stop) for band in rows.bands[:-1]]
        self.edges.setData(np.tile([0.0, 1.0], len(stops)), np.repeat(stops, 2))
        self.place_labels()

    def place_labels(self) -> None:
        """Write as many names as fit at this zoom."""
        if self._rows is None:
            return
        view, axis = self.getViewBox(), self.getAxis("left")
        (first, last) = view.viewRange()[1]
        row_px = view.height() / max(last - first, 1e-9)
        text_px = QFontMetricsF(axis.font()).height()
        if row_px >= text_px:
            axis.setTicks([self._unit_ticks(first, last)])
            return
        bands = self._rows.bands
        axis.setTicks([list(place_labels(bands, first, last, row_px, text_px))])

    def region_at(self, y: float) -> RegionBand | None:
        """Return the region at a height of the plot."""
        bands = () if self._rows is None else self._rows.bands
        return next((band for band in bands if band.start <= y < band.stop), None)

    def holds(self, position: QPointF) -> bool:
        """Tell whether a place of the scene lies in the column."""
        return bool(self.getViewBox().sceneBoundingRect().contains(position))

    def region_under(self, position: QPointF) -> RegionBand | None:
        """Return the region at a place of the scene."""
        return self.region_at(self.getViewBox().mapSceneToView(position).y())

    def _unit_ticks(self, first: float, last: float) -> list[tuple[float, str]]:
        unit_id = () if self._rows is None else self._rows.unit_id
        visible = range(max(0, int(first)), min(len(unit_id), int(np.ceil(last))))
        return [(row + 0.5, f"#{unit_number(str(unit_id[row]))}") for row in visible]


def _looks_alike(old: RowInfo, new: RowInfo) -> bool:
    """Tell whether rows have the same units, hence the same colours and names."""
    return old.bands == new.bands and np.array_equal(old.unit_id, new.unit_id)
