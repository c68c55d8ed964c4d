"""The preset of a preparation in words, and what a person changed about it."""

from __future__ import annotations

from mtm_core import resources
from mtm_core.config import PreparationConfig
from mtm_core.config_io import load_preparation, preparation_to_dict


def preset_sentence(config: PreparationConfig) -> str:
    """Name the preset, and the settings that differ from it.

    Examples
    --------
    >>> preset_sentence(PreparationConfig())
    'Preset default.'
    >>> preset_sentence(load_preparation("paper", [("prepare.align", "go_cue")]))
    'Preset paper, changed: align go_cue.'
    """
    if config.preset not in resources.list_preparations():
        return f"Preset {config.preset}."
    preset = preparation_to_dict(load_preparation(config.preset))
    changed = [
        f"{name} {_words(value)}"
        for name, value in preparation_to_dict(config).items()
        if value != preset[name]
    ]
    return f"Preset {config.preset}{', changed: ' if changed else ''}{', '.join(changed)}."


def _words(value: object) -> str:
    if isinstance(value, list):
        return " ".join(map(str, value)) or "none"
    return str(value).lower() if isinstance(value, bool) else str(value)
