"""What the command line says: results on stdout, progress and errors on stderr.

This is the one module of the project that prints.
"""

from __future__ import annotations

import dataclasses
import json
import math
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mtm_core.resources import atomic_write

if TYPE_CHECKING:
    from tqdm import tqdm

MAX_ERROR_LINES = 3


def show(text: str = "") -> None:
    """Print a result to stdout."""
    print(text, flush=True)


def show_json(value: object) -> None:
    """Print pure JSON to stdout (see `to_plain`)."""
    show(json_text(value))


def show_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table to stdout (see `table_text`)."""
    show(table_text(header, rows))


def note(text: str) -> None:
    """Print a remark to stderr: what is being done, what to mind."""
    print(text, file=sys.stderr, flush=True)


def fail(program: str, text: str) -> None:
    """Print an error to stderr in at most three lines."""
    lines = [line.rstrip() for line in text.strip().splitlines() if line.strip()] or ["failed."]
    note(f"{program}: " + "\n".join(lines[:MAX_ERROR_LINES]))


def progress(
    total: int | None, what: str, unit: str = "step", *, is_shown: bool = True
) -> tqdm[Any]:
    """Open a progress bar with the time left on stderr; use it as a context manager.

    Where stderr is no terminal it says how far it is every half minute instead of every moment.

    Parameters
    ----------
    total : int or None
        How many updates will come, or None where that is not known.
    what : str
        What is being done, for example ``"Training"``.
    unit : str
        What one update stands for.
    is_shown : bool
        False for a process that leaves speaking to another.
    """
    from tqdm import tqdm

    interval = 0.1 if sys.stderr.isatty() else 30.0
    return tqdm(
        total=total,
        desc=what,
        unit=unit,
        file=sys.stderr,
        mininterval=interval,
        dynamic_ncols=True,
        disable=not is_shown,
    )


def write_json(path: str | os.PathLike[str], value: object) -> None:
    """Write pure JSON to a file, whole or not at all (see `to_plain`)."""
    with atomic_write(path) as temporary:
        temporary.write_text(json_text(value) + "\n", encoding="utf-8")


def json_text(value: object) -> str:
    """Return indented JSON of `value`.

    Examples
    --------
    >>> print(json_text({"regions": ("CA1", "DG"), "bps": float("nan")}))
    {
      "regions": [
        "CA1",
        "DG"
      ],
      "bps": null
    }
    """
    return json.dumps(to_plain(value), indent=2, ensure_ascii=False, allow_nan=False)


def to_plain(value: object) -> object:
    """Turn dataclasses, arrays, paths and mappings into what JSON knows.

    Numbers that are not finite become null, since JSON has no word for them.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = dataclasses.fields(value)
        return {field.name: to_plain(getattr(value, field.name)) for field in fields}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [to_plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if hasattr(value, "tolist"):  # numpy and torch, without importing them
        return to_plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def table_text(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a plain table: text to the left, numbers to the right, floats with three digits.

    Examples
    --------
    >>> print(table_text(["region", "units", "bps"], [["CA1", 46, 0.1234], ["DG", 7, None]]))
    region  units    bps
    CA1        46  0.123
    DG          7      -
    """
    body = [list(row) for row in rows]
    cells = [list(header), *([_cell(value) for value in row] for row in body)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    right = [all(not isinstance(row[i], str) for row in body) for i in range(len(header))]
    return "\n".join(_line(row, widths, right) for row in cells)


def _cell(value: object) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


def _line(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    padded = (
        text.rjust(width) if is_right else text.ljust(width)
        for text, width, is_right in zip(row, widths, right, strict=True)
    )
    return "  ".join(padded).rstrip()
