"""The journal on disk: written in the background, left behind by a crash, found at the next start.

Each window has a file of its own, with a lock that the system lets go when the process ends,
however it ends. A file whose lock is free was left behind.
"""

from __future__ import annotations

import contextlib
import logging
import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from mtm_core.errors import OutputError
from mtm_core.resources import atomic_write
from mtm_viewer.presenters.experiment_made import experiment_of
from mtm_viewer.presenters.experiment_view import View
from mtm_viewer.presenters.journal_entry import (
    JournalEntry,
    is_same_screen,
    newest_entry,
    write_line,
)
from mtm_viewer.presenters.mask_history import MaskHistory
from mtm_viewer.presenters.preparation_form import write_settings
from mtm_viewer.presenters.workspace import Workspace

logger = logging.getLogger(__name__)
MAX_BYTES = 4_000_000
"""A longer journal is written anew with its newest line alone, and none longer is read."""
MOST_LEFT = 5
"""Older files than this many that were left behind are removed."""
LAST = "last.jsonl"
"""What was on screen when the last window was closed."""
_SUFFIX = ".jsonl"
_NUMBER = re.compile(r"(\d{6})-")
"""Journals are counted through: their order must not hang on a clock that people set."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Note:
    """Write down what is on screen.

    Parameters
    ----------
    workspace : Workspace
        Session, models, and the trials that are shown.
    view : View
        The mask, and how things are shown.
    title : str
        What is hidden, in words.
    device : str
        Where it is computed.
    history : MaskHistory
        The steps that led to the mask.
    """

    workspace: Workspace
    view: View
    title: str
    device: str
    history: MaskHistory = field(default_factory=MaskHistory)


@dataclass(frozen=True, eq=False, kw_only=True)
class Noted:
    """It was written down."""

    entry: JournalEntry


@dataclass(frozen=True, eq=False, kw_only=True)
class LeftBehind:
    """What a window that did not end by itself had on screen."""

    path: Path
    entry: JournalEntry


class JournalJob:
    """The work of the journal's thread.

    Parameters
    ----------
    folder : Path
        Where journals lie; made when the first line is written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._path: Path | None = None
        self._newest: JournalEntry | None = None
        self._locks: dict[Path, FileLock] = {}
        self._has_looked = False
        self._is_torn = False

    def __call__(self, request: object, should_stop: Callable[[], bool]) -> Iterator[object]:
        """Yield `LeftBehind` first of all, and `Noted` for each `Note`."""
        if not self._has_looked:
            self._has_looked = True
            yield from self._look()
        if isinstance(request, Note):
            yield Noted(entry=self.note(request))

    def note(self, note: Note) -> JournalEntry:
        """Write down what is on screen.

        Raises
        ------
        OutputError
            If it cannot be written: no permission, disk full.
        """
        entry = _entry_of(note)
        if self._newest is None or not is_same_screen(entry, self._newest):
            self._append(write_line(entry))
            self._newest = entry
        return entry

    def last(self) -> JournalEntry | None:
        """Return what was on screen when the last window was closed."""
        with contextlib.suppress(OSError):
            return _read(self.folder / LAST)
        return None

    def forget(self, path: Path) -> None:
        """Remove what was left behind."""
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        self._let_go(path)

    def close(self) -> None:
        """End by itself: keep what is on screen as the last session, and let go of all locks.

        A journal that could not be written holds no screen: it goes, and the last session stays.
        """
        if self._path is not None:
            with contextlib.suppress(OSError):
                if _read(self._path) is None:
                    self._path.unlink(missing_ok=True)
                else:
                    self._path.replace(self.folder / LAST)
        for path in list(self._locks):
            self._let_go(path)

    def _append(self, line: bytes) -> None:
        try:
            path = self._own_file()
            if path.exists() and path.stat().st_size + len(line) > MAX_BYTES:
                with atomic_write(path) as temporary:
                    temporary.write_bytes(line)
                return
            with path.open("ab") as file:
                # A line that a full disk cut short must not spoil the next one.
                torn, self._is_torn = self._is_torn, True
                file.write(b"\n" + line if torn else line)
                file.flush()
                os.fsync(file.fileno())
            self._is_torn = False
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            msg = f"The journal in {self.folder} cannot be written: {why}."
            raise OutputError(msg) from error

    def _own_file(self) -> Path:
        if self._path is None:
            self.folder.mkdir(parents=True, exist_ok=True)
            number = 1 + max(map(_number, self.folder.glob(f"*{_SUFFIX}")), default=0)
            begun = datetime.now().astimezone()
            name = f"{number:06d}-{begun:%Y%m%d-%H%M%S-%f}-{os.getpid()}{_SUFFIX}"
            path = self.folder / name
            if not self._take(path):
                raise OSError(None, "its lock is taken")
            self._path = path
        return self._path

    def _look(self) -> Iterator[LeftBehind]:
        """Find what was left behind, the newest last; too old and unreadable files go."""
        paths = [path for path in self.folder.glob(f"*{_SUFFIX}") if path.name != LAST]
        paths.sort(key=lambda path: (_number(path), path.name))
        free = [path for path in paths if path != self._path and self._take(path)]
        for path in free[:-MOST_LEFT]:
            self.forget(path)
        left = []
        for path in free[-MOST_LEFT:]:
            try:
                entry = _read(path)
            except OSError as error:  # the disk, or the permission, may come back
                logger.warning("The journal %s cannot be read: %s.", path, error.strerror)
                continue
            if entry is None:
                logger.warning("The journal %s holds nothing that can be read.", path)
                self.forget(path)
            else:
                left.append(LeftBehind(path=path, entry=entry))
        yield from left[-1:]

    def _take(self, path: Path) -> bool:
        lock = FileLock(path.with_suffix(".lock"), thread_local=False)
        try:
            lock.acquire(timeout=0)
        except (Timeout, OSError, NotImplementedError):
            return False
        self._locks[path] = lock
        return True

    def _let_go(self, path: Path) -> None:
        lock = self._locks.pop(path, None)
        if lock is not None:
            if not path.exists():
                with contextlib.suppress(OSError):
                    Path(lock.lock_file).unlink(missing_ok=True)
            lock.release()


def _entry_of(note: Note) -> JournalEntry:
    workspace = note.workspace
    opened = workspace.opened
    return JournalEntry(
        saved_at=datetime.now(),
        name=workspace.name,
        experiment=experiment_of(workspace, None, note.view, title=note.title, device=note.device),
        preparation="" if opened is None else write_settings(opened.config),
        models=tuple(str(model.checkpoint.path.absolute()) for model in workspace.models),
        history=note.history,
    )


def _read(path: Path) -> JournalEntry | None:
    """Return the newest entry; None if there is none, or no file that is a journal.

    Raises
    ------
    OSError
        If the file is there and cannot be read.
    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode) or found.st_size > 2 * MAX_BYTES:
            return None
        return newest_entry(path.read_bytes())
    except FileNotFoundError:
        return None


def _number(path: Path) -> int:
    """Return the number in the name of a journal; those of earlier versions have none."""
    found = _NUMBER.match(path.name)
    return int(found[1]) if found else 0
