"""Connects the comparison panel with the state, the rasters and what was computed."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, QTimer

from mtm_core.evaluation.paired_change import PairedChange
from mtm_core.evaluation.paired_table import write_unit_changes
from mtm_viewer.compare_actions import SIDE
from mtm_viewer.explorer import Explorer
from mtm_viewer.presenters.compare_choice import (
    NOTHING,
    CompareChoice,
    contrast_entries,
    opponent_entries,
)
from mtm_viewer.presenters.comparison_panel import comparison_panel
from mtm_viewer.presenters.raster_settings import PanelName, RasterSettings

_LEFT, _MIDDLE, _RIGHT = range(3)
_PAINTED_MS, _DELAY_MS = 30, 300
"""When the panel is drawn after the last picture, and after those before it."""


class CompareDesk(QObject):
    """Shows what is compared, and puts its maps into the rasters.

    Parameters
    ----------
    explorer : Explorer
        The running program.
    """

    def __init__(self, explorer: Explorer) -> None:
        super().__init__(explorer.window)
        self._explorer = explorer
        self._state = explorer.state
        self._view = explorer.window.compare
        self._dock = explorer.window.side_docks[SIDE]
        self._is_blinking = False
        self._could_blink = False
        self._delay = QTimer(self)
        self._delay.setSingleShot(True)
        self._delay.timeout.connect(self._draw)
        self._connect()

    def stop(self) -> None:
        """Draw nothing any more."""
        self._delay.stop()

    def compare_with(self, key: str) -> None:
        """Compare with one of `opponent_entries`, and show it at the right."""
        self._choose(self._state.compare.with_opponent(key))

    def contrast(self, field: str) -> None:
        """Compare two conditions, and show both contrasts."""
        self._choose(replace(self._state.compare, contrast=field))

    def blink(self) -> None:
        """Exchange the reconstruction with what it is compared with, or back."""
        self.set_blinking(is_on=not self._is_blinking)

    def set_blinking(self, *, is_on: bool) -> None:
        """Show the other in place of the reconstruction, or no longer."""
        self._is_blinking = is_on and self.can_blink()
        self._explorer.window.raster.blink(is_on=self._is_blinking)
        self._view.draw_blink(is_on=self._is_blinking)
        self._explorer.window.refresh_actions()

    def is_blinking(self) -> bool:
        """Tell whether they are exchanged."""
        return self._is_blinking

    def can_blink(self) -> bool:
        """Tell whether there is something to blink to."""
        return self.change() is not None

    def ask_table(self) -> None:
        """Ask where to save the change of every unit, and save it."""
        title, kinds = "Save each unit's change", ["Tables (*.csv)"]
        self._explorer.files.ask(title, kinds, "comparison", self.save_table)

    def save_table(self, path: Path) -> None:
        """Save a line for each scored unit as CSV."""
        change, workspace = self.change(), self._state.workspace
        if change is not None and workspace is not None:
            deed = partial(write_unit_changes, workspace.session, change, path)
            self._explorer.attempt(path.name, deed)

    def change(self) -> PairedChange | None:
        """Return what came out for the comparison that is chosen; None before anything did."""
        picture, choice = self._explorer.picture, self._state.compare
        if picture is None or picture.compared is None or picture.compared.choice != choice:
            return None
        return picture.compared.change

    def _connect(self) -> None:
        view, state, explorer = self._view, self._state, self._explorer
        view.opponent_chosen.connect(self.compare_with)
        view.contrast_chosen.connect(self.contrast)
        view.blink_asked.connect(lambda is_on: self.set_blinking(is_on=is_on))
        view.unit_clicked.connect(state.select_unit)
        view.table_asked.connect(self.ask_table)
        state.compare_changed.connect(lambda _: self._on_choice())
        state.workspace_changed.connect(lambda _: self._on_choice())
        state.unit_changed.connect(lambda _: self._draw())
        explorer.pictured.connect(lambda _: self._draw())
        self._dock.visibilityChanged.connect(lambda _: self._draw())
        self._draw()

    def _choose(self, choice: CompareChoice) -> None:
        """Compare, show the panel, and put the maps of what is compared on screen."""
        before = self._state.compare
        self._state.set_compare(choice)
        self._show_maps(before, self._state.compare)
        if choice != CompareChoice() and self._dock.isHidden():
            self._explorer.window.toggle_side(SIDE)

    def _show_maps(self, before: CompareChoice, now: CompareChoice) -> None:
        raster = self._state.display.raster
        if (now.opponent is None) != (before.opponent is None):
            right: PanelName = "temporal" if now.opponent is None else "opponent"
            raster = _swap(raster, {"opponent", "opponent_difference", "opponent_gain"}, right)
        if bool(now.contrast) != bool(before.contrast):
            is_on = bool(now.contrast)
            raster = raster.with_panel(_LEFT, "contrast_true" if is_on else "true")
            raster = raster.with_panel(_MIDDLE, "contrast_model" if is_on else "model")
        self._state.set_display(replace(self._state.display, raster=raster))

    def _on_choice(self) -> None:
        if not self.can_blink():
            self.set_blinking(is_on=False)
        self._draw()
        self._explorer.window.refresh_actions()

    def _draw_choice(self) -> None:
        state, workspace = self._state, self._state.workspace
        no_opponent, no_contrast = {NOTHING: "Nothing"}, {NOTHING: "None"}
        self._view.draw_choice(
            state.compare,
            no_opponent if workspace is None else opponent_entries(workspace),
            no_contrast if workspace is None else contrast_entries(workspace),
        )

    def _on_picture(self) -> None:
        """Draw after the rasters are painted, and while trials arrive not too often."""
        picture = self._explorer.picture
        is_last = picture is not None and picture.is_final
        if is_last or not self._delay.isActive():
            self._delay.start(_PAINTED_MS if is_last else _DELAY_MS)

    def _draw(self) -> None:
        """Draw what is known, where it can be seen."""
        if self.can_blink() != self._could_blink:
            self._could_blink = self.can_blink()
            self._explorer.window.refresh_actions()
        state, picture = self._state, self._explorer.picture
        workspace = state.workspace
        if self._dock.isHidden():
            return
        self._draw_choice()
        compared = None if picture is None else picture.compared
        drawable = comparison_panel(workspace, state.compare, compared, state.unit_id)
        self._view.draw(drawable, state.unit_id)


def _swap(raster: RasterSettings, old: set[str], right: PanelName) -> RasterSettings:
    """Put a map at the right; what is compared no longer leaves its places."""
    if right == "opponent":
        return raster if right in raster.panels else raster.with_panel(_RIGHT, right)
    default = RasterSettings().panels
    for place, name in enumerate(raster.panels):
        if name in old:
            free = next(one for one in (default[place], *default) if one not in raster.panels)
            raster = raster.with_panel(place, free)
    return raster
