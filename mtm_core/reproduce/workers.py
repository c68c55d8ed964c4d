"""Pieces of work done here one after another, or by processes of their own."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_Piece = TypeVar("_Piece")


def compute_all(
    work: Callable[[_Piece], str | None],
    pieces: Sequence[_Piece],
    *,
    workers: int,
    threads: int,
) -> Iterator[tuple[_Piece, str | None]]:
    """Do all pieces of work; yield each when it is done, with what `work` said of it.

    Parameters
    ----------
    work : callable
        Does a piece; must be a function that other processes can import, and may return a
        sentence about what went wrong.
    pieces : sequence
        What to do.
    workers : int
        Pieces at the same time; with 1 all is done here.
    threads : int
        Threads of each process.
    """
    if workers == 1:
        for piece in pieces:
            yield piece, work(piece)
        return
    others = set(multiprocessing.active_children())
    context = multiprocessing.get_context("spawn")
    with (
        _threads_of_children(threads),
        ProcessPoolExecutor(workers, mp_context=context) as pool,
    ):
        futures = {pool.submit(work, piece): piece for piece in pieces}
        try:
            for future in as_completed(futures):
                try:
                    said = future.result()
                except BrokenProcessPool:
                    said = "a worker process ended: out of memory? Try fewer --workers."
                yield futures[future], said
        except BaseException:  # cells are written whole, so that their makers may be cut off
            for process in set(multiprocessing.active_children()) - others:
                process.terminate()
            pool.shutdown(wait=True, cancel_futures=True)
            raise


@contextlib.contextmanager
def _threads_of_children(threads: int) -> Iterator[None]:
    """Let processes that begin inside the block compute with this many threads."""
    before = {name: os.environ.get(name) for name in _THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(_THREAD_VARIABLES, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
