"""Saved pictures show what is on screen, in place."""

from __future__ import annotations

import threading

import numpy as np
import pyqtgraph as pg
import pytest
from PyQt6.QtCore import QRectF
from PyQt6.QtGui import QColor, QImage, QPainter, QPalette
from PyQt6.QtSvg import QSvgRenderer
from PyQt6.QtWidgets import QLabel, QVBoxLayout, QWidget

from mtm_core.errors import OutputError, UnknownNameError
from mtm_viewer.views import export
from mtm_viewer.views.export import prepare_image, save_picture
from mtm_viewer.views.plain_plot import adopt_menus

pytestmark = pytest.mark.gui
SIZE = (400, 300)


@pytest.fixture
def plot(qtbot):
    """A dark map with one bright column, 30 of 40, without axes."""
    view = pg.GraphicsLayoutWidget()
    qtbot.addWidget(view)
    view.setBackground("#204060")
    item = view.addPlot(enableMenu=False)
    adopt_menus(item, view)
    item.hideAxis("left")
    item.hideAxis("bottom")
    item.hideButtons()
    values = np.zeros((20, 40), dtype=np.uint8)
    values[:, 30] = 255
    image = pg.ImageItem(values, axisOrder="row-major", levels=(0, 255))
    item.addItem(image)
    item.setRange(xRange=(0, 40), yRange=(0, 20), padding=0)
    view.resize(*SIZE)
    with qtbot.waitExposed(view):
        view.show()
    yield view
    view.close()


def bright_centre(image: QImage) -> float:
    """Where the bright column stands, as a share of the width."""
    y = image.height() // 2
    bright = [x for x in range(image.width()) if image.pixelColor(x, y).lightness() > 200]
    return float(np.mean(bright)) / image.width()


def rendered_svg(path) -> QImage:
    image = QImage(*SIZE, QImage.Format.Format_ARGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    QSvgRenderer(str(path)).render(painter, QRectF(0, 0, *SIZE))
    painter.end()
    return image


def test_a_png_is_sharper_than_the_screen_and_in_place(plot, tmp_path):
    path = tmp_path / "a.png"
    save_picture([plot], path)
    image = QImage(str(path))
    assert (image.width(), image.height()) == (3 * SIZE[0], 3 * SIZE[1])
    assert bright_centre(image) == pytest.approx(bright_centre(plot.grab().toImage()), abs=0.01)


def test_an_svg_has_the_columns_where_the_screen_has_them(plot, tmp_path):
    path = tmp_path / "a.svg"
    save_picture([plot], path)
    assert bright_centre(rendered_svg(path)) == pytest.approx(
        bright_centre(plot.grab().toImage()), abs=0.01
    )


def test_a_pdf_is_one_page_of_the_size_of_the_plot(plot, tmp_path):
    path = tmp_path / "a.pdf"
    save_picture([plot], path)
    content = path.read_bytes()
    assert content.startswith(b"%PDF")
    points = [72 * side / plot.logicalDpiX() for side in SIZE]
    box = content.split(b"/MediaBox [")[1].split(b"]")[0].split()
    assert [float(value) for value in box[2:]] == pytest.approx(points, abs=1.0)


@pytest.mark.parametrize(
    ("on_screen", "on_paper"), [("#204060", "#204060"), ("#f4f5f7", "#ffffff")]
)
def test_a_dark_background_is_the_one_on_screen_and_a_light_one_white(
    plot, tmp_path, on_screen, on_paper
):
    plot.setBackground(on_screen)
    save_picture([plot], tmp_path / "a.png")
    corner = QImage(str(tmp_path / "a.png")).pixelColor(2, 2)
    assert corner.name() == on_paper
    assert plot.backgroundBrush().color().name() == on_screen


def test_plots_within_a_panel_have_paper_behind_them_as_well(plot, qtbot, tmp_path):
    panel = QWidget()
    qtbot.addWidget(panel)
    QVBoxLayout(panel).addWidget(plot)
    plot.setBackground("#f4f5f7")
    panel.show()
    save_picture([panel], tmp_path / "a.png")
    plot.setParent(None)  # the fixture closes it
    image = QImage(str(tmp_path / "a.png"))
    assert image.pixelColor(image.width() // 2, image.height() - 60).name() == "#ffffff"


def test_words_stand_on_paper_as_well(qtbot, tmp_path):
    label = QLabel("words")
    qtbot.addWidget(label)
    colours = label.palette()
    colours.setColor(QPalette.ColorRole.Window, QColor("#f4f5f7"))
    label.setPalette(colours)
    label.resize(200, 40)
    label.show()
    save_picture([label], tmp_path / "a.png")
    image = QImage(str(tmp_path / "a.png"))
    assert image.pixelColor(image.width() - 60, image.height() - 60).name() == "#ffffff"


def test_an_image_is_painted_later_and_elsewhere(plot):
    paint = prepare_image([plot])
    plot.setBackground("#ffffff")
    plot.resize(90, 70)
    images = []
    thread = threading.Thread(target=lambda: images.append(paint()))
    thread.start()
    thread.join(30)
    assert images[0].width() == 3 * SIZE[0]
    assert images[0].pixelColor(2, 2).name() == "#204060"


@pytest.mark.parametrize("pixels", [1, 5_000, 100_000])
def test_strips_make_the_image_that_one_go_makes(plot, monkeypatch, pixels):
    whole = prepare_image([plot])()
    monkeypatch.setattr(export, "_STRIP_PIXELS", pixels)
    assert prepare_image([plot])() == whole


def test_other_kinds_of_picture_are_refused_by_name(plot, tmp_path):
    with pytest.raises(UnknownNameError, match="Known: pdf, png, svg"):
        save_picture([plot], tmp_path / "a.jpg")


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_a_place_that_cannot_be_written_is_told(plot, tmp_path, kind):
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match="Could not write"):
        save_picture([plot], tmp_path / "file" / f"a.{kind}")
