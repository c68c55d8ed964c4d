"""Colours as data, light and dark: no Qt here, so that presenters and tests can read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from mtm_core.errors import UnknownNameError

_ANCHORS = {
    "magma": (
        "000004 030311 0a0822 130d33 1d1146 28115a 36106a 430f76 50127c 5d177f 691c81 "
        "762181 822681 8f2a81 9c2e7f a9327d b63779 c33b75 cf4170 db486a e65163 ee5c5e "
        "f5695c f9785d fb8761 fd9668 fea571 feb47b fec387 fed194 fde0a2 fceeb0 fcfdbf"
    ),
    "viridis": (
        "440154 470d60 48186a 482374 472d7b 453681 424086 3f4989 3b528b 375a8d 33638d "
        "2f6a8e 2c728e 297a8e 26818e 23898e 21908c 1f988b 1f9f88 21a685 28ae80 31b57b "
        "3ebc74 4cc26c 5dc963 6ece58 82d34c 96d83f abdc32 c0df24 d5e21a eae51a fde725"
    ),
    "cividis": (
        "00224e 00285b 002e6a 043371 1a386f 273e6e 32436d 3b496c 434e6c 4b546c 52596d "
        "5a5f6e 61656f 686a71 6f7073 757676 7c7b78 848179 8b8778 938d78 9b9376 a39a75 "
        "aba072 b3a670 bbad6c c3b469 ccba64 d4c15f ddc958 e6d051 efd748 f8df3c fee838"
    ),
    "difference_light": (
        "055e92 0371ae 0484ca 2897e3 65aaea 8dbcef b1cff4 d3e3f8 f6f6f6 f8dbd2 f3c2b1 "
        "eba992 e19074 d57858 c7603d b84722 a82b03"
    ),
    "difference_dark": (
        "83c8ff 32b5ff 099fe4 0289c6 1a73a5 255e84 284a63 273644 242424 413227 5c412d "
        "785133 94623a b17342 ce854a ed9752 ffaf72"
    ),
}
"""Evenly spaced colours of each map. magma, viridis (van der Walt and Smith) and cividis (Nunez
and others) are perceptually uniform and in the public domain; the two difference maps were drawn
for this project with equal lightness on both sides (CIELAB), blue against orange, which people
who see red and green alike can tell apart."""

COLOUR_MAPS = ("magma", "viridis", "cividis", "grey")
"""Maps that a person can choose for rates."""
DIFFERENCE = "difference"
"""The map of signed values; each theme has its own, centred on its own background."""

_ROLES = MappingProxyType(
    {
        "left": "#0072b2",
        "right": "#d55e00",
        "neither": "#7f7f7f",
        "reward": "#009e73",
        "no reward": "#b5539b",
        "first": "#0072b2",
        "second": "#d55e00",
        "third": "#009e73",
        "fourth": "#b5539b",
        "fifth": "#8c6d1f",
        "sixth": "#4f6bb0",
    }
)
"""Hues of conditions (after Okabe and Ito, made for colour-blind readers)."""


@dataclass(frozen=True, kw_only=True)
class Theme:
    """All colours of the window, as ``#rrggbb`` or ``#rrggbbaa``.

    Parameters
    ----------
    name : str
        ``light`` or ``dark``.
    window, panel, raised : str
        Background of the window, of plots and lists, and of buttons.
    text, muted, border : str
        Text, secondary text and axes, and lines between areas.
    accent, on_accent : str
        The selected thing, and text on it.
    good, warning, bad : str
        Colours of verdicts; always beside a word that says the same.
    event, crosshair : str
        Event lines and the crosshair, drawn over maps.
    separator : str
        Lines between regions, in maps.
    hatch : str
        Lines over hidden entries.
    veil : str
        Cover of entries that are not scored.
    maps : mapping of str to str
        Which anchors serve a map whose look depends on the theme.
    """

    name: str
    window: str
    panel: str
    raised: str
    text: str
    muted: str
    border: str
    accent: str
    on_accent: str
    good: str
    warning: str
    bad: str
    event: str
    crosshair: str
    separator: str
    hatch: str
    veil: str
    maps: Mapping[str, str]

    @property
    def is_dark(self) -> bool:
        """Tell whether light text stands on a dark background."""
        return luminance(self.window) < luminance(self.text)

    def lut(self, name: str) -> NDArray[np.uint8]:
        """Return a table of 256 colours.

        Parameters
        ----------
        name : str
            One of `COLOUR_MAPS`, or `DIFFERENCE`.

        Returns
        -------
        ndarray of uint8, shape (256, 3)
            Red, green, blue; read-only.

        Raises
        ------
        UnknownNameError
            If there is no such map.

        Examples
        --------
        >>> LIGHT.lut("magma")[0].tolist()
        [0, 0, 4]
        """
        return _lut(self.maps.get(name, name))

    def condition(self, role: str) -> str:
        """Return the hue of a condition, lighter on dark; unknown roles are grey."""
        hue = _ROLES.get(role, _ROLES["neither"])
        return mix(hue, "#ffffff", 0.25) if self.is_dark else hue

    def pale(self, colour: str) -> str:
        """Return a colour for a thick true line: half-way to the background."""
        return mix(colour, self.panel, 0.45)

    def strong(self, colour: str) -> str:
        """Return a colour for a thin model line: further from the background."""
        return mix(colour, "#ffffff" if self.is_dark else "#000000", 0.3)


LIGHT = Theme(
    name="light",
    window="#f4f5f7",
    panel="#ffffff",
    raised="#e9ebef",
    text="#1b1f24",
    muted="#5b6470",
    border="#c9ced6",
    accent="#0b63c5",
    on_accent="#ffffff",
    good="#0a7d4f",
    warning="#8a5a00",
    bad="#b3261e",
    event="#2fd3ff",
    crosshair="#8fe3ff",
    separator="#8a8f98",
    hatch="#ffffff66",
    veil="#d9dde2c8",
    maps=MappingProxyType({DIFFERENCE: "difference_light"}),
)
DARK = Theme(
    name="dark",
    window="#16181c",
    panel="#1e2126",
    raised="#2a2e35",
    text="#e8eaed",
    muted="#9aa3ae",
    border="#3a4049",
    accent="#6cb2ff",
    on_accent="#0b1520",
    good="#56c596",
    warning="#e8b04a",
    bad="#ff8a80",
    event="#2fd3ff",
    crosshair="#8fe3ff",
    separator="#8a8f98",
    hatch="#ffffff66",
    veil="#2b2f36b8",
    maps=MappingProxyType({DIFFERENCE: "difference_dark"}),
)
THEMES: Mapping[str, Theme] = MappingProxyType({theme.name: theme for theme in (LIGHT, DARK)})
"""The themes by name."""


def rgba(colour: str) -> tuple[int, int, int, int]:
    """Read a colour.

    Examples
    --------
    >>> rgba("#ff8000"), rgba("#00000080")
    ((255, 128, 0, 255), (0, 0, 0, 128))
    """
    digits = colour.removeprefix("#").ljust(8, "f")
    red, green, blue, alpha = bytes.fromhex(digits)
    return red, green, blue, alpha


def mix(colour: str, other: str, share: float) -> str:
    """Blend two colours; `share` is the part of `other`.

    Examples
    --------
    >>> mix("#000000", "#ffffff", 0.5)
    '#808080'
    """
    pairs = zip(rgba(colour)[:3], rgba(other)[:3], strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def luminance(colour: str) -> float:
    """Relative luminance of a colour, 0 (black) to 1 (white), as WCAG 2 defines it.

    Examples
    --------
    >>> luminance("#ffffff")
    1.0
    """
    channels = np.array(rgba(colour)[:3]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(np.round(linear @ np.array([0.2126, 0.7152, 0.0722]), 6))


def contrast(colour: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21; text needs 4.5."""
    bright, dim = sorted((luminance(colour), luminance(other)), reverse=True)
    return (bright + 0.05) / (dim + 0.05)


@cache
def _lut(name: str) -> NDArray[np.uint8]:
    if name == "grey":
        table = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    elif name in _ANCHORS:
        anchors = np.array([rgba(digits)[:3] for digits in _ANCHORS[name].split()])
        places = np.linspace(0, 255, len(anchors))
        columns = [np.interp(np.arange(256), places, anchors[:, k]) for k in range(3)]
        table = np.rint(np.stack(columns, axis=1)).astype(np.uint8)
    else:
        raise UnknownNameError("colour map", name, [*COLOUR_MAPS, DIFFERENCE])
    table.flags.writeable = False
    return table
