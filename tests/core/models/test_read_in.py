from __future__ import annotations

import pytest
import torch

from mtm_core.models.read_in import ComponentReadIn, visible_share

N_TRIALS, N_BINS, N_UNITS, WIDTH = 2, 6, 5, 6


def make_read_in(n_copies: int = 2) -> ComponentReadIn:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(0)
        return ComponentReadIn(N_BINS, N_UNITS, WIDTH, n_prompts=3, n_copies=n_copies)


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


@pytest.mark.parametrize(("n_copies", "sizes"), [(2, [4, 2]), (3, [3, 2, 1])])
def test_every_component_is_in_one_group(n_copies: int, sizes: list[int]) -> None:
    rows = [list(range(WIDTH))[group] for group in make_read_in(n_copies).groups()]
    assert [len(each) for each in rows] == sizes
    assert [row for each in rows for row in each] == list(range(WIDTH))


def test_three_copies_have_three_widths_in_time() -> None:
    read_in = make_read_in(3)
    counts = torch.zeros(N_TRIALS, N_BINS, N_UNITS)
    counts[:, 2] = 1.0  # a flash: the wider the kernel, the less is left of it in its own bin
    found = scores(read_in, counts, torch.ones_like(counts))[:, 2].abs()
    left = found / (read_in.loading.sum(dim=1).abs())
    fast, middle, slow = (left[:, group].mean() for group in read_in.groups())
    assert fast > 1.5 * middle
    assert middle > 1.1 * slow


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
