from __future__ import annotations

import numpy as np
import pytest

from mtm_core.models import baselines_pca
from mtm_core.models.baselines_pca import fit_components, without_group, without_unit

N_UNITS, N_COMPONENTS = 40, 5


@pytest.fixture
def samples() -> np.ndarray:
    """Samples of few strong latents and noise of unequal size."""
    rng = np.random.default_rng(0)
    latents = rng.normal(size=(600, 8)) * np.linspace(2, 0.6, 8)
    values = latents @ rng.normal(size=(8, N_UNITS)) + rng.normal(size=(600, N_UNITS))
    values *= rng.uniform(0.5, 1.5, N_UNITS)
    return (values - values.mean(axis=0)).astype(np.float32)


def scores_without(samples: np.ndarray, unit: int, n_components: int = N_COMPONENTS):
    components = fit_components(samples, n_components)
    mix, own_mix = without_unit(components, np.array([unit]), n_components)
    return samples @ components.loadings @ mix[0] + samples[:, [unit]] * own_mix[0]


def separate_pca(samples: np.ndarray, is_visible: np.ndarray, n_components: int) -> np.ndarray:
    """Scores of a PCA of the visible units alone."""
    _, _, right = np.linalg.svd(samples[:, is_visible].astype(float), full_matrices=False)
    return samples[:, is_visible] @ right[:n_components].T


def all_but(unit: int) -> np.ndarray:
    return np.arange(N_UNITS) != unit


def alignment(one: np.ndarray, other: np.ndarray) -> float:
    """The smallest canonical correlation of two sets of scores: 1 for the same subspace."""
    q_one, q_other = (np.linalg.qr(scores - scores.mean(axis=0))[0] for scores in (one, other))
    return float(np.linalg.svd(q_one.T @ q_other, compute_uv=False).min())


@pytest.mark.parametrize("margin", [0, 4, N_UNITS])
def test_no_value_of_the_hidden_unit_enters_its_scores(samples, margin, monkeypatch):
    monkeypatch.setattr(baselines_pca, "MARGIN", margin)
    components = fit_components(samples, N_COMPONENTS)
    mix, own_mix = without_unit(components, np.array([7]), N_COMPONENTS)
    changed = samples.copy()
    changed[:, 7] = 100 * np.random.default_rng(1).normal(size=len(samples))
    before, after = (
        s @ components.loadings @ mix[0] + s[:, [7]] * own_mix[0] for s in (samples, changed)
    )
    np.testing.assert_allclose(after, before, atol=1e-3)


@pytest.mark.parametrize("unit", [0, 13, 39])
def test_with_all_components_it_is_the_pca_of_the_other_units(samples, unit, monkeypatch):
    monkeypatch.setattr(baselines_pca, "MARGIN", N_UNITS)
    found = scores_without(samples, unit)
    expected = separate_pca(samples, all_but(unit), N_COMPONENTS)
    np.testing.assert_allclose(found.std(axis=0), expected.std(axis=0), rtol=1e-4)
    correlation = np.abs(np.sum(found * expected, axis=0))
    norms = np.linalg.norm(found, axis=0) * np.linalg.norm(expected, axis=0)
    np.testing.assert_allclose(correlation / norms, 1, atol=1e-4)


def test_with_the_margin_it_loses_less_than_a_thousandth_of_the_variance(samples):
    for unit in range(0, N_UNITS, 5):
        found = scores_without(samples, unit)
        expected = separate_pca(samples, all_but(unit), N_COMPONENTS)
        assert found.var(axis=0).sum() > 0.999 * expected.var(axis=0).sum()
        assert alignment(found, expected) > 0.99


def test_simply_dropping_the_row_would_not_do(samples):
    """The correction matters: raw loadings with a row set to 0 are another subspace."""
    components = fit_components(samples, N_COMPONENTS)
    worst = 1.0
    for unit in range(N_UNITS):
        loadings = components.loadings[:, :N_COMPONENTS].copy()
        loadings[unit] = 0
        expected = separate_pca(samples, all_but(unit), N_COMPONENTS)
        worst = min(worst, alignment(samples @ loadings, expected))
    found = min(
        alignment(
            scores_without(samples, unit), separate_pca(samples, all_but(unit), N_COMPONENTS)
        )
        for unit in range(N_UNITS)
    )
    assert found > worst


def test_the_components_outside_a_group_are_those_of_a_separate_pca(samples):
    is_hidden = np.arange(N_UNITS) < 12
    loadings = without_group(fit_components(samples, N_COMPONENTS), is_hidden, N_COMPONENTS)
    assert (loadings[is_hidden] == 0).all()
    found = samples @ loadings
    expected = separate_pca(samples, ~is_hidden, N_COMPONENTS)
    assert found.var(axis=0).sum() > 0.999 * expected.var(axis=0).sum()
    assert alignment(found, expected) > 0.99


def test_few_units_give_few_components():
    samples = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    components = fit_components(samples, N_COMPONENTS)
    assert without_unit(components, np.arange(3), 2)[0].shape == (3, 3, 2)
    hidden = np.array([True, False, False])
    assert without_group(components, hidden, N_COMPONENTS).shape == (3, 2)
