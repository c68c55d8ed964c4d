from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.linear_model import PoissonRegressor

from mtm_core.models import ridge_poisson
from mtm_core.models.ridge_poisson import Penalties, Problem, fit_ridge_poisson

N_TRIALS, N_TRAIN, N_BINS, WIDTH, N_UNITS = 40, 30, 5, 3, 4


def make_problem(*, n_train: int = N_TRAIN, with_own: bool = False) -> Problem:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(N_TRIALS, N_BINS, WIDTH, generator=generator)
    true = 0.4 * torch.randn(N_UNITS, WIDTH, generator=generator)
    log_rate = features @ true.T - 0.5
    counts = torch.poisson(log_rate.exp(), generator=generator)
    offset = torch.full_like(counts, -0.3)
    if not with_own:
        return Problem(features, counts, offset, n_train)
    own = (torch.randn(counts.shape, generator=generator),)
    loading = (torch.randn(N_UNITS, WIDTH, generator=generator),)
    return Problem(features, counts, offset, n_train, own, loading)


@pytest.mark.parametrize("with_own", [False, True])
def test_weights_agree_with_scikit_learn(with_own: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ridge_poisson, "N_ITERATIONS", 60)
    problem, penalty = make_problem(with_own=with_own), 5.0
    solution = fit_ridge_poisson(problem, Penalties(1.0, (penalty,)))
    counts = problem.counts[:N_TRAIN].reshape(-1, N_UNITS).numpy()
    for unit in range(N_UNITS):
        features = problem.features[:N_TRAIN]
        if with_own:
            own = problem.own[0][:N_TRAIN, :, unit, None]
            features = features - own * problem.own_loading[0][unit]
        # Its penalty is per sample and spares the intercept; an offset is a factor of the rate.
        exposure = np.full(len(counts), np.exp(-0.3))
        rival = PoissonRegressor(alpha=penalty / exposure.sum(), tol=1e-8, max_iter=1000)
        rival.fit(features.reshape(-1, WIDTH), counts[:, unit] / exposure, exposure)
        np.testing.assert_allclose(solution.weight[unit].numpy(), rival.coef_, atol=0.02)
        assert solution.bias[unit].item() == pytest.approx(rival.intercept_, abs=0.02)


def test_the_gradient_is_that_of_the_loss() -> None:
    problem = make_problem(with_own=True)
    weight = torch.randn(N_UNITS, WIDTH, generator=torch.Generator().manual_seed(1)).double()
    bias = torch.zeros(N_UNITS).double()
    double = Problem(
        problem.features.double(),
        problem.counts.double(),
        problem.offset.double(),
        N_TRAIN,
        tuple(own.double() for own in problem.own),
        tuple(loading.double() for loading in problem.own_loading),
    )
    _, by_weight, by_bias = double.gradient(weight, bias)
    step = 1e-6
    for row, column in [(0, 0), (2, 1), (3, 2)]:
        moved = weight.clone()
        moved[row, column] += step
        change = double.gradient(moved, bias)[0] - double.gradient(weight, bias)[0]
        assert (change / step).item() == pytest.approx(by_weight[row, column].item(), rel=1e-3)
    moved_bias = bias.clone()
    moved_bias[1] += step
    change = double.gradient(weight, moved_bias)[0] - double.gradient(weight, bias)[0]
    assert (change / step).item() == pytest.approx(by_bias[1].item(), rel=1e-3)


def test_blocks_of_units_do_not_change_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ridge_poisson, "N_ITERATIONS", 60)
    penalties = Penalties(1.0, (5.0,))
    whole = fit_ridge_poisson(make_problem(), penalties)
    monkeypatch.setattr(ridge_poisson, "BLOCK_UNITS", 3)
    blocks = fit_ridge_poisson(make_problem(), penalties)
    torch.testing.assert_close(blocks.weight, whole.weight, atol=1e-3, rtol=1e-3)
    assert blocks.val_log_likelihood == pytest.approx(whole.val_log_likelihood, rel=1e-4)


def test_validation_chooses_among_penalties() -> None:
    problem = make_problem()
    path = fit_ridge_poisson(problem, Penalties(1.0, (1e6, 5.0)))
    strong = fit_ridge_poisson(problem, Penalties(1.0, (1e6,)))
    assert path.val_log_likelihood > strong.val_log_likelihood
    assert strong.weight.abs().max() < 1e-3


def test_without_validation_trials_the_strongest_penalty_is_kept() -> None:
    problem = make_problem(n_train=N_TRIALS)
    path = fit_ridge_poisson(problem, Penalties(1.0, (50.0, 5.0)))
    strong = fit_ridge_poisson(problem, Penalties(1.0, (50.0,)))
    assert torch.equal(path.weight, strong.weight)


def test_no_penalty_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one penalty"):
        fit_ridge_poisson(make_problem(), Penalties(1.0, ()))


def test_the_number_of_threads_does_not_change_the_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ridge_poisson, "BLOCK_UNITS", 1)
    before = torch.get_num_threads()
    solutions = []
    try:
        for n_threads in (1, 3):
            torch.set_num_threads(n_threads)
            solutions.append(fit_ridge_poisson(make_problem(with_own=True), Penalties(1.0)))
            assert torch.get_num_threads() == n_threads
    finally:
        torch.set_num_threads(before)
    assert torch.equal(solutions[0].weight, solutions[1].weight)
    assert torch.equal(solutions[0].bias, solutions[1].bias)
