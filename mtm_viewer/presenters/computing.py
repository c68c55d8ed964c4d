"""How the window computes: what a person chose, and what came of it in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mtm_core.models.answers import MEMORY_BYTES
from mtm_core.models.backend import Backend

Precision = Literal["fp32", "bf16"]


@dataclass(frozen=True, kw_only=True)
class Computing:
    """What a person chose about computing.

    Parameters
    ----------
    threads : int or None
        CPU threads; None takes as many as help.
    precision : {"fp32", "bf16"}
        Of the products inside the layers.
    memory_bytes : int
        Room for answers that may be asked for again.
    """

    threads: int | None = None
    precision: Precision = "fp32"
    memory_bytes: int = MEMORY_BYTES


def route_words(backend: Backend) -> str:
    """Say in a few words which route is taken, for a badge.

    Examples
    --------
    >>> backend = Backend(device="cpu", threads=2, matmul="onednn", processor="AVX512",
    ...                   torch_version="2.13")
    >>> route_words(backend)
    'fp32, 2 threads, oneDNN'
    """
    words: list[str] = [backend.precision]
    if backend.device == "cpu":
        words.append("1 thread" if backend.threads == 1 else f"{backend.threads} threads")
        words += ["oneDNN"] if backend.matmul == "onednn" else []
    return ", ".join(words)


def route_tooltip(backend: Backend) -> str:
    """Say at length how it is computed, and how that was chosen."""
    return (
        f"Computed with {backend.describe()}.\nThe fastest way was measured on this machine; "
        "Edit > Preferences chooses threads and precision."
    )
