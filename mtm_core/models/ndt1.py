"""NDT1: a transformer over time bins that predicts the log-rate of every unit.

References
----------
Ye & Pandarinath (2021), Neural Data Transformer; Zhang et al. (2024), MtM, arXiv 2407.14668.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from mtm_core.config import ModelConfig
from mtm_core.masking.masked_batch import PROMPTS, MaskedBatch
from mtm_core.models.history import UnitHistory
from mtm_core.models.layers import Dropout, TransformerLayer, attention_mask, rotary_table

OUTPUT_SCALE = 0.1
"""Initial read-out weights are this much smaller than torch's default: start at the bias."""


class Ndt1(nn.Module):
    """One token per time bin; counts of all units in, log-rates of all units out.

    Parameters
    ----------
    config : ModelConfig
        Sizes and switches.
    psth : Tensor, shape (n_bins, n_units)
        Mean count per bin over training trials.

    Notes
    -----
    A hidden entry never reaches the network: its standardised value is 0 and, with
    ``config.mask_flag``, a second read-in tells that it was hidden rather than silent.
    """

    mean: Tensor
    scale: Tensor
    offset: Tensor
    cosine: Tensor
    sine: Tensor

    def __init__(self, config: ModelConfig, psth: Tensor) -> None:
        super().__init__()
        self.config = config
        n_bins, n_units = psth.shape
        self._keep_statistics(psth)
        first_width = 2 * n_units if config.read_in == "two_layer" else config.width
        self.read_in = nn.Linear(n_units, first_width)
        self.flag_in = nn.Linear(n_units, first_width, bias=False) if config.mask_flag else None
        self.second_in = nn.Linear(first_width, config.width) if self._is_two_layer else None
        if self.flag_in is not None:
            nn.init.zeros_(self.flag_in.weight)
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
        self.read_out = nn.Linear(config.width, n_units)
        self.history = UnitHistory(n_bins, n_units) if config.unit_history else None
        self._scale_weights()

    @property
    def _is_two_layer(self) -> bool:
        return self.config.read_in == "two_layer"

    @property
    def _n_prefix(self) -> int:
        return int(self.config.prompt == "prefix") + int(self.config.session_token)

    def _keep_statistics(self, psth: Tensor) -> None:
        mean = psth.mean(dim=0)
        standardise = self.config.standardise
        self.register_buffer("mean", mean if standardise else torch.zeros_like(mean))
        scale = (mean + 1e-3).rsqrt() if standardise else torch.ones_like(mean)
        self.register_buffer("scale", scale)
        smooth = smooth_bins(psth) if self.config.output_bias == "psth" else mean.expand_as(psth)
        expected = 0.9 * smooth + 0.1 * mean + 1e-5
        self.register_buffer("offset", expected.log())
        cosine, sine = rotary_table(len(psth), self.config.width // self.config.heads)
        identity = torch.ones(self._n_prefix, cosine.shape[1])
        self.register_buffer("cosine", torch.cat([identity, cosine]), persistent=False)
        self.register_buffer("sine", torch.cat([0 * identity, sine]), persistent=False)

    def _scale_weights(self) -> None:
        for layer in self.layers:
            if isinstance(layer, TransformerLayer):
                layer.scale_weights(0.67 * self.config.layers**-0.25)
        with torch.no_grad():
            self.read_out.weight.mul_(OUTPUT_SCALE)
            self.read_out.bias.zero_()

    def parameter_groups(self, weight_decay: float) -> list[dict[str, Any]]:
        """Split parameters into matrices, which decay, and everything else, which does not."""
        named = list(self.named_parameters())
        kept = {"position", "session_token", "prompt.weight"}
        decays = [p for name, p in named if p.ndim >= 2 and name not in kept]
        others = [p for name, p in named if p.ndim < 2 or name in kept]
        return [
            {"params": decays, "weight_decay": weight_decay},
            {"params": others, "weight_decay": 0.0},
        ]

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
        first = self._first_layer(batch.inputs, is_hidden)
        tokens = self._body(first, batch.prompt, batch.is_causal)
        log_rate: Tensor = self.read_out(tokens)
        log_rate += self.offset
        if self.history is not None:
            self.history.correct(log_rate, batch.inputs, is_hidden, self.offset.exp())
        return log_rate

    def _drop_units(self, is_hidden: Tensor) -> Tensor:
        if not self.training or self.config.unit_dropout == 0:
            return is_hidden
        n_trials, _, n_units = is_hidden.shape
        draw = torch.rand(n_trials, 1, n_units, device=is_hidden.device)
        return is_hidden | (draw < self.config.unit_dropout)

    def _first_layer(self, inputs: Tensor, is_hidden: Tensor) -> Tensor:
        """Read in standardised visible counts and hidden flags: (n_trials, n_bins, -1).

        Standardising is folded into the weights: the products run on counts and visibility.
        """
        visible = (~is_hidden).to(inputs.dtype)
        weight = self.read_in.weight * self.scale
        by_visible = -weight * self.mean
        constant: Tensor = self.read_in.bias
        if self.flag_in is not None:
            by_visible = by_visible - self.flag_in.weight
            constant = constant + self.flag_in.weight.sum(dim=1)
        seen = nn.functional.linear(inputs * visible, weight, constant)
        return seen + nn.functional.linear(visible, by_visible)

    def _body(self, first: Tensor, prompt: Tensor, is_causal: Tensor) -> Tensor:
        """Turn the first layer's output (n_trials, n_bins, -1) into normalised tokens."""
        tokens = first
        if self.second_in is not None:
            tokens = self.second_in(nn.functional.softsign(tokens))
        if self.config.positions in ("learnt", "both"):
            tokens = tokens + self.position
        if self.config.prompt == "added":
            tokens = tokens + self.prompt(prompt)[:, None]
        tokens = self._prepend(self.embedding_dropout(tokens), prompt)
        n_bins = first.shape[1]
        mask = attention_mask(is_causal, n_bins, self._n_prefix)
        rotary = None if self.config.positions == "learnt" else (self.cosine, self.sine)
        for layer in self.layers:
            tokens = layer(tokens, mask, rotary)
        out: Tensor = self.output_norm(tokens[:, self._n_prefix :])
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

        The read-in is linear, so hiding one more unit is a rank-one change of the first layer's
        output; one read-out row suffices. Equal to `forward` on masks built one at a time.

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
        base = self._first_layer(counts, is_hidden.expand_as(counts))
        visible = ~is_hidden[:, units]  # (bins, chosen)
        standard = ((counts - self.mean) * self.scale)[..., units] * visible
        first = base[:, None] - self._unit_part(standard, visible, units)
        flat = first.reshape(-1, n_bins, first.shape[-1])
        index = torch.full((len(flat),), prompt, device=counts.device)
        is_causal = index == PROMPTS.index("causal")
        tokens = self._body(flat, index, is_causal).view(n_trials, len(units), n_bins, -1)
        product = torch.einsum("rktw,kw->rtk", tokens, self.read_out.weight[units])
        return product + self.read_out.bias[units] + self.offset[:, units]

    def _unit_part(self, standard: Tensor, visible: Tensor, units: Tensor) -> Tensor:
        """Return what each chosen unit adds to the first layer: (trials, chosen, bins, -1)."""
        columns = self.read_in.weight.T[units]  # (chosen, -1)
        part = standard.permute(0, 2, 1)[..., None] * columns[:, None]
        if self.flag_in is not None:
            flags = self.flag_in.weight.T[units]
            part = part - visible.T[..., None].to(part.dtype) * flags[:, None]
        return part


def smooth_bins(psth: Tensor, sigma_bins: float = 2.0) -> Tensor:
    """Smooth along bins with a Gaussian whose weights are renormalised at the edges.

    Parameters
    ----------
    psth : Tensor, shape (n_bins, n_units)
    sigma_bins : float
        Standard deviation in bins.

    Returns
    -------
    Tensor, same shape
    """
    bins = torch.arange(len(psth), dtype=psth.dtype, device=psth.device)
    weight = torch.exp(-0.5 * ((bins[:, None] - bins) / sigma_bins) ** 2)
    return (weight / weight.sum(dim=1, keepdim=True)) @ psth
