"""The Poisson regressions of a warm start: which scores predict which units, prompt by prompt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from mtm_core.masking.masked_batch import prompt_index
from mtm_core.masking.targets import target_regions
from mtm_core.masking.tasks import MIN_REGION_UNITS
from mtm_core.models.block_scores import BlockScores, Kernels
from mtm_core.models.ndt1 import Ndt1
from mtm_core.models.read_in import ComponentReadIn
from mtm_core.models.ridge_poisson import Problem

HORIZON_SHARE = 0.1
"""Share of the bins that the causal regression looks ahead."""


@dataclass(frozen=True, eq=False)
class Regressions:
    """Trials and all that the regressions of several prompts and kernels share.

    Parameters
    ----------
    blocks : BlockScores
        Of these trials.
    counts : Tensor, shape (n_trials, n_bins, n_units), float32
        Training trials followed by validation trials.
    n_train : int
        How many of them are for training.
    offset : Tensor, shape (n_bins, n_units)
        Log-rates that the regressions add to.
    causal_offset : Tensor, shape (n_trials, n_bins - first, n_units)
        The same with each unit's history, each stretch of bins seen from those before it; the
        causal regression leaves out the `first` bins.
    region : ndarray of str, shape (n_units,)
    """

    blocks: BlockScores
    counts: Tensor
    n_train: int
    offset: Tensor
    causal_offset: Tensor
    region: NDArray[np.str_]

    @classmethod
    def of(
        cls, model: Ndt1, counts: Tensor, n_train: int, region: NDArray[np.str_]
    ) -> Regressions:
        """Prepare what the regressions of a model share."""
        if not isinstance(model.part.read_in, ComponentReadIn):
            msg = "a warm start needs a model with read_in='components'"
            raise TypeError(msg)
        blocks = BlockScores.of(model.part.read_in, model.part.standardise(counts))
        causal = _causal_offset(model, counts)
        return cls(blocks, counts, n_train, model.part.offset, causal, region)

    def thinned(self, stride: int) -> Regressions:
        """Keep one training trial in `stride`, and all validation trials."""
        train = torch.arange(0, self.n_train, stride)
        val = torch.arange(self.n_train, len(self.counts))
        kept = torch.cat([train, val]).to(self.counts.device)
        return Regressions(
            self.blocks.take(kept),
            self.counts[kept],
            len(train),
            self.offset,
            self.causal_offset[kept],
            self.region,
        )

    def problems(self, name: str, kernels: Kernels) -> Iterator[tuple[Tensor, Problem]]:
        """Set up the regressions of one prompt; each with the units that it is of."""
        n_units, device = self.counts.shape[2], self.counts.device
        everyone = torch.ones(n_units, dtype=torch.bool, device=device)
        if name == "causal":
            yield torch.arange(n_units, device=device), self._causal(kernels)
        elif name == "neuron":
            yield self._problem(name, kernels, everyone, everyone)
        else:
            for member in target_regions(self.region, MIN_REGION_UNITS):
                inside = torch.from_numpy(self.region == member).to(device)
                is_visible = ~inside if name == "inter_region" else inside
                yield self._problem(name, kernels, is_visible, inside)

    def _problem(
        self, name: str, kernels: Kernels, is_visible: Tensor, is_scored: Tensor
    ) -> tuple[Tensor, Problem]:
        """Set up the regressions of some units on the scores that visible ones give.

        Where a unit is itself visible, what it adds to the scores is taken out of them again: its
        own smoothed count times its loading, divided by the visible share, as in the scores.
        """
        units = is_scored.nonzero()[:, 0]
        prompt = prompt_index(name)
        counts = self.counts[..., units]
        offset = self.offset[:, units].expand_as(counts)
        sums = self.blocks.sums(is_visible)
        scores = self.blocks.scores(prompt, kernels, sums, is_visible)
        if name == "inter_region":
            return units, Problem(scores, counts, offset, self.n_train)
        own, own_loading = self.blocks.own_part(prompt, kernels, is_visible, units)
        return units, Problem(scores, counts, offset, self.n_train, own, own_loading)

    def _causal(self, kernels: Kernels) -> Problem:
        """Set up regressions on the past: every stretch of bins is predicted from those before."""
        prompt, n_bins = prompt_index("causal"), self.counts.shape[1]
        stretches = _stretches(n_bins)
        scores = [
            self.blocks.scores_from_past(prompt, kernels, bins.start, bins) for bins in stretches
        ]
        counts = [self.counts[:, bins] for bins in stretches]
        return Problem(
            torch.cat(scores, dim=1), torch.cat(counts, dim=1), self.causal_offset, self.n_train
        )


def _stretches(n_bins: int) -> list[slice]:
    """Return the stretches of bins that the causal regression predicts, the last first."""
    ahead = max(1, round(HORIZON_SHARE * n_bins))
    return [slice(start, start + ahead) for start in range(n_bins - ahead, 0, -ahead)]


def _causal_offset(model: Ndt1, counts: Tensor) -> Tensor:
    parts = []
    for bins in _stretches(counts.shape[1]):
        offset = model.part.offset[bins].expand_as(counts[:, bins])
        if model.part.history is not None:
            expected = model.part.offset.exp()
            offset = offset + model.part.history.from_past(counts, bins.start, bins, expected)
        parts.append(offset)
    return torch.cat(parts, dim=1)
