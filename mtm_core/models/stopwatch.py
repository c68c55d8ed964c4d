"""Timing of short work, for choosing the faster of two ways."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

MIN_GAIN = 1.1
"""A choice must be this much faster than the plain one to be preferred to it."""


def median_s(work: Callable[[], object], deadline: float, most: int = 9) -> float:
    """Time some work after a run to warm up; fewer times when the deadline has come.

    Parameters
    ----------
    work : callable
        What is timed.
    deadline : float
        By `time.perf_counter`; once it has come, one timing has to do.
    most : int
        Timings where there is time enough.

    Returns
    -------
    float
        Median, in seconds.
    """
    work()
    seconds: list[float] = []
    while len(seconds) < most and (len(seconds) < 1 or time.perf_counter() < deadline):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)
