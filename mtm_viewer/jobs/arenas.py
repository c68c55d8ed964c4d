"""Memory that one thread has freed serves the others, too."""

from __future__ import annotations

import ctypes
import sys

MOST_ARENAS = 2
_M_ARENA_MAX = -8
"""The name of that setting in glibc's `malloc.h`."""


def share_arenas(most: int = MOST_ARENAS) -> bool:
    """Let all threads take memory from a few common pools; tell whether the system knows such.

    glibc gives each thread a pool (arena) of its own, up to eight for each core, and what is free
    in one serves no other: a window with a dozen threads would come to hold the most that each of
    them ever needed. Other systems do without. To be called before threads begin.

    Parameters
    ----------
    most : int
        How many pools there may be.

    References
    ----------
    The GNU C Library, manual, "Malloc Tunable Parameters": ``M_ARENA_MAX``.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and mallopt(_M_ARENA_MAX, most) == 1
