"""Pick lists: which public IBL sessions people use, by name.

They hold identifiers, no recordings; ``resources/pick_lists/README.md`` says where they are from.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache

from mtm_core.data.one_records import SessionEntry
from mtm_core.resources import list_pick_lists, pick_list_path

RELEASE = "brain-wide-map"
"""The list that knows lab, subject, date, number and probes of its sessions."""


@dataclass(frozen=True, kw_only=True)
class PickList:
    """A named list of sessions.

    Parameters
    ----------
    name : str
        For example ``"paper-40"``.
    title : str
        One sentence: what it holds.
    entries : tuple of SessionEntry
        Its sessions. Those that are also in the brain-wide map carry lab, subject, date, number
        and the number of probes; the others carry their eid alone.
    """

    name: str
    title: str
    entries: tuple[SessionEntry, ...]

    @property
    def eids(self) -> tuple[str, ...]:
        """The eids of its sessions."""
        return tuple(entry.eid for entry in self.entries if entry.eid)


def load_pick_list(name: str) -> PickList:
    """Read a bundled pick list.

    Raises
    ------
    UnknownNameError
        If there is none of that name; the text names the nearest.

    Examples
    --------
    >>> held_out = load_pick_list("paper-heldout")
    >>> len(held_out.entries), held_out.title
    (5, "The 5 of the MtM paper's sessions that it held out for fine-tuning.")
    """
    path = pick_list_path(name)
    return _read(path.stem)


def load_pick_lists() -> tuple[PickList, ...]:
    """Read all bundled pick lists, sorted by name."""
    return tuple(_read(name) for name in list_pick_lists())


@cache
def released_sessions() -> dict[str, SessionEntry]:
    """Return what the brain-wide map's table knows of its sessions, by eid."""
    probes: dict[str, int] = {}
    rows: dict[str, dict[str, str]] = {}
    for row in _rows(RELEASE)[1]:
        probes[row["eid"]] = probes.get(row["eid"], 0) + 1
        rows[row["eid"]] = row
    return {eid: _entry(row, probes[eid]) for eid, row in rows.items()}


@cache
def _read(name: str) -> PickList:
    title, rows = _rows(name)
    known = released_sessions()
    eids = dict.fromkeys(row["eid"] for row in rows)
    entries = tuple(known.get(eid) or SessionEntry(eid=eid) for eid in eids)
    return PickList(name=name, title=title, entries=entries)


def _rows(name: str) -> tuple[str, list[dict[str, str]]]:
    lines = pick_list_path(name).read_text(encoding="utf-8").splitlines()
    return lines[0].removeprefix("#").strip(), list(csv.DictReader(lines[1:]))


def _entry(row: dict[str, str], n_probes: int) -> SessionEntry:
    return SessionEntry(
        eid=row["eid"],
        lab=row["lab"],
        subject=row["subject"],
        date=row["date"],
        number=int(row["number"]),
        n_probes=n_probes,
    )
