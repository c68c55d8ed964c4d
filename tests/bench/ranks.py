"""Steps of a run that several processes make together, timed by the clock.

``python -m tests.bench.ranks 2 --steps 12`` starts two processes by torchrun, gloo between them,
and prints the median length of a step; ``--sessions-per-step 2`` gives each a session of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from mtm_core import config_io
from mtm_core.training.distributed import join_team
from mtm_core.training.events import StepDone
from mtm_core.training.loop import train
from tests.bench.many_sessions import random_sessions, settings

WIDTH = 256
N_TRIALS = 150


def measure(steps: int, sessions_per_step: int, folder: Path) -> dict[str, float] | None:
    """Train as one of the processes; the first returns the median length of a step."""
    changes = [("optim.sessions_per_step", str(sessions_per_step))]
    config = config_io.apply_overrides(settings("memory", steps, WIDTH, folder), changes)
    with join_team("cpu") as team:
        sessions = random_sessions(2, N_TRIALS)
        made = [
            event.seconds
            for event in train(config, sessions, folder / "run", team=team)
            if isinstance(event, StepDone)
        ]
        lengths = np.diff(made[1:-1])  # the first warms up, the last validates
        return {"step_s": statistics.median(lengths)} if team.is_first else None


def measure_together(size: int, steps: int, sessions_per_step: int) -> dict[str, float]:
    """Do so in as many processes, each with one thread."""
    words = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    words += ["--nproc-per-node", str(size), "-m", "tests.bench.ranks", "--here"]
    words += ["--steps", str(steps), "--sessions-per-step", str(sessions_per_step)]
    more = {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [*words, "--folder", folder],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, **more},
        )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("size", type=int, nargs="?", default=2)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--sessions-per-step", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--here", action="store_true", help="as one of the processes")
    args = parser.parse_args()
    if args.here:
        found = measure(args.steps, args.sessions_per_step, args.folder)
    else:
        found = measure_together(args.size, args.steps, args.sessions_per_step)
    if found is not None:
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main()
