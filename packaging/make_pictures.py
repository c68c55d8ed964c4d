"""Draws every picture of the documentation anew: ``python packaging/make_pictures.py [FOLDER]``.

Opens the real window without a display, does what the pages say, and saves what is seen. The
default folder is ``docs``; the figure of the headless tutorial is drawn by `mtm-core` itself.
"""

from __future__ import annotations

import gc
import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ["QT_QPA_PLATFORM"] = "offscreen"

import torch  # noqa: E402, F401 - before Qt: the other order fails on Windows
from PIL import Image  # noqa: E402
from PyQt6.QtCore import QPoint, QPointF, Qt  # noqa: E402
from PyQt6.QtTest import QTest  # noqa: E402
from PyQt6.QtWidgets import QApplication, QWidget  # noqa: E402

from mtm_core.cli.__main__ import main as mtm_core  # noqa: E402
from mtm_viewer import app as program  # noqa: E402
from mtm_viewer.desktop import Desktop, LogKeeper  # noqa: E402
from mtm_viewer.theme import THEMES  # noqa: E402
from mtm_viewer.views.training_dialog import TrainingDialog  # noqa: E402

SIZE = (1400, 900)
PATIENCE_S = 120.0
NAMES = (
    "window.png",
    "browser.png",
    "pictures/hidden.png",
    "pictures/population.png",
    "pictures/intra_region.png",
    "pictures/painted.png",
    "pictures/train.png",
    "pictures/figure.png",
)


class Painter:
    """Somebody who uses the window and takes pictures of it."""

    def __init__(self, desktop: Desktop, folder: Path) -> None:
        self.desktop = desktop
        self.explorer = desktop.explorer
        self.window = desktop.explorer.window
        self.folder = folder
        self._settled = 0
        self.explorer.settled.connect(self._count)

    def _count(self) -> None:
        self._settled += 1

    def act(self, deed: Callable[[], object]) -> None:
        """Do something and wait for its final picture."""
        before, end = self._settled, time.monotonic() + PATIENCE_S
        deed()
        while self._settled == before or self.explorer.engine.is_busy:
            QApplication.processEvents()
            time.sleep(0.005)
            if time.monotonic() > end:
                sys.exit("The window did not come to rest.")

    def idle(self, seconds: float = 0.5) -> None:
        """Let the window draw what it has."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.005)

    def save(self, name: str, widget: QWidget | None = None) -> None:
        """Save the window, or one widget."""
        self.idle()
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not (widget or self.window).grab().save(str(path), "PNG"):
            sys.exit(f"{path} could not be written.")
        print(f"{path} ({path.stat().st_size // 1024} KB)", flush=True)

    def spot(self, bins: float, rows: float) -> QPoint:
        """Where a share of the bins and rows of the first raster is on screen."""
        raster = self.window.raster
        n_rows, n_bins = raster.plots[0].map_shape or (1, 1)
        middle = raster.plots[0].from_entries(bins * n_bins, rows * n_rows)
        scene = raster.plots[0].box.mapViewToScene(QPointF(*middle))
        return raster.graphics.mapFromScene(scene)

    def drag(self, start: QPoint, stop: QPoint, steps: int = 12) -> None:
        """Drag the left button over the rasters."""
        viewport = self.window.raster.graphics.viewport()
        QTest.mousePress(viewport, Qt.MouseButton.LeftButton, pos=start)
        for step in range(1, steps + 1):
            QTest.mouseMove(viewport, start + (stop - start) * step / steps)
            self.idle(0.03)
        QTest.mouseRelease(viewport, Qt.MouseButton.LeftButton, pos=stop)


def draw_window(painter: Painter) -> None:
    """Draw the demo as it opens, with a region hidden, one kept alone, and a painted mask."""
    state, registry = painter.explorer.state, painter.explorer.registry
    painter.act(painter.desktop.open_demo)
    painter.save("window.png")
    painter.act(lambda: state.click_region("VISp"))
    painter.save("pictures/hidden.png")
    registry.run("population.show")
    painter.idle(3)
    painter.save("pictures/population.png")
    registry.run("population.show")
    painter.act(lambda: registry.run("mask.intra_region"))
    painter.act(lambda: state.click_region("CA1"))
    painter.save("pictures/intra_region.png")
    painter.act(lambda: registry.run("mask.custom"))
    painter.act(lambda: registry.run("mask.clear"))
    registry.run("mask.tool.brush")
    painter.act(lambda: painter.drag(painter.spot(0.55, 0.30), painter.spot(0.85, 0.45)))
    painter.save("pictures/painted.png")


def draw_dialogs(painter: Painter) -> None:
    """Draw the session browser and the dialog of training."""
    registry = painter.explorer.registry
    registry.run("training.choose")
    (dialog,) = painter.window.findChildren(TrainingDialog)
    painter.save("pictures/train.png", dialog)
    dialog.close()
    registry.run("session.browse")
    painter.save("browser.png")


def draw_figure(folder: Path) -> None:
    """Draw the figure of the headless tutorial, without the experiment that it carries inside."""
    words = ["figure", "raster", "demo", "steinmetz2019_s12", "--region", "DG"]
    path = folder / "pictures" / "figure.png"
    code = mtm_core([*words, "--out", str(path)])
    if code:
        sys.exit(code)
    with Image.open(path) as picture:
        small = picture.convert("RGB").resize((picture.width // 2, picture.height // 2))
    small.save(path)


def main() -> None:
    """Draw all pictures."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "docs").resolve()
    logging.getLogger("qt").setLevel(logging.ERROR)  # the offscreen platform sizes no windows
    app = program._make_app()
    desktop = program.build(LogKeeper(), is_offscreen=True)
    desktop.state.set_theme(THEMES["light"])
    painter = Painter(desktop, folder)
    painter.window.resize(*SIZE)
    painter.window.show()
    draw_window(painter)
    draw_dialogs(painter)
    desktop.close_window()
    app.processEvents()
    del painter, desktop  # Qt's windows must go before its application
    gc.collect()
    draw_figure(folder)


if __name__ == "__main__":
    main()
