"""NDT1: a transformer over time bins that predicts the log-rate of every unit.

References
----------
Ye & Pandarinath (2021), Neural Data Transformer; Zhang et al. (2024), MtM, arXiv 2407.14668.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from mtm_core.config import ModelConfig
from mtm_core.masking.masked_batch import PROMPTS, MaskedBatch
from mtm_core.models.history import UnitHistory
from mtm_core.models.layers import Dropout, TransformerLayer, attention_mask, rotary_table
from mtm_core.models.read_in import ComponentReadIn, LinearReadIn
from mtm_core.models.read_out import PromptReadOut, SharedReadOut

PRIOR_SPIKES = 20.0
"""Strength of the shrinkage of a PSTH towards the mean rate, in expected spikes."""
MAX_LOG_GAIN = 3.0
"""No more than this (a factor of 20) is added to a unit's log PSTH: rare units stay finite."""


class Ndt1(nn.Module):
    """One token per time bin; counts of all units in, log-rates of all units out.

    Parameters
    ----------
    config : ModelConfig
        Sizes and switches.
    psth : Tensor, shape (n_bins, n_units)
        Mean count per bin over training trials.
    n_trials : int
        Number of these trials: how far the PSTH can be trusted.

    Notes
    -----
    A hidden entry never reaches the network: its standardised value is 0, and the read-in is told
    that it was hidden rather than silent.
    """

    mean: Tensor
    scale: Tensor
    offset: Tensor
    cosine: Tensor
    sine: Tensor

    def __init__(self, config: ModelConfig, psth: Tensor, n_trials: int = 1) -> None:
        super().__init__()
        self.config = config
        n_bins, n_units = psth.shape
        self._keep_statistics(psth, n_trials)
        self.read_in = _read_in(config, n_bins, n_units)
        self.embedding_dropout = Dropout(config.embedding_dropout)
        self.prompt = nn.Embedding(len(PROMPTS), config.width)
        nn.init.normal_(self.prompt.weight, std=0.1)
        self.session_token = nn.Parameter(0.1 * torch.randn(config.width))
        self.position = nn.Parameter(0.1 * torch.randn(n_bins, config.width))
        self.layers = nn.ModuleList(
            TransformerLayer(config.width, config.heads, config.mlp_width, config.dropout)
            for _ in range(config.layers)
        )
        self.output_norm = nn.LayerNorm(config.width)
        # Scores that pass by the layers start alone; what the layers add is learnt from nothing.
        gain = 0.0 if config.read_in == "components" else 1.0
        self.output_gain = nn.Parameter(torch.full((len(PROMPTS), config.width), gain))
        self.read_out = _read_out(config, n_units)
        self.history = UnitHistory(n_bins, n_units) if config.unit_history else None
        for layer in self.layers:
            if isinstance(layer, TransformerLayer):
                layer.scale_weights(0.67 * config.layers**-0.25)

    @property
    def _n_prefix(self) -> int:
        return int(self.config.prompt == "prefix") + int(self.config.session_token)

    def _keep_statistics(self, psth: Tensor, n_trials: int) -> None:
        config, mean = self.config, psth.mean(dim=0)
        flat = mean.expand_as(psth)
        shrunk = shrunk_psth(psth, n_trials)
        centre = {"mean": flat, "psth": shrunk}[config.output_bias]
        self.register_buffer("offset", (centre + 1e-5).log())
        if not config.standardise:
            flat, scale = torch.zeros_like(flat), torch.ones_like(mean)
        else:
            scale = (mean + 1e-3).rsqrt()
        self.register_buffer("mean", shrunk if config.read_in == "components" else flat.clone())
        self.register_buffer("scale", scale)
        cosine, sine = rotary_table(len(psth), config.width // config.heads)
        identity = torch.ones(self._n_prefix, cosine.shape[1])
        self.register_buffer("cosine", torch.cat([identity, cosine]), persistent=False)
        self.register_buffer("sine", torch.cat([0 * identity, sine]), persistent=False)

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """Split parameters into matrices, which decay, and everything else, which does not."""
        named = list(self.named_parameters())
        kept = {"position", "session_token", "prompt.weight", "history.gain", "output_gain"}
        kept |= {"read_in.mix", "read_in.log_softening"}
        decays = [p for name, p in named if p.ndim >= 2 and name not in kept]
        others = [p for name, p in named if p.ndim < 2 or name in kept]
        return [
            {"params": decays, "weight_decay": weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]

    @torch.no_grad()
    def bypass_layers(self, prompt: int) -> None:
        """Let the scores alone speak under a prompt, as at a warm start; in place."""
        if isinstance(self.read_in, ComponentReadIn):
            self.read_in.reset(prompt)
            self.output_gain[prompt] = 0.0

    def forward(self, batch: MaskedBatch) -> Tensor:
        """Predict every entry of a batch.

        Parameters
        ----------
        batch : MaskedBatch
            Inputs and what is hidden of them; targets are not looked at.

        Returns
        -------
        Tensor, shape (n_trials, n_bins, n_units)
            Log-rate: natural log of expected spikes per bin.
        """
        is_hidden = self._drop_units(batch.is_hidden)
        tokens = self.states(replace(batch, is_hidden=is_hidden))
        log_rate: Tensor = self.read_out(tokens, batch.prompt).clamp(max=MAX_LOG_GAIN)
        log_rate += self.offset
        if self.history is not None:
            self.history.correct(log_rate, batch.inputs, is_hidden, self.offset.exp())
        return log_rate

    def states(self, batch: MaskedBatch) -> Tensor:
        """Return the hidden states: the tokens before the read-out, (n_trials, n_bins, width)."""
        first = self.first(batch.inputs, batch.is_hidden)
        return self._body(first, batch.prompt, batch.is_causal)

    def standardise(self, counts: Tensor) -> Tensor:
        """Return counts minus their mean, in units of their spread."""
        return (counts - self.mean) * self.scale

    def first(self, counts: Tensor, is_hidden: Tensor) -> Tensor:
        """Read in what is visible: (n_trials, n_bins, n_first). Hidden counts do not matter."""
        visible = (~is_hidden).to(counts.dtype)
        return self.read_in.first(self.standardise(counts) * visible, visible)

    def _drop_units(self, is_hidden: Tensor) -> Tensor:
        if not self.training or self.config.unit_dropout == 0:
            return is_hidden
        n_trials, _, n_units = is_hidden.shape
        draw = torch.rand(n_trials, 1, n_units, device=is_hidden.device)
        return is_hidden | (draw < self.config.unit_dropout)

    def _body(self, first: Tensor, prompt: Tensor, is_causal: Tensor) -> Tensor:
        """Turn what was read in (n_trials, n_bins, n_first) into what is read out."""
        tokens, scores = self.read_in.tokens(first, prompt, is_causal)
        if self.config.positions in ("learnt", "both"):
            tokens = tokens + self.position
        if self.config.prompt == "added":
            tokens = tokens + self.prompt(prompt)[:, None]
        tokens = self._prepend(self.embedding_dropout(tokens), prompt)
        mask = attention_mask(is_causal, first.shape[1], self._n_prefix)
        rotary = None if self.config.positions == "learnt" else (self.cosine, self.sine)
        for layer in self.layers:
            tokens = layer(tokens, mask, rotary)
        change = self.output_norm(tokens[:, self._n_prefix :]) * self.output_gain[prompt][:, None]
        out: Tensor = scores + change
        return out

    def _prepend(self, tokens: Tensor, prompt: Tensor) -> Tensor:
        prefix = []
        if self.config.prompt == "prefix":
            prefix.append(self.prompt(prompt)[:, None])
        if self.config.session_token:
            prefix.append(self.session_token.expand(len(tokens), 1, -1))
        return torch.cat([*prefix, tokens], dim=1) if prefix else tokens

    @torch.inference_mode()
    def predict_one_at_a_time(
        self, counts: Tensor, is_hidden: Tensor, units: Tensor, prompt: int
    ) -> Tensor:
        """Predict each chosen unit from a pass in which it, too, is hidden.

        What is read in is linear in the counts, so hiding one more unit is a rank-one change of
        it; one read-out row suffices. Equal to `forward` on masks built one at a time.

        Parameters
        ----------
        counts : Tensor, shape (n_trials, n_bins, n_units), float32
            True counts.
        is_hidden : Tensor of bool, shape (n_bins, n_units)
            What is hidden in every pass.
        units : Tensor of int64, shape (n_chosen,)
            The units to hide (whole trial) and predict in turn.
        prompt : int
            Index into `PROMPTS`; the pass is causal if it names ``causal``.

        Returns
        -------
        Tensor, shape (n_trials, n_bins, n_chosen)
            Log-rate of each chosen unit.
        """
        n_trials, n_bins, _ = counts.shape
        base = self.first(counts, is_hidden.expand_as(counts))
        visible = (~is_hidden[:, units]).to(counts.dtype).T  # (chosen, bins)
        by_count, by_visible = self.read_in.unit_columns(units)
        seen = self.standardise(counts)[..., units].transpose(1, 2) * visible
        part = seen[..., None] * by_count[:, None] + visible[..., None] * by_visible[:, None]
        flat = (base[:, None] - part).reshape(-1, n_bins, base.shape[-1])
        index = torch.full((len(flat),), prompt, device=counts.device)
        is_causal = index == PROMPTS.index("causal")
        tokens = self._body(flat, index, is_causal).view(n_trials, len(units), n_bins, -1)
        weight, bias = self.read_out.rows(units, prompt)
        product = torch.einsum("rktw,kw->rtk", tokens, weight)
        return (product + bias).clamp(max=MAX_LOG_GAIN) + self.offset[:, units]


def _read_in(config: ModelConfig, n_bins: int, n_units: int) -> LinearReadIn | ComponentReadIn:
    if config.read_in == "components":
        return ComponentReadIn(n_bins, n_units, config.width, len(PROMPTS))
    two_layer = config.read_in == "two_layer"
    return LinearReadIn(n_units, config.width, mask_flag=config.mask_flag, two_layer=two_layer)


def _read_out(config: ModelConfig, n_units: int) -> SharedReadOut | PromptReadOut:
    if config.read_in == "components":
        return PromptReadOut(config.width, n_units, len(PROMPTS))
    return SharedReadOut(config.width, n_units)


def shrunk_psth(
    psth: Tensor, n_trials: int, sigma_bins: float = 2.0, prior_spikes: float = PRIOR_SPIKES
) -> Tensor:
    """Smooth a PSTH over bins and shrink it towards each unit's mean.

    Around each bin, ``s`` spikes were seen where the mean rate expected ``e``; the estimate is the
    mean times ``(s + k) / (e + k)``, the posterior mean under a gamma prior worth ``k`` spikes.

    Parameters
    ----------
    psth : Tensor, shape (n_bins, n_units)
        Mean count per bin.
    n_trials : int
        Number of trials that it is the mean of.
    sigma_bins : float
        Standard deviation of the Gaussian window.
    prior_spikes : float
        The prior's strength k.

    Returns
    -------
    Tensor, same shape
    """
    bins = torch.arange(len(psth), dtype=psth.dtype, device=psth.device)
    window = torch.exp(-0.5 * ((bins[:, None] - bins) / sigma_bins) ** 2)
    mean = psth.mean(dim=0)
    seen = n_trials * (window @ psth)
    expected = n_trials * window.sum(dim=1, keepdim=True) * mean
    return mean * (seen + prior_spikes) / (expected + prior_spikes)
