from __future__ import annotations

import numpy as np
import pytest

from mtm_core.evaluation.damage import add_spikes, drop_units, thin_spikes
from mtm_core.masking.tasks import (
    co_smoothing,
    forward_prediction,
    inter_region,
    intra_region,
)
from tests.core.sessions import make_session

SESSION = make_session(n_trials=60, n_units=24, mean_count=2.0)
SPECS = {
    "co_smoothing": co_smoothing(),
    "forward_prediction": forward_prediction(10),
    "intra_region": intra_region("CA1"),
    "inter_region": inter_region("DG"),
}


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("name", SPECS)
def test_dropping_hides_its_share_of_the_visible_units_and_scores_the_same(name):
    before = SPECS[name].resolve(SESSION)
    after = drop_units(SPECS[name], SESSION, 0.5, rng()).resolve(SESSION)
    visible, left = ((~mask.is_hidden).any(axis=0) for mask in (before, after))
    assert left.sum() == visible.sum() - round(0.5 * visible.sum())
    assert not (left & ~visible).any()
    assert (after.is_hidden >= before.is_hidden).all()
    assert np.array_equal(after.is_scored, before.is_scored)
    assert after.one_at_a_time == before.one_at_a_time
    assert after.prompt == before.prompt


@pytest.mark.parametrize("name", SPECS)
def test_something_to_read_is_always_left(name):
    mask = drop_units(SPECS[name], SESSION, 0.99, rng()).resolve(SESSION)
    n_left = (~mask.is_hidden).any(axis=0).sum()
    assert n_left == (2 if mask.one_at_a_time else 1)


def test_more_is_dropped_of_the_same_units():
    few, many = (
        drop_units(co_smoothing(), SESSION, share, rng(3)).resolve(SESSION).is_hidden
        for share in (0.2, 0.6)
    )
    assert (many >= few).all()
    other = drop_units(co_smoothing(), SESSION, 0.2, rng(4)).resolve(SESSION).is_hidden
    assert not np.array_equal(few, other)


def test_nothing_is_dropped_at_a_tiny_share():
    assert drop_units(co_smoothing(), SESSION, 0.001, rng()) == co_smoothing()


def test_added_spikes_follow_each_units_mean_and_spare_other_trials():
    trials, before = np.arange(40), SESSION.counts.copy()
    mean = SESSION.counts.mean(axis=(0, 1))
    noisy = add_spikes(SESSION, trials, mean, 0.5, rng())
    extra = noisy.counts.astype(int) - SESSION.counts
    assert (extra[:40] >= 0).all()
    assert not extra[40:].any()
    assert extra[:40].mean(axis=(0, 1)) == pytest.approx(0.5 * mean, rel=0.25)
    assert np.array_equal(SESSION.counts, before)
    assert noisy.counts.dtype == np.uint8
    assert noisy.content_hash != SESSION.content_hash


def test_counts_stay_within_a_byte():
    full = add_spikes(SESSION, np.arange(2), np.full(24, 400.0), 1.0, rng())
    assert (full.counts[:2] == 255).all()


def test_thinning_deletes_its_share_of_the_spikes():
    trials = np.arange(50)
    thin = thin_spikes(SESSION, trials, 0.75, rng())
    assert (thin.counts <= SESSION.counts).all()
    assert thin.counts[:50].sum() == pytest.approx(0.25 * SESSION.counts[:50].sum(), rel=0.1)
    assert np.array_equal(thin.counts[50:], SESSION.counts[50:])
