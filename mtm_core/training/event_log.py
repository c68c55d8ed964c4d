"""The events of a run as lines of JSON in a file that is never half-read."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from mtm_core.errors import OutputError
from mtm_core.resources import atomic_write
from mtm_core.training.events import Event, RunFinished, from_json, to_json


class EventLog:
    """The file ``events.jsonl`` of a run.

    Parameters
    ----------
    path : Path
        The file; need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: TextIO | None = None

    def read(self) -> Iterator[Event]:
        """Read the events so far; a last line that was cut short is left out.

        Raises
        ------
        TrainingError
            If a line is not an event.
        """
        if not self.path.exists():
            return
        with self.path.open(encoding="utf-8") as file:
            for line in file:
                if line.endswith("\n"):
                    yield from_json(line)

    def append(self, happened: Sequence[Event]) -> None:
        """Write events and hand them to the system at once.

        Raises
        ------
        OutputError
            If they cannot be written.
        """
        try:
            if self._file is None:
                self._file = self.path.open("a", encoding="utf-8")
            self._file.write("".join(f"{to_json(event)}\n" for event in happened))
            self._file.flush()
        except OSError as error:
            self.close()
            reason = os.strerror(error.errno or 0).lower()
            msg = f"Could not write {self.path}: {reason}. Make room there, then --resume."
            raise OutputError(msg) from error

    def forget_after(self, step: int) -> None:
        """Drop events of later steps, the end of the run, and half a line at the end of the file.

        Raises
        ------
        OutputError
            If the file cannot be written.
        """
        self.close()
        kept = [
            to_json(event)
            for event in self.read()
            if event.step <= step and not isinstance(event, RunFinished)
        ]
        write_text(self.path, "".join(f"{line}\n" for line in kept))

    def close(self) -> None:
        """Close the file; what could not be written was told when it was to be written."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None


class EventTail:
    """Follows the events of a run while another process writes them.

    Parameters
    ----------
    path : Path
        The file ``events.jsonl``; need not exist yet.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._offset = 0
        self._file_id = 0

    def read_new(self, most_bytes: int = 1_000_000) -> tuple[list[Event], bool]:
        """Read what was written since the last time.

        Parameters
        ----------
        most_bytes : int
            Read about so much at once; the rest comes the next time.

        Returns
        -------
        events : list of Event
            New whole lines.
        is_anew : bool
            Whether they begin at the start of the file: it is seen for the first time, or a
            resumed run wrote it anew, and what was read before no longer counts.

        Raises
        ------
        TrainingError
            If a line is not an event.
        """
        try:
            with self.path.open("rb") as file:
                stat = os.fstat(file.fileno())
                if stat.st_ino != self._file_id or stat.st_size < self._offset:
                    self._offset, self._file_id = 0, stat.st_ino
                is_anew = self._offset == 0
                file.seek(self._offset)
                lines = file.readlines(most_bytes)
        except OSError:  # not there yet, or being replaced: the next look will find it
            return [], False
        whole = [line for line in lines if line.endswith(b"\n")]
        self._offset += sum(map(len, whole))
        return [from_json(line.decode("utf-8")) for line in whole], is_anew and bool(whole)


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
