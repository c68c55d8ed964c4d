from __future__ import annotations

import pytest
import torch

from mtm_core.models import attention_kernel
from mtm_core.models.attention_kernel import (
    FUSED_FROM,
    NEVER,
    attend_by_products,
    attend_fused,
    fastest_fused_from,
    fused_from,
)


def test_both_kernels_give_the_same_to_1e_5():
    generator = torch.Generator().manual_seed(0)
    query, key, value = torch.randn(3, 2, 4, 50, 16, generator=generator)
    mask = torch.zeros(1, 1, 50, 50).masked_fill(torch.ones(50, 50).triu(1).bool(), -torch.inf)
    plain = attend_by_products(query, key, value, mask)
    fused = attend_fused(query, key, value, mask)
    assert (plain - fused).abs().max() < 1e-5 * plain.abs().max()


@pytest.mark.parametrize(
    ("fused_s", "least"),
    [({100: 0.5, 400: 0.5}, 0), ({100: 1.0, 400: 0.5}, FUSED_FROM), ({100: 2.0, 400: 2.0}, NEVER)],
)
def test_the_faster_kernel_is_taken_by_the_number_of_tokens(monkeypatch, fused_s, least):
    is_faster = {n_tokens: seconds < 0.9 for n_tokens, seconds in fused_s.items()}
    monkeypatch.setattr(attention_kernel, "_is_fused_faster", lambda n, _: is_faster[n])
    assert fastest_fused_from(0.0) == least


def test_a_kernel_that_was_asked_for_is_taken_at_any_number():
    assert fused_from("fused") == 0
    assert fused_from("products") == NEVER


def test_a_fused_kernel_that_rounds_is_not_taken(monkeypatch):
    plain = attention_kernel.attend_by_products
    monkeypatch.setattr(attention_kernel, "attend_fused", lambda *of: plain(*of) * (1 + 1e-3))
    seconds = iter([1.0, 9.0] * 2)  # it would be the faster one
    monkeypatch.setattr(attention_kernel, "best_s", lambda *_, **__: next(seconds))
    assert fastest_fused_from(0.0) == NEVER
    monkeypatch.setattr(attention_kernel, "attend_fused", plain)
    assert fastest_fused_from(0.0) == 0
