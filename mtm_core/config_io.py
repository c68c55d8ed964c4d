"""Settings in and out: presets, TOML files, and overrides from the command line.

Read a preset with `load_preset`, change it with `apply_overrides`, keep it with `to_toml`.
A field that may be none holds the word ``"none"`` in TOML, which has no word of its own for it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import tomllib
import typing
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mtm_core import resources
from mtm_core.config import PreparationConfig, TrainConfig
from mtm_core.config_fields import Setting, join_key, settings_of
from mtm_core.config_model import ARCHITECTURES
from mtm_core.errors import ConfigError, UnknownNameError

Tree = dict[str, Any]
"""Settings as nested plain values: one dict per section."""

MAX_FILE_BYTES = 1_000_000
"""A larger file is no settings file."""

NONE = "none"


def load_preset(name: str) -> TrainConfig:
    """Read a bundled preset by name, or a TOML file by path.

    Parameters
    ----------
    name : str
        Name such as ``"quick"``, or a path that ends in ``.toml``.

    Raises
    ------
    UnknownNameError
        If no preset is called so; the text names the nearest.
    ConfigError
        If the file is not a settings file.
    """
    path = Path(name) if name.endswith(".toml") else resources.preset_path(name)
    return read_toml(path)


def read_toml(path: Path) -> TrainConfig:
    """Read a settings file; fields that it leaves out have their defaults.

    Raises
    ------
    ConfigError
        If it cannot be read, is not TOML, or holds unknown or impossible settings.
    """
    tree = read_tree(path)
    with naming_file(path):
        return from_dict(tree)


def read_tree(path: Path) -> Tree:
    """Read a TOML file as nested plain values.

    Raises
    ------
    ConfigError
        If it cannot be read, is far too large, or is not TOML.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            msg = f"{path} is too large for a settings file."
            raise ConfigError(msg)
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        msg = f"Could not read the settings file {path}: {(error.strerror or '').lower()}."
        raise ConfigError(msg) from error
    except ValueError as error:
        msg = f"{path} is not a TOML file: {error}."
        raise ConfigError(msg) from error


@contextlib.contextmanager
def naming_file(path: Path) -> Iterator[None]:
    """Put the name of a settings file before what is wrong with it."""
    try:
        yield
    except ConfigError as error:
        msg = f"{path}: {error}"
        raise ConfigError(msg) from error


def from_dict(tree: Mapping[str, Any]) -> TrainConfig:
    """Build settings from nested plain values; fields left out have their defaults.

    Raises
    ------
    UnknownNameError
        If a section or a field is not one of ours; the text names the nearest.
    ConfigError
        If a value is impossible.

    Examples
    --------
    >>> from_dict({"model": {"width": 32}}).model.width
    32
    """
    classes = section_classes(_architecture(tree))
    values = _top_values(tree, classes)
    for section, cls in classes.items():
        part = tree.get(section, {})
        if not isinstance(part, Mapping):
            msg = f"[{section}] must be a section with fields, not '{part}'."
            raise ConfigError(msg)
        values[section] = cls(**parse_fields(part, settings_of(cls)))
    return TrainConfig(**values)


def to_dict(config: TrainConfig) -> Tree:
    """Return settings as nested plain values that JSON and TOML can hold."""
    tree = dataclasses.asdict(config)
    return {
        key: (
            {name: _plain(entry) for name, entry in value.items()}
            if isinstance(value, dict)
            else _plain(value)
        )
        for key, value in tree.items()
    }


def to_toml(config: TrainConfig) -> str:
    """Write all settings as TOML, each under its documentation."""
    tree = to_dict(config)
    lines = _toml_lines(tree, settings_of(TrainConfig))
    for section, cls in section_classes(config.model.architecture).items():
        lines += [f"[{section}]", *_toml_lines(tree[section], settings_of(cls))]
    return "\n".join(lines)


def apply_overrides(
    config: TrainConfig, overrides: Iterable[tuple[str, str | list[str]]]
) -> TrainConfig:
    """Change settings by dotted keys, as typed on the command line.

    Parameters
    ----------
    config : TrainConfig
        What to start from; left as it is.
    overrides : iterable of (str, str or list of str)
        Dotted key, with or without leading dashes, and the typed text.

    Raises
    ------
    UnknownNameError
        If no field has that key; the text names the nearest.

    Examples
    --------
    >>> changed = apply_overrides(TrainConfig(), [("--model.width", "32"), ("optim.steps", "5")])
    >>> changed.model.width, changed.optim.steps
    (32, 5)
    """
    typed = {key.lstrip("-"): value for key, value in overrides}
    tree = to_dict(config)
    architecture = str(typed.get("model.architecture", config.model.architecture))
    if architecture != config.model.architecture:
        # Sizes of one architecture mean nothing to another: start from its own defaults.
        tree["model"] = {"architecture": architecture}
    known = {setting.key for setting in _settings(section_classes(architecture))}
    for key, value in typed.items():
        if key not in known:
            raise UnknownNameError("setting", key, known)
        section, _, name = key.rpartition(".")
        (tree[section] if section else tree)[name] = value
    return from_dict(tree)


def all_settings() -> dict[str, Setting]:
    """Describe every field that can be set, of every architecture, by dotted key."""
    settings: dict[str, Setting] = {}
    for architecture in ARCHITECTURES:
        for setting in _settings(section_classes(architecture)):
            settings.setdefault(setting.key, setting)
    return settings


def load_preparation(
    name: str = "default", overrides: Iterable[tuple[str, str | list[str]]] = ()
) -> PreparationConfig:
    """Read a preset of preparation, with some settings changed.

    Parameters
    ----------
    name : str
        A bundled preset (``default``, ``paper``, ``brain-wide-map``), or a path ending in
        ``.toml`` of a file with a section ``[prepare]``.
    overrides : iterable of (str, str or list of str)
        Key such as ``"prepare.align"``, with or without leading dashes, and the typed text.

    Raises
    ------
    UnknownNameError
        If there is no such preset, or no setting of that key; the text names the nearest.
    ConfigError
        If the file is not one of preparation settings, or a value is impossible.

    Examples
    --------
    >>> load_preparation("paper", [("--prepare.align", "first_movement")]).align
    'first_movement'
    """
    path = Path(name) if name.endswith(".toml") else resources.preparation_path(name)
    tree = read_tree(path)
    with naming_file(path):
        if set(tree) != {"prepare"} or not isinstance(tree["prepare"], Mapping):
            msg = "a file of preparation settings has one section, [prepare], and no other."
            raise ConfigError(msg)
        config = preparation_from_dict(tree["prepare"])
    known = {setting.key: setting.name for setting in preparation_settings().values()}
    part = preparation_to_dict(config)
    for key, value in overrides:
        if key.lstrip("-") not in known:
            raise UnknownNameError("setting", key.lstrip("-"), known)
        part[known[key.lstrip("-")]] = value
    return preparation_from_dict(part)


def preparation_settings() -> dict[str, Setting]:
    """Describe the settings of a preparation that a person may change, by dotted key."""
    settings = settings_of(PreparationConfig).values()
    return {setting.key: setting for setting in settings if setting.name != "preset"}


def preparation_from_dict(part: Mapping[str, Any]) -> PreparationConfig:
    """Build settings of preparation from plain values; those left out have their defaults."""
    return PreparationConfig(**parse_fields(part, settings_of(PreparationConfig)))


def preparation_to_dict(config: PreparationConfig) -> Tree:
    """Return settings of preparation as plain values that JSON and TOML can hold."""
    return {name: _plain(value) for name, value in dataclasses.asdict(config).items()}


def section_classes(architecture: str) -> dict[str, type]:
    """Return the settings class of each section, for one architecture.

    Raises
    ------
    UnknownNameError
        If there is no such architecture.
    """
    if architecture not in ARCHITECTURES:
        raise UnknownNameError("architecture", architecture, ARCHITECTURES)
    hints = typing.get_type_hints(TrainConfig)
    classes: dict[str, type] = {
        name: hint
        for name, hint in hints.items()
        if isinstance(hint, type) and dataclasses.is_dataclass(hint)
    }
    classes["model"] = ARCHITECTURES[architecture]
    return classes


def _settings(classes: Mapping[str, type]) -> list[Setting]:
    found = list(settings_of(TrainConfig).values())
    for cls in classes.values():
        found += settings_of(cls).values()
    return found


def _architecture(tree: Mapping[str, Any]) -> str:
    model = tree.get("model", {})
    default = next(iter(ARCHITECTURES))
    return str(model.get("architecture", default)) if isinstance(model, Mapping) else default


def _top_values(tree: Mapping[str, Any], classes: Mapping[str, type]) -> Tree:
    top = settings_of(TrainConfig)
    for key in tree:
        if key not in classes and key not in top:
            raise UnknownNameError("setting or section", key, [*top, *classes])
    return {name: _parse(top[name], tree[name]) for name in top if name in tree}


def parse_fields(part: Mapping[str, Any], settings: Mapping[str, Setting]) -> Tree:
    """Turn typed text or TOML values into the fields' own types, where that is possible.

    Raises
    ------
    UnknownNameError
        If a field is not one of `settings`; the text names the nearest.
    """
    known = [setting.key for setting in settings.values()]
    section = known[0].rpartition(".")[0]
    for name in part:
        if name not in settings:
            raise UnknownNameError("setting", join_key(section, name), known)
    return {name: _parse(settings[name], value) for name, value in part.items()}


def _parse(setting: Setting, value: object) -> object:
    """Turn typed text or a TOML value into the field's own type, where that is possible."""
    if setting.is_list:
        return tuple(_parse_one(setting, entry) for entry in _entries(value))
    if setting.is_optional and isinstance(value, str) and value.lower() == NONE:
        return None
    return _parse_one(setting, value)


def _entries(value: object) -> list[object]:
    entries = value if isinstance(value, list | tuple) else [value]
    split: list[object] = []
    for entry in entries:
        split += entry.split(",") if isinstance(entry, str) else [entry]
    return [entry.strip() if isinstance(entry, str) else entry for entry in split if entry != ""]


def _parse_one(setting: Setting, value: object) -> object:
    if setting.kind is float and type(value) is int:
        return float(value)
    if not isinstance(value, str) or setting.kind is str:
        return value
    if setting.kind is bool:
        return {"true": True, "false": False}.get(value.lower(), value)
    try:
        return setting.kind(value)
    except ValueError:
        return value  # the check of the settings class says what is wrong with it


def _plain(value: object) -> object:
    if value is None:
        return NONE
    return list(value) if isinstance(value, tuple) else value


def _toml_lines(values: Mapping[str, Any], settings: Mapping[str, Setting]) -> list[str]:
    lines: list[str] = []
    for name, setting in settings.items():
        # JSON writes words, numbers, booleans and lists of words as TOML does.
        text = json.dumps(values[name], ensure_ascii=False)
        lines += [f"# {setting.doc}"] if setting.doc else []
        lines += [f"{name} = {text}", ""]
    return lines
