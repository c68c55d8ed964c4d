"""The transformer over bins and patches of units that sessions share: NDT2's body."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mtm_core.config_model import Ndt2Config
from mtm_core.data.regions import load_regions
from mtm_core.masking.masked_batch import PROMPTS
from mtm_core.models.backend import layer_precision
from mtm_core.models.layers import Dropout, TransformerLayer, attention_mask, rotary_table
from mtm_core.models.read_in import LinearReadIn
from mtm_core.models.read_out import SharedReadOut

SPACE_SPREAD = 1.0
"""Initial spread of what tells patches apart. All patches share one read-in, whose tokens have a
spread of 0.2 (128 units, all visible): with 0.1, as for bins, patches are learnt apart slowly."""


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
        places = SPACE_SPREAD * torch.randn(config.max_patches, config.width)
        self.space_position = nn.Parameter(places)
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
    def n_prefix(self) -> int:
        """Number of tokens before those of the bins."""
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
        n_trials, _, n_patches, width = shape = tokens.shape
        time = self.time_position[:, None]
        placed = self.place(tokens, patch_embedding, time, self.prompt(prompt)[:, None, None])
        flat = self.prepend(placed.view(n_trials, -1, width), session_token, prompt)
        return self.transform(flat, n_patches, is_causal).view(shape)

    def place(self, tokens: Tensor, patch: Tensor, time: Tensor, prompt: Tensor) -> Tensor:
        """Tell tokens (..., width) their patch, bin and prompt by embeddings that fit to them."""
        tokens = tokens + patch
        if self.config.positions in ("learnt", "both"):
            tokens = tokens + time
        if self.config.prompt == "added":
            tokens = tokens + prompt
        placed: Tensor = self.embedding_dropout(tokens)
        return placed

    def transform(
        self,
        tokens: Tensor,
        n_patches: int,
        is_causal: Tensor,
        packed: Tensor | None = None,
        chosen: Tensor | None = None,
    ) -> Tensor:
        """Run the layers.

        Parameters
        ----------
        tokens : Tensor, shape (n_trials, n_prefix + n_bins * n_patches, width)
            What `prepend` returned.
        n_patches : int
            Tokens of a bin.
        is_causal : Tensor, shape (n_trials,)
            As in a `MaskedBatch`.
        packed : Tensor, shape (n_trials, n_prefix + n_bins * n_patches, 3 width), or None
            What the first layer's `project` makes of them, if that is known already.
        chosen : Tensor of int64, shape (n_trials, n_chosen), or None
            Tokens of each trial that are asked for, where trials are alike in causality; None
            means all but the prefix.

        Returns
        -------
        Tensor, shape (n_trials, n_bins * n_patches or n_chosen, width)
        """
        n_bins = (tokens.shape[1] - self.n_prefix) // n_patches
        mask = attention_mask(is_causal, n_bins, self.n_prefix, n_patches)
        rotary = None if self.config.positions == "learnt" else self._rotary(n_patches)
        last = len(self.layers) - 1
        with layer_precision(tokens.device):
            for place, layer in enumerate(self.layers):
                asked = chosen if place == last else None
                tokens, packed = layer(tokens, mask, rotary, packed, asked), None
        out: Tensor = self.output_norm(
            tokens if chosen is not None else tokens[:, self.n_prefix :]
        )
        return out

    def first_project(self, tokens: Tensor) -> Tensor:
        """Return what the first layer's `project` makes of tokens (..., width)."""
        with layer_precision(tokens.device):
            packed: Tensor = self.layers[0].project(tokens)  # type: ignore[operator]
        return packed

    def _rotary(self, n_patches: int) -> tuple[Tensor, Tensor]:
        """Turn all patches of a bin alike, and prefix tokens not at all."""
        cosine = self.cosine.repeat_interleave(n_patches, dim=0)
        sine = self.sine.repeat_interleave(n_patches, dim=0)
        still = cosine.new_ones(self.n_prefix, cosine.shape[1])
        return torch.cat([still, cosine]), torch.cat([0 * still, sine])

    def prepend(self, tokens: Tensor, session_token: Tensor, prompt: Tensor) -> Tensor:
        """Put the prefix tokens before those of the bins, as the settings say."""
        prefix = []
        if self.config.prompt == "prefix":
            prefix.append(self.prompt(prompt)[:, None])
        if self.config.session_token:
            prefix.append(session_token.expand(len(tokens), 1, -1))
        return torch.cat([*prefix, tokens], dim=1) if prefix else tokens
