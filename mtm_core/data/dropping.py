"""Leaving rows out for reasons, each row counted under the first reason that it meets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.preparation_report import Tally

Reason = tuple[str, NDArray[np.bool_]]
"""Words for a report, and the rows that it leaves out."""


@dataclass(frozen=True, eq=False)
class Choice:
    """Which rows are kept, and why the others are not.

    Parameters
    ----------
    is_kept : ndarray of bool, shape (n_rows,)
        The rows that no reason leaves out.
    dropped : tuple of (str, int)
        Reasons that left out any, with how many, largest first.
    """

    is_kept: NDArray[np.bool_]
    dropped: Tally


def choose(n_rows: int, reasons: Sequence[Reason]) -> Choice:
    """Keep the rows that no reason leaves out.

    Examples
    --------
    >>> slow, silent = np.array([True, True, False]), np.array([True, False, False])
    >>> choice = choose(3, [("silent", silent), ("slow", slow)])
    >>> choice.is_kept.tolist(), choice.dropped
    ([False, False, True], (('silent', 1), ('slow', 1)))
    """
    is_kept = np.ones(n_rows, dtype=bool)
    dropped: list[tuple[str, int]] = []
    for words, is_out in reasons:
        dropped.append((words, int((is_kept & is_out).sum())))
        is_kept &= ~is_out
    return Choice(is_kept, merge_tallies(dropped))


def merge_tallies(*tallies: Sequence[tuple[str, int]]) -> Tally:
    """Put tallies together by reason: largest first, reasons that took none left out."""
    total: dict[str, int] = {}
    for words, n in (entry for tally in tallies for entry in tally):
        total[words] = total.get(words, 0) + n
    return tuple(sorted((e for e in total.items() if e[1]), key=lambda entry: -entry[1]))
