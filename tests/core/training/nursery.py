"""Start training processes quickly: import once, fork for each run (see test_kill.py).

Reads lines from standard input: after how many seconds to kill, and the folder to train in.
Answers each with the exit code of the child that trained there, -9 if it was killed.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from pathlib import Path

from mtm_core.models.backend import probe_backend
from mtm_core.training.loop import train
from mtm_core.training.setup import prepare
from tests.core.training.runs import tiny_config, tiny_session

CHECKPOINT_EVERY = 3
CHANGES = {
    "optim__steps": "18",
    "run__validate_every": "2",
    "run__checkpoint_every": str(CHECKPOINT_EVERY),
}


def child(run_dir: Path) -> None:
    """Train to the end, or until killed."""
    signal.alarm(60)  # so that a child that hangs fails the test
    code = 1
    try:
        for _ in train(tiny_config(**CHANGES), [tiny_session()], run_dir, resume=True):
            pass
        code = 0
    finally:
        if code:
            traceback.print_exc()
        os._exit(code)


def main() -> None:
    """Serve until the input ends."""
    # Before the forks: all children must compute alike, and what torch imports late is there.
    prepare(tiny_config(), [tiny_session()], probe_backend("cpu", 1))
    print("ready", flush=True)
    for line in sys.stdin:
        seconds, _, run_dir = line.rstrip("\n").partition(" ")
        process = os.fork()
        if process == 0:
            child(Path(run_dir))
        if float(seconds) >= 0:
            time.sleep(float(seconds))
            os.kill(process, signal.SIGKILL)  # not yet waited for: the number is still its own
        _, status = os.waitpid(process, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
