"""Numbers of a panel as CSV, NPZ or HDF5, by the ending of the name; whole or not at all."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from mtm_core.errors import UnknownNameError
from mtm_core.resources import atomic_write
from mtm_viewer.presenters.panel_numbers import NumberColumn, NumberTable, PanelNumbers

NUMBER_KINDS = (
    "CSV tables, one file for each (*.csv)",
    "NumPy arrays (*.npz)",
    "HDF5 (*.h5)",
)
"""What numbers can be saved as, for file dialogs."""
SCHEMA = "mtm-panel-numbers"


def write_numbers(numbers: PanelNumbers, path: Path, attachment: str = "") -> tuple[Path, ...]:
    """Write the numbers of a panel.

    Parameters
    ----------
    numbers : PanelNumbers
        What to write.
    path : Path
        Where. As CSV its first table goes there, and each further one beside it, with the name of
        the table in its own: ``rates.csv``, ``rates.hidden.csv``.
    attachment : str
        An experiment as text, kept inside NPZ and HDF5; "" for none.

    Returns
    -------
    tuple of Path
        The files that were written.

    Raises
    ------
    UnknownNameError
        If the ending is none of csv, npz, h5.
    OutputError
        If they cannot be written.
    """
    ending = path.suffix.lower()
    if ending == ".csv":
        return _write_csv(numbers, path)
    makers = {".npz": _npz, ".h5": _hdf5}
    if ending not in makers:
        kind = "kind of file for numbers"
        raise UnknownNameError(kind, ending.removeprefix("."), ["csv", "h5", "npz"])
    content = makers[ending](numbers, attachment)
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)
    return (path,)


def _write_csv(numbers: PanelNumbers, path: Path) -> tuple[Path, ...]:
    others = [path.with_name(f"{path.stem}.{table.name}.csv") for table in numbers.tables[1:]]
    paths = (path, *others)[: len(numbers.tables)]
    with contextlib.ExitStack() as stack:  # all of them take their places, or none
        for each, table in zip(paths, numbers.tables, strict=True):
            temporary = stack.enter_context(atomic_write(each))
            temporary.write_text(numbers.to_text(table), encoding="utf-8")
    return paths


def _npz(numbers: PanelNumbers, attachment: str) -> bytes:
    arrays: dict[str, NDArray[Any]] = {
        "title": np.array(numbers.title),
        "notes": np.array(numbers.notes or [("", "")], dtype=str),
        "experiment": np.array(attachment),
    }
    for table in numbers.tables:
        for column in table.columns:
            key = f"{table.name}.{column.name}"
            arrays[key] = column.values
            if column.labels:
                arrays[f"{key}.labels"] = np.array(column.labels)
            if column.is_known is not None:
                arrays[f"{key}.is_known"] = column.is_known
    out = io.BytesIO()
    np.savez_compressed(out, allow_pickle=False, **arrays)
    return out.getvalue()


def _hdf5(numbers: PanelNumbers, attachment: str) -> bytes:
    with h5py.File("numbers.h5", "w", driver="core", backing_store=False) as file:
        file.attrs.update({"schema": SCHEMA, "version": 1, "title": numbers.title})
        for what, choice in numbers.notes:
            file.attrs[f"note: {what}"] = choice
        file.create_dataset("experiment", data=attachment, dtype=h5py.string_dtype())
        for table in numbers.tables:
            _add_table(file.create_group(table.name), table)
        file.flush()
        content: bytes = file.id.get_file_image()
    return content


def _add_table(group: h5py.Group, table: NumberTable) -> None:
    for column in table.columns:
        name = column.name.replace("/", " per ")
        data = _add(group, name, column.values)
        if column.unit:
            data.attrs["unit"] = column.unit
        _add_more(group, name, column)


def _add_more(group: h5py.Group, name: str, column: NumberColumn) -> None:
    """Add what the columns are, and which values there are."""
    if column.labels:
        _add(group, f"{name}.labels", np.array(column.labels))
    if column.is_known is not None:
        _add(group, f"{name}.is_known", column.is_known)


def _add(group: h5py.Group, name: str, values: NDArray[Any]) -> h5py.Dataset:
    if values.dtype.kind == "U":
        return group.create_dataset(name, data=values.astype(object), dtype=h5py.string_dtype())
    is_large = values.size > 1000
    return group.create_dataset(name, data=values, compression="gzip" if is_large else None)
