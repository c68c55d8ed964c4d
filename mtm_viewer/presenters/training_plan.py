"""What can be trained for a session, and how long it will take."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from mtm_core import config_io, resources
from mtm_core.config import TrainConfig
from mtm_core.data.session import Session
from mtm_core.models.manifest import Manifest
from mtm_viewer.presenters.transfer import duration_words

QUICK = "quick"
_FIRST = (QUICK, "recommended", "multi", "recommended-multi")
_START_S = 6.0
"""To start Python, import torch and read the session."""
_STEP_S = 0.006
_S_PER_FLOP = 1.0 / 60e9
_S_PER_ENTRY = 1.2e-8
_FIT_S_PER_ENTRY = 1.3e-6
"""Of the start fitted to all training entries; see the notes of `estimate_s`."""
_WIDE_FIT = 2.2
_BACKWARD = 3
"""A backward pass costs about twice the forward pass."""


@dataclass(frozen=True, kw_only=True)
class Shape:
    """The size of a session to train on.

    Parameters
    ----------
    n_trials, n_bins, n_units : int
        All trials, bins of a trial, units.
    """

    n_trials: int
    n_bins: int
    n_units: int

    @classmethod
    def of(cls, session: Session) -> Shape:
        """Return the size of a session."""
        return cls(n_trials=session.n_trials, n_bins=session.n_bins, n_units=session.n_units)


@dataclass(frozen=True, kw_only=True)
class Speed:
    """How fast this machine trains, beside the one that the rule was made on.

    Parameters
    ----------
    factor : float
        2 means that everything takes twice as long.
    n_runs : int
        Finished runs that it comes from; 0 means that it was measured by a short calculation.
    """

    factor: float = 1.0
    n_runs: int = 0

    @property
    def words(self) -> str:
        """Say where the estimate comes from."""
        if self.n_runs == 1:
            return "from units, trials, bins and steps, and from your last run on this machine"
        if self.n_runs:
            return (
                f"from units, trials, bins and steps, and from your last {self.n_runs} runs on "
                "this machine"
            )
        return "from units, trials, bins and steps, and a short measurement of this machine"


@dataclass(frozen=True, kw_only=True)
class PresetChoice:
    """A preset to train by.

    Parameters
    ----------
    name : str
        Its name.
    what_for : str
        What its file says about it.
    takes_many : bool
        Whether one model can learn several sessions.
    """

    name: str
    what_for: str
    takes_many: bool


@cache
def preset_choices() -> tuple[PresetChoice, ...]:
    """Return all presets, those to begin with first."""
    names = resources.list_presets()
    ordered = [name for name in _FIRST if name in names]
    ordered += [name for name in names if name not in ordered]
    return tuple(_choice(name) for name in ordered)


def estimate_s(config: TrainConfig, shapes: Sequence[Shape], speed: Speed) -> float | None:
    """Estimate how long a run takes from its start to its model, in seconds.

    Parameters
    ----------
    config : TrainConfig
        Its settings.
    shapes : sequence of Shape
        Its sessions.
    speed : Speed
        Of this machine.

    Returns
    -------
    float or None
        None for architectures that the rule was not fitted to.

    Notes
    -----
    The rule is starting + fitted start + steps x (overhead + multiplications + entries of a
    batch). Its constants were fitted to runs of NDT1 on sessions of 110 to 1,157 units, 150 to 430
    training trials and 40 to 100 bins on one core.
    """
    if getattr(config.model, "architecture", "") != "ndt1" or not shapes:
        return None
    return _START_S + speed.factor * training_s(config, shapes)


def training_s(config: TrainConfig, shapes: Sequence[Shape]) -> float:
    """Return the rule's seconds of training alone, on the machine that it was made on."""
    data = config.data
    share = 1.0 - data.val_fraction - (1 / data.folds if data.folds else data.test_fraction)
    factor = config.data.bin_factor
    n_train = [round(share * shape.n_trials) for shape in shapes]
    steps = config.optim.n_steps(max(1, sum(n_train)))
    n_bins = max(shape.n_bins for shape in shapes) // factor
    n_units = sum(shape.n_units for shape in shapes) / len(shapes)
    fit = 0.0
    if getattr(config.model, "read_in", "") == "components":
        entries = sum(
            n * (shape.n_bins // factor) * shape.n_units
            for n, shape in zip(n_train, shapes, strict=True)
        )
        is_wide = getattr(config.model, "component_copies", 1) > 1
        fit = _FIT_S_PER_ENTRY * entries * (_WIDE_FIT if is_wide else 1.0)
    return fit + steps * _step_s(config, n_bins, n_units)


def shape_of_run(manifest: Manifest) -> tuple[Shape, ...]:
    """Return the sizes of the sessions that a model was trained on."""
    factor = manifest.config.data.bin_factor
    return tuple(
        Shape(
            n_trials=sum(len(ids) for ids in record.split.values()),
            n_bins=manifest.n_bins * factor,
            n_units=record.n_units,
        )
        for record in manifest.sessions
    )


def estimate_words(seconds: float | None) -> str:
    """Write an estimate.

    Examples
    --------
    >>> estimate_words(48.0), estimate_words(None)
    ('about 50 s', 'time known after its first steps')
    """
    if seconds is None:
        return "time known after its first steps"
    return f"about {duration_words(seconds)}"


def quick_words(session: Session, speed: Speed) -> str:
    """Say how long `quick` will take for a session."""
    return estimate_words(estimate_s(_quick(), [Shape.of(session)], speed))


@cache
def _quick() -> TrainConfig:
    return config_io.load_preset(QUICK)


def _step_s(config: TrainConfig, n_bins: int, n_units: float) -> float:
    model, size = config.model, config.optim.batch_size
    width = getattr(model, "width", 64)
    block = 4 * width**2 + 2 * width * getattr(model, "mlp_width", 4 * width)
    trunk = getattr(model, "layers", 2) * (block + 2 * n_bins * width)
    per_bin = 2 * (trunk + 2 * width * n_units)  # a multiplication and an addition
    flops = _BACKWARD * size * n_bins * per_bin
    return _STEP_S + _S_PER_FLOP * flops + _S_PER_ENTRY * size * n_bins * n_units


def _choice(name: str) -> PresetChoice:
    config = config_io.load_preset(name)
    lines = resources.preset_path(name).read_text(encoding="utf-8").splitlines()
    head = itertools.takewhile(lambda line: line.startswith("#"), lines)
    return PresetChoice(
        name=name,
        what_for=" ".join(line.removeprefix("#").strip() for line in head),
        takes_many=getattr(config.model, "read_in", "") != "components",
    )
