"""``session.toml`` of a lab's own recording: where it came from, and the names of its columns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from mtm_core.config_io import read_tree
from mtm_core.data.byo_trials import OUR_COLUMNS
from mtm_core.errors import ConfigError, DatasetError, UnknownNameError

FACTS_FILE = "session.toml"
NO_LICENCE = "Not stated: ask the laboratory before you publish or pass it on."
NO_CITATION = "Not stated: ask the laboratory."
_TEXTS = ("lab", "subject", "licence", "citation")
_KNOWN = (*_TEXTS, "date", "number", "simulated", "sample_rate_hz", "trials")


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What a lab says of its recording.

    Parameters
    ----------
    lab, subject, date : str or None
        None where it does not say.
    number : int or None
        Number of the session within the day.
    licence, citation : str
        Terms, and what to cite.
    is_simulated : bool
        True if a program made the spikes.
    sample_rate_hz : float or None
        Samples per second of the spike times; None where these are seconds.
    trial_columns : mapping of str to str
        Our name of a trial column to the lab's.
    is_given : bool
        Whether there is such a file.
    """

    lab: str | None = None
    subject: str | None = None
    date: str | None = None
    number: int | None = None
    licence: str = NO_LICENCE
    citation: str = NO_CITATION
    is_simulated: bool = False
    sample_rate_hz: float | None = None
    trial_columns: Mapping[str, str] = field(default_factory=dict)
    is_given: bool = False


def read_facts(folder: Path) -> Facts:
    """Read the file; a folder without one says nothing.

    Raises
    ------
    DatasetError
        If it is no TOML, or says something that is not known or cannot be meant.
    """
    path = folder / FACTS_FILE
    if not path.is_file():
        return Facts()
    try:
        tree = read_tree(path)
        for name in tree:
            if name not in _KNOWN:
                raise UnknownNameError("entry", name, _KNOWN)
        return _facts(tree)
    except ConfigError as error:
        text = str(error).removeprefix(f"{path}: ")
        msg = text if text.startswith((str(path), "Could not")) else f"{path}: {text}"
        raise DatasetError(msg) from error


def _facts(tree: Mapping[str, Any]) -> Facts:
    for name in _TEXTS:
        _check(name, tree, (str,), 'text in quotes, for example "my lab"')
    _check("number", tree, (int,), "a whole number")
    _check("simulated", tree, (bool,), "true or false")
    _check("sample_rate_hz", tree, (int, float), "a number above 0")
    _check("trials", tree, (dict,), "a section [trials]")
    rate = tree.get("sample_rate_hz")
    if rate is not None and not 0 < rate < 1e9:
        msg = f"sample_rate_hz is {rate}, but must be a number above 0."
        raise ConfigError(msg)
    texts = {name: tree[name].strip() for name in _TEXTS if str(tree.get(name, "")).strip()}
    return Facts(
        date=_date(tree.get("date")),
        number=tree.get("number"),
        is_simulated=tree.get("simulated", False),
        sample_rate_hz=None if rate is None else float(rate),
        trial_columns=_trial_columns(tree.get("trials", {})),
        is_given=True,
        **texts,
    )


def _check(name: str, tree: Mapping[str, Any], kinds: tuple[type, ...], what: str) -> None:
    value = tree.get(name)
    is_bool = isinstance(value, bool) and bool not in kinds
    if value is not None and (is_bool or not isinstance(value, kinds)):
        msg = f"{name} is {value!r}, but must be {what}."
        raise ConfigError(msg)


def _date(value: object) -> str | None:
    """Accept a TOML date and a text of the same form."""
    if value is None:
        return None
    try:
        return date.fromisoformat(str(value)[:10]).isoformat()
    except ValueError as error:
        msg = f'date is {value!r}, but must be like "2024-01-31".'
        raise ConfigError(msg) from error


def _trial_columns(section: Mapping[str, Any]) -> dict[str, str]:
    for ours, theirs in section.items():
        if ours not in OUR_COLUMNS:
            raise UnknownNameError("trial column", ours, OUR_COLUMNS)
        if not isinstance(theirs, str):
            msg = f"trials.{ours} is {theirs!r}, but must be the name of your column in quotes."
            raise ConfigError(msg)
    return dict(section)
