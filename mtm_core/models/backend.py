"""How this machine computes: device, CPU threads, and the route of fp32 matrix products.

`probe_backend` measures once which is faster; `use_backend` applies it for a while and puts the
process back as it was. A run records its backend and resumes with the same one, since another
number of threads or another route rounds differently in the last bit.
"""

from __future__ import annotations

import contextlib
import functools
import platform
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch

from mtm_core.errors import ConfigError
from mtm_core.models.matmul_route import (
    MIN_GAIN,
    Route,
    checked_route,
    fastest_route,
    matmul_precision,
    median_s,
    precision_of,
    set_precision,
)

BUDGET_S = 0.35
"""Time for the whole probe."""


@dataclass(frozen=True, kw_only=True)
class Backend:
    """How a machine computes.

    Parameters
    ----------
    device : str
        ``"cpu"``, ``"cuda"``, ``"cuda:1"``, ``"mps"``.
    threads : int
        CPU threads within an operation.
    matmul : {"default", "onednn"}
        Library that multiplies fp32 matrices on the CPU. oneDNN is reached through a switch
        named after bf16, but is taken only where its products were seen to stay fp32.
    processor : str
        What the CPU can do, as PyTorch names it.
    torch_version : str
        PyTorch that was probed.
    """

    device: str
    threads: int
    matmul: Route
    processor: str
    torch_version: str

    def describe(self) -> str:
        """Return a line for people.

        Examples
        --------
        >>> Backend(
        ...     device="cpu", threads=2, matmul="onednn", processor="AVX512", torch_version="2.13"
        ... ).describe()
        'cpu, 2 threads, products by oneDNN (AVX512, PyTorch 2.13)'
        """
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        route = ", products by oneDNN" if self.matmul == "onednn" else ""
        return f"{self.device}, {threads}{route} ({self.processor}, PyTorch {self.torch_version})"


def available_devices() -> tuple[str, ...]:
    """Return the devices that PyTorch can use here, the fastest first."""
    devices = ["cpu"]
    if torch.backends.mps.is_available():
        devices.insert(0, "mps")
    if torch.cuda.is_available():
        count = torch.cuda.device_count()
        devices = ["cuda", *(f"cuda:{i}" for i in range(1, count)), *devices]
    return tuple(devices)


def resolve_device(name: str) -> str:
    """Return the device to use for ``auto``, or check that the named one is there.

    Raises
    ------
    ConfigError
        If PyTorch cannot use that device here.
    """
    devices = available_devices()
    if name == "auto":
        return devices[0]
    if name not in {*devices, *(f"{device}:0" for device in devices if device == "cuda")}:
        msg = (
            f"The device '{name}' cannot be used here: PyTorch {torch.__version__} finds only "
            f"{', '.join(devices)}. Choose one of these, or auto."
        )
        raise ConfigError(msg)
    return name


def probe_backend(
    device: str = "auto",
    threads: int | None = None,
    matmul: Literal["auto", "default", "onednn"] = "auto",
) -> Backend:
    """Find out how to compute here; measured once per process, in under half a second.

    Parameters
    ----------
    device : str
        Where to compute; ``auto`` takes the fastest.
    threads : int or None
        CPU threads; None takes as many as help, up to what PyTorch is allowed now.
    matmul : {"auto", "default", "onednn"}
        Route of CPU matrix products; ``auto`` takes the faster.

    Raises
    ------
    ConfigError
        If the device is not there, or the route rounds to bf16 on this CPU.
    """
    return _probe(resolve_device(device), threads, matmul, torch.get_num_threads())


@contextlib.contextmanager
def use_backend(backend: Backend) -> Iterator[None]:
    """Compute with a backend's threads and route inside the block only.

    Parameters
    ----------
    backend : Backend
        What to apply.
    """
    threads, precision = torch.get_num_threads(), matmul_precision()
    try:
        _apply(backend.threads, precision_of(backend.matmul))
        yield
    finally:
        _apply(threads, precision)


@functools.cache
def _probe(
    device: str, threads: int | None, matmul: Literal["auto", "default", "onednn"], allowed: int
) -> Backend:
    deadline = time.perf_counter() + BUDGET_S
    before = torch.get_num_threads(), matmul_precision()
    try:
        chosen = threads or _fastest_threads(allowed, deadline)
        _apply(chosen, "none")
        route = fastest_route(deadline) if matmul == "auto" else checked_route(matmul)
    finally:
        _apply(*before)
    return Backend(
        device=device,
        threads=chosen,
        matmul=route,
        processor=f"{platform.machine()} {torch.backends.cpu.get_cpu_capability()}",
        torch_version=torch.__version__,
    )


def _fastest_threads(allowed: int, deadline: float) -> int:
    """Double the threads as long as a small training step gains by it.

    On a busy machine two threads can be far slower than one: each waits for the other.
    """
    best, best_s = 1, median_s(_step_at(1), deadline)
    candidates = sorted({allowed, *(2**i for i in range(1, 8) if 2**i < allowed)} - {1})
    for threads in candidates:
        seconds = median_s(_step_at(threads), deadline)
        if seconds * MIN_GAIN > best_s:
            break
        best, best_s = threads, seconds
    return best


def _step_at(threads: int) -> Callable[[], None]:
    """Return the products and the exponential of a small step, to be run with these threads."""
    counts, weight = torch.ones(640, 800), torch.full((800, 64), 1e-3)

    def step() -> None:
        torch.set_num_threads(threads)
        tokens = counts @ weight
        _ = (tokens @ weight.T).exp()
        _ = counts.T @ tokens

    return step


def _apply(threads: int, precision: str) -> None:
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
    set_precision(precision)
