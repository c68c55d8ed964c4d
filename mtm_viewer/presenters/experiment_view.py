"""How things were shown, as plain values for an experiment file, and back."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast, get_args

from mtm_core.errors import MaskError
from mtm_core.evaluation.colour_scale import SCALES, Levels
from mtm_core.evaluation.row_order import ORDERS, WithinName
from mtm_core.masking.masked_batch import PROMPTS
from mtm_core.masking.recipes import RecipeSettings
from mtm_core.masking.spec import MaskSpec
from mtm_viewer.presenters.compare_choice import CompareChoice
from mtm_viewer.presenters.condition_words import FIELD_TITLES
from mtm_viewer.presenters.mask_choice import MaskChoice
from mtm_viewer.presenters.raster_settings import PANELS, RasterSettings
from mtm_viewer.presenters.recipes import CUSTOM, RECIPES
from mtm_viewer.presenters.theatre_settings import NO_TRIAL, TheatreSettings
from mtm_viewer.presenters.trial_filter import SplitName, TrialFilter
from mtm_viewer.presenters.trial_order import THEATRE_SORTS, UNIT_SORTS, SortName
from mtm_viewer.presenters.unit_settings import UnitSettings
from mtm_viewer.theme import COLOUR_MAPS

T = TypeVar("T")
_LONGEST_SIGMA_S = 1.0
_MOST_TRIALS = 2**31


@dataclass(frozen=True, kw_only=True)
class View:
    """What a person chose about the screen, the mask itself apart.

    Parameters
    ----------
    mask : MaskChoice
        The mask with the recipe and the regions that it came from.
    trials : TrialFilter
        Which trials are shown.
    raster : RasterSettings
        Scale, smoothing, colours, which maps.
    within : str
        Order of units within a region.
    is_by_region, is_focused : bool
        Whether regions stay together, and only the rows of the target regions are shown.
    unit_id : str
        The selected unit; "" for none.
    wants_control : bool
        Whether the shuffle control is computed.
    compare : CompareChoice
        What is compared; an experiment writes it apart from its view.
    unit_panel : UnitSettings
        How the selected unit is shown.
    theatre : TheatreSettings
        How single trials are shown.
    """

    mask: MaskChoice = field(default_factory=MaskChoice)
    trials: TrialFilter = field(default_factory=TrialFilter)
    raster: RasterSettings = field(default_factory=RasterSettings)
    within: WithinName = "auto"
    is_by_region: bool = True
    is_focused: bool = False
    unit_id: str = ""
    wants_control: bool = False
    compare: CompareChoice = field(default_factory=CompareChoice)
    unit_panel: UnitSettings = field(default_factory=UnitSettings)
    theatre: TheatreSettings = field(default_factory=TheatreSettings)


def view_to_dict(view: View) -> dict[str, Any]:
    """Return a view as plain values; mask and opponent are written elsewhere in an experiment."""
    return {
        **choice_to_dict(view.mask),
        "split": view.trials.split,
        "levels": [list(pair) for pair in view.trials.levels],
        "raster": dataclasses.asdict(view.raster) | {"panels": list(view.raster.panels)},
        "within": view.within,
        "is_by_region": view.is_by_region,
        "is_focused": view.is_focused,
        "unit": view.unit_id,
        "wants_control": view.wants_control,
        "unit_panel": dataclasses.asdict(view.unit_panel)
        | {"fields": list(view.unit_panel.fields)},
        "theatre": dataclasses.asdict(view.theatre),
    }


def choice_to_dict(choice: MaskChoice) -> dict[str, Any]:
    """Return where a mask came from as plain values; the mask itself is written elsewhere."""
    return {
        "recipe": choice.recipe,
        "regions": list(choice.regions),
        "picked_prompt": choice.prompt,
        "last_bins": choice.settings.last_bins,
        "score_rule": choice.settings.score_rule,
    }


def read_view(values: Mapping[str, Any], spec: MaskSpec | None) -> View:
    """Read a view; what is not known here, or makes no sense, is shown by default.

    Parameters
    ----------
    values : mapping
        What an experiment says about its view.
    spec : MaskSpec or None
        Its mask.
    """
    return View(
        mask=read_choice(values, spec),
        trials=_trials(values),
        raster=_raster(values.get("raster")),
        within=cast(WithinName, _one_of(values.get("within"), ORDERS, "auto")),
        is_by_region=_like(values.get("is_by_region"), default=True),
        is_focused=_like(values.get("is_focused"), default=False),
        unit_id=_like(values.get("unit"), default=""),
        wants_control=_like(values.get("wants_control"), default=False),
        unit_panel=_unit_panel(values.get("unit_panel")),
        theatre=_theatre(values.get("theatre")),
    )


def read_choice(values: Mapping[str, Any], spec: MaskSpec | None) -> MaskChoice:
    """Read where a mask came from; what makes no sense is a custom mask."""
    recipe = _one_of(values.get("recipe"), tuple(RECIPES), CUSTOM)
    regions = tuple(r for r in _list(values.get("regions")) if isinstance(r, str))
    picked = values.get("picked_prompt")
    prompt = picked if picked in PROMPTS else None
    if spec is None or recipe == CUSTOM:
        return MaskChoice(recipe=CUSTOM, spec=spec, prompt=prompt)
    first, others = (regions[0], regions[1:]) if regions else (None, ())
    return MaskChoice(
        recipe=recipe,
        region=first,
        others=others,
        spec=spec,
        prompt=prompt,
        settings=_settings(values),
    )


def _settings(values: Mapping[str, Any]) -> RecipeSettings:
    last = values.get("last_bins")
    try:
        return RecipeSettings(
            last_bins=last if type(last) is int else None,
            score_rule=_like(values.get("score_rule"), default=""),
        )
    except MaskError:
        return RecipeSettings()


def _trials(values: Mapping[str, Any]) -> TrialFilter:
    split = cast(SplitName, _one_of(values.get("split"), get_args(SplitName), "test"))
    chosen = TrialFilter(split=split)
    for pair in _list(values.get("levels")):
        if isinstance(pair, list) and len(pair) == 2 and pair[0] in FIELD_TITLES:
            chosen = chosen.with_level(str(pair[0]), str(pair[1]))
    return chosen


def _raster(values: object) -> RasterSettings:
    default = RasterSettings()
    if not isinstance(values, dict):
        return default
    known = {
        each.name: _like(values.get(each.name), default=getattr(default, each.name))
        for each in dataclasses.fields(default)
        if isinstance(getattr(default, each.name), bool | int | float | str)
    }
    known["scale"] = _one_of(known["scale"], SCALES, default.scale)
    known["colour_map"] = _one_of(known["colour_map"], COLOUR_MAPS, default.colour_map)
    known["sigma_s"] = min(max(known["sigma_s"], 0.0), _LONGEST_SIGMA_S)
    known["percentile"] = min(max(known["percentile"], 1.0), 100.0)
    panels = tuple(name for name in _list(values.get("panels")) if name in PANELS)
    if len(set(panels)) == len(default.panels):
        known["panels"] = panels
    return RasterSettings(**known, levels=_levels(values.get("levels")))


def _unit_panel(values: object) -> UnitSettings:
    default = UnitSettings()
    if not isinstance(values, dict):
        return default
    fields = values.get("fields")
    known = tuple(name for name in FIELD_TITLES if name in _list(fields))
    return UnitSettings(
        fields=known if isinstance(fields, list) else default.fields,
        sort=cast(SortName, _one_of(values.get("sort"), tuple(UNIT_SORTS), default.sort)),
    )


def _theatre(values: object) -> TheatreSettings:
    default = TheatreSettings()
    if not isinstance(values, dict):
        return default
    trial = _like(values.get("trial"), default=NO_TRIAL)
    return TheatreSettings(
        is_shown=_like(values.get("is_shown"), default=False),
        trial=trial if 0 <= trial < _MOST_TRIALS else NO_TRIAL,
        sort=cast(SortName, _one_of(values.get("sort"), tuple(THEATRE_SORTS), default.sort)),
        levels=_levels(values.get("levels")),
    )


def _levels(values: object) -> Levels | None:
    if not isinstance(values, dict):
        return None
    try:
        low, high = float(values["low"]), float(values["high"])
    except (KeyError, TypeError, ValueError):
        return None
    is_fine = math.isfinite(low) and math.isfinite(high) and low < high
    return Levels(low, high) if is_fine else None


def _one_of(value: object, known: tuple[str, ...], default: str) -> str:
    return value if isinstance(value, str) and value in known else default


def _like(value: object, *, default: T) -> T:
    """Return a value of the kind of its default, else the default."""
    if type(default) is float and type(value) is int:
        value = float(value)
    is_odd = isinstance(value, float) and not math.isfinite(value)
    return value if type(value) is type(default) and not is_odd else default


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
