"""Units read in and out by what is known of them, through maps that sessions share.

A unit's embedding ``e`` is a shared map of its features and region (see `models.unit_features`),
plus a learnt vector where the settings allow one. All that a linear model would learn for each
unit follows from it: its column of the read-in matrix is ``A e``, its row of the read-out ``B e``,
and its output bias and the gains of its own past are linear in ``e`` too. The trunk owns the maps,
so a new session needs a vector per unit, or nothing at all.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mtm_core.config_model import Ndt1Config
from mtm_core.models.history import DECAYS, START_GAIN, START_STRENGTH, PastCorrection
from mtm_core.models.unit_features import N_AREAS, N_FEATURES, N_REGIONS, UnitFacts

HIDDEN_WIDTH = 64
"""Width of the hidden layer of the map from features to embeddings."""


class UnitMaps(nn.Module):
    """What sessions share of their units: from features to embeddings, and from these to weights.

    Parameters
    ----------
    config : Ndt1Config
        Sizes and switches.
    """

    def __init__(self, config: Ndt1Config) -> None:
        super().__init__()
        size, width = config.unit_width, config.width
        self.linear = nn.Linear(N_FEATURES, size)
        self.curved = nn.Sequential(
            nn.Linear(N_FEATURES, HIDDEN_WIDTH), nn.GELU(), nn.Linear(HIDDEN_WIDTH, size)
        )
        self.region = nn.Embedding(N_REGIONS, size)
        self.area = nn.Embedding(N_AREAS, size)
        self.counts_in = nn.Linear(size, width, bias=False)
        self.flag_in = nn.Linear(size, width, bias=False) if config.mask_flag else None
        self.bias_in = nn.Parameter(torch.zeros(width))
        self.rows_out = nn.Linear(size, width, bias=False)
        self.bias_out = nn.Linear(size, 1, bias=False)
        self.gain = nn.Linear(size, len(DECAYS))
        self.log_strength = nn.Parameter(torch.full((len(DECAYS),), math.log(START_STRENGTH)))
        self._start()

    @torch.no_grad()
    def _start(self) -> None:
        """Start at the offset, as other read-outs do, and with regions that all mean the same."""
        quiet = [self.region, self.area, self.curved[-1], self.bias_out, self.gain]
        quiet += [] if self.flag_in is None else [self.flag_in]
        for layer in quiet:
            nn.init.zeros_(layer.weight)  # type: ignore[arg-type]
        nn.init.constant_(self.gain.bias, START_GAIN)

    def embed(self, features: Tensor, region: Tensor, area: Tensor) -> Tensor:
        """Return what features and region say of units: (n_units, unit_width)."""
        from_features: Tensor = self.linear(features) + self.curved(features)
        from_place: Tensor = self.region(region) + self.area(area)
        return from_features + from_place


class UnitEmbedding(nn.Module):
    """A session's units: their features, and a learnt vector each where the settings allow it.

    Parameters
    ----------
    config : Ndt1Config
        Sizes and switches.
    n_units : int
        Number of units.
    facts : UnitFacts or None
        What is known of them; None where nothing is, or where a state is loaded afterwards.
    """

    features: Tensor
    region: Tensor
    area: Tensor

    def __init__(self, config: Ndt1Config, n_units: int, facts: UnitFacts | None) -> None:
        super().__init__()
        facts = UnitFacts.unknown(n_units) if facts is None else facts
        self.register_buffer("features", facts.features)
        self.register_buffer("region", facts.region)
        self.register_buffer("area", facts.area)
        self.dropout = config.unit_vector_dropout
        vector = torch.zeros(n_units, config.unit_width)  # starts where features alone put it
        self.vector = nn.Parameter(vector) if config.unit_vectors else None

    def forward(self, maps: UnitMaps) -> Tensor:
        """Return the embeddings: (n_units, unit_width)."""
        embedding = maps.embed(self.features, self.region, self.area)
        if self.vector is None:
            return embedding
        if not self.training or self.dropout == 0:
            return embedding + self.vector
        draw = torch.rand(len(self.vector), 1, device=self.vector.device)
        return embedding + self.vector * (draw >= self.dropout)


class _Embedded(nn.Module):
    """Something made of a session's embedded units; owns neither them nor the shared maps."""

    def __init__(self, units: UnitEmbedding, maps: UnitMaps) -> None:
        super().__init__()
        self._read = (units, maps)  # a tuple, so that their owners alone hold them in their state

    @property
    def maps(self) -> UnitMaps:
        """The shared maps."""
        return self._read[1]

    def embedding(self) -> Tensor:
        """Return the embeddings of the units: (n_units, unit_width)."""
        units, maps = self._read
        embedding: Tensor = units(maps)
        return embedding


class EmbeddedReadIn(_Embedded):
    """A read-in matrix made of embeddings; see `read_in.LinearReadIn`."""

    def _columns(self) -> tuple[Tensor, Tensor | None]:
        """Return each unit's column of the matrix for counts and of that for hidden flags."""
        embedding, flag_in = self.embedding(), self.maps.flag_in
        scaled = embedding * len(embedding) ** -0.5
        return self.maps.counts_in(scaled), None if flag_in is None else flag_in(scaled)

    def first(self, standard: Tensor, visible: Tensor) -> Tensor:
        """Map bins of (..., n_units), with `visible` as 0 or 1, to (..., width)."""
        by_count, by_flag = self._columns()
        first = standard @ by_count + self.maps.bias_in
        return first if by_flag is None else first + (1 - visible) @ by_flag

    def unit_columns(self, units: Tensor) -> tuple[Tensor, Tensor]:
        """Return what a unit's count, and its being visible, add to `first`: (n, width) each."""
        by_count, by_flag = self._columns()
        chosen = by_count[units]
        return chosen, torch.zeros_like(chosen) if by_flag is None else -by_flag[units]

    def tokens(self, first: Tensor, prompt: Tensor, is_causal: Tensor) -> tuple[Tensor, Tensor]:
        """Return tokens (n_trials, n_bins, width), and nothing that passes by the layers."""
        del prompt, is_causal
        return first, torch.zeros((), device=first.device)


class EmbeddedReadOut(_Embedded):
    """A read-out matrix made of embeddings; see `read_out.SharedReadOut`."""

    def forward(self, tokens: Tensor, prompt: Tensor) -> Tensor:
        """Map tokens (n_trials, n_bins, width) to (n_trials, n_bins, n_units)."""
        del prompt
        return nn.functional.linear(tokens, *self._matrix())

    def rows(self, units: Tensor, prompt: int) -> tuple[Tensor, Tensor]:
        """Return weights (n, width) and biases (n,) of chosen units."""
        del prompt
        weight, bias = self._matrix()
        return weight[units], bias[units]

    def _matrix(self) -> tuple[Tensor, Tensor]:
        # Without the scale a step of the optimiser moves a product of maps much further than one
        # matrix, and learning rates of other read-outs are too high.
        embedding = self.embedding()
        embedding = embedding * embedding.shape[1] ** -0.5
        return self.maps.rows_out(embedding), self.maps.bias_out(embedding)[:, 0]


class EmbeddedHistory(PastCorrection):
    """A correction by a unit's own past whose gains follow from its embedding.

    Parameters
    ----------
    n_bins : int
        Length of a trial.
    units : UnitEmbedding
        The session's units.
    maps : UnitMaps
        The shared maps.
    """

    def __init__(self, n_bins: int, units: UnitEmbedding, maps: UnitMaps) -> None:
        super().__init__(n_bins)
        self._read = (units, maps)

    def weights(self) -> tuple[Tensor, Tensor]:
        """Return gains (n_kernels, n_units) and logs of prior strengths (n_kernels,)."""
        units, maps = self._read
        return maps.gain(units(maps)).T, maps.log_strength
