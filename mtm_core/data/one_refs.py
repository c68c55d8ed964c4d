"""How a person names a session: by its eid, or by subject, date and number."""

from __future__ import annotations

import re

from mtm_core.data.one_records import EID, SearchQuery, SessionEntry
from mtm_core.errors import DataError

_PLACE = re.compile(
    r"(?:(?P<lab>[^/\s]+)/)?(?:Subjects/)?"
    r"(?P<subject>[^/\s]+)/(?P<date>\d{4}-\d\d-\d\d)/(?P<number>\d{1,3})"
)


def is_eid(ref: str) -> bool:
    """Return whether a text is an eid."""
    return EID.fullmatch(ref) is not None


def query_of_place(ref: str) -> SearchQuery:
    """Return the search that finds ``subject/date/number``, with or without the lab before it.

    Raises
    ------
    DataError
        If the text has another form.

    Examples
    --------
    >>> query = query_of_place("angelakilab/Subjects/NYU-11/2020-02-18/001")
    >>> query.lab, query.subject, query.date_from, query.number
    ('angelakilab', 'NYU-11', '2020-02-18', 1)
    """
    found = _PLACE.fullmatch(ref.strip().rstrip("/"))
    if found is None:
        msg = (
            f"'{ref}' names no session: give its eid "
            "(8-4-4-4-12 hexadecimal digits) or subject/date/number."
        )
        raise DataError(msg)
    return SearchQuery(
        subject=found["subject"],
        lab=found["lab"] or "",
        date_from=found["date"],
        date_to=found["date"],
        number=int(found["number"]),
    )


def is_at(entry: SessionEntry, place: SearchQuery) -> bool:
    """Return whether a session is the one of a place, exactly."""
    same = (entry.subject.lower(), entry.date, entry.number)
    is_lab = not (place.lab and entry.lab) or place.lab.lower() == entry.lab.lower()
    return is_lab and same == (place.subject.lower(), place.date_from, place.number)
