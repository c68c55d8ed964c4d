"""The list of sessions that can be opened: rows, columns, filters, what a typed word means."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Literal

from mtm_core.data.regions import load_regions, sort_regions
from mtm_viewer.theme import contrast

ShelfName = Literal["bundled", "recent", "disk", "database"]

SHELVES: dict[ShelfName, str] = {
    "bundled": "Bundled",
    "recent": "Recent",
    "disk": "On disk",
    "database": "IBL database",
}
"""Where sessions are looked for, with what people read."""

_EID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)
_DATE = re.compile(r"(\d{4})(?:-(\d\d?)(?:-(\d\d?))?)?")
_SUBJECT_FOLDERS = re.compile(r"([^/\\]+)[/\\](\d{4}-\d\d-\d\d)[/\\](\d+)$")
_LAB_FOLDERS = re.compile(r"([^/\\]+)[/\\]Subjects[/\\]")
_UNKNOWN_COLOUR = "#8a8f98"
_DARK_TEXT, _LIGHT_TEXT = "#111418", "#ffffff"


@dataclass(frozen=True, kw_only=True)
class SessionRow:
    """One session that can be opened.

    Parameters
    ----------
    source : str
        What opening it takes: a path, or an eid.
    name : str
        What people call it.
    kind : str
        What it is, for example ``"session file"``, ``"ALF folder"``, ``"NWB file"``.
    subject, lab, date : str
        "" where not known.
    number, n_probes, n_units, n_trials : int or None
        None where not known before it is opened.
    regions : tuple of str
        Acronyms, in the atlas's order; empty where not known.
    where : str
        The folder it lies in; "" where that says nothing.
    is_local : bool
        Whether it opens without a network.
    is_simulated : bool
        Whether a program made the spikes.
    problem : str
        Why it cannot be opened; "" if nothing is known against it.
    """

    source: str
    name: str
    kind: str = "session file"
    subject: str = ""
    lab: str = ""
    date: str = ""
    number: int | None = None
    n_probes: int | None = None
    n_units: int | None = None
    n_trials: int | None = None
    regions: tuple[str, ...] = ()
    where: str = ""
    is_local: bool = True
    is_simulated: bool = False
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class ColumnInfo:
    """A column of the list.

    Parameters
    ----------
    field : str
        Field of `SessionRow`.
    title, tooltip : str
        What people read.
    is_number : bool
        Whether it stands on the right and sorts by value.
    """

    field: str
    title: str
    tooltip: str = ""
    is_number: bool = False


COLUMNS = (
    ColumnInfo(field="name", title="Session"),
    ColumnInfo(field="subject", title="Subject"),
    ColumnInfo(field="lab", title="Lab"),
    ColumnInfo(field="date", title="Date"),
    ColumnInfo(
        field="number", title="No.", tooltip="Number of the session that day", is_number=True
    ),
    ColumnInfo(field="n_probes", title="Probes", is_number=True),
    ColumnInfo(field="n_units", title="Units", is_number=True),
    ColumnInfo(field="n_trials", title="Trials", is_number=True),
    ColumnInfo(field="regions", title="Regions", tooltip="In the colours of the Allen atlas"),
    ColumnInfo(field="kind", title="What it is"),
    ColumnInfo(field="where", title="Folder"),
    ColumnInfo(field="is_local", title="Opens", tooltip="Where it would be read from"),
)
_ALWAYS = ("name",)


@dataclass(frozen=True, kw_only=True)
class Badge:
    """A region in its colour.

    Parameters
    ----------
    text : str
        The acronym.
    colour, text_colour : str
        Background in the atlas's colour, and the text colour that reads on it.
    """

    text: str
    colour: str
    text_colour: str


def shown_columns(rows: Sequence[SessionRow]) -> tuple[ColumnInfo, ...]:
    """Return the columns of which at least one row knows something worth telling apart.

    Examples
    --------
    >>> rows = [SessionRow(source="a.h5", name="a", date="2020-01-07", n_units=3)]
    >>> [column.title for column in shown_columns(rows)]
    ['Session', 'Date', 'Units']
    """
    return tuple(column for column in COLUMNS if _is_worth_showing(column, rows))


def _is_worth_showing(column: ColumnInfo, rows: Sequence[SessionRow]) -> bool:
    if column.field in _ALWAYS:
        return True
    values = {getattr(row, column.field) for row in rows}
    if column.field in ("kind", "is_local"):
        return len(values) > 1 or values == {False}
    return not values <= {None, "", ()}


def cell_text(row: SessionRow, field: str) -> str:
    """Write one cell; regions are drawn as badges, and this is what they read as.

    Examples
    --------
    >>> row = SessionRow(source="a.h5", name="a", n_units=1234, is_local=False)
    >>> cell_text(row, "n_units"), cell_text(row, "is_local"), cell_text(row, "number")
    ('1,234', 'after a download', '')
    """
    value = getattr(row, field)
    if field == "name":
        return f"{row.name}  (simulated)" if row.is_simulated else row.name
    if field == "is_local":
        return "at once" if value else "after a download"
    if field == "regions":
        return ", ".join(value)
    if isinstance(value, int):
        return f"{value:,}"
    return value or ""


def cell_tooltip(row: SessionRow, field: str) -> str:
    """Say more about a cell: regions by their full names, why it cannot be opened, where it is."""
    if row.problem:
        return row.problem
    if field == "regions" and row.regions:
        known = load_regions()
        names = [f"{name}: {known[name].name}" for name in row.regions if name in known]
        unknown = [name for name in row.regions if name not in known]
        return "\n".join([*names, *unknown])
    return row.source


def region_badges(regions: Iterable[str]) -> tuple[Badge, ...]:
    """Give each region its colour in the Allen atlas, and a text colour that reads on it.

    Examples
    --------
    >>> region_badges(["CA1"])
    (Badge(text='CA1', colour='#7ed04b', text_colour='#111418'),)
    """
    known = load_regions()
    return tuple(
        _badge(name, known[name].color_hex if name in known else _UNKNOWN_COLOUR)
        for name in regions
    )


def _badge(name: str, colour: str) -> Badge:
    is_bright = contrast(colour, _DARK_TEXT) >= contrast(colour, _LIGHT_TEXT)
    return Badge(text=name, colour=colour, text_colour=_DARK_TEXT if is_bright else _LIGHT_TEXT)


def filter_rows(rows: Iterable[SessionRow], query: str) -> list[SessionRow]:
    """Keep the rows in which every word of a query occurs somewhere.

    Examples
    --------
    >>> rows = [SessionRow(source="1", name="Cori", regions=("CA1",)),
    ...         SessionRow(source="2", name="Cori", regions=("VISp",))]
    >>> [row.source for row in filter_rows(rows, "cori vis")]
    ['2']
    """
    words = query.lower().split()
    return [row for row in rows if all(word in _haystack(row) for word in words)]


def _haystack(row: SessionRow) -> str:
    made = "simulated" if row.is_simulated else ""
    parts = (row.name, row.subject, row.lab, row.date, row.kind, row.source, made, *row.regions)
    return " ".join(parts).lower()


def sort_rows(rows: Iterable[SessionRow], field: str, *, is_falling: bool) -> list[SessionRow]:
    """Sort rows by a column; rows without a value come last either way."""
    known: list[SessionRow] = []
    unknown: list[SessionRow] = []
    for row in rows:
        (unknown if getattr(row, field) in (None, "", ()) else known).append(row)
    known.sort(key=lambda row: _sort_key(getattr(row, field)), reverse=is_falling)
    return [*known, *unknown]


def _sort_key(value: object) -> tuple[int, str]:
    if isinstance(value, int):
        return value, ""
    if isinstance(value, tuple):
        return len(value), " ".join(value)
    return 0, str(value).lower()


def find_eid(text: str) -> str | None:
    """Find IBL's id of a session in a text: an id alone, or an address that holds one.

    Examples
    --------
    >>> find_eid("eid: 5DCEE0EB-b34d-4652-acc3-d10afc6eae68 (Zador)")
    '5dcee0eb-b34d-4652-acc3-d10afc6eae68'
    >>> find_eid("KS014") is None
    True
    """
    found = _EID.search(text)
    return found.group().lower() if found else None


def find_source(text: str) -> str | None:
    """Find something to open in a pasted text: an eid, or the path of a file or a folder.

    Returns
    -------
    str or None
        None if the text holds neither.
    """
    eid = find_eid(text)
    lines = text.strip().splitlines()
    path = lines[0].strip().removeprefix("file://") if len(lines) == 1 else ""
    if path and len(path) < 4096 and _exists(path):
        return path
    return eid


def _exists(path: str) -> bool:
    try:
        return Path(path).is_absolute() and Path(path).exists()
    except (OSError, ValueError):
        return False


def read_date(text: str, *, is_end: bool = False) -> str | None:
    """Read a day, a month or a year; the first or the last day of what is meant.

    Examples
    --------
    >>> read_date("2020-02", is_end=True), read_date("2020"), read_date("2020-13"), read_date("")
    ('2020-02-29', '2020-01-01', None, None)
    """
    found = _DATE.fullmatch(text.strip())
    if found is None:
        return None
    year, month, day = (int(part) if part else 0 for part in found.groups())
    if not 1900 <= year <= 9998:
        return None
    try:
        first = date(year, month or (12 if is_end else 1), day or 1)
    except ValueError:
        return None
    if is_end and not day:
        first = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    return first.isoformat()


def row_of_folder(path: Path) -> SessionRow:
    """Describe an ALF session folder by the names of the folders it lies in.

    Examples
    --------
    >>> row = row_of_folder(Path("/d/churchlandlab/Subjects/CSHL049/2020-01-08/001"))
    >>> row.lab, row.subject, row.date, row.number, row.name
    ('churchlandlab', 'CSHL049', '2020-01-08', 1, 'CSHL049 2020-01-08 001')
    >>> row_of_folder(Path("/d/my recording")).name
    'my recording'
    """
    folders, lab = _SUBJECT_FOLDERS.search(str(path)), _LAB_FOLDERS.search(str(path))
    if folders is None:
        return SessionRow(source=str(path), name=path.name, kind="ALF folder")
    subject, day, number = folders.groups()
    return SessionRow(
        source=str(path),
        name=f"{subject} {day} {int(number):03d}",
        kind="ALF folder",
        subject=subject,
        lab=lab.group(1) if lab else "",
        date=day,
        number=int(number),
    )


def short_path(path: str, home: str) -> str:
    """Write a path with ~ for the home folder.

    Examples
    --------
    >>> short_path("/home/me/data/KS014", "/home/me"), short_path("/data", "/home/me")
    ('~/data/KS014', '/data')
    """
    inner = path.removeprefix(home.rstrip("/\\"))
    is_inside = len(home) > 1 and inner != path and inner[:1] in ("", "/", "\\")
    return f"~{inner}" if is_inside else path


def counted(n_shown: int, n_all: int, *, is_searching: bool = False) -> str:
    """Say how many sessions are listed, and of how many.

    Examples
    --------
    >>> counted(3, 14), counted(14, 14), counted(1, 1), counted(0, 0, is_searching=True)
    ('3 of 14 sessions', '14 sessions', '1 session', 'searching…')
    """
    if is_searching and not n_shown:
        return "searching\N{HORIZONTAL ELLIPSIS}"
    noun = "session" if n_all == 1 else "sessions"
    text = f"{n_all:,} {noun}" if n_shown == n_all else f"{n_shown:,} of {n_all:,} {noun}"
    return f"{text}, still searching\N{HORIZONTAL ELLIPSIS}" if is_searching else text


def ordered_regions(acronyms: Iterable[str]) -> tuple[str, ...]:
    """Return different acronyms in the atlas's order, without an empty one."""
    return tuple(sort_regions({name for name in acronyms if name}))
