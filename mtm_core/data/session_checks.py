"""What a session checks at birth, one sentence per fault."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.table import Column, Table
from mtm_core.errors import DataError

if TYPE_CHECKING:
    from mtm_core.data.session import Behavior

_ANY_KIND = "biufU"
_KIND_WORDS = {
    _ANY_KIND: "numbers, booleans or text",
    "U": "text",
    "iu": "whole numbers",
    "f": "numbers with a fraction",
}


def check_counts(counts: NDArray[Any]) -> None:
    """Check axes, type and sizes of the counts."""
    if counts.ndim != 3:
        msg = f"Counts must have the axes (trials, bins, units); this array has {counts.ndim}."
        raise DataError(msg)
    if counts.dtype != np.uint8:
        msg = f"Counts must be uint8 (0 to 255 spikes in a bin), not {counts.dtype}."
        raise DataError(msg)
    for name, size in zip(("trials", "bins", "units"), counts.shape, strict=True):
        if size == 0:
            msg = f"A session needs at least one of each, but this one has zero {name}."
            raise DataError(msg)


def check_table(kind: str, table: Table, n_rows: int, required: Mapping[str, str]) -> None:
    """Check that a table has its rows and fields.

    Parameters
    ----------
    kind : {"unit", "trial"}
        What a row is.
    table : Table
        The table.
    n_rows : int
        How many rows it must have.
    required : mapping of str to str
        Fields that it must have, with the kinds of numpy type that each may be of.
    """
    missing = [name for name in required if not table.has(name)]
    if missing:
        msg = f"The {kind} table lacks {', '.join(missing)}."
        raise DataError(msg)
    if table.n_rows != n_rows:
        msg = f"The {kind} table has {table.n_rows} rows, but the counts have {n_rows} {kind}s."
        raise DataError(msg)
    for name, column in table.columns.items():
        _check_column(f"The {kind} field '{name}'", column, required.get(name, _ANY_KIND))


def _check_column(what: str, column: Column, kinds: str) -> None:
    kind = column.values.dtype.kind
    if kind not in kinds:
        msg = f"{what} must hold {_KIND_WORDS[kinds]}, not {column.values.dtype}."
        raise DataError(msg)
    if column.values.ndim != 1 or column.is_valid.dtype != np.bool_:
        msg = f"{what} must be one value and one boolean 'is valid' per row."
        raise DataError(msg)
    if kind == "f" and not np.isfinite(column.values).all():
        row = int(np.flatnonzero(~np.isfinite(column.values))[0])
        msg = f"{what} holds {column.values[row]} in row {row}; mark that row as not valid."
        raise DataError(msg)


def check_unique(name: str, column: Column) -> None:
    """Check that a field is present in every row, and different in each."""
    if not column.is_valid.all():
        msg = f"Every row needs a {name}, but row {int(np.argmin(column.is_valid))} has none."
        raise DataError(msg)
    values, n_rows = np.unique(column.values, return_counts=True)
    if (n_rows > 1).any():
        msg = f"{name} {values[n_rows > 1][0]} stands in more than one row; ids must be unique."
        raise DataError(msg)


def check_behavior(name: str, behavior: Behavior, shape: tuple[int, int]) -> None:
    """Check shape, type and numbers of a signal; `shape` is (n_trials, n_bins)."""
    if behavior.values.shape != shape or behavior.is_valid.shape != shape[:1]:
        msg = (
            f"The behaviour '{name}' has the shape {behavior.values.shape}, "
            f"but the session has {shape} (trials, bins)."
        )
        raise DataError(msg)
    if behavior.values.dtype != np.float32 or behavior.is_valid.dtype != np.bool_:
        msg = f"The behaviour '{name}' must be float32 values with a boolean per trial."
        raise DataError(msg)
    if not np.isfinite(behavior.values).all():
        trial = int(np.flatnonzero(~np.isfinite(behavior.values).all(axis=1))[0])
        msg = f"The behaviour '{name}' is not finite in trial {trial}; mark it as not valid."
        raise DataError(msg)
