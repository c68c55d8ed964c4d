"""Cells that several processes compute in one folder, none of them twice.

A process claims a cell before it computes it (`shared_folder.Claim`), and leaves one that another
holds until later. The claim of a process that was killed is free at once: whoever looks next goes
on with its training run. The processes may be workers of one call, calls of their own, or ranks
of `torchrun`; they need not know of each other.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from mtm_core.reproduce.workers import compute_all
from mtm_core.shared_folder import Claim

ELSEWHERE = "elsewhere"
"""Said of a cell that another process computes now."""
PATIENCE_S = 2.0
"""Pause before cells that others compute are looked at again."""


class Cell(Protocol):
    """A piece of a table."""

    @property
    def name(self) -> str:
        """What its file is called, without suffix."""


CellT = TypeVar("CellT", bound=Cell)


@dataclass(frozen=True, kw_only=True)
class Desk(Generic[CellT]):
    """Where cells are computed, and by what.

    Parameters
    ----------
    out : Path
        The folder that processes share.
    work : callable
        Computes a cell and writes its file; may return a sentence about what went wrong. Other
        processes must be able to import it.
    file_of : callable
        Returns the file of a cell.
    failure_of : callable or None
        Returns the file that says why a cell could not be computed; None if there are none.
    """

    out: Path
    work: Callable[[CellT], str | None]
    file_of: Callable[[CellT], Path]
    failure_of: Callable[[CellT], Path] | None = None

    def compute(self, cell: CellT) -> str | None:
        """Compute a cell unless another process does or did; tell what went wrong."""
        folder = self.out / "claims"
        folder.mkdir(parents=True, exist_ok=True)
        claim = Claim(folder / f"{cell.name}.lock")
        if not claim.take():
            return ELSEWHERE
        try:
            return None if self.file_of(cell).exists() else self.work(cell)
        finally:
            claim.release()

    def failure(self, cell: CellT) -> tuple[int, int] | None:
        """Return what tells one failure of a cell from another; None if it did not fail.

        Times are compared with each other alone, not with a clock: clocks are set, and that of a
        shared disk may be another one.
        """
        if self.failure_of is None:
            return None
        try:
            found = self.failure_of(cell).stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns


def compute_claimed(
    desk: Desk[CellT], cells: Sequence[CellT], *, workers: int, threads: int
) -> Iterator[tuple[CellT, str | None]]:
    """Compute all cells, here or elsewhere; yield each once it is there or has failed.

    Parameters
    ----------
    desk : Desk
        Where, and by what.
    cells : sequence
        What to compute.
    workers : int
        Cells that this process lets be computed at the same time.
    threads : int
        Threads of each.
    """
    left, before = list(cells), {cell.name: desk.failure(cell) for cell in cells}
    while left:
        todo, left = left, []
        for cell in todo:  # what others have done by now
            if desk.failure(cell) not in (None, before[cell.name]):
                yield cell, "it failed in another process."
            elif desk.file_of(cell).exists():
                yield cell, None
            else:
                left.append(cell)
        todo, left = left, []
        work = functools.partial(Desk.compute, desk)
        for cell, why in compute_all(work, todo, workers=workers, threads=threads):
            if why == ELSEWHERE:
                left.append(cell)
            else:
                yield cell, why
        if left and len(left) == len(todo):
            time.sleep(PATIENCE_S)
