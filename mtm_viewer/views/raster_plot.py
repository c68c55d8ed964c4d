"""One raster: image, mask, event lines, crosshair, chosen unit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PyQt6.QtCore import QPointF, QRectF, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QPen, QTextOption
from PyQt6.QtWidgets import QGraphicsRectItem

from mtm_core.evaluation.colour_scale import pool
from mtm_viewer.presenters.raster_drawable import RasterPanel
from mtm_viewer.presenters.raster_scene import EventLine
from mtm_viewer.presenters.rectangles import Rectangle
from mtm_viewer.theme import Theme
from mtm_viewer.views.mask_overlay import MaskOverlay
from mtm_viewer.views.plain_plot import let_title_shrink

MS = 1000.0
_PICK_PX = 5
"""Width of the bars beside picked rows."""
_FRAMED_PX = 5
_MESSAGE_MARGIN_PX = 6
"""Rows at least so high are framed when they are chosen."""
EDGE = 0.012
"""Share of the window left free on both sides, so that a line at its edge can be seen."""
_LABEL_OVERHANG_PX = 10
"""A label at the edge that stands out further would run into that of the raster beside it."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Frame:
    """What the panels of one picture share.

    Parameters
    ----------
    bin_start_s : ndarray, shape (n_bins,)
        Start of each bin.
    bin_size_s : float
        Duration of a bin.
    events : tuple of EventLine
        Vertical lines.
    separators : tuple of int
        Rows above which a line is drawn.
    hatch, veil : tuple of Rectangle
        Hidden entries, and entries that are not scored.
    """

    bin_start_s: NDArray[np.float64]
    bin_size_s: float
    events: tuple[EventLine, ...]
    separators: tuple[int, ...] = ()
    hatch: tuple[Rectangle, ...] = ()
    veil: tuple[Rectangle, ...] = ()

    def time_range_ms(self) -> tuple[float, float]:
        """Return the ends of the time axis, with room for a line at the very edge."""
        start = float(self.bin_start_s[0]) * MS
        width = len(self.bin_start_s) * self.bin_size_s * MS
        return start - EDGE * width, start + (1 + EDGE) * width


class RasterBox(pg.ViewBox):
    """The area of a raster; while one paints, dragging with the left button moves nothing.

    Notes
    -----
    Signal: `dragged` an event of pyqtgraph.
    """

    dragged = pyqtSignal(object)

    def __init__(self) -> None:
        super().__init__(enableMenu=False)
        self.is_painting = False

    def mouseDragEvent(self, ev: object, axis: int | None = None) -> None:
        """Hand a drag to whoever paints (pyqtgraph's own hook)."""
        if self.is_painting and ev.button() == Qt.MouseButton.LeftButton:  # type: ignore[attr-defined]
            ev.accept()  # type: ignore[attr-defined]
            self.dragged.emit(ev)
            return
        super().mouseDragEvent(ev, axis)


class RasterPlot(pg.PlotItem):
    """Draws one panel of a raster; knows nothing of the others."""

    def __init__(self, theme: Theme) -> None:
        self.box = RasterBox()
        super().__init__(viewBox=self.box, enableMenu=False)
        let_title_shrink(self)
        self._theme = theme
        self._panel: RasterPanel | None = None
        self._source: NDArray[np.uint8] | None = None
        self._factors = (0, 0)
        self._start_ms, self._step_ms = 0.0, 1.0
        self._chosen_row: int | None = None
        self._separators: tuple[object, ...] = ()
        self._name: tuple[str, Theme] | None = None
        self.pool_note = ""
        self._events: list[pg.InfiniteLine] = []
        self._medians: tuple[bool, ...] = ()
        self._make_items()
        self._set_up_axes()
        self.set_theme(theme)

    def _make_items(self) -> None:
        self.image = pg.ImageItem(axisOrder="row-major", autoDownsample=False)
        self.overlay = MaskOverlay(self._theme)
        self.bands = pg.PlotCurveItem(connect="pairs")
        self.picks = pg.PlotCurveItem(connect="pairs")
        self._picks: tuple[object, ...] = ()
        self.cross = (pg.InfiniteLine(angle=90), pg.InfiniteLine(angle=0))
        self.chosen = QGraphicsRectItem()
        self.arrows = pg.ScatterPlotItem(size=11)
        self.message = pg.TextItem(anchor=(0.5, 0.5))
        for layer, item in enumerate(
            (
                *(self.image, self.overlay, self.bands, self.picks, self.chosen),
                *(*self.cross, self.arrows, self.message),
            )
        ):
            item.setZValue(layer)
            self.addItem(item, ignoreBounds=True)
        for item in (*self.cross, self.chosen, self.arrows, self.message):
            item.hide()

    def _set_up_axes(self) -> None:
        self.hideButtons()
        self.hideAxis("left")
        view = self.getViewBox()
        view.invertY(b=True)
        view.setDefaultPadding(0.0)
        view.disableAutoRange()

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        self.overlay.set_theme(theme)
        self.getViewBox().setBackgroundColor(theme.panel)
        self.bands.setPen(pg.mkPen(theme.separator, width=1))
        self.picks.setPen(pg.mkPen(theme.accent, width=_PICK_PX, cap=Qt.PenCapStyle.FlatCap))
        self.message.setColor(theme.muted)
        self.message.fill = pg.mkBrush(theme.panel)  # lines of events would cross the words
        self.titleLabel.setAttr("color", theme.text)
        axis = self.getAxis("bottom")
        axis.setStyle(hideOverlappingLabels=_LABEL_OVERHANG_PX, tickLength=4)
        axis.setPen(pg.mkPen(theme.border))
        axis.setTextPen(pg.mkPen(theme.muted))
        for line in self.cross:
            line.setPen(pg.mkPen(theme.crosshair, width=1))
        self.chosen.setPen(_cosmetic(theme.event, 1))
        self.arrows.setBrush(pg.mkBrush(theme.accent))
        self.arrows.setPen(pg.mkPen(theme.panel, width=1))
        self._colour_events()
        self._name_panel()

    def draw(self, panel: RasterPanel, frame: Frame) -> None:
        """Show a panel."""
        self._panel = panel
        self._start_ms = float(frame.bin_start_s[0]) * MS
        self._step_ms = frame.bin_size_s * MS
        self._source = panel.image
        self._factors = (0, 0)
        self._draw_events(frame.events)
        self._draw_separators(frame.separators)
        self.overlay.set_rectangles(
            frame.hatch if panel.is_hatched else (),
            frame.veil if panel.is_veiled else (),
            start=self._start_ms,
            step=self._step_ms,
        )
        self._draw_message(panel.message)
        self._name_panel()
        self.repool()

    def repool(self) -> None:
        """Give the image as many rows and columns as there are pixels for the visible part."""
        if self._source is None or self._panel is None:
            return
        self._frame_chosen()
        view = self.getViewBox()
        self._fit_message(view.width())
        (left, right), (low, high) = view.viewRange()
        n_rows, n_columns = self._source.shape
        ratio = self.scene().views()[0].devicePixelRatioF() if self._is_shown() else 1.0
        max_rows = _budget(n_rows, high - low, view.height() * ratio)
        max_columns = _budget(n_columns, (right - left) / self._step_ms, view.width() * ratio)
        pooled = pool(self._source, max_rows, max_columns, centre=self._panel.centre)
        factors = (pooled.row_factor, pooled.column_factor)
        if factors == self._factors:
            return
        self._factors = factors
        self.pool_note = pooled.note()
        self.image.setImage(pooled.image, levels=(0, 255), autoLevels=False)
        width = pooled.image.shape[1] * pooled.column_factor * self._step_ms
        height = pooled.image.shape[0] * pooled.row_factor
        self.image.setRect(QRectF(self._start_ms, 0.0, width, float(height)))
        self.image.setVisible(not self._panel.message)

    def preview_levels(self, low: float, high: float) -> None:
        """Show rates between two places of the colour bar only, until the next image comes."""
        if self._panel is not None and self._panel.rate_hz is not None:
            self.image.setLevels((255 * low, 255 * high))

    def place(self, row: int, time_bin: int) -> tuple[float, float]:
        """Return the centre of an entry in coordinates of the plot."""
        return self._start_ms + (time_bin + 0.5) * self._step_ms, row + 0.5

    @property
    def map_shape(self) -> tuple[int, int] | None:
        """Rows and bins; None before anything is drawn."""
        return None if self._source is None else (self._source.shape[0], self._source.shape[1])

    def extent(self) -> QRectF:
        """Return the whole map in coordinates of the plot."""
        n_rows, n_bins = self.map_shape or (0, 0)
        return QRectF(self._start_ms, 0.0, n_bins * self._step_ms, float(n_rows))

    def in_entries(self, point: QPointF) -> tuple[float, float]:
        """Return a place of the plot as (bin, row), in entries."""
        return (point.x() - self._start_ms) / self._step_ms, point.y()

    def from_entries(self, time_bin: float, row: float) -> tuple[float, float]:
        """Return a place in entries in coordinates of the plot."""
        return self._start_ms + time_bin * self._step_ms, row

    def radius_in_entries(self, radius_px: float) -> tuple[float, float]:
        """Return how many bins and rows lie under so many pixels of the screen."""
        width, height = self.box.viewPixelSize()
        return radius_px * width / self._step_ms, radius_px * height

    def entry_at(self, x: float, y: float) -> tuple[int, int] | None:
        """Return the row and the bin at a place of the plot; None outside the map."""
        if self._source is None:
            return None
        row, time_bin = int(np.floor(y)), int(np.floor((x - self._start_ms) / self._step_ms))
        n_rows, n_bins = self._source.shape
        return (row, time_bin) if 0 <= row < n_rows and 0 <= time_bin < n_bins else None

    def holds(self, position: QPointF) -> bool:
        """Tell whether a place of the scene lies in the raster."""
        return bool(self.isVisible() and self.box.sceneBoundingRect().contains(position))

    def entry_under(self, position: QPointF) -> tuple[int, int] | None:
        """Return the row and the bin at a place of the scene; None outside the map."""
        where = self.box.mapSceneToView(position)
        return self.entry_at(where.x(), where.y())

    def show_cross(self, where: tuple[float, float] | None) -> None:
        """Put the crosshair somewhere, or nowhere."""
        for line, value in zip(self.cross, where or (0.0, 0.0), strict=True):
            line.setValue(value)
            line.setVisible(where is not None)

    def choose_row(self, row: int | None) -> None:
        """Point at a row from both sides and, where it is thick enough, frame it; or none."""
        self._chosen_row = row
        is_there = row is not None and self._source is not None
        self.arrows.setVisible(is_there)
        self._frame_chosen()
        if row is None or self._source is None:
            return
        width = self._source.shape[1] * self._step_ms
        frame = QRectF(self._start_ms, float(row), width, 1.0)
        if frame == self.chosen.rect():
            return  # new arrows in the old place would have the whole raster painted again
        self.chosen.setRect(frame)
        ends = (self._start_ms, self._start_ms + width)
        self.arrows.setData(x=list(ends), y=[row + 0.5] * 2, symbol=["t2", "t3"])

    def pick_rows(self, rows: NDArray[np.int64]) -> None:
        """Draw a bar at both edges of some rows."""
        n_bins = 0 if self._source is None else self._source.shape[1]
        ends = (self._start_ms, self._start_ms + n_bins * self._step_ms)
        picks = (tuple(rows.tolist()), *ends)
        if picks == self._picks:
            return
        self._picks = picks
        y = np.tile(np.stack([rows, rows + 1.0], axis=1).ravel(), 2)
        self.picks.setData(np.repeat(ends, 2 * len(rows)), y)

    def _frame_chosen(self) -> None:
        view = self.getViewBox()
        low, high = view.viewRange()[1]
        row_px = view.height() / max(high - low, 1e-9)
        self.chosen.setVisible(self._chosen_row is not None and row_px >= _FRAMED_PX)

    def _is_shown(self) -> bool:
        return self.scene() is not None and bool(self.scene().views())

    def _draw_events(self, events: tuple[EventLine, ...]) -> None:
        """Move the lines that there are; to make new ones takes longer than the rest of `draw`."""
        n_lines = 2 * len(events)  # a dark line under a bright one shows on every colour
        for line in self._events[n_lines:]:
            self.removeItem(line)
        n_kept = len(self._events)
        del self._events[n_lines:]
        while len(self._events) < n_lines:
            line = pg.InfiniteLine(angle=90)
            line.setZValue(3.5)
            self.addItem(line, ignoreBounds=True)
            self._events.append(line)
        for position, line in enumerate(self._events):
            line.setValue(events[position // 2].time_s * MS)
        medians = tuple(event.is_median for event in events)
        if n_lines > n_kept or medians != self._medians:
            self._medians = medians
            self._colour_events()

    def _colour_events(self) -> None:
        """Draw what happens at one time in all trials solid, and medians dashed and thinner."""
        pairs = zip(self._events[0::2], self._events[1::2], self._medians, strict=True)
        for dark, bright, is_median in pairs:
            style = Qt.PenStyle.DashLine if is_median else Qt.PenStyle.SolidLine
            width = 1 if is_median else 2
            dark.setPen(pg.mkPen("#000000b0", width=2 * width))
            bright.setPen(pg.mkPen(self._theme.event, width=width, style=style))

    def _draw_separators(self, rows: tuple[int, ...]) -> None:
        n_bins = 0 if self._source is None else self._source.shape[1]
        end_ms = self._start_ms + n_bins * self._step_ms
        separators = (rows, self._start_ms, end_ms)
        if separators == self._separators:
            return
        self._separators = separators
        ends = np.tile([self._start_ms, end_ms], len(rows))
        self.bands.setData(ends, np.repeat(np.array(rows, dtype=float), 2))

    def _name_panel(self) -> None:
        if self._panel is None:
            return
        self.image.setLookupTable(self._theme.lut(self._panel.lut))
        name = (self._panel.title, self._theme)
        if name != self._name:  # a title is laid out as rich text, however short it is
            self._name = name
            self.setTitle(self._panel.title, color=self._theme.text, size="10pt", bold=True)

    def _draw_message(self, message: str) -> None:
        self.message.setText(message)
        self.message.setVisible(bool(message))
        self.bands.setVisible(not message)  # lines between regions would cross the words
        if message and self._source is not None:
            n_rows, n_bins = self._source.shape
            self.message.setPos(self._start_ms + n_bins * self._step_ms / 2, n_rows / 2)

    def _fit_message(self, width: float) -> None:
        """Break the message into lines that the plot has room for."""
        if self.message.isVisible():
            words = self.message.textItem
            words.document().setDefaultTextOption(QTextOption(Qt.AlignmentFlag.AlignHCenter))
            self.message.setTextWidth(max(1.0, width - 2 * _MESSAGE_MARGIN_PX))


def _budget(n_entries: int, n_visible: float, n_pixels: float) -> int:
    """Say how many rows the whole image may have when `n_visible` of them fill the pixels."""
    if n_visible <= 0 or n_pixels < 1:
        return n_entries
    return max(1, int(n_entries * max(1.0, n_pixels) / n_visible))


def _cosmetic(colour: str, width: int) -> QPen:
    pen = QPen(QColor(colour), width)
    pen.setCosmetic(True)
    pen.setJoinStyle(Qt.PenJoinStyle.MiterJoin)
    return pen
