"""What the tests of shortcuts share: few spikes, and the plain loop that they are to equal."""

from __future__ import annotations

import torch

from mtm_core.masking.masked_batch import mask_counts, prompt_index
from mtm_core.models.spike_model import SpikeModel


def sparse_counts(n_trials: int, n_bins: int, n_units: int) -> torch.Tensor:
    """Make counts of which unit 0 is silent everywhere, unit 1 in the first trial, others rare."""
    rates = torch.full((n_trials, n_bins, n_units), 0.1)
    counts = torch.poisson(rates, generator=torch.Generator().manual_seed(0))
    counts[..., 0] = 0
    counts[0, :, 1] = 0
    counts[1:, 2, 1] = 1
    return counts


def plain_loop(
    model: SpikeModel, counts: torch.Tensor, is_hidden: torch.Tensor, units: list[int], prompt: str
) -> torch.Tensor:
    """Answer with one forward pass for each unit, all of whose layers run."""
    index = torch.full((len(counts),), prompt_index(prompt))
    answers = []
    for unit in units:
        hidden_too = is_hidden.clone()
        hidden_too[:, unit] = True
        full = hidden_too.expand_as(counts)
        batch = mask_counts(counts, full, full, index, index == prompt_index("causal"))
        answers.append(model(batch)[..., unit].detach())  # with gradients: no shortcut is taken
    return torch.stack(answers, dim=-1)


class PassCounter:
    """Counts the sequences that run through a trunk's layers."""

    def __init__(self, model: SpikeModel) -> None:
        self.n = 0
        model.trunk.layers[0].register_forward_hook(self._count)

    def _count(self, _module, inputs, _output) -> None:
        self.n += len(inputs[0])
