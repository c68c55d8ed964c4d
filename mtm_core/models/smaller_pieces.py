"""Work that is cut into smaller pieces where memory runs out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from mtm_core.errors import MemoryLimitError

logger = logging.getLogger(__name__)
_WORDS = ("out of memory", "can't allocate memory", "not enough memory")
"""What devices that have no error class of their own say."""


class SmallerPieces:
    """Does work on rows of a tensor; halves the rows at once when memory runs out.

    What was learnt is kept: later work starts with pieces that fitted.

    Attributes
    ----------
    limit : int or None
        Most rows at once; None as long as memory has sufficed.
    """

    def __init__(self) -> None:
        self.limit: int | None = None

    def run(self, work: Callable[[Tensor], Tensor], rows: Tensor, dim: int = 0) -> Tensor:
        """Return what work makes of all rows, joined along `dim`.

        Parameters
        ----------
        work : callable
            From some rows to their answers; the same for each row whatever the others are.
        rows : Tensor, shape (n_rows, ...)
            At least one.
        dim : int
            Along which answers of several pieces are joined.

        Raises
        ------
        MemoryLimitError
            If memory does not suffice for one row.
        """
        done: list[Tensor] = []
        start = 0
        while start < len(rows):
            piece = rows[start : start + (self.limit or len(rows))]
            answer = self._try(work, piece)
            if answer is not None:
                done.append(answer)
                start += len(piece)
        return done[0] if len(done) == 1 else torch.cat(done, dim)

    def cut(self, n_rows: int) -> Iterator[slice]:
        """Cut so many rows into pieces of no more than what has fitted."""
        size = self.limit or n_rows
        for start in range(0, n_rows, size):
            yield slice(start, min(start + size, n_rows))

    def _try(self, work: Callable[[Tensor], Tensor], piece: Tensor) -> Tensor | None:
        """Return the answer, or None after having halved the limit."""
        try:
            return work(piece)
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            if len(piece) == 1:
                msg = (
                    f"The memory of {piece.device} does not suffice for the smallest piece of "
                    "work. End other programs that use it, or compute elsewhere (--device cpu)."
                )
                raise MemoryLimitError(msg) from error
        self.limit = len(piece) // 2  # outside of the handler, which holds what was in use
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        logger.warning("memory ran out on %s: pieces of %d from now on", piece.device, self.limit)
        return None


def is_out_of_memory(error: RuntimeError) -> bool:
    """Tell whether an error of PyTorch says that memory ran out.

    Examples
    --------
    >>> is_out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory: ..."))
    True
    >>> is_out_of_memory(RuntimeError("shapes do not fit"))
    False
    """
    said = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError) or any(words in said for words in _WORDS)
