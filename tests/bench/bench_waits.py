"""Threads that share a product beside busy programs: as OpenMP lets them wait, and as we do."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys

from tests.bench.window_clock import busy_cores

N_THREADS, N_TURNS = 2, 5
USUAL = {"GOMP_SPINCOUNT": "300000", "KMP_BLOCKTIME": "200"}
"""What OpenMP does if nobody says otherwise."""
PROGRAM = f"""
import time
import mtm_core
from mtm_core.models.backend import _step_at
step = _step_at({N_THREADS})
step()
started = time.perf_counter()
for _ in range(60):
    step()
print((time.perf_counter() - started) / 60)
"""


def step_s(**environment: str) -> float:
    """Return how long a small step takes in a program of its own."""
    wait = {"GOMP_SPINCOUNT", "KMP_BLOCKTIME", "OMP_WAIT_POLICY", "OMP_NUM_THREADS"}
    others = {name: value for name, value in os.environ.items() if name not in wait}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=others | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout)


def bench_waits_beside_busy_cores(table):
    with busy_cores():
        usual, ours = zip(*((step_s(**USUAL), step_s()) for _ in range(N_TURNS)), strict=True)
    gain = statistics.median(usual) / statistics.median(ours)
    table.ratio("a small step by two threads, cores kept busy, OpenMP's waits over ours", gain)
