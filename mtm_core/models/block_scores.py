"""The scores of a component read-in under masks that are blocks: some units, the first bins.

`Ndt1.first` and `ComponentReadIn.tokens` serve any mask, trial by trial. A warm start asks for
many masks that are the same in every trial, so here counts are standardised and projected once;
each mask then costs the units that it hides or those that it leaves, whichever are fewer.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mtm_core.models.read_in import ComponentReadIn

Kernels = tuple[int, ...]
"""Which temporal kernel each group of components has; see `ComponentReadIn`."""


@dataclass(frozen=True, eq=False)
class BlockScores:
    """Standardised counts and what all units together add to each component.

    Parameters
    ----------
    read_in : ComponentReadIn
        Its loadings and kernels.
    standard : Tensor, shape (n_trials, n_bins, n_units)
        Counts minus their mean, in units of their spread.
    total : Tensor, shape (n_trials, n_bins, width)
        Standardised counts on the components.
    """

    read_in: ComponentReadIn
    standard: Tensor
    total: Tensor

    @classmethod
    def of(cls, read_in: ComponentReadIn, standard: Tensor) -> BlockScores:
        """Project standardised counts once."""
        return cls(read_in, standard, standard @ read_in.loading.T)

    def take(self, trials: Tensor) -> BlockScores:
        """Return those of some trials."""
        return BlockScores(self.read_in, self.standard[trials], self.total[trials])

    def sums(self, is_visible: Tensor) -> Tensor:
        """Add up the visible units: (n_trials, n_bins, width).

        Parameters
        ----------
        is_visible : Tensor of bool, shape (n_units,)
        """
        n_visible = int(is_visible.sum())
        if 2 * n_visible > len(is_visible):
            if n_visible == len(is_visible):
                return self.total
            return self.total - self._add_up(~is_visible)
        return self._add_up(is_visible)

    def scores(self, prompt: int, kernels: Kernels, sums: Tensor, is_visible: Tensor) -> Tensor:
        """Return the scores of every bin, with all bins visible: (n_trials, n_bins, width).

        Parameters
        ----------
        prompt : int
            Its softening is used.
        kernels : tuple of int
            Temporal kernel of each group of components.
        sums : Tensor, shape (n_trials, n_bins, width)
            From `sums`.
        is_visible : Tensor of bool, shape (n_units,)
        """
        every_bin = slice(0, sums.shape[1])
        return self._smooth(prompt, kernels, sums, is_visible, every_bin, is_causal=False)

    def own_part(
        self, prompt: int, kernels: Kernels, is_visible: Tensor, units: Tensor
    ) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Return what visible units add to their own scores, for each group of components.

        Returns
        -------
        smoothed : tuple of Tensor, shape (n_trials, n_bins, n_chosen) each
        loading : tuple of Tensor, shape (n_chosen, width) each
            A unit's own part of a score is its smoothed count times its loading.
        """
        softening = self.read_in.log_softening[prompt].exp()
        share = self.read_in.share @ is_visible.to(self.total.dtype)
        loading = self.read_in.loading.T[units] * (1 + softening) / (share + softening)
        alone = self.standard[..., units]
        smoothed, loadings = [], []
        for kernel, group in zip(kernels, self.read_in.groups(), strict=True):
            smoothed.append(self.read_in.smoother(kernel, is_causal=False) @ alone)
            of_group = torch.zeros_like(loading)
            of_group[:, group] = loading[:, group]
            loadings.append(of_group)
        return tuple(smoothed), tuple(loadings)

    def scores_from_past(self, prompt: int, kernels: Kernels, n_seen: int, bins: slice) -> Tensor:
        """Return the causal scores of some bins where only the first `n_seen` are visible."""
        everyone = torch.ones(self.standard.shape[2], dtype=torch.bool, device=self.total.device)
        past = self.total[:, :n_seen]
        return self._smooth(prompt, kernels, past, everyone, bins, is_causal=True)

    def _add_up(self, chosen: Tensor) -> Tensor:
        units = chosen.nonzero()[:, 0]
        return self.standard[..., units] @ self.read_in.loading[:, units].T

    def _smooth(
        self,
        prompt: int,
        kernels: Kernels,
        sums: Tensor,
        is_visible: Tensor,
        bins: slice,
        *,
        is_causal: bool,
    ) -> Tensor:
        softening = self.read_in.log_softening[prompt].exp()
        share = self.read_in.share @ is_visible.to(sums.dtype)
        parts = []
        for group, index in zip(self.read_in.groups(), kernels, strict=True):
            kernel = self.read_in.smoother(index, is_causal=is_causal)[bins, : sums.shape[1]]
            seen = kernel.sum(dim=1, keepdim=True) * share[group]
            factor = (1 + softening[group]) / (seen + softening[group])
            parts.append((kernel @ sums[..., group]) * factor)
        return torch.cat(parts, dim=-1)
