"""Draws the program's icon as a large PNG: ``python make_icon.py build/icon.png``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QGuiApplication, QImage, QPainter
from PyQt6.QtSvg import QSvgRenderer

SIZE = 512


def main(path: Path) -> None:
    """Draw the SVG beside this file."""
    app = QGuiApplication([])
    image = QImage(SIZE, SIZE, QImage.Format.Format_ARGB32)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    QSvgRenderer(str(Path(__file__).with_name("mtm-viewer.svg"))).render(painter)
    painter.end()
    path.parent.mkdir(parents=True, exist_ok=True)
    if not image.save(str(path), "PNG"):
        sys.exit(f"{path} could not be written.")
    del app


if __name__ == "__main__":
    main(Path(sys.argv[1]))
