"""What a rule means: a tree of comparisons, evaluated over the unit table with absent values.

Every node answers with two arrays, "is true" and "is false": a unit whose value is absent is
neither, so that neither a comparison nor its negation chooses it.
"""

from __future__ import annotations

import difflib
import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.table import Column
from mtm_core.errors import RuleError

BoolArray = NDArray[np.bool_]
Value = str | float | bool


class Truth(NamedTuple):
    """Where a statement is true and where it is false; shape (n_units,) each."""

    is_true: BoolArray
    is_false: BoolArray


class Fields(Protocol):
    """What nodes ask about units."""

    def column(self, name: str) -> Column:
        """Return a field, or raise an error that teaches."""

    def is_known_elsewhere(self, name: str, value: str) -> bool:
        """Tell whether a text that this session lacks is a proper value all the same."""


class Node(Protocol):
    """A statement about units."""

    def evaluate(self, fields: Fields) -> Truth:
        """Say for which units it is true, and for which false."""

    def fields(self) -> frozenset[str]:
        """Name the fields it looks at."""


@dataclass(frozen=True)
class Flag:
    """A field of booleans standing alone, as in ``good``."""

    field: str

    def evaluate(self, fields: Fields) -> Truth:
        """See `Node`."""
        column = fields.column(self.field)
        if column.values.dtype.kind != "b":
            is_text = column.values.dtype.kind == "U"
            example = f'{self.field} == "..."' if is_text else f"{self.field} > 2"
            msg = f"'{self.field}' alone is neither true nor false; compare it: {example}."
            raise RuleError(msg)
        return _known(column.values.astype(bool), column)

    def fields(self) -> frozenset[str]:
        """See `Node`."""
        return frozenset({self.field})

    def __str__(self) -> str:
        return self.field


@dataclass(frozen=True)
class Order:
    """A number above or below a limit, as in ``depth_um > 1200``."""

    field: str
    sign: str
    limit: float

    def evaluate(self, fields: Fields) -> Truth:
        """See `Node`."""
        column = fields.column(self.field)
        if column.values.dtype.kind not in "iuf":
            msg = f"'{self.field}' is not a number: '{self.sign}' does not apply to it; use ==."
            raise RuleError(msg)
        return _known(_SIGNS[self.sign](column.values.astype(float), self.limit), column)

    def fields(self) -> frozenset[str]:
        """See `Node`."""
        return frozenset({self.field})

    def __str__(self) -> str:
        return f"{self.field} {_SIGN_WORDS[self.sign]} {self.limit:g}"


@dataclass(frozen=True)
class Among:
    """A field with one of some values, as in ``region in ("CA1", "VIS*")``; or with none."""

    field: str
    values: tuple[Value, ...]
    is_negated: bool = False

    def evaluate(self, fields: Fields) -> Truth:
        """See `Node`."""
        column = fields.column(self.field)
        is_match = self._match(column, fields)
        return _known(is_match != self.is_negated, column)

    def _match(self, column: Column, fields: Fields) -> BoolArray:
        kind = column.values.dtype.kind
        for value in self.values:
            self._check_kind(kind, value)
        if kind == "U":
            return self._match_text(column, fields)
        return np.isin(column.values.astype(float), np.array(self.values, dtype=float))

    def _check_kind(self, kind: str, value: Value) -> None:
        if kind == "U" and not isinstance(value, str):
            msg = f"'{self.field}' holds text; put quotes around the value: \"{_shown(value)}\"."
            raise RuleError(msg)
        if kind == "b" and not isinstance(value, bool):
            msg = f"'{self.field}' is true or false; write '{self.field}' or 'not {self.field}'."
            raise RuleError(msg)
        if kind in "iuf" and (isinstance(value, str | bool)):
            msg = f"'{self.field}' holds numbers; compare it with a number, without quotes."
            raise RuleError(msg)

    def _match_text(self, column: Column, fields: Fields) -> BoolArray:
        present = sorted({str(text) for text in column.values[column.is_valid]})
        matching: set[str] = set()
        for pattern in map(str, self.values):
            found = {text for text in present if matches(text, pattern)}
            if not found and not self._may_be_absent(pattern, fields):
                raise RuleError(_no_such_value(self.field, pattern, present))
            matching |= found
        return np.isin(column.values, np.array(sorted(matching), dtype=np.str_))

    def _may_be_absent(self, pattern: str, fields: Fields) -> bool:
        """Excluding what is not there changes nothing, if it is no slip of the pen."""
        is_known = "*" in pattern or fields.is_known_elsewhere(self.field, pattern)
        return self.is_negated and is_known

    def fields(self) -> frozenset[str]:
        """See `Node`."""
        return frozenset({self.field})

    def __str__(self) -> str:
        shown = [_shown(value) for value in self.values]
        if len(shown) == 1:
            return f"{self.field} {'is not' if self.is_negated else 'is'} {shown[0]}"
        return f"{self.field} is {'none' if self.is_negated else 'one'} of ({', '.join(shown)})"


@dataclass(frozen=True)
class Negation:
    """The opposite of a statement."""

    inner: Node

    def evaluate(self, fields: Fields) -> Truth:
        """See `Node`."""
        truth = self.inner.evaluate(fields)
        return Truth(truth.is_false, truth.is_true)

    def fields(self) -> frozenset[str]:
        """See `Node`."""
        return self.inner.fields()

    def __str__(self) -> str:
        return f"not {_bracketed(self.inner)}"


@dataclass(frozen=True)
class Both:
    """Two or more statements that must all be true."""

    parts: tuple[Node, ...]

    def evaluate(self, fields: Fields) -> Truth:
        """See `Node`."""
        truths = [part.evaluate(fields) for part in self.parts]
        is_true = np.logical_and.reduce([truth.is_true for truth in truths])
        return Truth(is_true, np.logical_or.reduce([truth.is_false for truth in truths]))

    def fields(self) -> frozenset[str]:
        """See `Node`."""
        return frozenset().union(*(part.fields() for part in self.parts))

    def __str__(self) -> str:
        return " and ".join(_bracketed(part) for part in self.parts)


@dataclass(frozen=True)
class Either:
    """Two or more statements of which one must be true."""

    parts: tuple[Node, ...]

    def evaluate(self, fields: Fields) -> Truth:
        """See `Node`."""
        truths = [part.evaluate(fields) for part in self.parts]
        is_true = np.logical_or.reduce([truth.is_true for truth in truths])
        return Truth(is_true, np.logical_and.reduce([truth.is_false for truth in truths]))

    def fields(self) -> frozenset[str]:
        """See `Node`."""
        return frozenset().union(*(part.fields() for part in self.parts))

    def __str__(self) -> str:
        return " or ".join(_bracketed(part) for part in self.parts)


def matches(text: str, pattern: str) -> bool:
    """Tell whether a text fits a pattern in which ``*`` stands for any letters.

    Examples
    --------
    >>> matches("VISp", "VIS*"), matches("VISp", "VIS"), matches("SSp-bfd", "S*-*d")
    (True, False, True)
    """
    if "*" not in pattern:
        return text == pattern
    first, *middle, last = pattern.split("*")
    if len(text) < len(first) + len(last) or not text.startswith(first):
        return False
    position, end = len(first), len(text) - len(last)
    for piece in middle:
        found = text.find(piece, position, end)
        if found < 0:
            return False
        position = found + len(piece)
    return text.endswith(last)


_SIGNS: dict[str, Callable[[Any, float], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_SIGN_WORDS = {"<": "below", "<=": "at most", ">": "above", ">=": "at least"}


def _known(is_true: BoolArray, column: Column) -> Truth:
    return Truth(is_true & column.is_valid, ~is_true & column.is_valid)


def _shown(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else f"{value:g}"


def _bracketed(node: Node) -> str:
    return f"({node})" if isinstance(node, Both | Either) else str(node)


def _no_such_value(field: str, pattern: str, present: Iterable[str]) -> str:
    names = list(present)
    near = [name for name in names if name.lower() == pattern.lower()]
    near = near or difflib.get_close_matches(pattern[:60], names, n=1, cutoff=0.5)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    shown = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
    has = f" It has: {shown}." if names else " It has no values there."
    return f"No unit of this session has the {field} '{printable(pattern)}'.{hint}{has}"


def printable(text: str, limit: int = 40) -> str:
    r"""Return text that any screen can show, of bounded length.

    Examples
    --------
    >>> printable("CA1\n"), printable("abcdefgh", limit=6)
    ('CA1?', 'abc...')
    """
    shown = "".join(letter if letter.isprintable() else "?" for letter in text[: limit + 1])
    return shown if len(shown) <= limit else f"{shown[: limit - 3]}..."
