from __future__ import annotations

import pytest
import torch

from mtm_core.models.learnt_prior import Prior, learn_prior
from mtm_core.models.ridge_poisson import Problem

N_TRAIN, N_VAL, N_BINS, WIDTH, N_UNITS = 30, 40, 6, 12, 50
UNIT = 10.0
"""What penalties are divided by: with 180 bins the strongest must still leave something."""


def make_problem(*, with_own: bool = False) -> Problem:
    """Units that all follow the first two of twelve features, each in its own way."""
    generator = torch.Generator().manual_seed(0)
    shape = (N_TRAIN + N_VAL, N_BINS)
    features = torch.randn(*shape, WIDTH, generator=generator)
    true = torch.zeros(N_UNITS, WIDTH)
    true[:, :2] = 0.6 * torch.randn(N_UNITS, 2, generator=generator)
    counts = torch.poisson((features @ true.T - 1).exp(), generator=generator)
    offset = torch.full_like(counts, -1.0)
    if not with_own:
        return Problem(features, counts, offset, N_TRAIN)
    own = (0.1 * torch.randn(*shape, N_UNITS, generator=generator),)
    loading = (torch.randn(N_UNITS, WIDTH, generator=generator),)
    return Problem(features, counts, offset, N_TRAIN, own, loading)


@pytest.mark.parametrize("with_own", [False, True])
def test_a_problem_in_another_basis_predicts_the_same(*, with_own: bool) -> None:
    problem = make_problem(with_own=with_own)
    generator = torch.Generator().manual_seed(1)
    basis = torch.randn(WIDTH, WIDTH, generator=generator)
    weight = 0.1 * torch.randn(N_UNITS, WIDTH, generator=generator)
    bias = torch.zeros(N_UNITS)
    found = problem.in_basis(basis).log_rate(weight, bias)
    torch.testing.assert_close(found, problem.log_rate(weight @ basis.T, bias))


def test_the_prior_is_wide_where_units_follow_features() -> None:
    basis = learn_prior(make_problem(), UNIT).basis
    assert basis is not None
    variance = (basis @ basis.T).diagonal()
    assert variance[:2].min() > 3 * variance[2:].max()
    assert variance.mean().item() == pytest.approx(1.0, abs=0.05)
    assert variance.min() > 0


def test_trials_never_seen_are_predicted_better_than_by_ridge() -> None:
    problem = make_problem()
    plain, found = Prior(UNIT).fit(problem), learn_prior(problem, UNIT).fit(problem)
    assert found.val_log_likelihood > plain.val_log_likelihood + 10


def test_the_solution_is_in_terms_of_the_features_given() -> None:
    problem = make_problem(with_own=True)
    found = learn_prior(problem, UNIT).fit(problem)
    val = problem.part(slice(N_TRAIN, None))
    log_rate = val.log_rate(found.weight, found.bias)
    score = float((val.counts * log_rate - log_rate.exp()).sum())
    assert score == pytest.approx(found.val_log_likelihood, rel=1e-4)


def test_a_population_that_follows_nothing_still_has_a_prior() -> None:
    silent = make_problem()
    silent = Problem(silent.features, torch.zeros_like(silent.counts), silent.offset, N_TRAIN)
    assert torch.isfinite(learn_prior(silent, UNIT).fit(silent).weight).all()
