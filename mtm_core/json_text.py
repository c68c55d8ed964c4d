"""JSON that a stranger may have written: whatever is wrong with it is a ValueError."""

from __future__ import annotations

import json
from typing import Any, NoReturn

_LARGEST = 2**64
"""No whole number in our files is larger; one of a thousand digits is no float either."""


def parse_json(text: str | bytes, *, may_hold_nan: bool = True) -> Any:  # noqa: ANN401 - any JSON value
    """Return what a JSON text says.

    Parameters
    ----------
    text : str or bytes
        JSON, or something else.
    may_hold_nan : bool
        Take NaN and infinities, which JSON itself does not know.

    Raises
    ------
    ValueError
        If it is no JSON, is nested too deep, or holds a whole number beyond 64 bits.

    Examples
    --------
    >>> parse_json('{"rows": [0, 3]}')
    {'rows': [0, 3]}
    >>> parse_json("[" * 100_000)
    Traceback (most recent call last):
    ...
    ValueError: it is nested too deep
    """
    constant = float if may_hold_nan else _refuse
    try:
        return json.loads(text, parse_int=_whole_number, parse_constant=constant)
    except RecursionError:
        msg = "it is nested too deep"
        raise ValueError(msg) from None


def _refuse(name: str) -> NoReturn:
    msg = f"it holds {name}, which is no number"
    raise ValueError(msg)


def _whole_number(digits: str) -> int:
    number = int(digits) if len(digits) <= len(str(_LARGEST)) + 1 else _LARGEST + 1
    if abs(number) > _LARGEST:
        msg = f"the number {digits[:20]}... is too large"
        raise ValueError(msg)
    return number
