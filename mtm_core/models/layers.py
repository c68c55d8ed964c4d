"""Transformer layers shared by the architectures: attention with rotary positions, MLP, masks."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


def rotary_table(n_positions: int, head_width: int) -> tuple[Tensor, Tensor]:
    """Make cosines and sines for rotary position embedding.

    Parameters
    ----------
    n_positions : int
        Number of time bins.
    head_width : int
        Width of one attention head; even.

    Returns
    -------
    cosine, sine : Tensor, shape (n_positions, head_width)

    References
    ----------
    Su et al. (2021), RoFormer, arXiv 2104.09864.
    """
    frequency = 100.0 ** (-torch.arange(0, head_width, 2) / head_width)
    angle = torch.arange(n_positions)[:, None] * frequency
    return torch.cat([angle.cos()] * 2, dim=-1), torch.cat([angle.sin()] * 2, dim=-1)


def rotate(tokens: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turn each pair of channels by its token's angle; shapes (..., n_tokens, head_width)."""
    first, second = tokens.chunk(2, dim=-1)
    return tokens * cosine + torch.cat([-second, first], dim=-1) * sine


FUSED_FROM = 200
"""From so many tokens on, CPUs too take the fused kernel, which holds no matrix of scores."""


def attention_mask(is_causal: Tensor, n_bins: int, n_prefix: int, n_patches: int = 1) -> Tensor:
    """Say which token may attend to which.

    Prefix tokens see prefix tokens only: otherwise they would carry later bins to earlier ones.
    Tokens are time-major: all patches of a bin, then all of the next.

    Parameters
    ----------
    is_causal : Tensor of bool, shape (n_trials,)
        Trials in which a bin sees itself and earlier bins only.
    n_bins, n_prefix : int
        Number of bins, and of prefix tokens before their tokens.
    n_patches : int
        Tokens of a bin.

    Returns
    -------
    Tensor, shape (n_trials, 1, n_tokens, n_tokens)
        0 where attention is allowed, -inf elsewhere; rows are the tokens that look.
    """
    n_tokens = n_prefix + n_bins * n_patches
    allowed = torch.ones(len(is_causal), n_tokens, n_tokens, dtype=torch.bool)
    allowed[:, :n_prefix, n_prefix:] = False
    allowed = allowed.to(is_causal.device)
    bin_of = torch.arange(n_bins, device=is_causal.device).repeat_interleave(n_patches)
    allowed[:, n_prefix:, n_prefix:] = (bin_of <= bin_of[:, None]) | ~is_causal[:, None, None]
    return torch.zeros_like(allowed, dtype=torch.float32).masked_fill(~allowed, -math.inf)[:, None]


class Dropout(nn.Module):
    """Dropout whose mask comes from uniform numbers: on CPUs several times faster than torch's.

    Parameters
    ----------
    share : float
        Chance that an entry is set to 0.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, tokens: Tensor) -> Tensor:
        """Drop entries and scale up the rest, in training only."""
        if not self.training or self.share == 0:
            return tokens
        kept = torch.rand_like(tokens) >= self.share
        return tokens * (kept * (1 / (1 - self.share)))


class Attention(nn.Module):
    """Multi-head self-attention.

    Parameters
    ----------
    width, heads : int
        Token width and number of heads.
    dropout : float
        Dropout of the output.
    """

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.project_in = nn.Linear(width, 3 * width)
        self.project_out = nn.Linear(width, width)
        self.dropout = Dropout(dropout)

    def forward(
        self, tokens: Tensor, mask: Tensor, rotary: tuple[Tensor, Tensor] | None
    ) -> Tensor:
        """Mix tokens (n_trials, n_tokens, width) as `mask` allows."""
        n_trials, n_tokens, width = tokens.shape
        packed = self.project_in(tokens).view(n_trials, n_tokens, 3, self.heads, -1)
        query, key, value = packed.permute(2, 0, 3, 1, 4).unbind(0)  # (trials, heads, tokens, -1)
        if rotary is not None:
            query, key = rotate(query, *rotary), rotate(key, *rotary)
        if tokens.is_cuda or n_tokens >= FUSED_FROM:
            mixed = nn.functional.scaled_dot_product_attention(
                query, key, value, attn_mask=mask.to(query.dtype)
            )
        else:  # plain products are faster than the fused kernel on CPUs at few tokens
            score = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2) + mask
            mixed = score.softmax(dim=-1) @ value
        merged = mixed.transpose(1, 2).reshape(n_trials, n_tokens, width)
        out: Tensor = self.dropout(self.project_out(merged))
        return out


class TransformerLayer(nn.Module):
    """Attention and an MLP, each after a LayerNorm and beside a residual path."""

    def __init__(self, width: int, heads: int, mlp_width: int, dropout: float) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(width)
        self.attention = Attention(width, heads, dropout)
        self.mlp_norm = nn.LayerNorm(width)
        self.mlp = nn.Sequential(
            nn.Linear(width, mlp_width),
            nn.GELU(),
            nn.Linear(mlp_width, width),
            Dropout(dropout),
        )

    def forward(
        self, tokens: Tensor, mask: Tensor, rotary: tuple[Tensor, Tensor] | None
    ) -> Tensor:
        """Transform tokens (n_trials, n_tokens, width)."""
        tokens = tokens + self.attention(self.attention_norm(tokens), mask, rotary)
        out: Tensor = tokens + self.mlp(self.mlp_norm(tokens))
        return out

    def scale_weights(self, factor: float) -> None:
        """Scale what the residual path receives (depth-scaled initialisation)."""
        with torch.no_grad():
            self.attention.project_out.weight.mul_(factor)
            for module in self.mlp:
                if isinstance(module, nn.Linear):
                    module.weight.mul_(factor)
