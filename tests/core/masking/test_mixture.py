from __future__ import annotations

from typing import get_args

import numpy as np
import pytest
import torch

from mtm_core.config import MaskingConfig, SchemeName
from mtm_core.errors import MaskError
from mtm_core.masking.masked_batch import PROMPTS, prompt_index, scheme_prompt
from mtm_core.masking.mixture import MaskSampler

REGION = np.array(["CA1"] * 6 + ["DG"] * 10 + ["void"] * 5 + ["root"] * 5 + ["MB"] * 2)
EVERY: tuple[SchemeName, ...] = get_args(SchemeName)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make_counts(n_trials: int = 300, n_bins: int = 8) -> torch.Tensor:
    return torch.poisson(torch.full((n_trials, n_bins, len(REGION)), 1.5), generator=seeded(7))


def hidden_regions(sampler: MaskSampler) -> set[str]:
    """Regions that an inter-region sampler ever hides."""
    batch = sampler.draw(make_counts(), seeded())
    return {str(name) for row in batch.is_hidden[:, 0].numpy() for name in REGION[row]}


def test_a_batch_binds_what_is_hidden_to_what_is_scored() -> None:
    counts = make_counts()
    original = counts.clone()
    batch = MaskSampler(MaskingConfig(schemes=EVERY), REGION, "s1").draw(counts, seeded())
    assert torch.equal(batch.targets, original)
    assert torch.equal(counts, original)
    assert (batch.inputs[batch.is_hidden] == 0).all()
    assert torch.equal(batch.inputs[~batch.is_hidden], counts[~batch.is_hidden])
    assert batch.is_scored.flatten(1).any(1).all()
    assert batch.session_id == "s1"


def test_trial_mixing_gives_each_trial_its_own_scheme_with_equal_chance() -> None:
    batch = MaskSampler(MaskingConfig(), REGION).draw(make_counts(4000, 4), seeded())
    names, counts = np.unique([PROMPTS[i] for i in batch.prompt], return_counts=True)
    assert set(names) == set(MaskingConfig().schemes)
    assert counts / 4000 == pytest.approx([0.25] * 4, abs=0.03)


def test_batch_mixing_shares_the_scheme_but_not_its_units() -> None:
    sampler = MaskSampler(MaskingConfig(mixing="batch", schemes=("neuron", "causal")), REGION)
    generator = seeded()
    batches = [sampler.draw(make_counts(20), generator) for _ in range(20)]
    assert all(len(batch.prompt.unique()) == 1 for batch in batches)
    assert len({int(batch.prompt[0]) for batch in batches}) == 2
    assert all((batch.is_hidden != batch.is_hidden[:1]).any() for batch in batches)


def test_only_causal_trials_are_causal() -> None:
    batch = MaskSampler(MaskingConfig(schemes=EVERY), REGION).draw(make_counts(), seeded())
    assert torch.equal(batch.is_causal, batch.prompt == prompt_index("causal"))
    assert batch.is_causal.any()
    assert not batch.is_causal.all()


@pytest.mark.parametrize("scheme", EVERY)
def test_one_scheme_alone_is_that_scheme(scheme: SchemeName) -> None:
    batch = MaskSampler(MaskingConfig(schemes=(scheme,)), REGION).draw(make_counts(9), seeded())
    assert (batch.prompt == prompt_index(scheme_prompt(scheme))).all()


def test_the_same_generator_state_gives_the_same_batch() -> None:
    sampler, counts = MaskSampler(MaskingConfig(), REGION), make_counts()
    first, second = sampler.draw(counts, seeded(3)), sampler.draw(counts, seeded(3))
    assert torch.equal(first.is_hidden, second.is_hidden)
    assert torch.equal(first.prompt, second.prompt)
    assert not torch.equal(first.is_hidden, sampler.draw(counts, seeded(4)).is_hidden)


def test_small_and_unnamed_regions_are_never_drawn() -> None:
    sampler = MaskSampler(MaskingConfig(schemes=("inter_region",)), REGION)
    assert hidden_regions(sampler) == {"CA1", "DG"}


def test_unnamed_and_small_regions_are_drawn_on_request() -> None:
    config = MaskingConfig(schemes=("inter_region",), draw_unnamed_regions=True)
    assert hidden_regions(MaskSampler(config, REGION)) == {"CA1", "DG", "root", "void"}
    config = MaskingConfig(schemes=("inter_region",), min_region_units=2)
    assert hidden_regions(MaskSampler(config, REGION)) == {"CA1", "DG", "MB"}


def test_unnamed_regions_are_visible_and_hidden_like_others() -> None:
    batch = MaskSampler(MaskingConfig(schemes=("neuron",)), REGION).draw(make_counts(), seeded())
    is_void = torch.tensor(REGION == "void")
    share = batch.is_hidden[:, 0, is_void].float().mean().item()
    assert share == pytest.approx(0.3, abs=0.06)


@pytest.mark.parametrize(("draw", "share"), [("name", 1 / 2), ("size", 6 / 16)])
def test_regions_are_drawn_by_name_or_by_size(draw: str, share: float) -> None:
    config = MaskingConfig(schemes=("inter_region",), region_draw=draw)  # type: ignore[arg-type]
    batch = MaskSampler(config, REGION).draw(make_counts(4000, 1), seeded())
    assert batch.is_hidden[:, 0, 0].float().mean().item() == pytest.approx(share, abs=0.03)


@pytest.mark.parametrize("scheme", ["inter_region", "intra_region"])
@pytest.mark.parametrize("region", [["void"] * 9, [""] * 9, ["CA1", "DG", "MB"]])
def test_a_session_without_a_large_named_region_is_refused(
    scheme: SchemeName, region: list[str]
) -> None:
    with pytest.raises(MaskError, match=f"'{scheme}' needs a named region of at least 5 units"):
        MaskSampler(MaskingConfig(schemes=(scheme,)), np.array(region))


@pytest.mark.parametrize(("region", "found"), [("void", "one"), ("CA1", "one"), ("MB", "two")])
def test_region_subsets_need_two_large_named_regions(region: str, found: str) -> None:
    labels, config = (
        np.array(["CA1"] * 6 + [region] * 6),
        MaskingConfig(schemes=("region_subset",)),
    )
    if found == "two":
        batch = MaskSampler(config, labels).draw(torch.ones(50, 2, 12), seeded())
        assert (batch.is_scored[:, 0].sum(1) == 6).all()
    else:
        with pytest.raises(MaskError, match=r"needs two named regions .* this session has one"):
            MaskSampler(config, labels)


def test_region_subsets_never_score_small_or_unnamed_regions() -> None:
    sampler = MaskSampler(MaskingConfig(schemes=("region_subset",)), REGION)
    batch = sampler.draw(make_counts(), seeded())
    scored = {str(name) for row in batch.is_scored[:, 0].numpy() for name in REGION[row]}
    assert scored == {"CA1", "DG"}
    assert hidden_regions(sampler) == {"CA1", "DG", "root", "void", "MB"}


def test_the_only_region_is_never_hidden_whole() -> None:
    only = np.array(["CA1"] * 9)
    with pytest.raises(MaskError, match="beside others"):
        MaskSampler(MaskingConfig(schemes=("inter_region",)), only)
    sampler = MaskSampler(MaskingConfig(schemes=("intra_region",)), only)
    batch = sampler.draw(torch.ones(50, 2, 9), seeded())
    assert (~batch.is_hidden).flatten(1).any(1).all()


def test_fixed_masks_are_the_same_at_every_call() -> None:
    sampler, counts = MaskSampler(MaskingConfig(), REGION), make_counts(30)
    first = sampler.fixed_masks(counts, seed=1)
    sampler.draw(counts, seeded())
    second, other = sampler.fixed_masks(counts, seed=1), sampler.fixed_masks(counts, seed=2)
    assert tuple(first) == MaskingConfig().schemes
    for name, batch in first.items():
        assert torch.equal(batch.is_hidden, second[name].is_hidden)
        assert torch.equal(batch.is_scored, second[name].is_scored)
        assert not torch.equal(batch.is_hidden, other[name].is_hidden)
        assert (batch.prompt == prompt_index(name)).all()
        assert len(batch.targets) == 30


def test_fixed_masks_score_hidden_entries_only() -> None:
    batches = MaskSampler(MaskingConfig(), REGION).fixed_masks(make_counts(30), seed=0)
    assert all(not (b.is_scored & ~b.is_hidden).any() for b in batches.values())


def test_a_fixed_mask_does_not_depend_on_the_other_schemes() -> None:
    counts = make_counts(10)
    alone = MaskSampler(MaskingConfig(schemes=("causal",)), REGION).fixed_masks(counts, 0)
    among = MaskSampler(MaskingConfig(), REGION).fixed_masks(counts, 0)
    assert torch.equal(alone["causal"].is_hidden, among["causal"].is_hidden)


def test_a_batch_moves_to_a_device_whole() -> None:
    batch = MaskSampler(MaskingConfig(), REGION, "s1").draw(make_counts(3), seeded())
    moved = batch.to("cpu")
    for name in ("inputs", "targets", "is_hidden", "is_scored", "prompt", "is_causal"):
        assert torch.equal(getattr(moved, name), getattr(batch, name))
    assert moved.session_id == "s1"


def draw_plainly(
    sampler: MaskSampler, counts: torch.Tensor, generator: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Draw as `MaskSampler.draw` does, one scheme after the other, with nothing saved."""
    names = sampler.config.schemes
    size = (1,) if sampler.config.mixing == "batch" else (len(counts),)
    picks = torch.randint(len(names), size, generator=generator).expand(len(counts))
    is_hidden = torch.zeros(counts.shape, dtype=torch.bool)
    is_scored = torch.zeros(counts.shape, dtype=torch.bool)
    for index, draw in enumerate(sampler._draws):
        rows = [row for row, pick in enumerate(picks.tolist()) if pick == index]
        if rows:
            mask = draw((len(rows), *counts.shape[1:]), generator)
            for place, row in enumerate(rows):
                is_hidden[row], is_scored[row] = mask.is_hidden[place], mask.is_scored[place]
    return is_hidden, is_scored, torch.where(is_hidden, 0.0, counts)


@pytest.mark.parametrize("mixing", ["trial", "batch"])
@pytest.mark.parametrize("seed", range(8))
def test_masks_are_bit_by_bit_those_of_the_plain_way(mixing: str, seed: int) -> None:
    config = MaskingConfig(schemes=EVERY, mixing=mixing)  # type: ignore[arg-type]
    sampler, counts = MaskSampler(config, REGION), make_counts(40)
    fast, slow = seeded(seed), seeded(seed)
    for _ in range(3):
        batch = sampler.draw(counts, fast)
        is_hidden, is_scored, inputs = draw_plainly(sampler, counts, slow)
        assert torch.equal(batch.is_hidden, is_hidden)
        assert torch.equal(batch.is_scored, is_scored)
        assert torch.equal(batch.inputs, inputs)
    assert torch.equal(fast.get_state(), slow.get_state())


def test_hidden_and_scored_entries_share_no_memory() -> None:
    batch = MaskSampler(MaskingConfig(schemes=("neuron",)), REGION).draw(make_counts(4), seeded())
    assert torch.equal(batch.is_hidden, batch.is_scored)
    assert batch.is_hidden.data_ptr() != batch.is_scored.data_ptr()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_hidden_counts_become_zero_in_their_own_precision(dtype: torch.dtype) -> None:
    counts = make_counts(6).to(dtype)
    batch = MaskSampler(MaskingConfig(), REGION).draw(counts, seeded())
    assert batch.inputs.dtype == dtype
    assert torch.equal(batch.inputs, counts.masked_fill(batch.is_hidden, 0))
