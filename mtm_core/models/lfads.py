"""LFADS: a sequential variational autoencoder, trained to predict what is hidden from it.

References
----------
Sussillo, Jozefowicz, Abbott & Pandarinath (2016), LFADS, arXiv 1608.06315; Pandarinath et al.
(2018), Inferring single-trial neural population dynamics using sequential auto-encoders, Nature
Methods 15; Keshtkaran et al. (2022), A large-scale neural network training framework for
generalized estimation of single-trial population dynamics, Nature Methods 19.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import torch
from torch import Tensor

from mtm_core.config_model import LfadsConfig
from mtm_core.masking.masked_batch import MaskedBatch, prompt_index
from mtm_core.models.lfads_trunk import LfadsTrunk, Unrolled
from mtm_core.models.rank_one import Folds, Pairs, Removal, Turns
from mtm_core.models.read_in import LinearReadIn
from mtm_core.models.read_out import SharedReadOut
from mtm_core.models.session_part import SessionFacts, SessionPart
from mtm_core.models.spike_model import MAX_LOG_GAIN, InFolds, InTurn, SpikeModel, causal_trials


class LfadsPart(SessionPart):
    """A session's own layers: from its units to the common width, and from factors back.

    Parameters
    ----------
    config : LfadsConfig
        Sizes and switches.
    facts : SessionFacts
        The session.
    """

    def __init__(self, config: LfadsConfig, facts: SessionFacts) -> None:
        super().__init__(config, facts)
        self.read_in = LinearReadIn(
            facts.n_units, config.input_width, mask_flag=config.mask_flag, two_layer=False
        )
        self.read_out = SharedReadOut(config.factors, facts.n_units)


class Lfads(SpikeModel):
    """Encoders infer what drives a recurrent generator; its factors are read out as log-rates.

    Parameters
    ----------
    config : LfadsConfig
        Sizes and switches.
    facts : SessionFacts
        The session.
    trunk : LfadsTrunk or None
        Shared with other sessions; None makes one.

    Notes
    -----
    In training mode latent variables are drawn from their posteriors; in evaluation mode they are
    the posteriors' means, so that the same input gives the same rates. Hidden counts are 0 for
    the encoders, which are told what is hidden (if the settings say so). Causal trials take a way
    of their own; see `LfadsTrunk`.
    """

    config: LfadsConfig
    part: LfadsPart
    trunk: LfadsTrunk

    def __init__(
        self, config: LfadsConfig, facts: SessionFacts, trunk: LfadsTrunk | None = None
    ) -> None:
        super().__init__()
        self.config = config
        self.part = LfadsPart(config, facts)
        self.trunk = LfadsTrunk(config) if trunk is None else trunk

    def forward(self, batch: MaskedBatch) -> Tensor:
        """Predict every entry of a batch: log-rate, (n_trials, n_bins, n_units)."""
        return self._predict(batch)[0]

    def training_output(self, batch: MaskedBatch, share: Tensor) -> tuple[Tensor, Tensor]:
        """Predict a batch; the penalty is the divergence from the priors, per scored entry."""
        log_rate, unrolled = self._predict(batch)
        config = self.config
        total = (
            config.kl_initial * unrolled.initial_divergence.sum()
            + config.kl_inputs * unrolled.input_divergence.sum()
        )
        weight = (share / config.kl_warmup).clamp(max=1.0) if config.kl_warmup else 1.0
        return log_rate, weight * total / batch.is_scored.sum().clamp(min=1)

    def states(self, batch: MaskedBatch) -> Tensor:
        """Return the factors: (n_trials, n_bins, n_factors)."""
        return self._unroll(batch).factors

    def _predict(self, batch: MaskedBatch) -> tuple[Tensor, Unrolled]:
        is_hidden = self.drop_units(batch.is_hidden)
        unrolled = self._unroll(replace(batch, is_hidden=is_hidden))
        read = self.part.read_out(unrolled.factors, batch.prompt)
        log_rate: Tensor = read.clamp(max=MAX_LOG_GAIN) + self.part.offset
        self.part.add_history(log_rate, batch.inputs, is_hidden)
        return log_rate, unrolled

    def _unroll(self, batch: MaskedBatch) -> Unrolled:
        first = self.first(batch.inputs, batch.is_hidden)
        out: Unrolled = self.trunk(first, batch.prompt, batch.is_causal, is_random=self.training)
        return out

    def first(self, counts: Tensor, is_hidden: Tensor) -> Tensor:
        """Read in what is visible: (n_trials, n_bins, input_width)."""
        visible = (~is_hidden).to(counts.dtype)
        return self.part.read_in.first(self.part.standardise(counts) * visible, visible)

    def in_turn(
        self, counts: Tensor, is_hidden: Tensor, prompt: int, *, is_causal: bool | None = None
    ) -> InTurn:
        """Get ready to predict units each from a pass in which it, too, is hidden.

        See `SpikeModel`. Hiding one more unit is a rank-one change of what is read in.
        """
        causal = prompt == prompt_index("causal") if is_causal is None else is_causal
        return LfadsTurns(self, counts, is_hidden, prompt, is_causal=causal)

    def in_folds(
        self, counts: Tensor, is_hidden: Tensor, prompt: int, *, is_causal: bool | None = None
    ) -> InFolds:
        """Get ready to predict units fold by fold, those of a fold hidden together."""
        causal = prompt == prompt_index("causal") if is_causal is None else is_causal
        turns = LfadsTurns(self, counts, is_hidden, prompt, is_causal=causal)
        return Folds(
            part=self.part,
            read_in=self.part.read_in,
            read_out=self.part.read_out,
            counts=counts,
            is_hidden=is_hidden,
            prompt=prompt,
            first=self.first(counts, is_hidden.expand_as(counts)),
            body=turns.factors,
        )


class LfadsTurns(Turns):
    """Trials of an `Lfads`, ready to answer units hidden in turn.

    Parameters
    ----------
    model : Lfads
        In evaluation mode.
    counts : Tensor, shape (n_trials, n_bins, n_units)
        True counts.
    is_hidden : Tensor of bool, shape (n_bins, n_units)
        What is hidden in every pass.
    prompt : int
        Index into `PROMPTS`.
    is_causal : bool
        Whether a bin sees itself and earlier bins only.
    """

    @torch.inference_mode()
    def __init__(
        self, model: Lfads, counts: Tensor, is_hidden: Tensor, prompt: int, *, is_causal: bool
    ) -> None:
        super().__init__(model.part, counts, is_hidden, prompt)
        self._model, self._is_causal = model, is_causal
        self._first = model.first(counts, is_hidden.expand_as(counts))

    def remove(self, units: Tensor) -> Removal:
        """Return what hiding each unit takes away."""
        part = self._model.part
        return Removal.of(part, part.read_in, self.counts, self.is_hidden, units)

    def rows(self, units: Tensor) -> tuple[Tensor, Tensor]:
        """Return weights and biases that read units out."""
        return self._model.part.read_out.rows(units, self.prompt)

    def changed_states(self, pairs: Pairs) -> Tensor:
        """Return the factors of passes of their own."""
        return self.factors(self._first[pairs.trial] - pairs.sequences())

    def unchanged_states(self, pairs: Pairs) -> Tensor:
        """Return the factors of the pass without any turn."""
        return self._base[pairs.trial]

    @cached_property
    def _base(self) -> Tensor:
        return self.factors(self._first)

    def factors(self, first: Tensor) -> Tensor:
        """Turn what was read in (n_trials, n_bins, n_first) into factors."""
        index = torch.full((len(first),), self.prompt, device=first.device)
        past_only = causal_trials(index, self._is_causal)
        unrolled: Unrolled = self._model.trunk(first, index, past_only, is_random=False)
        return unrolled.factors
