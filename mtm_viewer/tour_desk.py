"""Leads through the window, step by step; opens the demo where nothing is open."""

from __future__ import annotations

from collections.abc import Callable

from PyQt6.QtCore import QObject
from PyQt6.QtWidgets import QWidget

from mtm_viewer.commands import Command
from mtm_viewer.explorer import Explorer
from mtm_viewer.presenters.tour import STEPS
from mtm_viewer.views.tour_overlay import TourOverlay


class TourDesk(QObject):
    """Starts, moves and ends the tour.

    Parameters
    ----------
    explorer : Explorer
        The running program.
    open_demo : callable
        Opens the demo.
    """

    def __init__(self, explorer: Explorer, open_demo: Callable[[], object]) -> None:
        super().__init__(explorer)
        self._explorer = explorer
        self._open_demo = open_demo
        self._overlay: TourOverlay | None = None
        self._is_awaited = False
        explorer.settled.connect(self._on_settled)
        explorer.told.connect(lambda _: self._forget())
        explorer.window.welcome.tour_requested.connect(self.start)

    @property
    def overlay(self) -> TourOverlay | None:
        """What is drawn over the window; None while there is no tour."""
        return self._overlay

    def start(self) -> None:
        """Begin, with the session that is open, or with the demo."""
        window, workspace = self._explorer.window, self._explorer.state.workspace
        if workspace is None:
            self._is_awaited = True
            self._open_demo()
            return
        if window.is_browsing:
            window.show_welcome(is_shown=False)
        self._show(0)

    def end(self) -> None:
        """Take the overlay away."""
        self._is_awaited = False
        if self._overlay is not None:
            self._explorer.window.removeEventFilter(self._overlay)
            self._overlay.hide()
            self._overlay.deleteLater()
            self._overlay = None

    def command(self) -> Command:
        """Return the command that starts the tour."""
        return Command(
            id="help.tour",
            title="Tour",
            menu="Help",
            shortcut="F1",
            help="Two minutes through the window, step by step.",
            run=self.start,
        )

    def _on_settled(self) -> None:
        if self._is_awaited:
            self._is_awaited = False
            self.start()

    def _forget(self) -> None:
        """Begin no tour where its demo could not be opened."""
        self._is_awaited = False

    def _show(self, place: int) -> None:
        explorer = self._explorer
        if self._overlay is None:
            self._overlay = TourOverlay(explorer.state.theme, explorer.window)
            self._overlay.moved.connect(self._show)
            self._overlay.ended.connect(self.end)
        self._overlay.draw(place, self._target(STEPS[place].target))

    def _target(self, name: str) -> QWidget:
        window = self._explorer.window
        if name == "unit":
            window.unit_dock.show()
            window.unit_dock.raise_()
        targets: dict[str, QWidget | None] = {
            "raster": window.raster,
            "recipes": window.recipes,
            "tree": window.tree,
            "tools": window.raster.tools,
            "scores": window.scores,
            "unit": window.unit_dock,
            "models": window.models,
            "status": window.status,
            "menus": window.menuBar(),
        }
        return targets[name] or window
