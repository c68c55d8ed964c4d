"""What was hidden and what is scored: one object, made in one place."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

PROMPTS = ("none", "neuron", "causal", "intra_region", "inter_region", "temporal", "random_token")
"""Names of the prompt tokens; the position in this tuple is the token's index."""


def prompt_index(name: str) -> int:
    """Return the index of a prompt token."""
    return PROMPTS.index(name)


def scheme_prompt(scheme: str) -> str:
    """Return the prompt under which a scheme is trained: its own, a neighbour's, or none.

    ``region_subset`` asks the question of ``inter_region``, whole hidden regions from visible
    ones, with more or fewer of these; so it shares that prompt, and a mask between the two needs
    no choice.

    Examples
    --------
    >>> scheme_prompt("neuron"), scheme_prompt("coordinated_dropout")
    ('neuron', 'none')
    >>> scheme_prompt("region_subset")
    'inter_region'
    """
    if scheme == "region_subset":
        return "inter_region"
    return scheme if scheme in PROMPTS else "none"


@dataclass(frozen=True, eq=False)
class MaskedBatch:
    """A batch of trials of one session as a model sees it, and what it is scored on.

    Parameters
    ----------
    inputs : Tensor, shape (n_trials, n_bins, n_units), float32
        Counts, 0 where hidden.
    targets : Tensor, same shape
        The true counts.
    is_hidden, is_scored : Tensor of bool, same shape
        Entries withheld from the model, and entries that the loss or the score counts.
    prompt : Tensor of int64, shape (n_trials,)
        Index into `PROMPTS`, for each trial.
    is_causal : Tensor of bool, shape (n_trials,)
        Trials in which a bin may attend to itself and earlier bins only.
    session_id : str
        The session of all trials of the batch.
    """

    inputs: Tensor
    targets: Tensor
    is_hidden: Tensor
    is_scored: Tensor
    prompt: Tensor
    is_causal: Tensor
    session_id: str = ""

    def to(self, device: torch.device | str) -> MaskedBatch:
        """Return the batch on another device."""
        return MaskedBatch(
            inputs=self.inputs.to(device),
            targets=self.targets.to(device),
            is_hidden=self.is_hidden.to(device),
            is_scored=self.is_scored.to(device),
            prompt=self.prompt.to(device),
            is_causal=self.is_causal.to(device),
            session_id=self.session_id,
        )

    def take_trials(self, rows: slice) -> MaskedBatch:
        """Return the batch of some of the trials, which share memory with this one."""
        return MaskedBatch(
            inputs=self.inputs[rows],
            targets=self.targets[rows],
            is_hidden=self.is_hidden[rows],
            is_scored=self.is_scored[rows],
            prompt=self.prompt[rows],
            is_causal=self.is_causal[rows],
            session_id=self.session_id,
        )


def mask_counts(
    counts: Tensor,
    is_hidden: Tensor,
    is_scored: Tensor,
    prompt: Tensor,
    is_causal: Tensor,
    session_id: str = "",
) -> MaskedBatch:
    """Hide entries of `counts` and bind them to what is scored; `counts` is left as it is."""
    # Bytes become floats, and floats are multiplied, several times faster on CPUs than floats
    # are multiplied by booleans, or `masked_fill` and `where` do the same.
    inputs = (~is_hidden).view(torch.uint8).to(counts.dtype).mul_(counts)
    return MaskedBatch(inputs, counts, is_hidden, is_scored, prompt, is_causal, session_id)
