"""Scores under block masks equal those of the model, which serves any mask."""

from __future__ import annotations

import pytest
import torch

from mtm_core.config_model import Ndt1Config
from mtm_core.masking.masked_batch import prompt_index
from mtm_core.models.block_scores import BlockScores
from mtm_core.models.ndt1 import Ndt1
from mtm_core.models.read_in import ComponentReadIn
from mtm_core.models.session_part import SessionFacts

N_TRIALS, N_BINS, N_UNITS = 4, 6, 9
KERNELS = (2, 3)


@pytest.fixture
def model() -> Ndt1:
    config = Ndt1Config(width=6, layers=1, heads=1, mlp_width=4, read_in="components")
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        model = Ndt1(config, SessionFacts(psth=torch.rand(N_BINS, N_UNITS) + 0.1, n_trials=20))
    read_in = model.part.read_in
    assert isinstance(read_in, ComponentReadIn)
    read_in.set_kernels([KERNELS] * len(read_in.start_kernel))
    return model.eval()


@pytest.fixture
def counts() -> torch.Tensor:
    shape = (N_TRIALS, N_BINS, N_UNITS)
    return torch.poisson(torch.ones(shape), generator=torch.Generator().manual_seed(1))


@torch.no_grad()
def plain_scores(
    model: Ndt1, counts: torch.Tensor, is_hidden: torch.Tensor, name: str
) -> torch.Tensor:
    first = model.first(counts, is_hidden.expand(counts.shape))
    prompt = torch.full((len(counts),), prompt_index(name))
    assert isinstance(model.part.read_in, ComponentReadIn)
    return model.part.read_in.tokens(first, prompt, prompt == prompt_index("causal"))[1]


def blocks_of(model: Ndt1, counts: torch.Tensor) -> BlockScores:
    assert isinstance(model.part.read_in, ComponentReadIn)
    return BlockScores.of(model.part.read_in, model.part.standardise(counts))


@pytest.mark.parametrize("n_visible", [N_UNITS, 7, 2])
@torch.no_grad()
def test_hidden_units(model: Ndt1, counts: torch.Tensor, n_visible: int) -> None:
    is_visible = torch.arange(N_UNITS) < n_visible
    plain = plain_scores(model, counts, (~is_visible).expand(N_BINS, -1), "intra_region")
    blocks = blocks_of(model, counts)
    prompt = prompt_index("intra_region")
    fast = blocks.scores(prompt, KERNELS, blocks.sums(is_visible), is_visible)
    torch.testing.assert_close(fast, plain, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_hidden_last_bins(model: Ndt1, counts: torch.Tensor) -> None:
    is_hidden = (torch.arange(N_BINS) >= 4)[:, None].expand(-1, N_UNITS)
    plain = plain_scores(model, counts, is_hidden, "causal")[:, 4:]
    fast = blocks_of(model, counts).scores_from_past(
        prompt_index("causal"), KERNELS, 4, slice(4, N_BINS)
    )
    torch.testing.assert_close(fast, plain, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_a_unit_s_own_part_is_what_it_adds_to_its_scores(
    model: Ndt1, counts: torch.Tensor
) -> None:
    """With the visible share kept, scores without the unit are scores minus its own part."""
    blocks, prompt = blocks_of(model, counts), prompt_index("neuron")
    everyone = torch.ones(N_UNITS, dtype=torch.bool)
    unit = torch.tensor([3])
    own, loading = blocks.own_part(prompt, KERNELS, everyone, unit)
    with_it = blocks.scores(prompt, KERNELS, blocks.sums(everyone), everyone)
    without = blocks.scores(
        prompt, KERNELS, blocks.sums(everyone & (torch.arange(9) != 3)), everyone
    )
    added = sum(smooth @ row for smooth, row in zip(own, loading, strict=True))
    torch.testing.assert_close(with_it - without, added, atol=1e-5, rtol=1e-5)


def test_some_trials_are_those_trials(model: Ndt1, counts: torch.Tensor) -> None:
    blocks, rows = blocks_of(model, counts), torch.tensor([2, 0])
    torch.testing.assert_close(blocks.take(rows).total, blocks_of(model, counts[rows]).total)
