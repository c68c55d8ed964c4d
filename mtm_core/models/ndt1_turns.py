"""NDT1 with one unit hidden at a time: what its passes have in common is computed once."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mtm_core.models.rank_one import Pairs, Removal, Turns
from mtm_core.models.spike_model import causal_trials

if TYPE_CHECKING:
    from mtm_core.models.ndt1 import Ndt1

SPARSE_UP_TO = 0.5
"""Tokens are changed one by one where no more than this share of them changes."""


class Ndt1Turns(Turns):
    """Trials of an `Ndt1` whose tokens are made bin by bin.

    Parameters
    ----------
    model : Ndt1
        In evaluation mode.
    counts : Tensor, shape (n_trials, n_bins, n_units)
        True counts.
    is_hidden : Tensor of bool, shape (n_bins, n_units)
        What is hidden in every pass.
    prompt : int
        Index into `PROMPTS`, as the model is told it.
    is_causal : bool
        Whether a bin sees itself and earlier bins only.
    """

    @torch.inference_mode()
    def __init__(
        self, model: Ndt1, counts: Tensor, is_hidden: Tensor, prompt: int, *, is_causal: bool
    ) -> None:
        super().__init__(model.part, counts, is_hidden, prompt)
        self._model, self._is_causal = model, is_causal
        self._first = model.first(counts, is_hidden.expand_as(counts))

    def remove(self, units: Tensor) -> Removal:
        """Return what hiding each unit takes away."""
        part = self._model.part
        return Removal.of(part, part.read_in, self.counts, self.is_hidden, units)

    def rows(self, units: Tensor) -> tuple[Tensor, Tensor]:
        """Return weights and biases that read units out."""
        return self._model.part.read_out.rows(units, self.prompt)

    def unchanged_states(self, pairs: Pairs) -> Tensor:
        """Return the states of the pass without any turn."""
        return self._states[pairs.trial]

    def changed_states(self, pairs: Pairs) -> Tensor:
        """Return the states of passes that differ in few bins, or in many."""
        model, trunk, told = self._model, self._model.trunk, self._told(len(pairs.trial))
        if float(pairs.is_changed.float().mean()) > SPARSE_UP_TO:
            return model.body(self._first[pairs.trial] - pairs.sequences(), *told)
        pair, at_bin, taken = pairs.changed_bins()
        made = model.to_tokens(self._first[pairs.trial[pair], at_bin] - taken)
        new = trunk.place(made, trunk.position[at_bin], trunk.prompt.weight[self.prompt])
        tokens, packed = (known[pairs.trial] for known in self._embedded)
        tokens[pair, trunk.n_prefix + at_bin] = new
        packed[pair, trunk.n_prefix + at_bin] = trunk.first_project(new)
        return trunk.transform(tokens, *told, packed)

    @cached_property
    def _states(self) -> Tensor:
        """The states of the pass without any turn: (n_trials, n_bins, width)."""
        tokens, packed = self._embedded
        return self._model.trunk.transform(tokens, *self._told(len(tokens)), packed)

    @cached_property
    def _embedded(self) -> tuple[Tensor, Tensor]:
        """Tokens before the layers, prefix included, and what the first layer projects."""
        trunk, prompt = self._model.trunk, self._told(len(self._first))[0]
        placed = trunk.place(
            self._model.to_tokens(self._first), trunk.position, trunk.prompt.weight[self.prompt]
        )
        tokens = trunk.prepend(placed, self._model.part.session_token, prompt)
        return tokens, trunk.first_project(tokens)

    def _told(self, n: int) -> tuple[Tensor, Tensor]:
        """Return prompt and causality of so many sequences."""
        index = torch.full((n,), self.prompt, device=self.counts.device)
        return index, causal_trials(index, self._is_causal)
