"""From tokens to log-rates."""

from __future__ import annotations

import torch
from torch import Tensor, nn

OUTPUT_SCALE = 0.1
"""Initial weights are this much smaller than torch's default: start at the bias."""


class SharedReadOut(nn.Module):
    """One matrix for all prompts.

    Parameters
    ----------
    width, n_units : int
        Sizes of a token and of a bin's log-rates.
    """

    def __init__(self, width: int, n_units: int) -> None:
        super().__init__()
        self.linear = nn.Linear(width, n_units)
        with torch.no_grad():
            self.linear.weight.mul_(OUTPUT_SCALE)
            self.linear.bias.zero_()

    def forward(self, tokens: Tensor, prompt: Tensor) -> Tensor:
        """Map tokens (n_trials, n_bins, width) to (n_trials, n_bins, n_units)."""
        del prompt
        out: Tensor = self.linear(tokens)
        return out

    def rows(self, units: Tensor, prompt: int) -> tuple[Tensor, Tensor]:
        """Return weights (n, width) and biases (n,) of chosen units."""
        del prompt
        return self.linear.weight[units], self.linear.bias[units]


class PromptReadOut(nn.Module):
    """A matrix of its own for each prompt, kept as `models.warm_start` fitted it.

    Parameters
    ----------
    width, n_units, n_prompts : int
        Sizes.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, width: int, n_units: int, n_prompts: int) -> None:
        super().__init__()
        self.register_buffer("weight", torch.zeros(n_prompts, n_units, width))
        self.register_buffer("bias", torch.zeros(n_prompts, n_units))

    def forward(self, tokens: Tensor, prompt: Tensor) -> Tensor:
        """Map tokens (n_trials, n_bins, width) to (n_trials, n_bins, n_units)."""
        chosen = self.weight[prompt].transpose(1, 2)
        return torch.baddbmm(self.bias[prompt][:, None], tokens, chosen)

    def rows(self, units: Tensor, prompt: int) -> tuple[Tensor, Tensor]:
        """Return weights (n, width) and biases (n,) of chosen units."""
        return self.weight[prompt][units], self.bias[prompt][units]
