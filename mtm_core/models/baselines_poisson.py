"""Ridge-penalised Poisson regression of many units at once.

Every unit has its own regression, but the features of all units are linear in a few shared columns
and one column of the unit's own::

    features[s, u, :] = shared[s] @ mix[u] + own[s, u] * own_mix[u]

so that predictions, gradients and Hessians of all units are a handful of matrix products, and no
design matrix per unit is ever formed. A unit's own column makes it possible to take a unit's
contribution out of shared principal components (see `baselines_pca`), or to give a unit its own
past.

Minimised for each unit ``u`` over ``beta[u]``: ``sum(rate - counts * log_rate) + sum(penalty *
beta**2) / 2`` with ``log_rate = offset + features @ beta`` (sums over samples, in nats).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Float32 = NDArray[np.float32]

_SAMPLES_AT_ONCE = 512
_FEW_UNITS = 24


@dataclass(frozen=True, eq=False, kw_only=True)
class Design:
    """Features of all units, kept factored.

    Parameters
    ----------
    shared : ndarray of float32, shape (n_samples, n_shared)
        Columns that all units share; put a column of ones first for an intercept.
    own : ndarray of float32, shape (n_samples, n_units), or None
        One column of each unit's own.
    mix : ndarray of float32, shape (n_units, n_shared, n_features), or None
        How the shared columns make each unit's features; None means as they are.
    own_mix : ndarray of float32, shape (n_units, n_features), or None
        How the own column enters each unit's features; given together with `own` and `mix`.
    """

    shared: Float32
    own: Float32 | None = None
    mix: Float32 | None = None
    own_mix: Float32 | None = None

    @property
    def n_features(self) -> int:
        """Number of features of a unit."""
        return int(self.shared.shape[1] if self.mix is None else self.mix.shape[2])

    def first(self, n_features: int) -> Design:
        """Return the design with the first features only."""
        if self.mix is None:
            return replace(self, shared=self.shared[:, :n_features])
        own_mix = None if self.own_mix is None else self.own_mix[:, :n_features]
        return replace(self, mix=self.mix[:, :, :n_features], own_mix=own_mix)

    def take(self, units: NDArray[np.intp]) -> Design:
        """Return the design of the chosen units."""
        return replace(
            self,
            own=None if self.own is None else self.own[:, units],
            mix=None if self.mix is None else self.mix[units],
            own_mix=None if self.own_mix is None else self.own_mix[units],
        )

    def predict(self, beta: Float32) -> Float32:
        """Return features times coefficients (n_units, n_features), as (n_samples, n_units)."""
        if self.mix is None:
            return np.asarray(self.shared @ beta.T)
        out = self.shared @ np.matmul(self.mix, beta[:, :, None])[:, :, 0].T
        if self.own is not None and self.own_mix is not None:
            out += self.own * (self.own_mix * beta).sum(axis=1)
        return np.asarray(out)

    def project(self, residual: Float32) -> Float32:
        """Return features' sums weighted by (n_samples, n_units), as (n_units, n_features)."""
        out = residual.T @ self.shared
        if self.mix is None:
            return np.asarray(out)
        out = np.matmul(out[:, None, :], self.mix)[:, 0, :]
        if self.own is not None and self.own_mix is not None:
            out += self.own_mix * np.einsum("su,su->u", self.own, residual)[:, None]
        return np.asarray(out)

    def gram(self, weight: Float32) -> Float32:
        """Return each unit's weighted second moments, shape (n_units, n_features, n_features)."""
        shared = _shared_gram(self.shared, weight)
        if self.mix is None:
            return shared
        gram = np.matmul(self.mix.transpose(0, 2, 1), np.matmul(shared, self.mix))
        if self.own is None or self.own_mix is None:
            return np.asarray(gram)
        weighted = weight * self.own
        cross = np.matmul((weighted.T @ self.shared)[:, None, :], self.mix)[:, 0, :]
        outer = cross[:, :, None] * self.own_mix[:, None, :]
        square = np.einsum("su,su->u", weighted, self.own)[:, None, None]
        gram += outer + outer.transpose(0, 2, 1)
        gram += square * self.own_mix[:, :, None] * self.own_mix[:, None, :]
        return np.asarray(gram)


def _shared_gram(shared: Float32, weight: Float32) -> Float32:
    """Return ``shared.T @ diag(weight[:, u]) @ shared`` of all units by one product of pairs."""
    n_shared, n_units = shared.shape[1], weight.shape[1]
    if n_units <= _FEW_UNITS:
        return np.stack([shared.T @ (shared * w[:, None]) for w in weight.T])
    row, column = np.triu_indices(n_shared)
    sums = np.zeros((len(row), n_units), dtype=np.float32)
    for start in range(0, len(shared), _SAMPLES_AT_ONCE):
        part = slice(start, start + _SAMPLES_AT_ONCE)
        sums += _pairs(shared[part].T) @ weight[part]
    gram = np.empty((n_units, n_shared, n_shared), dtype=np.float32)
    gram[:, row, column] = sums.T
    gram[:, column, row] = sums.T
    return gram


def _pairs(columns: Float32) -> Float32:
    """Return the products of all pairs of rows (in the order of `numpy.triu_indices`)."""
    n = len(columns)
    pairs = np.empty((n * (n + 1) // 2, columns.shape[1]), dtype=np.float32)
    start = 0
    for i in range(n):
        np.multiply(columns[i], columns[i:], out=pairs[start : start + n - i])
        start += n - i
    return pairs


@dataclass(frozen=True, eq=False, kw_only=True)
class _Problem:
    """The regressions of some units."""

    design: Design
    counts: Float32
    offset: Float32
    penalty: Float32

    def take(self, units: NDArray[np.intp]) -> _Problem:
        """Return the problem of the chosen units."""
        return replace(
            self,
            design=self.design.take(units),
            counts=self.counts[:, units],
            offset=self.offset[:, units],
        )

    def rate(self, beta: Float32) -> Float32:
        """Return expected counts, shape (n_samples, n_units)."""
        log_rate = self.design.predict(beta)
        log_rate += self.offset
        # Far beyond any rate; a step that goes there is refused, without an overflow on the way.
        return np.exp(np.minimum(log_rate, 20.0, out=log_rate), out=log_rate)

    def loss(self, beta: Float32, rate: Float32, pull: Float32) -> NDArray[np.float64]:
        """Return each unit's penalised loss; `pull` is ``design.project(counts)``."""
        gain = pull - 0.5 * self.penalty * beta
        linear = (beta * gain).sum(axis=1, dtype=np.float64)
        return np.asarray(rate.sum(axis=0, dtype=np.float64) - linear)


def fit_poisson(
    design: Design,
    counts: Float32,
    offset: Float32,
    penalty: Float32,
    *,
    start: Float32 | None = None,
    gram: Float32 | None = None,
    tolerance: float = 1e-3,
    max_rounds: int = 12,
) -> Float32:
    """Fit the regressions of all units together.

    In each round the Hessians of all units that have not converged are computed and inverted in
    one batch and serve a few Newton steps; a unit whose loss would rise stays where it is and
    takes a smaller step next.

    Parameters
    ----------
    design : Design
        Features.
    counts, offset : ndarray of float32, shape (n_samples, n_units)
        Spike counts, and the log-rate that the regression adds to.
    penalty : ndarray of float32, shape (n_features,)
        Ridge penalty of each feature, in nats.
    start : ndarray, shape (n_units, n_features), or None
        Where to begin; None means at 0.
    gram : ndarray, shape (n_units, n_features, n_features), or None
        The design's `gram` weighted by the rates at the start, if it is at hand.
    tolerance : float
        A unit has converged when a Newton step promises less than this (nats).
    max_rounds : int
        Rounds after which a unit is left as it is.

    Returns
    -------
    ndarray of float32, shape (n_units, n_features)
        The coefficients.
    """
    problem = _Problem(design=design, counts=counts, offset=offset, penalty=penalty)
    shape = (counts.shape[1], design.n_features)
    beta = np.zeros(shape, dtype=np.float32) if start is None else start.copy()
    step = np.ones(len(beta), dtype=np.float32)
    active = np.arange(len(beta))
    for number in range(max_rounds):
        part = problem if len(active) == len(beta) else problem.take(active)
        hessian = gram if number == 0 else None
        n_steps = 1 if number == 0 and start is None else 3
        beta[active], step[active], promised = _newton_steps(
            part, beta[active], step[active], hessian, n_steps
        )
        active = active[promised > tolerance]
        if len(active) == 0:
            break
    return beta


def _newton_steps(
    problem: _Problem, beta: Float32, step: Float32, hessian: Float32 | None, n_steps: int
) -> tuple[Float32, Float32, Float32]:
    """Take a few steps with one Hessian.

    Returns
    -------
    beta, step : ndarray
        Coefficients, and the share of a Newton step that each unit shall take next.
    promised : ndarray
        What a full step would gain each unit still (nats).
    """
    design, penalty = problem.design, problem.penalty
    pull = design.project(problem.counts)
    rate = problem.rate(beta)
    loss = problem.loss(beta, rate, pull)
    hessian = design.gram(rate) if hessian is None else hessian
    inverse = np.linalg.inv(hessian + np.diag(penalty))
    for number in range(n_steps + 1):
        gradient = pull - design.project(rate) - penalty * beta
        direction = np.matmul(inverse, gradient[:, :, None])[:, :, 0]
        promised = (gradient * direction).sum(axis=1)
        if number == n_steps:
            break
        tried = beta + step[:, None] * direction
        tried_rate = problem.rate(tried)
        tried_loss = problem.loss(tried, tried_rate, pull)
        # Sums in float32 carry a noise of this size: it is no reason to refuse a step.
        is_worse = ~(tried_loss <= loss + 1e-6 * np.abs(loss))
        beta = np.where(is_worse[:, None], beta, tried)
        rate = np.where(is_worse, rate, tried_rate)
        loss = np.where(is_worse, loss, tried_loss)
        step = np.where(is_worse, 0.25 * step, np.minimum(2 * step, 1)).astype(np.float32)
    return beta, step, promised
