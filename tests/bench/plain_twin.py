"""NDT1 at the paper's shape, written as anyone would in PyTorch: what our own is compared with."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from mtm_core.models.ndt1 import Ndt1


class PlainLayer(nn.Module):
    """Attention and MLP, each after a LayerNorm and beside a residual path."""

    def __init__(self, width: int, heads: int, mlp_width: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.attention_norm, self.mlp_norm = nn.LayerNorm(width), nn.LayerNorm(width)
        self.project_in, self.project_out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.mlp = nn.Sequential(
            nn.Linear(width, mlp_width),
            nn.GELU(),
            nn.Linear(mlp_width, width),
            nn.Dropout(dropout),
        )

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        n_trials, n_tokens, width = tokens.shape
        packed = self.project_in(self.attention_norm(tokens))
        query, key, value = (
            packed.view(n_trials, n_tokens, 3, self.heads, -1).transpose(1, 3).unbind(2)
        )
        mixed = scaled_dot_product_attention(query, key, value, attn_mask=mask)
        merged = mixed.transpose(1, 2).reshape(n_trials, n_tokens, width)
        tokens = tokens + self.dropout(self.project_out(merged))
        return tokens + self.mlp(self.mlp_norm(tokens))


class PlainNdt1(nn.Module):
    """The paper's two-layer read-in, prompt and session tokens, layers, read-out.

    Parameters
    ----------
    model : Ndt1
        Whose sizes and weights it takes over, so that both compute the same.
    """

    def __init__(self, model: Ndt1) -> None:
        super().__init__()
        config, part, trunk = model.config, model.part, model.trunk
        n_units, width = part.offset.shape[1], config.width
        self.first, self.second = nn.Linear(n_units, 2 * n_units), nn.Linear(2 * n_units, width)
        self.position = nn.Parameter(trunk.position.detach().clone())
        self.prompt = nn.Parameter(trunk.prompt.weight.detach().clone())
        self.session_token = nn.Parameter(part.session_token.detach().clone())
        self.dropout = nn.Dropout(config.embedding_dropout)
        self.layers = nn.ModuleList(
            PlainLayer(width, config.heads, config.mlp_width, config.dropout)
            for _ in range(config.layers)
        )
        self.norm, self.read_out = nn.LayerNorm(width), nn.Linear(width, n_units)
        self.offset = part.offset.clone()
        self._take_over(model)
        n_tokens = len(self.position) + 2
        self.mask = torch.zeros(n_tokens, n_tokens)
        self.mask[:2, 2:] = -math.inf  # prefix tokens see prefix tokens only
        later = torch.ones(n_tokens, n_tokens, dtype=torch.bool).triu(1)
        self.causal_mask = self.mask.masked_fill(later & (torch.arange(n_tokens) > 1), -math.inf)

    @torch.no_grad()
    def _take_over(self, model: Ndt1) -> None:
        part, trunk = model.part, model.trunk
        pairs = [
            (self.first, part.read_in.counts_in),
            (self.second, part.read_in.second_in),
            (self.norm, trunk.output_norm),
            (self.read_out, part.read_out.linear),
        ]
        for own, other in zip(self.layers, trunk.layers, strict=True):
            pairs += [
                (own.attention_norm, other.attention_norm),
                (own.mlp_norm, other.mlp_norm),
                (own.project_in, other.attention.project_in),
                (own.project_out, other.attention.project_out),
                (own.mlp[0], other.mlp[0]),
                (own.mlp[2], other.mlp[2]),
            ]
        for own, other in pairs:
            own.weight.copy_(other.weight)
            own.bias.copy_(other.bias)

    def forward(self, counts: Tensor, prompt: int, *, is_causal: bool = False) -> Tensor:
        tokens = self.second(nn.functional.softsign(self.first(counts))) + self.position
        prefix = torch.stack([self.prompt[prompt], self.session_token]).expand(len(counts), -1, -1)
        tokens = torch.cat([prefix, self.dropout(tokens)], dim=1)
        for layer in self.layers:
            tokens = layer(tokens, self.causal_mask if is_causal else self.mask)
        read = self.read_out(self.norm(tokens[:, 2:]))
        return read.clamp(max=3.0) + self.offset
