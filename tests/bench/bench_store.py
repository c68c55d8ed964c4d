from __future__ import annotations

from tests.bench.many_sessions import measure_apart


def bench_data_wait(measured, tmp_path):
    found = measure_apart(8, "mapped", 30, 64, tmp_path)
    budget_s = 0.01 * found["step_ms"] / 1e3
    what = "wait for the counts of a step, 8 mapped sessions of 600 x 100 x 670"
    measured(what, found["wait_share"] * found["step_ms"] / 1e3, budget_s)
