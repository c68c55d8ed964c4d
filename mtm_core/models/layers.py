"""Transformer layers shared by the architectures: attention with rotary positions, MLP, masks."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mtm_core.models.attention_kernel import attend_by_products, attend_fused
from mtm_core.models.backend import takes_fused_kernel


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
    Tensor, shape (n_trials or 1, 1, n_tokens, n_tokens)
        0 where attention is allowed, -inf elsewhere; rows are the tokens that look. One for all
        where trials are alike.
    """
    device = is_causal.device
    # A step that is captured for a GPU to repeat must not depend on what it holds.
    is_captured = is_causal.is_cuda and torch.cuda.is_current_stream_capturing()
    if not is_captured and bool((is_causal == is_causal[:1]).all()):
        is_causal = is_causal[:1]
    n_tokens = n_prefix + n_bins * n_patches
    allowed = torch.ones(len(is_causal), n_tokens, n_tokens, dtype=torch.bool, device=device)
    allowed[:, :n_prefix, n_prefix:] = False
    bin_of = torch.arange(n_bins, device=device).repeat_interleave(n_patches)
    allowed[:, n_prefix:, n_prefix:] = (bin_of <= bin_of[:, None]) | ~is_causal[:, None, None]
    return torch.zeros_like(allowed, dtype=torch.float32).masked_fill(~allowed, -math.inf)[:, None]


def take_tokens(tokens: Tensor, chosen: Tensor) -> Tensor:
    """Take tokens (n_trials, n_chosen) of each trial from (n_trials, n_tokens, ...)."""
    return tokens[torch.arange(len(tokens), device=tokens.device)[:, None], chosen]


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
        kept = torch.rand(tokens.shape, device=tokens.device) >= self.share  # bf16 is too coarse
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

    def mix(
        self,
        packed: Tensor,
        mask: Tensor,
        rotary: tuple[Tensor, Tensor] | None,
        chosen: Tensor | None = None,
    ) -> Tensor:
        """Mix tokens as `mask` allows.

        Parameters
        ----------
        packed : Tensor, shape (n_trials, n_tokens, 3 width)
            Queries, keys and values: what `project_in` makes of tokens.
        mask : Tensor
            See `attention_mask`; one for all trials where tokens are chosen.
        rotary : pair of Tensor or None
            See `rotary_table`.
        chosen : Tensor of int64, shape (n_trials, n_chosen), or None
            The tokens of each trial that are asked for; None means all.

        Returns
        -------
        Tensor, shape (n_trials, n_tokens or n_chosen, width)
        """
        n_trials, n_tokens, _ = packed.shape
        split = packed.view(n_trials, n_tokens, 3, self.heads, -1)
        query, key, value = split.permute(2, 0, 3, 1, 4).unbind(0)  # (trials, heads, tokens, -1)
        if rotary is not None:
            query, key = rotate(query, *rotary), rotate(key, *rotary)
        if chosen is not None:
            query = take_tokens(query.transpose(1, 2), chosen).transpose(1, 2)
            mask = mask[0, 0][chosen][:, None]
        is_fused = takes_fused_kernel(n_tokens, on_gpu=packed.is_cuda)
        mixed = (attend_fused if is_fused else attend_by_products)(query, key, value, mask)
        merged = mixed.transpose(1, 2).flatten(2)
        out: Tensor = self.dropout(self.project_out(merged))
        return out

    def forward(
        self, tokens: Tensor, mask: Tensor, rotary: tuple[Tensor, Tensor] | None
    ) -> Tensor:
        """Mix tokens (n_trials, n_tokens, width) as `mask` allows."""
        return self.mix(self.project_in(tokens), mask, rotary)


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

    def project(self, tokens: Tensor) -> Tensor:
        """Return queries, keys, values of tokens (..., width), side by side: (..., 3 width)."""
        packed: Tensor = self.attention.project_in(self.attention_norm(tokens))
        return packed

    def forward(
        self,
        tokens: Tensor,
        mask: Tensor,
        rotary: tuple[Tensor, Tensor] | None,
        packed: Tensor | None = None,
        chosen: Tensor | None = None,
    ) -> Tensor:
        """Transform tokens (n_trials, n_tokens, width), of which only some may be asked for.

        Parameters
        ----------
        tokens, mask, rotary, chosen : Tensor
            As for `Attention.mix`.
        packed : Tensor or None
            What `project` makes of the tokens, if that is known already.
        """
        packed = self.project(tokens) if packed is None else packed
        own = tokens if chosen is None else take_tokens(tokens, chosen)
        tokens = own + self.attention.mix(packed, mask, rotary, chosen)
        out: Tensor = tokens + self.mlp(self.mlp_norm(tokens))
        return out

    def scale_weights(self, factor: float) -> None:
        """Scale what the residual path receives (depth-scaled initialisation)."""
        with torch.no_grad():
            self.attention.project_out.weight.mul_(factor)
            for module in self.mlp:
                if isinstance(module, nn.Linear):
                    module.weight.mul_(factor)
