"""The multi-task draw: each batch, or each trial, gets one of the training schemes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from mtm_core.config import MaskingConfig, SchemeName
from mtm_core.errors import MaskError
from mtm_core.masking import schemes
from mtm_core.masking.masked_batch import (
    MaskedBatch,
    mask_counts,
    prompt_index,
    scheme_prompt,
)
from mtm_core.masking.schemes import Mask, RegionChoice, Shape
from mtm_core.masking.targets import region_sizes, target_regions
from mtm_core.seeding import torch_generator

Draw = Callable[[Shape, Generator], Mask]


class MaskSampler:
    """Draw training masks for one session.

    Parameters
    ----------
    config : MaskingConfig
        Which schemes, and how much they hide.
    region : ndarray of str, shape (n_units,)
        Region of each unit.
    session_id : str
        Written into the batches.

    Raises
    ------
    MaskError
        If a scheme needs a region and none is large enough.

    Examples
    --------
    >>> sampler = MaskSampler(MaskingConfig(schemes=("neuron",)), np.array(["CA1"] * 4))
    >>> batch = sampler.draw(torch.ones(2, 3, 4), torch.Generator().manual_seed(0))
    >>> bool((batch.inputs[batch.is_hidden] == 0).all()), batch.prompt.tolist()
    (True, [1, 1])
    """

    def __init__(
        self, config: MaskingConfig, region: NDArray[np.str_], session_id: str = ""
    ) -> None:
        self.config = config
        self.region = region
        self.session_id = session_id
        self._draws: tuple[Draw, ...] = tuple(self._scheme(name) for name in config.schemes)

    def draw(self, counts: Tensor, generator: Generator) -> MaskedBatch:
        """Hide entries of a batch of counts.

        Parameters
        ----------
        counts : Tensor of float32, shape (n_trials, n_bins, n_units)
            True counts; left as they are.
        generator : torch.Generator
            The source of randomness; masks are drawn on its device.

        Returns
        -------
        MaskedBatch
            Under ``mixing="batch"`` all trials share a scheme (not its units, bins or region);
            under ``"trial"`` each trial draws its own.
        """
        names = self.config.schemes
        size = (1,) if self.config.mixing == "batch" else (len(counts),)
        picks = torch.randint(len(names), size, generator=generator, device=generator.device)
        return self._apply(counts, picks.expand(len(counts)), generator)

    def fixed_masks(self, counts: Tensor, seed: int) -> dict[SchemeName, MaskedBatch]:
        """Hide entries of validation trials: the same masks at every call.

        Parameters
        ----------
        counts : Tensor of float32, shape (n_trials, n_bins, n_units)
            Validation counts.
        seed : int
            Seed of the masks.

        Returns
        -------
        dict of str to MaskedBatch
            Every trial under every scheme; score the `is_scored` entries only.
        """
        batches: dict[SchemeName, MaskedBatch] = {}
        for index, name in enumerate(self.config.schemes):
            generator = torch_generator(seed, "fixed masks", name)
            picks = torch.full((len(counts),), index)
            batches[name] = self._apply(counts, picks, generator)
        return batches

    def _apply(self, counts: Tensor, picks: Tensor, generator: Generator) -> MaskedBatch:
        _, n_bins, n_units = counts.shape
        is_hidden = torch.empty(counts.shape, dtype=torch.bool, device=generator.device)
        scored_apart: list[tuple[Tensor, Tensor]] = []
        for index, draw in enumerate(self._draws):
            rows = (picks == index).nonzero()[:, 0]
            if len(rows):
                mask = draw((len(rows), n_bins, n_units), generator)
                is_hidden[rows] = mask.is_hidden
                if mask.is_scored is not mask.is_hidden:
                    scored_apart.append((rows, mask.is_scored))
        is_scored = is_hidden.clone()  # cheaper than writing the same masks twice
        for rows, mask_scored in scored_apart:
            is_scored[rows] = mask_scored
        prompts = [prompt_index(scheme_prompt(name)) for name in self.config.schemes]
        prompt = torch.tensor(prompts, device=generator.device)[picks].to(counts.device)
        is_hidden, is_scored = is_hidden.to(counts.device), is_scored.to(counts.device)
        is_causal = prompt == prompt_index("causal")
        return mask_counts(counts, is_hidden, is_scored, prompt, is_causal, self.session_id)

    def _scheme(self, name: SchemeName) -> Draw:
        config = self.config
        if name == "temporal":
            return partial(
                schemes.temporal, ratio=config.temporal_ratio, span=config.temporal_span
            )
        if name == "random_token":
            return partial(schemes.random_token, ratio=config.token_ratio)
        if name == "coordinated_dropout":
            return partial(schemes.coordinated_dropout, ratio=config.dropout_ratio)
        if name == "neuron":
            return partial(schemes.neuron, ratio=config.neuron_ratio)
        if name == "causal":
            return partial(schemes.causal, ratio=config.causal_ratio, span=config.causal_span)
        if name == "inter_region":
            return partial(schemes.inter_region, regions=self._regions(name))
        if name == "region_subset":
            return partial(schemes.region_subset, regions=self._regions(name))
        return partial(
            schemes.intra_region, ratio=config.neuron_ratio, regions=self._regions(name)
        )

    def _regions(self, scheme: SchemeName) -> RegionChoice:
        """List the regions that a scheme may draw, with their chances."""
        sizes = region_sizes(self.region)
        smallest = max(self.config.min_region_units, 1)
        names = [
            name
            for name in target_regions(
                self.region, smallest, with_unnamed=self.config.draw_unnamed_regions
            )
            # Hiding the only region would leave the model nothing to read.
            if scheme != "inter_region" or sizes[name] < len(self.region)
        ]
        if len(names) < (2 if scheme == "region_subset" else 1):
            raise MaskError(_too_few_regions(scheme, smallest, len(names)))
        is_member = torch.tensor(np.stack([self.region == name for name in names]))
        by_size = self.config.region_draw == "size"
        weight = [float(sizes[name]) if by_size else 1.0 for name in names]
        return RegionChoice(is_member, torch.tensor(weight))


def _too_few_regions(scheme: SchemeName, smallest: int, n_found: int) -> str:
    """Say which regions a scheme lacks."""
    needed = {
        "inter_region": f"a named region of at least {smallest} units beside others",
        "region_subset": f"two named regions of at least {smallest} units",
    }.get(scheme, f"a named region of at least {smallest} units")
    return (
        f"The scheme '{scheme}' needs {needed}, and this session has "
        f"{'one' if n_found else 'none'}. Leave it out of --masking.schemes, or lower "
        "--masking.min_region_units."
    )
