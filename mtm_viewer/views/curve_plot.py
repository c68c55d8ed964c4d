"""Curves over the steps of a run, with their legend above."""

from __future__ import annotations

import html

import numpy as np
import pyqtgraph as pg
from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QWidget

from mtm_viewer.presenters.training_curve import MEAN, TrainingDrawable, curve_words
from mtm_viewer.theme import Theme
from mtm_viewer.views.plain_plot import LegendPlot, colour_frame

_AXIS_WIDTH = 48
_MINIMUM_HEIGHT = 90
_AXIS_HEIGHT = 20
_ROLES = ("first", "second", "third", "fourth", "fifth", "sixth")
_MARKS = ("s", "t", "d", "x", "+", "star")
_SIGNS = (
    "\N{BLACK SQUARE}",
    "\N{BLACK DOWN-POINTING TRIANGLE}",
    "\N{BLACK DIAMOND}",
    "x",
    "+",
    "*",
)
_DISC = "\N{BLACK CIRCLE}"
_HYPHEN = "\N{NON-BREAKING HYPHEN}"


class CurvePlot(LegendPlot):
    """One plot over steps.

    Parameters
    ----------
    title : str
        What it shows, with its unit.
    theme : Theme
        Colours.
    parent : QWidget, optional
        Where it stands.
    """

    def __init__(self, title: str, theme: Theme, parent: QWidget | None = None) -> None:
        size = {"least_px": _MINIMUM_HEIGHT, "left_px": _AXIS_WIDTH, "bottom_px": _AXIS_HEIGHT}
        super().__init__(parent, **size)
        self._theme = theme
        self._title = title
        self._shown: TrainingDrawable | None = None
        self.setAccessibleName(title)
        self.best = pg.InfiniteLine()
        self.plot.addItem(self.best, ignoreBounds=True)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        colour_frame(self.plot, theme)
        self.draw(self._shown)

    def draw(self, shown: TrainingDrawable | None) -> None:
        """Show a run; None shows an empty plot."""
        self._shown = shown
        self.setAccessibleDescription("" if shown is None else curve_words(shown))
        best = None if shown is None else shown.best_step
        self.best.setVisible(best is not None)
        if best is not None:
            self.best.setValue(best)
            self.best.setPen(pg.mkPen(self._theme.muted, style=Qt.PenStyle.DashLine))
        has_steps = shown is not None and shown.n_steps > 0
        for name in ("left", "bottom"):  # numbers of another run would stay
            self.plot.getAxis(name).setStyle(showValues=has_steps)
        if shown is not None and has_steps:
            self.plot.setXRange(0, shown.n_steps, padding=0.02)
        self.legend.setText(self._legend(shown))

    def _legend(self, shown: TrainingDrawable | None) -> str:
        return f"<b style='color:{self._theme.text}'>{html.escape(self._title)}</b>"

    def _muted(self, text: str) -> str:
        return f" &nbsp;<span style='color:{self._theme.muted}'>{html.escape(text)}</span>"


class LossPlot(CurvePlot):
    """Training loss by step, with its running mean."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        self._raw, self._smooth = pg.PlotCurveItem(), pg.PlotCurveItem()
        super().__init__("Training loss", theme, parent)
        self.plot.addItem(self._raw)
        self.plot.addItem(self._smooth)

    def draw(self, shown: TrainingDrawable | None) -> None:
        """Show a run; None shows an empty plot."""
        super().draw(shown)
        none = np.zeros(0)
        step, loss, smooth = (
            (none, none, none) if shown is None else (shown.step, shown.loss, shown.smooth)
        )
        accent = self._theme.accent
        self._raw.setData(step, loss, pen=pg.mkPen(self._theme.pale(accent), width=1))
        self._smooth.setData(step, smooth, pen=pg.mkPen(self._theme.strong(accent), width=2))
        finite = loss[np.isfinite(loss)]
        if len(finite):  # the first steps may be far above all others
            low, high = float(finite.min()), float(np.quantile(finite, 0.98))
            self.plot.setYRange(low, max(high, low + 1e-6), padding=0.08)

    def _legend(self, shown: TrainingDrawable | None) -> str:
        text = super()._legend(shown) + self._muted("nats per scored entry; pale: batches")
        if shown is not None and shown.pooled > 1:
            text += self._muted(f"(each point is the mean of {shown.pooled} steps)")
        return text


class ValidationPlot(CurvePlot):
    """Bits per spike on validation trials by step: the mean, and each scheme of training."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        self._lines: list[pg.PlotDataItem] = []
        super().__init__("Validation", theme, parent)

    def draw(self, shown: TrainingDrawable | None) -> None:
        """Show a run; None shows an empty plot."""
        super().draw(shown)
        curves = {} if shown is None else shown.validation
        while len(self._lines) < len(curves):
            self._lines.append(pg.PlotDataItem())
            self.plot.addItem(self._lines[-1])
        for line in self._lines[len(curves) :]:
            line.setData([], [])
        for place, (line, (name, (step, bps))) in enumerate(
            zip(self._lines, curves.items(), strict=False)
        ):
            colour, mark, _ = self._look(place, name)
            line.setData(
                step,
                bps,
                connect="finite",
                pen=pg.mkPen(colour, width=3 if name == MEAN else 1),
                symbol=mark,
                symbolSize=7,
                symbolBrush=colour,
                symbolPen=pg.mkPen(colour),
            )

    def _look(self, place: int, name: str) -> tuple[str, str, str]:
        """Return colour, mark and sign of a curve: never colour alone."""
        if name == MEAN:
            return self._theme.text, "o", _DISC
        turn = (place - 1) % len(_ROLES)
        return self._theme.condition(_ROLES[turn]), _MARKS[turn], _SIGNS[turn]

    def _legend(self, shown: TrainingDrawable | None) -> str:
        text = super()._legend(shown) + self._muted("bits per spike over the mean rate")
        if shown is not None and shown.best_step is not None:
            best = "best" if shown.fold == 1 else f"best of fold {shown.fold}"
            where = f"{shown.best_bps:.3f} at step {shown.best_step}"
            text += self._muted(f"(dashed: {best}, {where})")
        for place, name in enumerate({} if shown is None else shown.validation):
            colour, _, sign = self._look(place, name)
            words = html.escape(name.replace("_", _HYPHEN)).replace(" ", "&nbsp;")
            text += (
                f" &nbsp;<span style='color:{colour}'>{sign}</span>"
                f"&nbsp;<span style='color:{self._theme.muted}'>{words}</span>"
            )
        return text
