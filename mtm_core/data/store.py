"""Counts of many sessions as files that are mapped, not loaded: memory holds what a step reads.

A folder of uncompressed ``.npy`` files, one for each session content and bin factor
(``HASH-xFACTOR.npy``, uint8, trials by bins by units). A file is written beside its place and
moved there whole, and compared with the counts whenever a run begins, so that what is trained on
is what the session file holds. The folder is bounded: files used longest ago go first.
"""

from __future__ import annotations

import contextlib
import logging
import math
import mmap
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from mtm_core.errors import ConfigError, OutputError
from mtm_core.resources import atomic_write, cache_dir, is_abandoned

logger = logging.getLogger(__name__)
Rows = NDArray[np.int64]
Counts = NDArray[np.uint8]

_NAME = re.compile(r"[0-9a-f]{64}-x\d+\.npy")
_LEFT_BEHIND = re.compile(r"\.[0-9a-f]{40}-\d+-[0-9a-f]{8}\.npy")
_PIECE_BYTES = 2**24
_ATTEMPTS = 10


class CountSource(Protocol):
    """Counts of a session's trials, wherever they lie."""

    @property
    def array(self) -> Counts:
        """All of them, read-only, shape (n_trials, n_bins, n_units)."""

    def take(self, rows: Rows) -> Counts:
        """Return a copy of some trials, in memory of its own."""

    def expect(self, rows: Rows) -> None:
        """Say which trials will be taken next, so that they can be fetched meanwhile."""


class HeldCounts:
    """Counts in memory.

    Parameters
    ----------
    array : ndarray of uint8, shape (n_trials, n_bins, n_units)
        Shared, not copied.
    """

    def __init__(self, array: Counts) -> None:
        self.array = array

    def take(self, rows: Rows) -> Counts:
        """Return a copy of some trials."""
        return self.array[rows]

    def expect(self, rows: Rows) -> None:
        """Do nothing: they are there."""


class StoredCounts:
    """Counts in a mapped file, which may be replaced or removed meanwhile.

    Parameters
    ----------
    path : Path
        A file that `CountStore` wrote.

    Raises
    ------
    ValueError
        If it is no such file, or was cut short.
    OSError
        If it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            shape, self._offset = _read_header(file, path.stat().st_size)
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        flat = np.frombuffer(self._map, dtype=np.uint8, offset=self._offset)
        self.array: Counts = flat.reshape(shape)
        self.path = path

    def take(self, rows: Rows) -> Counts:
        """Return a copy of some trials; the pages read stay with the system, not with us."""
        taken = self.array[rows]
        self._advise("MADV_DONTNEED", 0, len(self._map))
        return taken

    def expect(self, rows: Rows) -> None:
        """Ask the system to fetch some trials from the disk while we compute."""
        advice = getattr(mmap, "MADV_WILLNEED", None)  # not every system takes advice
        if advice is None:
            return
        n_bytes = math.prod(self.array.shape[1:])
        first = self._offset + rows * n_bytes
        start = first - first % mmap.PAGESIZE
        length = first + n_bytes - start
        with contextlib.suppress(OSError):
            for place, size in zip(start.tolist(), length.tolist(), strict=True):
                self._map.madvise(advice, place, size)

    def equals(self, counts: Counts) -> bool:
        """Tell whether the file holds these counts."""
        if self.array.shape != counts.shape:
            return False
        is_same = all(np.array_equal(self.array[part], counts[part]) for part in pieces(counts))
        self._advise("MADV_DONTNEED", 0, len(self._map))
        return is_same

    def _advise(self, name: str, start: int, length: int) -> None:
        advice = getattr(mmap, name, None)  # not every system takes advice
        if advice is not None:
            with contextlib.suppress(OSError):
                self._map.madvise(advice, start, length)


class CountStore:
    """A bounded folder of mapped counts, which processes may share.

    Parameters
    ----------
    folder : Path
        Made when the first file is written.
    max_bytes : int
        Most bytes of files in it.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self._in_use: set[str] = set()

    def keep(self, content_hash: str, factor: int, counts: Counts) -> StoredCounts:
        """Return counts as a mapped file, which is written if it is not there.

        Parameters
        ----------
        content_hash : str
            Of the session (SHA-256, hex).
        factor : int
            How many of its bins were joined.
        counts : ndarray of uint8, shape (n_trials, n_bins, n_units)
            What the file must hold; it need not be kept.

        Raises
        ------
        OutputError
            If it cannot be written.
        ConfigError
            If the files that this object keeps do not fit the bound.
        """
        path = self.folder / f"{content_hash}-x{factor}.npy"
        self._in_use.add(path.name)
        for _ in range(_ATTEMPTS):  # another process may remove it before it is opened
            stored = _open(path)
            if stored is not None and stored.equals(counts):
                with contextlib.suppress(OSError):  # a folder that can only be read serves too
                    os.utime(path)
                return stored
            self._write(path, counts)
        msg = (
            f"{path} vanishes or changes as soon as it is written. Choose another --run.store_dir."
        )
        raise OutputError(msg)

    def _write(self, path: Path, counts: Counts) -> None:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with self._locked():
                self._make_room(counts.nbytes, path.name)
        except OSError as error:
            reason = (error.strerror or "").lower()
            msg = (
                f"Could not use {self.folder} for mapped counts: {reason}. Choose another "
                "--run.store_dir, or --run.store memory."
            )
            raise OutputError(msg) from error
        plain = np.ascontiguousarray(counts)
        with atomic_write(path) as temporary, temporary.open("wb") as file:
            header = np.lib.format.header_data_from_array_1_0(plain)
            np.lib.format.write_array_header_1_0(file, header)
            file.write(plain.data)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """Let one process at a time make room."""
        try:
            with FileLock(self.folder / "store.lock"):
                yield
        except NotImplementedError:  # a file system without locks: the bound may be passed
            logger.warning("%s cannot be locked.", self.folder)
            yield

    def _make_room(self, n_bytes: int, name: str) -> None:
        """Remove the files used longest ago, but none of ours, until there is room."""
        found = sorted((used, path, size) for path, used, size in self._files())
        total = sum(size for _, path, size in found if path.name != name) + n_bytes
        for _, path, size in found:
            if total <= self.max_bytes:
                return
            if path.name not in self._in_use:
                with contextlib.suppress(OSError):  # in use elsewhere, on Windows
                    path.unlink(missing_ok=True)
                    total -= size
        if total > self.max_bytes:
            msg = (
                f"The sessions of this run need more than the {self.max_bytes / 1e9:g} GB that "
                f"mapped counts may take in {self.folder}. Raise --run.store_gb, or train on "
                "fewer sessions."
            )
            raise ConfigError(msg)

    def _files(self) -> Iterator[tuple[Path, float, int]]:
        """List our files; remove what a killed process left half-written."""
        for path in self.folder.iterdir():
            with contextlib.suppress(FileNotFoundError):  # another process removed it
                if _NAME.fullmatch(path.name):
                    status = path.stat()
                    yield path, status.st_mtime, status.st_size
                elif _LEFT_BEHIND.fullmatch(path.name) and is_abandoned(path):
                    path.unlink()


def default_folder() -> Path:
    """Return the folder of mapped counts of this user."""
    return cache_dir() / "counts"


def pieces(counts: NDArray[Any]) -> Iterator[slice]:
    """Cut trials into pieces of a few megabytes.

    Examples
    --------
    >>> list(pieces(np.zeros((3, 2, 2), dtype=np.uint8)))
    [slice(0, 3, None)]
    """
    n_trials = len(counts)
    size = max(1, _PIECE_BYTES // max(1, counts.nbytes // max(1, n_trials)))
    for start in range(0, n_trials, size):
        yield slice(start, min(start + size, n_trials))


def _open(path: Path) -> StoredCounts | None:
    try:
        return StoredCounts(path)
    except (OSError, ValueError):
        return None


def _read_header(file: BinaryIO, n_bytes: int) -> tuple[tuple[int, ...], int]:
    if np.lib.format.read_magic(file) != (1, 0):
        msg = "not a file of this version"
        raise ValueError(msg)
    shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file)
    offset = file.tell()
    if is_fortran or dtype != np.uint8 or len(shape) != 3:
        msg = "not counts"
        raise ValueError(msg)
    if offset + math.prod(shape) != n_bytes:
        msg = "cut short"
        raise ValueError(msg)
    return shape, offset
