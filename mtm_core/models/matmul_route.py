"""The library that multiplies fp32 matrices on the CPU: which is faster, and the switch to it.

On some CPUs oneDNN is twice as fast as PyTorch's default. It is reached through a switch named
after bf16; on CPUs with AMX it would really round to bf16, so its products are compared first.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any, Literal

import torch

from mtm_core.errors import ConfigError

Route = Literal["default", "onednn"]

MAX_RELATIVE_ERROR = 1e-5
"""A route whose products differ by more than this is no fp32 route."""
MIN_GAIN = 1.1
"""A choice must be this much faster than the plain one to be preferred to it."""

_PRECISION: dict[Route, str] = {"default": "none", "onednn": "bf16"}


def precision_of(route: Route) -> str:
    """Return the position of the switch for a route."""
    return _PRECISION[route]


def fastest_route(deadline: float) -> Route:
    """Return the faster route whose products are fp32 here; leaves the switch anywhere."""
    if not _has_switch():
        return "default"
    (plain_s, plain), (other_s, other) = (_try_route(route, deadline) for route in _PRECISION)
    is_faster = other_s * MIN_GAIN < plain_s
    return "onednn" if is_faster and _is_alike(plain, other) else "default"


def checked_route(route: Route) -> Route:
    """Return a route that was asked for, if its products are fp32 here."""
    if route == "default":
        return route
    (_, plain), (_, other) = _try_route("default", 0.0), _try_route(route, 0.0)
    if not _has_switch() or not _is_alike(plain, other):
        msg = (
            f"--run.matmul {route} cannot be used here: it needs PyTorch 2.9, and a CPU on which "
            "it does not round to bf16. Use default or auto."
        )
        raise ConfigError(msg)
    return route


def _try_route(route: Route, deadline: float) -> tuple[float, torch.Tensor]:
    """Return the seconds of a product by a route, and the product."""
    left = torch.linspace(-1, 1, 816 * 512).view(816, 512).sin()
    right = torch.linspace(-3, 3, 512 * 512).view(512, 512).cos()
    set_precision(_PRECISION[route])
    return median_s(lambda: torch.mm(left, right), deadline), left @ right


def _is_alike(plain: torch.Tensor, other: torch.Tensor) -> bool:
    return float((other - plain).abs().max() / plain.abs().max()) < MAX_RELATIVE_ERROR


def median_s(work: Callable[[], object], deadline: float, most: int = 9) -> float:
    """Time some work after a run to warm up; fewer times when the deadline has come."""
    work()
    seconds: list[float] = []
    while len(seconds) < most and (len(seconds) < 1 or time.perf_counter() < deadline):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def _has_switch() -> bool:
    """Tell whether the route can be chosen; PyTorch before 2.9 has no switch for it."""
    return hasattr(getattr(torch.backends.mkldnn, "matmul", None), "fp32_precision")


def matmul_precision() -> str:
    """Return the position of the switch."""
    matmul: Any = getattr(torch.backends.mkldnn, "matmul", None)
    return str(matmul.fp32_precision) if _has_switch() else "none"


def set_precision(precision: str) -> None:
    """Move the switch, where there is one."""
    matmul: Any = getattr(torch.backends.mkldnn, "matmul", None)
    if matmul_precision() != precision and _has_switch():
        matmul.fp32_precision = precision
