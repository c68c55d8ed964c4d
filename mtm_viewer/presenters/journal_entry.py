"""Lines of the journal: what was on screen, each with a checksum; anything else is passed over."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from mtm_core.errors import MtmError
from mtm_core.experiment.record import Experiment
from mtm_core.experiment.record_json import from_dict, to_dict
from mtm_core.json_text import parse_json
from mtm_viewer.presenters.mask_history import (
    MaskHistory,
    history_to_dict,
    history_words,
    read_history,
)

VERSION = 1
MAX_LINE = 2_000_000
"""Longest line in bytes; a longer one is neither written nor read."""
_DIGITS = 16
_MOST_MODELS = 100
_LONGEST = 20_000


@dataclass(frozen=True, eq=False, kw_only=True)
class JournalEntry:
    """What was on screen at a moment.

    Parameters
    ----------
    saved_at : datetime
        When, by the clock of the machine.
    name : str
        What people call the session.
    experiment : Experiment
        Session, models, mask, trials and view; without numbers.
    preparation : str
        Settings that the session was prepared by, as `write_settings` writes them; "" for a
        session file that was opened as it is.
    models : tuple of str
        Files of all models that were open.
    history : MaskHistory
        The steps that led to the mask; earlier versions kept none.
    """

    saved_at: datetime
    name: str
    experiment: Experiment
    preparation: str = ""
    models: tuple[str, ...] = ()
    history: MaskHistory = field(default_factory=MaskHistory)


def write_line(entry: JournalEntry) -> bytes:
    r"""Return an entry as a line with a checksum in front.

    Raises
    ------
    ValueError
        If it is longer than `MAX_LINE`.
    """
    value = {
        "journal": VERSION,
        "saved_at": entry.saved_at.isoformat(timespec="seconds"),
        "name": entry.name,
        "experiment": to_dict(entry.experiment),
        "preparation": entry.preparation,
        "models": list(entry.models),
        "history": history_to_dict(entry.history),
    }
    text = json.dumps(value, allow_nan=False, separators=(",", ":")).encode("ascii")
    line = checksum(text) + b" " + text + b"\n"
    if len(line) > MAX_LINE:
        msg = f"A line of the journal has {len(line)} bytes, more than {MAX_LINE}."
        raise ValueError(msg)
    return line


def read_line(line: bytes) -> JournalEntry | None:
    """Read a line; None if it is cut short, damaged, or no entry that this version knows."""
    digits, _, text = line.rstrip(b"\n").partition(b" ")
    if len(line) > MAX_LINE or digits != checksum(text):
        return None
    try:
        return _entry(parse_json(text))
    except (MtmError, ValueError, TypeError, LookupError):
        return None


def newest_entry(data: bytes) -> JournalEntry | None:
    """Return the last whole entry of a journal, whatever else it holds."""
    for line in _lines_backwards(data):
        entry = read_line(line)
        if entry is not None:
            return entry
    return None


def checksum(text: bytes) -> bytes:
    """Return the first digits of a SHA-256.

    Examples
    --------
    >>> checksum(b"spikes")
    b'3afe33347d9931bb'
    """
    return hashlib.sha256(text).hexdigest()[:_DIGITS].encode()


def is_same_screen(one: JournalEntry, other: JournalEntry) -> bool:
    """Tell whether two entries differ in their time alone."""
    return _screen(one) == _screen(other)


def offer_words(entry: JournalEntry) -> str:
    """Say what can be brought back."""
    title = entry.experiment.title or "Nothing hidden"
    text = f"{entry.name}, {entry.saved_at:%d %B %Y, %H:%M}. {title}."
    return " ".join(filter(None, (text, history_words(entry.history))))


def _lines_backwards(data: bytes) -> Iterator[bytes]:
    end = len(data)
    while end > 0:
        start = data.rfind(b"\n", 0, end - 1) + 1
        yield data[start:end]
        end = start


def _entry(value: object) -> JournalEntry | None:
    if not isinstance(value, dict) or value.get("journal") != VERSION:
        return None
    models = value["models"]
    if not isinstance(models, list) or len(models) > _MOST_MODELS:
        return None
    return JournalEntry(
        saved_at=datetime.fromisoformat(_text(value["saved_at"])).replace(tzinfo=None),
        name=_text(value["name"])[:500],
        experiment=from_dict(value["experiment"]),
        preparation=_text(value["preparation"]),
        models=tuple(map(_text, models)),
        history=read_history(value.get("history")),
    )


def _text(value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST or "\0" in value:
        msg = "A text was expected."
        raise TypeError(msg)
    return value


def _screen(entry: JournalEntry) -> tuple[Any, ...]:
    shown = to_dict(entry.experiment)
    return entry.name, shown, entry.preparation, entry.models, entry.history
