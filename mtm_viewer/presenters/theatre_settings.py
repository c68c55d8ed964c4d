"""What a person chose about the single-trial theatre."""

from __future__ import annotations

from dataclasses import dataclass

from mtm_core.errors import UnknownNameError
from mtm_core.evaluation.colour_scale import Levels
from mtm_viewer.presenters.trial_order import THEATRE_SORTS, SortName

NO_TRIAL = -1


@dataclass(frozen=True, kw_only=True)
class TheatreSettings:
    """How single trials are shown.

    Parameters
    ----------
    is_shown : bool
        Whether the theatre stands in place of the rasters of averages.
    trial : int
        Row of the session; `NO_TRIAL` for none.
    sort : str
        The order in which trials are gone through, one of
        `mtm_viewer.presenters.trial_order.THEATRE_SORTS`.
    levels : Levels or None
        Values at the ends of the colour bar; None lets the trials decide.

    Raises
    ------
    UnknownNameError
        If there is no such order.
    """

    is_shown: bool = False
    trial: int = NO_TRIAL
    sort: SortName = "surprise"
    levels: Levels | None = None

    def __post_init__(self) -> None:
        if self.sort not in THEATRE_SORTS:
            raise UnknownNameError("order of trials", self.sort, THEATRE_SORTS)
