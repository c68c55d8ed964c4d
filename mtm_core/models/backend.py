"""How this machine computes: device, CPU threads, route of fp32 products, attention, precision.

`probe_backend` measures which is faster; `use_backend` applies it for a while and puts the process
back as it was. A run records its backend and resumes with the same one, since another number of
threads, route or kernel rounds differently in the last bit.
"""

from __future__ import annotations

import contextlib
import functools
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

import torch

from mtm_core.config import RunConfig
from mtm_core.errors import ConfigError
from mtm_core.models.attention_kernel import FUSED_FROM, NEVER, fused_from
from mtm_core.models.host_speed import HostSpeed, host_speed, processor_name
from mtm_core.models.matmul_route import (
    Route,
    checked_route,
    matmul_precision,
    set_precision,
    set_route,
)
from mtm_core.models.stopwatch import MIN_GAIN, median_s

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
    fused_from : int or None
        From so many tokens on attention is PyTorch's fused kernel; None, as runs that were begun
        before it was measured have it, means always on a GPU and from `FUSED_FROM` on a CPU.
    precision : {"fp32", "bf16"}
        Of the products inside the layers.
    """

    device: str
    threads: int
    matmul: Route
    processor: str
    torch_version: str
    fused_from: int | None = None
    precision: Literal["fp32", "bf16"] = "fp32"

    def describe(self) -> str:
        """Return a line for people.

        Examples
        --------
        >>> Backend(
        ...     device="cpu", threads=2, matmul="onednn", processor="AVX512", torch_version="2.13"
        ... ).describe()
        'cpu, 2 threads, products by oneDNN (AVX512, PyTorch 2.13)'
        >>> Backend(
        ...     device="cuda", threads=1, matmul="default", processor="AVX512",
        ...     torch_version="2.13", fused_from=0, precision="bf16"
        ... ).describe()
        'cuda, 1 thread, fused attention, bf16 layers (AVX512, PyTorch 2.13)'
        """
        words = [self.device, "1 thread" if self.threads == 1 else f"{self.threads} threads"]
        words += ["products by oneDNN"] if self.matmul == "onednn" else []
        if self.fused_from is not None:
            from_where = {0: "fused attention", NEVER: "attention by products"}
            some = f"fused attention from {self.fused_from} tokens"
            words.append(from_where.get(self.fused_from, some))
        words += ["bf16 layers"] if self.precision == "bf16" else []
        return f"{', '.join(words)} ({self.processor}, PyTorch {self.torch_version})"


_IN_FORCE: ContextVar[Backend | None] = ContextVar("backend", default=None)


class _SharedRoute:
    """The route of products, which all threads of a process share, while any of them needs it.

    Whoever leaves first must not put it back under those who go on.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._n_users = 0
        self._before = ""

    def borrow(self) -> None:
        """Begin to use it."""
        with self._lock:
            if self._n_users == 0:
                self._before = matmul_precision()
            self._n_users += 1

    def give_back(self) -> None:
        """End; the last one puts it back as it was before the first."""
        with self._lock:
            self._n_users -= 1
            if self._n_users == 0:
                set_precision(self._before)


_ROUTE = _SharedRoute()


def backend_in_force() -> Backend | None:
    """Return the backend of the innermost `use_backend` block; None outside of any."""
    return _IN_FORCE.get()


def backend_words() -> str:
    """Return how it is computed now, for a report.

    Examples
    --------
    >>> backend_words()
    'as PyTorch does by default'
    """
    backend = _IN_FORCE.get()
    return "as PyTorch does by default" if backend is None else backend.describe()


def takes_fused_kernel(n_tokens: int, *, on_gpu: bool) -> bool:
    """Tell whether attention over so many tokens is to take PyTorch's fused kernel."""
    backend = _IN_FORCE.get()
    least = None if backend is None else backend.fused_from
    if least is None:
        least = 0 if on_gpu else FUSED_FROM
    return n_tokens >= least


def layer_precision(device: torch.device) -> contextlib.AbstractContextManager[object]:
    """Return a block in which products have the precision of the backend in force."""
    backend = _IN_FORCE.get()
    if backend is None or backend.precision == "fp32":
        return contextlib.nullcontext()
    return torch.autocast(device.type, dtype=torch.bfloat16)


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
    attention: Literal["auto", "products", "fused"] = "auto",
    precision: Literal["fp32", "bf16"] = "fp32",
) -> Backend:
    """Find out how to compute here, in under half a second; at once where it is known already.

    What was found out about the processor is remembered per host (see `models.host_speed`). How
    many threads help depends on what else the machine is doing: that is measured in every process.

    Parameters
    ----------
    device : str
        Where to compute; ``auto`` takes the fastest.
    threads : int or None
        CPU threads; None takes as many as help, up to what PyTorch is allowed now.
    matmul : {"auto", "default", "onednn"}
        Route of CPU matrix products; ``auto`` takes the faster.
    attention : {"auto", "products", "fused"}
        Kernel of attention; ``auto`` takes the faster, which depends on the number of tokens.
    precision : {"fp32", "bf16"}
        Of the products inside the layers: never measured, always a person's choice.

    Raises
    ------
    ConfigError
        If the device is not there, or the route rounds to bf16 on this CPU.
    """
    found = resolve_device(device)
    return _probe(found, threads, matmul, attention, precision, torch.get_num_threads())


def probe_run(run: RunConfig) -> Backend:
    """Find out how to compute as the settings of a run say; see `probe_backend`."""
    return probe_backend(run.device, run.threads, run.matmul, run.attention, run.precision)


def known_host_speed(backend: Backend) -> HostSpeed:
    """Return what was found out about this host at a backend's number of threads."""
    with _unchanged_options():
        _use(backend.threads)
        return host_speed(time.perf_counter() + BUDGET_S)


def probe_host() -> HostSpeed:
    """Measure how fast this host is by each way, whatever was known, and remember that."""
    with _unchanged_options():
        _use(_fastest_threads(torch.get_num_threads(), time.perf_counter() + BUDGET_S))
        found = host_speed(time.perf_counter() + BUDGET_S, anew=True)
    _probe.cache_clear()
    return found


@contextlib.contextmanager
def use_backend(backend: Backend) -> Iterator[None]:
    """Compute as a backend says inside the block only.

    Blocks of several threads may overlap if they agree on the route of products, which is one for
    the whole process: it is put back once the last of them has ended.

    Parameters
    ----------
    backend : Backend
        What to apply.
    """
    threads, outer = torch.get_num_threads(), _IN_FORCE.get()
    if outer is None:
        _ROUTE.borrow()
    token = _IN_FORCE.set(backend)
    try:
        _use(backend.threads, backend.matmul)
        yield
    finally:
        _IN_FORCE.reset(token)
        _set_threads(threads)
        if outer is None:
            _ROUTE.give_back()
        else:
            set_route(outer.matmul)


@functools.cache
def _probe(
    device: str,
    threads: int | None,
    matmul: Literal["auto", "default", "onednn"],
    attention: Literal["auto", "products", "fused"],
    precision: Literal["fp32", "bf16"],
    allowed: int,
) -> Backend:
    deadline = time.perf_counter() + BUDGET_S
    with _unchanged_options():
        chosen = threads or _fastest_threads(allowed, deadline)
        _use(chosen)
        speed = host_speed(deadline)
        route = speed.route if matmul == "auto" else checked_route(matmul)
    least = 0 if device.startswith("cuda") else speed.fused_from[route]
    return Backend(
        device=device,
        threads=chosen,
        matmul=route,
        processor=processor_name(),
        torch_version=torch.__version__,
        fused_from=least if attention == "auto" else fused_from(attention),
        precision=precision,
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


@contextlib.contextmanager
def _unchanged_options() -> Iterator[None]:
    """Put PyTorch's threads and route back as they were."""
    threads, precision = torch.get_num_threads(), matmul_precision()
    try:
        yield
    finally:
        _set_threads(threads)
        set_precision(precision)


def _use(threads: int, route: Route = "default") -> None:
    _set_threads(threads)
    set_route(route)


def _set_threads(threads: int) -> None:
    if torch.get_num_threads() != threads:
        torch.set_num_threads(threads)
