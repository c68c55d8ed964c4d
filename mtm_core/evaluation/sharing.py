"""Work of an evaluation that several processes share out among them.

Each predicts the trials, or fits the baselines, that are its own; what they found is added up, so
that all of them know everything and score alike. `training.distributed` knows such processes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class Crew(Protocol):
    """Processes that work together, as `training.distributed.Team` describes them."""

    rank: int
    size: int

    def add_up(self, values: Tensor) -> Tensor:
        """Return the sum over processes."""


class _Alone:
    rank, size = 0, 1

    def add_up(self, values: Tensor) -> Tensor:
        """Return what is there."""
        return values


ALONE: Crew = _Alone()
"""One process, which has nobody to share with."""


def own_rows(n_rows: int, crew: Crew) -> NDArray[np.int64]:
    """Return which of some rows this process works on: every one whose turn it is.

    Examples
    --------
    >>> own_rows(3, ALONE).tolist()
    [0, 1, 2]
    """
    return np.arange(crew.rank, n_rows, crew.size)


def gather(
    found: NDArray[np.float32], own: NDArray[np.int64], n_rows: int, crew: Crew
) -> NDArray[np.float32]:
    """Return an array whole, of which each process has some rows.

    Parameters
    ----------
    found : ndarray of float32, shape (n_own, ...)
        What this process has.
    own : ndarray of int64, shape (n_own,)
        Which rows these are; no other process has them.
    n_rows : int
        How many rows there are.
    crew : Crew
        The processes.
    """
    if crew.size == 1:
        return found
    whole = np.zeros((n_rows, *found.shape[1:]), dtype=np.float32)
    whole[own] = found
    summed: NDArray[np.float32] = crew.add_up(torch.from_numpy(whole)).numpy()
    return summed


def for_all(on_progress: Callable[[int], None], n_own: int, n_all: int) -> Callable[[int], None]:
    """Return what is told of a process's own work and tells of that of all, in proportion.

    Parameters
    ----------
    on_progress : callable
        Told how much more of all work is done.
    n_own, n_all : int
        Amount of the process's own work and of all.

    Examples
    --------
    >>> said = []
    >>> tell = for_all(said.append, 3, 7)
    >>> for _ in range(3):
    ...     tell(1)
    >>> said
    [2, 2, 3]
    """
    done, told = 0, 0

    def tell(n_more: int) -> None:
        nonlocal done, told
        done += n_more
        now = done * n_all // n_own
        on_progress(now - told)
        told = now

    return tell
