"""Threads share their pools of memory where the system knows such."""

from __future__ import annotations

import subprocess
import sys

import pytest

from mtm_viewer.jobs import arenas

# Each thread keeps memory until all have taken some, so that none can take over another's pool.
SCRIPT = """
import ctypes, sys, threading
from mtm_viewer.jobs.arenas import share_arenas
if sys.argv[1] == "shared":
    assert share_arenas()
libc, all_there = ctypes.CDLL(None), threading.Barrier(6)
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]
def take():
    block = libc.malloc(10_000)
    all_there.wait(30)
    libc.free(block)
threads = [threading.Thread(target=take) for _ in range(6)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
libc.malloc_stats()
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc has such pools")
def test_threads_share_their_pools():
    n_pools = {
        how: subprocess.run(
            [sys.executable, "-c", SCRIPT, how], capture_output=True, text=True, check=True
        ).stderr.count("Arena ")
        for how in ("shared", "own")
    }
    assert n_pools["shared"] <= arenas.MOST_ARENAS < n_pools["own"]


def test_other_systems_do_without(monkeypatch):
    monkeypatch.setattr("sys.platform", "win32")
    assert not arenas.share_arenas()
