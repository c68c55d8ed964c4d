"""From counts to tokens: the first part of an NDT, linear in the counts of each bin.

A read-in is used in two steps. `first` maps the standardised visible counts of every bin, and
which of them are visible, to a few numbers per bin; it is linear, so that hiding one more unit is
a rank-one change (`unit_columns`). `tokens` does the rest.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

KERNEL_SIGMAS = {2: (0.5, 2.0, 5.0), 3: (1.0, 2.0, 3.0, 5.0)}
"""Widths in bins of the temporal kernels of `ComponentReadIn`, by the number of times that the
components come; a flat one comes on top."""
FIRST_KERNELS = {2: (1, 3), 3: (0, 2, 4)}
"""Kernels of the groups of components of a fresh model, the fastest first."""
SLOWER_SHARES = {2: (1 / 3,), 3: (2 / 5, 1 / 5)}
"""Shares of the width that the slower groups take; the fastest takes the rest."""
STITCH_GAIN = 3.0
"""Initial weights of the three maps of stitching are this much larger than torch's default. With
the default, what arrives has a spread of 0.13 (120 units, all visible) and is hardly told from the
embeddings of positions (0.1); with this, 1.1."""
SOFTENING = 0.1
"""Share of a component that counts as visible even where nothing of it is."""


class LinearReadIn(nn.Module):
    """One matrix, or the paper's N -> 2N, softsign, -> width.

    Parameters
    ----------
    n_units, width : int
        Sizes of a bin's counts and of a token.
    mask_flag : bool
        Read in, beside the counts, which units are hidden.
    two_layer : bool
        Use the paper's two layers.
    gain : float
        Initial weights of counts are this much larger than torch's default.
    """

    def __init__(
        self, n_units: int, width: int, *, mask_flag: bool, two_layer: bool, gain: float = 1.0
    ) -> None:
        super().__init__()
        first_width = 2 * n_units if two_layer else width
        self.counts_in = nn.Linear(n_units, first_width)
        self.flag_in = nn.Linear(n_units, first_width, bias=False) if mask_flag else None
        self.second_in = nn.Linear(first_width, width) if two_layer else None
        with torch.no_grad():
            self.counts_in.weight.mul_(gain)
        if self.flag_in is not None:
            nn.init.zeros_(self.flag_in.weight)

    def first(self, standard: Tensor, visible: Tensor) -> Tensor:
        """Map bins of (..., n_units), with `visible` as 0 or 1, to (..., n_first)."""
        first: Tensor = self.counts_in(standard)
        if self.flag_in is not None:
            first = first + self.flag_in(1 - visible)
        return first

    def unit_columns(self, units: Tensor) -> tuple[Tensor, Tensor]:
        """Return what a unit's count, and its being visible, add to `first`: (n, n_first) each."""
        by_count = self.counts_in.weight.T[units]
        if self.flag_in is None:
            return by_count, torch.zeros_like(by_count)
        return by_count, -self.flag_in.weight.T[units]

    def tokens(self, first: Tensor, prompt: Tensor, is_causal: Tensor) -> tuple[Tensor, Tensor]:
        """Return tokens (n_trials, n_bins, width), twice: no part of them passes by the layers."""
        del prompt, is_causal
        if self.second_in is not None:
            first = self.second_in(nn.functional.softsign(first))
        return first, torch.zeros((), device=first.device)


class ComponentReadIn(nn.Module):
    """Principal components of the population, smoothed in time over what is visible.

    The leading components come twice, with a fast and with a slow temporal kernel, or three times.
    The components and their loadings are fixed by `models.warm_start`. A component's score in a
    trial is estimated from its visible units and bins: the smoothed sum over visible entries,
    divided by the smoothed share of the component's squared loadings that is visible. Every prompt
    mixes temporal kernels of several widths in its own way; under a causal mask all of them reach
    into the past only.

    Parameters
    ----------
    n_bins, n_units, width : int
        Sizes; `width` is the number of components.
    n_prompts : int
        Number of prompts.
    n_copies : int
        How often the components come: 2 or 3 times.
    fitted_softening : bool
        Keep in the state with which softening each prompt starts (see `training.softening`).
    """

    loading: Tensor
    share: Tensor
    kernel: Tensor
    past: Tensor
    start_kernel: Tensor
    start_softening: Tensor

    def __init__(
        self,
        n_bins: int,
        n_units: int,
        width: int,
        n_prompts: int,
        n_copies: int = 2,
        *,
        fitted_softening: bool = False,
    ) -> None:
        super().__init__()
        self.n_copies = n_copies
        loading = torch.randn(width, n_units) * n_units**-0.5
        self.register_buffer("loading", loading)
        self.register_buffer("share", visible_share(loading))
        self.flag_in = nn.Linear(width, width, bias=False)
        nn.init.zeros_(self.flag_in.weight)
        first = FIRST_KERNELS[n_copies]
        self.mix = nn.Parameter(self._one_kernel_each(first).repeat(n_prompts, 1, 1))
        self.register_buffer("start_kernel", torch.tensor([first] * n_prompts))
        softening = torch.full((n_prompts, width), math.log(SOFTENING))
        self.log_softening = nn.Parameter(softening)
        self.register_buffer("start_softening", softening.clone(), persistent=fitted_softening)
        age = torch.arange(n_bins)[:, None] - torch.arange(n_bins)
        kernels = [torch.exp(-0.5 * (age / sigma) ** 2) for sigma in KERNEL_SIGMAS[n_copies]]
        kernels.append(torch.ones(n_bins, n_bins))
        self.register_buffer("kernel", torch.stack(kernels), persistent=False)
        self.register_buffer("past", (age >= 0).float(), persistent=False)

    def groups(self) -> tuple[slice, ...]:
        """Return the groups of components that share a temporal kernel, the fastest first."""
        width = self.share.shape[0]
        sizes = [int(share * width) for share in SLOWER_SHARES[self.n_copies]]
        ends = list(itertools.accumulate([width - sum(sizes), *sizes]))
        return tuple(itertools.starmap(slice, itertools.pairwise([0, *ends])))

    def _one_kernel_each(self, kernels: Sequence[int]) -> Tensor:
        n_kernels, width = len(KERNEL_SIGMAS[self.n_copies]) + 1, self.share.shape[0]
        mix = torch.zeros(n_kernels, width, device=self.share.device)
        for kernel, group in zip(kernels, self.groups(), strict=True):
            mix[kernel, group] = 1.0
        return mix

    def set_kernels(self, choice: Sequence[Sequence[int]]) -> None:
        """Start each prompt with a kernel for each group of its components."""
        for prompt, kernels in enumerate(choice):
            self.start_kernel[prompt] = torch.tensor(kernels)
            self.reset(prompt)

    @torch.no_grad()
    def reset(self, prompt: int) -> None:
        """Give a prompt the kernels and the softening that it started with."""
        self.mix[prompt] = self._one_kernel_each(self.start_kernel[prompt].tolist())
        self.log_softening[prompt] = self.start_softening[prompt]

    @torch.no_grad()
    def set_softening(self, prompt: int, softening: Tensor) -> None:
        """Start a prompt with the softening of each component, shape (width,)."""
        self.start_softening[prompt] = softening.log()
        self.reset(prompt)

    @torch.no_grad()
    def spread(self, standard: Tensor, prompt: int) -> Tensor:
        """Return the variance of each score with everything in view, shape (width,).

        `standard` are standardised counts (n_trials, n_bins, n_units).
        """
        is_causal = torch.zeros(len(standard), dtype=torch.bool, device=standard.device)
        first = self.first(standard, torch.ones_like(standard))
        sums, _ = self._smooth(first, is_causal).chunk(2, dim=-1)
        return (sums * self.mix[prompt][:, None, :]).sum(dim=1).flatten(0, 1).var(dim=0)

    def set_loadings(self, loading: Tensor) -> None:
        """Fix the components: loadings of shape (width, n_units)."""
        self.loading.copy_(loading)
        self.share.copy_(visible_share(loading))

    def smoother(self, index: int, *, is_causal: bool) -> Tensor:
        """Return a temporal kernel whose rows sum to 1: (n_bins, n_bins)."""
        kernel = self.kernel[index] * self.past if is_causal else self.kernel[index]
        return kernel / kernel.sum(dim=1, keepdim=True)

    def first(self, standard: Tensor, visible: Tensor) -> Tensor:
        """Map bins of (..., n_units) to sums and visible shares, side by side: (..., 2 width)."""
        linear = nn.functional.linear
        return torch.cat([linear(standard, self.loading), linear(visible, self.share)], dim=-1)

    def unit_columns(self, units: Tensor) -> tuple[Tensor, Tensor]:
        """Return what a unit's count, and its being visible, add to `first`: (n, 2 width) each."""
        by_count, by_visible = self.loading.T[units], self.share.T[units]
        nothing = torch.zeros_like(by_count)
        return torch.cat([by_count, nothing], dim=1), torch.cat([nothing, by_visible], dim=1)

    def tokens(self, first: Tensor, prompt: Tensor, is_causal: Tensor) -> tuple[Tensor, Tensor]:
        """Return tokens for the layers, and the scores that pass by them to the read-out.

        Parameters
        ----------
        first : Tensor, shape (n_trials, n_bins, 2 width)
        prompt, is_causal : Tensor, shape (n_trials,)

        Returns
        -------
        tokens, scores : Tensor, shape (n_trials, n_bins, width)
        """
        sums, shares = self._smooth(first, is_causal).chunk(2, dim=-1)
        softening = self.log_softening[prompt].exp()[:, None, None]
        estimates = sums * ((1 + softening) / (shares + softening))
        scores = (estimates * self.mix[prompt][:, :, None]).sum(dim=1)
        return scores + self.flag_in(1 - shares[:, 1]), scores

    def _smooth(self, first: Tensor, is_causal: Tensor) -> Tensor:
        """Smooth over bins with each kernel: (n_trials, n_kernels, n_bins, -1)."""
        kernel = self.kernel * torch.where(is_causal[:, None, None, None], self.past, 1.0)
        kernel = kernel / kernel.sum(dim=-1, keepdim=True)
        return kernel @ first[:, None]


def visible_share(loading: Tensor) -> Tensor:
    """Return squared loadings, scaled so that each component's sum to 1."""
    squared = loading**2
    return squared / squared.sum(dim=1, keepdim=True).clamp(min=1e-12)
