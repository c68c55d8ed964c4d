"""A view survives being written; nonsense becomes the default."""

from __future__ import annotations

import json

import pytest

from mtm_core.evaluation.colour_scale import Levels
from mtm_core.masking import tasks
from mtm_core.masking.recipes import RecipeSettings
from mtm_core.masking.spec import MaskSpec
from mtm_viewer.presenters.experiment_view import View, read_view, view_to_dict
from mtm_viewer.presenters.mask_choice import MaskChoice
from mtm_viewer.presenters.raster_settings import RasterSettings
from mtm_viewer.presenters.theatre_settings import TheatreSettings
from mtm_viewer.presenters.trial_filter import TrialFilter
from mtm_viewer.presenters.unit_settings import UnitSettings

SPEC = tasks.inter_region("CA1")
VIEWS = {
    "default": View(mask=MaskChoice(recipe="inter_region", region="CA1", spec=SPEC)),
    "chosen": View(
        mask=MaskChoice(recipe="intra_region", region="CA1", others=("DG",), spec=SPEC),
        trials=TrialFilter(split="val", levels=(("feedback", "rewarded"),)),
        raster=RasterSettings(
            scale="zscore",
            sigma_s=0.0,
            colour_map="grey",
            panels=("difference", "true", "psth"),
            percentile=95.0,
            levels=Levels(-2.0, 2.0),
        ),
        within="similarity",
        is_by_region=False,
        is_focused=True,
        unit_id="a/1",
        wants_control=True,
        unit_panel=UnitSettings(fields=("choice",), sort="reaction"),
        theatre=TheatreSettings(is_shown=True, trial=17, sort="gain", levels=Levels(0.0, 40.0)),
    ),
    "no PSTHs": View(mask=MaskChoice(recipe="custom"), unit_panel=UnitSettings(fields=())),
    "custom": View(mask=MaskChoice(recipe="custom", spec=SPEC, prompt="causal")),
    "parameters": View(
        mask=MaskChoice(
            recipe="forward_prediction",
            spec=SPEC,
            prompt="none",
            settings=RecipeSettings(last_bins=3, score_rule="good"),
        )
    ),
    "no region": View(mask=MaskChoice(recipe="co_smoothing", spec=SPEC)),
    "nothing hidden": View(mask=MaskChoice(recipe="custom")),
}


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_what_was_written_is_shown_again(view):
    values = json.loads(json.dumps(view_to_dict(view)))
    assert read_view(values, view.mask.spec) == view


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"raster": [], "regions": "CA1", "levels": 3, "split": "tset", "within": 4},
        {
            "raster": {
                "scale": "loud",
                "sigma_s": "wide",
                "colour_map": 3,
                "panels": ["true", "true", "model"],
                "percentile": float("nan"),
                "levels": {"low": 1},
            },
            "levels": [["size", "big"], ["feedback"], 7],
            "picked_prompt": "loud",
            "is_focused": "yes",
            "unit": 5,
        },
        {"raster": {"levels": {"low": 3, "high": 1}, "sigma_s": float("inf")}},
        {"unit_panel": 3, "theatre": []},
        {
            "unit_panel": {"fields": "choice", "sort": "surprise"},
            "theatre": {"is_shown": 1, "trial": -7, "sort": "condition", "levels": [1, 2]},
        },
        {"theatre": {"trial": 2**70}},
        {"theatre": {"trial": True}},
    ],
)
def test_nonsense_is_shown_by_default(values):
    assert read_view(values, SPEC) == View(mask=MaskChoice(recipe="custom", spec=SPEC))


def test_numbers_are_kept_within_bounds():
    raster = {"sigma_s": 50, "percentile": -4}
    found = read_view({"raster": raster}, MaskSpec()).raster
    assert (found.sigma_s, found.percentile) == (1.0, 1.0)


@pytest.mark.parametrize(
    "values",
    [
        {"last_bins": -1, "score_rule": "good"},
        {"last_bins": 2.5, "score_rule": "((", "picked_prompt": "?"},
    ],
)
def test_parameters_that_make_no_sense_are_those_published(values):
    mask = read_view({"recipe": "inter_region", **values}, SPEC).mask
    assert mask == MaskChoice(recipe="inter_region", spec=SPEC)
