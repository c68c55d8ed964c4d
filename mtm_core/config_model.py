"""Settings of the architectures: what all share, what transformers share, and each one's own.

The line under a field is its documentation and its command-line help.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from mtm_core.config_fields import Bounds, check_settings
from mtm_core.errors import ConfigError

ArchitectureName = Literal["ndt1"]

DropoutShare = Annotated[float, Bounds(0.0, 0.95)]
Width = Annotated[int, Bounds(2, 8192)]


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """What every architecture has: how counts are read and where the output starts."""

    section: ClassVar[str] = "model"

    architecture: ArchitectureName = "ndt1"
    """Which architecture."""
    mask_flag: bool = True
    """Tell hidden entries from silent ones by a binary input; components always know."""
    standardise: bool = True
    """Scale counts (minus mean, over root mean); components always are, by their own spread."""
    unit_dropout: DropoutShare = 0.3
    """Share of visible units hidden at random from the input during training."""
    dropout: DropoutShare = 0.2
    """Dropout inside the layers."""
    output_bias: Literal["mean", "psth"] = "psth"
    """Where the output bias starts: each unit's log mean rate, or its smoothed log PSTH."""
    unit_history: bool = True
    """Let each unit's own visible past in the trial scale its later prediction."""

    def __post_init__(self) -> None:
        """Check every field."""
        check_settings(self)

    def describe(self) -> str:
        """Return architecture and sizes in a few words."""
        return self.architecture


@dataclass(frozen=True, kw_only=True)
class TransformerConfig(ModelConfig):
    """What the transformers share."""

    width: Width = 64
    """Width of a token."""
    layers: Annotated[int, Bounds(1, 64)] = 2
    """Number of transformer layers."""
    heads: Annotated[int, Bounds(1, 256)] = 4
    """Attention heads."""
    mlp_width: Annotated[int, Bounds(1, 65536)] = 128
    """Width of the hidden layer of each MLP."""
    positions: Literal["learnt", "rotary", "both"] = "both"
    """How a token knows its time: learnt embeddings, rotary attention, or both."""
    prompt: Literal["none", "prefix", "added"] = "added"
    """How the scheme is told: not at all, as a prefix token, or added to every token."""
    session_token: bool = False
    """Prepend a learnt token that stands for the session."""
    embedding_dropout: DropoutShare = 0.2
    """Dropout after the embedding."""

    def __post_init__(self) -> None:
        """Check every field, and that the heads divide the width into even parts."""
        check_settings(self)
        if self.width % 2:
            msg = f"--model.width is {self.width}, but must be even. The nearest valid value is "
            raise ConfigError(f"{msg}{self.width + 1}.")
        valid = [n for n in range(1, self.width // 2 + 1) if self.width % (2 * n) == 0]
        if self.heads not in valid:
            nearest = min(valid, key=lambda n: abs(n - self.heads))
            msg = (
                f"--model.heads is {self.heads}, but must divide --model.width {self.width} into "
                f"even parts. The nearest valid value is {nearest}."
            )
            raise ConfigError(msg)

    def describe(self) -> str:
        """Return architecture and sizes in a few words."""
        return f"{self.architecture}, width {self.width}, layers {self.layers}"


@dataclass(frozen=True, kw_only=True)
class Ndt1Config(TransformerConfig):
    """The NDT1 transformer: one token per time bin; for one session or, stitched, for many."""

    architecture: Literal["ndt1"] = "ndt1"
    """Which architecture."""
    read_in: Literal["linear", "two_layer", "stitched", "components"] = "linear"
    """How counts become tokens: one matrix per session; the paper's two layers; the paper's
    stitching, one matrix per session to a common width and two layers that sessions share; or
    principal components with a read-out for each prompt, both fitted before training (see
    models.warm_start; one session only)."""
    stitch_width: Width = 668
    """Common width that stitching maps every session to."""


ARCHITECTURES: dict[str, type[ModelConfig]] = {"ndt1": Ndt1Config}
"""The settings class of each architecture; `--model.architecture` chooses one."""
