"""The library that multiplies fp32 matrices on the CPU: which is faster, and the switch to it.

On some CPUs oneDNN is twice as fast as PyTorch's default. It is reached through a switch named
after bf16; on CPUs with AMX it would really round to bf16, so its products are compared first.
"""

from __future__ import annotations

from typing import Any, Literal

import torch

from mtm_core.errors import ConfigError
from mtm_core.models.stopwatch import MAX_RELATIVE_ERROR, MIN_GAIN, best_s

Route = Literal["default", "onednn"]

_ROWS, _WIDTH = 816, 512
_WORK = 2e-9 * _ROWS * _WIDTH * _WIDTH
_PRECISION: dict[Route, str] = {"default": "none", "onednn": "bf16"}


def set_route(route: Route) -> None:
    """Multiply by a route from now on."""
    set_precision(_PRECISION[route])


def try_routes(deadline: float) -> tuple[Route, dict[str, float]]:
    """Find the faster route whose products are fp32 here; leaves the switch anywhere.

    Parameters
    ----------
    deadline : float
        See `stopwatch.best_s`.

    Returns
    -------
    route : {"default", "onednn"}
    gflops : dict of str to float
        Speed in GFLOP/s of each route that gives fp32, and of products of bf16 numbers.
    """
    plain_s, plain = _try_route("default", deadline)
    gflops = {"default": _WORK / plain_s, "bf16": _WORK / _time_bf16(deadline)}
    if not has_switch():
        return "default", gflops
    other_s, other = _try_route("onednn", deadline)
    if not _is_alike(plain, other):
        return "default", gflops
    is_faster = other_s * MIN_GAIN < plain_s
    return "onednn" if is_faster else "default", gflops | {"onednn": _WORK / other_s}


def route_now() -> Route:
    """Return the route by which is multiplied now."""
    return "onednn" if matmul_precision() == _PRECISION["onednn"] else "default"


def checked_route(route: Route) -> Route:
    """Return a route that was asked for, if its products are fp32 here; the switch stays."""
    if route == "default":
        return route
    before = matmul_precision()
    try:
        (_, plain), (_, other) = _try_route("default", 0.0), _try_route(route, 0.0)
    finally:
        set_precision(before)
    if not has_switch() or not _is_alike(plain, other):
        msg = (
            f"Matrix products by {route} (--run.matmul, --matmul) cannot be used here: they need "
            "PyTorch 2.9, and a CPU on which they do not round to bf16. Use default or auto."
        )
        raise ConfigError(msg)
    return route


def _try_route(route: Route, deadline: float) -> tuple[float, torch.Tensor]:
    """Return the seconds of a product by a route, and the product."""
    left, right = _matrices()
    set_route(route)
    return best_s(lambda: torch.mm(left, right), deadline), left @ right


def _time_bf16(deadline: float) -> float:
    left, right = (matrix.to(torch.bfloat16) for matrix in _matrices())
    return best_s(lambda: torch.mm(left, right), deadline)


def _matrices() -> tuple[torch.Tensor, torch.Tensor]:
    left = torch.linspace(-1, 1, _ROWS * _WIDTH).view(_ROWS, _WIDTH).sin()
    return left, torch.linspace(-3, 3, _WIDTH * _WIDTH).view(_WIDTH, _WIDTH).cos()


def _is_alike(plain: torch.Tensor, other: torch.Tensor) -> bool:
    return float((other - plain).abs().max() / plain.abs().max()) < MAX_RELATIVE_ERROR


def has_switch() -> bool:
    """Tell whether the route can be chosen; PyTorch before 2.9 has no switch for it."""
    return hasattr(getattr(torch.backends.mkldnn, "matmul", None), "fp32_precision")


def matmul_precision() -> str:
    """Return the position of the switch."""
    matmul: Any = getattr(torch.backends.mkldnn, "matmul", None)
    return str(matmul.fp32_precision) if has_switch() else "none"


def set_precision(precision: str) -> None:
    """Move the switch, where there is one."""
    matmul: Any = getattr(torch.backends.mkldnn, "matmul", None)
    if matmul_precision() != precision and has_switch():
        matmul.fp32_precision = precision
