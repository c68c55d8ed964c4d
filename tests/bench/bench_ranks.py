from __future__ import annotations

import os

import pytest

from tests.bench.ranks import WIDTH, measure_together

STEPS = 12


@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="two processes need two cores")
@pytest.mark.parametrize(
    ("sessions_per_step", "words"),
    [(1, "a batch of 16 trials shared out"), (2, "a session of 16 trials for each")],
)
def bench_two_processes(table, sessions_per_step, words):
    """By the clock: other programs on this machine get in the way of two more than of one."""
    alone, both = (measure_together(size, STEPS, sessions_per_step)["step_s"] for size in (1, 2))
    what = f"training step (width {WIDTH}), {words}"
    table.seconds(f"{what}, 1 process of 1 thread", alone)
    table.seconds("  2 processes of 1 thread (gloo)", both)
    table.ratio("  how many times faster", alone / both, least=1.5)
