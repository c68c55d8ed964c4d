"""NDT1 on components with one unit hidden at a time: in closed form up to the layers.

A component's score is a smoothed sum over visible entries, over the smoothed share that is
visible. Smoothing is linear and done once; hiding a unit takes a multiple of its loadings from the
sum, and an amount that is the same in every trial from the share. Where the layers add nothing, a
read-out of all turns is one product of matrices for each bin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mtm_core.models.rank_one import Removal
from mtm_core.models.read_in import ComponentReadIn
from mtm_core.models.spike_model import MAX_LOG_GAIN, causal_trials

if TYPE_CHECKING:
    from mtm_core.models.ndt1 import Ndt1

UNITS_AT_ONCE = 64
"""More are answered in several goes, so that what each needs stays small."""
FLAG_KERNEL = 1
"""Kernel that smooths what the layers are told of hidden shares; see `ComponentReadIn.tokens`."""


class ComponentTurns:
    """Trials of an `Ndt1` with a `ComponentReadIn`, ready to answer units hidden in turn.

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
        read_in = model.part.read_in
        assert isinstance(read_in, ComponentReadIn)  # noqa: S101 - the caller's choice of class
        self._model, self._read_in = model, read_in
        self._counts, self._is_hidden = counts, is_hidden
        self._prompt, self._is_causal = prompt, is_causal
        each = [read_in.smoother(i, is_causal=is_causal) for i in range(len(read_in.kernel))]
        is_used = read_in.mix[prompt].any(dim=1)
        self._mix, self._kernel = read_in.mix[prompt][is_used], torch.stack(each)[is_used]
        self._flag_kernel = each[FLAG_KERNEL]
        first = model.first(counts, is_hidden.expand_as(counts))
        sums, shares = first.chunk(2, dim=-1)
        self._sums = self._kernel @ sums[:, None]  # (trials, kernels, bins, width)
        self._shares = shares[0]  # (bins, width): alike in all trials

    @torch.inference_mode()
    def __call__(self, units: Tensor) -> Tensor:
        """Predict units (n_chosen,), each hidden in its turn: (n_trials, n_bins, n_chosen)."""
        return torch.cat(
            [self._answer(some) for some in torch.split(units, UNITS_AT_ONCE)], dim=-1
        )

    def _answer(self, units: Tensor) -> Tensor:
        part = self._model.part
        removal = Removal.of(part, self._read_in, self._counts, self._is_hidden, units)
        shares = self._visible_shares(removal, self._kernel)
        softening = self._read_in.log_softening[self._prompt].exp()
        factor = self._mix[:, None] * (1 + softening) / shares.add_(softening)
        taken = _smooth(removal.seen, self._kernel)  # (trials, chosen, kernels, bins)
        loading = self._read_in.loading.T[units]
        weight, bias = part.read_out.rows(units, self._prompt)
        told = torch.full((1,), self._prompt, device=units.device)
        if self._model.trunk.adds_nothing(told):
            product = self._read_scores(factor, taken, loading, weight)
        else:
            scores = self._scores(factor, taken, loading)
            flag = self._visible_shares(removal, self._flag_kernel[None])[:, 0]
            states = self._through_layers(scores, flag)
            product = torch.einsum("rktw,kw->rtk", states, weight)
        return (product + bias).clamp_(max=MAX_LOG_GAIN).add_(part.offset[:, units])

    def _visible_shares(self, removal: Removal, kernel: Tensor) -> Tensor:
        """Return the shares that each turn leaves visible: (chosen, kernels, bins, width)."""
        lost = _smooth(removal.visible, kernel)
        by_visible = removal.by_visible.chunk(2, dim=-1)[1]
        return kernel @ self._shares - lost[..., None] * by_visible[:, None, None]

    def _read_scores(
        self, factor: Tensor, taken: Tensor, loading: Tensor, weight: Tensor
    ) -> Tensor:
        """Read the scores out without writing them down: (trials, bins, chosen)."""
        read = factor * weight[:, None, None]  # (chosen, kernels, bins, width)
        own = (read @ loading[:, None, :, None])[..., 0]  # (chosen, kernels, bins)
        seen, read = (each.permute(2, 0, 1, 3).flatten(2) for each in (self._sums, read))
        product = seen @ read.mT  # (bins, trials, chosen)
        return product.transpose(0, 1) - (taken * own).sum(dim=2).transpose(1, 2)

    def _scores(self, factor: Tensor, taken: Tensor, loading: Tensor) -> Tensor:
        """Return the scores of every turn: (trials, chosen, bins, width)."""
        by_bin = taken.permute(1, 3, 0, 2) @ factor.permute(0, 2, 1, 3)
        scores = by_bin.permute(2, 0, 1, 3) * -loading[:, None]  # from (chosen, bins, trials, -1)
        for kernel in range(factor.shape[1]):
            scores.addcmul_(self._sums[:, None, kernel], factor[:, kernel])
        return scores

    def _through_layers(self, scores: Tensor, smooth_share: Tensor) -> Tensor:
        """Return what is read out where the layers do add something."""
        tokens = scores + self._read_in.flag_in(1 - smooth_share)
        flat = scores.flatten(0, 1)
        index = torch.full((len(flat),), self._prompt, device=flat.device)
        past_only = causal_trials(index, self._is_causal)
        states = self._model.after_layers(tokens.flatten(0, 1), flat, index, past_only)
        return states.view_as(scores)


def _smooth(values: Tensor, kernel: Tensor) -> Tensor:
    """Smooth (..., n_bins) by kernels (n_kernels, n_bins, n_bins): (..., n_kernels, n_bins)."""
    smooth = values @ kernel.flatten(0, 1).T
    return smooth.view(*values.shape[:-1], *kernel.shape[:2])
