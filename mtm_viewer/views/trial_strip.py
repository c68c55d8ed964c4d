"""Lists to choose trials by: split, side, contrast, outcome, choice, block, with counts."""

from __future__ import annotations

from typing import cast

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QComboBox, QGridLayout, QLabel, QPushButton, QWidget

from mtm_viewer.presenters.condition_words import FIELD_TITLES
from mtm_viewer.presenters.trial_filter import (
    FilterDrawable,
    FilterOption,
    SplitName,
    TrialFilter,
)
from mtm_viewer.theme import Theme
from mtm_viewer.views.selector import fill_selector, selector

_PER_ROW = 3


class TrialStrip(QWidget):
    """Lists of what trials can be chosen by.

    Notes
    -----
    Signal: `filter_chosen` a `TrialFilter`.
    """

    filter_chosen = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._chosen = TrialFilter()
        self.split = selector(self, "Part of the session", "Which part of the session is shown.")
        self.fields: dict[str, QComboBox] = {}
        self._labels: dict[str, QLabel] = {}
        for field, title in FIELD_TITLES.items():
            box = selector(self, f"{title} of the trials", f"Show trials of one {title.lower()}.")
            label = QLabel(title, self)
            label.setBuddy(box)
            self.fields[field], self._labels[field] = box, label
            box.activated.connect(lambda _, field=field: self._choose_level(field))
        self.reset = QPushButton("Reset", self)
        self.reset.setAccessibleName("Show all test trials")
        self.reset.setToolTip("Show every test trial again.")
        self._lay_out()
        self.split.activated.connect(lambda _: self._choose_split())
        self.reset.clicked.connect(lambda _: self.filter_chosen.emit(TrialFilter()))

    def draw(self, drawable: FilterDrawable) -> None:
        """Show what can be chosen; nothing is emitted."""
        self._chosen = drawable.chosen
        _fill(self.split, drawable.splits, drawable.chosen.split)
        shown = dict(drawable.fields)
        for field, box in self.fields.items():
            for widget in (box, self._labels[field]):
                widget.setVisible(field in shown)
            if field in shown:
                _fill(box, shown[field], drawable.chosen.level(field))
        self.reset.setEnabled(drawable.chosen != TrialFilter())

    def set_theme(self, theme: Theme) -> None:
        """Follow the window's colours."""
        for label in (self.part, *self._labels.values()):
            label.setStyleSheet(f"color: {theme.muted};")

    def _lay_out(self) -> None:
        self.part = QLabel("Part", self)
        self.part.setBuddy(self.split)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(6)
        grid.setVerticalSpacing(4)
        pairs = [
            (self.part, self.split),
            *((self._labels[f], self.fields[f]) for f in self.fields),
        ]
        for place, (text, box) in enumerate(pairs):
            row, column = divmod(place, _PER_ROW)
            grid.addWidget(text, row, 2 * column)
            grid.addWidget(box, row, 2 * column + 1)
        grid.addWidget(self.reset, 0, 2 * _PER_ROW)
        grid.setColumnStretch(2 * _PER_ROW + 1, 1)

    def _choose_split(self) -> None:
        split = cast("SplitName", self.split.currentData())
        self.filter_chosen.emit(TrialFilter(split=split, levels=self._chosen.levels))

    def _choose_level(self, field: str) -> None:
        level = self.fields[field].currentData()
        self.filter_chosen.emit(self._chosen.with_level(field, level))


def _fill(box: QComboBox, options: tuple[FilterOption, ...], chosen: str) -> None:
    fill_selector(box, {option.value: option.text for option in options}, chosen)
