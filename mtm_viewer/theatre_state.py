"""What the single-trial theatre shows: whether it is open, which trial, in which order."""

from __future__ import annotations

from dataclasses import replace

from PyQt6.QtCore import QObject, pyqtSignal

from mtm_core.evaluation.colour_scale import Levels
from mtm_viewer.presenters.theatre_settings import TheatreSettings
from mtm_viewer.presenters.trial_order import SortName


class TheatreState(QObject):
    """The state of the theatre; it tells of every change.

    Notes
    -----
    Signals: `shown_changed` whether it is open, `trial_changed` a row of the session or
    `NO_TRIAL`, `sort_changed` the name of an order, `levels_changed` `Levels` or None.
    """

    shown_changed = pyqtSignal(bool)
    trial_changed = pyqtSignal(int)
    sort_changed = pyqtSignal(str)
    levels_changed = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._settings = TheatreSettings()

    @property
    def settings(self) -> TheatreSettings:
        """All of it."""
        return self._settings

    @property
    def is_shown(self) -> bool:
        """Whether it stands in place of the rasters of averages."""
        return self._settings.is_shown

    @property
    def trial(self) -> int:
        """Row of the trial that is shown; `NO_TRIAL` for none."""
        return self._settings.trial

    @property
    def sort(self) -> SortName:
        """The order in which trials are gone through."""
        return self._settings.sort

    @property
    def levels(self) -> Levels | None:
        """Values at the ends of the colour bar, set by hand; None for automatic ones."""
        return self._settings.levels

    def show(self, *, is_shown: bool) -> None:
        """Open the theatre, or close it."""
        self.take(replace(self._settings, is_shown=is_shown))

    def choose_trial(self, trial: int) -> None:
        """Show a trial."""
        self.take(replace(self._settings, trial=trial))

    def sort_by(self, sort: SortName) -> None:
        """Go through trials in another order; the trial stays.

        Raises
        ------
        UnknownNameError
            If there is no such order.
        """
        self.take(replace(self._settings, sort=sort))

    def set_levels(self, levels: Levels | None) -> None:
        """Set the values at the ends of the colour bar; None lets the trials decide."""
        self.take(replace(self._settings, levels=levels))

    def take(self, settings: TheatreSettings) -> None:
        """Show all of it otherwise."""
        before, self._settings = self._settings, settings
        if settings.sort != before.sort:
            self.sort_changed.emit(settings.sort)
        if settings.levels != before.levels:
            self.levels_changed.emit(settings.levels)
        if settings.trial != before.trial:
            self.trial_changed.emit(settings.trial)
        if settings.is_shown != before.is_shown:
            self.shown_changed.emit(settings.is_shown)
