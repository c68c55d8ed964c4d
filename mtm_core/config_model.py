"""Settings of the architectures: what all share, what transformers share, and each one's own.

The line under a field is its documentation and its command-line help.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from mtm_core.config_fields import Bounds, check_settings
from mtm_core.errors import ConfigError

ArchitectureName = Literal["ndt1", "ndt2", "lfads"]

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

    def check_schemes(self, schemes: tuple[str, ...]) -> None:
        """Check that the architecture can learn these masking schemes.

        Raises
        ------
        ConfigError
            If there is one that it cannot.
        """


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
    read_in: Literal["linear", "two_layer", "stitched", "components", "unit_embedding"] = "linear"
    """How counts become tokens: one matrix per session; the paper's two layers; the paper's
    stitching, one matrix per session to a common width and two layers that sessions share;
    principal components with a read-out for each prompt, both fitted before training (see
    models.warm_start; one session only); or embeddings of units, made of what is known of them by
    maps that sessions share (see models.unit_embedding)."""
    stitch_width: Width = 668
    """Common width that stitching maps every session to."""
    unit_width: Width = 64
    """Length of a unit's embedding, where units have one."""
    unit_vectors: bool = True
    """Learn a vector for every embedded unit beside what its features say; without it, no trained
    number belongs to a session."""
    unit_vector_dropout: DropoutShare = 0.5
    """Share of units whose learnt vector is left out at random during training, so that a unit
    without one can be read too."""

    component_scale: Literal["spread", "noise"] = "spread"
    """What counts are divided by before principal components are taken: each unit's spread after
    smoothing, or the noise that its mean rate makes, so that units count by what they tell."""
    component_copies: Annotated[int, Bounds(2, 3)] = 2
    """How often the components come: with a fast and a slow temporal kernel, or with three."""
    component_prior: Literal["ridge", "learnt"] = "ridge"
    """Prior of the fitted read-out: the same for all components, or a covariance learnt from the
    weights of the whole population."""
    component_softening: Literal["fixed", "fitted"] = "fixed"
    """How far a component's score is pulled towards 0 where little of it is visible: alike for all
    models, or, for masks of whole regions, chosen on validation trials. Take the latter with the
    scheme region_subset, which shows as little as one region."""

    def __post_init__(self) -> None:
        """Check every field, and that no switch is one that does nothing."""
        super().__post_init__()
        for flag in ("mask_flag", "standardise"):
            if self.read_in == "components" and not getattr(self, flag):
                msg = (
                    f"--model.{flag} false does nothing with --model.read_in components, which "
                    "estimate their scores from what is visible. Take --model.read_in linear."
                )
                raise ConfigError(msg)
        for flag in (
            "component_scale",
            "component_copies",
            "component_prior",
            "component_softening",
        ):
            if self.read_in != "components" and getattr(self, flag) != getattr(Ndt1Config, flag):
                msg = (
                    f"--model.{flag} {getattr(self, flag)} does nothing with --model.read_in "
                    f"{self.read_in}. Take --model.read_in components, or leave it out."
                )
                raise ConfigError(msg)


@dataclass(frozen=True, kw_only=True)
class Ndt2Config(TransformerConfig):
    """The NDT2 transformer: a token for every bin of every patch of units; sessions share all."""

    architecture: Literal["ndt2"] = "ndt2"
    """Which architecture."""
    token_units: Annotated[int, Bounds(1, 4096)] = 128
    """Units in a patch: a token is one bin of one patch."""
    max_patches: Annotated[int, Bounds(1, 1024)] = 32
    """Most patches that a session may have; each has a learnt position."""
    unit_order: Literal["given", "region", "rate"] = "given"
    """How units are put into patches: as given, by region and then rate, or by falling rate."""
    region_embedding: bool = False
    """Add to every token the mean of learnt embeddings of its units' regions."""


@dataclass(frozen=True, kw_only=True)
class LfadsConfig(ModelConfig):
    """LFADS: a sequential variational autoencoder with a recurrent generator."""

    architecture: Literal["lfads"] = "lfads"
    """Which architecture."""
    input_width: Width = 64
    """Common width that every session's counts are read into."""
    encoder_width: Width = 64
    """Width of each direction of the two encoders."""
    initial_dims: Annotated[int, Bounds(1, 1024)] = 32
    """Latent dimensions of the generator's initial condition."""
    generator_width: Width = 96
    """Width of the generator."""
    factors: Annotated[int, Bounds(1, 1024)] = 32
    """Number of factors, which are read out as log-rates."""
    controller: bool = True
    """Infer inputs to the generator, bin by bin; without, all follows from its start."""
    controller_width: Width = 64
    """Width of the controller."""
    inferred_inputs: Annotated[int, Bounds(1, 1024)] = 4
    """Number of inferred inputs."""
    input_prior: Literal["autoregressive", "gaussian"] = "autoregressive"
    """What inferred inputs are expected to be: each near its last value, or independent."""
    prompt: Literal["none", "added"] = "none"
    """How the scheme is told: not at all, or added to what the encoders read."""
    kl_initial: Annotated[float, Bounds(0.0, 100.0)] = 1.0
    """Weight of the divergence of the initial condition from its prior."""
    kl_inputs: Annotated[float, Bounds(0.0, 100.0)] = 1.0
    """Weight of the divergence of the inferred inputs from their prior."""
    kl_warmup: Annotated[float, Bounds(0.0, 1.0)] = 0.3
    """Share of the steps in which both weights rise from 0."""

    def describe(self) -> str:
        """Return architecture and sizes in a few words."""
        inputs = f"{self.inferred_inputs} inputs" if self.controller else "no controller"
        return f"lfads, generator {self.generator_width}, factors {self.factors}, {inputs}"

    def check_schemes(self, schemes: tuple[str, ...]) -> None:
        """Refuse causal masks without a controller: nothing else reads the past alone."""
        if "causal" in schemes and not self.controller:
            msg = (
                "--model.controller false cannot learn the scheme 'causal': the initial condition "
                "is inferred from the whole trial. Leave causal out of --masking.schemes, or keep "
                "the controller."
            )
            raise ConfigError(msg)


ARCHITECTURES: dict[str, type[ModelConfig]] = {
    "ndt1": Ndt1Config,
    "ndt2": Ndt2Config,
    "lfads": LfadsConfig,
}
"""The settings class of each architecture; `--model.architecture` chooses one."""
