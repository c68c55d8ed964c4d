"""A unit looked at closely: who it is, its PSTHs by condition, its single trials."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from mtm_viewer.presenters.unit_drawable import UnitDrawable
from mtm_viewer.presenters.unit_settings import UnitSettings
from mtm_viewer.theme import LIGHT, Theme
from mtm_viewer.views.psth_plot import PsthPlot
from mtm_viewer.views.tooltips import tooltip
from mtm_viewer.views.trial_rasters import TrialRasters
from mtm_viewer.views.unit_choices import UnitChoices

EMPTY = "Click a unit in a raster or in the list to look at it closely."
_MINIMUM_WIDTH = 260
_PART_MS = 10
"""Time for a part to be painted, and for whatever a person does meanwhile."""


class UnitPanel(QWidget):
    """Shows one `UnitDrawable`; scrolls when the window is low.

    Notes
    -----
    Signals: `drawn` nothing, when all parts of a drawable are there; `field_toggled` a field by
    which PSTHs are to be split or no longer; `sort_chosen` the name of an order of trials.
    """

    drawn = pyqtSignal()
    field_toggled = pyqtSignal(str)
    sort_chosen = pyqtSignal(str)

    def __init__(self, theme: Theme = LIGHT, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._drawable: UnitDrawable | None = None
        self.title = _label("Unit", self)
        self.subtitle = _label("About the unit", self)
        self.score = _label("Score of the unit", self)
        self.why = _label("What may explain the score", self)
        self.note = _label("How the plots were made", self)
        self.order = _label("Order of the single trials", self)
        self.choices = UnitChoices(self)
        self.choices.field_toggled.connect(self.field_toggled)
        self.choices.sort_chosen.connect(self.sort_chosen)
        self.time_label = _label("Time axis", self)
        self.time_label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._plots: list[PsthPlot] = []
        self.trials = TrialRasters(theme, self)
        self._content = QWidget(self)
        self._content.setAutoFillBackground(False)
        self._box = QVBoxLayout(self._content)
        self._parts: Iterator[Callable[[], None]] = iter(())
        self._clock = QTimer(self)
        self._clock.setSingleShot(True)
        self._clock.timeout.connect(self._draw_next)
        self._lay_out()
        self.setAccessibleName("Unit panel")
        self.setMinimumWidth(_MINIMUM_WIDTH)
        self.set_theme(theme)
        self.draw(None)

    @property
    def drawable(self) -> UnitDrawable | None:
        """What is shown; None for no unit."""
        return self._drawable

    @property
    def parts(self) -> tuple[QWidget, ...]:
        """What a picture of the panel shows, top to bottom: all but what can be chosen."""
        column = (self._box.itemAt(place) for place in range(self._box.count()))
        widgets = [None if item is None else item.widget() for item in column]
        shown = [each for each in widgets if each is not None and not each.isHidden()]
        return tuple(each for each in shown if each is not self.choices)

    @property
    def plots(self) -> tuple[PsthPlot, ...]:
        """The PSTHs on show, top to bottom."""
        return tuple(plot for plot in self._plots if not plot.isHidden())

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        self.title.setStyleSheet(f"color: {theme.text}; font-size: 13pt; font-weight: 600;")
        self.score.setStyleSheet(f"color: {theme.text}; font-weight: 600;")
        for label in (self.subtitle, self.why, self.note, self.time_label, self.order):
            label.setStyleSheet(f"color: {theme.muted};")
        for plot in self._plots:
            plot.set_theme(theme)
        self.trials.set_theme(theme)

    def draw(self, drawable: UnitDrawable | None) -> None:
        """Show a unit; with none, say how to choose one."""
        self._clock.stop()
        for draw_part in self._parts_of(drawable):
            draw_part()
        self.drawn.emit()

    def draw_by_parts(self, drawable: UnitDrawable | None) -> None:
        """Show a unit, its texts at once and its plots one after the other.

        All in one go would keep the window from answering for longer than a person overlooks.
        """
        self._clock.stop()
        self._parts = self._parts_of(drawable)
        self._draw_next()

    def draw_settings(self, settings: UnitSettings) -> None:
        """Show which PSTHs and which order of trials are chosen."""
        self.choices.draw(settings)

    def draw_reasons(self, brief: str, full: str) -> None:
        """Say what may explain the score: in a line, and at length for those who ask."""
        self.why.setText(brief)
        self.why.setToolTip(tooltip(full))
        self.why.setAccessibleDescription(full)
        self.why.setVisible(bool(brief))

    def _draw_next(self) -> None:
        draw_part = next(self._parts, None)
        if draw_part is None:
            self.drawn.emit()
            return
        draw_part()
        self._clock.start(_PART_MS)

    def _parts_of(self, drawable: UnitDrawable | None) -> Iterator[Callable[[], None]]:
        yield partial(self._draw_texts, drawable)
        if drawable is None:
            return
        for position in range(max(len(drawable.plots), len(self._plots))):
            yield partial(self._draw_plot, position, drawable)
        yield partial(self.trials.draw, drawable)

    def _draw_texts(self, drawable: UnitDrawable | None) -> None:
        self._drawable, is_there = drawable, drawable is not None
        parts = (self.title, self.score, self.note, self.time_label, self.trials, self.order)
        for part in (*parts, self.choices):
            part.setVisible(is_there)
        if drawable is None:
            self.subtitle.setText(EMPTY)
            self.draw_reasons("", "")
            for plot in self._plots:
                plot.hide()
            return
        self.title.setText(drawable.title)
        self.subtitle.setText(drawable.subtitle)
        self.score.setText(drawable.score)
        self.score.setToolTip(tooltip(drawable.score_tooltip))
        self.note.setText(drawable.note)
        self.order.setText(f"Single trials {drawable.trial_order}")
        self.time_label.setVisible(any(plot.lines for plot in drawable.plots))
        event = drawable.events[0].name if drawable.events else "start"
        self.time_label.setText(f"time from {event} (ms)")

    def _draw_plot(self, position: int, drawable: UnitDrawable) -> None:
        if position == len(self._plots):
            plot = PsthPlot(self._theme, self._content)
            self._box.insertWidget(self._box.indexOf(self.order), plot, 2)
            self._plots.append(plot)
        is_used = position < len(drawable.plots)
        self._plots[position].setVisible(is_used)
        if is_used:
            self._plots[position].draw(drawable.plots[position], drawable)
        n_full = sum(bool(plot.lines) for plot in drawable.plots)
        if position == n_full - 1:
            self._put_time_label(below=self._plots[position])

    def _put_time_label(self, below: QWidget) -> None:
        """Name the time axis right below the last plot that has one."""
        if self._box.indexOf(self.time_label) != self._box.indexOf(below) + 1:
            self._box.removeWidget(self.time_label)
            self._box.insertWidget(self._box.indexOf(below) + 1, self.time_label)

    def _lay_out(self) -> None:
        self._box.setContentsMargins(6, 6, 6, 6)
        self._box.setSpacing(3)
        for part in (self.title, self.subtitle, self.score, self.why, self.choices):
            self._box.addWidget(part)
        self._box.addWidget(self.time_label)
        self._box.addWidget(self.order)
        self._box.addWidget(self.trials, 4)
        self._box.addWidget(self.note)
        self._box.addStretch(0)
        scroll = QScrollArea(self)
        scroll.setAccessibleName("Unit panel contents")
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self._content)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(scroll)


def _label(accessible_name: str, parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setAccessibleName(accessible_name)
    label.setWordWrap(True)
    label.setContentsMargins(6, 0, 6, 0)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label
