"""A writer that is stopped anywhere leaves the old file or the new one: never half of one.

Each case runs in a process of its own, which is killed (SIGKILL), or told by the system that it
cannot go on, at one step after the other.
"""

from __future__ import annotations

import errno
import signal
import sys
from pathlib import Path

import pytest

from tests.fuzz.stopping import (
    MOST_STEPS,
    REFUSED,
    WROTE,
    at_step,
    fail_with,
    in_a_process,
    kill,
    limit_files,
)
from tests.fuzz.writers import WRITERS, contents, leftovers, said_by, sizes_to_stop_at

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="forks, and limits sizes of files"),
    pytest.mark.filterwarnings("ignore"),
]


def begin(name: str, folder: Path) -> Path:
    path = folder / WRITERS[name].file
    WRITERS[name].write(path, 0)
    return path


@pytest.mark.parametrize("name", WRITERS)
def test_killed_at_any_step_a_writer_leaves_the_old_or_the_new(name, tmp_path):
    old, new = contents(name)
    assert old != new
    path, write = begin(name, tmp_path), WRITERS[name].write
    for step in range(MOST_STEPS):
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
    path, write = begin(name, tmp_path), WRITERS[name].write
    for step in range(MOST_STEPS):
        code = in_a_process(at_step(tmp_path, step, fail_with(reason)), lambda: write(path, 1))
        assert code in (WROTE, REFUSED), f"step {step}"
        held = said_by(name, path)
        assert held == (new if code == WROTE else old) or held == new, f"step {step}"
        if code == WROTE and held == new and not leftovers(name, path):
            break
        [other.unlink() for other in tmp_path.iterdir() if other != path]
        write(path, 0)


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("is_killed", [True, False])
def test_a_disk_that_is_full_leaves_the_old(name, is_killed, tmp_path):
    old, _ = contents(name)
    path, write = begin(name, tmp_path), WRITERS[name].write
    for size in sizes_to_stop_at(name):
        code = in_a_process(limit_files(size, is_killed=is_killed), lambda: write(path, 1))
        assert code == (-signal.SIGXFSZ if is_killed else REFUSED), f"{size} bytes"
        assert said_by(name, path) == old
        assert is_killed or not leftovers(name, path)
        [other.unlink() for other in tmp_path.iterdir() if other != path]
