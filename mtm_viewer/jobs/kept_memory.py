"""Bounds on memory that libraries keep for later: pools of threads, programs for products."""

from __future__ import annotations

import ctypes
import os
import sys

MOST_ARENAS = 2
MOST_PRODUCTS = 64
_PRODUCTS = ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY")
"""What oneDNN and PyTorch read when they meet their first product."""
_M_ARENA_MAX = -8
"""The name of that setting in glibc's `malloc.h`."""


def keep_little() -> None:
    """Set all bounds; to be called before threads begin and PyTorch computes."""
    share_arenas()
    limit_products()


def limit_products(most: int = MOST_PRODUCTS) -> None:
    """Let programs of a few products of matrices be kept, unless the environment says how many.

    oneDNN writes a program for every shape that it meets, and it and PyTorch keep a thousand each:
    with 600 shapes memory grew by half a gigabyte, bounded to 64 by 64 MB. To write one anew takes
    a few tenths of a millisecond.

    Parameters
    ----------
    most : int
        How many there may be.

    References
    ----------
    oneDNN Developer Guide, "Primitive Cache".
    """
    for name in _PRODUCTS:
        os.environ.setdefault(name, str(most))


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
