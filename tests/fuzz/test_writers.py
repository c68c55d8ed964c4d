"""A writer that is stopped anywhere leaves the old file or the new one: never half of one.

Each case runs in a process of its own, which is killed (SIGKILL), or told by the system that it
cannot go on, at one step after the other.
"""

from __future__ import annotations

import errno
import os
import resource
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mtm_core.errors import OutputError
from tests.fuzz.writers import WRITERS, contents, said_by, sizes_to_stop_at

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="forks, and limits sizes of files"),
    pytest.mark.filterwarnings("ignore"),
]
WROTE, REFUSED, ODD = 0, 3, 4
_STEPS = ("open", "os.rename", "os.remove", "os.truncate", "os.link")
_MOST_STEPS = 60


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
            if event in _STEPS and str(args[0]).startswith(str(folder)):
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


def begin(name: str, folder: Path) -> Path:
    path = folder / WRITERS[name][0]
    WRITERS[name][1](path, 0)
    return path


@pytest.mark.parametrize("name", WRITERS)
def test_killed_at_any_step_a_writer_leaves_the_old_or_the_new(name, tmp_path):
    old, new = contents(name)
    assert old != new
    path, write = begin(name, tmp_path), WRITERS[name][1]
    for step in range(_MOST_STEPS):
        code = in_a_process(at_step(tmp_path, step, kill), lambda: write(path, 1))
        assert said_by(name, path) in (old, new), f"step {step}"
        if code == WROTE:
            break
        assert code == -signal.SIGKILL
        write(path, 0)
    else:
        pytest.fail("it has too many steps")
    assert step > 2
    assert said_by(name, path) == new


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("reason", [errno.ENOSPC, errno.EACCES, errno.EIO])
def test_refused_at_any_step_it_says_so_and_leaves_nothing_behind(name, reason, tmp_path):
    old, new = contents(name)
    path, write = begin(name, tmp_path), WRITERS[name][1]
    for step in range(_MOST_STEPS):
        code = in_a_process(at_step(tmp_path, step, fail_with(reason)), lambda: write(path, 1))
        assert code in (WROTE, REFUSED), f"step {step}"
        held = said_by(name, path)
        assert held == (new if code == WROTE else old) or held == new, f"step {step}"
        if code == WROTE and held == new:
            left = [other for other in tmp_path.iterdir() if other != path]
            if not left:
                break
        [other.unlink() for other in tmp_path.iterdir() if other != path]
        write(path, 0)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("is_killed", [True, False])
def test_a_disk_that_is_full_leaves_the_old(name, is_killed, tmp_path):
    old, _ = contents(name)
    path, write = begin(name, tmp_path), WRITERS[name][1]
    for size in sizes_to_stop_at(name):
        code = in_a_process(limit_files(size, is_killed=is_killed), lambda: write(path, 1))
        assert code == (-signal.SIGXFSZ if is_killed else REFUSED), f"{size} bytes"
        assert said_by(name, path) == old
        left = [other for other in tmp_path.iterdir() if other != path]
        assert is_killed or not left
        [other.unlink() for other in left]
