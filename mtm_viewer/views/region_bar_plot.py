"""The score of each region as a bar with its interval; a click picks the region's units."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PyQt6.QtWidgets import QWidget

from mtm_viewer.presenters.population_drawable import RegionBar, RegionBars
from mtm_viewer.theme import LIGHT, Theme

_ROW_PX, _TOP, _BELOW, _MARGIN = 24, 6, 40, 8
_BAR = 0.56
"""Share of a row that its bar is high."""
HELP = "Arrow keys move, Enter or a click picks the units of a region; with Ctrl they are added."


class RegionBarPlot(QWidget):
    """Draws a `RegionBars`.

    Notes
    -----
    Signals: `region_pointed` the sentence of a bar, "" for none; `region_chosen` a name, and
    whether its units are to be added to those that are picked.
    """

    region_pointed = pyqtSignal(str)
    region_chosen = pyqtSignal(str, bool)

    def __init__(self, theme: Theme = LIGHT, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._drawable = RegionBars()
        self._cursor = -1
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName("Scores by region")
        self.setAccessibleDescription(HELP)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        self.update()

    def draw(self, drawable: RegionBars) -> None:
        """Show the scores of regions."""
        self._drawable = drawable
        self._cursor = min(self._cursor, len(drawable.bars) - 1)
        sentences = [bar.sentence for bar in drawable.bars]
        self.setAccessibleDescription(" ".join([HELP, drawable.message, *sentences]))
        self.setMinimumHeight(self.minimumSizeHint().height())
        self.updateGeometry()
        self.update()

    def row_place(self, name: str) -> QPointF | None:
        """Return the middle of a region's row, in the widget's coordinates."""
        for row, bar in enumerate(self._drawable.bars):
            if bar.name == name:
                return QPointF(self.width() / 2, _TOP + (row + 0.5) * _ROW_PX)
        return None

    def minimumSizeHint(self) -> QSize:
        """Hold all rows; whoever shows it scrolls (Qt's own hook)."""
        return QSize(220, _TOP + _ROW_PX * max(3, len(self._drawable.bars)) + _BELOW)

    def sizeHint(self) -> QSize:
        """Ask for what it holds (Qt's own hook)."""
        return self.minimumSizeHint()

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Point at a row (Qt's own hook)."""
        if event is not None:
            self._point(self._row_at(event.position()))

    def leaveEvent(self, event: QEvent | None) -> None:
        """Point at none (Qt's own hook)."""
        self._point(-1)
        super().leaveEvent(event)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Choose a row (Qt's own hook)."""
        if event is not None and event.button() == Qt.MouseButton.LeftButton:
            self._point(self._row_at(event.position()))
            self._choose(event.modifiers())

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Walk over the rows, or choose one (Qt's own hook)."""
        steps = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
        if event is None:
            return
        key = Qt.Key(event.key())
        last = len(self._drawable.bars) - 1
        if key in steps and last >= 0:
            self._point(min(max(0, self._cursor + steps[key]), last))
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._choose(event.modifiers())
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Draw rows, bars, intervals and the axis (Qt's own hook)."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), QColor(self._theme.window))
        if self._drawable.message:
            painter.setPen(QColor(self._theme.muted))
            flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(
                self.rect().adjusted(12, 12, -12, -12), int(flags), self._drawable.message
            )
            return
        area = self._area()
        painter.fillRect(area, QColor(self._theme.panel))
        for row, bar in enumerate(self._drawable.bars):
            self._paint_row(painter, row, bar, area)
        self._paint_axis(painter, area)

    def _area(self) -> QRectF:
        """Return where bars are drawn."""
        metrics = QFontMetricsF(self.font())
        names = [metrics.horizontalAdvance(bar.name) for bar in self._drawable.bars]
        counts = [metrics.horizontalAdvance(bar.text) for bar in self._drawable.bars]
        left = max(names, default=0.0) + 2 * _MARGIN
        right = max(counts, default=0.0) + 2 * _MARGIN
        height = _ROW_PX * len(self._drawable.bars)
        return QRectF(left, _TOP, max(20.0, self.width() - left - right), height)

    def _x(self, value: float, area: QRectF) -> float:
        low, high = self._drawable.limits
        return area.left() + (value - low) / max(high - low, 1e-9) * area.width()

    def _paint_row(self, painter: QPainter, row: int, bar: RegionBar, area: QRectF) -> None:
        theme = self._theme
        top = area.top() + row * _ROW_PX
        if row == self._cursor:
            pale = QColor(theme.accent)
            pale.setAlpha(40)
            painter.fillRect(QRectF(0, top, self.width(), _ROW_PX), pale)
        zero, end = self._x(0.0, area), self._x(bar.bps, area)
        height = _BAR * _ROW_PX
        box = QRectF(min(zero, end), top + (_ROW_PX - height) / 2, abs(end - zero), height)
        painter.setPen(QPen(QColor(theme.text), 1))
        painter.setBrush(QColor(bar.colour))
        painter.drawRect(box)
        painter.setPen(QPen(QColor(theme.text), 2))
        if bar.interval is not None:
            low, high = (self._x(value, area) for value in bar.interval)
            middle = top + _ROW_PX / 2
            painter.drawLine(QPointF(low, middle), QPointF(high, middle))
            for place in (low, high):
                painter.drawLine(QPointF(place, middle - 4), QPointF(place, middle + 4))
        painter.setPen(QColor(theme.text))
        flags = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(QRectF(0, top, area.left() - _MARGIN, _ROW_PX), flags, bar.name)
        painter.setPen(QColor(theme.muted))
        flags = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(
            QRectF(area.right() + _MARGIN, top, self.width(), _ROW_PX), flags, bar.text
        )

    def _paint_axis(self, painter: QPainter, area: QRectF) -> None:
        painter.setPen(QPen(QColor(self._theme.muted), 1, Qt.PenStyle.DashLine))
        zero = self._x(0.0, area)
        painter.drawLine(QPointF(zero, area.top()), QPointF(zero, area.bottom()))
        painter.setPen(QColor(self._theme.muted))
        low, high = self._drawable.limits
        flags = int(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        for value in _ticks(low, high):
            x = self._x(value, area)
            painter.drawLine(QPointF(x, area.bottom()), QPointF(x, area.bottom() + 4))
            text = f"{value:.2g}".replace("-", "\N{MINUS SIGN}")
            painter.drawText(QRectF(x - 40, area.bottom() + 4, 80, 16), flags, text)
        font = QFont(self.font())
        painter.setFont(font)
        painter.drawText(
            QRectF(0, area.bottom() + 20, self.width(), 18), flags, self._drawable.label
        )

    def _row_at(self, place: QPointF) -> int:
        row = int((place.y() - _TOP) // _ROW_PX)
        return row if 0 <= row < len(self._drawable.bars) else -1

    def _point(self, row: int) -> None:
        if row != self._cursor:
            self._cursor = row
            bars = self._drawable.bars
            self.region_pointed.emit(bars[row].sentence if 0 <= row < len(bars) else "")
            self.update()

    def _choose(self, modifiers: Qt.KeyboardModifier) -> None:
        held = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
        if 0 <= self._cursor < len(self._drawable.bars):
            name = self._drawable.bars[self._cursor].name
            self.region_chosen.emit(name, bool(modifiers & held))


def _ticks(low: float, high: float) -> list[float]:
    """Return a few round numbers, 0 among them."""
    span = max(high - low, 1e-9)
    step = next(
        (s for s in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0) if span / s <= 5), 10.0
    )
    first, last = int(-(-low // step)), int(high // step)
    return [round(k * step, 6) for k in range(first, last + 1)]
