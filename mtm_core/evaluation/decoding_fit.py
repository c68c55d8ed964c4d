"""Linear decoders of many features from few trials, for many targets at once.

A decoder with an L2 penalty depends on the features only through the inner products of trials.
So the features of one fold are standardised and turned once into coordinates, as many as there
are trials; every regularisation and every shuffled target is then fitted in these. The result is
that of scikit-learn's `LogisticRegression` and `Ridge` on the features themselves.

References
----------
Böhning & Lindsay (1988), Ann. Inst. Stat. Math. 40, 641-663: the bound behind `fit_logistic`.
Beck & Teboulle (2009), SIAM J. Imaging Sci. 2, 183-202; O'Donoghue & Candès (2015), Found. Comput.
Math. 15, 715-732: acceleration and its restarts.
Mukherjee & Zhu (2011), Stat. Anal. Data Min. 4, 612-622: reduced rank with a ridge penalty.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

LOGISTIC_C = tuple(10.0**power for power in range(-4, 5))
"""Inverse penalties of the logistic regression."""
RIDGE_ALPHA = (1e-6, 10.0, 100.0, 1e3, 1e4)
"""Penalties of the ridge regression; the first stands for 0, and keeps the solution stable."""
RANKS = (1, 2, 3, 5, 8, 12)
"""Ranks of the reduced-rank regression."""
_TOLERANCE = 1e-9
_MAX_STEPS = 5000
_LEAST_SIZE = 1e-9
_LEAST_SPREAD = 1e-5
"""Of a feature, over its mean: below it single precision makes up what varies."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Coordinates:
    """Standardised features, turned so that those of the fitted trials are orthogonal.

    Parameters
    ----------
    fit, check : ndarray, shapes (n_fit, n_dims) and (n_check, n_dims)
        Trials in these coordinates.
    size : ndarray, shape (n_dims,)
        Sum of squares of each coordinate over the fitted trials.
    n_features : int
        Features that vary over the fitted trials.
    """

    fit: Array
    check: Array
    size: Array
    n_features: int


def project(
    features: NDArray[Any], is_kept: NDArray[np.bool_], fit: Rows, check: Rows
) -> Coordinates:
    """Standardise features by the fitted trials, and turn them into coordinates.

    Parameters
    ----------
    features : ndarray, shape (n_trials, n_bins, n_dims)
        Features of every trial.
    is_kept : ndarray of bool, shape (n_trials, n_bins)
        Bins that may be used; elsewhere a feature is set to its mean over the fitted trials.
    fit, check : ndarray of int64
        Rows of the trials to fit to, and of those to predict.
    """
    rows = np.concatenate([fit, check])
    products = np.zeros((len(rows), len(rows)))
    n_features = 0
    for one_bin in range(features.shape[1]):
        kept = is_kept[rows, one_bin]
        scaled = _standardise(features[rows, one_bin].astype(np.float64), kept, len(fit))
        products += scaled @ scaled.T
        n_features += scaled.shape[1]
    size, turn = np.linalg.eigh(products[: len(fit), : len(fit)])
    is_used = size > _LEAST_SIZE * max(float(size[-1]), _LEAST_SIZE)
    size, turn = size[is_used][::-1], turn[:, is_used][:, ::-1]
    scale = np.sqrt(size)
    return Coordinates(
        fit=turn * scale,
        check=products[len(fit) :, : len(fit)] @ turn / scale,
        size=size,
        n_features=n_features,
    )


def _standardise(values: Array, is_kept: NDArray[np.bool_], n_fit: int) -> Array:
    """Subtract mean and divide by spread of the fitted trials; drop what never varies there."""
    known = values[:n_fit][is_kept[:n_fit]]
    if len(known) == 0:
        return values[:, :0]
    mean, spread = known.mean(axis=0), known.std(axis=0)
    varies = spread > _LEAST_SPREAD * np.maximum(np.abs(mean), 1e-3)
    scaled: Array = (values[:, varies] - mean[varies]) / spread[varies]
    scaled *= is_kept[:, None]
    return scaled


def fit_logistic(where: Coordinates, labels: Array) -> Array:
    """Fit logistic regressions with every penalty of `LOGISTIC_C`.

    The features are divided by the root of their number, so that a penalty means the same for
    any number of them.

    Parameters
    ----------
    where : Coordinates
        The features.
    labels : ndarray of 0 and 1, shape (n_fit, n_targets)
        One or many targets.

    Returns
    -------
    ndarray, shape (n_penalties, n_check, n_targets)
        Log-odds of the class 1.
    """
    scale = max(where.n_features, 1) ** -0.5
    size = where.size * scale**2
    weights = np.zeros((len(size), labels.shape[1]))
    intercept = np.zeros(labels.shape[1])
    found = []
    for c in LOGISTIC_C:
        weights, intercept = _descend(where.fit * scale, size, labels, 1 / c, weights, intercept)
        found.append(scale * (where.check @ weights) + intercept)
    return np.stack(found)


def _descend(
    points: Array, size: Array, labels: Array, penalty: float, weights: Array, intercept: Array
) -> tuple[Array, Array]:
    """Minimise the penalised loss of many targets, from a start, by accelerated steps.

    The curvature of the loss is at most a quarter of the points' sums of squares, which are
    diagonal here: its inverse is the step.
    """
    n = len(points)
    bound = np.append(size / 4 + penalty, n / 4)[:, None]
    here = np.vstack([weights, intercept])
    shrinks = np.append(np.full(len(size), penalty), 0.0)[:, None]
    points = np.column_stack([points, np.ones(n)])
    result, there = here.copy(), here.copy()
    open_targets, pace = np.arange(labels.shape[1]), np.ones(labels.shape[1])
    for _ in range(_MAX_STEPS):
        slope = points.T @ (expit(points @ there) - labels[:, open_targets]) + shrinks * there
        gain = (slope**2 / bound).sum(axis=0)
        moved = there - slope / bound
        step = moved - here
        pace = np.where((slope * step).sum(axis=0) > 0, 1.0, pace)
        faster = (1 + np.sqrt(1 + 4 * pace**2)) / 2
        there = moved + (pace - 1) / faster * step
        here, pace = moved, faster
        result[:, open_targets] = here
        is_open = gain > _TOLERANCE * n
        if not is_open.any():
            break
        if not is_open.all():
            here, there, pace = here[:, is_open], there[:, is_open], pace[is_open]
            open_targets = open_targets[is_open]
    return result[:-1], result[-1]


def fit_ridge(where: Coordinates, signals: Array) -> Array:
    """Fit ridge regressions with every penalty of `RIDGE_ALPHA`.

    Parameters
    ----------
    where : Coordinates
        The features.
    signals : ndarray, shape (n_fit, n_outputs)
        What to predict; its mean is the intercept.

    Returns
    -------
    ndarray, shape (n_penalties, n_check, n_outputs)
    """
    mean = signals.mean(axis=0)
    product = where.fit.T @ (signals - mean)
    return np.stack(
        [where.check @ (product / (where.size + alpha)[:, None]) + mean for alpha in RIDGE_ALPHA]
    )


def main_directions(where: Coordinates, signals: Array) -> Array:
    """Return the directions of the outputs that ridge regressions explain best.

    Cutting a ridge prediction down to the first of them is the best regression of that rank.

    Parameters
    ----------
    where : Coordinates
        The features.
    signals : ndarray, shape (n_fit, n_outputs)
        What to predict.

    Returns
    -------
    ndarray, shape (n_penalties, n_outputs, n_directions)
        For every penalty of `RIDGE_ALPHA`, as many as the last of `RANKS` where there are so many
        outputs; the best first.
    """
    product = where.fit.T @ (signals - signals.mean(axis=0))
    most = min(RANKS[-1], signals.shape[1])
    explained = (product.T @ (product / (where.size + alpha)[:, None]) for alpha in RIDGE_ALPHA)
    return np.stack([np.linalg.eigh(each)[1][:, ::-1][:, :most] for each in explained])


def reduced_errors(predicted: Array, directions: Array, mean: Array, true: Array) -> Array:
    """Return the squared errors of ridge predictions that are cut down to each of `RANKS`.

    Parameters
    ----------
    predicted : ndarray, shape (n_penalties, n_check, n_outputs)
        What `fit_ridge` returned.
    directions : ndarray, shape (n_penalties, n_outputs, n_directions)
        What `main_directions` returned.
    mean : ndarray, shape (n_outputs,)
        Mean of the fitted trials.
    true : ndarray, shape (n_check, n_outputs)
        The truth.

    Returns
    -------
    ndarray, shape (n_penalties, n_ranks)
    """
    kept, known = (predicted - mean) @ directions, (true - mean) @ directions
    change = np.cumsum((kept**2 - 2 * kept * known).sum(axis=1), axis=1)
    last = np.minimum(RANKS, directions.shape[2]) - 1
    errors: Array = ((true - mean) ** 2).sum() + change[:, last]
    return errors


def cut_rank(predicted: Array, directions: Array, mean: Array, rank: int) -> Array:
    """Return one penalty's ridge prediction (n_check, n_outputs) cut down to a rank."""
    main = directions[:, :rank]
    cut: Array = (predicted - mean) @ main @ main.T + mean
    return cut
