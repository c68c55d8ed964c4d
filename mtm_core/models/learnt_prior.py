"""A prior of regression weights that is learnt from the weights of the whole population.

Ridge regressions of hundreds of units on the same features say which combinations of features
matter to units at all. The covariance of their weights, as a Gaussian prior of each unit's, lets
features that many units follow be followed at little cost and holds the others back: empirical
Bayes, as in Efron & Morris (1973), with the units as the ensemble.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mtm_core.models.ridge_poisson import Penalties, Problem, Solution, fit_ridge_poisson

FIRST_PENALTIES = (1000.0, 300.0, 100.0)
"""Penalties of the fit that the prior is learnt from."""
PENALTIES = (3000.0, 1000.0, 300.0, 100.0, 30.0)
"""Penalties of the fits under the prior, in units of its mean variance."""
FLOOR = 0.02
"""Least variance of a combination of features, as a share of the mean: none is ruled out."""


@dataclass(frozen=True, eq=False)
class Prior:
    """What is expected of weights before any spike is seen.

    Parameters
    ----------
    unit : float
        What a feature's variance is measured in; see `Penalties`.
    basis : Tensor, shape (width, width), or None
        A basis in which the prior is the same in all directions; the mean of its squared lengths
        is 1. None: it is so in the features as given (ridge).
    """

    unit: float
    basis: Tensor | None = None

    def fit(self, problem: Problem) -> Solution:
        """Fit units under this prior; see `fit_ridge_poisson`."""
        if self.basis is None:
            return fit_ridge_poisson(problem, Penalties(self.unit))
        penalties = Penalties(self.unit, PENALTIES)
        found = fit_ridge_poisson(problem.in_basis(self.basis), penalties)
        return Solution(found.weight @ self.basis.T, found.bias, found.val_log_likelihood)


@torch.no_grad()
def learn_prior(problem: Problem, unit: float) -> Prior:
    """Fit all units of a problem by ridge and take the covariance of their weights as a prior.

    Parameters
    ----------
    problem : Problem
        Of the whole population.
    unit : float
        What a feature's variance is measured in; see `Penalties`.
    """
    weight = fit_ridge_poisson(problem, Penalties(unit, FIRST_PENALTIES)).weight.double()
    covariance = weight.T @ weight / len(weight)
    covariance = covariance / covariance.diagonal().mean().clamp(min=1e-12)
    covariance += FLOOR * torch.eye(len(covariance), dtype=covariance.dtype, device=weight.device)
    variance, vectors = torch.linalg.eigh(covariance)
    root: Tensor = (vectors * variance.clamp(min=0).sqrt()) @ vectors.T
    return Prior(unit, root.to(problem.features.dtype))
