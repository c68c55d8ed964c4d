"""The paper's four tasks as recipes whose parameters a person may change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from mtm_core.config import SchemeName
from mtm_core.errors import MaskError
from mtm_core.masking import tasks
from mtm_core.masking.choice import Block, UnitChoice
from mtm_core.masking.rules import parse_rule
from mtm_core.masking.spec import MaskSpec

REGION_RECIPES = ("intra_region", "inter_region")
"""Recipes that cannot do without a region."""


@dataclass(frozen=True, kw_only=True)
class RecipeSettings:
    """What can be changed about a recipe, besides its regions.

    Parameters
    ----------
    last_bins : int or None
        Forward prediction: bins hidden at the end of the trial; None for a tenth, as published.
    score_rule : str
        Score only units for which this rule is true; "" scores all that the recipe scores.

    Raises
    ------
    MaskError
        If no bin would be hidden, or the rule is no rule.

    Examples
    --------
    >>> RecipeSettings(score_rule=" rate_hz > 2 ").score_rule
    'rate_hz > 2'
    """

    last_bins: int | None = None
    score_rule: str = ""

    def __post_init__(self) -> None:
        if self.last_bins is not None and self.last_bins < 1:
            msg = f"Forward prediction hides at least 1 bin, not {self.last_bins}."
            raise MaskError(msg)
        rule = self.score_rule.strip()
        object.__setattr__(self, "score_rule", parse_rule(rule).text if rule else "")


def recipe_spec(
    recipe: str,
    regions: Sequence[str],
    n_bins: int,
    settings: RecipeSettings | None = None,
) -> MaskSpec:
    """Make the mask of a recipe.

    Parameters
    ----------
    recipe : str
        One of the four tasks.
    regions : sequence of str
        Hidden, kept or scored, as the recipe says; co-smoothing and forward prediction score
        every unit without any.
    n_bins : int
        Bins of a trial.
    settings : RecipeSettings, optional
        Its parameters.

    Raises
    ------
    UnknownNameError
        If there is no such recipe.
    MaskError
        If the recipe needs a region, or its parameters leave nothing to see.
    """
    settings = settings or RecipeSettings()
    task = tasks.find_task(recipe)
    if task in REGION_RECIPES and not regions:
        msg = f"The recipe {task.replace('_', '-')} needs a region."
        raise MaskError(msg)
    if task == "inter_region":
        return _inter_region(regions, settings)
    if task == "intra_region":
        return _intra_region(regions, settings)
    spec = tasks.co_smoothing()
    if task == "forward_prediction":
        spec = _forward(n_bins, settings)
    scored = _scored(regions, settings)
    return replace(spec, scored=scored) if scored else spec


def own_prompt(spec: MaskSpec, schemes: Sequence[SchemeName], fitting: str) -> str:
    """Return the prompt of a recipe's mask: its own if the model was trained with it.

    Parameters
    ----------
    spec : MaskSpec
        The mask, with the recipe's own prompt.
    schemes : sequence of str
        Training schemes of the model.
    fitting : str
        What fits the mask best otherwise, see `mtm_core.masking.spec.best_prompt`.
    """
    return spec.prompt if spec.prompt in schemes else fitting


def _inter_region(regions: Sequence[str], settings: RecipeSettings) -> MaskSpec:
    blocks = tuple(Block(UnitChoice.of_region(name)) for name in regions)
    rule = settings.score_rule
    scored = (Block(UnitChoice.by_rule(rule)),) if rule else None  # as far as it is hidden
    return replace(tasks.inter_region(regions[0]), blocks=blocks, scored=scored)


def _intra_region(regions: Sequence[str], settings: RecipeSettings) -> MaskSpec:
    spec = tasks.intra_region(regions[0])
    if len(regions) > 1:
        outside = Block(UnitChoice.by_rule(_inside(regions)), invert=True)
        spec = replace(spec, blocks=(outside,))
    return replace(spec, scored=_scored(regions, settings))


def _forward(n_bins: int, settings: RecipeSettings) -> MaskSpec:
    if settings.last_bins is None:
        return tasks.forward_prediction(n_bins)
    return tasks.forward_prediction(n_bins, settings.last_bins / n_bins)


def _scored(regions: Sequence[str], settings: RecipeSettings) -> tuple[Block, ...] | None:
    """Say which units are scored; None for all that the recipe scores by itself."""
    rule = settings.score_rule
    if not rule:
        return tuple(Block(UnitChoice.of_region(name)) for name in regions) or None
    if regions:
        rule = f"{_inside(regions)} and ({rule})"
    return (Block(UnitChoice.by_rule(rule)),)


def _inside(regions: Sequence[str]) -> str:
    named = ", ".join(f'"{name}"' for name in regions)
    return f"region in ({named})"
