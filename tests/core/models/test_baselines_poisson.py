from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import PoissonRegressor

from mtm_core.models.baselines_poisson import Design, fit_poisson

N_SAMPLES, N_SHARED, N_UNITS, N_FEATURES = 300, 6, 40, 4


def random_design(rng: np.random.Generator) -> Design:
    """A design with an intercept first, shared columns, and one column of each unit's own."""
    shared = rng.normal(size=(N_SAMPLES, N_SHARED)).astype(np.float32)
    shared[:, 0] = 1
    mix = rng.normal(0, 0.4, (N_UNITS, N_SHARED, N_FEATURES)).astype(np.float32)
    mix[:, :, 0] = np.eye(N_SHARED)[0]
    mix[:, 0, 1:] = 0
    own_mix = rng.normal(0, 0.4, (N_UNITS, N_FEATURES)).astype(np.float32)
    own_mix[:, 0] = 0
    own = rng.normal(size=(N_SAMPLES, N_UNITS)).astype(np.float32)
    return Design(shared=shared, own=own, mix=mix, own_mix=own_mix)


def plain_features(design: Design, unit: int) -> np.ndarray:
    """The features of one unit, written out."""
    if design.mix is None:
        return design.shared.astype(float)
    own = design.own[:, [unit]] * design.own_mix[unit]
    return (design.shared @ design.mix[unit] + own).astype(float)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(params=["own columns", "shared columns only"])
def design(request, rng) -> Design:
    full = random_design(rng)
    return full if request.param == "own columns" else Design(shared=full.shared[:, :N_FEATURES])


def test_products_equal_those_of_features_written_out(design, rng):
    beta = rng.normal(size=(N_UNITS, N_FEATURES)).astype(np.float32)
    weight = rng.random((N_SAMPLES, N_UNITS)).astype(np.float32)
    predicted, projected = design.predict(beta), design.project(weight)
    gram = design.gram(weight)
    for unit in range(N_UNITS):
        x = plain_features(design, unit)
        np.testing.assert_allclose(predicted[:, unit], x @ beta[unit], rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(projected[unit], x.T @ weight[:, unit], rtol=1e-3, atol=1e-2)
        expected = x.T @ (x * weight[:, [unit]])
        np.testing.assert_allclose(gram[unit], expected, rtol=1e-3, atol=1e-2)


def test_few_units_take_the_direct_way_to_the_same_gram(design, rng):
    weight = rng.random((N_SAMPLES, N_UNITS)).astype(np.float32)
    few = np.arange(3)
    direct = design.take(few).gram(weight[:, few])
    np.testing.assert_allclose(direct, design.gram(weight)[few], rtol=1e-3, atol=1e-3)


def test_first_features_are_a_part_of_all(design, rng):
    beta = rng.normal(size=(N_UNITS, N_FEATURES)).astype(np.float32)
    beta[:, 2:] = 0
    part = design.first(2)
    assert part.n_features == 2
    np.testing.assert_allclose(part.predict(beta[:, :2]), design.predict(beta), atol=1e-5)


def simulate(design: Design, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    beta = rng.normal(0, 0.5, (N_UNITS, N_FEATURES)).astype(np.float32)
    offset = rng.normal(-1.5, 0.5, (N_SAMPLES, N_UNITS)).astype(np.float32)
    return rng.poisson(np.exp(offset + design.predict(beta))).astype(np.float32), offset


@pytest.mark.parametrize("strength", [0.5, 20.0])
def test_the_batched_fit_agrees_with_scikit_learn_on_a_sample_of_units(design, rng, strength):
    counts, offset = simulate(design, rng)
    penalty = np.full(N_FEATURES, strength, dtype=np.float32)
    penalty[0] = 0  # scikit-learn's intercept is not penalised
    found = fit_poisson(design, counts, offset, penalty, tolerance=1e-6)
    for unit in range(0, N_UNITS, 7):
        x = plain_features(design, unit)[:, 1:]
        # scikit-learn has no offset, but exp(offset) as a sample weight of counts / exp(offset)
        # is the same likelihood.
        exposure = np.exp(offset[:, unit].astype(float))
        judge = PoissonRegressor(alpha=strength / exposure.sum(), tol=1e-10, max_iter=1000)
        judge.fit(x, counts[:, unit] / exposure, sample_weight=exposure)
        expected = np.r_[judge.intercept_, judge.coef_]
        np.testing.assert_allclose(found[unit], expected, atol=2e-3)


def test_a_start_or_a_known_gram_changes_nothing(design, rng):
    counts, offset = simulate(design, rng)
    penalty = np.ones(N_FEATURES, dtype=np.float32)
    plain = fit_poisson(design, counts, offset, penalty, tolerance=1e-6)
    start = plain + 0.3
    warm = fit_poisson(design, counts, offset, penalty, start=start, tolerance=1e-6)
    gram = design.gram(np.exp(offset))
    given = fit_poisson(design, counts, offset, penalty, gram=gram, tolerance=1e-6)
    np.testing.assert_allclose(warm, plain, atol=2e-3)
    np.testing.assert_allclose(given, plain, atol=2e-3)
    np.testing.assert_array_equal(start, plain + 0.3)


def test_a_unit_without_a_spike_stays_finite(rng):
    design = random_design(rng)
    counts = np.zeros((N_SAMPLES, N_UNITS), dtype=np.float32)
    offset = np.full_like(counts, -5.0)
    beta = fit_poisson(design, counts, offset, np.full(N_FEATURES, 1e-3, dtype=np.float32))
    assert np.isfinite(beta).all()


def test_a_start_far_off_does_not_overflow(rng):
    design = random_design(rng)
    counts, offset = simulate(design, rng)
    start = np.full((N_UNITS, N_FEATURES), 30.0, dtype=np.float32)
    penalty = np.ones(N_FEATURES, dtype=np.float32)
    assert np.isfinite(fit_poisson(design, counts, offset, penalty, start=start)).all()
