"""What the unit panel shows: which PSTHs, and how single trials are sorted."""

from __future__ import annotations

from dataclasses import dataclass, replace

from mtm_core.data.conditions import CONDITION_FIELDS
from mtm_core.errors import UnknownNameError
from mtm_viewer.presenters.condition_words import FIELD_TITLES
from mtm_viewer.presenters.trial_order import UNIT_SORTS, SortName

SHOWN_AT_FIRST = ("contrast_side", "feedback", "choice", "block")


@dataclass(frozen=True, kw_only=True)
class UnitSettings:
    """How one unit is shown.

    Parameters
    ----------
    fields : tuple of str
        Fields to split trials by.
    sort : str
        Order of the single trials, one of `mtm_viewer.presenters.trial_order.UNIT_SORTS`.
    """

    fields: tuple[str, ...] = SHOWN_AT_FIRST
    sort: SortName = "condition"

    def __post_init__(self) -> None:
        for field in self.fields:
            if field not in CONDITION_FIELDS:
                raise UnknownNameError("field", field, CONDITION_FIELDS)
        if self.sort not in UNIT_SORTS:
            raise UnknownNameError("order of trials", self.sort, UNIT_SORTS)

    def with_field_toggled(self, field: str) -> UnitSettings:
        """Show the PSTHs of a field, or no longer.

        Examples
        --------
        >>> UnitSettings(fields=("block",)).with_field_toggled("choice").fields
        ('choice', 'block')
        """
        wanted = set(self.fields) ^ {field}
        return replace(self, fields=tuple(name for name in FIELD_TITLES if name in wanted))
