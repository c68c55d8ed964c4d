"""What a person searches for, as the database's filters and as a rule for entries."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from mtm_core.data.one_records import EID, SearchQuery, SessionEntry
from mtm_core.data.regions import load_regions, region_info
from mtm_core.errors import ConfigError

_PLAIN = re.compile(r"[\w.\- ]*")
"""Names of labs and subjects; the database's own language has commas and brackets in it."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_DATE_BEGUN = re.compile(r"\d{4}(-\d{0,2}){0,2}")
_AT_ONCE = 50
_FIRST_DAY, _LAST_DAY = "1970-01-01", "2999-12-31"
_SPIKES = "spikes.times.npy"


def check(query: SearchQuery) -> None:
    """Refuse what no session could be called.

    Raises
    ------
    ConfigError
        If a date or a name has another form.
    UnknownNameError
        If the atlas has no such region.
    """
    for name, day in (("from", query.date_from), ("to", query.date_to)):
        if day and not _DAY.fullmatch(day):
            msg = f"The date '{day}' ({name}) should look like 2020-01-31."
            raise ConfigError(msg)
    for name, word in (("subject", query.subject), ("lab", query.lab), ("text", query.text)):
        if not _PLAIN.fullmatch(word):
            msg = f"'{word}' cannot be a {name}: letters, digits, '_', '-' and '.' only."
            raise ConfigError(msg)
    if query.region:
        region_name(query.region)


def region_name(word: str) -> str:
    """Return a region's acronym as the atlas writes it, whatever the case it was typed in.

    Raises
    ------
    UnknownNameError
        If the atlas has none of that name.

    Examples
    --------
    >>> region_name("visp"), region_name("CA1")
    ('VISp', 'CA1')
    """
    known = load_regions()
    if word in known:
        return word
    folded = [name for name in known if name.lower() == word.lower()]
    return folded[0] if folded else region_info(word).acronym


def server_filters(query: SearchQuery, eids: Iterable[str] | None) -> list[dict[str, str]]:
    """Return the filters of the requests that together find everything that could fit.

    Parameters
    ----------
    query : SearchQuery
        What is wanted.
    eids : iterable of str or None
        Only these sessions.
    """
    common = _common(query)
    if eids is not None:
        listed = list(eids)
        chunks = [listed[i : i + _AT_ONCE] for i in range(0, len(listed), _AT_ONCE)]
        return [_with(common, query, f"id__in,{chunk}") for chunk in chunks]
    words = query.text.split()
    eid = next((word for word in words if EID.fullmatch(word)), None)
    if eid is not None:
        return [_with(common, query, f"id__in,{[eid.lower()]}")]
    name = next((word for word in words if not _DATE_BEGUN.fullmatch(word)), None)
    if name is None:
        return [_with(common, query)]
    fields = ("subject__nickname", "lab__name")
    return [_with(common, query, f"{field}__icontains,{name}") for field in fields]


def _common(query: SearchQuery) -> dict[str, str]:
    filters = {"datasets": _SPIKES}
    days = [word for word in query.text.split() if _DAY.fullmatch(word)]
    first = max(filter(None, [query.date_from, *days]), default="")
    last = min(filter(None, [query.date_to, *days]), default="")
    if first or last:
        filters["date_range"] = f"{first or _FIRST_DAY},{last or _LAST_DAY}"
    if query.number is not None:
        filters["number"] = str(query.number)
    if query.region:
        filters["atlas_acronym"] = region_name(query.region)
    return filters


def _with(common: Mapping[str, str], query: SearchQuery, *conditions: str) -> dict[str, str]:
    """Add conditions in the database's own language, which knows parts of names."""
    parts = list(conditions)
    if query.subject:
        parts.append(f"subject__nickname__icontains,{query.subject}")
    if query.lab:
        parts.append(f"lab__name__icontains,{query.lab}")
    return {**common, "django": ",".join(parts)} if parts else dict(common)


def fits(entry: SessionEntry, query: SearchQuery, *, knows_regions: bool = False) -> bool:
    """Return whether a session is what was searched for, by what is known of it.

    Parameters
    ----------
    entry : SessionEntry
        The session.
    query : SearchQuery
        What is wanted.
    knows_regions : bool
        True where the database has sorted out the regions already.
    """
    words = f"{entry.eid} {entry.place}".lower()
    date = entry.date
    return (
        all(word in words for word in query.text.lower().split())
        and query.subject.lower() in entry.subject.lower()
        and query.lab.lower() in entry.lab.lower()
        and (not query.date_from or date >= query.date_from)
        and (not query.date_to or (bool(date) and date <= query.date_to))
        and query.number in (None, entry.number)
        and (knows_regions or not query.region or _goes_through(entry, query.region))
        and (not query.only_cached or entry.is_cached)
    )


def _goes_through(entry: SessionEntry, region: str) -> bool:
    wanted = region_name(region)
    known = load_regions()
    names = {wanted, known[wanted].beryl} - {"root", "void"}
    regions = [known[name] for name in entry.regions or () if name in known]
    return any(names & {info.acronym, info.beryl, info.cosmos} for info in regions)


def entry_of_record(record: Mapping[str, Any], known: Mapping[str, SessionEntry]) -> SessionEntry:
    """Make an entry of what the database has on record; `known` adds the number of probes."""
    eid = str(record.get("id") or str(record.get("url", "")).rstrip("/").rpartition("/")[2])
    probes = record.get("probe_insertion")
    listed = known.get(eid)
    return SessionEntry(
        eid=eid,
        lab=str(record.get("lab") or ""),
        subject=str(record.get("subject") or ""),
        date=str(record.get("start_time") or "")[:10],
        number=int(record.get("number") or 1),
        n_probes=len(probes) if probes else listed.n_probes if listed else None,
    )
