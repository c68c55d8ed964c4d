"""What conditions of trials are called in the window: their fields, and the levels of each."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

FIELD_TITLES: Mapping[str, str] = MappingProxyType(
    {
        "contrast_side": "Stimulus side",
        "contrast": "Contrast",
        "feedback": "Outcome",
        "choice": "Choice",
        "block": "Block",
    }
)
"""Fields that trials can be grouped and chosen by, in the order in which they are shown."""
_CONTRAST, _BLOCK = "contrast ", "block "


def level_words(level: str) -> str:
    """Name a level as people read it: a signed contrast is right minus left.

    Examples
    --------
    >>> level_words("contrast -0.75"), level_words("contrast +0"), level_words("rewarded")
    ('left by 75 %', 'equal', 'rewarded')
    >>> level_words("block 0.2 left")
    'p(left) 0.2'
    """
    if level.startswith(_BLOCK):
        return f"p(left) {level.removeprefix(_BLOCK).removesuffix(' left')}"
    if not level.startswith(_CONTRAST):
        return level
    value = float(level.removeprefix(_CONTRAST))
    if value == 0:
        return "equal"
    return f"{'left' if value < 0 else 'right'} by {100 * abs(value):g} %"
