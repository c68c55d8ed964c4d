"""The recipes: the paper's four tasks and the free mask, and what a click means in each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

CUSTOM = "custom"
"""The recipe in which a person hides what they like."""


@dataclass(frozen=True, kw_only=True)
class RecipeWords:
    """A recipe in a person's words.

    Parameters
    ----------
    title : str
        On its button.
    click : str
        What a click on a region does, on its button.
    help : str
        What is hidden, kept and scored, as a sentence.
    """

    title: str
    click: str
    help: str


RECIPES: Mapping[str, RecipeWords] = MappingProxyType(
    {
        "co_smoothing": RecipeWords(
            title="Co-smoothing",
            click="click: score this region",
            help="Every unit is hidden in turn and predicted from all the others. "
            "Click a region: its units are scored, all else stays visible.",
        ),
        "forward_prediction": RecipeWords(
            title="Forward prediction",
            click="click: score this region",
            help="The last tenth of the trial is hidden for every unit and predicted from the "
            "past. Click a region: its units are scored.",
        ),
        "intra_region": RecipeWords(
            title="Intra-region",
            click="click: keep only this region",
            help="Only one region is kept; each of its units is hidden in turn and predicted "
            "from its neighbours. Click a region: it is kept and scored, all else is hidden.",
        ),
        "inter_region": RecipeWords(
            title="Inter-region",
            click="click: hide this region",
            help="A whole region is hidden and predicted from all the others. "
            "Click a region: it is hidden and scored.",
        ),
        CUSTOM: RecipeWords(
            title="Custom",
            click="click: hide or show",
            help="Hide what you like. Click a region or a unit's eye: it is hidden, or shown "
            "again; what is hidden is scored.",
        ),
    }
)
"""The recipes in the order of their buttons."""
