"""How the viewer calls `mtm-core` in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Sequence

CORE_FLAG = "--mtm-core"
"""As its first word this turns `mtm-viewer` into `mtm-core`."""


def core_command(words: Sequence[str]) -> list[str]:
    """Return the command line that runs ``mtm-core`` with these words.

    In an installed program ``sys.executable`` is Python; in a frozen one it is the viewer itself,
    which takes `CORE_FLAG` as the wish to be ``mtm-core`` (see `mtm_viewer.app.main`).

    Examples
    --------
    >>> core_command(["doctor"])[1:]
    ['-m', 'mtm_core', 'doctor']
    """
    route = [CORE_FLAG] if getattr(sys, "frozen", False) else ["-m", "mtm_core"]
    return [sys.executable, *route, *words]
