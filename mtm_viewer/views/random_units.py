"""Two short lines: hide a random share of units, drawn by a seed."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QGridLayout, QLabel, QPushButton, QSizePolicy, QSpinBox, QWidget

from mtm_viewer.presenters.mask_edits import RANDOM_SCOPES
from mtm_viewer.views.selector import fill_selector, selector

_USUAL_PERCENT = 30
_LARGEST_SEED = 9_999
_SEED_WIDTH = 66


class RandomUnits(QWidget):
    """Share, scope, seed and a button.

    Notes
    -----
    Signal: `asked` scope, per cent and seed.
    """

    asked = pyqtSignal(str, float, int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.percent = _spin(self, "Per cent of units to hide", (1, 100), _USUAL_PERCENT)
        self.percent.setSuffix(" %")
        self.scope = selector(self, "Units to draw from", "Which units the share is drawn from.")
        fill_selector(self.scope, {str(k): text for k, text in RANDOM_SCOPES.items()}, "all")
        self.seed = _spin(self, "Seed of the draw", (0, _LARGEST_SEED), 0)
        self.scope.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.seed.setMaximumWidth(_SEED_WIDTH)
        self.seed.setToolTip("The same seed draws the same units again.")
        self.draw_units = QPushButton("Hide at &random", self)
        self.draw_units.setToolTip("Hide a random share of units, in place of what is hidden.")
        self.draw_units.clicked.connect(lambda _: self._ask())
        seed = QLabel("Seed", self)
        seed.setBuddy(self.seed)
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setSpacing(4)
        grid.addWidget(self.percent, 0, 0)
        grid.addWidget(self.scope, 0, 1, 1, 2)
        grid.addWidget(self.draw_units, 1, 0, 1, 1)
        grid.addWidget(seed, 1, 1)
        grid.addWidget(self.seed, 1, 2)
        grid.setColumnStretch(2, 1)

    def _ask(self) -> None:
        self.asked.emit(self.scope.currentData(), float(self.percent.value()), self.seed.value())


def _spin(parent: QWidget, name: str, limits: tuple[int, int], value: int) -> QSpinBox:
    spin = QSpinBox(parent)
    spin.setAccessibleName(name)
    spin.setRange(*limits)
    spin.setValue(value)
    return spin
