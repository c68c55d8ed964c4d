"""What the single-trial theatre shows: whether it is open, which trial, in which order."""

from __future__ import annotations

from PyQt6.QtCore import QObject, pyqtSignal

from mtm_core.errors import UnknownNameError
from mtm_core.evaluation.colour_scale import Levels
from mtm_viewer.presenters.trial_order import THEATRE_SORTS, SortName

NO_TRIAL = -1


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
        self._is_shown = False
        self._trial = NO_TRIAL
        self._sort: SortName = "surprise"
        self._levels: Levels | None = None

    @property
    def is_shown(self) -> bool:
        """Whether it stands in place of the rasters of averages."""
        return self._is_shown

    @property
    def trial(self) -> int:
        """Row of the trial that is shown; `NO_TRIAL` for none."""
        return self._trial

    @property
    def sort(self) -> SortName:
        """The order in which trials are gone through."""
        return self._sort

    @property
    def levels(self) -> Levels | None:
        """Values at the ends of the colour bar, set by hand; None for automatic ones."""
        return self._levels

    def show(self, *, is_shown: bool) -> None:
        """Open the theatre, or close it."""
        if is_shown != self._is_shown:
            self._is_shown = is_shown
            self.shown_changed.emit(is_shown)

    def choose_trial(self, trial: int) -> None:
        """Show a trial."""
        if trial != self._trial:
            self._trial = trial
            self.trial_changed.emit(trial)

    def sort_by(self, sort: SortName) -> None:
        """Go through trials in another order; the trial stays.

        Raises
        ------
        UnknownNameError
            If there is no such order.
        """
        if sort not in THEATRE_SORTS:
            raise UnknownNameError("order of trials", sort, THEATRE_SORTS)
        if sort != self._sort:
            self._sort = sort
            self.sort_changed.emit(sort)

    def set_levels(self, levels: Levels | None) -> None:
        """Set the values at the ends of the colour bar; None lets the trials decide."""
        if levels != self._levels:
            self._levels = levels
            self.levels_changed.emit(levels)
