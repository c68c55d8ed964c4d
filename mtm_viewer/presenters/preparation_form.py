"""The settings of preparation as a form: made from the settings class and its documentation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from mtm_core.config import PreparationConfig
from mtm_core.config_fields import Bounds, Setting
from mtm_core.config_io import (
    load_preparation,
    preparation_from_dict,
    preparation_settings,
    preparation_to_dict,
)
from mtm_core.errors import ConfigError
from mtm_core.json_text import parse_json

PRESETS: dict[str, str] = {
    "default": "Good practice: good units in named regions, clean trials",
    "brain-wide-map": "As in the brain-wide-map paper",
    "paper": "As in the multi-task-masking paper: all units, all trials with the event",
}
"""The presets, each with what it is for."""

FieldKind = Literal["choice", "number", "flag", "words"]

_LABELS = {
    "align": "Align trials to",
    "window_start_s": "Window from",
    "window_end_s": "Window to",
    "bin_size_s": "Bin size",
    "units": "Units",
    "min_rate_hz": "Slowest unit kept",
    "regions": "Regions",
    "region_level": "Names of regions",
    "named_regions_only": "Named regions only",
    "min_region_units": "Fewest units in a region",
    "trials": "Trials",
    "min_error_trials": "Fewest error trials",
    "drop_silence": "Leave out gaps in the recording",
    "sample_at": "Sample behaviour at",
}
_WORDS = {
    "stim_on": "stimulus onset",
    "first_movement": "first movement",
    "go_cue": "go cue",
    "feedback": "feedback",
    "good": "good units",
    "all": "all units",
    "given": "as given (Allen)",
    "beryl": "Beryl",
    "cosmos": "Cosmos",
    "brain_wide_map": "clean trials (brain-wide map)",
    "event": "all trials that have the event",
    "centre": "centres of bins",
    "right_edge": "right edges of bins (the paper)",
}
_UNITS = {"_s": "s", "_hz": "spikes/s", "_units": "units", "_trials": "trials"}


@dataclass(frozen=True, kw_only=True)
class FormField:
    """One line of the form.

    Parameters
    ----------
    name : str
        Field of `PreparationConfig`.
    label : str
        What people read.
    kind : str
        ``"choice"``, ``"number"``, ``"flag"`` or ``"words"`` (several words with commas).
    value : object
        What it is now, as the field's own type.
    choices : mapping of str to str
        Values and what people read, for a choice.
    bounds : Bounds or None
        Range of a number.
    is_whole : bool
        Whether a number is a whole one.
    unit : str
        Unit of a number; "" for none.
    help : str
        The field's documentation, and its default.
    """

    name: str
    label: str
    kind: FieldKind
    value: Any
    choices: Mapping[str, str]
    bounds: Bounds | None
    is_whole: bool
    unit: str
    help: str


def form_fields(config: PreparationConfig) -> tuple[FormField, ...]:
    """Describe every setting of preparation, with what it is now."""
    settings = preparation_settings().values()
    return tuple(_field(setting, getattr(config, setting.name)) for setting in settings)


def make_config(values: Mapping[str, Any]) -> PreparationConfig:
    """Make settings from the values of the form.

    Raises
    ------
    ConfigError
        If a value is impossible; the text speaks of the form's labels.
    """
    try:
        return PreparationConfig(**values)
    except ConfigError as error:
        raise ConfigError(_in_words_of_the_form(str(error))) from error


def changed_fields(config: PreparationConfig) -> tuple[str, ...]:
    """Return the labels of the settings in which a configuration differs from its preset.

    Examples
    --------
    >>> changed_fields(PreparationConfig(units="all", min_rate_hz=0.5))
    ('Units', 'Slowest unit kept')
    """
    preset = load_preparation(config.preset)
    return tuple(
        _label(setting.name)
        for setting in preparation_settings().values()
        if getattr(config, setting.name) != getattr(preset, setting.name)
    )


def preset_words(config: PreparationConfig) -> str:
    """Name the preset, and what was changed in it.

    Examples
    --------
    >>> preset_words(PreparationConfig()), preset_words(PreparationConfig(units="all"))
    ('default', 'default, changed: units')
    """
    changed = ", ".join(changed_fields(config)).lower()
    return f"{config.preset}, changed: {changed}" if changed else config.preset


def preparation_words(config: PreparationConfig) -> str:
    """Say in a line what will be done to a recording.

    Examples
    --------
    >>> preparation_words(PreparationConfig()).split(", ", 1)[0]
    'good units in named regions'
    """
    start, end = (f"{edge:g}" for edge in (config.window_start_s, config.window_end_s))
    window = f"{start} to {end} s".replace("-", "\N{MINUS SIGN}")
    where = f" of {', '.join(config.regions)}" if config.regions else ""
    named = "" if where or not config.named_regions_only else " in named regions"
    bins = f"{config.n_bins} bins of {config.bin_size_s * 1000:g} ms"
    units, event = _WORDS[config.units], _WORDS[config.align]
    trials = _WORDS[config.trials].partition(" (")[0]
    return f"{units}{where}{named}, {trials}, {window} around {event}, {bins}"


def write_settings(config: PreparationConfig) -> str:
    """Return the settings as a text for the settings file."""
    return json.dumps(preparation_to_dict(config))


def read_settings(text: str) -> PreparationConfig:
    """Read what `write_settings` wrote; the defaults where that cannot be used any more."""
    try:
        return preparation_from_dict(parse_json(text))
    except (ConfigError, ValueError, AttributeError, TypeError):
        return load_preparation()


def _field(setting: Setting, value: object) -> FormField:
    return FormField(
        name=setting.name,
        label=_label(setting.name),
        kind=_kind(setting),
        value=value,
        choices={choice: _WORDS.get(choice, _plain(choice)) for choice in setting.choices},
        bounds=setting.bounds,
        is_whole=setting.kind is int,
        unit=next((unit for end, unit in _UNITS.items() if setting.name.endswith(end)), ""),
        help=f"{setting.doc} Default: {_default_words(setting)}.".replace("`", ""),
    )


def _kind(setting: Setting) -> FieldKind:
    if setting.is_list:
        return "words"
    if setting.choices:
        return "choice"
    return "flag" if setting.kind is bool else "number"


def _default_words(setting: Setting) -> str:
    default = setting.default
    if isinstance(default, bool):
        return "yes" if default else "no"
    if isinstance(default, tuple):
        return ", ".join(default) or "every one"
    if isinstance(default, str):
        return _WORDS.get(default, _plain(default))
    return f"{default:g}".replace("-", "\N{MINUS SIGN}")


def _label(name: str) -> str:
    return _LABELS.get(name, _plain(name).capitalize())


def _plain(name: str) -> str:
    return name.replace("_", " ")


def _in_words_of_the_form(text: str) -> str:
    for setting in sorted(preparation_settings().values(), key=lambda s: -len(s.flag)):
        text = text.replace(setting.flag, f"'{_label(setting.name)}'")
    return text
