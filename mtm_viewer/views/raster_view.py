"""True, reconstructed, and a baseline or the difference, side by side and linked."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import QEvent, QPointF, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QLabel, QSizePolicy, QVBoxLayout, QWidget

from mtm_core.evaluation.colour_scale import Levels
from mtm_viewer.presenters.raster import hover_text
from mtm_viewer.presenters.raster_drawable import RasterDrawable
from mtm_viewer.presenters.raster_legend import legend_text, time_caption
from mtm_viewer.theme import LIGHT, Theme
from mtm_viewer.views.colour_bar import ColourBar
from mtm_viewer.views.mask_tools import MaskTools
from mtm_viewer.views.overview_strip import OverviewStrip
from mtm_viewer.views.plain_plot import adopt_menus
from mtm_viewer.views.raster_clicks import RasterClicks
from mtm_viewer.views.raster_painter import RasterPainter
from mtm_viewer.views.raster_plot import MS, Frame, RasterPlot
from mtm_viewer.views.region_column import RegionColumn

N_PANELS = 3
_TITLE_PX = 30
_MINIMUM_PX = 90
_PREFERRED_PX = 400
"""The same for all panels, so that they come out equally wide."""
_ZOOMS = {Qt.Key.Key_Plus: 0.7, Qt.Key.Key_Equal: 0.7, Qt.Key.Key_Minus: 1 / 0.7}
_PAGES = {Qt.Key.Key_PageUp: -0.8, Qt.Key.Key_PageDown: 0.8}
_STEPS = {
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
}


class RasterView(QWidget):
    """Three linked rasters with region colours, one colour bar, a crosshair and a read-out.

    Parameters
    ----------
    theme : Theme
        Colours.
    parent : QWidget or None
        Qt's parent.
    is_plain : bool
        Without tools for masks and without menus of maps.

    Notes
    -----
    Signals: `unit_clicked` (unit id), `region_clicked` (acronym), `units_picked` (unit ids) and
    `regions_picked` (acronyms) for clicks with Ctrl (one more) or Shift (all from the last click
    to this one), `hovered` (what stands under the pointer, in words; "" when it leaves), and
    `painter.stroke_painted`; `panel_chosen` (place and name of a map, from the menu of a title),
    `levels_chosen` (`Levels`, or None for automatic ones, from a colour bar). Arrow keys move the
    crosshair, Enter chooses its unit, Space paints its entry while a brush is in hand, plus and
    minus zoom, Page Up and Down scroll, Home shows everything.
    """

    unit_clicked = pyqtSignal(str)
    region_clicked = pyqtSignal(str)
    units_picked = pyqtSignal(list)
    regions_picked = pyqtSignal(list)
    hovered = pyqtSignal(str)
    panel_chosen = pyqtSignal(int, str)
    levels_chosen = pyqtSignal(object)

    def __init__(
        self, theme: Theme = LIGHT, parent: QWidget | None = None, *, is_plain: bool = False
    ) -> None:
        super().__init__(parent)
        self.is_plain = is_plain
        self._drawable: RasterDrawable | None = None
        self._is_blinking = False
        self._cursor: tuple[int, int] | None = None
        self._chosen_unit = ""
        self._picked: frozenset[str] = frozenset()
        self._caption: tuple[str, Theme] | None = None
        self._theme = theme
        self.graphics = pg.GraphicsLayoutWidget(self)
        self.plots = tuple(RasterPlot(theme) for _ in range(N_PANELS))
        self.tools = MaskTools(self)
        self.painter = RasterPainter(self.tools, self.plots, theme, self)
        self.overview = OverviewStrip(theme)
        self.column = RegionColumn(theme)
        self.bars = tuple(ColourBar(theme) for _ in range(N_PANELS))
        self.time_label = pg.LabelItem()
        self.legend = _line_of_text("What the marks in the rasters mean", self)
        self.legend.setWordWrap(True)
        self.readout = _line_of_text("Value under the pointer", self)
        self._lay_out()
        self._link()
        self._clicks = RasterClicks(self)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Rasters: true, reconstructed, and baseline or difference")
        self.graphics.setAccessibleName("Raster plots")
        self.graphics.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.set_theme(theme)

    def draw(self, drawable: RasterDrawable | None) -> None:
        """Show a drawable; the zoom stays where it was if rows and bins are the same."""
        is_same_frame = _same_frame(self._drawable, drawable)
        self._drawable = drawable
        self.graphics.setVisible(drawable is not None)
        self.tools.setEnabled(drawable is not None)
        if drawable is None:
            self.legend.setText("")
            self._show_cursor(None)
            return
        if not is_same_frame:
            self._cursor = None
            self._clicks.forget()
            self.painter.set_units(drawable.rows.unit_id)
            self.show_all()
        self._draw_panels(drawable)
        self.column.draw(drawable.rows)
        for bar, bar_panel in zip(self.bars, drawable.bar_panels(), strict=True):
            bar.draw(bar_panel)
        self.overview.draw(drawable.panels[0], self.plots[0].extent())
        self._show_cursor(self._cursor)
        self.choose_unit(self._chosen_unit)
        self.pick_units(self._picked)
        self._write_legend()

    def blink(self, *, is_on: bool) -> None:
        """Exchange the reconstruction with what it is compared with, or back."""
        if is_on != self._is_blinking:
            self._is_blinking = is_on
            if self._drawable is not None:
                self._draw_panels(self._drawable)

    def _draw_panels(self, drawable: RasterDrawable) -> None:
        frame = _frame(drawable)
        panels = drawable.blinked() if self._is_blinking else drawable.panels
        for plot, panel in zip(self.plots, panels, strict=True):
            plot.draw(panel, frame)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme (pyqtgraph does not follow the palette)."""
        self._theme = theme
        self.graphics.setBackground(theme.window)
        for plot in self.plots:
            plot.set_theme(theme)
        for bar in self.bars:
            bar.set_theme(theme)
        self.column.set_theme(theme)
        self.overview.set_theme(theme)
        self.tools.set_theme(theme)
        self.painter.set_theme(theme)
        self._write_legend()

    @property
    def drawable(self) -> RasterDrawable | None:
        """What is shown."""
        return self._drawable

    @property
    def levels(self) -> Levels | None:
        """Values at the ends of the colour bar of rates; None before anything is shown."""
        panels = () if self._drawable is None else self._drawable.panels
        return next((panel.levels for panel in panels if panel.rate_hz is not None), None)

    def show_all(self) -> None:
        """Zoom out to all units and the whole window."""
        if self._drawable is None:
            return
        n_rows = len(self._drawable.rows.unit_id)
        left, right = _frame(self._drawable).time_range_ms()
        step_ms = self._drawable.bin_size_s * MS
        for plot in self.plots:
            plot.getViewBox().setLimits(
                xMin=left,
                xMax=right,
                yMin=0,
                yMax=n_rows,
                minXRange=min(3 * step_ms, right - left),
                minYRange=min(2, n_rows),
            )
        self.column.getViewBox().setLimits(yMin=0, yMax=n_rows)
        self.plots[0].setRange(xRange=(left, right), yRange=(0, n_rows), padding=0)

    def show_region(self, region: str) -> None:
        """Zoom in on the rows of a region."""
        bands = [] if self._drawable is None else list(self._drawable.rows.bands)
        mine = [band for band in bands if band.region == region]
        if mine:
            self.plots[0].setYRange(mine[0].start, mine[-1].stop, padding=0)

    def choose_unit(self, unit_id: str) -> None:
        """Frame the row of a unit; "" frames none."""
        self._chosen_unit = unit_id
        row = None
        if self._drawable is not None and unit_id:
            found = np.flatnonzero(self._drawable.rows.unit_id == unit_id)
            row = int(found[0]) if len(found) else None
        for plot in self.plots:
            plot.choose_row(row)

    def pick_units(self, unit_ids: Collection[str]) -> None:
        """Mark the rows of the units that are picked, at the left edge of each map."""
        self._picked = frozenset(unit_ids)
        rows = np.zeros(0, dtype=np.int64)
        if self._drawable is not None and self._picked:
            is_picked = np.isin(self._drawable.rows.unit_id, sorted(self._picked))
            rows = np.flatnonzero(is_picked)
        for plot in self.plots:
            plot.pick_rows(rows)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Move the crosshair, choose its unit, or zoom out (Qt's own hook)."""
        if event is None or self._drawable is None:
            return
        key = Qt.Key(event.key())
        if key in _STEPS:
            self._move_cursor(*_STEPS[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._cursor is not None:
            self.unit_clicked.emit(str(self._drawable.rows.unit_id[self._cursor[0]]))
        elif key == Qt.Key.Key_Space and self._cursor is not None and self.tools.is_painting:
            self.painter.dab(self.plots[0], *self._cursor)
        elif key in _ZOOMS:
            self._zoom(_ZOOMS[key])
        elif key in _PAGES:
            self._scroll(_PAGES[key])
        elif key == Qt.Key.Key_Home:
            self.show_all()
        else:
            super().keyPressEvent(event)

    def leaveEvent(self, event: QEvent | None) -> None:
        """Take the crosshair away (Qt's own hook)."""
        self._show_cursor(None)
        super().leaveEvent(event)

    def _lay_out(self) -> None:
        layout = self.graphics.ci.layout
        layout.setHorizontalSpacing(20)
        layout.setVerticalSpacing(0)
        layout.setContentsMargins(4, 4, 4, 0)
        pairs = zip(self.plots, self.bars, strict=True)
        panels = [part for pair in pairs for part in pair]
        parts: tuple[pg.PlotItem, ...] = (self.overview, self.column, *panels)
        for position, part in enumerate(parts):
            self.graphics.addItem(part, row=0, col=position)
            adopt_menus(part, self)
            part.getAxis("bottom").setHeight(24)
            part.titleLabel.setMaximumHeight(_TITLE_PX)
            part.layout.setRowFixedHeight(0, _TITLE_PX)
        for plot in self.plots:
            plot.setMinimumWidth(_MINIMUM_PX)
            plot.setPreferredWidth(_PREFERRED_PX)
        for position in (2, 4, 6):
            layout.setColumnStretchFactor(position, 10)
        for plot in () if self.is_plain else self.plots:
            plot.titleLabel.setToolTip("Click to choose what this raster shows.")
            plot.titleLabel.setCursor(Qt.CursorShape.PointingHandCursor)
        self.time_label.setMaximumHeight(_TITLE_PX)
        self.graphics.addItem(self.time_label, row=1, col=2, colspan=2 * N_PANELS - 1)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(2)
        box.addWidget(self.tools)
        self.tools.setVisible(not self.is_plain)
        box.addWidget(self.graphics, 1)
        box.addWidget(self.legend)
        box.addWidget(self.readout)

    def _link(self) -> None:
        first = self.plots[0]
        for plot in self.plots[1:]:
            plot.setXLink(first)
            plot.setYLink(first)
        self.column.setYLink(first)
        first.getViewBox().sigRangeChanged.connect(self._after_zoom)
        first.getViewBox().sigResized.connect(self._after_zoom)
        for bar in self.bars:
            bar.dragged.connect(self._preview_levels)
            bar.levels_chosen.connect(self.levels_chosen)
        self.graphics.scene().sigMouseMoved.connect(self._on_moved)
        self.overview.moved.connect(self._centre)

    def _after_zoom(self) -> None:
        for plot in self.plots:
            plot.repool()
        self.column.place_labels()
        self.overview.frame_view(*self.plots[0].box.viewRange())
        self._write_legend()

    def _centre(self, x: float, y: float) -> None:
        """Bring a place of the plot into the middle of the view, as far as the limits allow."""
        box = self.plots[0].box
        (left, right), (top, bottom) = box.viewRange()
        box.translateBy(x=x - (left + right) / 2, y=y - (top + bottom) / 2)

    def _zoom(self, factor: float) -> None:
        """Show more (above 1) or less of rows and bins, around the crosshair if there is one."""
        box = self.plots[0].box
        centre = None if self._cursor is None else QPointF(*self.plots[0].place(*self._cursor))
        box.scaleBy((factor, factor), center=centre)

    def _scroll(self, pages: float) -> None:
        """Move down by so many heights of the view."""
        box = self.plots[0].box
        top, bottom = box.viewRange()[1]
        box.translateBy(y=pages * (bottom - top))

    def _preview_levels(self, low: float, high: float) -> None:
        """Show roughly what dragged levels will look like; the colours come anew afterwards."""
        for plot in self.plots:
            plot.preview_levels(low, high)

    def _on_moved(self, position: QPointF) -> None:
        self._show_cursor(self._entry_under(position))

    def plot_under(self, position: QPointF) -> RasterPlot | None:
        """Return the raster at a place of the scene."""
        return next((plot for plot in self.plots if plot.holds(position)), None)

    def _entry_under(self, position: QPointF) -> tuple[int, int] | None:
        plot = self.plot_under(position)
        return None if plot is None else plot.entry_under(position)

    def _move_cursor(self, rows: int, bins: int) -> None:
        n_rows, n_bins = self._drawable.panels[0].image.shape if self._drawable else (0, 0)
        row, time_bin = self._cursor or (0, 0)
        self._show_cursor(
            (
                int(np.clip(row + rows, 0, n_rows - 1)),
                int(np.clip(time_bin + bins, 0, n_bins - 1)),
            )
        )

    def _show_cursor(self, entry: tuple[int, int] | None) -> None:
        self._cursor = entry
        for plot in self.plots:
            plot.show_cross(None if entry is None else plot.place(*entry))
        text = ""
        if entry is not None and self._drawable is not None:
            text = hover_text(self._drawable, *entry)
        self.readout.setText(text)
        self.hovered.emit(text)

    def _write_legend(self) -> None:
        drawable = self._drawable
        if drawable is None:
            return
        caption = (time_caption(drawable), self._theme)
        if caption != self._caption:  # pyqtgraph lays a text out anew even if it is the same
            self._caption = caption
            self.time_label.setText(caption[0], color=self._theme.muted, size="9pt")
        note = self.plots[0].pool_note
        self.legend.setText(legend_text(drawable, self._theme, note))
        self.legend.setToolTip(f"{note}. {drawable.note}" if note else drawable.note)


def _line_of_text(accessible_name: str, parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setAccessibleName(accessible_name)
    label.setContentsMargins(8, 0, 8, 2)
    label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
    label.setTextFormat(Qt.TextFormat.AutoText)
    return label


def _frame(drawable: RasterDrawable) -> Frame:
    return Frame(
        bin_start_s=drawable.bin_start_s,
        bin_size_s=drawable.bin_size_s,
        events=drawable.events,
        separators=tuple(band.stop for band in drawable.rows.bands[:-1]),
        hatch=drawable.hatch,
        veil=drawable.veil,
    )


def _same_frame(old: RasterDrawable | None, new: RasterDrawable | None) -> bool:
    if old is None or new is None:
        return False
    return np.array_equal(old.rows.unit_id, new.rows.unit_id) and np.array_equal(
        old.bin_start_s, new.bin_start_s
    )
