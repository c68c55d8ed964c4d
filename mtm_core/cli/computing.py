"""Flags that say how to compute; whatever is not forced is measured (see `models.backend`)."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mtm_core.models.backend import Backend


def add_compute_arguments(parser: argparse.ArgumentParser) -> None:
    """Define ``--device`` and its like for a command that runs a model."""
    group = parser.add_argument_group("how to compute (the default of each: what is fastest here)")
    group.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1, mps")
    group.add_argument("--threads", type=_thread_count, metavar="N", help="CPU threads")
    group.add_argument(
        "--matmul",
        choices=("auto", "default", "onednn"),
        default="auto",
        help="library of CPU matrix products; they differ in the last bits",
    )
    group.add_argument(
        "--attention",
        choices=("auto", "products", "fused"),
        default="auto",
        help="kernel of attention; they differ in the last bits",
    )
    group.add_argument(
        "--precision",
        choices=("fp32", "bf16"),
        default="fp32",
        help="of products inside a transformer's layers: bf16 is about twice as fast where the "
        "processor knows it, and rounds to three digits (default: fp32)",
    )


def chosen_backend(args: argparse.Namespace) -> Backend:
    """Return how to compute as these flags say.

    Raises
    ------
    ConfigError
        If that is not possible here.
    """
    from mtm_core.models.backend import probe_backend

    return probe_backend(args.device, args.threads, args.matmul, args.attention, args.precision)


def _thread_count(word: str) -> int:
    if not word.isdecimal() or int(word) < 1:
        msg = f"'{word}' is no number of threads: give 1 or more"
        raise argparse.ArgumentTypeError(msg)
    return int(word)
