from __future__ import annotations

from tests.bench.many_sessions import SHAPE, measure_apart

N_SESSIONS = (1, 10, 100)
N_TRIALS = 150
"""Of each session where there are a hundred: they are written to the disk first."""


def bench_data_wait(measured, tmp_path):
    found = measure_apart(8, "mapped", 30, 64, tmp_path)
    budget_s = 0.01 * found["step_ms"] / 1e3
    what = "wait for the counts of a step, 8 mapped sessions of 600 x 100 x 670: median"
    measured(what, found["wait_ms"] / 1e3, budget_s)
    measured("  the mean", found["wait_share"] * found["step_ms"] / 1e3, budget_s)


def bench_number_of_sessions(table, tmp_path):
    """What training needs with more and more sessions, each read from a mapped file."""
    found = {n: measure_apart(n, "mapped", 24, 64, tmp_path, N_TRIALS) for n in N_SESSIONS}
    few, many = found[N_SESSIONS[0]], found[N_SESSIONS[-1]]
    shape = f"simulated sessions of {N_TRIALS} x 100 x 670, mapped"
    for n, each in found.items():
        table.seconds(f"training step, {n} {shape}", each["step_ms"] / 1e3)
        table.number("  memory of its own at the end", each["memory_mb"]["own"], "MB")
    grown = many["memory_mb"]["own"] - few["memory_mb"]["own"]
    per_session = grown / (N_SESSIONS[-1] - N_SESSIONS[0])
    counts_mb = SHAPE["n_trials"] * SHAPE["n_bins"] * SHAPE["n_units"] / 1e6
    what = "memory that each further session adds (its layers), of its counts at 600 trials"
    table.share(what, per_session / counts_mb, most=0.10)
