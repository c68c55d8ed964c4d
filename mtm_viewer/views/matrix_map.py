"""The heat map of a region-to-region matrix: painted cells, a cursor, clicks."""

from __future__ import annotations

from typing import NamedTuple

from PyQt6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QBrush,
    QColor,
    QFont,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PyQt6.QtWidgets import QSizePolicy, QWidget

from mtm_viewer.presenters.region_matrix import MatrixDrawable
from mtm_viewer.theme import DIFFERENCE, LIGHT, Theme, contrast

_LARGEST_CELL, _GAP, _BAND = 56.0, 4.0, 5.0
_SMALLEST_TEXT_PX, _USUAL_TEXT_PX = 8, 11
_STRIP_LINES = ("all others", "no neuron")
_KEYS = {
    Qt.Key.Key_Left: (0, -1),
    Qt.Key.Key_Right: (0, 1),
    Qt.Key.Key_Up: (-1, 0),
    Qt.Key.Key_Down: (1, 0),
}


class _Margins(NamedTuple):
    """Room around the cells, in pixels."""

    left: float
    top: float
    below: float


class MatrixMap(QWidget):
    """Shows a `MatrixDrawable`; the pointer or the arrow keys move a cursor over its cells.

    Notes
    -----
    Signals: `cell_pointed` a row and a column (-1 and -1 for none), `cell_chosen` likewise.
    """

    cell_pointed = pyqtSignal(int, int)
    cell_chosen = pyqtSignal(int, int)

    def __init__(self, theme: Theme = LIGHT, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._drawable: MatrixDrawable | None = None
        self._cursor: tuple[int, int] | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.setAccessibleName("Region-to-region matrix")
        self.setAccessibleDescription(
            "Rows: the only region in view; columns: the region predicted. Arrow keys move, "
            "Enter sets the mask of a cell."
        )

    @property
    def cursor_cell(self) -> tuple[int, int] | None:
        """Row and column under the pointer or the keys' cursor."""
        return self._cursor

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        self.update()

    def draw(self, drawable: MatrixDrawable | None) -> None:
        """Show a matrix; None shows nothing."""
        before, self._drawable = self._drawable, drawable
        regions = () if before is None else before.regions
        if drawable is None or drawable.regions != regions:
            self._point(None)
        has_strip = before is not None and bool(before.floors)
        if drawable is None or (drawable.regions, bool(drawable.floors)) != (regions, has_strip):
            self.updateGeometry()
        self.update()

    def cell_rect(self, row: int, column: int) -> QRectF:
        """Return where a cell lies, in the widget's coordinates."""
        left, top, side = self._geometry()
        return QRectF(left + column * side, top + row * side, side, side)

    def heightForWidth(self, width: int) -> int:
        """Need no more height than square cells of this width take (Qt's own hook)."""
        if self._drawable is None or not self._drawable.regions:
            return self.sizeHint().height()
        margins = self._margins()
        n = len(self._drawable.regions)
        side = min((width - margins.left - _GAP) / n, _LARGEST_CELL)
        return int(margins.top + n * max(side, 1.0) + margins.below) + 1

    def sizeHint(self) -> QSize:
        """Ask for a square that numbers fit into (Qt's own hook)."""
        return QSize(380, 380)

    def minimumSizeHint(self) -> QSize:
        """Stay large enough to point at cells (Qt's own hook)."""
        return QSize(220, 200)

    def mouseMoveEvent(self, event: QMouseEvent | None) -> None:
        """Move the cursor with the pointer (Qt's own hook)."""
        if event is not None:
            self._point(self._cell_at(event.position()))

    def leaveEvent(self, event: QEvent | None) -> None:
        """Point at nothing (Qt's own hook)."""
        super().leaveEvent(event)
        if not self.hasFocus():
            self._point(None)

    def mousePressEvent(self, event: QMouseEvent | None) -> None:
        """Choose a cell (Qt's own hook)."""
        if event is None or event.button() != Qt.MouseButton.LeftButton:
            return
        cell = self._cell_at(event.position())
        self._point(cell)
        self._choose(cell)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Move the cursor, or choose its cell (Qt's own hook)."""
        if event is None:
            return
        key = event.key()
        if key in _KEYS and self._drawable is not None:
            self._move(*_KEYS[Qt.Key(key)])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._choose(self._cursor)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint the whole matrix (Qt's own hook)."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self._theme.panel))
        if self._drawable is None or not self._drawable.regions:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_cells(painter, self._drawable)
        self._paint_labels(painter, self._drawable)
        self._paint_strip(painter, self._drawable)
        self._paint_cursor(painter)

    def _move(self, down: int, right: int) -> None:
        n = len(self._drawable.regions) if self._drawable is not None else 0
        row, column = self._cursor or (0, 0)
        if self._cursor is not None:
            row, column = min(max(row + down, 0), n - 1), min(max(column + right, 0), n - 1)
        self._point((row, column) if n else None)

    def _point(self, cell: tuple[int, int] | None) -> None:
        if cell != self._cursor:
            self._cursor = cell
            self.cell_pointed.emit(*(cell or (-1, -1)))
            self.update()

    def _choose(self, cell: tuple[int, int] | None) -> None:
        if cell is not None and cell[0] != cell[1]:
            self.cell_chosen.emit(*cell)

    def _cell_at(self, place: QPointF) -> tuple[int, int] | None:
        n = len(self._drawable.regions) if self._drawable is not None else 0
        left, top, side = self._geometry()
        row, column = int((place.y() - top) // side), int((place.x() - left) // side)
        return (row, column) if 0 <= row < n and 0 <= column < n else None

    def _geometry(self) -> tuple[float, float, float]:
        """Return left edge, top edge and side of the cells."""
        if self._drawable is None or not self._drawable.regions:
            return 0.0, 0.0, 1.0
        n, margins = len(self._drawable.regions), self._margins()
        wide = (self.width() - margins.left - _GAP) / n
        high = (self.height() - margins.top - margins.below) / n
        return margins.left, margins.top, max(min(wide, high, _LARGEST_CELL), 1.0)

    def _margins(self) -> _Margins:
        """Return the room that labels and strip take."""
        label = self._label_width() + _BAND + 2 * _GAP
        has_strip = self._drawable is not None and bool(self._drawable.floors)
        below = len(_STRIP_LINES) * self._line() + 2 * _GAP if has_strip else _GAP
        return _Margins(left=max(label, self._strip_width()), top=label, below=below)

    def _label_width(self) -> float:
        metrics = QFontMetricsF(self._font())
        names = self._drawable.regions if self._drawable is not None else ()
        return max((metrics.horizontalAdvance(name) for name in names), default=0.0)

    def _strip_width(self) -> float:
        if self._drawable is None or not self._drawable.floors:
            return 0.0
        metrics = QFontMetricsF(self._font())
        return max(metrics.horizontalAdvance(line) for line in _STRIP_LINES) + 2 * _GAP

    def _font(self, *, is_bold: bool = False, pixels: int = _USUAL_TEXT_PX) -> QFont:
        font = QFont(self.font())
        font.setPixelSize(pixels)
        font.setBold(is_bold)
        return font

    def _line(self) -> float:
        return QFontMetricsF(self._font()).height()

    def _number_font(self, side: float, *, is_bold: bool) -> QFont | None:
        """Return a font in which a number fits into a cell; None if none that can be read."""
        for pixels in range(_USUAL_TEXT_PX, _SMALLEST_TEXT_PX - 1, -1):
            font = self._font(is_bold=is_bold, pixels=pixels)
            if QFontMetricsF(font).horizontalAdvance("\N{MINUS SIGN}.00") + 2 <= side:
                return font
        return None

    def _paint_cells(self, painter: QPainter, drawable: MatrixDrawable) -> None:
        lut, side = self._theme.lut(DIFFERENCE), self._geometry()[2]
        fonts = {is_bold: self._number_font(side, is_bold=is_bold) for is_bold in (False, True)}
        for row in range(len(drawable.regions)):
            for column in range(len(drawable.regions)):
                rect = self.cell_rect(row, column).adjusted(0.5, 0.5, -0.5, -0.5)
                if row == column:
                    painter.fillRect(rect, QColor(drawable.region_colours[row]))
                    continue
                if not drawable.is_known[row, column]:
                    hatch = QBrush(QColor(self._theme.border), Qt.BrushStyle.BDiagPattern)
                    painter.fillRect(rect, hatch)
                    continue
                colour = QColor(*lut[drawable.colour[row, column]].tolist())
                painter.fillRect(rect, colour)
                self._paint_number(painter, rect, colour, drawable, (row, column), fonts)

    def _paint_number(
        self,
        painter: QPainter,
        rect: QRectF,
        colour: QColor,
        drawable: MatrixDrawable,
        place: tuple[int, int],
        fonts: dict[bool, QFont | None],
    ) -> None:
        font = fonts[bool(drawable.is_firm[place])]
        if font is None:
            return
        name = colour.name()
        ink = max(("#000000", "#ffffff"), key=lambda each: contrast(each, name))
        painter.setFont(font)
        painter.setPen(QColor(ink))
        text = drawable.texts[place[0]][place[1]]
        painter.drawText(rect, int(Qt.AlignmentFlag.AlignCenter), text)

    def _paint_labels(self, painter: QPainter, drawable: MatrixDrawable) -> None:
        left, top, side = self._geometry()
        painter.setFont(self._font())
        height = self._line()
        step = max(1, int(-(-height // side)))  # names that would overlap are left out
        for place, name in enumerate(drawable.regions):
            is_pointed = self._cursor is not None and place in self._cursor
            if place % step and not is_pointed:
                continue
            colour = QColor(drawable.region_colours[place])
            painter.fillRect(
                QRectF(left - _BAND - 1, top + place * side + 1, _BAND, side - 2), colour
            )
            painter.fillRect(
                QRectF(left + place * side + 1, top - _BAND - 1, side - 2, _BAND), colour
            )
            self._paint_name(painter, name, place)

    def _paint_name(self, painter: QPainter, name: str, place: int) -> None:
        left, top, side = self._geometry()
        height, middle = self._line(), (place + 0.5) * side
        right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        painter.setPen(self._label_pen(place, axis=0))
        box = QRectF(0, top + middle - height / 2, left - _BAND - _GAP, height)
        painter.drawText(box, right, name)
        painter.setPen(self._label_pen(place, axis=1))
        painter.save()
        painter.translate(left + middle, top - _BAND - _GAP)
        painter.rotate(-90)
        upright = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        painter.drawText(QRectF(0, -height / 2, top, height), upright, name)
        painter.restore()

    def _label_pen(self, place: int, axis: int) -> QPen:
        is_pointed = self._cursor is not None and self._cursor[axis] == place
        return QPen(QColor(self._theme.accent if is_pointed else self._theme.text))

    def _paint_strip(self, painter: QPainter, drawable: MatrixDrawable) -> None:
        """Write ceilings and floors below their columns."""
        if not drawable.floors:
            return
        left, top, side = self._geometry()
        below, height = top + len(drawable.regions) * side + _GAP, self._line()
        font = self._number_font(side, is_bold=False)
        painter.setPen(QColor(self._theme.muted))
        for line, (name, numbers) in enumerate(
            zip(_STRIP_LINES, (drawable.ceilings, drawable.floors), strict=True)
        ):
            y = below + line * height
            painter.setFont(self._font())
            right = int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            painter.drawText(QRectF(0, y, left - _GAP, height), right, name)
            if font is None:
                continue
            painter.setFont(font)
            for column, text in enumerate(numbers):
                box = QRectF(left + column * side, y, side, height)
                painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter), text)

    def _paint_cursor(self, painter: QPainter) -> None:
        if self._cursor is None:
            return
        pen = QPen(QColor(self._theme.accent), 2.0)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(self.cell_rect(*self._cursor))
