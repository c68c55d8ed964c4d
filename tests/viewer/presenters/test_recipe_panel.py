"""The parameters of a recipe are shown as they are in force."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mtm_core.masking.recipes import RecipeSettings
from mtm_viewer.presenters.mask_choice import MaskChoice, recipe_choice
from mtm_viewer.presenters.recipe_panel import prompt_entries, recipe_panel
from tests.core.sessions import make_session

SESSION = make_session(n_bins=20)


def panel(recipe, region=None, settings=None, prompt=None):
    choice = recipe_choice(recipe, region, SESSION, settings=settings)
    choice = replace(choice, prompt=prompt)
    return recipe_panel(choice, SESSION, choice.spec.resolve(SESSION), "neuron")


@pytest.mark.parametrize("recipe", ["co_smoothing", "intra_region", "inter_region"])
def test_only_forward_prediction_has_a_horizon(recipe):
    shown = panel(recipe, "CA1")
    assert (shown.last_bins, shown.span) == (None, "")
    assert shown.regions == "CA1"
    assert shown.scored == "8 of 24 units are scored"
    assert shown.is_published


def test_a_horizon_is_said_in_bins_and_ms_beside_what_is_published():
    shown = panel("forward_prediction", settings=RecipeSettings(last_bins=5))
    assert (shown.last_bins, shown.most_bins) == (5, 19)
    assert shown.span == "50 of 200 ms; published: 2 bins"
    assert shown.regions == "every region"
    assert not shown.is_published
    assert panel("forward_prediction").last_bins == 2


def test_a_rule_and_a_prompt_of_ones_own_are_shown():
    settings = RecipeSettings(score_rule="depth_um > 500")
    shown = panel("inter_region", "CA1", settings, "causal")
    assert shown.rule == "depth_um > 500"
    assert shown.scored.startswith("4 of 24")
    assert shown.prompt == "causal"
    assert not shown.is_published
    assert shown.prompt_words == "The model is told: inter-region"
    assert shown.prompts[""] == "Automatic: neuron"
    assert shown.prompts["none"] == "Nothing"


def test_a_custom_mask_has_fields_of_its_own():
    assert recipe_panel(MaskChoice(recipe="custom"), SESSION, None, "") is None
    assert recipe_panel(MaskChoice(), SESSION, None, "") is None
    assert prompt_entries("")[""] == "Automatic"


def test_without_a_resolved_mask_nothing_is_scored():
    choice = recipe_choice("inter_region", "CA1", SESSION)
    assert recipe_panel(choice, SESSION, None, "neuron").scored.startswith("0 of 24")
