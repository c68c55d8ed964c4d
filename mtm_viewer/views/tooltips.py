"""Texts under the pointer, broken into lines: Qt makes a long plain one as wide as the screen."""

from __future__ import annotations

import functools
import textwrap

_LETTERS = 84
"""Of a line, at most."""


@functools.lru_cache(maxsize=1024)
def tooltip(text: str) -> str:
    r"""Return a text whose lines can be read at a glance; breaks of its own are kept.

    The same texts are asked for with every click.

    Examples
    --------
    >>> tooltip("one\ntwo")
    'one\ntwo'
    >>> [len(line) for line in tooltip("four " * 20).splitlines()]
    [84, 14]
    """
    lines = text.split("\n")
    return "\n".join(textwrap.fill(line, _LETTERS) for line in lines)
