"""Click through the real window on a real X server, with pictures to look at.

``python tests/gui/click_through.py FOLDER [SESSION CHECKPOINT...]`` opens the demo (or the files
given), moves the mouse and types with xdotool as a person would, checks after each step what the
window says, and saves a picture of it. It ends with a code other than 0 at the first thing that is
wrong.
"""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PyQt6.QtCore import QModelIndex, QPoint, QPointF, QTimer
from PyQt6.QtWidgets import QApplication, QComboBox, QMessageBox, QScrollArea, QWidget

from mtm_viewer import app as program
from mtm_viewer.desktop import Desktop, LogKeeper
from mtm_viewer.jobs.open_job import OpenRequest
from mtm_viewer.theme import THEMES
from mtm_viewer.views.dialogs import ShortcutSheet

PATIENCE_S = 90.0
SIZES = ((1280, 800), (1600, 1000))


class WrongError(Exception):
    """Something in the window is not as it should be."""


class Person:
    """Someone at the mouse and the keyboard."""

    def __init__(self, desktop: Desktop, folder: Path) -> None:
        self.desktop = desktop
        self.explorer = desktop.explorer
        self.window = desktop.explorer.window
        self.folder = folder
        self.n_pictures = 0
        self.settled = 0
        self.explorer.settled.connect(self._count)

    def _count(self) -> None:
        self.settled += 1

    def wait(self, until: Callable[[], bool], what: str, seconds: float = PATIENCE_S) -> float:
        """Let the window run until something is so; return how long it took."""
        start = time.monotonic()
        while not until():
            if time.monotonic() - start > seconds:
                raise WrongError(f"waited in vain until {what}")
            QApplication.processEvents()
            time.sleep(0.005)
        return time.monotonic() - start

    def idle(self, seconds: float) -> None:
        """Do nothing for a while."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            QApplication.processEvents()
            time.sleep(0.005)

    def act(self, deed: Callable[[], object], what: str) -> None:
        """Do something and wait for its final picture."""
        before = self.settled
        deed()
        self.wait(lambda: self.settled > before and not self.explorer.engine.is_busy, what)

    def click(self, widget: QWidget, place: QPoint | None = None) -> None:
        """Move the real pointer over a widget, scrolled into view, and press the left button."""
        _scroll_to(widget)
        local = widget.rect().center() if place is None else place
        spot = widget.mapToGlobal(local)
        _xdotool("mousemove", "--sync", str(spot.x()), str(spot.y()))
        self.idle(0.05)
        _xdotool("click", "1")
        self.idle(0.15)

    def hover(self, widget: QWidget, place: QPoint) -> None:
        """Move the real pointer over a widget."""
        spot = widget.mapToGlobal(place)
        _xdotool("mousemove", "--sync", str(spot.x()), str(spot.y()))
        self.idle(0.3)

    def drag(self, widget: QWidget, places: list[QPoint]) -> None:
        """Drag the real pointer along some places with the left button down."""
        for number, place in enumerate(places):
            spot = widget.mapToGlobal(place)
            _xdotool("mousemove", "--sync", str(spot.x()), str(spot.y()))
            self.idle(0.06)
            if number == 0:
                _xdotool("mousedown", "1")
                self.idle(0.06)
        _xdotool("mouseup", "1")
        self.idle(0.1)

    def press(self, *keys: str) -> None:
        """Press keys, for example ``ctrl+p``."""
        for key in keys:
            _xdotool("key", key)
            self.idle(0.1)

    def type(self, text: str) -> None:
        """Type a text."""
        _xdotool("type", "--delay", "15", text)
        self.idle(0.25)

    def choose(self, box: QComboBox, text: str) -> None:
        """Open a list, type the beginning of an entry, and press Enter."""
        self.click(box)
        self.type(text)
        self.press("Return")

    def row_of(self, index: QModelIndex) -> QPoint:
        """Where a row of the region tree is."""
        self.window.tree.tree.scrollTo(index)
        self.idle(0.05)
        return self.window.tree.tree.visualRect(index).center()

    def click_region(self, name: str, column: int = 0) -> None:
        """Click a region in the tree."""
        tree = self.window.tree
        index = tree.model.region_index(name).siblingAtColumn(column)
        self.click(tree.tree.viewport(), self.row_of(index))

    def look(self, name: str) -> None:
        """Save what the screen shows."""
        self.idle(0.2)
        self.n_pictures += 1
        path = self.folder / f"{self.n_pictures:02d}-{name}.png"
        screen = self.window.screen()
        if screen is None or not screen.grabWindow(0).save(str(path)):
            raise WrongError(f"{path} could not be written")

    def says(self, text: str, *, part: str) -> None:
        """Check a text on screen."""
        if part not in text:
            raise WrongError(f"the window should say '{part}', but it says '{text}'")


def _scroll_to(widget: QWidget) -> None:
    above = widget.parentWidget()
    while above is not None:
        content = above.widget() if isinstance(above, QScrollArea) else None
        if content is not None and content.isAncestorOf(widget):
            above.ensureWidgetVisible(widget)
        above = above.parentWidget()


def main(words: list[str]) -> int:
    """Click through; return the exit code."""
    return click(words, _open_step_by_step, STEPS)


def click(
    words: list[str],
    begin: Callable[[Person, list[Path]], None],
    steps: Sequence[Callable[[Person], None]],
) -> int:
    """Open the window and take steps in it; return the exit code.

    Parameters
    ----------
    words : list of str
        Folder of the pictures; then a session file and checkpoints, or the demo is opened.
    begin : callable
        Brings the window with these files, or the demo, on screen.
    steps : sequence of callable
        What a person does then.
    """
    folder = Path(words[0])
    faults = set_stage(folder, max(1, (os.cpu_count() or 2) - 1))
    if faults is None:
        return 2
    desktop = program.build(LogKeeper(), is_offscreen=True)
    person = Person(desktop, folder)
    try:
        begin(person, [Path(word) for word in words[1:]])
        for step in steps:
            step(person)
            check(faults)
    except WrongError as error:
        person.look("wrong")
        sys.stderr.write(f"{error}\n")
        return 1
    finally:
        person.window.close()
    sys.stdout.write(f"{person.n_pictures} pictures in {folder}\n")
    return 0


def set_stage(pictures: Path, n_threads: int = 1) -> list[str] | None:
    """Make the folder of the pictures and the program's application; None without an X server.

    What is returned fills with the exceptions that nobody catches.
    """
    pictures.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(n_threads)
    platform = program._make_app().platformName()
    if platform != "xcb":
        sys.stderr.write(f"This needs an X server, not {platform}.\n")
        return None
    faults: list[str] = []
    sys.excepthook = lambda kind, error, _: faults.append(f"{kind.__name__}: {error}")
    return faults


def open_at_once(person: Person, files: list[Path]) -> None:
    """Bring files, or the demo, on screen at the usual size, and wait for their picture."""
    person.window.move(0, 0)
    person.window.resize(*SIZES[1])
    person.window.show()
    person.window.activateWindow()
    person.wait(person.window.isActiveWindow, "the window is in front", 10)
    if files:
        request = OpenRequest(session_path=files[0], checkpoint_paths=tuple(files[1:]))
        person.act(lambda: person.explorer.open_files(request), "the files are open")
    else:
        person.act(lambda: person.click(person.window.welcome.demo), "the demo is open")
    person.idle(0.2)


def _open_step_by_step(person: Person, files: list[Path]) -> None:
    _show(person)
    _begin(person, files)


def check(faults: list[str]) -> None:
    """Stop at the first exception that nobody caught."""
    if faults:
        raise WrongError(faults[0])


def _show(person: Person) -> None:
    person.window.move(0, 0)
    person.window.resize(*SIZES[0])
    person.window.show()
    person.window.activateWindow()
    person.wait(person.window.isActiveWindow, "the window is in front", 10)
    person.look("first-page")


def _begin(person: Person, files: list[Path]) -> None:
    if files:
        request = OpenRequest(session_path=files[0], checkpoint_paths=tuple(files[1:]))
        person.act(lambda: person.explorer.open_files(request), "the files are open")
    else:
        person.act(lambda: person.click(person.window.welcome.demo), "the demo is open")
    person.says(person.window.status.progress_words.text(), part="exact")
    person.look("opened")


def _regions(person: Person) -> None:
    """Click regions in the tree under each recipe."""
    region = _second_region(person)
    first: list[float] = []
    person.act(lambda: first.append(_time_first_picture(person, region)), f"{region} is hidden")
    person.says(person.window.status.mask_words.text(), part=f"{region} hidden")
    sys.stdout.write(f"click to first picture: {1000 * first[0]:.0f} ms\n")
    person.look("inter-region")
    for recipe in ("intra_region", "forward_prediction", "co_smoothing"):
        person.act(
            lambda recipe=recipe: person.click(person.window.recipes.buttons[recipe]), recipe
        )
        person.says(person.explorer.state.mask.title, part=region)
        person.look(recipe)


def _undo(person: Person) -> None:
    """Undo by keyboard."""
    title = person.explorer.state.undo_stack.undoText()
    person.says(person.window._actions["edit.undo"].text(), part=title)
    person.act(lambda: person.press("ctrl+z"), "the step is undone")
    person.says(person.window._actions["edit.redo"].text(), part=title)
    person.act(lambda: person.click(person.window.recipes.buttons["inter_region"]), "inter-region")


def _unit(person: Person) -> None:
    """Click a unit in the raster, read values under the pointer."""
    view = person.window.raster.graphics
    place = _place_of_a_fast_unit(person)
    person.hover(view.viewport(), place)
    person.says(person.window.raster.readout.text(), part="spikes/s")
    before = person.explorer.state.unit_id
    person.click(view.viewport(), place)
    if person.explorer.state.unit_id == before:
        raise WrongError("a click on a row chose no unit")
    person.says(person.window.unit.title.text(), part="unit")
    person.look("unit")


def _control(person: Person) -> None:
    """Ask for the shuffle control."""
    person.act(lambda: person.click(person.window.scores.shuffle), "the control is there")
    table = person.window.scores.table
    names = [table.item(row, 0).text() for row in range(table.rowCount())]
    person.says(" ".join(names), part="Shuffle control")
    person.look("shuffle-control")


def _custom(person: Person) -> None:
    """Hide by eye, rule and bins."""
    person.act(lambda: person.click_region(_second_region(person), column=2), "shown by its eye")
    person.look("custom-empty")
    editor = person.window.editor
    person.click(editor.rule)
    person.type("rate_hz > 10")
    person.says(editor.count.text(), part="Enter hides")
    person.act(lambda: person.press("Return"), "the rule hides units")
    person.act(
        lambda: person.click(editor.only_bins, QPoint(10, editor.only_bins.height() // 2)),
        "the bins are hidden",
    )
    if not person.window.models.badge.isVisible():
        raise WrongError("a mask unlike the training masks wears no badge")
    person.look("custom")
    person.click(editor.rule)
    person.press("ctrl+a")
    person.type("import os")
    person.press("Return")
    person.look("not-a-rule")
    person.press("ctrl+a", "Delete", "Return")
    person.act(lambda: person.click(person.window.recipes.buttons["inter_region"]), "inter-region")


def _pointing(person: Person) -> None:
    """Brush, lasso and erase on the raster; name the mask; go back in the history."""
    window, stack = person.window, person.explorer.state.undo_stack
    viewport = window.raster.graphics.viewport()
    window.raster.setFocus()
    person.press("b")
    path = [_spot(person, bins, rows) for bins, rows in ((0.2, 0.2), (0.5, 0.3), (0.8, 0.2))]
    person.act(lambda: person.drag(viewport, path), "the stroke hides")
    person.says(stack.undoText(), part="paint")
    person.look("brush")
    person.press("l")
    ring = [(0.3, 0.5), (0.7, 0.5), (0.7, 0.7), (0.3, 0.7), (0.3, 0.52)]
    path = [_spot(person, bins, rows) for bins, rows in ring]
    person.act(lambda: person.drag(viewport, path), "the lasso hides")
    person.press("e")
    path = [_spot(person, bins, rows) for bins, rows in ((0.3, 0.45), (0.7, 0.45), (0.7, 0.6))]
    person.act(lambda: person.drag(viewport, path), "the eraser shows")
    person.says(stack.undoText(), part="erase")
    person.press("e", "v", "ctrl+shift+m")
    person.click(window.names.name)
    person.type("painted")
    person.press("Return")
    person.says(window.names.list.item(0).text(), part="painted")
    person.look("named-mask")
    person.press("ctrl+shift+h")
    steps = window.history.steps
    steps.scrollToTop()
    first = steps.visualRect(steps.model().index(0, 0)).center()
    person.act(lambda: person.click(steps.viewport(), first), "the first step is back")
    if stack.canUndo():
        raise WrongError("a click on the first step of the history leaves steps to undo")
    person.look("history")
    person.press("ctrl+shift+m", "ctrl+shift+h")


def _maps(person: Person) -> None:
    """Choose another map at a title, and other trials."""
    window = person.window
    title = window.raster.plots[1].titleLabel
    middle = title.mapToScene(title.boundingRect().center())
    place = window.raster.graphics.mapFromScene(middle)
    person.click(window.raster.graphics.viewport(), place)
    person.look("menu-of-a-title")
    person.act(lambda: person.press(*["Down"] * 5, "Return"), "the PSTH is there")
    drawable = window.raster.drawable
    assert drawable is not None
    person.says(" ".join(panel.name for panel in drawable.panels), part="psth")
    person.click(window.models.trials)
    person.click(window.trials.fields["feedback"])
    person.act(lambda: person.press("Down", "Return"), "other trials are shown")
    person.says(window.status.progress_words.text(), part="rewarded")
    person.look("chosen-trials")
    person.act(lambda: person.click(window.trials.reset), "all test trials are back")
    person.click(window.models.trials)
    person.act(lambda: window.raster.panel_chosen.emit(1, "model"), "the model is back")


def _spot(person: Person, bins: float, rows: float) -> QPoint:
    """Where a share of the bins and rows of the first raster is on screen."""
    raster = person.window.raster
    n_rows, n_bins = raster.plots[0].map_shape or (1, 1)
    middle = raster.plots[0].from_entries(bins * n_bins, rows * n_rows)
    scene = raster.plots[0].box.mapViewToScene(QPointF(*middle))
    return raster.graphics.mapFromScene(scene)


def _search_and_palette(person: Person) -> None:
    """Find a region by typing, in the list and in the palette."""
    region = _second_region(person)
    person.press("ctrl+f")
    person.type(region)
    person.look("search")
    person.window.tree.search.clear()
    person.press("ctrl+p")
    person.type(f"region {region}")
    person.look("palette")
    person.press("Return")
    person.wait(lambda: not person.explorer.engine.is_busy, "the engine is done")
    person.says(person.explorer.state.mask.title, part=region)
    person.click(person.window.scores.headline)
    person.window.raster.setFocus()
    person.press("question")
    person.wait(lambda: bool(person.window.findChildren(ShortcutSheet)), "the sheet is there")
    person.look("shortcuts")
    person.press("Escape")


def _bad_file(person: Person) -> None:
    """Open a file that is no session; what was open stays."""
    foreign = person.folder / "foreign.h5"
    foreign.write_bytes(b"this is no session")
    before = person.explorer.state.workspace
    person.desktop.open_session(foreign)
    person.wait(lambda: bool(_boxes(person)), "the problem is told")
    person.look("foreign-file")
    person.press("Escape")
    person.wait(lambda: not _boxes(person), "the dialog is gone")
    foreign.unlink()
    if person.explorer.state.workspace is not before:
        raise WrongError("a foreign file changed what is open")


def _smooth(person: Person) -> None:
    """Measure the window's ticks while the longest recipe runs."""
    ticks: list[float] = []
    timer = QTimer()
    timer.setInterval(5)
    timer.timeout.connect(lambda: ticks.append(time.monotonic()))

    def ask() -> None:
        person.click(person.window.recipes.buttons["co_smoothing"])  # waits for another program
        timer.start()

    person.act(ask, "co-smoothing")
    person.idle(0.2)
    timer.stop()
    gaps = sorted(b - a for a, b in itertools.pairwise(ticks))
    late = gaps[int(0.99 * len(gaps))]
    sys.stdout.write(f"99 % of ticks within {1000 * late:.0f} ms while inferring\n")
    if late > 1.0:
        raise WrongError(f"the window stood still for {late:.1f} s")


def _looks(person: Person) -> None:
    """Look at both themes in both sizes, with the difference and the region alone."""
    person.act(lambda: person.click(person.window.recipes.buttons["inter_region"]), "inter-region")
    for theme in THEMES.values():
        person.explorer.state.set_theme(theme)
        for width, height in SIZES:
            person.window.resize(width, height)
            person.idle(0.3)
            person.look(f"{theme.name}-{width}x{height}")
    person.act(lambda: person.press("ctrl+b"), "the difference is there")
    person.act(lambda: person.window.models.focus_chosen.emit(True), "one region is shown")
    person.look("difference-of-one-region")


STEPS = (
    *(_regions, _undo, _unit, _control, _custom, _pointing, _maps, _search_and_palette),
    *(_bad_file, _smooth, _looks),
)


def _second_region(person: Person) -> str:
    """A named region other than the largest, with some units."""
    workspace = person.explorer.state.workspace
    assert workspace is not None
    region = workspace.session.region
    names = [n for n in workspace.session.region_names() if n not in ("root", "void")]
    by_size = sorted(names, key=lambda name: int((region == name).sum()))
    return by_size[-2]


def _place_of_a_fast_unit(person: Person) -> QPoint:
    """Where the row of the fastest unit of the region that is not chosen yet is on screen."""
    raster, workspace = person.window.raster, person.explorer.state.workspace
    drawable = raster._drawable
    assert drawable is not None
    assert workspace is not None
    is_target = drawable.rows.region == person.explorer.state.mask.region
    is_target &= drawable.rows.unit_id != person.explorer.state.unit_id
    place = {uid: row for row, uid in enumerate(workspace.session.unit_id.tolist())}
    rates = [workspace.rate_hz[place[uid]] for uid in drawable.rows.unit_id.tolist()]
    row = int(np.argmax(np.where(is_target, rates, -1.0)))
    plot = raster.plots[0]
    middle = plot.place(row, drawable.true_hz.shape[1] // 2)
    spot = plot.getViewBox().mapViewToScene(QPointF(*middle))
    return raster.graphics.mapFromScene(spot)


def _time_first_picture(person: Person, region: str) -> float:
    """Click a region; return the seconds until the rasters show its mask."""
    started: list[float] = []
    shown: list[float] = []

    def on_picture(_: object) -> None:
        shown.append(time.monotonic())

    person.explorer.state.mask_changed.connect(lambda _: started.append(time.monotonic()))
    person.explorer.engine.partial.connect(on_picture)
    person.click_region(region)
    person.wait(lambda: bool(shown), "the first picture is there")
    person.explorer.engine.partial.disconnect(on_picture)
    return shown[0] - started[0]


def _boxes(person: Person) -> list[QMessageBox]:
    return [box for box in person.window.findChildren(QMessageBox) if box.isVisible()]


def _xdotool(*words: str) -> None:
    subprocess.run(["xdotool", *words], check=True, capture_output=True, timeout=20)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
