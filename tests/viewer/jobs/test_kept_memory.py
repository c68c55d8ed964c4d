"""What libraries keep for later is bounded."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from mtm_core.models import matmul_route
from mtm_viewer.jobs import kept_memory

# Each thread keeps memory until all have taken some, so that none can take over another's pool.
SCRIPT = """
import ctypes, sys, threading
from mtm_viewer.jobs.kept_memory import share_arenas
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
    assert n_pools["shared"] <= kept_memory.MOST_ARENAS < n_pools["own"]


def test_other_systems_do_without(monkeypatch):
    monkeypatch.setattr("sys.platform", "win32")
    assert not kept_memory.share_arenas()


PRODUCTS = """
import sys
from mtm_viewer.jobs.kept_memory import limit_products
if sys.argv[1] == "few":
    limit_products()
import psutil, torch
from mtm_core.models.matmul_route import set_precision
set_precision("bf16")
def grow():
    before = psutil.Process().memory_info().rss
    right = torch.ones(160, 256)
    for n_rows in range(800, 1200):
        torch.ones(n_rows, 160) @ right
    return psutil.Process().memory_info().rss - before
with torch.inference_mode():
    print(grow())
"""


@pytest.mark.skipif(not matmul_route.has_switch(), reason="products cannot be given to oneDNN")
def test_programs_of_a_few_products_are_kept(monkeypatch):
    for name in ("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "LRU_CACHE_CAPACITY"):
        monkeypatch.delenv(name, raising=False)
    growth = {
        how: int(
            subprocess.run(
                [sys.executable, "-c", PRODUCTS, how], capture_output=True, text=True, check=True
            ).stdout
        )
        for how in ("few", "all")
    }
    if growth["all"] < 50 * 2**20:
        pytest.skip("this processor has no such programs")
    assert growth["few"] < growth["all"] / 2


def test_what_a_person_has_set_stays(monkeypatch):
    monkeypatch.setenv("LRU_CACHE_CAPACITY", "7")
    monkeypatch.delenv("ONEDNN_PRIMITIVE_CACHE_CAPACITY", raising=False)
    kept_memory.limit_products(5)
    assert os.environ["LRU_CACHE_CAPACITY"] == "7"
    assert os.environ["ONEDNN_PRIMITIVE_CACHE_CAPACITY"] == "5"
