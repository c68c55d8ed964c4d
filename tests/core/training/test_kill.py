from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mtm_core.models.checkpoint import load_checkpoint
from mtm_core.training.run_folder import RunFolder
from tests.core.training.runs import assert_same_bits

ROOT = Path(__file__).parents[3]
N_KILLS = 8

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture(scope="module")
def nursery():
    """Start the process that forks training processes."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.core.training.nursery"],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},  # a fork keeps one thread only
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout.readline() == "ready\n"
        yield process
        process.stdin.close()


def train_in_child(nursery, run_dir, kill_after_s=-1.0):
    nursery.stdin.write(f"{kill_after_s} {run_dir}\n")
    nursery.stdin.flush()
    return int(nursery.stdout.readline())


def test_a_run_killed_at_any_moment_is_loadable_and_resumes_to_the_same_bits(nursery, tmp_path):
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    began = time.monotonic()
    assert train_in_child(nursery, whole) == 0
    duration = time.monotonic() - began

    steps = []
    for _ in range(N_KILLS):
        code = train_in_child(nursery, broken, random.uniform(0.1, 0.5) * duration)
        assert code in (0, -signal.SIGKILL)
        steps.append(saved_step(broken))
    assert train_in_child(nursery, broken) == 0
    assert steps == sorted(steps)
    assert_same_bits(whole, broken)
    assert not list(broken.glob(".*"))


def saved_step(run_dir):
    """Return the step of the newest checkpoint, which must be whole; -1 where there is none."""
    folder = RunFolder(run_dir)
    if not folder.model_path.exists():
        return -1
    load_checkpoint(folder.model_path)
    return folder.states.load().progress.step
