"""Poisson regressions of many units on shared features, with one ridge penalty for all."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor

N_ITERATIONS = 10
"""Quasi-Newton steps per penalty; each penalty starts from the solution of the one before."""

BLOCK_UNITS = 32
"""Units are fitted in blocks small enough for a processor's cache."""


@dataclass(frozen=True)
class Penalties:
    """Ridge penalties among which validation trials choose, the strongest first.

    Parameters
    ----------
    unit : float
        What a feature's variance is measured in: the values are divided by it.
    values : tuple of float
        Penalties on squared weights, in spikes.
    """

    unit: float
    values: tuple[float, ...] = (3000.0, 1000.0, 300.0, 100.0)


@dataclass(frozen=True, eq=False)
class Problem:
    """Counts to be explained by features.

    Parameters
    ----------
    features : Tensor, shape (n_trials, n_bins, width)
        The same for all units.
    counts, offset : Tensor, shape (n_trials, n_bins, n_units)
        Targets, and log-rates that the regression adds to.
    n_train : int
        The first trials are for fitting, the others for choosing the penalty.
    own : tuple of Tensor, shape (n_trials, n_bins, n_units) each
        Each unit's own smoothed activity, to be taken out of its features ...
    own_loading : tuple of Tensor, shape (n_units, width) each
        ... with these loadings.
    """

    features: Tensor
    counts: Tensor
    offset: Tensor
    n_train: int
    own: tuple[Tensor, ...] = ()
    own_loading: tuple[Tensor, ...] = ()

    def part(self, rows: slice) -> Problem:
        """Return some of the trials."""
        return Problem(
            self.features[rows],
            self.counts[rows],
            self.offset[rows],
            self.n_train,
            tuple(own[rows] for own in self.own),
            self.own_loading,
        )

    def of_units(self, units: slice) -> Problem:
        """Return some of the units, in memory of their own."""
        return Problem(
            self.features,
            self.counts[..., units].contiguous(),
            self.offset[..., units].contiguous(),
            self.n_train,
            tuple(own[..., units].contiguous() for own in self.own),
            tuple(loading[units] for loading in self.own_loading),
        )

    def in_basis(self, basis: Tensor) -> Problem:
        """Return the same problem with weights in another basis: ``weight = found @ basis.T``."""
        return Problem(
            self.features @ basis,
            self.counts,
            self.offset,
            self.n_train,
            self.own,
            tuple(loading @ basis for loading in self.own_loading),
        )

    def log_rate(self, weight: Tensor, bias: Tensor) -> Tensor:
        """Predict: weights (n_units, width), biases (n_units,)."""
        log_rate = self.features @ weight.T
        for own, loading in zip(self.own, self.own_loading, strict=True):
            log_rate.addcmul_(own, (loading * weight).sum(dim=1), value=-1)
        return log_rate.add_(self.offset).add_(bias)

    def gradient(self, weight: Tensor, bias: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the negative log-likelihood and its gradients by weight and bias."""
        log_rate = self.log_rate(weight, bias)
        residual = log_rate.exp()
        loss = residual.sum() - (self.counts * log_rate).sum()
        residual -= self.counts
        by_weight = residual.flatten(0, 1).T @ self.features.flatten(0, 1)
        for own, loading in zip(self.own, self.own_loading, strict=True):
            by_weight -= loading * (residual * own).sum(dim=(0, 1))[:, None]
        return loss, by_weight, residual.sum(dim=(0, 1))


@dataclass(frozen=True, eq=False)
class Solution:
    """Weights (n_units, width), biases (n_units,), and how well they predict validation trials."""

    weight: Tensor
    bias: Tensor
    val_log_likelihood: float


def fit_ridge_poisson(problem: Problem, penalties: Penalties) -> Solution:
    """Fit units in blocks, along a path of penalties; keep each block's best on validation trials.

    Parameters
    ----------
    problem : Problem
        Features and counts.
    penalties : Penalties
        The path. It is left as soon as validation gets worse.

    Returns
    -------
    Solution
        Without validation trials, that of the strongest penalty.
    """
    starts = range(0, problem.counts.shape[2], BLOCK_UNITS)

    @torch.no_grad()
    def fit(start: int) -> Solution:
        return _fit_block(problem.of_units(slice(start, start + BLOCK_UNITS)), penalties)

    found = _map_on_threads(fit, starts)
    return Solution(
        torch.cat([solution.weight for solution in found]),
        torch.cat([solution.bias for solution in found]),
        sum(solution.val_log_likelihood for solution in found),
    )


def _map_on_threads(fit: Callable[[int], Solution], starts: Iterable[int]) -> list[Solution]:
    """Fit several blocks at once, each on one thread: blocks are too small to be worth more.

    The number of threads does not touch the bits of the result.
    """
    n_threads = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(
            n_threads, initializer=torch.set_num_threads, initargs=(1,)
        ) as pool:
            return list(pool.map(fit, starts))
    finally:
        torch.set_num_threads(n_threads)  # some libraries count threads for the whole process


def _fit_block(problem: Problem, penalties: Penalties) -> Solution:
    n_units, width = problem.counts.shape[2], problem.features.shape[2]
    train, val = problem.part(slice(problem.n_train)), problem.part(slice(problem.n_train, None))
    weight, bias = problem.counts.new_zeros(n_units, width), problem.counts.new_zeros(n_units)
    best: Solution | None = None
    for value in penalties.values:
        _minimise(train, weight, bias, value / penalties.unit)
        log_rate = val.log_rate(weight, bias)
        score = float((val.counts * log_rate - log_rate.exp()).sum())
        if best is not None and score <= best.val_log_likelihood:
            break
        best = Solution(weight.clone(), bias.clone(), score)
    if best is None:
        msg = "at least one penalty is needed"
        raise ValueError(msg)
    return best


def _minimise(problem: Problem, weight: Tensor, bias: Tensor, penalty: float) -> None:
    """Move weight and bias, in place, to the penalised optimum."""
    for tensor in (weight, bias):
        tensor.requires_grad_(True)
    optimizer = torch.optim.LBFGS(
        [weight, bias],
        max_iter=N_ITERATIONS,
        history_size=8,
        tolerance_grad=1e-2,
        line_search_fn="strong_wolfe",
    )

    def evaluate() -> float:
        with torch.no_grad():
            loss, by_weight, by_bias = problem.gradient(weight, bias)
            weight.grad, bias.grad = by_weight + penalty * weight, by_bias + bias
            total = loss + 0.5 * penalty * weight.square().sum() + 0.5 * bias.square().sum()
        return float(total)

    with torch.enable_grad():
        optimizer.step(evaluate)  # type: ignore[no-untyped-call]
    for tensor in (weight, bias):
        tensor.requires_grad_(False)
        tensor.grad = None
