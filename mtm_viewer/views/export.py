"""Saving a panel as a picture: PNG, SVG or PDF, and copying it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pyqtgraph as pg
from PyQt6.QtCore import QBuffer, QMarginsF, QPoint, QRect, QRectF, QSize, QSizeF, Qt
from PyQt6.QtGui import (
    QBrush,
    QImage,
    QPageLayout,
    QPageSize,
    QPainter,
    QPdfWriter,
    QPicture,
    QRegion,
)
from PyQt6.QtSvg import QSvgGenerator
from PyQt6.QtWidgets import QWidget

from mtm_core.errors import OutputError, UnknownNameError
from mtm_core.figures.attachment import attach
from mtm_core.resources import atomic_write

PICTURE_KINDS = ("PNG picture (*.png)", "SVG drawing (*.svg)", "PDF document (*.pdf)")
"""What a panel can be saved as, for file dialogs."""
_SCALE = 3
"""Pixels of a saved picture for each on screen."""
_POINTS_PER_INCH = 72
_MARGIN = 8
_LIGHT = 200
_STRIP_PIXELS = 3_000_000
"""Pixels painted in one go."""
Parts = Sequence[QWidget]
WritePicture = Callable[[Path, str | None], None]


def save_picture(parts: Parts, path: Path, attachment: str | None = None, title: str = "") -> None:
    """Save what a panel shows, by the ending of the name; see `prepare_picture`."""
    prepare_picture(parts, path.suffix, title)(path, attachment)


def prepare_picture(parts: Parts, ending: str, title: str = "") -> WritePicture:
    """Draw here what only the window's own thread may draw, and return what writes it.

    Parameters
    ----------
    parts : sequence of QWidget
        What to draw, one below the other: plots, texts, tables.
    ending : str
        Of the file: ``".png"``, ``".svg"``, ``".pdf"``.
    title : str
        Title of the document, for SVG and PDF.

    Returns
    -------
    callable
        ``write(path, attachment)`` writes the file, in any thread, with an ASCII text inside, such
        as an experiment (see `mtm_core.figures.attachment`); None for none. It raises an
        `OutputError` if the file cannot be written.

    Raises
    ------
    UnknownNameError
        If the ending is none of png, svg, pdf.
    """
    drawers = {".svg": _draw_svg, ".pdf": _draw_pdf}
    ending = ending.lower()
    if ending == ".png":
        paint = prepare_image(parts)
        return lambda path, attachment: write_image(paint(), path, attachment)
    if ending not in drawers:
        kind = "kind of picture"
        raise UnknownNameError(kind, ending.removeprefix("."), ["pdf", "png", "svg"])
    content = drawers[ending](parts, f"MtM Viewer {title.lower()}".strip())
    return partial(_write_content, content)


def prepare_image(parts: Parts) -> Callable[[], QImage]:
    """Note down here how a panel is drawn; return what makes an image of it, in any thread.

    The image is sharper than the screen. Its many pixels are painted strip by strip, so that
    Python, and with it the window, has its turn in between.
    """
    size, recorded = size_of(parts), QPicture()
    painter = QPainter(recorded)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _paint(parts, painter)
    painter.end()
    return lambda: _image(recorded, size * _SCALE)


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
    out = _opened_buffer()
    if not image.save(out, "PNG"):
        msg = f"The picture could not be written to {path}. Choose another place."
        raise OutputError(msg)
    _write_content(out.data().data(), path, attachment)


def _write_content(content: bytes, path: Path, attachment: str | None) -> None:
    """Write a picture from memory: Qt itself says nothing of a disk that fills up."""
    if attachment is not None:
        content = attach(content, path.suffix.lower(), attachment)
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)


def _image(recorded: QPicture, size: QSize) -> QImage:
    image = QImage(size, QImage.Format.Format_ARGB32)
    height = max(1, _STRIP_PIXELS // max(1, size.width()))
    whole = QPainter(image)
    whole.setCompositionMode(QPainter.CompositionMode.CompositionMode_Source)
    for top in range(0, size.height(), height):
        whole.drawImage(0, top, _strip(recorded, QSize(size.width(), height), top))
    whole.end()
    return image


def _strip(recorded: QPicture, size: QSize, top: int) -> QImage:
    """Paint a part of a drawing, from a height on; what a drawing clips knows no parts."""
    strip = QImage(size, QImage.Format.Format_ARGB32)
    painter = QPainter(strip)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(0, -top)
    painter.scale(_SCALE, _SCALE)
    painter.drawPicture(0, 0, recorded)
    painter.end()
    return strip


def _draw_svg(parts: Parts, title: str) -> bytes:
    # A resolution other than the widget's would shift axes against data without any error.
    size, out = size_of(parts), _opened_buffer()
    generator = QSvgGenerator()
    generator.setOutputDevice(out)
    generator.setSize(size)
    generator.setViewBox(QRect(QPoint(0, 0), size))
    generator.setResolution(parts[0].logicalDpiX())
    generator.setTitle(title)
    painter = QPainter(generator)
    _paint(parts, painter)
    painter.end()
    return out.data().data()


def _draw_pdf(parts: Parts, title: str) -> bytes:
    dpi, out = parts[0].logicalDpiX(), _opened_buffer()
    writer = QPdfWriter(out)
    writer.setResolution(dpi)
    inches = QSizeF(size_of(parts)) / dpi
    page = QPageSize(inches * _POINTS_PER_INCH, QPageSize.Unit.Point, "", _exact())
    writer.setPageLayout(QPageLayout(page, QPageLayout.Orientation.Portrait, QMarginsF()))
    writer.setTitle(title)
    painter = QPainter(writer)
    painter.setRenderHint(QPainter.RenderHint.LosslessImageRendering)
    _paint(parts, painter)
    painter.end()
    return out.data().data()


def _opened_buffer() -> QBuffer:
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    return buffer


def _paint(parts: Parts, painter: QPainter) -> None:
    window = parts[0].window()
    colour = parts[0].palette().window() if window is None else window.palette().window()
    painter.fillRect(QRect(QPoint(0, 0), size_of(parts)), _paper(colour))
    painter.translate(margin_of(parts), margin_of(parts))
    with _on_paper(parts):
        _paint_parts(parts, painter)


def _paper(brush: QBrush) -> QBrush:
    """Return white in place of a light grey: slides and pages are white; dark ones stay."""
    is_light = brush.style() != Qt.BrushStyle.NoBrush and brush.color().lightness() > _LIGHT
    return QBrush(Qt.GlobalColor.white) if is_light else brush


@contextmanager
def _on_paper(parts: Parts) -> Iterator[None]:
    """Give plots the background of paper while they are painted."""
    plots = [part for part in parts if isinstance(part, pg.GraphicsView)]
    plots += [view for part in parts for view in part.findChildren(pg.GraphicsView)]
    before = [plot.backgroundBrush() for plot in plots]
    for plot, brush in zip(plots, before, strict=True):
        plot.setBackgroundBrush(_paper(brush))
    try:
        yield
    finally:
        for plot, brush in zip(plots, before, strict=True):
            plot.setBackgroundBrush(brush)


def _paint_parts(parts: Parts, painter: QPainter) -> None:
    for part in parts:
        painter.save()
        if isinstance(part, pg.GraphicsView):
            own = QRect(0, 0, part.width(), part.height())
            painter.fillRect(own, part.backgroundBrush())
            part.render(painter, QRectF(own), own, Qt.AspectRatioMode.IgnoreAspectRatio)
        else:
            # Its background is that of the window: paper lies there already.
            part.render(painter, QPoint(0, 0), QRegion(), QWidget.RenderFlag.DrawChildren)
        painter.restore()
        painter.translate(0, part.height())


def _exact() -> QPageSize.SizeMatchPolicy:
    return QPageSize.SizeMatchPolicy.ExactMatch
