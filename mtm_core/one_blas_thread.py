"""Classical fits make NumPy's products on one thread, however many there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from threadpoolctl import threadpool_limits

_P = ParamSpec("_P")
_R = TypeVar("_R")


def on_one_blas_thread(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """Let BLAS use one thread while a function runs.

    Products of classical fits are small, and OpenBLAS's threads wait for each other at full speed:
    beside four programs on two cores the regression of one mask took 18 to 107 s on two threads
    and 6 to 7 s on one, on an idle machine 2.8 and 3.6 s (``resources/results/bench.md``). The
    number of threads changes the last bits of a product: without this a fit would depend on how
    many there are.

    The bound holds for the whole process. A program that fits in several threads at the same time
    sets it for good: see `use_one_blas_thread`.
    """
    bounded: Callable[_P, _R] = threadpool_limits.wrap(limits=1, user_api="blas")(function)
    return bounded


def use_one_blas_thread() -> None:
    """Let BLAS use one thread from now on; to be called by programs, not by their libraries."""
    threadpool_limits(1, user_api="blas")
