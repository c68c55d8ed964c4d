"""Presets of simulation: read by name or path, with some settings changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path

from mtm_core import resources
from mtm_core.config_fields import Setting, settings_of
from mtm_core.config_io import naming_file, parse_fields, read_tree
from mtm_core.config_simulation import SimulationConfig
from mtm_core.errors import ConfigError, UnknownNameError

SECTION = SimulationConfig.section


def load_simulation(
    name: str = "tiny", overrides: Iterable[tuple[str, str | list[str]]] = ()
) -> SimulationConfig:
    """Read a preset of simulation, with some settings changed.

    Parameters
    ----------
    name : str
        A bundled preset (``ibl-large``, ``ibl-small``, ``tiny``), or a path ending in ``.toml``
        of a file with a section ``[simulate]``.
    overrides : iterable of (str, str or list of str)
        Key such as ``"simulate.trials"``, with or without leading dashes, and the typed text.

    Raises
    ------
    UnknownNameError
        If there is no such preset, or no setting of that key; the text names the nearest.
    ConfigError
        If the file is not one of simulation settings, or a value is impossible.

    Examples
    --------
    >>> load_simulation("tiny", [("--simulate.trials", "12")]).trials
    12
    """
    path = Path(name) if name.endswith(".toml") else resources.simulation_path(name)
    tree = read_tree(path)
    with naming_file(path):
        if set(tree) != {SECTION} or not isinstance(tree[SECTION], Mapping):
            msg = f"a file of simulation settings has one section, [{SECTION}], and no other."
            raise ConfigError(msg)
        config = SimulationConfig(**parse_fields(tree[SECTION], settings_of(SimulationConfig)))
    settings = simulation_settings()
    typed = {}
    for key, value in overrides:
        if key.lstrip("-") not in settings:
            raise UnknownNameError("setting", key.lstrip("-"), settings)
        typed[settings[key.lstrip("-")].name] = value
    changed = parse_fields({**asdict(config), **typed}, settings_of(SimulationConfig))
    return SimulationConfig(**changed)


def simulation_settings() -> dict[str, Setting]:
    """Describe the settings of a simulation, by dotted key."""
    return {setting.key: setting for setting in settings_of(SimulationConfig).values()}
