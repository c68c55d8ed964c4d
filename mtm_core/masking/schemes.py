"""The training schemes: which entries are hidden, which are scored.

Each scheme is a pure function of a shape, its settings and a generator. Every trial draws its
own bins, units and region. Nothing is edited in place and no global random state is used.

Every trial of every scheme hides and scores at least one entry, and shows at least one wherever
the scheme leaves a choice, so that no training step is empty.

References
----------
Zhang et al. (2024), *Towards a "universal translator" for neural dynamics at single-cell,
single-spike resolution*, NeurIPS, arXiv:2407.14668. Keshtkaran et al. (2022), *A large-scale
neural network training framework for generalized estimation of single-trial population dynamics*,
Nature Methods 19 (coordinated dropout).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Generator, Tensor

from mtm_core.errors import MaskError

TOKEN_UNITS = 128
"""Units in one token of the random_token scheme."""

Shape = tuple[int, int, int]
"""Numbers of trials, bins and units."""


class Mask(NamedTuple):
    """What a scheme drew.

    Parameters
    ----------
    is_hidden, is_scored : Tensor of bool, shape (n_trials, n_bins, n_units)
        Entries withheld from the model, and entries that the loss counts. They may be expanded
        views: read them, never write to them.
    """

    is_hidden: Tensor
    is_scored: Tensor


@dataclass(frozen=True, eq=False)
class RegionChoice:
    """The regions that a scheme may draw.

    Parameters
    ----------
    is_member : Tensor of bool, shape (n_regions, n_units)
        The units of each region.
    weight : Tensor of float32, shape (n_regions,)
        Chance of each region, up to a factor.
    """

    is_member: Tensor
    weight: Tensor

    def draw(self, n_trials: int, generator: Generator) -> Tensor:
        """Draw a region for each trial; return its units, bool (n_trials, n_units)."""
        weight = self.weight.to(generator.device)
        picks = torch.multinomial(weight, n_trials, replacement=True, generator=generator)
        return self.is_member.to(generator.device)[picks]


def temporal(shape: Shape, generator: Generator, *, ratio: float, span: int = 1) -> Mask:
    """Hide bins of all units, singly or in spans; score them (the NDT1 baseline).

    Parameters
    ----------
    shape : tuple of int
        (n_trials, n_bins, n_units).
    generator : torch.Generator
        The source of randomness.
    ratio : float
        Chance of each bin to be hidden, whatever the span.
    span : int
        Length in bins of a hidden stretch.

    Returns
    -------
    Mask
        Hidden and scored entries, here the same.

    Raises
    ------
    MaskError
        If a span does not fit in the trial.

    Examples
    --------
    >>> mask = temporal((2, 10, 3), torch.Generator().manual_seed(0), ratio=0.3)
    >>> mask.is_hidden.shape, mask.is_scored is mask.is_hidden
    (torch.Size([2, 10, 3]), True)
    """
    n_trials, n_bins, _ = shape
    if not 1 <= span < max(n_bins, 2):
        msg = f"Hidden spans of {span} bins do not fit in trials of {n_bins} bins."
        raise MaskError(msg)
    draws = _uniform(generator, n_trials, n_bins + span - 1)
    # A bin is hidden if any of the `span` draws that cover it falls below the chance.
    lowest = draws.unfold(1, span, 1).amin(-1)
    return _whole_bins(_below(lowest, 1 - (1 - ratio) ** (1 / span)), shape)


def random_token(shape: Shape, generator: Generator, *, ratio: float) -> Mask:
    """Hide tokens of one bin by 128 units with chance `ratio`; score them (the NDT2 baseline)."""
    n_trials, n_bins, n_units = shape
    n_groups = -(-n_units // TOKEN_UNITS)
    is_token = _below(_uniform(generator, n_trials, n_bins * n_groups), ratio)
    grid = is_token.view(n_trials, n_bins, n_groups)
    return _hidden_is_scored(grid.repeat_interleave(TOKEN_UNITS, dim=2)[:, :, :n_units])


def coordinated_dropout(shape: Shape, generator: Generator, *, ratio: float) -> Mask:
    """Hide single entries with chance `ratio`; score them (the LFADS baseline)."""
    n_trials, n_bins, n_units = shape
    is_hidden = _below(_uniform(generator, n_trials, n_bins * n_units), ratio)
    return _hidden_is_scored(is_hidden.view(shape))


def neuron(shape: Shape, generator: Generator, *, ratio: float) -> Mask:
    """Hide each unit for the whole trial with chance `ratio`; score the hidden units."""
    n_trials, _, n_units = shape
    return _hidden_is_scored(
        _whole_trials(_below(_uniform(generator, n_trials, n_units), ratio), shape)
    )


def causal(
    shape: Shape,
    generator: Generator,
    *,
    ratio: float,
    span: Literal["bins", "suffix", "mixed"] = "bins",
) -> Mask:
    """Hide bins of all units; score them. The model is to attend to the past only.

    Parameters
    ----------
    shape : tuple of int
        (n_trials, n_bins, n_units).
    generator : torch.Generator
        The source of randomness.
    ratio : float
        Chance of each bin to be hidden; for suffixes, the longest share of the trial.
    span : {"bins", "suffix", "mixed"}
        Hide single bins, or the last bins of the trial (as many as drawn uniformly between one
        and ``ratio * n_bins``), or in each trial one or the other with equal chance.

    Returns
    -------
    Mask
        Hidden and scored entries, here the same.
    """
    n_trials, n_bins, _ = shape
    if span == "bins":
        return _whole_bins(_below(_uniform(generator, n_trials, n_bins), ratio), shape)
    longest = min(max(round(ratio * n_bins), 1), max(n_bins - 1, 1))
    length = 1 + (_uniform(generator, n_trials, 1) * longest).long()
    is_suffix = torch.arange(n_bins, device=length.device) >= n_bins - length
    if span == "suffix":
        return _whole_bins(is_suffix, shape)
    is_single = _below(_uniform(generator, n_trials, n_bins), ratio)
    is_picked = _uniform(generator, n_trials, 1) < 0.5
    return _whole_bins(torch.where(is_picked, is_suffix, is_single), shape)


def inter_region(shape: Shape, generator: Generator, *, regions: RegionChoice) -> Mask:
    """Hide all units of one drawn region for the whole trial; score them."""
    return _hidden_is_scored(_whole_trials(regions.draw(shape[0], generator), shape))


def region_subset(shape: Shape, generator: Generator, *, regions: RegionChoice) -> Mask:
    """Show a random set of regions for the whole trial, and hide the others.

    Unlike `inter_region`, which always shows all others, this trains every question from "all but
    one region visible" to "only one region visible".

    Parameters
    ----------
    shape : tuple of int
        (n_trials, n_bins, n_units).
    generator : torch.Generator
        The source of randomness.
    regions : RegionChoice
        At least two regions that share no unit. In each trial the number of visible ones is drawn
        uniformly from one to all but one, and then which, equally: weights are not looked at, or
        a large region would hardly ever be the only visible one.

    Returns
    -------
    Mask
        The units of hidden regions are scored. Units of none of the regions are visible together
        in every other trial, on average, and never scored.
    """
    n_trials, n_regions = shape[0], len(regions.is_member)
    is_member = regions.is_member.to(generator.device)
    n_visible = 1 + (_uniform(generator, n_trials, 1) * (n_regions - 1)).long()
    place = _uniform(generator, n_trials, n_regions).argsort(dim=1).argsort(dim=1)
    is_inside = is_member.any(dim=0)
    is_visible = ((place < n_visible).float() @ is_member.float()) > 0
    is_outside_shown = ~is_inside & (_uniform(generator, n_trials, 1) < 0.5)
    is_hidden = ~is_visible & ~is_outside_shown
    return Mask(_whole_trials(is_hidden, shape), _whole_trials(is_hidden & is_inside, shape))


def intra_region(
    shape: Shape, generator: Generator, *, ratio: float, regions: RegionChoice
) -> Mask:
    """Hide all units outside one drawn region, and each inside with chance `ratio`.

    Only the hidden units *inside* the region are scored; there is always at least one, and at
    least one visible beside it if the region has two units or more.
    """
    n_trials, _, n_units = shape
    is_inside = regions.draw(n_trials, generator)
    is_scored = _below(_uniform(generator, n_trials, n_units), ratio, among=is_inside)
    return Mask(_whole_trials(~is_inside | is_scored, shape), _whole_trials(is_scored, shape))


def _uniform(generator: Generator, *size: int) -> Tensor:
    return torch.rand(size, generator=generator, device=generator.device)


def _below(draws: Tensor, ratio: float, among: Tensor | None = None) -> Tensor:
    """Mark draws under `ratio`; in each row at least one, and never all unless there is but one.

    Only entries `among` the allowed ones are marked.
    """
    low, high = draws, draws
    if among is not None:
        low, high = draws.masked_fill(~among, 2.0), draws.masked_fill(~among, -1.0)
    lowest, highest = low.amin(1, keepdim=True), high.amax(1, keepdim=True)
    is_low = low <= lowest.clamp_min(ratio)
    return is_low & ((low < highest) | (lowest >= highest))


def _whole_bins(is_hidden: Tensor, shape: Shape) -> Mask:
    return _hidden_is_scored(is_hidden[:, :, None].expand(shape))


def _whole_trials(is_hidden: Tensor, shape: Shape) -> Tensor:
    return is_hidden[:, None, :].expand(shape)


def _hidden_is_scored(is_hidden: Tensor) -> Mask:
    return Mask(is_hidden, is_hidden)
