"""Timing of short work, for choosing the faster of two ways."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

MIN_GAIN = 1.1
"""A choice must be this much faster than the plain one to be preferred to it."""
MAX_RELATIVE_ERROR = 1e-5
"""A way whose results differ by more than this from the plain one's is another computation."""


def median_s(work: Callable[[], object], deadline: float, most: int = 9) -> float:
    """Return the median of timings: how long some work takes with the machine as it is now.

    Parameters
    ----------
    work : callable
        What is timed, after a run to warm up.
    deadline : float
        By `time.perf_counter`; once it has come, one timing has to do.
    most : int
        Timings where there is time enough.

    Returns
    -------
    float
        In seconds.
    """
    return statistics.median(_timings(work, deadline, most))


def best_s(work: Callable[[], object], deadline: float, most: int = 9) -> float:
    """Return the shortest of timings: how long it takes when nothing else interrupts it.

    Arguments and result are those of `median_s`.
    """
    return min(_timings(work, deadline, most))


def _timings(work: Callable[[], object], deadline: float, most: int) -> list[float]:
    work()
    seconds: list[float] = []
    while len(seconds) < most and (len(seconds) < 1 or time.perf_counter() < deadline):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return seconds
