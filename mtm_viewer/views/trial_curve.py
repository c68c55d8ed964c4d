"""A number for each trial, in the order of the list: click or drag to go to one."""

from __future__ import annotations

import numpy as np
from PyQt6.QtCore import QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QMouseEvent, QPainter, QPaintEvent, QPen
from PyQt6.QtWidgets import QSizePolicy, QWidget

from mtm_viewer.presenters.trial_order import TrialValues
from mtm_viewer.theme import LIGHT, Theme

_HEIGHT_PX, _MARGIN = 48, 6
_DOT = 2.2


class TrialCurve(QWidget):
    """Draws `TrialValues` as dots, with a line at the trial that is shown.

    Notes
    -----
    Signal: `place_chosen` a place in the list.
    """

    place_chosen = pyqtSignal(int)

    def __init__(self, theme: Theme = LIGHT, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._values: TrialValues | None = None
        self._place = 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("What trials are sorted by, trial by trial")

    def sizeHint(self) -> QSize:
        """Ask for a strip (Qt's own hook)."""
        return QSize(200, _HEIGHT_PX)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        self.update()

    def draw(self, values: TrialValues | None, place: int) -> None:
        """Show a list, and which of it is on screen."""
        self._values, self._place = values, place
        words = ""
        if values is not None and len(values.values):
            words = f"{values.words}: {values.text(place)}"
        self.setAccessibleDescription(words)
        self.setToolTip(f"Click or drag to go to a trial. {words}".strip())
        self.update()

    def spot_of(self, place: int) -> QPointF:
        """Return where a place of the list is, in the widget's coordinates."""
        n = 1 if self._values is None else max(1, len(self._values.values))
        area = self._area()
        return QPointF(area.left() + (place + 0.5) / n * area.width(), area.center().y())

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Go to the trial under the pointer (Qt's own hook)."""
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self._go(event.position().x())

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Scrub while the button is down (Qt's own hook)."""
        if event is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self._go(event.position().x())

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw dots and the line (Qt's own hook)."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = self._area()
        painter.fillRect(area, QColor(self._theme.panel))
        if self._values is None or not len(self._values.values):
            return
        x = self.spot_of(self._place).x()
        painter.setPen(QPen(QColor(self._theme.accent), 2))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        self._paint_dots(painter, area, self._values)

    def _paint_dots(self, painter: QPainter, area: QRectF, values: TrialValues) -> None:
        known = np.flatnonzero(values.is_valid)
        if not len(known):
            return
        low, high = float(values.values[known].min()), float(values.values[known].max())
        room = area.height() - 4 * _DOT
        painter.setPen(QPen(QColor(self._theme.border), 1, Qt.PenStyle.DashLine))
        if low < 0 < high:
            zero = area.bottom() - 2 * _DOT - (0 - low) / (high - low) * room
            painter.drawLine(QPointF(area.left(), zero), QPointF(area.right(), zero))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(self._theme.muted))
        for place in known.tolist():
            share = (values.values[place] - low) / max(high - low, 1e-12)
            spot = QPointF(self.spot_of(place).x(), area.bottom() - 2 * _DOT - share * room)
            is_here = place == self._place
            painter.setBrush(QColor(self._theme.accent if is_here else self._theme.muted))
            painter.drawEllipse(spot, _DOT * (1 + is_here), _DOT * (1 + is_here))

    def _area(self) -> QRectF:
        return QRectF(self.rect()).adjusted(_MARGIN, 2, -_MARGIN, -2)

    def _go(self, x: float) -> None:
        if self._values is None or not len(self._values.values):
            return
        area, n = self._area(), len(self._values.values)
        place = int(np.clip((x - area.left()) / max(area.width(), 1.0) * n, 0, n - 1))
        if place != self._place:
            self.place_chosen.emit(place)
