"""Draws every picture of the documentation anew: ``python packaging/make_pictures.py [FOLDER]``.

Opens the real window without a display, does what the pages say, and saves what is seen. The
default folder is ``docs``; the figure of the headless tutorial is drawn by `mtm-core` itself.
"""

from __future__ import annotations

import gc
import io
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
from PyQt6.QtCore import QBuffer, QPoint, QPointF, QRect, Qt  # noqa: E402
from PyQt6.QtGui import QColor, QImage, QPainter  # noqa: E402
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
    "tour.gif",
)
TOUR_WIDTH, TOUR_COLOURS, TOUR_MS = 1000, 256, 3500
CAPTION_PX, CAPTION_PT = 46, 15


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


class Tour:
    """A short film: the window as it is after each step, with a sentence above it."""

    def __init__(self, painter: Painter) -> None:
        self._painter = painter
        self._frames: list[Image.Image] = []

    def take(self, sentence: str) -> None:
        """Take the window as it is now."""
        self._painter.idle(1.5)
        shown = self._painter.window.grab().toImage()
        width, height = shown.width(), shown.height()
        whole = QImage(width, height + CAPTION_PX, QImage.Format.Format_RGB32)
        whole.fill(QColor(THEMES["light"].accent))
        brush = QPainter(whole)
        font = brush.font()
        font.setPointSize(CAPTION_PT)
        font.setBold(True)
        brush.setFont(font)
        brush.setPen(QColor(THEMES["light"].on_accent))
        strip = QRect(18, 0, width - 36, CAPTION_PX)
        brush.drawText(strip, Qt.AlignmentFlag.AlignVCenter, sentence)
        brush.drawImage(0, CAPTION_PX, shown)
        brush.end()
        held = QBuffer()
        held.open(QBuffer.OpenModeFlag.WriteOnly)
        whole.save(held, "PNG")
        with Image.open(io.BytesIO(bytes(held.data().data()))) as picture:
            size = (TOUR_WIDTH, round(picture.height * TOUR_WIDTH / picture.width))
            self._frames.append(picture.convert("RGB").resize(size, Image.Resampling.LANCZOS))

    def save(self, path: Path) -> None:
        """Write the film, with one palette for all of it."""
        first = self._frames[0]
        every = Image.new("RGB", (first.width, first.height * len(self._frames)))
        for place, frame in enumerate(self._frames):
            every.paste(frame, (0, place * first.height))
        # Half of the palette by area; half by coverage, for the rare colours of regions.
        half = TOUR_COLOURS // 2
        ways = Image.Quantize.MEDIANCUT, Image.Quantize.MAXCOVERAGE
        colours = [every.quantize(half, way).getpalette() or [] for way in ways]
        palette = Image.new("P", (1, 1))
        palette.putpalette([value for part in colours for value in part[: 3 * half]])
        plain = Image.Dither.NONE
        frames = [frame.quantize(palette=palette, dither=plain) for frame in self._frames]
        how = {"save_all": True, "duration": TOUR_MS, "loop": 0, "optimize": True}
        frames[0].save(path, append_images=frames[1:], **how)
        print(f"{path} ({path.stat().st_size // 1024} KB)", flush=True)


def draw_tour(painter: Painter) -> None:
    """Draw a question from its beginning to its end, as a film."""
    state, registry, tour = painter.explorer.state, painter.explorer.registry, Tour(painter)
    painter.act(painter.desktop.open_demo)
    tour.take("A real recording, 698 units. A click on a region hides it from the model.")
    painter.act(lambda: state.click_region("VISp"))
    tour.take(
        "VISp is hidden. The headline: what the rest tells of single trials, beyond the PSTH."
    )
    painter.explorer.scores.group_by("contrast_side")
    tour.take("In which trials? The same score by stimulus side, contrast, outcome or choice.")
    painter.explorer.scores.group_by("")
    painter.act(lambda: painter.desktop.compare.compare_with("poisson_regression"))
    tour.take("Is it more than a regression? Paired over the same trials, unit by unit.")
    painter.act(lambda: painter.desktop.compare.compare_with(""))
    registry.run("compare.show")
    registry.run("population.show")
    tour.take("Which units? A lasso picks them; rules with numbers say what may explain a score.")
    registry.run("population.show")
    registry.run("theatre.show")
    tour.take("Which trials? The theatre shows one at a time, the most surprising first.")
    registry.run("theatre.show")
    painter.act(lambda: registry.run("mask.custom"))
    painter.act(lambda: registry.run("mask.clear"))
    registry.run("mask.tool.brush")
    painter.act(lambda: painter.drag(painter.spot(0.30, 0.30), painter.spot(0.75, 0.45)))
    tour.take("Or paint: any units, any stretch of time. What is saved replays without a window.")
    tour.save(painter.folder / "tour.gif")
    registry.run("mask.tool.point")
    painter.act(lambda: registry.run("mask.inter_region"))


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
    draw_tour(painter)
    draw_window(painter)
    draw_dialogs(painter)
    desktop.close_window()
    app.processEvents()
    del painter, desktop  # Qt's windows must go before its application
    gc.collect()
    draw_figure(folder)


if __name__ == "__main__":
    main()
