"""Reading tables, series and single facts of an NWB file with h5py alone.

Nothing here knows the names of IBL's columns. Names of groups differ between files, so that
series are found by what they are called, wherever they lie.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from mtm_core.data.hdf5 import read_array
from mtm_core.data.table import Column
from mtm_core.errors import SessionFileError

MAX_NODES = 100_000
"""A file with more groups and data sets than this was not written to be read."""
ABSENT_TEXT = frozenset({"", "nan", "none", "null", "unknown", "n/a", "na"})
"""What writers put where there is nothing to say, in lower case."""


class NwbTable:
    """A table of an NWB file (a ``DynamicTable``): one data set for each column.

    Parameters
    ----------
    group : h5py.Group
        The table.

    Raises
    ------
    SessionFileError
        If it has no ``id``, which gives the number of rows.
    """

    def __init__(self, group: h5py.Group) -> None:
        self._group = group
        self.name = f"{Path(group.file.filename).name}: {group.name.strip('/')}"
        self.n_rows = len(read_array(group, "id").reshape(-1))

    def has(self, *names: str) -> bool:
        """Tell whether one of these columns is there."""
        return self._first(names) is not None

    def names(self) -> list[str]:
        """Return the names of the columns, sorted."""
        return sorted(self._group)

    def numbers(self, *names: str) -> Column | None:
        """Return the first of these columns that is there, as numbers; NaN is absent.

        Raises
        ------
        SessionFileError
            If it holds text, or not one number for each row.
        """
        name = self._first(names)
        if name is None:
            return None
        values = self._read(name)
        if values.dtype.kind == "U":
            msg = f"{self.name}/{name} holds text where numbers belong."
            raise SessionFileError(msg)
        return Column.where_finite(values)

    def text(self, *names: str, absent: frozenset[str] = ABSENT_TEXT) -> Column | None:
        """Return the first of these columns that is there, as text; some words mean none."""
        name = self._first(names)
        if name is None:
            return None
        values = np.char.strip(self._read(name).astype(np.str_))
        is_valid = ~np.isin(np.char.lower(values), list(absent))
        return Column(np.where(is_valid, values, "").astype(np.str_), is_valid)

    def _first(self, names: Iterable[str]) -> str | None:
        return next((name for name in names if name in self._group), None)

    def _read(self, name: str) -> NDArray[np.generic]:
        values: NDArray[np.generic] = read_array(self._group, name)
        if values.shape != (self.n_rows,):
            msg = (
                f"{self.name}/{name} has the shape {values.shape}, but the table has "
                f"{self.n_rows:,} rows. The file is damaged; download it again."
            )
            raise SessionFileError(msg)
        return values


def find_table(file: h5py.File, path: str) -> NwbTable | None:
    """Return a table by its path, or None where there is none."""
    group = file.get(path)
    return NwbTable(group) if isinstance(group, h5py.Group) else None


def find_groups(file: h5py.File, top: str, pattern: str) -> list[h5py.Group]:
    """Return the groups below `top` whose own name matches, sorted by path.

    Parameters
    ----------
    file : h5py.File
        The file.
    top : str
        Where to look, for example ``"processing"``.
    pattern : str
        Regular expression, searched for in the last part of the path, whatever its case.

    Raises
    ------
    SessionFileError
        If there are more than `MAX_NODES` groups and data sets.
    """
    root = file.get(top)
    if not isinstance(root, h5py.Group):
        return []
    found: list[str] = []
    n_nodes = 0

    def look(name: str, node: h5py.HLObject) -> None:
        nonlocal n_nodes
        n_nodes += 1
        if n_nodes > MAX_NODES:
            msg = f"{Path(file.filename).name} has more than {MAX_NODES:,} parts."
            raise SessionFileError(msg)
        leaf = name.rpartition("/")[2]
        if isinstance(node, h5py.Group) and re.search(pattern, leaf, re.IGNORECASE):
            found.append(name)

    root.visititems(look)
    return [root[name] for name in sorted(found)]


def read_series(group: h5py.Group) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return times in s and values of a time series, its conversion applied.

    Raises
    ------
    SessionFileError
        If it holds no numbers, or neither timestamps nor a starting time with a rate.
    """
    where = f"{Path(group.file.filename).name}: {group.name.strip('/')}"
    data = read_array(group, "data")
    if data.dtype.kind not in "biuf":
        msg = f"{where}/data holds text where numbers belong."
        raise SessionFileError(msg)
    attributes = group["data"].attrs
    factor, offset = (_number(attributes.get(k, d)) for k, d in (("conversion", 1), ("offset", 0)))
    values = data.reshape(len(data), -1)[:, 0].astype(np.float64) if data.ndim else data[None]
    if factor != 1.0 or offset != 0.0:
        values = values * factor + offset
    if "timestamps" in group:
        return read_array(group, "timestamps").astype(np.float64), values
    rate = _number(group["starting_time"].attrs.get("rate", 0)) if "starting_time" in group else 0
    if not rate > 0:
        msg = f"{where} has neither timestamps nor a starting time with a rate."
        raise SessionFileError(msg)
    start = float(read_array(group, "starting_time"))
    return start + np.arange(len(values)) / rate, values


def read_fact(file: h5py.File, path: str) -> str | None:
    """Return a single text of the file, or None where it says nothing."""
    group, _, name = path.rpartition("/")
    parent = file.get(group) if group else file
    if not isinstance(parent, h5py.Group) or name not in parent:
        return None
    values = read_array(parent, name)
    text = str(values.reshape(-1)[0]).strip() if values.size else ""
    return None if text.lower() in ABSENT_TEXT else text


def _number(value: object) -> float:
    """Return an attribute as a number; NaN for what is none."""
    try:
        return float(np.asarray(value).reshape(-1)[0])
    except (TypeError, ValueError, IndexError):
        return float("nan")
