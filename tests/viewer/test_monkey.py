"""Random commands, clicks, keys and drags do no harm; `tests/gui/monkey.py` does ten thousand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.gui, pytest.mark.slow]
ROOT = Path(__file__).parents[2]
STEPS, WARM_UP = 1600, 400
SESSIONS = ("steinmetz2019_s12", "steinmetz2019_s17")
PATIENCE_S = 900


def test_a_monkey_finds_no_fault_and_leaves_nothing_behind():
    """Two thousand deeds in a process of their own; memory is judged by longer runs."""
    words = ["--steps", STEPS, "--warm-up", WARM_UP, "--seed", 1, "--any-memory"]
    words += ["--sessions", *SESSIONS]
    done = subprocess.run(
        [sys.executable, "-m", "tests.gui.monkey", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{STEPS} steps in" in done.stdout
