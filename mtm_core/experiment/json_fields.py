"""Fields of untrusted JSON, each checked for its kind and size before it is used."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from mtm_core.errors import ExperimentError

T = TypeVar("T")
LONGEST_TEXT = 4096
_HEX = re.compile(r"[0-9a-f]{64}")


class Fields:
    """One JSON object of an experiment; every look-up names what is wrong, and where.

    Parameters
    ----------
    value : object
        What the JSON holds there.
    where : str
        Its place, for example ``"session"``.
    known : sequence of str
        Names that it may hold.

    Raises
    ------
    ExperimentError
        If it is no object, or holds another name.

    Examples
    --------
    >>> Fields({"seed": 3}, "it", ["seed"]).integer("seed", most=10)
    3
    """

    def __init__(self, value: object, where: str, known: Sequence[str]) -> None:
        if not isinstance(value, dict):
            raise refusal(f"{where} must be an object")
        unknown = sorted(set(value) - set(known))
        if unknown:
            raise refusal(f"{where} has an unknown field '{unknown[0][:40]}'")
        self._value: dict[str, Any] = value
        self._where = where

    def get(self, name: str) -> object:
        """Return what is there, unchecked; None for nothing."""
        return self._value.get(name)

    def optional(self, name: str, read: Callable[[object], T]) -> T | None:
        """Read a field that may be null or absent."""
        value = self._value.get(name)
        return None if value is None else read(value)

    def text(self, name: str, most: int = LONGEST_TEXT) -> str:
        """Return a text; "" if it is absent."""
        value = self._value.get(name, "")
        if not isinstance(value, str) or len(value) > most or "\0" in value:
            raise self._refuse(name, f"must be text of at most {most} characters")
        return value

    def digest(self, name: str) -> str:
        """Return a SHA-256 in hexadecimal."""
        value = self._value.get(name)
        if not isinstance(value, str) or _HEX.fullmatch(value) is None:
            raise self._refuse(name, "must be a SHA-256 of 64 hexadecimal digits")
        return value

    def truth(self, name: str) -> bool:
        """Return true or false; false if it is absent."""
        value = self._value.get(name, False)
        if not isinstance(value, bool):
            raise self._refuse(name, "must be true or false")
        return value

    def integer(self, name: str, *, most: int, least: int = 0) -> int:
        """Return a whole number within bounds."""
        value = self._value.get(name)
        if type(value) is not int or not least <= value <= most:
            raise self._refuse(name, f"must be a whole number from {least} to {most}")
        return value

    def number(self, name: str) -> float | None:
        """Return a number, or None for null."""
        value = self._value.get(name)
        if value is None:
            return None
        if type(value) not in (int, float):
            raise self._refuse(name, "must be a number or null")
        return float(value)

    def interval(self, name: str) -> tuple[float, float] | None:
        """Return two numbers, or None for null."""
        value = self._value.get(name)
        if value is None:
            return None
        if not isinstance(value, list) or [type(v) for v in value] != [float, float]:
            raise self._refuse(name, "must be two numbers or null")
        return value[0], value[1]

    def rows(self, name: str, most: int) -> tuple[int, ...]:
        """Return rows: whole numbers that grow."""
        value = self._value.get(name)
        if not isinstance(value, list) or not 0 < len(value) <= most:
            raise self._refuse(name, f"must be a list of 1 to {most} rows")
        if any(type(row) is not int or not 0 <= row < most for row in value):
            raise self._refuse(name, f"must hold rows from 0 to {most - 1}")
        if any(b <= a for a, b in itertools.pairwise(value)):
            raise self._refuse(name, "must hold rows in growing order, each once")
        return tuple(value)

    def several(self, name: str, most: int) -> list[object]:
        """Return a list of at most so many things."""
        value = self._value.get(name, [])
        if not isinstance(value, list) or len(value) > most:
            raise self._refuse(name, f"must be a list of at most {most} things")
        return value

    def texts(self, name: str, most: int = 50) -> dict[str, str]:
        """Return texts by name."""
        value = self._value.get(name, {})
        is_fine = isinstance(value, dict) and len(value) <= most
        if not is_fine or any(not isinstance(v, str) or len(v) > 500 for v in value.values()):
            raise self._refuse(name, "must be short texts by name")
        return dict(value)

    def plain(self, name: str, most: int = 2000, depth: int = 6) -> dict[str, Any]:
        """Return an object of plain values that only its owner understands, of bounded size."""
        value = self._value.get(name, {})
        if not isinstance(value, dict) or not _is_within(value, [most], depth):
            raise self._refuse(name, f"must be an object of at most {most} plain values")
        return value

    def _refuse(self, name: str, what: str) -> ExperimentError:
        return refusal(f"'{name}' of {self._where} {what}")


def refusal(what: str) -> ExperimentError:
    """Return the error that says why this is no experiment."""
    return ExperimentError(f"This is not an experiment that can be read: {what}.")


def _is_within(value: object, left: list[int], depth: int) -> bool:
    """Count values down from what is left; tell whether size and depth suffice."""
    left[0] -= 1
    if left[0] < 0 or depth < 0:
        return False
    if isinstance(value, dict):
        return all(len(k) <= 200 and _is_within(v, left, depth - 1) for k, v in value.items())
    if isinstance(value, list):
        return all(_is_within(v, left, depth - 1) for v in value)
    return not isinstance(value, str) or len(value) <= LONGEST_TEXT
