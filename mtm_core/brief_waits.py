"""How long threads of PyTorch wait for each other at full speed before they sleep."""

from __future__ import annotations

import os

TURNS = 10_000
"""Turns of a waiting loop, of GNU's OpenMP (Linux)."""
MILLISECONDS = 1
"""The same of LLVM's and Intel's OpenMP (macOS, Windows), where nothing was measured yet."""


def wait_briefly() -> None:
    """Let threads that wait for each other sleep soon, unless the environment says otherwise.

    By default they wait at full speed for 300,000 turns, or 200 ms. While another program uses
    the processor, the thread that is waited for does not run, because the waiting one keeps its
    core: beside two busy programs on two cores a small step took 4 to 10 times as long. On an
    idle machine training takes at most 3 % longer (``resources/results/bench.md``). To be called
    before PyTorch is imported, which reads it once.

    References
    ----------
    The GNU Offloading and Multi Processing Project, manual, "Environment Variables":
    ``GOMP_SPINCOUNT``. LLVM/OpenMP Documentation: ``KMP_BLOCKTIME``.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ.setdefault("GOMP_SPINCOUNT", str(TURNS))
        os.environ.setdefault("KMP_BLOCKTIME", str(MILLISECONDS))
