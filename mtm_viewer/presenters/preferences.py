"""What a person set up for good: colours, letters, how it computes, how much is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from mtm_core.json_text import parse_json
from mtm_viewer.presenters.computing import Computing, Precision
from mtm_viewer.theme import COLOUR_MAPS

ThemeChoice = Literal["system", "light", "dark"]
Beginning = Literal["sessions", "last"]
FONT_PERCENTS = (80, 90, 100, 110, 125, 150, 175, 200)
"""Sizes of letters that can be chosen."""
MOST_THREADS = 256
PREPARED_GB = (1, 1000)
ANSWERS_MB = (64, 65536)
GB, MB = 10**9, 2**20


@dataclass(frozen=True, kw_only=True)
class Preferences:
    """All preferences; each has the default that suits most people.

    Parameters
    ----------
    theme : {"system", "light", "dark"}
        Colours of the window; ``system`` follows the desktop.
    font_percent : int
        Size of all letters, in percent; taken up when the program starts next.
    colour_map : str
        Of the rasters, when the program starts.
    at_start : {"sessions", "last"}
        Begin with the list of sessions, or where the last window was closed.
    device : str
        Where to compute; ``auto`` takes the fastest.
    threads : int
        CPU threads; 0 takes as many as help.
    precision : {"fp32", "bf16"}
        Of the products inside the layers.
    answers_mb : int
        Memory for answers of models, in MB.
    prepared_gb : int
        Room on the disk for prepared sessions, in GB.
    """

    theme: ThemeChoice = "system"
    font_percent: int = 100
    colour_map: str = COLOUR_MAPS[0]
    at_start: Beginning = "sessions"
    device: str = "auto"
    threads: int = 0
    precision: Precision = "fp32"
    answers_mb: int = 512
    prepared_gb: int = 4

    @property
    def computing(self) -> Computing:
        """How to compute."""
        return Computing(
            threads=self.threads or None,
            precision=self.precision,
            memory_bytes=self.answers_mb * MB,
        )


def write_preferences(chosen: Preferences) -> str:
    """Return preferences as a text for the settings file."""
    return json.dumps(asdict(chosen))


def read_preferences(text: str) -> Preferences:
    """Read what `write_preferences` wrote; the default for all that makes no sense.

    Examples
    --------
    >>> read_preferences('{"threads": 2, "theme": "pink"}').threads
    2
    """
    try:
        value = parse_json(text)
    except ValueError:
        return Preferences()
    if not isinstance(value, dict):
        return Preferences()
    default = Preferences()
    known = {each.name: value[each.name] for each in fields(default) if each.name in value}
    return Preferences(**{name: each for name, each in known.items() if _makes_sense(name, each)})


def _makes_sense(name: str, value: object) -> bool:
    words: Mapping[str, tuple[Any, ...]] = {
        "theme": get_args(ThemeChoice),
        "at_start": get_args(Beginning),
        "precision": get_args(Precision),
        "colour_map": COLOUR_MAPS,
    }
    bounds = {
        "font_percent": (FONT_PERCENTS[0], FONT_PERCENTS[-1]),
        "threads": (0, MOST_THREADS),
        "answers_mb": ANSWERS_MB,
        "prepared_gb": PREPARED_GB,
    }
    if name in words:
        return value in words[name]
    if name in bounds:
        low, high = bounds[name]
        return type(value) is int and low <= value <= high
    return isinstance(value, str) and 0 < len(value) <= 20
