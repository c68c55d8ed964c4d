from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from mtm_core.models.factor_inference import FactorPrior, infer_factors

N_BINS, N_UNITS, N_FACTORS = 5, 12, 2
RNG = np.random.default_rng(3)
LOADINGS = RNG.normal(0.0, 0.7, (N_UNITS, N_FACTORS))
BASE = RNG.normal(0.0, 0.3, (N_BINS, N_UNITS))


def some_factors(n_trials: int) -> np.ndarray:
    """Two factors that follow each other, about a course that rises."""
    out = np.zeros((n_trials, N_BINS, N_FACTORS))
    out[:, 0] = RNG.normal(size=(n_trials, N_FACTORS))
    turn = np.array([[0.8, 0.3], [-0.2, 0.7]])
    for at in range(1, N_BINS):
        out[:, at] = out[:, at - 1] @ turn.T + RNG.normal(0.0, 0.5, (n_trials, N_FACTORS))
    return out + np.linspace(0.0, 1.0, N_BINS)[None, :, None]


@pytest.fixture(scope="module")
def prior():
    return FactorPrior.of(some_factors(4000))


def dense_precision(prior: FactorPrior) -> np.ndarray:
    """Write the prior's precision out, bin after bin."""
    size = N_BINS * N_FACTORS
    to_noise = np.eye(size)
    weight = np.zeros((size, size))
    for at in range(N_BINS):
        here = slice(at * N_FACTORS, (at + 1) * N_FACTORS)
        weight[here, here] = prior.innovation if at else prior.start
        if at:
            before = slice((at - 1) * N_FACTORS, at * N_FACTORS)
            to_noise[here, before] = -prior.transition
    return to_noise.T @ weight @ to_noise


def test_the_prior_has_the_moments_of_the_factors(prior):
    factors = some_factors(4000)
    assert np.allclose(prior.mean, factors.mean(axis=0), atol=0.1)
    assert np.allclose(prior.transition, [[0.8, 0.3], [-0.2, 0.7]], atol=0.02)
    assert np.allclose(prior.scale, (factors - factors.mean(axis=0)).std(axis=(0, 1)), rtol=0.05)
    covariance = np.linalg.inv(dense_precision(prior))
    deviations = (factors - factors.mean(axis=0)).reshape(len(factors), -1)
    assert np.allclose(covariance, np.cov(deviations.T), atol=0.12)


def test_the_posterior_is_that_of_all_bins_at_once(prior):
    """Beside a general optimiser and an inverse of the whole Hessian."""
    is_visible = RNG.random((N_BINS, N_UNITS)) < 0.7
    counts = RNG.poisson(1.0, (3, N_BINS, N_UNITS)).astype(float)
    found = infer_factors(prior, counts, is_visible, BASE, LOADINGS)
    precision = dense_precision(prior)

    def loss(flat: np.ndarray, trial: int) -> float:
        log_rate = BASE + flat.reshape(N_BINS, N_FACTORS) @ LOADINGS.T
        nats = (np.exp(log_rate) - counts[trial] * log_rate)[is_visible].sum()
        return float(nats + flat @ precision @ flat / 2)

    for trial in range(3):
        start = np.zeros(N_BINS * N_FACTORS)
        best = minimize(loss, start, args=(trial,), method="BFGS", options={"gtol": 1e-6}).x
        assert np.allclose(found.mean[trial].ravel(), best, atol=2e-3)
        rate = np.exp(BASE + best.reshape(N_BINS, N_FACTORS) @ LOADINGS.T) * is_visible
        hessian = precision.copy()
        for at in range(N_BINS):
            here = slice(at * N_FACTORS, (at + 1) * N_FACTORS)
            hessian[here, here] += LOADINGS.T @ (rate[at][:, None] * LOADINGS)
        inverse = np.linalg.inv(hessian)
        for at in range(N_BINS):
            here = slice(at * N_FACTORS, (at + 1) * N_FACTORS)
            assert np.allclose(found.covariance[trial, at], inverse[here, here], atol=5e-3)


def test_what_is_hidden_changes_nothing(prior):
    is_visible = RNG.random((N_BINS, N_UNITS)) < 0.5
    counts = RNG.poisson(1.0, (4, N_BINS, N_UNITS)).astype(float)
    found = infer_factors(prior, counts, is_visible, BASE, LOADINGS)
    other = np.where(is_visible, counts, 99.0)
    same = infer_factors(prior, other, is_visible, BASE, LOADINGS)
    assert np.array_equal(found.mean, same.mean)


def test_the_log_of_the_expected_rate_counts_what_is_not_known(prior):
    nothing = np.zeros((N_BINS, N_UNITS), dtype=bool)
    found = infer_factors(prior, np.zeros((1, N_BINS, N_UNITS)), nothing, BASE, LOADINGS)
    covariance = np.linalg.inv(dense_precision(prior))[-N_FACTORS:, -N_FACTORS:]
    expected = BASE[-1] + np.einsum("ui,ij,uj->u", LOADINGS, covariance, LOADINGS) / 2
    assert np.allclose(found.log_rate(BASE, LOADINGS)[0, -1], expected)
