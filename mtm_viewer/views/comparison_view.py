"""The panel of a comparison: with what, which conditions, the change in words and by unit."""

from __future__ import annotations

from collections.abc import Mapping

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from mtm_viewer.presenters.compare_choice import CompareChoice
from mtm_viewer.presenters.comparison_panel import ComparisonDrawable
from mtm_viewer.theme import LIGHT, Theme
from mtm_viewer.views.comparison_plot import ComparisonPlot
from mtm_viewer.views.selector import fill_selector, selector

KEY_HINT = (
    "A point is a unit, in its region's colour: above the dashed line the model tells more. "
    "Filled: its interval leaves out 0; open: it does not; small: under 30 spikes. Point at one "
    "to read it, click it to look closer."
)


class ComparisonView(QWidget):
    """Shows a comparison; tells what a person asks for.

    Notes
    -----
    Signals: `opponent_chosen` and `contrast_chosen` a key, `blink_asked` whether to show the
    other, `unit_clicked` a unit id, `table_asked` nothing.
    """

    opponent_chosen = pyqtSignal(str)
    contrast_chosen = pyqtSignal(str)
    blink_asked = pyqtSignal(bool)
    unit_clicked = pyqtSignal(str)
    table_asked = pyqtSignal()

    def __init__(self, theme: Theme = LIGHT, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._role = "muted"
        self._unit_text = ""
        self.opponent = selector(
            self, "Compare with", "What the model on screen is compared with, on the same trials."
        )
        self.contrast = selector(
            self, "Contrast", "Two conditions whose difference is shown, true and reconstructed."
        )
        self.blink = QPushButton("&Blink (X)", self)
        self.table = QPushButton("Save table\N{HORIZONTAL ELLIPSIS}", self)
        self.headline = self._text("Change")
        self.sentence = self._text("Which tells more")
        self.plot = ComparisonPlot(theme, self)
        self.key = self._text("What the points mean")
        self.units = self._text("For how many units")
        self.unit = self._text("Change of the selected unit")
        self.contrast_words = self._text("What of the contrast survives the mask")
        self.caution = self._text("What to mind")
        self.key.setText(KEY_HINT)
        self._set_up()
        self._lay_out()
        self._connect()
        self.setAccessibleName("Comparison panel")
        self.set_theme(theme)

    def draw_choice(
        self, choice: CompareChoice, opponents: Mapping[str, str], contrasts: Mapping[str, str]
    ) -> None:
        """List what can be compared, and show what is."""
        fill_selector(self.opponent, opponents, choice.key)
        fill_selector(self.contrast, contrasts, choice.contrast)

    def draw(self, drawable: ComparisonDrawable, unit_id: str) -> None:
        """Show a comparison."""
        self._role = drawable.role
        for label, text in (
            (self.headline, drawable.headline),
            (self.sentence, drawable.sentence),
            (self.units, drawable.units),
            (self.unit, drawable.unit),
            (self.contrast_words, drawable.contrast),
            (self.caution, drawable.caution),
        ):
            label.setText(text)
            label.setVisible(bool(text))
        self._unit_text = drawable.unit
        has_points = drawable.points is not None
        self.plot.draw(drawable.points, drawable.axes, unit_id)
        for widget in (self.plot, self.key):
            widget.setVisible(has_points)
        self.table.setEnabled(has_points)
        self.blink.setEnabled(drawable.can_blink)
        self._colour_headline()

    def draw_blink(self, *, is_on: bool) -> None:
        """Show whether the other is shown."""
        self.blink.blockSignals(True)
        self.blink.setChecked(is_on)
        self.blink.blockSignals(False)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        self.plot.set_theme(theme)
        for label in (self.key, self.caution):
            label.setStyleSheet(f"color: {theme.muted};")
        self._colour_headline()

    def _colour_headline(self) -> None:
        theme = self._theme
        colours = {"good": theme.good, "warning": theme.warning, "bad": theme.bad}
        colour = colours.get(self._role, theme.muted)
        size = "" if self._role == "muted" else " font-size: 13pt;"
        self.headline.setStyleSheet(f"color: {colour}; font-weight: 600;{size}")

    def _text(self, accessible_name: str) -> QLabel:
        label = QLabel(self)
        label.setAccessibleName(accessible_name)
        label.setWordWrap(True)
        label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        label.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        return label

    def _set_up(self) -> None:
        for box in (self.opponent, self.contrast):
            box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            box.setMinimumWidth(80)
        self.blink.setCheckable(True)
        self.blink.setAccessibleName("Show the other in place of the reconstruction")
        self.blink.setToolTip(
            "Exchange the reconstruction with what it is compared with, and back (X)."
        )
        self.table.setAccessibleName("Save the change of every unit as a table")

    def _lay_out(self) -> None:
        inner = QWidget(self)
        column = QVBoxLayout(inner)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(6)
        form = QFormLayout()
        form.addRow("Compare &with", self.opponent)
        form.addRow("&Contrast", self.contrast)
        column.addLayout(form)
        row = QHBoxLayout()
        row.addWidget(self.blink)
        row.addWidget(self.table)
        row.addStretch(1)
        column.addLayout(row)
        for widget in (self.headline, self.sentence):
            column.addWidget(widget)
        column.addWidget(self.plot, 1)
        for widget in (self.key, self.units, self.unit, self.contrast_words, self.caution):
            column.addWidget(widget)
        column.addStretch(0)
        area = QScrollArea(self)
        area.setWidget(inner)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFrameShape(QScrollArea.Shape.NoFrame)
        area.setAccessibleName("Comparison")
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(area)

    def _connect(self) -> None:
        self.opponent.activated.connect(
            lambda _: self.opponent_chosen.emit(self.opponent.currentData())
        )
        self.contrast.activated.connect(
            lambda _: self.contrast_chosen.emit(self.contrast.currentData())
        )
        self.blink.toggled.connect(self.blink_asked)
        self.table.clicked.connect(lambda _: self.table_asked.emit())
        self.plot.unit_clicked.connect(self.unit_clicked)
        self.plot.pointed.connect(lambda words: self.unit.setText(words or self._unit_text))
