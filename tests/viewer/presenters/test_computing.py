"""The way of computing is said in words."""

from __future__ import annotations

from dataclasses import replace

from mtm_core.models.backend import Backend
from mtm_viewer.presenters.computing import route_tooltip, route_words

CPU = Backend(device="cpu", threads=1, matmul="default", processor="AVX2", torch_version="2.13")


def test_the_badge_says_precision_threads_and_route():
    assert route_words(CPU) == "fp32, 1 thread"
    assert route_words(replace(CPU, threads=3, matmul="onednn")) == "fp32, 3 threads, oneDNN"
    assert route_words(replace(CPU, device="cuda", precision="bf16")) == "bf16"
    assert "AVX2, PyTorch 2.13" in route_tooltip(CPU)
