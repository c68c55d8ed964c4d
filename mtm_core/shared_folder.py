"""A folder of results that several processes may fill: small files written whole, and claims.

A claim is a file that the system locks for the process that holds it, on this machine or, where
the disk is shared and knows locks, on another. It is free again as soon as that process ends, in
whatever way: nobody has to tidy up after one that was killed.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from mtm_core.errors import OutputError, TrainingError
from mtm_core.json_text import parse_json
from mtm_core.resources import atomic_write


class Claim:
    """A piece of work that one process at a time may do.

    Parameters
    ----------
    path : Path
        The file that stands for it; its folder must exist.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "work.lock"
    >>> mine, yours = Claim(path), Claim(path)
    >>> mine.take(), yours.take()
    (True, False)
    >>> mine.release()
    >>> yours.take()
    True
    >>> yours.release()
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = FileLock(path, thread_local=False)  # whoever stops the work may free it

    def take(self) -> bool:
        """Take it, unless another process holds it; tell whether it is ours.

        Raises
        ------
        OutputError
            If the folder cannot be written, or its disk knows no locks.
        """
        with _teaching(self._path):
            try:
                self._lock.acquire(timeout=0)
            except Timeout:
                return False
        return True

    def wait(self) -> None:
        """Take it, as soon as it is free.

        Raises
        ------
        OutputError
            If the folder cannot be written, or its disk knows no locks.
        """
        with _teaching(self._path):
            self._lock.acquire()

    def release(self) -> None:
        """Let others take it."""
        self._lock.release()


@contextlib.contextmanager
def one_at_a_time(path: Path, *, is_needed: bool = True) -> Iterator[None]:
    """Let one process at a time be inside the block; the others wait.

    Parameters
    ----------
    path : Path
        The file that stands for the block; its folder must exist.
    is_needed : bool
        False: where no lock can be had, go on without.

    Raises
    ------
    OutputError
        If the folder cannot be written, or its disk knows no locks.
    """
    claim = Claim(path)
    try:
        claim.wait()
    except OutputError:
        if is_needed:
            raise
    try:
        yield
    finally:
        claim.release()


def read_json(path: Path) -> Mapping[str, Any] | None:
    """Return what a file holds; None if there is none.

    Raises
    ------
    TrainingError
        If it is damaged.
    """
    try:
        values: Mapping[str, Any] = parse_json(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        msg = f"{path} is damaged. Delete it and call the command again."
        raise TrainingError(msg) from error
    return values


def write_json(path: Path, values: Mapping[str, Any]) -> None:
    """Write a file whole or not at all."""
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def prepare_folder(out: Path, settings: Mapping[str, Any], pieces: str = "cells") -> None:
    """Make the folder of results, or check that it was made with these settings.

    Parameters
    ----------
    out : Path
        The folder.
    settings : mapping
        What all its results are made with.
    pieces : str
        Name of the folder inside it that the single results lie in.

    Raises
    ------
    TrainingError
        If it holds results of other settings.
    OutputError
        If it cannot be made.
    """
    path = out / "settings.json"
    try:
        (out / pieces).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        reason = (error.strerror or "").lower()
        msg = f"Could not make the folder {out}: {reason}. Choose another --out."
        raise OutputError(msg) from error
    with one_at_a_time(out / "settings.lock"):
        stored = read_json(path)
        if stored is None:
            write_json(path, settings)
        elif stored != json.loads(json.dumps(settings)):
            msg = (
                f"{out} holds results of other settings ({path.name} says which). Choose another "
                "--out, or call the command as before."
            )
            raise TrainingError(msg)


@contextlib.contextmanager
def _teaching(path: Path) -> Iterator[None]:
    try:
        yield
    except NotImplementedError as error:
        msg = (
            f"{path.parent} lies on a disk without locks, so that processes cannot share work "
            "there. Choose another --out."
        )
        raise OutputError(msg) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        msg = f"Could not write into {path.parent}: {reason}. Choose another --out."
        raise OutputError(msg) from error
