"""Every panel can be saved and copied; what is saved is what is on screen, where it is."""

from __future__ import annotations

import contextlib
import csv
import threading
import time

import numpy as np
import pytest
from PyQt6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, QTimer
from PyQt6.QtGui import QColor, QContextMenuEvent, QImage, QPainter
from PyQt6.QtPdf import QPdfDocument
from PyQt6.QtSvg import QSvgRenderer
from PyQt6.QtWidgets import QApplication, QFileDialog, QMenu, QMessageBox

from mtm_core.experiment.files import read_experiment
from mtm_core.resources import atomic_write
from mtm_core.training.events import StepDone
from mtm_viewer import panel_exports
from mtm_viewer.panel_exports import ExportPanel
from mtm_viewer.presenters.training_curve import TrainingCurve
from mtm_viewer.views import export
from mtm_viewer.views.export import margin_of, size_of
from tests.core.sessions import make_session
from tests.viewer.workspaces import write_files

pytestmark = pytest.mark.gui
PATIENCE_MS = 60_000
NAMES = [
    *("rasters", "scores", "unit", "matrix", "compare", "population", "theatre", "honesty"),
    *("training", "tree"),
]


@pytest.fixture
def shown(desktop, qtbot, tmp_path):
    """A window with all panels filled but the matrix, which takes its time."""
    session, model, temporal = write_files(tmp_path, make_session(n_trials=120))
    with qtbot.waitSignal(desktop.explorer.settled, timeout=PATIENCE_MS):
        desktop.open_source(str(session), checkpoints=[model, temporal])
    draw_curves(desktop)
    return desktop


def draw_curves(desktop) -> None:
    curve = TrainingCurve()
    steps = [
        StepDone(step=n, n_steps=9, loss=1 / n, lr=0.1, grad_norm=1.0, seconds=1, seconds_left=1)
        for n in range(1, 10)
    ]
    curve.take(steps)
    desktop.explorer.window.training.draw_curves(curve.drawable())


def panel(desktop, name: str) -> ExportPanel:
    (found,) = [each for each in desktop.exports.panels if each.name == name]
    return found


def rendered(path, size: QSize) -> QImage:
    """Render a saved picture at the size of the screen."""
    if path.suffix == ".png":
        image = QImage(str(path))
        return image.scaled(size, transformMode=Qt.TransformationMode.SmoothTransformation)
    image = QImage(size, QImage.Format.Format_ARGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    if path.suffix == ".svg":
        QSvgRenderer(str(path)).render(painter, QRectF(0, 0, size.width(), size.height()))
    else:
        document = QPdfDocument(None)
        document.load(str(path))
        assert document.pageCount() == 1
        painter.drawImage(0, 0, document.render(0, size))
        document.close()
    painter.end()
    return image


def text_in(path) -> str:
    if path.suffix == ".svg":
        return path.read_text(encoding="utf-8")
    document = QPdfDocument(None)
    document.load(str(path))
    text = document.getAllText(0).text()
    document.close()
    return text


def array(image: QImage) -> np.ndarray:
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    bits = image.constBits()
    bits.setsize(image.sizeInBytes())
    rows = np.frombuffer(bits, np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(float)


WORDS = {
    "rasters": ["True", "time from"],
    "scores": ["beyond PSTH", "bits/spike"],
    "unit": ["spikes/s", "time from"],
    "training": ["optimiser step"],
    "tree": ["CA1"],
}


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_a_saved_panel_rendered_back_looks_like_the_screen(shown, tmp_path, qtbot, kind):
    shown.explorer.window.toggle_side("training")
    qtbot.waitUntil(shown.explorer.window.training.isVisible)
    draw_curves(shown)  # no run is chosen, so that the panel was emptied when it was shown
    for name, words in WORDS.items():
        mine, path = panel(shown, name), tmp_path / f"{name}.{kind}"
        if name == "unit":  # it lies behind the training panel
            shown.explorer.window.unit_dock.raise_()
            qtbot.waitUntil(shown.explorer.window.unit.isVisible)
        shown.exports.save_picture(mine, path)
        shown.exports.wait()
        check_picture(mine.parts(), rendered(path, size_of(mine.parts())))
        assert read_experiment(path).session.session_id
        caption = (tmp_path / f"{name}.caption.txt").read_text(encoding="utf-8")
        assert caption.startswith(f"{mine.title}. ")
        text = "" if kind == "png" else text_in(path)
        assert all(word in text for word in words if text)


def check_picture(parts, picture: QImage) -> None:
    """Marks must stand where they stand on screen: shifting the picture makes it worse."""
    back, left = array(picture), margin_of(parts)
    top = left
    for part in parts:
        pair = (
            array(part.grab().toImage()),
            back[top : top + part.height(), left : left + part.width()],
        )
        top += part.height()
        if min(pair[0].shape[:2]) < 40:  # a line of text, checked as text
            continue
        one, other = (np.abs(each - np.median(each, axis=(0, 1))).sum(axis=2) for each in pair)
        likeness = {
            shift: np.corrcoef(one.ravel(), np.roll(other, shift, axis=(0, 1)).ravel())[0, 1]
            for shift in ((0, 0), (0, 3), (0, -3), (3, 0), (-3, 0))
        }
        assert max(likeness, key=likeness.get) == (0, 0), (part, likeness)
        assert likeness[0, 0] > 0.6


def test_saved_numbers_are_those_on_screen(shown, tmp_path, qtbot):
    window = shown.explorer.window
    for name in ("rasters", "scores", "unit", "training", "tree"):
        shown.exports.save_numbers(panel(shown, name), tmp_path / f"{name}.csv")
    shown.exports.wait()
    qtbot.waitUntil(lambda: "Saved" in window.statusBar().currentMessage())
    lines = (tmp_path / "rasters.csv").read_text().splitlines()
    assert "# mask: CA1 hidden" in "\n".join(lines)[:4000] or lines[0] == "# Rasters"
    _, *rows = csv.reader(line for line in lines if not line.startswith("#"))
    values = window.raster.drawable.panels[0].values
    assert np.array_equal(np.array([row[2:] for row in rows], dtype=np.float32), values)
    scores = [
        row
        for row in csv.reader((tmp_path / "scores.csv").read_text().splitlines())
        if row and not row[0].startswith("#")
    ]
    line = shown.explorer.picture.lines[0]
    assert float(scores[1][1]) == line.bps_beyond_psth
    on_screen = window.scores.table.item(0, 1).text().replace("\N{MINUS SIGN}", "-")
    assert float(on_screen) == pytest.approx(float(scores[1][1]), abs=6e-4)
    assert (tmp_path / "unit.csv").exists()


def test_commands_stand_in_menu_and_palette(shown):
    registry = shown.explorer.registry
    menus = registry.in_menus()
    for name in NAMES:
        mine = panel(shown, name)
        titles = [command.title for command in menus[f"File/Export/{mine.title}"]]
        assert titles == ["Save picture…", "Save numbers…", "Copy picture", "Copy numbers"]
    assert "export.unit.numbers" in [found.id for found in registry.search("unit panel numbers")]


@pytest.mark.parametrize("kind", ["png", "svg", "pdf"])
def test_a_slow_disk_does_not_stop_the_window(shown, tmp_path, qtbot, monkeypatch, kind):
    is_asked, may_write, threads = threading.Event(), threading.Event(), set()

    @contextlib.contextmanager
    def slowly(path):
        threads.add(threading.get_ident())
        is_asked.set()
        assert may_write.wait(30)
        with atomic_write(path) as temporary:
            yield temporary

    for module in (export, panel_exports):
        monkeypatch.setattr(module, "atomic_write", slowly)
    path = tmp_path / f"rasters.{kind}"
    shown.exports.save_picture(panel(shown, "rasters"), path)
    qtbot.waitUntil(is_asked.is_set, timeout=PATIENCE_MS)
    qtbot.wait(50)  # the window goes round
    assert not path.exists()
    may_write.set()
    qtbot.waitUntil(lambda: "and its caption" in said(shown), timeout=PATIENCE_MS)
    assert path.exists()
    assert threading.get_ident() not in threads


def test_pixels_are_painted_behind_the_window(shown, tmp_path, qtbot):
    """The longest stretch that the window works is a small part of what there is to do."""
    shown.explorer.window.resize(2400, 1350)
    qtbot.wait(300)
    clock = QTimer()
    stretches, last = [], [time.thread_time()]

    def tick() -> None:
        now = time.thread_time()
        stretches.append(now - last[0])
        last[0] = now

    clock.timeout.connect(tick)
    clock.start(1)
    total, last[0] = time.process_time(), time.thread_time()
    shown.exports.save_picture(panel(shown, "rasters"), tmp_path / "rasters.png")
    qtbot.waitUntil(lambda: "and its caption" in said(shown), timeout=PATIENCE_MS)
    total = time.process_time() - total
    clock.stop()
    assert max(stretches) < total / 3


def said(desktop) -> str:
    return desktop.explorer.window.statusBar().currentMessage()


def test_copies_land_on_the_clipboard(shown, qtbot):
    registry, clipboard = shown.explorer.registry, QApplication.clipboard()
    clipboard.clear()
    registry.run("export.unit.copy")
    qtbot.waitUntil(lambda: "was copied" in said(shown), timeout=PATIENCE_MS)
    assert not clipboard.image().isNull()
    registry.run("export.tree.copy_numbers")
    rows = [line for line in clipboard.text().splitlines() if not line.startswith("#")]
    assert rows[0].split("\t")[:2] == ["unit_id", "region"]
    assert len(rows) == 1 + shown.state.workspace.session.n_units


@pytest.mark.qt_log_ignore("does not support (raise|grabbing)", extend=True)
def test_the_menu_key_opens_the_menu_of_a_panel(shown, qtbot):
    table = shown.explorer.window.scores.table
    event = QContextMenuEvent(QContextMenuEvent.Reason.Keyboard, QPoint(3, 3), QPoint(300, 300))
    QApplication.sendEvent(table.viewport(), event)
    (menu,) = [menu for menu in QApplication.topLevelWidgets() if is_open_menu(menu)]
    assert menu.title() == "Scores"
    actions = {action.text(): action for action in menu.actions()}
    actions["Copy numbers"].trigger()
    assert "beyond_psth" in QApplication.clipboard().text()
    menu.close()


def is_open_menu(widget) -> bool:
    return isinstance(widget, QMenu) and widget.isVisible()


@pytest.mark.qt_log_ignore("does not support (raise|grabbing)", extend=True)
def test_a_right_click_in_a_raster_opens_its_menu_and_chooses_no_unit(shown, qtbot):
    window = shown.explorer.window
    plot = window.raster.plots[0]
    viewport = window.raster.graphics.viewport()
    scene_place = plot.box.mapViewToScene(QPointF(*plot.place(20, 5)))
    place = window.raster.graphics.mapFromScene(scene_place)
    before = shown.state.unit_id
    qtbot.mouseMove(viewport, place)
    qtbot.mouseClick(viewport, Qt.MouseButton.RightButton, pos=place)
    (menu,) = [menu for menu in QApplication.topLevelWidgets() if is_open_menu(menu)]
    assert menu.title() == "Rasters"
    assert shown.state.unit_id == before
    menu.close()
    pressed = QContextMenuEvent(QContextMenuEvent.Reason.Mouse, place, QPoint(300, 300))
    QApplication.sendEvent(viewport, pressed)
    assert not [menu for menu in QApplication.topLevelWidgets() if is_open_menu(menu)]


@pytest.mark.qt_log_ignore("does not support (raise|grabbing)", extend=True)
def test_a_right_click_among_points_opens_the_menu_of_the_population(shown, qtbot):
    window = shown.explorer.window
    shown.explorer.registry.run("population.show")
    viewport = window.population.scatter.plot.viewport()
    place = viewport.rect().center()
    before = (shown.state.unit_id, shown.state.picked)
    qtbot.mouseMove(viewport, place)
    qtbot.mouseClick(viewport, Qt.MouseButton.RightButton, pos=place)
    (menu,) = [menu for menu in QApplication.topLevelWidgets() if is_open_menu(menu)]
    assert menu.title() == "Population"
    assert (shown.state.unit_id, shown.state.picked) == before
    menu.close()


def test_files_are_asked_for(shown, tmp_path, qtbot):
    window = shown.explorer.window
    shown.explorer.registry.run("export.tree.numbers")
    (dialog,) = [each for each in window.findChildren(QFileDialog) if each.isVisible()]
    assert dialog.windowTitle() == "Regions and units: save numbers"
    assert dialog.defaultSuffix() == "csv"
    dialog.fileSelected.emit(str(tmp_path / "units.npz"))
    dialog.reject()
    shown.exports.wait()
    with np.load(tmp_path / "units.npz") as file:
        assert file["units.rate"].tolist() == shown.state.workspace.rate_hz.tolist()


def test_numbers_that_cannot_be_written_are_told(shown, tmp_path, qtbot):
    (tmp_path / "file").write_bytes(b"")
    with qtbot.waitSignal(shown.explorer.told) as told:
        shown.exports.save_numbers(panel(shown, "tree"), tmp_path / "file" / "a.csv")
    assert "Could not write" in told.args[0]
    with qtbot.waitSignal(shown.explorer.told) as told:
        shown.exports.save_numbers(panel(shown, "matrix"), tmp_path / "a.csv")
    assert told.args[0].startswith("Wait until something is computed")
    for deed in ("picture", "copy"):
        with qtbot.waitSignal(shown.explorer.told) as told:
            assert shown.explorer.registry.run(f"export.matrix.{deed}")
        assert told.args[0].startswith("Show that panel first")
    for box in shown.explorer.window.findChildren(QMessageBox):
        box.close()


def test_without_a_session_nothing_can_be_saved(desktop):
    for name in NAMES:
        assert not desktop.explorer.registry.run(f"export.{name}.picture")
