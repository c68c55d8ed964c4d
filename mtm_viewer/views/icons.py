"""Small icons, drawn with the theme's colours at any resolution."""

from __future__ import annotations

from functools import cache

from PyQt6.QtCore import QPointF, QRectF, Qt
from PyQt6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap

from mtm_viewer.presenters.region_tree import Visibility

_SIZE = 64


@cache
def eye_icon(state: Visibility, colour: str, accent: str) -> QIcon:
    """Draw an eye: open (visible), struck through (hidden), half open (partly), or in turn."""
    pixmap, painter = _canvas()
    is_hidden = state is Visibility.HIDDEN
    painter.setPen(_pen(accent if state is not Visibility.VISIBLE else colour))
    painter.setOpacity(1.0 if state is not Visibility.VISIBLE else 0.75)
    painter.drawPath(_eyelids(is_half=state in (Visibility.PARTLY, Visibility.MIXED)))
    if state in (Visibility.VISIBLE, Visibility.MIXED, Visibility.PARTLY):
        painter.setBrush(painter.pen().color())
        painter.drawEllipse(QPointF(32, 33), 8, 8)
    if is_hidden:
        painter.drawLine(QPointF(12, 54), QPointF(52, 10))
    if state is Visibility.IN_TURN:
        painter.drawArc(QRectF(22, 23, 20, 20), 60 * 16, 270 * 16)
        painter.drawLine(QPointF(32, 33), QPointF(32, 25))
    painter.end()
    return _icon(pixmap)


@cache
def swatch_icon(colour: str, border: str) -> QIcon:
    """Draw a rounded square of a region's colour."""
    pixmap, painter = _canvas()
    painter.setPen(QPen(QColor(border), 3))
    painter.setBrush(QColor(colour))
    painter.drawRoundedRect(QRectF(10, 10, 44, 44), 10, 10)
    painter.end()
    return _icon(pixmap)


@cache
def app_icon() -> QIcon:
    """Draw the program's icon: a raster with one hidden, hatched band."""
    pixmap, painter = _canvas()
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor("#1d1146"))
    painter.drawRoundedRect(QRectF(2, 2, 60, 60), 12, 12)
    colours = ("#822681", "#f98e09", "#db486a", "#fcfdbf", "#5d177f", "#f5695c")
    for row in range(6):
        for column in range(6):
            painter.setBrush(QColor(colours[(row * 5 + column * column) % 6]))
            painter.setOpacity(0.25 if row in (2, 3) else 1.0)
            painter.drawRoundedRect(QRectF(9 + column * 8, 9 + row * 8, 6, 6), 1.5, 1.5)
    painter.setOpacity(1.0)
    painter.setPen(_pen("#ffffff", 3))
    for left in range(8, 56, 8):
        painter.drawLine(QPointF(left, 40), QPointF(left + 8, 25))
    painter.end()
    return QIcon(pixmap)


def _icon(pixmap: QPixmap) -> QIcon:
    """Keep the colours in selected rows, which Qt would tint."""
    icon = QIcon(pixmap)
    icon.addPixmap(pixmap, QIcon.Mode.Selected)
    return icon


def _canvas() -> tuple[QPixmap, QPainter]:
    pixmap = QPixmap(_SIZE, _SIZE)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    return pixmap, painter


def _pen(colour: str, width: float = 5) -> QPen:
    pen = QPen(QColor(colour), width)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    return pen


def _eyelids(*, is_half: bool) -> QPainterPath:
    path = QPainterPath(QPointF(6, 33))
    path.quadTo(QPointF(32, 60), QPointF(58, 33))
    path.quadTo(QPointF(32, 20 if is_half else 6), QPointF(6, 33))
    return path
