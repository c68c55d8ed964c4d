"""Saving the rasters as a picture: PNG, SVG or PDF, and copying them."""

from __future__ import annotations

from pathlib import Path

import pyqtgraph as pg
from PyQt6.QtCore import QMarginsF, QRect, QSizeF, Qt
from PyQt6.QtGui import QImage, QPageLayout, QPageSize, QPainter, QPdfWriter
from PyQt6.QtSvg import QSvgGenerator
from PyQt6.QtWidgets import QApplication

from mtm_core.errors import OutputError, UnknownNameError
from mtm_core.figures.attachment import attach
from mtm_core.resources import atomic_write

PICTURE_KINDS = ("PNG picture (*.png)", "SVG drawing (*.svg)", "PDF document (*.pdf)")
"""What the rasters can be saved as, for file dialogs."""
_SCALE = 3
"""Pixels of a saved picture for each on screen."""
_POINTS_PER_INCH = 72


def save_picture(view: pg.GraphicsView, path: Path, attachment: str | None = None) -> None:
    """Save what a plot shows, by the ending of the name.

    Parameters
    ----------
    view : GraphicsView
        The plot.
    path : Path
        Where.
    attachment : str or None
        ASCII text to carry inside, such as an experiment; see `mtm_core.figures.attachment`.

    Raises
    ------
    UnknownNameError
        If the ending is none of png, svg, pdf.
    OutputError
        If the file cannot be written.
    """
    savers = {".png": _save_png, ".svg": _save_svg, ".pdf": _save_pdf}
    ending = path.suffix.lower()
    if ending not in savers:
        kind = "kind of picture"
        raise UnknownNameError(kind, ending.removeprefix("."), [e[1:] for e in savers])
    with atomic_write(path) as temporary:
        savers[ending](view, temporary)
        if attachment is not None:
            temporary.write_bytes(attach(temporary.read_bytes(), ending, attachment))


def copy_picture(view: pg.GraphicsView) -> None:
    """Copy what a plot shows to the clipboard."""
    clipboard = QApplication.clipboard()
    if clipboard is not None:
        clipboard.setImage(_image(view))


def _image(view: pg.GraphicsView) -> QImage:
    size = view.size() * _SCALE
    image = QImage(size, QImage.Format.Format_ARGB32)
    image.fill(view.palette().window().color())
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    _paint(view, painter, QRect(0, 0, size.width(), size.height()))
    painter.end()
    return image


def _save_png(view: pg.GraphicsView, path: Path) -> None:
    if not _image(view).save(str(path), "PNG"):
        raise OutputError(_cannot(path))


def _save_svg(view: pg.GraphicsView, path: Path) -> None:
    # A resolution other than the widget's would shift axes against data without any error.
    generator = QSvgGenerator()
    generator.setFileName(str(path))
    generator.setSize(view.size())
    generator.setViewBox(QRect(0, 0, view.width(), view.height()))
    generator.setResolution(view.logicalDpiX())
    generator.setTitle("MtM Viewer rasters")
    painter = QPainter()
    if not painter.begin(generator):
        raise OutputError(_cannot(path))
    _paint(view, painter, QRect(0, 0, view.width(), view.height()))
    painter.end()


def _save_pdf(view: pg.GraphicsView, path: Path) -> None:
    writer = QPdfWriter(str(path))
    writer.setResolution(view.logicalDpiX())
    inches = QSizeF(view.size()) / view.logicalDpiX()
    page = QPageSize(inches * _POINTS_PER_INCH, QPageSize.Unit.Point, "", _exact())
    writer.setPageLayout(QPageLayout(page, QPageLayout.Orientation.Portrait, QMarginsF()))
    writer.setTitle("MtM Viewer rasters")
    painter = QPainter()
    if not painter.begin(writer):
        raise OutputError(_cannot(path))
    painter.setRenderHint(QPainter.RenderHint.LosslessImageRendering)
    _paint(view, painter, QRect(0, 0, view.width(), view.height()))
    painter.end()


def _paint(view: pg.GraphicsView, painter: QPainter, target: QRect) -> None:
    painter.fillRect(target, view.backgroundBrush())
    source = QRect(0, 0, view.width(), view.height())
    view.render(painter, target.toRectF(), source, Qt.AspectRatioMode.IgnoreAspectRatio)


def _exact() -> QPageSize.SizeMatchPolicy:
    return QPageSize.SizeMatchPolicy.ExactMatch


def _cannot(path: Path) -> str:
    return f"The picture could not be written to {path}. Choose another place."
