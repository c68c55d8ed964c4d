"""The numbers behind a panel, as tables: what is on screen, to the last digit."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[Any]


@dataclass(frozen=True, eq=False, kw_only=True)
class NumberColumn:
    """One column of a table, or several that belong together.

    Parameters
    ----------
    name : str
        What it holds, as a name for programs, for example ``"rate"``.
    values : ndarray, shape (n_rows,) or (n_rows, n_labels)
        Numbers, truth values or text.
    unit : str
        Unit of the numbers; "" for none.
    labels : tuple of str
        What the columns of two-dimensional values are, for example ``"-195 ms"``.
    is_known : ndarray of bool, same shape as values, or None
        Which values there are; None for all of them.
    """

    name: str
    values: Values
    unit: str = ""
    labels: tuple[str, ...] = ()
    is_known: NDArray[np.bool_] | None = None

    @property
    def heads(self) -> tuple[str, ...]:
        """Heads of its columns, with the unit."""
        unit = f" ({self.unit})" if self.unit else ""
        if not self.labels:
            return (f"{self.name}{unit}",)
        return tuple(f"{self.name} {label}{unit}" for label in self.labels)

    def cells(self) -> NDArray[np.str_]:
        """Return its values as text, shape (n_rows, n_heads); "" where there is none."""
        values = self.values.reshape(len(self.values), -1)
        text = values.astype(str) if values.dtype.kind != "U" else values
        if self.is_known is not None:
            text = np.where(self.is_known.reshape(values.shape), text, "")
        return text


@dataclass(frozen=True, eq=False, kw_only=True)
class NumberTable:
    """A table of a panel.

    Parameters
    ----------
    name : str
        Which, as a name for programs, for example ``"reconstructed"``.
    columns : tuple of NumberColumn
        With as many rows each.
    """

    name: str
    columns: tuple[NumberColumn, ...]

    def to_text(self, separator: str = ",") -> str:
        """Return the heads and a line for each row.

        Examples
        --------
        >>> rate = NumberColumn(name="rate", values=np.array([0.5, 2.0]), unit="spikes/s")
        >>> print(NumberTable(name="units", columns=(rate,)).to_text(), end="")
        rate (spikes/s)
        0.5
        2.0
        """
        out = io.StringIO()
        writer = csv.writer(out, delimiter=separator, lineterminator="\n")
        writer.writerow(head for column in self.columns for head in column.heads)
        writer.writerows(np.concatenate([column.cells() for column in self.columns], axis=1))
        return out.getvalue()


@dataclass(frozen=True, eq=False, kw_only=True)
class PanelNumbers:
    """All numbers of a panel.

    Parameters
    ----------
    title : str
        What they are, in words.
    tables : tuple of NumberTable
        The main one first.
    notes : tuple of (str, str)
        The choices behind them: what, and how it was chosen.
    """

    title: str
    tables: tuple[NumberTable, ...]
    notes: tuple[tuple[str, str], ...] = ()

    def to_text(self, table: NumberTable, separator: str = ",") -> str:
        """Return a table with title and notes above it, each line of them after a ``#``."""
        lines = [self.title, *(f"{what}: {choice}" for what, choice in self.notes)]
        head = "".join(f"# {' '.join(line.split())}\n" for line in lines)
        return head + table.to_text(separator)
