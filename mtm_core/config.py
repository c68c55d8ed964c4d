"""Every setting of the project, with its only default.

The line under a field is its documentation and its command-line help.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

TaskName = Literal["co_smoothing", "forward_prediction", "intra_region", "inter_region"]
SchemeName = Literal[
    "temporal", "random_token", "neuron", "causal", "inter_region", "intra_region"
]
SplitName = Literal["random", "interleaved", "blocked"]


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """How trials are split and bins are joined."""

    split: SplitName = "random"
    """How trials are divided: at random, interleaved, or in contiguous blocks with gaps."""
    split_seed: int = 0
    """Seed of the random split; the draw also depends on the session id."""
    val_fraction: float = 0.1
    """Share of trials for validation."""
    test_fraction: float = 0.2
    """Share of trials for the test."""
    bin_factor: int = 1
    """Join this many bins into one before training."""


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """The NDT1 transformer: one token per time bin."""

    architecture: Literal["ndt1"] = "ndt1"
    """Which architecture."""
    width: int = 64
    """Width of a token."""
    layers: int = 2
    """Number of transformer layers."""
    heads: int = 4
    """Attention heads."""
    mlp_width: int = 128
    """Width of the hidden layer of each MLP."""
    positions: Literal["learnt", "rotary", "both"] = "both"
    """How a token knows its time: learnt embeddings, rotary attention, or both."""
    prompt: Literal["none", "prefix", "added"] = "added"
    """How the scheme is told: not at all, as a prefix token, or added to every token."""
    session_token: bool = False
    """Prepend a learnt token that stands for the session."""
    mask_flag: bool = True
    """Give the model a binary input that tells hidden entries from silent ones."""
    standardise: bool = True
    """Scale counts by the training mean (minus mean, over root mean)."""
    unit_dropout: float = 0.3
    """Share of visible units hidden at random from the input during training."""
    dropout: float = 0.2
    """Dropout inside the layers."""
    embedding_dropout: float = 0.2
    """Dropout after the embedding."""
    read_in: Literal["linear", "two_layer"] = "linear"
    """How counts become tokens: one matrix, or the paper's N -> 2N, softsign, -> width."""
    output_bias: Literal["mean", "psth"] = "psth"
    """Where the output bias starts: each unit's log mean rate, or its smoothed log PSTH."""
    unit_history: bool = True
    """Let each unit's own visible past in the trial scale its later prediction."""


@dataclass(frozen=True, kw_only=True)
class MaskingConfig:
    """Which schemes are trained, and how much they hide."""

    schemes: tuple[SchemeName, ...] = ("neuron", "causal", "intra_region", "inter_region")
    """Schemes drawn with equal chance; one name alone trains that scheme only."""
    mixing: Literal["batch", "trial"] = "trial"
    """Draw one scheme per batch, or one per trial."""
    neuron_ratio: float = 0.3
    """Share of units hidden by the neuron scheme, and inside the region by intra_region."""
    temporal_ratio: float = 0.3
    """Share of bins hidden by the temporal scheme."""
    temporal_span: int = 1
    """Length in bins of the hidden spans of the temporal scheme."""
    token_ratio: float = 0.3
    """Share of tokens (1 bin x 128 units) hidden by the random_token scheme."""
    causal_ratio: float = 0.6
    """Share of bins hidden by the causal scheme; for suffixes, the longest share of the trial."""
    causal_span: Literal["bins", "suffix", "mixed"] = "bins"
    """Hide single bins, the last bins of the trial, or one or the other in each trial."""
    region_draw: Literal["name", "size"] = "size"
    """Draw regions equally by name, or by their number of units."""
    min_region_units: int = 5
    """Regions with fewer units are never drawn."""
    draw_unnamed_regions: bool = False
    """Let `root` and `void` be drawn as regions too, as the paper's code does."""


@dataclass(frozen=True, kw_only=True)
class OptimConfig:
    """The optimiser and its schedule."""

    lr: float = 3e-3
    """Peak learning rate."""
    weight_decay: float = 1.0
    """AdamW weight decay."""
    epochs: int = 1000
    """Passes over the training trials; `optim.steps` overrides it."""
    steps: int | None = None
    """Number of optimiser steps; none means: as many as `optim.epochs` makes."""
    batch_size: int = 32
    """Trials in a batch."""
    warmup_fraction: float = 0.15
    """Share of the steps in which the learning rate rises."""
    clip_norm: float | None = 1.0
    """Gradient norm above which gradients are scaled down; none means never."""
    average_decay: float | None = 0.998
    """Decay of the running average of the weights; none means no averaging."""
    loss: Literal["mean", "sum"] = "mean"
    """Average the loss over scored entries, or sum it as the paper's code does."""


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Seeds, devices, and how often a run stops to think."""

    seed: int = 0
    """Seed of weights, masks, dropout and batch order."""
    device: str = "auto"
    """Where to compute: auto, cpu, cuda, mps."""
    threads: int | None = None
    """CPU threads; none means what the machine offers."""
    validate_every: int = 100
    """Steps between validations."""
    checkpoint_every: int = 200
    """Steps between checkpoints."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """All settings of one training run."""

    name: str = "quick"
    """Name of the preset that these settings came from."""
    data: DataConfig = field(default_factory=DataConfig)
    """Splits and bins."""
    model: ModelConfig = field(default_factory=ModelConfig)
    """The architecture."""
    masking: MaskingConfig = field(default_factory=MaskingConfig)
    """The training masks."""
    optim: OptimConfig = field(default_factory=OptimConfig)
    """The optimiser."""
    run: RunConfig = field(default_factory=RunConfig)
    """Seeds, devices, intervals."""
