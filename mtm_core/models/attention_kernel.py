"""The kernel of attention: plain products, or PyTorch's fused one; which is faster where.

At few tokens plain products are the faster ones on CPUs. The fused kernel holds no matrix of
scores, so it wins as sequences grow, and on GPUs always.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor

from mtm_core.models.stopwatch import MAX_RELATIVE_ERROR, MIN_GAIN, best_s

Kernel = Literal["products", "fused"]

FUSED_FROM = 200
"""From so many tokens on, a CPU that was not measured takes the fused kernel."""
NEVER = 1_000_000
"""More tokens than any sequence has."""
_HEADS, _HEAD_WIDTH = 4, 64
_LENGTHS = (100, 400)
"""Numbers of tokens that are tried: a trial of the paper, and one of several patches a bin."""


def attend_by_products(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """Mix values by two products and a softmax.

    Parameters
    ----------
    query, key, value : Tensor, shape (n_trials, heads, n_tokens, head_width)
    mask : Tensor, shape (n_trials or 1, 1, n_tokens, n_tokens)
        Added to the scores.

    Returns
    -------
    Tensor, shape (n_trials, heads, n_tokens, head_width)
    """
    score = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2) + mask
    mixed: Tensor = score.softmax(dim=-1) @ value
    return mixed


def attend_fused(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
    """Do the same by PyTorch's fused kernel."""
    return torch.nn.functional.scaled_dot_product_attention(
        query, key, value, attn_mask=mask.to(query.dtype)
    )


def fused_from(kernel: Kernel) -> int:
    """Return from how many tokens on the fused kernel is taken, where a kernel was asked for."""
    return 0 if kernel == "fused" else NEVER


def fastest_fused_from(deadline: float) -> int:
    """Find from how many tokens on the fused kernel is the faster one on this CPU."""
    for n_tokens in _LENGTHS:
        if _is_fused_faster(n_tokens, deadline):
            return 0 if n_tokens == _LENGTHS[0] else FUSED_FROM
    return NEVER


def _is_fused_faster(n_tokens: int, deadline: float) -> bool:
    width = _HEADS * _HEAD_WIDTH
    packed = torch.linspace(-1, 1, n_tokens * 3 * width).sin().view(1, n_tokens, 3, _HEADS, -1)
    query, key, value = packed.permute(2, 0, 3, 1, 4).unbind(0)
    mask = torch.zeros(1, 1, n_tokens, n_tokens)
    plain, fused = (
        kernel(query, key, value, mask) for kernel in (attend_by_products, attend_fused)
    )
    if float((fused - plain).abs().max() / plain.abs().max()) > MAX_RELATIVE_ERROR:
        return False

    def run(kernel: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]) -> float:
        return best_s(lambda: kernel(query, key, value, mask), deadline, most=5)

    return run(attend_fused) * MIN_GAIN < run(attend_by_products)
