"""The transformer over time bins that sessions may share: prompts, positions, layers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mtm_core.config_model import Ndt1Config
from mtm_core.masking.masked_batch import PROMPTS
from mtm_core.models.backend import layer_precision
from mtm_core.models.layers import Dropout, TransformerLayer, attention_mask, rotary_table
from mtm_core.models.read_in import STITCH_GAIN
from mtm_core.models.unit_embedding import UnitMaps


class TimeTrunk(nn.Module):
    """One token per time bin in, one out.

    Parameters
    ----------
    config : Ndt1Config
        Sizes and switches.
    n_bins : int
        Number of bins of a trial.
    """

    cosine: Tensor
    sine: Tensor

    def __init__(self, config: Ndt1Config, n_bins: int) -> None:
        super().__init__()
        self.config = config
        self.embedding_dropout = Dropout(config.embedding_dropout)
        self.prompt = nn.Embedding(len(PROMPTS), config.width)
        nn.init.normal_(self.prompt.weight, std=0.1)
        self.position = nn.Parameter(0.1 * torch.randn(n_bins, config.width))
        self.layers = nn.ModuleList(
            TransformerLayer(config.width, config.heads, config.mlp_width, config.dropout)
            for _ in range(config.layers)
        )
        self.output_norm = nn.LayerNorm(config.width)
        # Scores that pass by the layers start alone; what the layers add is learnt from nothing.
        gain = 0.0 if config.read_in == "components" else 1.0
        self.output_gain = nn.Parameter(torch.full((len(PROMPTS), config.width), gain))
        for layer in self.layers:
            if isinstance(layer, TransformerLayer):
                layer.scale_weights(0.67 * config.layers**-0.25)
        cosine, sine = rotary_table(n_bins, config.width // config.heads)
        identity = torch.ones(self.n_prefix, cosine.shape[1])
        self.register_buffer("cosine", torch.cat([identity, cosine]), persistent=False)
        self.register_buffer("sine", torch.cat([0 * identity, sine]), persistent=False)
        self.shared_in = None
        if config.read_in == "stitched":
            first = nn.Linear(config.stitch_width, 2 * config.stitch_width)
            second = nn.Linear(2 * config.stitch_width, config.width)
            with torch.no_grad():
                for linear in (first, second):
                    linear.weight.mul_(STITCH_GAIN)
            self.shared_in = nn.Sequential(first, nn.Softsign(), second)
        self.units = UnitMaps(config) if config.read_in == "unit_embedding" else None

    @property
    def n_prefix(self) -> int:
        """Number of tokens before those of the bins."""
        return int(self.config.prompt == "prefix") + int(self.config.session_token)

    def forward(
        self, tokens: Tensor, session_token: Tensor, prompt: Tensor, is_causal: Tensor
    ) -> Tensor:
        """Transform tokens.

        Parameters
        ----------
        tokens : Tensor, shape (n_trials, n_bins, width)
            One for each bin; of the stitch width where sessions are stitched.
        session_token : Tensor, shape (width,)
            Stands for the session; used if the settings say so.
        prompt, is_causal : Tensor, shape (n_trials,)
            As in a `MaskedBatch`.

        Returns
        -------
        Tensor, shape (n_trials, n_bins, width)
        """
        placed = self.place(tokens, self.position, self.prompt(prompt)[:, None])
        return self.transform(self.prepend(placed, session_token, prompt), prompt, is_causal)

    def place(self, tokens: Tensor, position: Tensor, prompt: Tensor) -> Tensor:
        """Tell tokens their bin and their prompt, each by itself.

        Parameters
        ----------
        tokens : Tensor, shape (..., width)
            See `forward`.
        position, prompt : Tensor, broadcastable to (..., width)
            Embeddings of their bins and prompts; used if the settings say so.
        """
        if self.shared_in is not None:
            with layer_precision(tokens.device):
                tokens = self.shared_in(tokens)
        if self.config.positions in ("learnt", "both"):
            tokens = tokens + position
        if self.config.prompt == "added":
            tokens = tokens + prompt
        placed: Tensor = self.embedding_dropout(tokens)
        return placed

    def transform(
        self, tokens: Tensor, prompt: Tensor, is_causal: Tensor, packed: Tensor | None = None
    ) -> Tensor:
        """Run the layers.

        Parameters
        ----------
        tokens : Tensor, shape (n_trials, n_prefix + n_bins, width)
            What `prepend` returned.
        prompt, is_causal : Tensor, shape (n_trials,)
            As in a `MaskedBatch`.
        packed : Tensor, shape (n_trials, n_prefix + n_bins, 3 width), or None
            What the first layer's `project` makes of them, if that is known already.

        Returns
        -------
        Tensor, shape (n_trials, n_bins, width)
        """
        mask = attention_mask(is_causal, tokens.shape[1] - self.n_prefix, self.n_prefix)
        rotary = None if self.config.positions == "learnt" else (self.cosine, self.sine)
        with layer_precision(tokens.device):
            for layer in self.layers:
                tokens, packed = layer(tokens, mask, rotary, packed), None
        out: Tensor = self.output_norm(tokens[:, self.n_prefix :])
        return out * self.output_gain[prompt][:, None]

    def adds_nothing(self, prompt: Tensor) -> bool:
        """Tell whether the output is 0 whatever the tokens, so that it need not be computed."""
        return not torch.is_grad_enabled() and not bool(self.output_gain[prompt].any())

    def first_project(self, tokens: Tensor) -> Tensor:
        """Return what the first layer's `project` makes of tokens (..., width)."""
        with layer_precision(tokens.device):
            packed: Tensor = self.layers[0].project(tokens)  # type: ignore[operator]
        return packed

    def prepend(self, tokens: Tensor, session_token: Tensor, prompt: Tensor) -> Tensor:
        """Put the prefix tokens before those of the bins, as the settings say."""
        prefix = []
        if self.config.prompt == "prefix":
            prefix.append(self.prompt(prompt)[:, None])
        if self.config.session_token:
            prefix.append(session_token.expand(len(tokens), 1, -1))
        return torch.cat([*prefix, tokens], dim=1) if prefix else tokens
