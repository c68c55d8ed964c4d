"""Columns with a validity mask: the unit table and the trial table of a session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mtm_core.errors import DataError, MissingFieldError


@dataclass(frozen=True, eq=False)
class Column:
    """One field of a table.

    Parameters
    ----------
    values : ndarray, shape (n_rows,)
        Numbers, booleans or text (numpy unicode). Entries that are not valid hold zero or "".
    is_valid : ndarray of bool, shape (n_rows,)
        False where the value is absent.
    """

    values: NDArray[np.generic]
    is_valid: NDArray[np.bool_]

    @classmethod
    def full(cls, values: NDArray[np.generic]) -> Column:
        """Make a column in which every value is present."""
        return cls(values, np.ones(len(values), dtype=bool))

    @classmethod
    def where_finite(cls, values: NDArray[Any], dtype: DTypeLike = np.float64) -> Column:
        """Make a column of numbers in which NaN and infinity stand for absent values.

        Examples
        --------
        >>> column = Column.where_finite(np.array([-1.0, np.nan]), np.int8)
        >>> column.values, column.is_valid
        (array([-1,  0], dtype=int8), array([ True, False]))
        """
        numbers = np.asarray(values, dtype=np.float64)
        is_valid = np.isfinite(numbers)
        return cls(np.where(is_valid, numbers, 0.0).astype(dtype), is_valid)


@dataclass(frozen=True, eq=False)
class Table:
    """Named columns of equal length; a field that is absent is a column that is not there.

    Parameters
    ----------
    columns : mapping of str to Column
        The fields by name.

    Raises
    ------
    DataError
        If the columns differ in length.

    Examples
    --------
    >>> table = Table({"region": Column.full(np.array(["CA1", "DG"]))})
    >>> table.n_rows, table.has("depth_um")
    (2, False)
    """

    columns: Mapping[str, Column]

    def __post_init__(self) -> None:
        for name, column in self.columns.items():
            if not column.values.ndim or not column.is_valid.ndim:
                msg = f"Column '{name}' is a single value where one for each row belongs."
                raise DataError(msg)
            if len(column.values) != self.n_rows or len(column.is_valid) != self.n_rows:
                msg = f"Column '{name}' has {len(column.values)} rows, others {self.n_rows}."
                raise DataError(msg)

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        first = next(iter(self.columns.values()), None)
        return 0 if first is None or not first.values.ndim else len(first.values)

    def has(self, name: str) -> bool:
        """Tell whether the table has this field."""
        return name in self.columns

    def column(self, name: str) -> Column:
        """Return a field with its validity.

        Raises
        ------
        MissingFieldError
            If the field is absent; the text lists the fields that are there.
        """
        if name not in self.columns:
            known = ", ".join(sorted(self.columns))
            msg = f"This session has no field '{name}'. It has: {known}."
            raise MissingFieldError(msg)
        return self.columns[name]

    def values(self, name: str) -> NDArray[np.generic]:
        """Return the values of a field (see `column`)."""
        return self.column(name).values

    def take(self, rows: NDArray[np.integer] | NDArray[np.bool_]) -> Table:
        """Return a new table of the chosen rows."""
        return Table(
            {name: Column(c.values[rows], c.is_valid[rows]) for name, c in self.columns.items()}
        )
