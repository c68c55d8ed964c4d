"""Preparing many sources at a time, each in a process of its own, so that none stops the rest.

A process that dies (out of memory, a damaged file that crashes a library) costs its own source
only; memory goes back to the machine after each.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from types import FrameType
from typing import cast

from mtm_core.data.prepare_file import failure, prepare_one
from mtm_core.data.prepare_task import Outcome, Task, Wishes

_POLL_S = 0.2
_PATIENCE_S = 20.0
"""How long a process may take to clear up after itself."""


@dataclass(frozen=True, eq=False, kw_only=True)
class _Running:
    task: Task
    process: SpawnProcess


def prepare_many(
    tasks: Sequence[Task],
    wishes: Wishes,
    *,
    jobs: int = 1,
    report: Callable[[Task, object], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Iterator[Outcome]:
    """Prepare sources; iterate over the result to make it happen.

    Parameters
    ----------
    tasks : sequence of Task
        What, and where to.
    wishes : Wishes
        How.
    jobs : int
        How many at the same time.
    report : callable, optional
        Told how far a source is; see `sources.prepare_source`.
    should_stop : callable, optional
        Asked five times a second; what is running then leaves nothing half-written.

    Yields
    ------
    Outcome
        One for each source, as they are ready; last those that were stopped.
    """
    waiting, running = deque(tasks), dict[Connection, _Running]()
    try:
        while waiting or running:
            if should_stop is not None and should_stop():
                break
            while waiting and len(running) < jobs:
                connection, started = _start(waiting.popleft(), wishes)
                running[connection] = started
            for ready in wait(list(running), _POLL_S):
                connection = cast("Connection", ready)
                outcome = _receive(connection, running[connection], report)
                if outcome is not None:
                    del running[connection]
                    yield outcome
    finally:
        _stop(running)
    for task in (*(each.task for each in running.values()), *waiting):
        yield Outcome(source=task.source, out=task.out, status="stopped")


def _start(task: Task, wishes: Wishes) -> tuple[Connection, _Running]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_TARGET, args=(theirs, task, wishes), daemon=True)
    with _deaf_to_ctrl_c():
        process.start()
    theirs.close()
    return ours, _Running(task=task, process=process)


@contextlib.contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Let a process that begins inside the block ignore Ctrl-C from its first moment on."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _receive(
    connection: Connection, running: _Running, report: Callable[[Task, object], None] | None
) -> Outcome | None:
    """Take what a process says: how far it is, or at last what became of its source."""
    try:
        said = connection.recv()
    except (EOFError, OSError):
        said = None
    if said is not None and not isinstance(said, Outcome):
        if report is not None:
            report(running.task, said)
        return None
    running.process.join(_PATIENCE_S)
    connection.close()
    if isinstance(said, Outcome):
        return said
    code = running.process.exitcode
    return failure(
        running.task,
        f"Its process ended without a word (exit code {code}): the memory may be too small for "
        "it (use fewer --jobs), or a file of it is damaged.",
    )


def _stop(running: dict[Connection, _Running]) -> None:
    """End processes; each removes what it has half-written."""
    for each in running.values():
        each.process.terminate()
    for connection, each in running.items():
        each.process.join(_PATIENCE_S)
        if each.process.is_alive():
            each.process.kill()
            each.process.join()
        connection.close()
        _remove_leftovers(each)


def _remove_leftovers(running: _Running) -> None:
    """Remove what a process that had to be killed was writing (see `resources.atomic_write`)."""
    out, pid = running.task.out, running.process.pid
    for path in out.parent.glob(f".*-{pid}-*{out.suffix}"):
        with contextlib.suppress(OSError):
            path.unlink()


def _work(connection: Connection, task: Task, wishes: Wishes) -> None:
    """Prepare one source in a process of its own; the parent speaks for it to the terminal."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _leave)
    with contextlib.suppress(BrokenPipeError):  # the parent has gone
        connection.send(prepare_one(task, wishes, progress=connection.send))
    connection.close()


def _leave(number: int, frame: FrameType | None) -> None:
    """End the process so that every `finally` on the way out is heard."""
    sys.exit(128 + number)


_TARGET = _work
"""What a process does; tests put other work in its place."""
