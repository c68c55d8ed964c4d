from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import pytest

_LINES = pytest.StashKey[list[str]]()


@pytest.fixture
def measured(request: pytest.FixtureRequest):
    """Note a duration beside its budget; the table is printed at the end, without a verdict."""
    lines = request.config.stash.setdefault(_LINES, [])

    def note(what: str, seconds: float, budget_s: float | None = None) -> None:
        budget = "" if budget_s is None else f"budget {_time(budget_s)}"
        over = "" if budget_s is None or seconds <= budget_s else "  OVER"
        lines.append(f"{what:<68}{_time(seconds):>10}   {budget}{over}")

    return note


@pytest.fixture
def median_s():
    """Time some work: the median of a few runs after one to warm up."""

    def measure(work: Callable[[], object], runs: int = 5) -> float:
        work()
        seconds = []
        for _ in range(runs):
            start = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - start)
        return statistics.median(seconds)

    return measure


def pytest_terminal_summary(terminalreporter) -> None:
    lines = terminalreporter.config.stash.get(_LINES, [])
    if lines:
        terminalreporter.section("measured here, now")
    for line in lines:
        terminalreporter.write_line(line)


def _time(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms" if seconds < 1 else f"{seconds:.2f} s"
