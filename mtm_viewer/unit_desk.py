"""The unit looked at closely, connected with the state, and back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PyQt6.QtCore import QObject

from mtm_core.evaluation.trial_surprise import reaction_times
from mtm_viewer.main_window import MainWindow
from mtm_viewer.presenters.picture import Picture
from mtm_viewer.presenters.psth import unit_panel
from mtm_viewer.presenters.region_tree import WORDS, Visibility, unit_visibility
from mtm_viewer.presenters.score_lines import unit_score
from mtm_viewer.presenters.trial_order import TrialValues
from mtm_viewer.presenters.unit_settings import UnitSettings
from mtm_viewer.state import ViewerState

_IN_TURN = "hidden in turn"


class UnitDesk(QObject):
    """Draws the selected unit, as the person set the panel.

    Parameters
    ----------
    state : ViewerState
        Which unit, and how.
    window : MainWindow
        Where it is shown.
    """

    def __init__(self, state: ViewerState, window: MainWindow) -> None:
        super().__init__(window)
        self._state, self._panel = state, window.unit
        self._panel.field_toggled.connect(self.toggle_field)
        self._panel.sort_chosen.connect(
            lambda name: state.set_unit_settings(replace(state.unit_settings, sort=name))
        )

    def toggle_field(self, field: str) -> None:
        """Show the PSTHs of a field, or no longer."""
        settings = self._state.unit_settings
        self._state.set_unit_settings(settings.with_field_toggled(field))

    def draw(self, picture: Picture | None) -> None:
        """Show the selected unit in the trials of a picture."""
        state, row = self._state, self._state.unit_row
        self._panel.draw_settings(state.unit_settings)
        if state.workspace is None or row is None or picture is None:
            self._panel.draw_by_parts(None)
            return
        model_hz = picture.model_hz
        settings, raster = state.unit_settings, state.display.raster
        self._panel.draw_by_parts(
            unit_panel(
                state.workspace.session,
                row,
                picture.trials,
                None if model_hz is None else model_hz[:, :, row],
                score=unit_score(picture.gains, row),
                fields=settings.fields,
                sort_by=_sort_values(picture, row, settings),
                sigma_s=raster.sigma_s,
                colour_map=raster.colour_map,
                trial_kind=picture.workspace.trial_kind,
                seen=self._seen(row),
                is_exact=picture.is_exact or picture.model_hz is None,
                is_scored=None if picture.mask is None else picture.mask.is_scored[:, row],
            )
        )

    def _seen(self, row: int) -> str:
        workspace, mask = self._state.workspace, self._state.resolved
        if workspace is None or mask is None or workspace.model is None:
            return ""
        state = Visibility(int(unit_visibility(mask, workspace.session.n_units)[row]))
        word = _IN_TURN if state is Visibility.IN_TURN else WORDS[state]
        return f"{word}{', scored' if mask.is_scored[:, row].any() else ''}"


def _sort_values(picture: Picture, row: int, settings: UnitSettings) -> TrialValues | None:
    """Return the numbers that trials are sorted by; None for their condition."""
    trials = picture.trials
    everywhere = np.ones(len(trials), dtype=bool)
    if settings.sort == "recorded":
        number = picture.workspace.session.trials.columns["trial_id"].values[trials]
        return TrialValues(
            values=number.astype(np.float64), is_valid=everywhere, words="trial number", unit=""
        )
    if settings.sort == "reaction":
        return reaction_values(picture)
    if settings.sort == "gain":
        return gain_values(picture, row)
    return None


def reaction_values(picture: Picture) -> TrialValues:
    """Return the reaction times of the trials of a picture, as far as they are known."""
    trials, found = picture.trials, reaction_times(picture.workspace.session)
    if found is None:
        nothing = np.zeros(len(trials))
        return TrialValues(
            values=nothing, is_valid=nothing.astype(bool), words="reaction time", unit="s"
        )
    return TrialValues(
        values=found.seconds[trials], is_valid=found.is_valid[trials], words=found.words, unit="s"
    )


def gain_values(picture: Picture, row: int) -> TrialValues:
    """Return the unit's gain over its PSTH in each trial; unknown where it is not scored."""
    trials, gains = picture.trials, picture.gains
    values, is_valid = np.zeros(len(trials)), np.zeros(len(trials), dtype=bool)
    column = np.flatnonzero(gains.units == row) if gains is not None else np.zeros(0, np.int64)
    if gains is not None and len(column):
        place = np.argsort(np.argsort(trials))  # gains stand in the order of the session
        values = gains.gain[place, column[0]] / np.log(2)
        is_valid = ~is_valid
    return TrialValues(values=values, is_valid=is_valid, words="gain over the PSTH", unit="bits")
