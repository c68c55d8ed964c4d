"""Every setting of the project, with its only default.

The line under a field is its documentation and its command-line help.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, ClassVar, Literal

from mtm_core.config_fields import Bounds, check_settings
from mtm_core.config_model import ModelConfig, Ndt1Config
from mtm_core.errors import ConfigError, UnknownNameError

TaskName = Literal["co_smoothing", "forward_prediction", "intra_region", "inter_region"]
SchemeName = Literal[
    "temporal",
    "random_token",
    "neuron",
    "causal",
    "inter_region",
    "intra_region",
    "coordinated_dropout",
    "region_subset",
]
SplitName = Literal["random", "interleaved", "blocked"]
SessionDraw = Literal["size", "equal"]

Share = Annotated[float, Bounds(0.01, 0.99)]
Count = Annotated[int, Bounds(1, 1_000_000_000)]


@dataclass(frozen=True, kw_only=True)
class DataConfig:
    """How trials are split and bins are joined."""

    section: ClassVar[str] = "data"

    split: SplitName = "random"
    """How trials are divided: at random, interleaved, or in contiguous blocks with gaps."""
    split_seed: Annotated[int, Bounds(0, 2**53)] = 0
    """Seed of the random split; the draw also depends on the session id."""
    val_fraction: Annotated[float, Bounds(0.01, 0.9)] = 0.1
    """Share of trials for validation."""
    test_fraction: Annotated[float, Bounds(0.01, 0.9)] = 0.2
    """Share of trials for the test."""
    split_blocks: Annotated[int, Bounds(1, 1000)] = 4
    """Number of test blocks of a blocked split, one in each equal stretch of the session."""
    split_gap: Annotated[int, Bounds(0, 1000)] = 3
    """Trials left out between any two parts of a blocked split."""
    folds: Annotated[int, Bounds(2, 100)] | None = None
    """Cross-fitting: divide all trials into this many test parts in place of `test_fraction`, of
    which this run takes one. None means a single test part."""
    fold: Annotated[int, Bounds(1, 100)] = 1
    """Which of the `folds` is the test part of this run, counted from 1."""
    train_trials: Count | None = None
    """Train on this many of the training trials only; a larger number keeps those of a smaller
    one. None means all."""
    bin_factor: Annotated[int, Bounds(1, 1000)] = 1
    """Join this many bins into one before training."""

    def __post_init__(self) -> None:
        """Check every field, and that some trials are left to train on."""
        check_settings(self)
        if self.folds is not None and self.fold > self.folds:
            msg = (
                f"--data.fold {self.fold} is beyond --data.folds {self.folds}. The nearest valid "
                f"value is {self.folds}."
            )
            raise ConfigError(msg)
        held = self.val_fraction + (1 / self.folds if self.folds else self.test_fraction)
        if self.folds is not None and held > 0.9:
            msg = (
                f"--data.folds {self.folds} and --data.val_fraction {self.val_fraction:g} leave "
                "too few trials to train on. Take more folds, or a smaller share for validation."
            )
            raise ConfigError(msg)
        if held > 0.9:
            msg = (
                f"--data.val_fraction {self.val_fraction:g} and --data.test_fraction "
                f"{self.test_fraction:g} leave too few trials to train on; together they may "
                "be at most 0.9."
            )
            raise ConfigError(msg)


@dataclass(frozen=True, kw_only=True)
class MaskingConfig:
    """Which schemes are trained, and how much they hide."""

    section: ClassVar[str] = "masking"

    schemes: tuple[SchemeName, ...] = ("neuron", "causal", "intra_region", "inter_region")
    """Schemes drawn with equal chance; one name alone trains that scheme only."""
    mixing: Literal["batch", "trial"] = "trial"
    """Draw one scheme per batch, or one per trial."""
    neuron_ratio: Share = 0.3
    """Share of units hidden by the neuron scheme, and inside the region by intra_region."""
    temporal_ratio: Share = 0.3
    """Share of bins hidden by the temporal scheme."""
    temporal_span: Annotated[int, Bounds(1, 10_000)] = 1
    """Length in bins of the hidden spans of the temporal scheme."""
    token_ratio: Share = 0.3
    """Share of tokens (1 bin x 128 units) hidden by the random_token scheme."""
    dropout_ratio: Share = 0.3
    """Share of single entries hidden by the coordinated_dropout scheme."""
    causal_ratio: Share = 0.6
    """Share of bins hidden by the causal scheme; for suffixes, the longest share of the trial."""
    causal_span: Literal["bins", "suffix", "mixed"] = "bins"
    """Hide single bins, the last bins of the trial, or one or the other in each trial."""
    region_draw: Literal["name", "size"] = "size"
    """Draw regions equally by name, or by their number of units; region_subset always equally."""
    min_region_units: Annotated[int, Bounds(1, 100_000)] = 5
    """Regions with fewer units are never drawn."""
    draw_unnamed_regions: bool = False
    """Let `root` and `void` be drawn as regions too, as the paper's code does."""

    def __post_init__(self) -> None:
        """Check every field."""
        check_settings(self)


@dataclass(frozen=True, kw_only=True)
class OptimConfig:
    """The optimiser and its schedule."""

    section: ClassVar[str] = "optim"

    lr: Annotated[float, Bounds(1e-9, 10.0)] = 3e-3
    """Peak learning rate."""
    weight_decay: Annotated[float, Bounds(0.0, 100.0)] = 1.0
    """AdamW weight decay."""
    epochs: Count = 1000
    """Passes over the training trials; `optim.steps` overrides it."""
    steps: Count | None = None
    """Number of optimiser steps; none means: as many as `optim.epochs` makes."""
    batch_size: Annotated[int, Bounds(1, 65_536)] = 32
    """Trials in a batch; all of one session."""
    sessions_per_step: Annotated[int, Bounds(1, 10_000)] = 1
    """Sessions that each give a batch to a step, weighted by their scored entries; under torchrun
    with as many processes each takes one."""
    accumulate: Annotated[int, Bounds(1, 65_536)] = 1
    """Parts that a batch is computed in, one after another: less memory for the same step, but
    for rounding and the draws of dropout."""
    session_draw: SessionDraw = "size"
    """Draw the session of a batch by its number of training trials, or equally."""
    warmup_fraction: Annotated[float, Bounds(0.0, 0.99)] = 0.15
    """Share of the steps in which the learning rate rises."""
    clip_norm: Annotated[float, Bounds(1e-6, 1e6)] | None = 1.0
    """Gradient norm above which gradients are scaled down; none means never."""
    average_decay: Annotated[float, Bounds(0.0, 0.999999)] | None = 0.998
    """Decay of the running average of the weights; none means no averaging."""
    loss: Literal["mean", "sum"] = "mean"
    """Average the loss over scored entries, or sum it as the paper's code does."""

    def __post_init__(self) -> None:
        """Check every field."""
        check_settings(self)

    def n_steps(self, n_trials: int) -> int:
        """Return the number of optimiser steps for so many training trials.

        Examples
        --------
        >>> OptimConfig(epochs=10, batch_size=32).n_steps(100), OptimConfig(steps=5).n_steps(100)
        (32, 5)
        """
        if self.steps is not None:
            return self.steps
        return -(-self.epochs * n_trials // (self.batch_size * self.sessions_per_step))


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """Seeds, devices, and how often a run stops to think."""

    section: ClassVar[str] = "run"

    seed: Annotated[int, Bounds(0, 2**53)] = 0
    """Seed of weights, masks, dropout and batch order."""
    device: str = "auto"
    """Where to compute: auto, cpu, cuda, mps."""
    threads: Annotated[int, Bounds(1, 1024)] | None = None
    """CPU threads; none means what the machine offers."""
    matmul: Literal["auto", "default", "onednn"] = "auto"
    """Library of CPU matrix products; auto takes the faster. They differ in the last bits."""
    attention: Literal["auto", "products", "fused"] = "auto"
    """Kernel of attention; auto takes the faster. They differ in the last bits."""
    precision: Literal["fp32", "bf16"] = "fp32"
    """Of products inside the layers: bf16 is about twice as fast where the processor knows it,
    and rounds to three digits."""
    cuda_graphs: Literal["auto", "off"] = "auto"
    """Steps on a CUDA GPU are captured once and repeated, or (off) made anew each time."""
    validate_every: Count = 100
    """Steps between validations."""
    checkpoint_every: Count = 200
    """Steps between checkpoints."""
    store: Literal["auto", "memory", "mapped"] = "auto"
    """Where counts lie: in memory (or on the device), in mapped files, or auto: in memory as long
    as they fit into a quarter of what is free. The result is the same to the last bit."""
    store_dir: str | None = None
    """Folder of the mapped files; none means the cache folder of this user."""
    store_gb: Annotated[float, Bounds(0.001, 1e6)] = 50.0
    """Most gigabytes of mapped files; those used longest ago go first."""
    keep_checkpoints: Annotated[int, Bounds(1, 1000)] = 2
    """Newest states to keep, beside the best weights: if the last is damaged, the one before
    serves."""

    def __post_init__(self) -> None:
        """Check every field, and that the device is the name of one."""
        check_settings(self)
        if not re.fullmatch(r"auto|cpu|mps|cuda(:\d+)?", self.device):
            known = ["auto", "cpu", "cuda", "cuda:0", "mps"]
            raise UnknownNameError("value of --run.device called", self.device, known)


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """All settings of one training run."""

    section: ClassVar[str] = ""

    name: str = "quick"
    """Name of the preset that these settings came from."""
    data: DataConfig = field(default_factory=DataConfig)
    """Splits and bins."""
    model: ModelConfig = field(default_factory=Ndt1Config)
    """The architecture."""
    masking: MaskingConfig = field(default_factory=MaskingConfig)
    """The training masks."""
    optim: OptimConfig = field(default_factory=OptimConfig)
    """The optimiser."""
    run: RunConfig = field(default_factory=RunConfig)
    """Seeds, devices, intervals."""

    def __post_init__(self) -> None:
        """Check the fields outside the sections, and that the model can learn the schemes."""
        check_settings(self)
        self.model.check_schemes(self.masking.schemes)


FINETUNE: Mapping[str, str] = {
    "optim.steps": "300",
    "optim.lr": "0.003",
    "run.validate_every": "25",
    "run.checkpoint_every": "100",
    "data.train_trials": "none",
    "optim.sessions_per_step": "1",
}
"""What a fine-tuning changes in the settings of its checkpoint, unless it is typed."""


@dataclass(frozen=True, kw_only=True)
class PreparationConfig:
    """How a recording becomes trials, bins and units."""

    section: ClassVar[str] = "prepare"

    preset: str = "default"
    """Name of the preset that these settings came from."""
    align: Literal["stim_on", "first_movement", "go_cue", "feedback"] = "stim_on"
    """Event that trials are aligned to."""
    window_start_s: Annotated[float, Bounds(-60.0, 60.0)] = -0.5
    """Start of the window, in seconds from the event."""
    window_end_s: Annotated[float, Bounds(-60.0, 60.0)] = 1.5
    """End of the window, in seconds from the event."""
    bin_size_s: Annotated[float, Bounds(0.001, 10.0)] = 0.02
    """Width of a bin in seconds; the window must hold a whole number of bins."""
    units: Literal["good", "all"] = "good"
    """Units that pass every quality criterion (label 1), or all clusters with spikes."""
    min_rate_hz: Annotated[float, Bounds(0.0, 1000.0)] = 0.0
    """Leave out units with a lower mean rate over the kept trials, in spikes/s."""
    regions: tuple[str, ...] = ()
    """Keep these regions only, named at the chosen level; all where none is named."""
    region_level: Literal["given", "beryl", "cosmos"] = "beryl"
    """Level of the regions: acronyms as given, or IBL's Beryl or Cosmos level."""
    named_regions_only: bool = True
    """Leave out units in `root`, in `void` and without a region."""
    min_region_units: Annotated[int, Bounds(1, 100_000)] = 5
    """Leave out regions with fewer units, counted after every other rule."""
    trials: Literal["brain_wide_map", "event"] = "brain_wide_map"
    """Trials by the brain-wide-map rule (all six events, a choice, first movement 0.08 to 2 s
    after the stimulus), or all that have the align event."""
    min_error_trials: Annotated[int, Bounds(0, 100_000)] = 0
    """Refuse a recording with fewer kept trials that ended without reward."""
    drop_silence: bool = True
    """Leave out trials whose window meets over 1 s without a spike on any probe."""
    sample_at: Literal["centre", "right_edge"] = "centre"
    """Where in a bin behaviour is sampled; the paper's code takes the right edge."""

    def __post_init__(self) -> None:
        """Check every field, and that the window holds a whole number of bins."""
        check_settings(self)
        length_s = self.window_end_s - self.window_start_s
        if length_s <= 0:
            msg = (
                f"--prepare.window_end_s {self.window_end_s:g} must lie after "
                f"--prepare.window_start_s {self.window_start_s:g}."
            )
            raise ConfigError(msg)
        n_bins = max(self.n_bins, 1)
        if abs(n_bins * self.bin_size_s - length_s) > 1e-6 * self.bin_size_s:
            msg = (
                f"--prepare.bin_size_s {self.bin_size_s:g} does not divide the window of "
                f"{length_s:g} s into whole bins. The nearest valid value is "
                f"{length_s / n_bins:g}."
            )
            raise ConfigError(msg)

    @property
    def n_bins(self) -> int:
        """Number of bins in the window.

        Examples
        --------
        >>> PreparationConfig().n_bins
        100
        """
        return round((self.window_end_s - self.window_start_s) / self.bin_size_s)
