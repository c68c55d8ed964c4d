"""Every panel can be saved and copied, as a picture and as numbers: one mechanism for all.

A panel says what it looks like and what its numbers are (`ExportPanel`); commands for menu and
palette, the menu of the right mouse button and the files come from here.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import pyqtgraph as pg
from PyQt6.QtCore import QEvent, QObject, QPoint, Qt, QThreadPool, pyqtSignal
from PyQt6.QtGui import QContextMenuEvent, QImage
from PyQt6.QtWidgets import QApplication, QMenu, QWidget

from mtm_core.errors import MtmError
from mtm_core.experiment.files import attachment_of
from mtm_core.experiment.record import Experiment
from mtm_core.resources import atomic_write
from mtm_viewer.commands import Command
from mtm_viewer.experiment_desk import ExperimentDesk
from mtm_viewer.explorer import Explorer
from mtm_viewer.jobs.numbers_file import NUMBER_KINDS, write_numbers
from mtm_viewer.presenters.experiment_made import caption_of, choices_of
from mtm_viewer.presenters.panel_numbers import PanelNumbers
from mtm_viewer.views.export import PICTURE_KINDS, prepare_image, prepare_picture

logger = logging.getLogger(__name__)
_MENU = "File/Export"
_SAID_MS = 8000


@dataclass(frozen=True, eq=False, kw_only=True)
class ExportPanel:
    """A panel, as it can be saved.

    Parameters
    ----------
    name : str
        For commands, for example ``"unit"``.
    title : str
        For people, for example ``"Unit panel"``.
    widget : QWidget
        The panel; the right mouse button and the menu key open its menu.
    parts : callable
        Returns what to draw, one widget below the other: none where there is nothing to see.
    numbers : callable
        Returns its numbers; None where there are none. Asked only if there are parts.
    keys : mapping of str to str
        Shortcuts of its commands: ``picture``, ``numbers``, ``copy``, ``copy_numbers``.
    """

    name: str
    title: str
    widget: QWidget
    parts: Callable[[], Sequence[QWidget]]
    numbers: Callable[[], PanelNumbers | None]
    keys: Mapping[str, str] = field(default_factory=dict)


class PanelExports(QObject):
    """Saves and copies panels.

    Parameters
    ----------
    explorer : Explorer
        The running program.
    experiments : ExperimentDesk
        Knows what is on screen, for captions and for what files carry inside.
    """

    _painted = pyqtSignal(str, QImage)
    _written = pyqtSignal(str)
    _failed = pyqtSignal(str)

    def __init__(self, explorer: Explorer, experiments: ExperimentDesk) -> None:
        super().__init__(explorer)
        self._explorer = explorer
        self._experiments = experiments
        self._panels: dict[str, ExportPanel] = {}
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)
        self._painted.connect(self._copy)
        self._written.connect(self._say)
        self._failed.connect(partial(explorer.tell, "The panel could not be saved"))

    @property
    def panels(self) -> tuple[ExportPanel, ...]:
        """All panels that can be saved."""
        return tuple(self._panels.values())

    def offer(self, panel: ExportPanel) -> None:
        """Let a panel be saved from menu, palette, and the right mouse button."""
        self._panels[panel.name] = panel
        self._explorer.registry.add(*self._commands(panel))
        panel.widget.installEventFilter(self)
        for view in panel.widget.findChildren(pg.GraphicsView):
            self._offer_in_plots(panel, view)

    def wait(self) -> None:
        """Wait until everything is written."""
        self._pool.waitForDone()

    def save_picture(self, panel: ExportPanel, path: Path) -> None:
        """Save a panel as PNG, SVG or PDF, with the experiment inside and a caption beside.

        Here it is only drawn: pixels, files and disks have a thread of their own.
        """
        self._explorer.attempt(path.name, partial(self._save_picture, panel, path))

    def save_numbers(self, panel: ExportPanel, path: Path) -> None:
        """Save the numbers of a panel as CSV, NPZ or HDF5, in the background."""
        numbers, experiment = self._numbers(panel), self._experiments.experiment()
        if numbers is not None:
            attachment = "" if experiment is None else attachment_of(experiment)
            noted = _with_choices(numbers, experiment)
            write = partial(write_numbers, noted, path, attachment)
            self._pool.start(partial(self._write, lambda: _saved_words(write())))

    def copy_picture(self, panel: ExportPanel) -> None:
        """Copy a panel to the clipboard as a picture, once its pixels are painted."""
        parts = self._seen(panel)
        if parts:
            paint = prepare_image(parts)
            self._pool.start(partial(self._paint, panel.title, paint))

    def copy_numbers(self, panel: ExportPanel) -> None:
        """Copy the first table of a panel to the clipboard."""
        clipboard, found = QApplication.clipboard(), self._numbers(panel)
        if clipboard is not None and found is not None:
            numbers = _with_choices(found, self._experiments.experiment())
            clipboard.setText(numbers.to_text(numbers.tables[0], "\t"))
            self._say(f"{panel.title}: the numbers were copied.")

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Open the menu of a panel (Qt's own hook)."""
        if isinstance(event, QContextMenuEvent):
            mine = [panel for panel in self._panels.values() if panel.widget is watched]
            if mine:
                self.open_menu(mine[0], event.globalPos())
                return True
            # In plots the menu opens at the release: until then it may become a drag.
            return event.reason() is QContextMenuEvent.Reason.Mouse
        return super().eventFilter(watched, event)

    def open_menu(self, panel: ExportPanel, place: QPoint) -> QMenu:
        """Open the menu of a panel at a place of the screen."""
        registry = self._explorer.registry
        menu = QMenu(panel.title, panel.widget)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setAccessibleName(panel.title)
        menu.setToolTipsVisible(True)
        for command in self._commands(panel):
            action = menu.addAction(command.title)
            if action is not None:
                action.setEnabled(command.is_enabled())
                action.setToolTip(command.help)
                action.triggered.connect(lambda _=False, name=command.id: registry.run(name))
        menu.popup(place)
        return menu

    def _commands(self, panel: ExportPanel) -> list[Command]:
        menu = f"{_MENU}/{panel.title}"

        def make(name: str, title: str, words: str, run: Callable[[], object]) -> Command:
            return Command(
                id=f"export.{panel.name}.{name}",
                title=title,
                menu=menu,
                shortcut=panel.keys.get(name, ""),
                help=words,
                run=run,
                is_enabled=lambda: self._explorer.state.workspace is not None,
            )

        return [
            make(
                "picture",
                "Save picture…",
                "Save it as PNG, SVG or PDF, with the experiment inside and a caption.",
                partial(self._ask_picture, panel),
            ),
            make(
                "numbers",
                "Save numbers…",
                "Save what it shows, to the last digit, as CSV, NPZ or HDF5.",
                partial(self._ask_numbers, panel),
            ),
            make(
                "copy",
                "Copy picture",
                "Copy it to the clipboard as a picture.",
                partial(self.copy_picture, panel),
            ),
            make(
                "copy_numbers",
                "Copy numbers",
                "Copy its main table to the clipboard, for a spreadsheet.",
                partial(self.copy_numbers, panel),
            ),
        ]

    def _ask_picture(self, panel: ExportPanel) -> None:
        if self._seen(panel):
            self._ask(panel, PICTURE_KINDS, self.save_picture)

    def _ask_numbers(self, panel: ExportPanel) -> None:
        if self._numbers(panel) is not None:
            self._ask(panel, NUMBER_KINDS, self.save_numbers)

    def _seen(self, panel: ExportPanel) -> Sequence[QWidget]:
        """Return what can be drawn of a panel; tell if there is nothing."""
        parts = panel.parts() if panel.widget.isVisible() else ()
        if not parts:
            sentence = "Show that panel first (menu View), and wait until something stands there."
            self._explorer.tell(f"{panel.title}: there is nothing to see yet", sentence)
        return parts

    def _ask(
        self,
        panel: ExportPanel,
        kinds: Sequence[str],
        then: Callable[[ExportPanel, Path], None],
    ) -> None:
        title = f"{panel.title}: save {'picture' if kinds is PICTURE_KINDS else 'numbers'}"
        self._explorer.files.ask(title, kinds, panel.name, partial(then, panel))

    def _offer_in_plots(self, panel: ExportPanel, view: pg.GraphicsView) -> None:
        viewport = view.viewport()
        if viewport is None:
            return
        viewport.installEventFilter(self)

        def on_click(event: object) -> None:
            if event.button() == Qt.MouseButton.RightButton:  # type: ignore[attr-defined]
                self.open_menu(panel, event.screenPos().toPoint())  # type: ignore[attr-defined]

        view.scene().sigMouseClicked.connect(on_click)

    def _save_picture(self, panel: ExportPanel, path: Path) -> None:
        parts = self._seen(panel)
        if not parts:
            return
        experiment = self._experiments.experiment()
        attachment = "" if experiment is None else attachment_of(experiment)
        caption = self._caption(panel, experiment)
        write = prepare_picture(parts, path.suffix, panel.title)

        def deed() -> str:
            write(path, attachment or None)
            return _add_caption(path, caption)

        self._pool.start(partial(self._write, deed))

    def _copy(self, title: str, image: QImage) -> None:
        clipboard = QApplication.clipboard()
        if clipboard is not None:
            clipboard.setImage(image)
            self._say(f"{title}: the picture was copied.")

    def _caption(self, panel: ExportPanel, experiment: Experiment | None) -> str:
        workspace = self._explorer.state.shown
        if experiment is None or workspace is None:
            return f"{panel.title}.\n"
        return f"{panel.title}. {caption_of(experiment, workspace)}"

    def _numbers(self, panel: ExportPanel) -> PanelNumbers | None:
        """Return the numbers of a panel; tell if there are none."""
        numbers = panel.numbers()
        if numbers is None or not numbers.tables:
            sentence = "Wait until something is computed, or show something else there first."
            self._explorer.tell(f"{panel.title}: there are no numbers to save yet", sentence)
            return None
        return numbers

    def _write(self, deed: Callable[[], str]) -> None:
        """Write files, and say which; runs in a thread of its own."""
        with self._telling():
            self._written.emit(deed())

    def _paint(self, title: str, paint: Callable[[], QImage]) -> None:
        """Paint an image for the clipboard; runs in a thread of its own."""
        with self._telling():
            self._painted.emit(title, paint())

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        """Tell what goes wrong inside, which the pool would swallow."""
        try:
            yield
        except MtmError as error:
            self._failed.emit(str(error))
        except Exception as error:
            logger.exception("A panel could not be written.")
            self._failed.emit(f"The program met a fault of its own ({error}).")

    def _say(self, sentence: str) -> None:
        bar = self._explorer.window.statusBar()
        if bar is not None:
            bar.showMessage(sentence, _SAID_MS)


def _with_choices(numbers: PanelNumbers, experiment: Experiment | None) -> PanelNumbers:
    """Return numbers with all choices behind them."""
    if experiment is None:
        return numbers
    notes = (*numbers.notes, *choices_of(experiment))
    return PanelNumbers(title=numbers.title, tables=numbers.tables, notes=notes)


def _add_caption(path: Path, caption: str) -> str:
    """Write a caption beside a picture; return what was saved, in words."""
    beside = path.with_name(f"{path.stem}.caption.txt")
    with atomic_write(beside) as temporary:
        temporary.write_text(caption, encoding="utf-8")
    return f"Saved {path}, and its caption as {beside.name}."


def _saved_words(paths: Sequence[Path]) -> str:
    more = f", and {len(paths) - 1} more beside it" if len(paths) > 1 else ""
    return f"Saved {paths[0]}{more}."
