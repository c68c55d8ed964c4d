"""Ways to stop a process that writes: killed, or told by the system that it cannot go on."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from mtm_core.errors import OutputError

WROTE, REFUSED, ODD = 0, 3, 4
STEPS = ("open", "os.rename", "os.remove", "os.truncate", "os.link")
MOST_STEPS = 60


def in_a_process(prepare: Callable[[], None], work: Callable[[], object]) -> int:
    """Fork, prepare, work; return the exit code, or minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        code = ODD
        try:
            prepare()
            work()
            code = WROTE
        except OutputError as error:
            code = REFUSED if str(error).strip() else ODD
        except BaseException:  # noqa: BLE001 - told by the exit code
            code = ODD
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def at_step(folder: Path, number: int, act: Callable[[], None]) -> Callable[[], None]:
    """Return what makes the process act at a step that touches the folder."""

    def prepare() -> None:
        left = [number]

        def hook(event: str, args: tuple[object, ...]) -> None:
            if event in STEPS and str(args[0]).startswith(str(folder)):
                left[0] -= 1
                if left[0] == -1:
                    act()

        sys.addaudithook(hook)

    return prepare


def kill() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def fail_with(number: int) -> Callable[[], None]:
    def fail() -> None:
        raise OSError(number, os.strerror(number))

    return fail


def limit_files(size: int, *, is_killed: bool) -> Callable[[], None]:
    def prepare() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL if is_killed else signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    return prepare


@contextlib.contextmanager
def files_end_at(size: int) -> Iterator[None]:
    """Let no file grow beyond a size, as on a full disk."""
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)
