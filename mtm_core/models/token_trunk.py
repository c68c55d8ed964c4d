"""The transformer over bins and patches of units that sessions share: NDT2's body."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mtm_core.config_model import Ndt2Config
from mtm_core.data.regions import load_regions
from mtm_core.masking.masked_batch import PROMPTS
from mtm_core.models.layers import Dropout, TransformerLayer, attention_mask, rotary_table
from mtm_core.models.read_in import LinearReadIn
from mtm_core.models.read_out import SharedReadOut


class TokenTrunk(nn.Module):
    """Read-in of a patch, positions in space and time, layers, read-out of a patch.

    Parameters
    ----------
    config : Ndt2Config
        Sizes and switches.
    n_bins : int
        Number of bins of a trial.
    """

    cosine: Tensor
    sine: Tensor

    def __init__(self, config: Ndt2Config, n_bins: int) -> None:
        super().__init__()
        self.config = config
        self.read_in = LinearReadIn(
            config.token_units, config.width, mask_flag=config.mask_flag, two_layer=True
        )
        self.embedding_dropout = Dropout(config.embedding_dropout)
        self.prompt = nn.Embedding(len(PROMPTS), config.width)
        nn.init.normal_(self.prompt.weight, std=0.1)
        self.time_position = nn.Parameter(0.1 * torch.randn(n_bins, config.width))
        self.space_position = nn.Parameter(0.1 * torch.randn(config.max_patches, config.width))
        self.regions = None
        if config.region_embedding:
            self.regions = nn.Embedding(len(load_regions()), config.width)
            nn.init.normal_(self.regions.weight, std=0.1)
        self.layers = nn.ModuleList(
            TransformerLayer(config.width, config.heads, config.mlp_width, config.dropout)
            for _ in range(config.layers)
        )
        for layer in self.layers:
            if isinstance(layer, TransformerLayer):
                layer.scale_weights(0.67 * config.layers**-0.25)
        self.output_norm = nn.LayerNorm(config.width)
        self.read_out = SharedReadOut(config.width, config.token_units)
        cosine, sine = rotary_table(n_bins, config.width // config.heads)
        self.register_buffer("cosine", cosine, persistent=False)
        self.register_buffer("sine", sine, persistent=False)

    @property
    def _n_prefix(self) -> int:
        return int(self.config.prompt == "prefix") + int(self.config.session_token)

    def patch_embedding(self, region: Tensor, is_real: Tensor) -> Tensor:
        """Return what is added to the tokens of each patch: (n_patches, width).

        Parameters
        ----------
        region : Tensor of int64, shape (n_patches, token_units)
            Row of each unit's region in the table of regions; padded units count for nothing.
        is_real : Tensor of bool, same shape
            False where the last patch is padded.
        """
        place = self.space_position[: len(is_real)]
        if self.regions is None:
            return place
        weight = is_real.to(place.dtype)[..., None]
        mean: Tensor = (self.regions(region) * weight).sum(dim=1) / weight.sum(dim=1)
        return place + mean

    def forward(
        self,
        tokens: Tensor,
        patch_embedding: Tensor,
        session_token: Tensor,
        prompt: Tensor,
        is_causal: Tensor,
    ) -> Tensor:
        """Transform tokens.

        Parameters
        ----------
        tokens : Tensor, shape (n_trials, n_bins, n_patches, width)
            One for each bin of each patch.
        patch_embedding : Tensor, shape (n_patches, width)
            See the method of that name.
        session_token : Tensor, shape (width,)
            Stands for the session; used if the settings say so.
        prompt, is_causal : Tensor, shape (n_trials,)
            As in a `MaskedBatch`.

        Returns
        -------
        Tensor, shape (n_trials, n_bins, n_patches, width)
        """
        shape = n_trials, n_bins, n_patches, width = tokens.shape
        tokens = tokens + patch_embedding
        if self.config.positions in ("learnt", "both"):
            tokens = tokens + self.time_position[:, None]
        if self.config.prompt == "added":
            tokens = tokens + self.prompt(prompt)[:, None, None]
        flat = self.embedding_dropout(tokens).view(n_trials, n_bins * n_patches, width)
        flat = self._prepend(flat, session_token, prompt)
        mask = self._mask(is_causal, n_bins, n_patches)
        rotary = None if self.config.positions == "learnt" else self._rotary(n_patches)
        for layer in self.layers:
            flat = layer(flat, mask, rotary)
        out: Tensor = self.output_norm(flat[:, self._n_prefix :])
        return out.view(shape)

    def _mask(self, is_causal: Tensor, n_bins: int, n_patches: int) -> Tensor:
        """Make the attention mask; one for all trials where they are alike."""
        if bool((is_causal == is_causal[:1]).all()):
            is_causal = is_causal[:1]
        return attention_mask(is_causal, n_bins, self._n_prefix, n_patches)

    def _rotary(self, n_patches: int) -> tuple[Tensor, Tensor]:
        """Turn all patches of a bin alike, and prefix tokens not at all."""
        cosine = self.cosine.repeat_interleave(n_patches, dim=0)
        sine = self.sine.repeat_interleave(n_patches, dim=0)
        still = cosine.new_ones(self._n_prefix, cosine.shape[1])
        return torch.cat([still, cosine]), torch.cat([0 * still, sine])

    def _prepend(self, tokens: Tensor, session_token: Tensor, prompt: Tensor) -> Tensor:
        prefix = []
        if self.config.prompt == "prefix":
            prefix.append(self.prompt(prompt)[:, None])
        if self.config.session_token:
            prefix.append(session_token.expand(len(tokens), 1, -1))
        return torch.cat([*prefix, tokens], dim=1) if prefix else tokens
