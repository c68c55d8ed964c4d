from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import torch

from mtm_core.errors import MaskError
from mtm_core.masking import schemes
from mtm_core.masking.schemes import Mask, RegionChoice, Shape

SHAPE = (400, 12, 20)
Scheme = Callable[[Shape, torch.Generator], Mask]


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make_regions(*sizes: int, weight: list[float] | None = None) -> RegionChoice:
    """Regions of the given sizes, one after the other; the last one may not be drawn."""
    label = torch.repeat_interleave(torch.arange(len(sizes)), torch.tensor(sizes))
    is_member = label == torch.arange(len(sizes) - 1)[:, None]
    return RegionChoice(is_member, torch.tensor(weight or [1.0] * (len(sizes) - 1)))


REGIONS = make_regions(8, 6, 6)
ALL: dict[str, Scheme] = {
    "temporal": partial(schemes.temporal, ratio=0.3),
    "temporal spans": partial(schemes.temporal, ratio=0.3, span=3),
    "random_token": partial(schemes.random_token, ratio=0.3),
    "neuron": partial(schemes.neuron, ratio=0.3),
    "causal": partial(schemes.causal, ratio=0.6),
    "causal suffix": partial(schemes.causal, ratio=0.6, span="suffix"),
    "causal mixed": partial(schemes.causal, ratio=0.6, span="mixed"),
    "inter_region": partial(schemes.inter_region, regions=REGIONS),
    "intra_region": partial(schemes.intra_region, ratio=0.3, regions=REGIONS),
    "region_subset": partial(schemes.region_subset, regions=REGIONS),
    "coordinated_dropout": partial(schemes.coordinated_dropout, ratio=0.3),
}


@pytest.mark.parametrize("scheme", ALL.values(), ids=ALL)
def test_every_trial_has_scored_hidden_and_visible_entries(scheme: Scheme) -> None:
    mask = scheme(SHAPE, seeded())
    assert mask.is_hidden.shape == mask.is_scored.shape == SHAPE
    assert mask.is_hidden.dtype == mask.is_scored.dtype == torch.bool
    assert mask.is_scored.flatten(1).any(1).all()
    assert (~mask.is_hidden).flatten(1).any(1).all()


@pytest.mark.parametrize("scheme", ALL.values(), ids=ALL)
def test_only_hidden_entries_are_scored(scheme: Scheme) -> None:
    mask = scheme(SHAPE, seeded())
    assert not (mask.is_scored & ~mask.is_hidden).any()


@pytest.mark.parametrize("scheme", ALL.values(), ids=ALL)
def test_same_generator_same_mask_and_no_global_randomness(scheme: Scheme) -> None:
    before = torch.get_rng_state()
    first, second, other = (scheme(SHAPE, seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(first.is_hidden, second.is_hidden)
    assert torch.equal(first.is_scored, second.is_scored)
    assert not torch.equal(first.is_hidden, other.is_hidden)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("scheme", ALL.values(), ids=ALL)
def test_trials_draw_their_own_masks(scheme: Scheme) -> None:
    is_hidden = scheme(SHAPE, seeded()).is_hidden
    assert (is_hidden != is_hidden[:1]).any()


@pytest.mark.parametrize("name", ["temporal", "temporal spans", "causal", "causal suffix"])
def test_bins_are_hidden_for_all_units(name: str) -> None:
    is_hidden = ALL[name](SHAPE, seeded()).is_hidden
    assert torch.equal(is_hidden, is_hidden[:, :, :1].expand(SHAPE))


@pytest.mark.parametrize("name", ["neuron", "inter_region", "intra_region", "region_subset"])
def test_units_are_hidden_for_the_whole_trial(name: str) -> None:
    is_hidden = ALL[name](SHAPE, seeded()).is_hidden
    assert torch.equal(is_hidden, is_hidden[:, :1].expand(SHAPE))


@pytest.mark.parametrize(
    ("name", "share"),
    [("temporal", 0.3), ("temporal spans", 0.3), ("neuron", 0.3), ("causal", 0.6)],
)
def test_the_hidden_share_is_the_ratio(name: str, share: float) -> None:
    shape = (2000, 40, 50)
    is_hidden = ALL[name](shape, seeded()).is_hidden
    assert is_hidden.float().mean().item() == pytest.approx(share, abs=0.01)


def test_hidden_spans_have_at_least_their_length() -> None:
    mask = schemes.temporal((500, 30, 1), seeded(), ratio=0.2, span=4)
    is_hidden = mask.is_hidden[:, :, 0]
    lengths = [
        len(run)
        for row in is_hidden[:, 3:-3].tolist()
        for run in "".join("x" if hidden else " " for hidden in row).strip().split()
    ]
    # Runs that touch the edge of what was looked at may be cut; inner ones may not.
    inner = [
        len(run)
        for row in is_hidden.tolist()
        for run in "".join("x" if hidden else "." for hidden in row).strip("x").split(".")
        if run
    ]
    assert lengths
    assert min(inner) == 4


@pytest.mark.parametrize("span", [0, 12, 40])
def test_a_span_that_does_not_fit_is_refused(span: int) -> None:
    with pytest.raises(MaskError, match=f"spans of {span} bins do not fit in trials of 12"):
        schemes.temporal(SHAPE, seeded(), ratio=0.3, span=span)


def test_tokens_are_one_bin_by_128_units() -> None:
    is_hidden = schemes.random_token((50, 6, 300), seeded(), ratio=0.3).is_hidden
    for start in (0, 128, 256):
        token = is_hidden[:, :, start : start + 128]
        assert torch.equal(token, token[:, :, :1].expand_as(token))
    assert (is_hidden[:, :, 0] != is_hidden[:, :, 128]).any()
    assert (is_hidden[:, 0] != is_hidden[:, 1]).any()


def test_suffixes_reach_the_end_and_have_every_length_up_to_the_ratio() -> None:
    is_hidden = schemes.causal((500, 10, 1), seeded(), ratio=0.6, span="suffix").is_hidden[..., 0]
    assert is_hidden[:, -1].all()
    assert (is_hidden[:, 1:] >= is_hidden[:, :-1]).all()
    assert sorted(set(is_hidden.sum(1).tolist())) == [1, 2, 3, 4, 5, 6]


def test_mixed_causal_masks_hold_both_kinds() -> None:
    is_hidden = schemes.causal((500, 10, 1), seeded(), ratio=0.5, span="mixed").is_hidden[..., 0]
    is_suffix = (is_hidden[:, 1:] >= is_hidden[:, :-1]).all(1) & is_hidden[:, -1]
    assert 0.4 < is_suffix.float().mean() < 0.65


def test_inter_region_hides_and_scores_exactly_one_region() -> None:
    mask = ALL["inter_region"](SHAPE, seeded())
    for hidden in mask.is_hidden[:, 0]:
        assert any(torch.equal(hidden, member) for member in REGIONS.is_member)
    assert torch.equal(mask.is_hidden, mask.is_scored)


def test_intra_region_hides_all_outside_and_part_of_the_inside() -> None:
    mask = ALL["intra_region"](SHAPE, seeded())
    for hidden, scored in zip(mask.is_hidden[:, 0], mask.is_scored[:, 0], strict=True):
        inside = next(member for member in REGIONS.is_member if (member & scored).any())
        assert torch.equal(hidden, ~inside | scored)  # nothing that was to be hidden is dropped
        assert not (scored & ~inside).any()
        assert (inside & ~hidden).any()


def test_intra_region_hides_its_ratio_of_a_large_region() -> None:
    regions = make_regions(200, 100)
    mask = schemes.intra_region((500, 1, 300), seeded(), ratio=0.3, regions=regions)
    assert mask.is_scored[:, 0, :200].float().mean().item() == pytest.approx(0.3, abs=0.01)


def test_a_region_of_one_unit_is_scored_whole() -> None:
    regions = make_regions(1, 5)
    mask = schemes.intra_region((50, 2, 6), seeded(), ratio=0.3, regions=regions)
    assert mask.is_scored[:, :, 0].all()
    assert not mask.is_scored[:, :, 1:].any()


def shown_regions(mask: Mask, regions: RegionChoice) -> torch.Tensor:
    """Which regions each trial shows; a region is shown whole or not at all."""
    is_visible = ~mask.is_hidden[:, 0]
    shares = (is_visible.float() @ regions.is_member.float().T) / regions.is_member.sum(1)
    assert ((shares == 0) | (shares == 1)).all()
    return shares == 1


def test_region_subsets_show_every_number_of_regions_equally_often() -> None:
    regions = make_regions(9, 3, 2, 2, 4)  # four regions, and four units of none
    mask = schemes.region_subset((4000, 1, 20), seeded(), regions=regions)
    is_shown = shown_regions(mask, regions)
    shares = [(is_shown.sum(1) == n).float().mean().item() for n in (1, 2, 3)]
    assert shares == pytest.approx([1 / 3] * 3, abs=0.03)
    only_one = is_shown[is_shown.sum(1) == 1].float().mean(0)
    assert only_one.tolist() == pytest.approx([0.25] * 4, abs=0.04)  # large and small alike


def test_region_subsets_score_the_units_of_hidden_regions_and_no_others() -> None:
    mask = ALL["region_subset"](SHAPE, seeded())
    is_inside = REGIONS.is_member.any(0)
    assert torch.equal(mask.is_scored, mask.is_hidden & is_inside)
    assert (mask.is_scored[:, 0].sum(1) >= 6).all()  # the smallest region has six
    outside = mask.is_hidden[:, 0, ~is_inside]
    assert (outside == outside[:, :1]).all()
    assert outside[:, 0].float().mean().item() == pytest.approx(0.5, abs=0.1)


def test_regions_are_drawn_by_weight() -> None:
    regions = make_regions(2, 2, 2, weight=[3.0, 1.0])
    mask = schemes.inter_region((4000, 1, 6), seeded(), regions=regions)
    assert mask.is_hidden[:, 0, 0].float().mean().item() == pytest.approx(0.75, abs=0.03)


@pytest.mark.parametrize("shape", [(8, 1, 5), (8, 4, 1), (8, 1, 1), (8, 2, 2)])
@pytest.mark.parametrize("name", ["temporal", "random_token", "neuron", "causal", "causal suffix"])
def test_tiny_trials_still_score_something(name: str, shape: Shape) -> None:
    mask = ALL[name](shape, seeded())
    assert mask.is_scored.flatten(1).any(1).all()


@pytest.mark.parametrize("ratio", [0.01, 0.99])
def test_extreme_ratios_leave_something_hidden_and_something_visible(ratio: float) -> None:
    for scheme in (schemes.neuron, schemes.temporal, schemes.causal, schemes.random_token):
        is_hidden = scheme((200, 5, 5), seeded(), ratio=ratio).is_hidden.flatten(1)
        assert is_hidden.any(1).all()
        assert not is_hidden.all(1).any()


def test_coordinated_dropout_hides_single_entries() -> None:
    """Neither whole bins nor whole units: every entry for itself."""
    is_hidden = schemes.coordinated_dropout(SHAPE, seeded(), ratio=0.3).is_hidden
    assert is_hidden.float().mean().item() == pytest.approx(0.3, abs=0.01)
    for axis in (1, 2):
        assert not is_hidden.all(dim=axis).any()
        assert is_hidden.any(dim=axis).float().mean() > 0.95
    pairs = (is_hidden[:, 1:] & is_hidden[:, :-1]).float().mean().item()
    assert pairs == pytest.approx(0.09, abs=0.01)
