"""Recipes are the published tasks, until a person changes a parameter."""

from __future__ import annotations

import numpy as np
import pytest

from mtm_core.errors import MaskError, UnknownNameError
from mtm_core.masking import tasks
from mtm_core.masking.recipes import RecipeSettings, own_prompt, recipe_spec
from tests.core.sessions import make_session

SESSION = make_session()
DEPTH = SESSION.units.column("depth_um").values


def resolve(recipe, *regions, **settings):
    spec = recipe_spec(recipe, regions, SESSION.n_bins, RecipeSettings(**settings))
    return spec.resolve(SESSION)


@pytest.mark.parametrize(
    ("recipe", "regions", "expected"),
    [
        ("co_smoothing", (), tasks.co_smoothing()),
        ("forward_prediction", (), tasks.forward_prediction(10)),
        ("intra_region", ("DG",), tasks.intra_region("DG")),
        ("inter_region", ("DG",), tasks.inter_region("DG")),
    ],
)
def test_without_changes_it_is_the_published_task(recipe, regions, expected):
    assert recipe_spec(recipe, regions, 10) == expected


@pytest.mark.parametrize(
    ("recipe", "regions"),
    [
        ("co_smoothing", ()),
        ("co_smoothing", ("CA1", "DG")),
        ("forward_prediction", ()),
        ("forward_prediction", ("DG",)),
        ("intra_region", ("CA1",)),
        ("intra_region", ("CA1", "DG")),
        ("inter_region", ("CA1", "DG")),
    ],
)
def test_a_rule_scores_fewer_units_and_hides_the_same(recipe, regions):
    whole, part = resolve(recipe, *regions), resolve(recipe, *regions, score_rule="depth_um>1000")
    assert np.array_equal(whole.is_hidden, part.is_hidden)
    assert np.array_equal(part.is_scored, whole.is_scored & (DEPTH > 1000))
    assert (part.one_at_a_time, part.prompt) == (whole.one_at_a_time, whole.prompt)


@pytest.mark.parametrize("last_bins", [1, 4, 9])
def test_forward_prediction_hides_as_many_bins_as_asked(last_bins):
    mask = resolve("forward_prediction", last_bins=last_bins)
    assert mask.is_hidden.all(axis=1).tolist() == [False] * (10 - last_bins) + [True] * last_bins
    assert np.array_equal(mask.is_hidden, mask.is_scored)


def test_several_regions_are_hidden_or_kept_together():
    inter = resolve("inter_region", "CA1", "DG")
    intra = resolve("intra_region", "CA1", "DG")
    is_inside = np.isin(SESSION.region, ["CA1", "DG"])
    assert inter.is_hidden[0].tolist() == is_inside.tolist()
    assert intra.is_hidden[0].tolist() == (~is_inside).tolist()
    assert intra.is_scored[0].tolist() == is_inside.tolist()


@pytest.mark.parametrize(
    ("make", "error", "told"),
    [
        (lambda: RecipeSettings(last_bins=0), MaskError, "at least 1 bin, not 0"),
        (lambda: RecipeSettings(score_rule="depth >"), MaskError, "depth"),
        (lambda: resolve("forward_prediction", last_bins=10), MaskError, "leaves none to see"),
        (lambda: resolve("inter_region"), MaskError, "inter-region needs a region"),
        (lambda: resolve("outer_region", "CA1"), UnknownNameError, "outer_region"),
    ],
)
def test_what_makes_no_mask_is_told(make, error, told):
    with pytest.raises(error, match=told):
        make()


def test_a_model_is_told_the_recipes_prompt_if_it_knows_it():
    spec = tasks.inter_region("CA1")
    assert own_prompt(spec, ["neuron", "inter_region"], "neuron") == "inter_region"
    assert own_prompt(spec, ["neuron"], "neuron") == "neuron"
