from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import PoissonRegressor

from mtm_core.models.baselines_rates import psth
from mtm_core.models.group_regression import Choice, SmoothedCounts, log_psth
from mtm_core.models.source_regression import choose_settings, predict_from
from tests.core.models.baseline_data import log_likelihood, make_bench, with_counts

SOURCES, TARGETS = np.arange(0, 7), np.arange(7, 10)
"""All in one region: they share its latent."""


@pytest.fixture(scope="module")
def bench():
    return make_bench(n_trials=90, n_units=30)


def test_it_reads_units_from_others(bench):
    choice = choose_settings(bench.data, SOURCES, TARGETS)
    log_rate = predict_from(bench.data, SOURCES, TARGETS, choice, bench.test)
    counts = bench.data.counts[bench.test][:, :, TARGETS]
    assert log_rate.shape == counts.shape
    plain = np.broadcast_to(np.log(psth(bench.data))[:, TARGETS], counts.shape)
    gain = log_likelihood(counts, log_rate) - log_likelihood(counts, plain)
    assert gain / counts.sum() / np.log(2) > 0.1


def test_only_the_sources_matter(bench):
    choice = Choice(width_s=0.02, n_components=5, penalty=100.0)
    before = predict_from(bench.data, SOURCES, TARGETS, choice, bench.test)
    counts = bench.data.counts.copy()
    counts[np.ix_(bench.test, np.arange(bench.data.n_bins), np.arange(7, 30))] = 9
    changed = with_counts(bench.data, counts)
    assert np.array_equal(before, predict_from(changed, SOURCES, TARGETS, choice, bench.test))
    counts[np.ix_(bench.test, np.arange(bench.data.n_bins), SOURCES)] = 9
    after = predict_from(changed, SOURCES, TARGETS, choice, bench.test)
    assert not np.allclose(before, after)


def test_it_agrees_with_scikit_learn_on_the_same_features(bench):
    """With all components a rotation of the sources, so that ridge fits are the same."""
    data = bench.data
    choice = Choice(width_s=0.02, n_components=len(SOURCES), penalty=30.0)
    own = predict_from(data, SOURCES, TARGETS, choice, bench.test)
    smooth = SmoothedCounts.fit(data, choice.width_s)
    features = [
        smooth.apply(data.counts[rows])[:, SOURCES].astype(float)
        for rows in (data.train, bench.test)
    ]
    for place, unit in enumerate(TARGETS):
        exposure = np.exp(np.tile(log_psth(data)[:, unit], len(data.train)).astype(float))
        counts = data.counts[data.train][:, :, unit].reshape(-1)
        # Fitting rates over the offset with the offset as weight is fitting counts.
        rival = PoissonRegressor(alpha=choice.penalty / exposure.sum(), tol=1e-8, max_iter=1000)
        rival.fit(features[0], counts / exposure, sample_weight=exposure)
        log_gain = features[1] @ rival.coef_ + rival.intercept_
        expected = log_gain.reshape(len(bench.test), -1) + log_psth(data)[:, unit]
        most = (features[0] @ rival.coef_ + rival.intercept_).max()
        is_inside = log_gain.reshape(len(bench.test), -1) < most
        assert np.abs(own[:, :, place] - expected)[is_inside].max() < 0.01


def test_a_search_can_be_stopped(bench):
    assert choose_settings(bench.data, SOURCES, TARGETS, lambda: True) is None
