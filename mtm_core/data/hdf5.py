"""Reading HDF5 files that nobody vouches for: every fault becomes one sentence.

Sizes are checked against the bytes that the file really holds before anything is allocated, so
that a small file that declares a huge array is refused at once.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from mtm_core.errors import MtmError, SessionFileError

MAX_BYTES = 2**34
"""No single array may be larger (16 GiB)."""
_MAX_CHUNK_BYTES = 2**28
_MAX_RATIO = 1100
"""Gzip, the best of the filters used, cannot shrink data further (its limit is 1032)."""
_SLACK_BYTES = 2**20
_MAX_TEXT_BYTES = 2**29
_TEXT_PIECE = 256
_FAULTS = (OSError, KeyError, ValueError, RuntimeError, TypeError, MemoryError, AttributeError)


@contextlib.contextmanager
def open_hdf5(path: Path) -> Iterator[h5py.File]:
    """Open a file for reading.

    Raises
    ------
    SessionFileError
        If it is not there, is not HDF5, or turns out to be damaged inside the block.
    """
    if path.is_dir():
        msg = f"{path} is a folder. Give the name of a file."
        raise SessionFileError(msg)
    if not path.is_file():
        msg = f"There is no file {path}."
        raise SessionFileError(msg)
    try:
        with h5py.File(path, "r") as file:
            yield file
    except MtmError:
        raise
    except _FAULTS as error:
        raise SessionFileError(f"{path.name} {_why_unreadable(error)}") from error


def read_array(group: h5py.Group, name: str) -> NDArray[Any]:
    """Read a plain data set of numbers or text; text comes back as numpy unicode.

    Raises
    ------
    SessionFileError
        If it is absent, is no plain array, or declares more than the file can hold.
    """
    node = group.get(name)
    where = f"{Path(group.file.filename).name}: '{group.name.rstrip('/')}/{name}'"
    if not isinstance(node, h5py.Dataset):
        msg = f"{where} is missing."
        raise SessionFileError(msg)
    _check_plain(node, where, group.file.filename)
    _check_size(node, where)
    if node.dtype.kind in "biuf":
        values: NDArray[Any] = node[()]
        return values
    return _read_text(node, where)


def find_group(parent: h5py.Group, name: str) -> h5py.Group:
    """Return a group.

    Raises
    ------
    SessionFileError
        If it is absent, or an array: to go through its rows could take for ever.
    """
    node = parent.get(name)
    if not isinstance(node, h5py.Group):
        what = "is missing" if node is None else "is no group of arrays"
        msg = f"{Path(parent.file.filename).name}: '{parent.name.rstrip('/')}/{name}' {what}."
        raise SessionFileError(msg)
    return node


def _read_text(node: h5py.Dataset, where: str) -> NDArray[np.str_]:
    """Read text piece by piece: a few bytes can stand for long text many times over."""
    if not node.shape:
        return np.array(str(node.asstr("utf-8")[()]), dtype=np.str_)
    pieces: list[NDArray[np.str_]] = []
    longest = 1
    for start in range(0, len(node), _TEXT_PIECE):
        piece = np.asarray(node.asstr("utf-8")[start : start + _TEXT_PIECE])
        longest = max([longest, *(len(text) for text in piece.flat)])
        if 4 * longest * math.prod(node.shape) > _MAX_TEXT_BYTES:
            msg = f"{where} holds text of more than {_MAX_TEXT_BYTES:,} bytes. It is damaged."
            raise SessionFileError(msg)
        pieces.append(piece.astype(np.str_))
    return np.concatenate(pieces) if pieces else np.zeros(node.shape, dtype="U1")


def _check_plain(node: h5py.Dataset, where: str, file_name: str) -> None:
    is_text = h5py.check_string_dtype(node.dtype) is not None
    if node.dtype.kind not in "biuf" and not is_text:
        msg = f"{where} holds {node.dtype}, neither numbers nor text."
        raise SessionFileError(msg)
    if node.is_virtual or node.external or node.file.filename != file_name:
        msg = f"{where} points to another file. Give a file that holds its own data."
        raise SessionFileError(msg)


def _check_size(node: h5py.Dataset, where: str) -> None:
    n_bytes = math.prod(node.shape) * node.dtype.itemsize
    n_chunk = math.prod(node.chunks) * node.dtype.itemsize if node.chunks else 0
    n_stored = node.id.get_storage_size()
    can_hold = n_stored * (_MAX_RATIO if node.chunks else 1) + _SLACK_BYTES
    if n_bytes > min(MAX_BYTES, can_hold) or n_chunk > _MAX_CHUNK_BYTES:
        msg = (
            f"{where} declares {n_bytes:,} bytes, but the file holds {n_stored:,} for it. "
            "It is damaged or was not written to be read."
        )
        raise SessionFileError(msg)


def _why_unreadable(error: BaseException) -> str:
    text = str(error).lower()
    if "file signature not found" in text:
        return "is not an HDF5 file."
    if "truncated" in text:
        return "is truncated: its end is missing. Copy or download it again."
    if "permission denied" in text:
        return "may not be read: permission denied."
    if isinstance(error, MemoryError):
        return "does not fit into memory."
    return "is damaged and cannot be read. Copy or download it again."
