"""The strip above a session: recorded or simulated, units, trials, drift, what is missing."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QPainter, QPaintEvent
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from mtm_viewer.presenters.health import Chip
from mtm_viewer.theme import LIGHT, Theme, mix
from mtm_viewer.views.status import ElidedLabel

_BAR_WIDTH, _BAR_GAP, _BARS_HEIGHT = 4, 2, 14
_STRETCH = {"Trials": 200, "Missing behaviour": 100}
"""Chips that may be cut where there is no room; they are whole in their tooltips."""


class Bars(QWidget):
    """A tiny bar chart.

    Parameters
    ----------
    heights : sequence of float
        0 to 1.
    """

    def __init__(self, heights: Sequence[float], colour: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._heights = tuple(heights)
        self._colour = colour
        width = len(self._heights) * (_BAR_WIDTH + _BAR_GAP)
        self.setFixedSize(width, _BARS_HEIGHT)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw the bars (Qt's own hook)."""
        painter = QPainter(self)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._colour))
        for place, share in enumerate(self._heights):
            height = max(1.0, share * _BARS_HEIGHT)
            left = place * (_BAR_WIDTH + _BAR_GAP)
            painter.drawRect(QRectF(left, _BARS_HEIGHT - height, _BAR_WIDTH, height))


class HealthStrip(QWidget):
    """Shows chips; tells when somebody wants to know more.

    Notes
    -----
    Signals: `details_requested`, `settings_requested`.
    """

    details_requested = pyqtSignal()
    settings_requested = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("health")
        self.setAccessibleName("Health of the session")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._theme = LIGHT
        self._chips: tuple[Chip, ...] = ()
        self._shown: list[QWidget] = []
        self.labels: dict[str, QLabel] = {}
        self.details = QPushButton("Details…", self)
        self.details.setToolTip("Where the session came from, and by which rules it was prepared.")
        self.settings = QPushButton("Prepare again…", self)
        self.settings.setToolTip("Change units, trials, window or bins.")
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(8, 3, 8, 3)
        self._row.setSpacing(8)
        self._row.addStretch(1)
        self._row.addWidget(self.details)
        self._row.addWidget(self.settings)
        self.details.clicked.connect(lambda _: self.details_requested.emit())
        self.settings.clicked.connect(lambda _: self.settings_requested.emit())
        self.draw((), can_prepare=False)

    def draw(self, chips: Sequence[Chip], *, can_prepare: bool) -> None:
        """Show chips; `can_prepare` offers to prepare the recording again."""
        self._chips = tuple(chips)
        self.settings.setVisible(can_prepare)
        for widget in self._shown:
            self._row.removeWidget(widget)
            widget.deleteLater()
        self._shown, self.labels = [], {}
        for chip in self._chips:
            self._add(chip)

    def set_theme(self, theme: Theme) -> None:
        """Follow the window's colours."""
        self._theme = theme
        if self._chips:
            self.draw(self._chips, can_prepare=self.settings.isVisibleTo(self))

    def sizeHint(self) -> QSize:
        """Be as high as one line, and shrink in width (Qt's own hook)."""
        return QSize(0, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:
        """Never keep the window wide (Qt's own hook)."""
        return QSize(0, super().minimumSizeHint().height())

    def _add(self, chip: Chip) -> None:
        colour = getattr(self._theme, chip.role)
        is_elastic = chip.name in _STRETCH
        label = ElidedLabel(chip.name, self) if is_elastic else QLabel(self)
        label.setAccessibleName(chip.name)
        label.setText(chip.text)
        label.setToolTip(chip.tooltip)
        label.setAccessibleDescription(chip.tooltip)
        if chip.is_badge:
            back = mix(self._theme.panel, colour, 0.16)
            label.setStyleSheet(
                f"color: {colour}; background: {back}; border: 1px solid {colour};"
                "border-radius: 9px; padding: 1px 8px;"
            )
        else:
            label.setStyleSheet(f"color: {colour};")
            self._insert(_divider(self._theme, self))
        if is_elastic:
            width = label.fontMetrics().horizontalAdvance(chip.text) + 8
            label.setMaximumWidth(width)
            label.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.labels[chip.name] = label
        self._insert(label, _STRETCH.get(chip.name, 0))
        if chip.bars:
            bars = Bars(chip.bars, colour, self)
            bars.setToolTip(chip.tooltip)
            self._insert(bars)

    def _insert(self, widget: QWidget, stretch: int = 0) -> None:
        self._row.insertWidget(len(self._shown), widget, stretch)
        self._shown.append(widget)


def _divider(theme: Theme, parent: QWidget) -> QLabel:
    dot = QLabel("\N{MIDDLE DOT}", parent)
    dot.setStyleSheet(f"color: {theme.muted};")
    return dot
