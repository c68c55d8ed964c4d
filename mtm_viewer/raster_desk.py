"""Everything that is chosen about the rasters, connected with the state, and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from PyQt6.QtCore import QObject

from mtm_core.evaluation.colour_scale import Levels
from mtm_viewer.main_window import MainWindow
from mtm_viewer.presenters.mask_choice import region_words
from mtm_viewer.presenters.raster_settings import PanelName, RasterSettings
from mtm_viewer.presenters.trial_filter import SEEN, SPLITS, TrialFilter, filter_panel
from mtm_viewer.presenters.workspace import Workspace
from mtm_viewer.state import ViewerState

Attempt = Callable[[str, Callable[[], object]], None]
_RIGHT = 2


class RasterDesk(QObject):
    """Which maps, rows and trials are shown, and between which levels.

    Parameters
    ----------
    state : ViewerState
        How things are shown.
    window : MainWindow
        Where they are shown.
    attempt : callable
        ``attempt(title, deed)`` does a deed and tells in a dialog what went wrong.
    """

    def __init__(self, state: ViewerState, window: MainWindow, attempt: Attempt) -> None:
        super().__init__(window)
        self._state = state
        self._window = window
        self._attempt = attempt
        self._counted: tuple[Workspace | None, TrialFilter] = (None, TrialFilter())
        bar, raster, trials = window.models, window.raster, window.trials
        bar.third_chosen.connect(lambda name: self.show_panel(_RIGHT, name))
        bar.focus_chosen.connect(self._focus)
        bar.trials_asked.connect(lambda is_on: trials.setVisible(is_on))
        raster.panel_chosen.connect(self.show_panel)
        raster.levels_chosen.connect(self.set_levels)
        trials.filter_chosen.connect(self.show_trials)
        trials.setVisible(False)

    def draw(self) -> None:
        """Show in the bar what is chosen, and what a person should know about it."""
        state, bar, workspace = self._state, self._window.models, self._state.workspace
        if workspace is None:
            return
        display, mask = state.display, state.mask
        bar.draw_third(display.raster.panels[_RIGHT], has_baseline=workspace.baseline is not None)
        regions = region_words(mask.regions, most=1) if mask.regions else None
        bar.draw_rows(is_focused=display.is_focused, region=regions)
        self._draw_trials(workspace, state.trial_filter)
        reasons = [state.untrained_reason() or "", SEEN if state.trial_filter.is_seen else ""]
        seen = f"{SPLITS[state.trial_filter.split]} trials".capitalize()
        words = ["Not trained for this", seen]
        told = [(word, why) for word, why in zip(words, reasons, strict=True) if why]
        bar.badge.draw(told[-1][0] if told else "", "\n".join(why for _, why in told))

    def _draw_trials(self, workspace: Workspace, chosen: TrialFilter) -> None:
        """List what trials can be chosen by; to count them all takes longer than all the rest."""
        if self._counted[0] is workspace and self._counted[1] == chosen:
            return
        self._counted = (workspace, chosen)
        panel = filter_panel(workspace, chosen)
        self._window.models.draw_trials(panel.summary)
        self._window.trials.draw(panel)

    def show_panel(self, place: int, name: PanelName) -> None:
        """Show a map left, in the middle or right."""
        self._set_raster(self._state.display.raster.with_panel(place, name))

    def show_trials(self, wanted: TrialFilter) -> None:
        """Show other trials, or tell that there are none such."""
        self._attempt("This choice of trials", partial(self._state.show_trials, wanted))
        if self._state.trial_filter != wanted:  # the lists show what could not be chosen
            self._counted = (None, wanted)
            self.draw()

    def set_levels(self, levels: Levels | None) -> None:
        """Set the values at the ends of the colour bar; None lets the true map decide."""
        self._set_raster(replace(self._state.display.raster, levels=levels))

    def _focus(self, is_on: bool) -> None:
        self._state.set_display(replace(self._state.display, is_focused=is_on))

    def _set_raster(self, raster: RasterSettings) -> None:
        self._state.set_display(replace(self._state.display, raster=raster))
