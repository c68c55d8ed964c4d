from __future__ import annotations

import pytest
import torch

from mtm_core.models.layers import (
    Attention,
    Dropout,
    attention_mask,
    rotary_table,
    rotate,
)


@pytest.mark.parametrize("n_prefix", [0, 1, 2])
def test_prefix_tokens_see_prefix_tokens_only(n_prefix: int) -> None:
    mask = attention_mask(torch.tensor([True, False]), n_bins=4, n_prefix=n_prefix)
    allowed = torch.isfinite(mask[:, 0])
    assert not allowed[:, :n_prefix, n_prefix:].any()
    assert allowed[:, :n_prefix, :n_prefix].all()
    assert allowed[:, n_prefix:, :n_prefix].all()


def test_causal_trials_see_the_past_and_others_everything() -> None:
    allowed = torch.isfinite(attention_mask(torch.tensor([True, False]), 3, 0)[:, 0])
    assert allowed[0].tolist() == [[True, False, False], [True, True, False], [True] * 3]
    assert allowed[1].all()


def test_a_causal_token_sees_every_patch_of_its_own_and_earlier_bins() -> None:
    """Tokens are time-major: fault 2 of the public code is a mask laid out space-major."""
    mask = attention_mask(torch.tensor([True]), n_bins=2, n_prefix=1, n_patches=2)
    allowed = torch.isfinite(mask[0, 0]).int().tolist()
    assert allowed == [
        [1, 0, 0, 0, 0],  # the prefix token
        [1, 1, 1, 0, 0],  # first bin, first patch
        [1, 1, 1, 0, 0],  # first bin, second patch
        [1, 1, 1, 1, 1],
        [1, 1, 1, 1, 1],
    ]


def test_rotation_keeps_length_and_depends_on_distance_only() -> None:
    cosine, sine = rotary_table(10, 8)
    generator = torch.Generator().manual_seed(0)
    query, key = torch.randn(2, 1, 8, generator=generator)
    turned_query = rotate(query.expand(10, 8), cosine, sine)
    turned_key = rotate(key.expand(10, 8), cosine, sine)
    torch.testing.assert_close(turned_query.norm(dim=1), query.norm().expand(10))
    score = turned_query @ turned_key.T
    torch.testing.assert_close(score[2, 5], score[4, 7])


def test_attention_equals_torchs_own_kernel() -> None:
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(0)
        attention = Attention(width=8, heads=2, dropout=0.0)
        tokens = torch.randn(3, 5, 8)
    mask = attention_mask(torch.tensor([True, False, True]), 5, 0)
    packed = attention.project_in(tokens).view(3, 5, 3, 2, 4)
    query, key, value = packed.permute(2, 0, 3, 1, 4).unbind(0)
    fused = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
    expected = attention.project_out(fused.transpose(1, 2).reshape(3, 5, 8))
    torch.testing.assert_close(attention(tokens, mask, None), expected)


def test_dropout_keeps_the_mean_and_rests_in_evaluation() -> None:
    dropout, ones = Dropout(0.25), torch.ones(100_000)
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(0)
        dropped = dropout.train()(ones)
    assert dropped.unique().tolist() == [0.0, pytest.approx(4 / 3)]
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.01)
    assert torch.equal(dropout.eval()(ones), ones)
