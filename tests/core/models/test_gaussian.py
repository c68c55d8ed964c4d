from __future__ import annotations

import torch
from torch.distributions import Normal, kl_divergence

from mtm_core.models.gaussian import Gaussian


def test_the_divergence_is_that_of_the_library() -> None:
    numbers = torch.randn(4, 7, 3, generator=torch.Generator().manual_seed(0))
    one, other = Gaussian(numbers[0], numbers[1]), Gaussian(numbers[2], numbers[3])
    twins = [Normal(g.mean, (0.5 * g.log_variance).exp()) for g in (one, other)]
    expected = kl_divergence(*twins).sum(dim=-1)
    torch.testing.assert_close(one.divergence_from(other), expected)


def test_a_draw_has_its_mean_and_variance() -> None:
    belief = Gaussian(torch.full((100_000,), 2.0), torch.full((100_000,), -1.0))
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(0)
        drawn = belief.draw(is_random=True)
    assert abs(float(drawn.mean()) - 2.0) < 0.01
    assert abs(float(drawn.var().log()) + 1.0) < 0.02
    assert torch.equal(belief.draw(is_random=False), belief.mean)


def test_log_variances_are_kept_where_their_exponential_is_finite() -> None:
    wild = Gaussian.of(torch.tensor([[0.0, 0.0, -1e6, 1e6]]))
    assert torch.isfinite(wild.divergence_from(Gaussian(torch.zeros(2), torch.zeros(2)))).all()
