"""The file that says what a sweep searches, and what it means for each trial.

::

    [sweep]
    name = "rates"
    preset = "quick"
    sessions = ["steinmetz2019_s12"]
    trials = 20

    [fixed]                                    # settings that every trial shares
    optim.steps = 500

    [search]                                   # settings that trials differ in
    optim.lr = { low = 1e-4, high = 1e-2, log = true }
    model.layers = { low = 1, high = 5 }
    model.width = [64, 128, 256]

    [slurm]                                    # asked of the cluster for each worker
    timeout_min = 240
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from mtm_core import config_io
from mtm_core.config import TrainConfig
from mtm_core.config_fields import Setting, settings_of
from mtm_core.config_sweep import SweepConfig
from mtm_core.errors import ConfigError, UnknownNameError

Value = bool | int | float | str
"""A value that a trial is given; a list of words is written with commas."""
Tree = Mapping[str, Any]

_SECTIONS = ("sweep", "fixed", "search", "slurm")
_RANGE = {"low", "high", "log", "step"}
_NEVER = ("data.", "run.")
"""Searched, these would change which trials are scored, or nothing but the time."""
_LENGTHS = frozenset({"optim.steps", "optim.epochs", "optim.batch_size"})


@dataclass(frozen=True, kw_only=True)
class Range:
    """Numbers from `low` to `high`, both included.

    Parameters
    ----------
    low, high : int or float
        Its ends.
    log : bool
        Whether equal factors, not equal differences, are equally likely.
    step : int, float or None
        Distance of the numbers; None for all, or 1 between whole ones.
    """

    low: float
    high: float
    log: bool = False
    step: float | None = None

    @property
    def is_whole(self) -> bool:
        """Whether it holds whole numbers only."""
        return isinstance(self.low, int)

    def __contains__(self, value: object) -> bool:
        """Tell whether it holds a number."""
        if not isinstance(value, int | float) or not self.low <= value <= self.high:
            return False
        if self.step is None:
            return True
        place = (value - self.low) / self.step
        return abs(place - round(place)) < 1e-9

    def points(self) -> tuple[Value, ...] | None:
        """Return all its numbers; None if they cannot be counted."""
        if self.log or (self.step is None and not self.is_whole):
            return None
        step = self.step or 1
        n = math.floor((self.high - self.low) / step + 1e-9) + 1
        return tuple(self.low + step * place for place in range(n))


Domain = Range | tuple[Value, ...]
"""What a setting is searched over."""


@dataclass(frozen=True, kw_only=True)
class SweepSpec:
    """All that a sweep is told.

    Parameters
    ----------
    sweep : SweepConfig
        What is searched, and how trials are judged.
    base : TrainConfig
        The preset, with the settings that every trial shares.
    search : mapping of str to Range or tuple
        What trials differ in, by dotted key.
    slurm : mapping
        What is asked of the cluster for each worker.
    """

    sweep: SweepConfig
    base: TrainConfig
    search: Mapping[str, Domain]
    slurm: Mapping[str, Any]

    def config(self, values: Mapping[str, Value]) -> TrainConfig:
        """Return the settings of a trial."""
        changes = [("name", self.sweep.name), *((key, str(v)) for key, v in values.items())]
        return config_io.apply_overrides(self.base, changes)

    def grid(self) -> list[dict[str, Value]]:
        """Return all combinations of the values of a grid."""
        points = [_points(domain) or () for domain in self.search.values()]
        return [dict(zip(self.search, each, strict=True)) for each in itertools.product(*points)]

    @property
    def n_trials(self) -> int:
        """How many trials there will be."""
        return len(self.grid()) if self.sweep.sampler == "grid" else self.sweep.trials

    def start(self) -> dict[str, Value] | None:
        """Return the values that the preset has itself, unless the search leaves one out."""
        tree = config_io.to_dict(self.base)
        values: dict[str, Value] = {}
        for key, domain in self.search.items():
            section, _, name = key.rpartition(".")
            value = _word(tree[section][name] if section in tree else None)
            if value not in domain:
                return None
            values[key] = value
        return values

    def settings(self) -> dict[str, Any]:
        """Return what must be the same whenever the sweep goes on, as plain values."""
        sweep = {name: getattr(self.sweep, name) for name in settings_of(SweepConfig)}
        del sweep["trials"]  # more may be asked for
        search = {
            key: vars(domain) if isinstance(domain, Range) else list(domain)
            for key, domain in self.search.items()
        }
        return {"sweep": sweep, "search": search, "base": config_io.to_dict(self.base)}


def read_spec(path: Path) -> SweepSpec:
    """Read a spec file.

    Raises
    ------
    ConfigError
        If it cannot be read, or says something impossible: file, place and what to do are named.
    """
    tree = config_io.read_tree(path)
    try:
        return _parse(tree)
    except ConfigError as error:
        msg = f"{path}: {str(error).replace('--sweep.', 'sweep.')}"
        raise ConfigError(msg) from error


def _parse(tree: Tree) -> SweepSpec:
    for section in tree:
        if section not in _SECTIONS:
            raise UnknownNameError("section", section, _SECTIONS)
    parts = {name: tree.get(name, {}) for name in _SECTIONS}
    for name, part in parts.items():
        if not isinstance(part, Mapping):
            msg = f"[{name}] must be a section with fields, not '{part}'."
            raise ConfigError(msg)
    sweep = SweepConfig(**config_io.parse_fields(parts["sweep"], settings_of(SweepConfig)))
    fixed = {key: _typed(value) for key, value in _flat(parts["fixed"]).items()}
    base = config_io.apply_overrides(config_io.load_preset(sweep.preset), fixed.items())
    known = config_io.all_settings()
    flat = _flat(parts["search"])
    search = {key: _domain(known[key], value) for key, value in flat.items()}
    spec = SweepSpec(sweep=sweep, base=base, search=search, slurm=dict(parts["slurm"]))
    _check(spec, set(fixed))
    return spec


def _flat(tree: Tree, before: str = "") -> dict[str, Any]:
    """Return what is set, by dotted key; ``optim.lr = 1`` and ``"optim.lr" = 1`` are alike."""
    known = config_io.all_settings()
    found: dict[str, Any] = {}
    for name, value in tree.items():
        key = f"{before}{name}"
        if key in known:
            found[key] = value
        elif isinstance(value, Mapping):
            found |= _flat(value, f"{key}.")
        else:
            raise UnknownNameError("setting", key, known)
    return found


def _domain(setting: Setting, value: object) -> Domain:
    if isinstance(value, Mapping):
        return _range(setting, value)
    if not isinstance(value, list) or not value:
        msg = (
            f"{setting.key} must be searched over a list of values, or over a range such as "
            "{ low = 1, high = 5 }."
        )
        raise ConfigError(msg)
    return tuple(dict.fromkeys(map(_word, value)))


def _range(setting: Setting, value: Tree) -> Range:
    for name in value:
        if name not in _RANGE:
            raise UnknownNameError(f"part of the range of {setting.key} called", name, _RANGE)
    low, high, step = (value.get(name) for name in ("low", "high", "step"))
    is_number = setting.kind in (int, float) and not setting.is_list
    if not is_number or not _is_number(low) or not _is_number(high):
        msg = f"{setting.key} has no range from {low} to {high}: give a list of values."
        raise ConfigError(msg)
    kind: type[int] | type[float] = setting.kind
    found = Range(
        low=kind(low),
        high=kind(high),
        log=value.get("log", False) is True,
        step=None if step is None else kind(step),
    )
    if found.low >= found.high or (found.log and found.low <= 0):
        msg = f"{setting.key}: low must lie below high, and above 0 on a logarithmic scale."
        raise ConfigError(msg)
    if found.step is not None and (found.log or found.step <= 0):
        msg = f"{setting.key}: step must be above 0, and goes with log = false only."
        raise ConfigError(msg)
    return found


def _check(spec: SweepSpec, fixed: set[str]) -> None:
    """Refuse what would make trials incomparable or impossible, before the first is begun."""
    if not spec.search:
        msg = "[search] names no setting: there is nothing to search."
        raise ConfigError(msg)
    for key, domain in spec.search.items():
        _check_key(spec, key, is_fixed=key in fixed)
        ends = (domain.low, domain.high) if isinstance(domain, Range) else domain
        for value in ends:
            spec.config({key: value})  # says what is wrong with it
        if spec.sweep.sampler == "grid" and _points(domain) is None:
            msg = f"{key}: a grid needs a list of values, or a range with a step."
            raise ConfigError(msg)
    if spec.sweep.prune and (
        _LENGTHS & set(spec.search) or any(key.startswith("masking.") for key in spec.search)
    ):
        msg = (
            "sweep.prune compares trials at the same step under the same masks: set it to false "
            "where steps, batch size or masks are searched."
        )
        raise ConfigError(msg)


def _check_key(spec: SweepSpec, key: str, *, is_fixed: bool) -> None:
    if is_fixed:
        msg = f"{key} is both fixed and searched: choose one."
        raise ConfigError(msg)
    if key == "name" or key.startswith(_NEVER):
        msg = (
            f"{key} cannot be searched: trials are compared by their scores on the same "
            "validation trials. Put it under [fixed]."
        )
        raise ConfigError(msg)
    if key.startswith("masking.") and spec.sweep.judge == "masks":
        msg = (
            f'{key} changes the masks that judge = "masks" scores under, so that scores could not '
            'be compared: set judge = "tasks".'
        )
        raise ConfigError(msg)


def _points(domain: Domain) -> tuple[Value, ...] | None:
    return domain.points() if isinstance(domain, Range) else domain


def _typed(value: object) -> str | list[str]:
    return [str(entry) for entry in value] if isinstance(value, list) else str(value)


def _word(value: object) -> Value:
    """Return a value as a search can keep it."""
    if isinstance(value, list | tuple):
        return ",".join(map(str, value))
    return value if isinstance(value, bool | int | float | str) else str(value)


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
