from __future__ import annotations

import pytest

from mtm_core.models import stopwatch
from mtm_core.models.stopwatch import best_s, median_s


@pytest.fixture
def clock(monkeypatch):
    """Let work take 1, 9, 2 seconds in turn, after 5 to warm up."""
    now = 0.0
    durations = iter([5.0, 1.0, 9.0, 2.0, 2.0, 2.0])
    monkeypatch.setattr(stopwatch.time, "perf_counter", lambda: now)

    def work():
        nonlocal now
        now += next(durations)

    return work


def test_the_median_is_of_the_timings_after_the_first_run(clock):
    assert median_s(clock, 100.0, most=3) == 2.0


def test_the_best_is_the_one_without_interruption(clock):
    assert best_s(clock, 100.0, most=3) == 1.0


def test_after_the_deadline_one_timing_has_to_do(clock):
    assert median_s(clock, 4.0) == 1.0


def test_timing_ends_at_the_deadline(clock):
    seconds = []

    def work():
        seconds.append(clock())

    best_s(work, 6.5)
    assert len(seconds) == 3  # to warm up, and until 5 + 1 + 9 s
