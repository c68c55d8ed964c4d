from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from mtm_core.evaluation import decoding_fit
from mtm_core.evaluation.decoding_fit import (
    LOGISTIC_C,
    RANKS,
    RIDGE_ALPHA,
    cut_rank,
    fit_logistic,
    fit_ridge,
    main_directions,
    project,
    reduced_errors,
)

FIT, CHECK = np.arange(40), np.arange(40, 52)


def features_of(n_bins: int, n_dims: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    latent = rng.normal(size=(52, 3))
    values = latent @ rng.normal(size=(3, n_bins * n_dims)) + rng.normal(
        size=(52, n_bins * n_dims)
    )
    values[:, 0] = 7.0  # never changes
    return 3.0 + 2.0 * values.reshape(52, n_bins, n_dims), latent


def standardised(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    flat = features.reshape(len(features), -1)[:, 1:]
    scaler = StandardScaler().fit(flat[FIT])
    return scaler.transform(flat[FIT]), scaler.transform(flat[CHECK])


EVERYWHERE = np.ones((52, 5), dtype=bool)
SIZES = pytest.mark.parametrize("n_dims", [2, 40], ids=["few features", "many features"])


@SIZES
def test_logistic_regression_is_that_of_scikit_learn(n_dims, monkeypatch):
    monkeypatch.setattr(decoding_fit, "_TOLERANCE", 1e-15)
    features, latent = features_of(5, n_dims)
    labels = np.column_stack([latent[:, 0] > 0, latent[:, 1] > 0.5]).astype(float)
    where = project(features, EVERYWHERE, FIT, CHECK)
    ours = fit_logistic(where, labels[FIT])
    seen, unseen = standardised(features)
    scale = seen.shape[1] ** -0.5
    assert where.n_features == seen.shape[1]
    for c, odds in zip(LOGISTIC_C, ours, strict=True):
        for one, label in zip(odds.T, labels.T, strict=True):
            model = LogisticRegression(C=c, solver="newton-cholesky", tol=1e-10, max_iter=1000)
            theirs = model.fit(scale * seen, label[FIT]).decision_function(scale * unseen)
            np.testing.assert_allclose(one, theirs, rtol=1e-3, atol=1e-3)


def test_the_usual_tolerance_is_enough_for_the_same_decisions():
    features, latent = features_of(5, 40)
    labels = (latent[:, :1] > 0).astype(float)
    where = project(features, EVERYWHERE, FIT, CHECK)
    ours = fit_logistic(where, labels[FIT])[6, :, 0]
    seen, unseen = standardised(features)
    scale = seen.shape[1] ** -0.5
    model = LogisticRegression(C=LOGISTIC_C[6], tol=1e-8, max_iter=10_000)
    theirs = model.fit(scale * seen, labels[FIT, 0]).decision_function(scale * unseen)
    np.testing.assert_allclose(ours, theirs, rtol=0.02, atol=0.02)


@SIZES
def test_ridge_is_that_of_scikit_learn(n_dims):
    features, latent = features_of(5, n_dims)
    signals = latent @ np.ones((3, 4)) + np.arange(4)
    where = project(features, EVERYWHERE, FIT, CHECK)
    seen, unseen = standardised(features)
    for alpha, ours in zip(RIDGE_ALPHA, fit_ridge(where, signals[FIT]), strict=True):
        theirs = Ridge(alpha=alpha, solver="svd").fit(seen, signals[FIT]).predict(unseen)
        np.testing.assert_allclose(ours, theirs, atol=1e-4)


def test_reduced_rank_is_the_best_of_that_rank():
    # By its definition: the least squares fit of the data with the penalty's rows added, projected
    # on the main directions of what it explains.
    features, latent = features_of(5, 2)
    rng = np.random.default_rng(2)
    signals = latent @ rng.normal(size=(3, 6)) + rng.normal(size=(52, 6))
    where = project(features, EVERYWHERE, FIT, CHECK)
    full = fit_ridge(where, signals[FIT])
    seen, unseen = standardised(features)
    mean = signals[FIT].mean(axis=0)
    alpha = RIDGE_ALPHA[1]
    more = np.vstack([seen, np.sqrt(alpha) * np.eye(seen.shape[1])])
    goal = np.vstack([signals[FIT] - mean, np.zeros((seen.shape[1], 6))])
    weights = np.linalg.lstsq(more, goal, rcond=None)[0]
    main = np.linalg.svd(more @ weights)[2]
    directions = main_directions(where, signals[FIT])
    errors = reduced_errors(full, directions, mean, signals[CHECK])[1]
    for rank, error in zip(RANKS, errors, strict=True):
        expected = unseen @ weights @ main[:rank].T @ main[:rank] + mean
        ours = cut_rank(full[1], directions[1], mean, rank)
        np.testing.assert_allclose(ours, expected, atol=1e-6)
        assert error == pytest.approx(((expected - signals[CHECK]) ** 2).sum())
    np.testing.assert_allclose(cut_rank(full[1], directions[1], mean, 6), full[1], atol=1e-8)


def test_bins_that_are_cut_count_as_their_mean():
    features, _ = features_of(5, 4)
    is_kept = np.random.default_rng(3).random((52, 5)) < 0.7
    scaled = np.zeros_like(features)
    for b in range(5):
        known = features[FIT[is_kept[FIT, b]], b]
        scaled[:, b] = (features[:, b] - known.mean(axis=0)) / np.maximum(known.std(axis=0), 1e-9)
    scaled[~is_kept] = 0
    scaled[:, 0, 0] = 0
    flat = scaled.reshape(52, -1)
    wild = np.where(is_kept[:, :, None], features, 1e6)
    ours = project(wild, is_kept, FIT, CHECK)
    np.testing.assert_allclose(ours.fit @ ours.fit.T, flat[FIT] @ flat[FIT].T, atol=1e-6)
    np.testing.assert_allclose(ours.check @ ours.fit.T, flat[CHECK] @ flat[FIT].T, atol=1e-6)


def test_features_that_never_change_are_left_out():
    where = project(np.ones((52, 5, 3)), EVERYWHERE, FIT, CHECK)
    assert where.n_features == 0
    labels = np.column_stack([np.arange(40) < 30]).astype(float)
    np.testing.assert_allclose(fit_logistic(where, labels), np.log(3), atol=1e-3)
