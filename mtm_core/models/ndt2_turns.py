"""NDT2 with one unit hidden at a time: a turn changes and reads tokens of one patch alone."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mtm_core.models.rank_one import Pairs, Removal, Turns
from mtm_core.models.spike_model import causal_trials

if TYPE_CHECKING:
    from mtm_core.models.ndt2 import Ndt2

MAX_TOKENS = 65_536
"""Most tokens in one pass."""


class Ndt2Turns(Turns):
    """Trials of an `Ndt2`, ready to answer units hidden in turn.

    Parameters
    ----------
    model : Ndt2
        In evaluation mode.
    counts : Tensor, shape (n_trials, n_bins, n_units)
        True counts.
    is_hidden : Tensor of bool, shape (n_bins, n_units)
        What is hidden in every pass.
    prompt : int
        Index into `PROMPTS`.
    is_causal : bool
        Whether a bin sees itself and earlier bins only.
    """

    @torch.inference_mode()
    def __init__(
        self, model: Ndt2, counts: Tensor, is_hidden: Tensor, prompt: int, *, is_causal: bool
    ) -> None:
        super().__init__(model.part, counts, is_hidden, prompt)
        self._model, self._is_causal = model, is_causal
        self._first = model.first(counts, is_hidden.expand_as(counts))
        self._places = model.places()

    def remove(self, units: Tensor) -> Removal:
        """Return what hiding each unit takes away."""
        part, read_in = self._model.part, self._model.trunk.read_in
        _, column = self._slots(units)
        return Removal.of(part, read_in, self.counts, self.is_hidden, units, column)

    def rows(self, units: Tensor) -> tuple[Tensor, Tensor]:
        """Return weights and biases that read units out."""
        return self._model.trunk.read_out.rows(self._slots(units)[1], self.prompt)

    def unchanged_states(self, pairs: Pairs) -> Tensor:
        """Return the states of the units' patches in the pass without any turn."""
        return self._states[pairs.trial, :, self._slots(pairs.units)[0][pairs.unit]]

    def changed_states(self, pairs: Pairs) -> Tensor:
        """Return the states of the units' patches in passes of their own, not too many at once."""
        size = max(MAX_TOKENS // self._embedded[0].shape[1], 1)
        return torch.cat([self._turn(some) for some in pairs.split(size)])

    def _turn(self, pairs: Pairs) -> Tensor:
        trunk, (n_bins, n_patches) = self._model.trunk, self._first.shape[1:3]
        pair, at_bin, taken = pairs.changed_bins()
        patch = self._slots(pairs.units)[0][pairs.unit]
        made = self._model.to_tokens(self._first[pairs.trial[pair], at_bin, patch[pair]] - taken)
        places, times = self._places[patch[pair]], trunk.time_position[at_bin]
        new = trunk.place(made, places, times, trunk.prompt.weight[self.prompt])
        tokens, packed = (known[pairs.trial] for known in self._embedded)
        own = trunk.n_prefix + torch.arange(n_bins, device=patch.device) * n_patches
        own = own + patch[:, None]  # (pairs, bins): where the tokens of the patch are
        tokens[pair, own[pair, at_bin]] = new
        packed[pair, own[pair, at_bin]] = trunk.first_project(new)
        return trunk.transform(tokens, n_patches, self._told(len(own))[1], packed, own)

    @cached_property
    def _states(self) -> Tensor:
        """The states of the pass without any turn: (n_trials, n_bins, n_patches, width)."""
        tokens, packed = self._embedded
        n_bins, n_patches = self._first.shape[1:3]
        past_only = self._told(len(tokens))[1]
        states = self._model.trunk.transform(tokens, n_patches, past_only, packed)
        return states.view(len(states), n_bins, n_patches, -1)

    @cached_property
    def _embedded(self) -> tuple[Tensor, Tensor]:
        """Tokens before the layers, prefix included, and what the first layer projects."""
        model, prompt = self._model, self._told(len(self._first))[0]
        trunk = model.trunk
        placed = trunk.place(
            model.to_tokens(self._first),
            self._places,
            trunk.time_position[:, None],
            trunk.prompt.weight[self.prompt],
        )
        tokens = trunk.prepend(placed.flatten(1, 2), model.part.session_token, prompt)
        return tokens, trunk.first_project(tokens)

    def _slots(self, units: Tensor) -> tuple[Tensor, Tensor]:
        """Return the patch of each unit, and its place in the patch."""
        part = self._model.part
        slots = part.slots()[units]
        return slots // part.token_units, slots % part.token_units

    def _told(self, n: int) -> tuple[Tensor, Tensor]:
        """Return prompt and causality of so many sequences."""
        index = torch.full((n,), self.prompt, device=self.counts.device)
        return index, causal_trials(index, self._is_causal)
