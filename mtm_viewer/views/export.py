"""Saving a panel as a picture: PNG, SVG or PDF, and copying it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyqtgraph as pg
from PyQt6.QtCore import (
    QBuffer,
    QIODevice,
    QMarginsF,
    QPoint,
    QRect,
    QRectF,
    QSize,
    QSizeF,
    Qt,
)
from PyQt6.QtGui import QImage, QPageLayout, QPageSize, QPainter, QPdfWriter
from PyQt6.QtSvg import QSvgGenerator
from PyQt6.QtWidgets import QApplication, QWidget

from mtm_core.errors import OutputError, UnknownNameError
from mtm_core.figures.attachment import attach
from mtm_core.resources import atomic_write

PICTURE_KINDS = ("PNG picture (*.png)", "SVG drawing (*.svg)", "PDF document (*.pdf)")
"""What a panel can be saved as, for file dialogs."""
_SCALE = 3
"""Pixels of a saved picture for each on screen."""
_POINTS_PER_INCH = 72
_MARGIN = 8
Parts = Sequence[QWidget]


def save_picture(parts: Parts, path: Path, attachment: str | None = None, title: str = "") -> None:
    """Save what a panel shows, by the ending of the name.

    Parameters
    ----------
    parts : sequence of QWidget
        What to draw, one below the other: plots, texts, tables.
    path : Path
        Where.
    attachment : str or None
        ASCII text to carry inside, such as an experiment; see `mtm_core.figures.attachment`.
    title : str
        Title of the document, for SVG and PDF.

    Raises
    ------
    UnknownNameError
        If the ending is none of png, svg, pdf.
    OutputError
        If the file cannot be written.
    """
    drawers = {".svg": _draw_svg, ".pdf": _draw_pdf}
    ending = path.suffix.lower()
    if ending == ".png":
        write_image(image_of(parts), path, attachment)
        return
    if ending not in drawers:
        kind = "kind of picture"
        raise UnknownNameError(kind, ending.removeprefix("."), ["pdf", "png", "svg"])
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not drawers[ending](parts, buffer, title):
        raise OutputError(_cannot(path))
    _write(buffer, path, attachment)


def copy_picture(parts: Parts) -> None:
    """Copy what a panel shows to the clipboard."""
    clipboard = QApplication.clipboard()
    if clipboard is not None:
        clipboard.setImage(image_of(parts))


def margin_of(parts: Parts) -> int:
    """Return the pixels around the parts of a picture; a plot alone brings its own."""
    return 0 if all(isinstance(part, pg.GraphicsView) for part in parts) else _MARGIN


def size_of(parts: Parts) -> QSize:
    """Return the size of a picture of some parts, in pixels of the screen."""
    sizes, around = [part.size() for part in parts], 2 * margin_of(parts)
    return QSize(
        max(size.width() for size in sizes) + around,
        sum(size.height() for size in sizes) + around,
    )


def write_image(image: QImage, path: Path, attachment: str | None = None) -> None:
    """Write an image as PNG; any thread may do so.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not image.save(buffer, "PNG"):
        raise OutputError(_cannot(path))
    _write(buffer, path, attachment)


def image_of(parts: Parts) -> QImage:
    """Draw what a panel shows as an image, sharper than the screen."""
    size = size_of(parts)
    image = QImage(size * _SCALE, QImage.Format.Format_ARGB32)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(_SCALE, _SCALE)
    _paint(parts, painter)
    painter.end()
    return image


def _write(buffer: QBuffer, path: Path, attachment: str | None) -> None:
    """Write a picture from memory: Qt itself says nothing of a disk that fills up."""
    picture = buffer.data().data()
    if attachment is not None:
        picture = attach(picture, path.suffix.lower(), attachment)
    with atomic_write(path) as temporary:
        temporary.write_bytes(picture)


def _draw_svg(parts: Parts, device: QBuffer, title: str) -> bool:
    # A resolution other than the widget's would shift axes against data without any error.
    size = size_of(parts)
    generator = QSvgGenerator()
    generator.setOutputDevice(device)
    generator.setSize(size)
    generator.setViewBox(QRect(QPoint(0, 0), size))
    generator.setResolution(parts[0].logicalDpiX())
    generator.setTitle(f"MtM Viewer {title.lower()}".strip())
    painter = QPainter()
    if not painter.begin(generator):
        return False
    _paint(parts, painter)
    return painter.end()


def _draw_pdf(parts: Parts, device: QBuffer, title: str) -> bool:
    dpi = parts[0].logicalDpiX()
    writer = QPdfWriter(device)
    writer.setResolution(dpi)
    inches = QSizeF(size_of(parts)) / dpi
    page = QPageSize(inches * _POINTS_PER_INCH, QPageSize.Unit.Point, "", _exact())
    writer.setPageLayout(QPageLayout(page, QPageLayout.Orientation.Portrait, QMarginsF()))
    writer.setTitle(f"MtM Viewer {title.lower()}".strip())
    painter = QPainter()
    if not painter.begin(writer):
        return False
    painter.setRenderHint(QPainter.RenderHint.LosslessImageRendering)
    _paint(parts, painter)
    return painter.end()


def _paint(parts: Parts, painter: QPainter) -> None:
    window = parts[0].window()
    colour = parts[0].palette().window() if window is None else window.palette().window()
    painter.fillRect(QRect(QPoint(0, 0), size_of(parts)), colour)
    painter.translate(margin_of(parts), margin_of(parts))
    for part in parts:
        painter.save()
        if isinstance(part, pg.GraphicsView):
            own = QRect(0, 0, part.width(), part.height())
            painter.fillRect(own, part.backgroundBrush())
            part.render(painter, QRectF(own), own, Qt.AspectRatioMode.IgnoreAspectRatio)
        else:
            part.render(painter, QPoint(0, 0))
        painter.restore()
        painter.translate(0, part.height())


def _exact() -> QPageSize.SizeMatchPolicy:
    return QPageSize.SizeMatchPolicy.ExactMatch


def _cannot(path: Path) -> str:
    return f"The picture could not be written to {path}. Choose another place."
