"""Inference of factors from spikes where all parameters are known: a Poisson state-space model.

The factors of a trial follow a first-order vector autoregression about a mean course, counts are
Poisson with log-rates linear in the factors. The posterior of all bins of a trial is approximated
by a normal distribution at its mode, found by Newton's method; the Hessian is block-tridiagonal,
so that each step takes time linear in the number of bins (Paninski et al. 2010, Journal of
Computational Neuroscience 29, "A new look at state-space models for neural data").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_JITTER = 1e-4
"""Share of a factor's variance that its innovations have at least: some hardly change."""
_SMALLEST = 1e-6
_MOST_STEPS = 30
_CLOSE = 0.02
"""Standard deviations of the prior by which no factor still moves when Newton's method ends."""
_LONGEST_STEP = 3.0


@dataclass(frozen=True, eq=False, kw_only=True)
class FactorPrior:
    """How factors run through a trial.

    Parameters
    ----------
    mean : ndarray of float64, shape (n_bins, n_factors)
        Mean course.
    transition : ndarray of float64, shape (n_factors, n_factors)
        Maps the deviation in a bin to the expected one in the next.
    start, innovation : ndarray of float64, shape (n_factors, n_factors)
        Precision of the deviation in the first bin, and of what each bin adds.
    scale : ndarray of float64, shape (n_factors,)
        Standard deviation over all bins, about the mean course.
    """

    mean: Floats
    transition: Floats
    start: Floats
    innovation: Floats
    scale: Floats

    @classmethod
    def of(cls, factors: NDArray[np.floating]) -> Self:
        """Match the moments of factors that are known, shape (n_trials, n_bins, n_factors)."""
        mean = factors.mean(axis=0, dtype=np.float64)
        deviation = factors - mean
        before = deviation[:, :-1].reshape(-1, mean.shape[1])
        after = deviation[:, 1:].reshape(-1, mean.shape[1])
        variance = (deviation**2).mean(axis=(0, 1)) + _SMALLEST
        least = _JITTER * variance
        gram = before.T @ before + np.diag(least) * len(before)
        transition = np.linalg.solve(gram, before.T @ after).T
        added = after - before @ transition.T
        spread = added.T @ added / len(added) + np.diag(least)
        first = deviation[:, 0].T @ deviation[:, 0] / len(deviation) + np.diag(least)
        return cls(
            mean=mean,
            transition=transition,
            start=np.linalg.inv(first),
            innovation=np.linalg.inv(spread),
            scale=np.sqrt(variance),
        )

    def blocks(self) -> tuple[Floats, Floats]:
        """Return the blocks of the prior's precision on the diagonal, and that beside them."""
        n_bins, n_factors = self.mean.shape
        diagonal = np.zeros((n_bins, n_factors, n_factors))
        diagonal[0] = self.start
        diagonal[1:] += self.innovation
        diagonal[:-1] += self.transition.T @ self.innovation @ self.transition
        return diagonal, -self.transition.T @ self.innovation


@dataclass(frozen=True, eq=False)
class Posterior:
    """What is known of the deviations of factors from their mean course, given some spikes.

    Parameters
    ----------
    mean : ndarray of float64, shape (n_trials, n_bins, n_factors)
        Mode.
    covariance : ndarray of float64, shape (n_trials, n_bins, n_factors, n_factors)
        Of each bin by itself.
    """

    mean: Floats
    covariance: Floats

    def log_rate(self, base: Floats, loadings: Floats) -> Floats:
        """Return the log of the expected rates, shape (n_trials, n_bins, n_units).

        Parameters
        ----------
        base : ndarray of float64, shape (n_bins, n_units)
            Log-rates on the mean course.
        loadings : ndarray of float64, shape (n_units, n_factors)
            Effects of the factors.
        """
        spread = np.einsum("kbij,ui->kbuj", self.covariance, loadings, optimize=True)
        variance = np.einsum("kbuj,uj->kbu", spread, loadings, optimize=True)
        found: Floats = base + self.mean @ loadings.T + variance / 2
        return found


def infer_factors(
    prior: FactorPrior,
    counts: NDArray[np.floating],
    is_visible: NDArray[np.bool_],
    base: Floats,
    loadings: Floats,
) -> Posterior:
    """Infer factors from visible counts.

    Parameters
    ----------
    prior : FactorPrior
        How they run.
    counts : ndarray of float, shape (n_trials, n_bins, n_units)
        Spike counts; what is not visible is not looked at.
    is_visible : ndarray of bool, shape (n_bins, n_units)
        What is looked at, the same in all trials.
    base : ndarray of float64, shape (n_bins, n_units)
        Log of the expected counts on the mean course.
    loadings : ndarray of float64, shape (n_units, n_factors)
        Effects of the factors on the logs of expected counts.
    """
    units = np.flatnonzero(is_visible.any(axis=0))
    weight = is_visible[:, units].astype(np.float64)
    chain = _Chain(prior)
    shown = counts[:, :, units] * weight
    own, own_base = loadings[units], base[:, units]
    n_factors = own.shape[1]
    pairs = (own[:, :, None] * own[:, None, :]).reshape(len(units), n_factors**2)
    at = np.zeros((*counts.shape[:2], n_factors))
    for _ in range(_MOST_STEPS):
        rate = np.exp(np.minimum(own_base + at @ own.T, 50.0)) * weight
        slope = (shown - rate) @ own - chain.precision_times(at)
        curvature = (rate @ pairs).reshape(*at.shape, n_factors)
        solved = chain.solve(curvature, slope)
        step = solved.mean
        longest = float(np.abs(step / prior.scale).max(initial=0.0))
        at += step * min(1.0, _LONGEST_STEP / max(longest, 1e-9))
        if longest < _CLOSE:
            break
    return Posterior(at, solved.covariance)


class _Chain:
    """Solves the equations of a block-tridiagonal precision, all trials at once."""

    def __init__(self, prior: FactorPrior) -> None:
        self._diagonal, self._beside = prior.blocks()

    def precision_times(self, deviation: Floats) -> Floats:
        """Return the prior's precision times deviations."""
        out: Floats = np.einsum("bij,kbj->kbi", self._diagonal, deviation, optimize=True)
        out[:, :-1] += deviation[:, 1:] @ self._beside.T
        out[:, 1:] += deviation[:, :-1] @ self._beside
        return out

    def solve(self, curvature: Floats, slope: Floats) -> Posterior:
        """Solve with what the counts add to the diagonal; give the covariances, too."""
        n_bins, beside = slope.shape[1], self._beside
        inverse, reduced = np.empty_like(curvature), np.empty_like(slope)
        for at in range(n_bins):
            block = curvature[:, at] + self._diagonal[at]
            right = slope[:, at].copy()
            if at:
                carried = beside.T @ inverse[:, at - 1]
                block = block - carried @ beside
                right -= np.einsum("kij,kj->ki", carried, reduced[:, at - 1])
            inverse[:, at], reduced[:, at] = np.linalg.inv(block), right
        mean, covariance = np.empty_like(slope), np.empty_like(curvature)
        mean[:, -1] = np.einsum("kij,kj->ki", inverse[:, -1], reduced[:, -1])
        covariance[:, -1] = inverse[:, -1]
        for at in range(n_bins - 2, -1, -1):
            right = reduced[:, at] - mean[:, at + 1] @ beside.T
            mean[:, at] = np.einsum("kij,kj->ki", inverse[:, at], right)
            gain = inverse[:, at] @ beside
            later = gain @ covariance[:, at + 1] @ gain.transpose(0, 2, 1)
            covariance[:, at] = inverse[:, at] + later
        return Posterior(mean, covariance)
