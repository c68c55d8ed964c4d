"""Kill training processes at random moments, many times, and see that nothing is lost.

``python -m tests.bench.kill_loop --rounds 50`` trains a tiny simulated session once undisturbed,
then kills (SIGKILL) and resumes until so many processes were killed. Whenever a run reaches its
end it is compared with the undisturbed one, bit for bit, and another begins. Each kill may cost
one checkpoint interval of steps at most.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from mtm_core.training.events import StepDone
from mtm_core.training.run_folder import RunFolder
from tests.core.training.nursery import CHECKPOINT_EVERY
from tests.core.training.runs import assert_same_bits
from tests.core.training.test_kill import saved_step, train_in_child

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50, help="processes to kill")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    args = parser.parse_args()
    words = [sys.executable, "-m", "tests.core.training.nursery"]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        words, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process, tempfile.TemporaryDirectory() as folder:
        if process.stdout.readline() != "ready\n":
            sys.exit("The process that forks the others did not start.")
        print(kill_and_compare(process, Path(folder), args.rounds, random.Random(args.seed)))
        process.stdin.close()


def kill_and_compare(
    nursery: subprocess.Popen[str], folder: Path, n_rounds: int, rng: random.Random
) -> str:
    """Kill so many processes; return what was seen. An AssertionError tells of a loss."""
    began = time.monotonic()
    assert train_in_child(nursery, folder / "whole") == 0
    duration = time.monotonic() - began
    killed_at: Counter[int] = Counter()
    n_killed, n_runs, most_lost = 0, 0, 0
    while n_killed < n_rounds:
        run_dir = folder / f"broken-{n_runs}"
        before = saved_step(run_dir)
        code = train_in_child(nursery, run_dir, rng.uniform(0.02, 0.6) * duration)
        if code == 0:
            assert_same_bits(folder / "whole", run_dir)
            n_runs += 1
            continue
        assert code == -signal.SIGKILL, f"a process ended with {code}"
        step = saved_step(run_dir)
        assert step >= before, f"step {before} was saved, and after a kill only {step}"
        most_lost = max(most_lost, last_step(run_dir) - max(step, 0))
        killed_at[step] += 1
        n_killed += 1
    assert train_in_child(nursery, folder / f"broken-{n_runs}") == 0
    assert_same_bits(folder / "whole", folder / f"broken-{n_runs}")
    assert most_lost <= CHECKPOINT_EVERY
    steps = ", ".join(f"{step}: {n}" for step, n in sorted(killed_at.items()))
    return (
        f"{n_killed} processes killed over {n_runs + 1} runs, all of which ended in the bits of "
        f"the undisturbed one. Kills by the step that was saved (-1: none yet): {steps}. Most "
        f"steps lost by a kill: {most_lost} (a checkpoint every {CHECKPOINT_EVERY})."
    )


def last_step(run_dir: Path) -> int:
    """Return the last step that a run has written down."""
    try:
        steps = [e.step for e in RunFolder(run_dir).events.read() if isinstance(e, StepDone)]
    except OSError:
        return 0
    return max(steps, default=0)


if __name__ == "__main__":
    main()
