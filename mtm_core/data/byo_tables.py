"""Columns of the tables that a lab wrote: numbers, whole numbers and words, checked by row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.alf_arrays import read_table
from mtm_core.data.table import Column
from mtm_core.errors import DatasetError, MissingDatasetError

_HEADER_ROWS = 2
"""A spreadsheet counts rows from 1, and the first one holds the names."""
_INDEX = "Unnamed: "
"""What pandas calls a column without a name: the row numbers that it wrote itself."""


class LabTable:
    """A CSV file.

    Parameters
    ----------
    path : Path
        The file.

    Raises
    ------
    MissingDatasetError
        If it is not there.
    DatasetError
        If it is damaged or has no rows.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns: Mapping[str, NDArray[Any]] = {
            name.strip(): values
            for name, values in read_table(path).items()
            if not name.startswith(_INDEX)
        }
        self.n_rows = len(next(iter(self.columns.values()), ()))
        if not self.n_rows:
            msg = f"{path} has no rows under its header."
            raise DatasetError(msg)

    def require(self, name: str, what: str) -> None:
        """Refuse a table without this column.

        Raises
        ------
        MissingDatasetError
            The text lists the columns that are there.
        """
        if name not in self.columns:
            msg = (
                f"{self.path} has no column {name} ({what}); it has "
                f"{', '.join(list(self.columns)[:12])}. Add or rename it."
            )
            raise MissingDatasetError(msg)

    def numbers(self, name: str) -> Column:
        """Return a column of numbers; empty cells are absent.

        Raises
        ------
        DatasetError
            If a cell holds something else; the text names the row.
        """
        values = self.columns[name]
        if values.dtype.kind != "U":
            return Column.where_finite(values)
        cells = np.char.strip(values).tolist()
        found = np.full(len(cells), np.nan)
        for row, cell in enumerate(cells):
            if cell:
                found[row] = self._number(name, row, cell)
        return Column.where_finite(found)

    def whole(self, name: str) -> NDArray[np.int64]:
        """Return a column of whole numbers, all of them there.

        Raises
        ------
        DatasetError
            If a cell is empty or no whole number.
        """
        column = self.numbers(name)
        values = column.values.astype(np.float64)
        for row in np.flatnonzero(~column.is_valid | (values != np.round(values)))[:1]:
            raise DatasetError(self.fault(name, int(row), "a whole number"))
        return values.astype(np.int64)

    def text(self, name: str) -> Column:
        """Return a column as text; empty cells are absent."""
        values = np.char.strip(self.columns[name].astype(np.str_))
        return Column(values, values != "")

    def signs(self, name: str, words: Mapping[str, int]) -> Column:
        """Return a column of signs, written as numbers or as words.

        Parameters
        ----------
        name : str
            The column.
        words : mapping of str to int
            What may be written (in any case), numbers among it, and what it means.

        Raises
        ------
        DatasetError
            If a cell holds something else; the text names the row and what is accepted.
        """
        values = self.columns[name]
        cells = [_plain(cell) for cell in values.tolist()]
        found = np.zeros(len(cells), dtype=np.int8)
        is_valid = np.array([cell != "" for cell in cells], dtype=bool)
        for row, cell in enumerate(cells):
            if cell and cell not in words:
                raise DatasetError(self.fault(name, row, f"one of {_listed(list(words))}"))
            found[row] = words.get(cell, 0)
        return Column(found, is_valid)

    def fault(self, name: str, row: int, needed: str) -> str:
        """Say what is wrong with a cell."""
        cell = self.columns[name][row]
        shown = "is empty" if _plain(cell.item()) == "" else f"is '{cell}'"
        return (
            f"{self.path}, column {name}, row {row + _HEADER_ROWS} {shown}, but must be {needed}. "
            "Correct it and try again."
        )

    def _number(self, name: str, row: int, cell: str) -> float:
        try:
            return float(cell)
        except ValueError as error:
            raise DatasetError(self.fault(name, row, "a number, or empty")) from error


def _plain(cell: object) -> str:
    """Return a cell as a word: numbers without a needless point, NaN as nothing."""
    if isinstance(cell, float):
        if not np.isfinite(cell):
            return ""
        return str(int(cell)) if cell == int(cell) else str(cell)
    return str(cell).strip().lower()


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:-1]) + f" or {words[-1]}"
