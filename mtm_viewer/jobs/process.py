"""A run of training in a process of its own, which can be stopped at any time.

The process is started in a group of its own and writes to files only, so that it outlives the
window where a person wants that. How far it is, is read from the events of its run folder.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil

from mtm_core.errors import OutputError, TrainingError
from mtm_core.shared_folder import Claim, one_at_a_time
from mtm_core.training.event_log import EventTail
from mtm_core.training.run_folder import RunFolder
from mtm_viewer.jobs.core_command import core_command
from mtm_viewer.jobs.run_order import LOG, RunOrder, read_order, write_order

_POLITE = 5
"""How much the window goes before training where both want the processor (Unix niceness)."""
_FAILED = (1, 2)
"""Exit codes of Python and of `mtm-core` after an error."""
_ERROR = "mtm-core: "
_LOCK = "order.lock"


class RunProcess:
    """The process of a run: begun here, or found alive after the window was opened again.

    Parameters
    ----------
    folder : Path
        The folder of the run, with its order.
    order : RunOrder
        The order, as it is written there.
    child : subprocess.Popen or None
        The process, if it was begun by this program.
    """

    def __init__(
        self, folder: Path, order: RunOrder, child: subprocess.Popen[bytes] | None = None
    ) -> None:
        self.folder = folder
        self.order = order
        self.tail = EventTail(RunFolder(folder).events.path)
        self._child = child

    @classmethod
    def begin(cls, folder: Path) -> RunProcess:
        """Start the process of a run, or go on with it.

        Raises
        ------
        TrainingError
            If the system does not start it.
        OutputError
            If the folder cannot be written.
        """
        read_order(folder)  # where there is none, the lock would make the folder
        with one_at_a_time(folder / _LOCK, is_needed=False):  # another window may begin it, too
            found = cls.find(folder)
            if found is not None:
                return found
            order = read_order(folder)
            try:
                with (folder / LOG).open("wb") as log:
                    child = _start(core_command(train_words(folder, order)), log.fileno())
            except OSError as error:
                msg = f"The training process could not be started: {error.strerror or error}."
                raise TrainingError(msg) from error
            _give_way(child.pid)
            order = order.began(child.pid)
            try:
                write_order(folder, order)
            except OutputError:  # a process that no window could find again
                child.kill()
                child.wait()
                raise
        return cls(folder, order, child)

    @classmethod
    def find(cls, folder: Path) -> RunProcess | None:
        """Return the process of a run that goes on, whichever window began it; None if none."""
        order = read_order(folder)
        return None if order.process(folder) is None else cls(folder, order)

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        if self._child is not None:
            return self._child.poll() is None
        return self.order.process(self.folder) is not None

    @property
    def seconds(self) -> float:
        """How long it has been running, also where the clock was set meanwhile."""
        process = self.order.process(self.folder)
        if process is None:
            return 0.0
        try:
            return max(0.0, time.time() - float(process.create_time()))
        except psutil.Error:
            return 0.0

    def pause(self) -> None:
        """Ask it to save a checkpoint and end."""
        self._note_stop("paused")
        process = self.order.process(self.folder)
        if process is None:
            return
        with contextlib.suppress(psutil.Error, OSError):
            if sys.platform == "win32":
                process.send_signal(signal.CTRL_BREAK_EVENT)
            else:
                process.terminate()

    def kill(self) -> None:
        """End it at once, with all that it started; what its last checkpoint holds stays."""
        self._note_stop("cancelled")
        process = self.order.process(self.folder)
        if process is not None:
            with contextlib.suppress(psutil.Error):
                family = [*process.children(recursive=True), process]
                for each in family:
                    with contextlib.suppress(psutil.Error):
                        each.kill()
        if self._child is not None:
            self._child.wait()

    def close(self, *, is_finished: bool) -> RunOrder:
        """Write down what became of it, once it has ended; return the order.

        What another window wrote meanwhile counts: a person may have stopped it there.
        """
        with contextlib.suppress(TrainingError):
            written = read_order(self.folder)
            if written.pid != self.order.pid:  # it goes on elsewhere, in another process
                self.order = written
                return written
            self.order = written
        order = self.order
        code = None if self._child is None else self._child.returncode
        is_stopped = bool(order.stopped) and code not in _FAILED
        if not is_finished and not is_stopped:
            self.order = replace(order, error=error_sentence(self.folder))
            write_order(self.folder, self.order)
        return self.order

    def _note_stop(self, how: str) -> None:
        with contextlib.suppress(TrainingError):
            self.order = read_order(self.folder)
        self.order = replace(self.order, stopped=how)
        write_order(self.folder, self.order)


def train_words(folder: Path, order: RunOrder) -> list[str]:
    """Return the words after ``mtm-core`` that begin a run, or go on with it."""
    begun = RunFolder(folder).holds_run()
    preset = [] if begun else ["--preset", order.preset, *_chosen(order)]
    where = ["--out", str(folder), "--resume"]
    folds = ["--cross-fit", str(order.folds)] if order.folds else []
    return ["train", *preset, "--session", *order.session_paths, *folds, *where]


def _chosen(order: RunOrder) -> list[str]:
    """Return the flags of what was chosen in place of the preset's own settings."""
    seed = ["--run.seed", str(order.seed)] if order.seed else []
    return [*seed, *(["--data.split", order.split] if order.split else [])]


def is_trained(folder: Path) -> bool:
    """Tell whether some process, of this window or not, trains into the folder of a run."""
    locks = [Claim(path) for path in folder.rglob(RunFolder(folder).lock_path.name)]
    taken = [lock for lock in locks if lock.take()]
    for lock in taken:
        lock.release()
    return len(taken) < len(locks)


def error_sentence(folder: Path) -> str:
    """Return the last error that a process told of before it ended."""
    try:
        text = (folder / LOG).read_text(encoding="utf-8", errors="replace")
    except OSError:
        text = ""
    _, mark, sentence = f"\n{text}".rpartition(f"\n{_ERROR}")
    if mark and sentence.strip():
        return " ".join(sentence.split())
    return (
        "The training process ended before its time and said no reason; it may have been stopped "
        f"from outside, or for lack of memory. Its own words are in {folder / LOG}."
    )


def _start(command: list[str], output: int) -> subprocess.Popen[bytes]:
    own_group: dict[str, int | bool] = {"start_new_session": True}
    if sys.platform == "win32":
        own_group = {
            "creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.CREATE_NO_WINDOW
        }
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]  # noqa: S603  # no shell
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8"},
        **own_group,
    )


def _give_way(pid: int) -> None:
    """Let the window go first where both want the processor."""
    with contextlib.suppress(psutil.Error, OSError):
        process = psutil.Process(pid)
        if sys.platform == "win32":
            process.nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        else:
            process.nice(process.nice() + _POLITE)
