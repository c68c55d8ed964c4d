from __future__ import annotations

import torch

from mtm_core.models.read_in import ComponentReadIn, visible_share

N_TRIALS, N_BINS, N_UNITS, WIDTH = 2, 6, 5, 6


def make_read_in() -> ComponentReadIn:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        return ComponentReadIn(N_BINS, N_UNITS, WIDTH, n_prompts=3)


def scores(read_in: ComponentReadIn, counts: torch.Tensor, visible: torch.Tensor) -> torch.Tensor:
    prompt, is_causal = torch.zeros(N_TRIALS, dtype=torch.int64), torch.zeros(N_TRIALS) > 0
    with torch.no_grad():
        return read_in.tokens(read_in.first(counts * visible, visible), prompt, is_causal)[1]


def test_shares_of_a_component_sum_to_one() -> None:
    share = visible_share(make_read_in().loading)
    torch.testing.assert_close(share.sum(dim=1), torch.ones(WIDTH))


def test_with_everything_visible_scores_are_smoothed_projections() -> None:
    read_in = make_read_in()
    counts = torch.randn(N_TRIALS, N_BINS, N_UNITS, generator=torch.Generator().manual_seed(1))
    found = scores(read_in, counts, torch.ones_like(counts))
    projection = counts @ read_in.loading.T
    fast, slow = read_in.groups()
    kernel = read_in.kernel[1] / read_in.kernel[1].sum(dim=1, keepdim=True)
    torch.testing.assert_close(found[..., fast], (kernel @ projection)[..., fast])
    flat = projection.mean(dim=1, keepdim=True).expand_as(projection)
    torch.testing.assert_close(found[..., slow], flat[..., slow])


def test_a_constant_pattern_is_estimated_from_half_the_bins() -> None:
    read_in = make_read_in()
    counts = torch.ones(N_TRIALS, N_BINS, N_UNITS)
    full = scores(read_in, counts, torch.ones_like(counts))
    visible = torch.ones_like(counts)
    visible[:, ::2] = 0
    half = scores(read_in, counts, visible)
    fast, _ = read_in.groups()
    ratio = (half / full)[..., fast]
    assert (ratio > 0.7).all()
    assert (ratio < 1.1).all()


def test_a_unit_column_is_what_hiding_it_takes_away() -> None:
    read_in = make_read_in()
    counts = torch.randn(N_TRIALS, N_BINS, N_UNITS, generator=torch.Generator().manual_seed(1))
    visible = torch.ones_like(counts)
    before = read_in.first(counts, visible)
    without = visible.clone()
    without[..., 2] = 0
    after = read_in.first(counts * without, without)
    by_count, by_visible = read_in.unit_columns(torch.tensor([2]))
    part = counts[..., 2, None] * by_count[0] + by_visible[0]
    torch.testing.assert_close(before - part, after)
