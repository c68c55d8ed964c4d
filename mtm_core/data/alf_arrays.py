"""Reading the files of an ALF folder that nobody vouches for: every fault becomes one sentence."""

from __future__ import annotations

import csv
import math
import os
import tokenize
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.errors import DatasetError, MissingDatasetError

_AGAIN = "Copy or download it again."
_NPY_FAULTS = (
    *(OSError, ValueError, TypeError, EOFError, MemoryError, OverflowError),
    *(SyntaxError, tokenize.TokenError),  # numpy reads a header as Python
)


def read_npy(path: Path) -> NDArray[Any]:
    """Read a plain array of numbers or text, in one go and without a second copy.

    The header is checked against the size of the file before anything is allocated.

    Raises
    ------
    MissingDatasetError
        If the file is not there.
    DatasetError
        If it is truncated, damaged, no such file, or holds pickled Python objects.
    """
    try:
        with path.open("rb") as stream:
            _check_npy(path, *_npy_header(stream), n_held=path.stat().st_size - stream.tell())
        values: NDArray[Any] = np.load(path, allow_pickle=False)
    except _NPY_FAULTS as error:
        raise _fault(path, error) from error
    return values if values.dtype.isnative else values.astype(values.dtype.newbyteorder("="))


def read_table(path: Path) -> dict[str, NDArray[Any]]:
    """Read the columns of a Parquet or CSV file: numbers as they are, all else as text.

    A missing number is NaN, a missing text "".

    Raises
    ------
    MissingDatasetError
        If the file is not there.
    DatasetError
        If it is damaged.
    """
    import pandas as pd  # not at the top: whoever reads no table shall not wait for it

    faults = (OSError, ValueError, KeyError, TypeError, NotImplementedError, EOFError, MemoryError)
    try:
        with path.open(
            "rb"
        ) as stream:  # a name could be taken for a folder of files, or an address
            frame = pd.read_csv(stream) if path.suffix == ".csv" else pd.read_parquet(stream)
        return {str(name): _column(frame[name]) for name in frame.columns}
    except (*faults, csv.Error) as error:
        raise _fault(path, error) from error


def numbers(values: NDArray[Any], where: str) -> NDArray[np.float64]:
    """Return values as float64 (text of numbers too).

    Raises
    ------
    DatasetError
        If they are no numbers.
    """
    try:
        return values.astype(np.float64, copy=False)
    except (TypeError, ValueError) as error:
        msg = f"{where} holds {_kind(values)}, where numbers are needed."
        raise DatasetError(msg) from error


def flat(values: NDArray[Any]) -> NDArray[Any]:
    """Make one dimension of an array that is stored as a single column."""
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values


def one_column(values: NDArray[Any], where: str) -> NDArray[Any]:
    """Return an array of one dimension.

    Raises
    ------
    DatasetError
        If it has more columns than one.
    """
    column = flat(values)
    if column.ndim != 1:
        msg = f"{where} has the shape {values.shape}, where one column is needed. {_AGAIN}"
        raise DatasetError(msg)
    return column


def _npy_header(stream: Any) -> tuple[tuple[int, ...], np.dtype[Any]]:  # noqa: ANN401 - a file
    version = np.lib.format.read_magic(stream)
    if version == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    else:
        shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
    return shape, dtype


def _check_npy(path: Path, shape: tuple[int, ...], dtype: np.dtype[Any], *, n_held: int) -> None:
    if dtype.hasobject:
        msg = (
            f"{path.name} in {path.parent} holds pickled Python objects, which could run code "
            "when opened, and is not read. Save it again as plain numbers or text."
        )
        raise DatasetError(msg)
    if dtype.kind not in "biufU":
        msg = f"{path.name} in {path.parent} holds {dtype}, neither numbers nor text."
        raise DatasetError(msg)
    if not shape:
        msg = (
            f"{path.name} in {path.parent} holds a single value, where a list is needed. {_AGAIN}"
        )
        raise DatasetError(msg)
    n_bytes = math.prod(shape) * dtype.itemsize
    if n_held < n_bytes:
        msg = (
            f"{path.name} in {path.parent} is truncated: {n_held:,} of {n_bytes:,} bytes are "
            f"there. {_AGAIN}"
        )
        raise DatasetError(msg)


def _column(column: Any) -> NDArray[Any]:  # noqa: ANN401 - a pandas Series, which has no types
    from pandas.api.types import is_numeric_dtype

    if is_numeric_dtype(column.dtype):
        if isinstance(column.dtype, np.dtype):
            values: NDArray[Any] = column.to_numpy()
            return values
        return numbers(column.to_numpy(dtype=np.float64, na_value=np.nan), str(column.name))
    text = column.astype(object).where(column.notna(), "")
    return np.array([str(value) for value in text], dtype=np.str_)


def _fault(path: Path, error: BaseException) -> DatasetError:
    where = f"{path.name} in {path.parent}"
    if isinstance(error, FileNotFoundError):
        return MissingDatasetError(f"{where} is not there. Download or copy it.")
    if isinstance(error, MemoryError):
        return DatasetError(f"{where} does not fit into memory.")
    if isinstance(error, OSError) and error.errno:
        return DatasetError(f"{where} cannot be read: {os.strerror(error.errno).lower()}.")
    return DatasetError(f"{where} is damaged and cannot be read. {_AGAIN}")


def _kind(values: NDArray[Any]) -> str:
    return "text" if values.dtype.kind == "U" else str(values.dtype)
