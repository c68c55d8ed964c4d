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

import torch
from torch import Tensor

from mtm_core.config_model import LfadsConfig
from mtm_core.masking.masked_batch import MaskedBatch
from mtm_core.models.lfads_trunk import LfadsTrunk, Unrolled
from mtm_core.models.rank_one import added_by, read_rows
from mtm_core.models.read_in import LinearReadIn
from mtm_core.models.read_out import SharedReadOut
from mtm_core.models.session_part import SessionFacts, SessionPart
from mtm_core.models.spike_model import MAX_LOG_GAIN, SpikeModel, causal_trials


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

    def training_output(self, batch: MaskedBatch, share: float) -> tuple[Tensor, Tensor]:
        """Predict a batch; the penalty is the divergence from the priors, per scored entry."""
        log_rate, unrolled = self._predict(batch)
        config = self.config
        total = (
            config.kl_initial * unrolled.initial_divergence.sum()
            + config.kl_inputs * unrolled.input_divergence.sum()
        )
        weight = min(share / config.kl_warmup, 1.0) if config.kl_warmup else 1.0
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
        first = self._first(batch.inputs, batch.is_hidden)
        out: Unrolled = self.trunk(first, batch.prompt, batch.is_causal, is_random=self.training)
        return out

    def _first(self, counts: Tensor, is_hidden: Tensor) -> Tensor:
        """Read in what is visible: (n_trials, n_bins, input_width)."""
        visible = (~is_hidden).to(counts.dtype)
        return self.part.read_in.first(self.part.standardise(counts) * visible, visible)

    @torch.inference_mode()
    def predict_one_at_a_time(
        self,
        counts: Tensor,
        is_hidden: Tensor,
        units: Tensor,
        prompt: int,
        *,
        is_causal: bool | None = None,
    ) -> Tensor:
        """Predict each chosen unit from a pass in which it, too, is hidden; see `SpikeModel`.

        Hiding one more unit is a rank-one change of what is read in. Equal to `forward` on masks
        built one at a time.
        """
        part, (n_trials, n_bins, _) = self.part, counts.shape
        base = self._first(counts, is_hidden.expand_as(counts))
        added = added_by(part, part.read_in, counts, is_hidden, units)
        flat = (base[:, None] - added).reshape(-1, n_bins, base.shape[-1])
        index = torch.full((len(flat),), prompt, device=counts.device)
        past_only = causal_trials(index, is_causal)
        factors = self.trunk(flat, index, past_only, is_random=False).factors
        turns = factors.view(n_trials, len(units), n_bins, -1)
        return read_rows(part, part.read_out, turns, units, prompt)
