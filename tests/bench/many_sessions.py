"""Memory and data wait of training on many sessions of the paper's shape, mapped from the disk.

``python -m tests.bench.many_sessions 5 30 --steps 40`` trains once for each number of sessions, in
a process of its own, on random counts (simulated: 600 trials, 100 bins, 670 units), and prints
what each needed. ``--store memory`` is the other way, ``--width 512`` a step of the paper's size.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import re
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from mtm_core import config_io
from mtm_core.config import TrainConfig
from mtm_core.data.session import Session
from mtm_core.data.table import Column, Table
from mtm_core.training.events import RunFinished, StepDone
from mtm_core.training.loop import train
from tests.core.sessions import make_session

SHAPE = {"n_trials": 600, "n_bins": 100, "n_units": 670}
MB = 1e6
PAPER_WIDTH = 512


def random_sessions(n: int, n_trials: int = SHAPE["n_trials"]) -> Iterator[Session]:
    """Make sessions one by one; their counts are noise of three spikes in a hundred bins."""
    plain = make_session(**SHAPE | {"n_trials": n_trials}, regions=[f"R{i}" for i in range(10)])
    for place in range(n):
        rng = np.random.default_rng(place)
        counts = (rng.integers(0, 256, plain.counts.shape, dtype=np.uint8) < 8).view(np.uint8)
        ids = Column.full(np.array([f"{place}/{row}" for row in range(plain.n_units)]))
        units = Table({**plain.units.columns, "unit_id": ids})
        yield replace(plain, session_id=f"simulated-{place}", counts=counts, units=units)


def settings(store: str, steps: int, width: int, folder: Path) -> TrainConfig:
    """Return settings of a run on them: the preset for many sessions, without vectors of units."""
    changes = {
        "model.unit_vectors": "false",
        "model.width": str(width),
        "model.unit_width": str(width),
        "model.layers": "5" if width == PAPER_WIDTH else "2",
        "model.heads": "8" if width == PAPER_WIDTH else "4",
        "model.mlp_width": str(2 * width),
        "optim.steps": str(steps),
        "optim.batch_size": "16",
        "optim.session_draw": "equal",
        "data.val_fraction": "0.02",
        "run.validate_every": str(steps),
        "run.checkpoint_every": str(steps),
        "run.threads": "1",
        "run.device": "cpu",
        "run.store": store,
        "run.store_dir": str(folder / "counts"),
    }
    return config_io.apply_overrides(config_io.load_preset("multi"), changes.items())


def memory_of_process() -> dict[str, float]:
    """Return what this process holds, in MB: all, that of its own, mapped from files, the most."""
    ctypes.CDLL(None).malloc_trim(0)
    text = Path("/proc/self/status").read_text()
    return {
        name: int(re.search(rf"{key}:\s+(\d+) kB", text)[1]) * 1024 / MB
        for name, key in (
            ("all", "VmRSS"),
            ("own", "RssAnon"),
            ("mapped", "RssFile"),
            ("most", "VmHWM"),
        )
    }


def measure(
    n_sessions: int,
    store: str,
    steps: int,
    width: int,
    folder: Path,
    n_trials: int = SHAPE["n_trials"],
) -> dict[str, object]:
    """Train once, and return memory at the end and the median wait and length of a step."""
    config, sessions = settings(store, steps, width, folder), random_sessions(n_sessions, n_trials)
    events, made = train(config, sessions, folder / f"run-{n_sessions}"), []
    for event in events:
        made += [event] if isinstance(event, StepDone) else []
        if isinstance(event, RunFinished):
            break
    memory = memory_of_process()
    events.close()
    lengths = np.diff([step.seconds for step in made[:-1]])  # the last one validates too
    waits = [step.data_seconds for step in made[1:-1]]
    return {
        "sessions": n_sessions,
        "memory_mb": memory,
        "step_ms": 1e3 * statistics.median(lengths),
        "wait_ms": 1e3 * statistics.median(waits),
        "wait_share": sum(waits) / float(lengths.sum()),
    }


def measure_apart(
    n_sessions: int,
    store: str,
    steps: int,
    width: int,
    folder: Path,
    n_trials: int = SHAPE["n_trials"],
) -> dict[str, object]:
    """Do the same in a fresh process."""
    words = [sys.executable, "-m", "tests.bench.many_sessions", str(n_sessions), "--here"]
    words += ["--store", store, "--steps", str(steps), "--folder", str(folder)]
    words += ["--width", str(width), "--trials", str(n_trials)]
    done = subprocess.run(words, check=True, capture_output=True, text=True)
    found: dict[str, object] = json.loads(done.stdout)
    return found


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sessions", type=int, nargs="+")
    parser.add_argument("--store", choices=["mapped", "memory"], default="mapped")
    parser.add_argument("--steps", type=int, default=40)
    parser.add_argument("--width", type=int, default=64)
    parser.add_argument("--trials", type=int, default=SHAPE["n_trials"])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--here", action="store_true", help="in this process")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = args.folder or Path(temporary)
        for n in args.sessions:
            work = measure if args.here else measure_apart
            print(
                json.dumps(work(n, args.store, args.steps, args.width, folder, args.trials)),
                flush=True,
            )


if __name__ == "__main__":
    main()
