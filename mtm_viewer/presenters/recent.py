"""Sessions that were open last, as they are remembered between runs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from mtm_core.json_text import parse_json
from mtm_viewer.presenters.session_list import find_eid

MOST = 12


@dataclass(frozen=True, kw_only=True)
class RecentSession:
    """A session that was open.

    Parameters
    ----------
    source : str
        A path, or an eid.
    name : str
        What people call it.
    """

    source: str
    name: str

    @property
    def is_there(self) -> bool:
        """Whether it can still be opened: an eid may always be, a path if it exists."""
        return find_eid(self.source) == self.source.lower() or Path(self.source).exists()


def remember(recent: Iterable[RecentSession], newest: RecentSession) -> list[RecentSession]:
    """Put a session in front, once.

    Examples
    --------
    >>> one, two = (RecentSession(source=f"{n}.h5", name=n) for n in ("one", "two"))
    >>> [session.name for session in remember([one, two], two)]
    ['two', 'one']
    """
    others = [session for session in recent if session.source != newest.source]
    return [newest, *others][:MOST]


def write_recent(recent: Iterable[RecentSession]) -> list[str]:
    """Return texts for the settings file."""
    return [json.dumps(asdict(session)) for session in recent]


def read_recent(stored: object) -> list[RecentSession]:
    """Read what `write_recent` wrote, or plain paths of an older version; leave out the rest."""
    texts = [stored] if isinstance(stored, str) else list(stored or [])  # type: ignore[call-overload]
    found = [_read(str(text)) for text in texts]
    return [session for session in found if session is not None]


def _read(text: str) -> RecentSession | None:
    if not text.startswith("{"):
        return RecentSession(source=text, name=Path(text).stem) if text else None
    try:
        stored = parse_json(text)
        return RecentSession(source=str(stored["source"]), name=str(stored["name"]))
    except (ValueError, KeyError, TypeError):
        return None
