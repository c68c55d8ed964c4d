"""The way up from older manifests, version by version, as plain values and without torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

Values = dict[str, Any]
_OF_SESSION = ("session_id", "session_hash", "unit_id", "region", "split", "licence", "citation")


def checkpoint_values(version: int, values: Values) -> Values:
    """Bring the fields of a checkpoint's manifest to the newest version.

    Parameters
    ----------
    version : int
        Of the fields.
    values : dict
        The fields, without ``schema`` and ``version``; left as they are.

    Raises
    ------
    KeyError
        If a field is missing.

    Examples
    --------
    >>> old = dict.fromkeys(["session_id", "session_hash", "unit_id", "region", "split"], "x")
    >>> new = checkpoint_values(1, old | {"licence": "y", "citation": "z", "step": 3})
    >>> sorted(new), new["sessions"][0]["licence"]
    (['sessions', 'step'], 'y')
    """
    return _step_up(_CHECKPOINT, version, values)


def run_values(version: int, values: Values) -> Values:
    """Bring the fields of a run's ``run.json`` to the newest version; see `checkpoint_values`.

    Examples
    --------
    >>> run_values(1, {"session_id": "a", "session_hash": "f0", "session_paths": []})
    {'session_paths': [], 'sessions': {'a': 'f0'}}
    """
    return _step_up(_RUN, version, values)


def _step_up(steps: Mapping[int, Callable[[Values], Values]], version: int, v: Values) -> Values:
    while version in steps:
        v, version = steps[version](v), version + 1
    return v


def _checkpoint_from_1(values: Values) -> Values:
    """One session stood in the manifest itself."""
    record = {name: values[name] for name in _OF_SESSION}
    kept = {name: value for name, value in values.items() if name not in _OF_SESSION}
    return {**kept, "sessions": [record]}


def _run_from_1(values: Values) -> Values:
    """One session, as two fields."""
    kept = {k: v for k, v in values.items() if k not in ("session_id", "session_hash")}
    return {**kept, "sessions": {values["session_id"]: values["session_hash"]}}


_CHECKPOINT = MappingProxyType({1: _checkpoint_from_1})
_RUN = MappingProxyType({1: _run_from_1})
OLDEST = 1
"""The oldest version of checkpoints and runs that there is a way up from."""
