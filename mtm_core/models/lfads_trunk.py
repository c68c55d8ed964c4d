"""What sessions share of LFADS: encoders, controller, generator, factors."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mtm_core.config_model import LfadsConfig
from mtm_core.masking.masked_batch import PROMPTS
from mtm_core.models.gaussian import Gaussian
from mtm_core.models.gru import BidirectionalEncoders, Gru
from mtm_core.models.layers import Dropout

PRIOR_VARIANCE = 0.1
"""Variance of initial conditions and inferred inputs before anything is learnt."""
START_LOG_VARIANCE = -5.0
"""Of what is inferred, before anything is learnt."""
PRIOR_KEPT = 0.9
"""Share of an inferred input that its prior expects to see again in the next bin, at first."""


class Unrolled(NamedTuple):
    """What the generator made of a batch.

    Parameters
    ----------
    factors : Tensor, shape (n_trials, n_bins, n_factors)
        What is read out.
    initial_divergence, input_divergence : Tensor, shape (n_trials,)
        Of the posteriors from their priors, in nats.
    """

    factors: Tensor
    initial_divergence: Tensor
    input_divergence: Tensor


class LfadsTrunk(nn.Module):
    """From what was read in to factors.

    Parameters
    ----------
    config : LfadsConfig
        Sizes and switches.

    Notes
    -----
    A trial goes one of two ways. Usually the initial condition is inferred from the whole trial,
    and inputs from states of an encoder that reads both ways. In a *causal* trial a bin may see
    itself and its past only: the initial condition is then its prior, the encoder's backward half
    is silenced, and what is known of the trial enters through the controller, bin by bin.
    """

    def __init__(self, config: LfadsConfig) -> None:
        super().__init__()
        self.config = config
        self.prompt = nn.Embedding(len(PROMPTS), config.input_width)
        nn.init.normal_(self.prompt.weight, std=0.1)
        self.input_dropout, self.state_dropout = Dropout(config.dropout), Dropout(config.dropout)
        n_encoders = 2 if config.controller else 1
        self.encoders = BidirectionalEncoders(config.input_width, config.encoder_width, n_encoders)
        self.initial_posterior = _confident(
            nn.Linear(2 * config.encoder_width, 2 * config.initial_dims)
        )
        self.initial_mean = nn.Parameter(torch.zeros(config.initial_dims))
        self.initial_log_variance = nn.Parameter(_log_variance(config.initial_dims))
        self.start = nn.Linear(config.initial_dims, config.generator_width)
        self.generator = Gru(config.inferred_inputs, config.generator_width)
        self.to_factors = nn.Parameter(torch.randn(config.factors, config.generator_width))
        self.inputs = _InferredInputs(config) if config.controller else None

    def forward(
        self, sequences: Tensor, prompt: Tensor, is_causal: Tensor, *, is_random: bool
    ) -> Unrolled:
        """Infer what drives the generator, and let it run.

        Parameters
        ----------
        sequences : Tensor, shape (n_trials, n_bins, input_width)
            Counts as read in.
        prompt, is_causal : Tensor, shape (n_trials,)
            As in a `MaskedBatch`.
        is_random : bool
            Draw latent variables from their posteriors, rather than take the means.
        """
        if self.config.prompt == "added":
            sequences = sequences + self.prompt(prompt)[:, None]
        forwards, backwards = self.encoders(self.input_dropout(sequences))
        both_ways = ~is_causal[:, None]
        posterior, prior = self._initial(forwards[0, :, -1], backwards[0, :, 0], both_ways)
        state = self.start(posterior.draw(is_random=is_random)).tanh()
        if self.inputs is None:
            states, divergence = (
                self._free(state, sequences.shape[1]),
                torch.zeros_like(state[:, 0]),
            )
        else:
            encoded = torch.cat([forwards[1], backwards[1] * both_ways[..., None]], dim=-1)
            states, divergence = self._driven(self.inputs, state, encoded, is_random=is_random)
        factors = self.state_dropout(states) @ self._factor_map()
        return Unrolled(factors, posterior.divergence_from(prior), divergence)

    def _initial(
        self, last: Tensor, first: Tensor, both_ways: Tensor
    ) -> tuple[Gaussian, Gaussian]:
        """Return posterior and prior of the initial condition; the same in causal trials."""
        said = Gaussian.of(self.initial_posterior(torch.cat([last, first], dim=-1)))
        prior = Gaussian(self.initial_mean, self.initial_log_variance)
        posterior = (
            torch.where(both_ways, known, base) for known, base in zip(said, prior, strict=True)
        )
        return Gaussian(*posterior), prior

    def _factor_map(self) -> Tensor:
        """Return the map from states to factors, each of norm 1: (generator_width, n_factors)."""
        return nn.functional.normalize(self.to_factors, dim=1).T

    def _free(self, state: Tensor, n_bins: int) -> Tensor:
        """Run without inputs: states (n_trials, n_bins, generator_width)."""
        nothing, states = state.new_zeros(len(state), 3 * self.generator.width), []
        for _ in range(n_bins):
            state = self.generator.step(nothing, state)
            states.append(state)
        return torch.stack(states, dim=1)

    def _driven(
        self, inputs: _InferredInputs, state: Tensor, encoded: Tensor, *, is_random: bool
    ) -> tuple[Tensor, Tensor]:
        """Run on inferred inputs: states, and the inputs' divergence from their prior."""
        said = inputs.from_encoder(encoded)
        by_state = self._factor_map() @ inputs.gru.weight_in
        noise = inputs.noise(len(state), said.shape[1], is_random=is_random)
        control = state.new_zeros(len(state), inputs.gru.width)
        states, beliefs, draws = [], [], []
        for at_bin, noise_at_bin in zip(said.unbind(1), noise.unbind(1), strict=True):
            control = inputs.gru.step(torch.addmm(at_bin, state, by_state), control)
            belief = inputs.posterior(control)
            beliefs.append(belief)
            draws.append(belief.mean + noise_at_bin * (0.5 * belief.log_variance).exp())
            state = self.generator.step(draws[-1] @ self.generator.weight_in, state)
            states.append(state)
        posterior = Gaussian(*(torch.stack(each, dim=1) for each in zip(*beliefs, strict=True)))
        divergence = posterior.divergence_from(inputs.prior(torch.stack(draws, dim=1)))
        return torch.stack(states, dim=1), divergence.sum(dim=1)


class _InferredInputs(nn.Module):
    """The controller: what it makes of encoder states and factors, and its prior."""

    def __init__(self, config: LfadsConfig) -> None:
        super().__init__()
        n_inputs = config.inferred_inputs
        self.is_autoregressive = config.input_prior == "autoregressive"
        self.from_encoder = nn.Linear(2 * config.encoder_width, 3 * config.controller_width)
        self.gru = Gru(config.factors, config.controller_width)
        self.to_posterior = _confident(nn.Linear(config.controller_width, 2 * n_inputs))
        self.log_variance = nn.Parameter(_log_variance(n_inputs))
        self.kept = nn.Parameter(torch.full((n_inputs,), math.log(PRIOR_KEPT / (1 - PRIOR_KEPT))))

    def noise(self, n_trials: int, n_bins: int, *, is_random: bool) -> Tensor:
        """Draw standard normal noise for all inputs, or zeros where means are asked for."""
        size, like = (n_trials, n_bins, len(self.log_variance)), self.log_variance
        return (
            torch.randn(size, dtype=like.dtype, device=like.device)
            if is_random
            else (like.new_zeros(size))
        )

    def posterior(self, state: Tensor) -> Gaussian:
        """Return the belief about the inputs of a bin, from the controller's state."""
        return Gaussian.of(self.to_posterior(state))

    def prior(self, draws: Tensor) -> Gaussian:
        """Return what was to be expected at each bin, after the inputs of the bin before.

        Parameters
        ----------
        draws : Tensor, shape (n_trials, n_bins, n_inputs)
            The inputs; the variance of their series is the same at every bin.
        """
        if not self.is_autoregressive:
            return Gaussian(torch.zeros_like(draws), self.log_variance)
        kept = self.kept.sigmoid()
        mean = nn.functional.pad(kept * draws[:, :-1], (0, 0, 1, 0))
        later = (self.log_variance + torch.log1p(-(kept**2))).expand(draws.shape[1] - 1, -1)
        return Gaussian(mean, torch.cat([self.log_variance[None], later]))


def _log_variance(n_dims: int) -> Tensor:
    return torch.full((n_dims,), math.log(PRIOR_VARIANCE))


def _confident(linear: nn.Linear) -> nn.Linear:
    """Start with a small variance, whatever is read: noise would drown what is to be learnt."""
    half = linear.out_features // 2
    with torch.no_grad():
        linear.weight[half:].mul_(0.1)
        linear.bias.copy_(torch.cat([torch.zeros(half), torch.full((half,), START_LOG_VARIANCE)]))
    return linear
