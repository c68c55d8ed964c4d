"""PSTHs of one unit by the conditions of one field: true against model."""

from __future__ import annotations

import html

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import Qt
from PyQt6.QtGui import QBrush, QColor
from PyQt6.QtWidgets import QWidget

from mtm_viewer.presenters.unit_drawable import ConditionLine, ConditionPlot, UnitDrawable
from mtm_viewer.theme import Theme
from mtm_viewer.views.plain_plot import LegendPlot, colour_frame
from mtm_viewer.views.raster_plot import EDGE, MS

_MINIMUM_HEIGHT = 118
_AXIS_WIDTH = 44
_AXIS_HEIGHT = 22
_TRUE_WIDTH, _MODEL_WIDTH = 5, 2


class PsthPlot(LegendPlot):
    """One plot with its legend above it."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        size = {"least_px": _MINIMUM_HEIGHT, "left_px": _AXIS_WIDTH, "bottom_px": _AXIS_HEIGHT}
        super().__init__(parent, **size)
        self._theme = theme
        self._shown: tuple[ConditionPlot, UnitDrawable] | None = None
        self._curves: list[_Curves] = []
        self._events: list[pg.InfiniteLine] = []
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        colour_frame(self.plot, theme)
        self.plot.getAxis("left").setLabel("spikes/s", color=theme.muted)
        self.plot.getAxis("left").resizeEvent()  # pyqtgraph centres a new text only then
        if self._shown is not None:
            self.draw(*self._shown)

    def draw(self, shown: ConditionPlot, drawable: UnitDrawable) -> None:
        """Show the PSTHs of one field."""
        self._shown = (shown, drawable)
        self.legend.setText(_legend(shown, self._theme))
        self.setAccessibleName(f"PSTH by {shown.title.lower()}")
        self.setAccessibleDescription(_spoken(shown))
        self.plot.setVisible(bool(shown.lines))
        time_ms = (drawable.bin_start_s + drawable.bin_size_s / 2) * MS
        start_ms = float(drawable.bin_start_s[0]) * MS
        width_ms = len(time_ms) * drawable.bin_size_s * MS
        self.plot.setRange(
            xRange=(start_ms - EDGE * width_ms, start_ms + (1 + EDGE) * width_ms),
            yRange=(0.0, drawable.top_hz),
            padding=0,
        )
        self._draw_events(drawable)
        while len(self._curves) < len(shown.lines):
            self._curves.append(_Curves(self.plot))
        for position, curves in enumerate(self._curves):
            line = shown.lines[position] if position < len(shown.lines) else None
            curves.draw(line, time_ms, self._theme, drawable.is_model_shown)

    def _draw_events(self, drawable: UnitDrawable) -> None:
        while len(self._events) < len(drawable.events):
            self._events.append(pg.InfiniteLine())
            self.plot.addItem(self._events[-1])
        for position, mark in enumerate(self._events):
            mark.setVisible(position < len(drawable.events))
            if position < len(drawable.events):
                mark.setValue(drawable.events[position].time_s * MS)
                mark.setPen(pg.mkPen(self._theme.muted, width=1))


class _Curves:
    """The curves of one condition; made once, since making them takes longer than drawing."""

    def __init__(self, plot: pg.PlotWidget) -> None:
        self._true_band, self._model_band = _Band(), _Band()
        self._true, self._model = pg.PlotCurveItem(), pg.PlotCurveItem()
        bands = (*self._true_band.items, *self._model_band.items)
        for layer, item in enumerate((*bands, self._true, self._model)):
            item.setZValue(layer)
            plot.addItem(item)

    def draw(
        self,
        line: ConditionLine | None,
        time_ms: np.ndarray,
        theme: Theme,
        is_model_shown: np.ndarray | None,
    ) -> None:
        """Show a condition, or nothing."""
        has_model = line is not None and line.model_hz is not None
        self._true.setVisible(line is not None)
        self._model.setVisible(has_model)
        if line is None:
            self._true_band.hide()
            self._model_band.hide()
            return
        colour = theme.condition(line.role)
        pale, strong = theme.pale(colour), theme.strong(colour)
        self._true_band.draw(time_ms, line.true_hz, line.sem_hz, _fill(pale))
        hatch = _fill(strong, Qt.BrushStyle.BDiagPattern)
        model_hz = _part(line.model_hz, is_model_shown)
        self._model_band.draw(time_ms, model_hz, line.model_sem_hz, hatch)
        self._true.setData(time_ms, line.true_hz, pen=pg.mkPen(pale, width=_TRUE_WIDTH))
        if model_hz is not None:
            pen = pg.mkPen(strong, width=_MODEL_WIDTH, dash=[4, 2.5])
            self._model.setData(time_ms, model_hz, pen=pen, connect="finite")


class _Band:
    """A mean plus and minus its standard error."""

    def __init__(self) -> None:
        self._edges = (pg.PlotCurveItem(pen=None), pg.PlotCurveItem(pen=None))
        self._fill = pg.FillBetweenItem(*self._edges)
        self.items = (*self._edges, self._fill)

    def hide(self) -> None:
        """Show no band."""
        self._fill.hide()

    def draw(
        self,
        time_ms: np.ndarray,
        mean_hz: np.ndarray | None,
        sem_hz: np.ndarray | None,
        brush: QBrush,
    ) -> None:
        """Show a band, or none where there is no error."""
        if mean_hz is None or sem_hz is None:
            self.hide()
            return
        for edge, sign in zip(self._edges, (-1, 1), strict=True):
            edge.setData(time_ms, mean_hz + sign * sem_hz, connect="finite")
        self._fill.setBrush(brush)
        self._fill.show()


def _part(values: np.ndarray | None, is_shown: np.ndarray | None) -> np.ndarray | None:
    """Leave a gap where a curve is not to be drawn."""
    if values is None or is_shown is None:
        return values
    return np.where(is_shown, values, np.nan)


def _fill(colour: str, style: Qt.BrushStyle = Qt.BrushStyle.SolidPattern) -> QBrush:
    fill = QColor(colour)
    fill.setAlpha(80 if style is Qt.BrushStyle.SolidPattern else 110)
    return QBrush(fill, style)


def _legend(shown: ConditionPlot, theme: Theme) -> str:
    head = f"<b style='color:{theme.text}'>{html.escape(shown.title)}</b>"
    muted = f"<span style='color:{theme.muted}'>{{}}</span>"
    parts = [head]
    parts += [
        f"<span style='color:{theme.condition(line.role)}'>&#9632;</span>&nbsp;"
        + muted.format(f"{html.escape(line.name)} ({line.n_trials})".replace(" ", "&nbsp;"))
        for line in shown.lines
    ]
    parts += [muted.format(html.escape(text)) for text in (shown.message, shown.note) if text]
    return " &nbsp;".join(parts)


def _spoken(shown: ConditionPlot) -> str:
    if not shown.lines:
        return shown.message
    return "; ".join(
        f"{line.name}, {line.n_trials} trials, true mean {line.true_hz.mean():.1f} spikes/s"
        for line in shown.lines
    )
