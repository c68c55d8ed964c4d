"""What a person can choose about the rasters: which maps, and how a rate becomes a colour."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from mtm_core.evaluation.colour_scale import Levels, ScaleName

PanelName = Literal[
    "true",
    "model",
    "temporal",
    "difference",
    "psth",
    "control",
    "opponent",
    "opponent_difference",
    "opponent_gain",
    "contrast_true",
    "contrast_model",
]
Panels = tuple[PanelName, PanelName, PanelName]

PANELS: Mapping[PanelName, str] = MappingProxyType(
    {
        "true": "True",
        "model": "Reconstructed",
        "temporal": "Temporal baseline",
        "difference": "True \N{MINUS SIGN} reconstructed",
        "psth": "PSTH of training trials",
        "control": "Gain over shuffled trials",
        "opponent": "Compared",
        "opponent_difference": "Reconstructed \N{MINUS SIGN} compared",
        "opponent_gain": "Gain over compared",
        "contrast_true": "True contrast",
        "contrast_model": "Reconstructed contrast",
    }
)
"""The maps that can stand side by side, with their titles."""
PANEL_WORDS: Mapping[PanelName, str] = MappingProxyType(
    {
        **PANELS,
        "difference": "Difference",
        "psth": "PSTH",
        "control": "Shuffle control",
        "opponent": "Compared with",
        "opponent_difference": "Difference from compared",
        "contrast_true": "Contrast, true",
        "contrast_model": "Contrast, reconstructed",
    }
)
"""The same, short enough for lists."""
PLACES = ("left", "middle", "right")
"""What the three rasters are called."""


@dataclass(frozen=True, kw_only=True)
class RasterSettings:
    """What a person chose about the look of rasters.

    Parameters
    ----------
    scale : str
        How a rate becomes a colour, one of `mtm_core.evaluation.colour_scale.SCALES`.
    sigma_s : float
        Standard deviation of the Gaussian that smooths true and model alike; 0 is none.
    colour_map : str
        One of `mtm_viewer.theme.COLOUR_MAPS`.
    panels : tuple of str
        Which of `PANELS` stand left, in the middle and right.
    percentile : float
        Share of the true map, in per cent, that the colours span.
    levels : Levels or None
        Values at the ends of the colour bar, set by hand; None takes the percentile.
    """

    scale: ScaleName = "sqrt"
    sigma_s: float = 0.02
    colour_map: str = "magma"
    panels: Panels = ("true", "model", "temporal")
    percentile: float = 99.0
    levels: Levels | None = None

    def with_panel(self, place: int, name: PanelName) -> RasterSettings:
        """Show a map at a place; where it stood before comes what stood there.

        Examples
        --------
        >>> RasterSettings().with_panel(2, "model").panels
        ('true', 'temporal', 'model')
        """
        panels = list(self.panels)
        if name in panels:
            panels[panels.index(name)] = panels[place]
        panels[place] = name
        left, middle, right = panels
        return replace(self, panels=(left, middle, right))

    def with_scale(self, scale: ScaleName) -> RasterSettings:
        """Take another scale; levels set by hand belong to the scale before."""
        return replace(self, scale=scale, levels=None)
