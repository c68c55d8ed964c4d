"""What each recipe makes of a click, and how custom masks are edited."""

from __future__ import annotations

import numpy as np
import pytest

from mtm_core.errors import MaskError, UnknownNameError
from mtm_core.masking import tasks
from mtm_core.masking.choice import Block, UnitChoice
from mtm_viewer.presenters.mask_choice import (
    HiddenParts,
    MaskChoice,
    default_region,
    group_units,
    parts_of,
    recipe_choice,
    region_words,
)
from mtm_viewer.presenters.recipes import RECIPES
from tests.core.sessions import make_session

SESSION = make_session()
RATES = SESSION.counts.mean(axis=(0, 1)) / SESSION.bin_size_s


def hidden_names(parts: HiddenParts) -> list[str]:
    return SESSION.unit_id[parts.hidden_units(SESSION, RATES)].tolist()


def names_in(region: str) -> list[str]:
    return SESSION.unit_id[SESSION.region == region].tolist()


def test_there_is_a_recipe_for_each_task_and_one_to_hide_at_will():
    assert list(RECIPES) == [*tasks.TASKS, "custom"]


def test_inter_region_hides_the_region_and_scores_it():
    mask = recipe_choice("inter_region", "DG", SESSION).spec.resolve(SESSION)
    assert np.array_equal(mask.is_hidden[0], SESSION.region == "DG")
    assert np.array_equal(mask.is_scored, mask.is_hidden)


def test_intra_region_keeps_the_region_only_and_scores_it_unit_by_unit():
    mask = recipe_choice("intra_region", "DG", SESSION).spec.resolve(SESSION)
    assert np.array_equal(mask.is_hidden[0], SESSION.region != "DG")
    assert np.array_equal(mask.is_scored[0], SESSION.region == "DG")
    assert mask.one_at_a_time


@pytest.mark.parametrize("recipe", ["co_smoothing", "forward_prediction"])
def test_a_region_narrows_what_is_scored_not_what_is_hidden(recipe):
    whole = recipe_choice(recipe, None, SESSION).spec.resolve(SESSION)
    narrow = recipe_choice(recipe, "DG", SESSION).spec.resolve(SESSION)
    assert np.array_equal(narrow.is_hidden, whole.is_hidden)
    assert np.array_equal(narrow.is_scored, whole.is_scored & (SESSION.region == "DG"))


def test_without_a_region_the_recipes_are_the_published_tasks():
    assert recipe_choice("co_smoothing", None, SESSION).spec == tasks.co_smoothing()
    forward = tasks.forward_prediction(SESSION.n_bins)
    assert recipe_choice("forward_prediction", None, SESSION).spec == forward


@pytest.mark.parametrize("recipe", ["intra_region", "inter_region"])
def test_a_recipe_of_regions_asks_for_one(recipe):
    with pytest.raises(MaskError, match="needs a region: click one"):
        recipe_choice(recipe, None, SESSION)


def test_a_recipe_that_is_none_is_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'inter_region'"):
        recipe_choice("inter_regoin", "DG", SESSION)


def test_titles_name_the_region():
    assert recipe_choice("inter_region", "DG", SESSION).title == "Inter-region DG"
    assert recipe_choice("co_smoothing", None, SESSION).title == "Co-smoothing"


def test_the_first_target_is_the_largest_named_region():
    session = make_session(regions=("root", "root", "root", "CA1", "CA1", "DG"))
    assert default_region(session) == "CA1"


@pytest.mark.parametrize("regions", [(), ("root",), ("CA1",)])
def test_a_session_with_nothing_to_predict_from_has_no_first_target(regions):
    assert default_region(make_session(regions=regions)) is None


def test_nothing_hidden_is_no_mask():
    assert HiddenParts().to_spec() is None


def test_a_region_is_hidden_and_shown_again():
    once = HiddenParts().toggle_region("CA1", SESSION, RATES)
    assert once.regions == ("CA1",)
    assert once.toggle_region("CA1", SESSION, RATES).is_empty


def test_hiding_a_region_takes_in_its_single_units():
    parts = HiddenParts(ids=frozenset(names_in("CA1")[:2] + names_in("DG")[:1]))
    after = parts.toggle_region("CA1", SESSION, RATES)
    assert after.regions == ("CA1",)
    assert after.ids == frozenset(names_in("DG")[:1])


def test_showing_one_unit_of_a_hidden_region_leaves_the_others_hidden():
    unit = SESSION.unit_id == names_in("CA1")[0]
    parts = HiddenParts(regions=("CA1", "DG")).toggle_units(unit, SESSION, RATES)
    assert parts.regions == ("DG",)
    assert hidden_names(parts) == sorted(names_in("CA1")[1:] + names_in("DG"))


def test_the_last_unit_of_a_region_makes_it_a_hidden_region():
    parts = HiddenParts(ids=frozenset(names_in("CA1")[1:]))
    unit = SESSION.unit_id == names_in("CA1")[0]
    assert parts.toggle_units(unit, SESSION, RATES) == HiddenParts(regions=("CA1",))


def test_showing_a_unit_that_a_rule_hides_turns_the_rule_into_units():
    parts = HiddenParts(rule='region == "CA1"')
    unit = SESSION.unit_id == names_in("CA1")[0]
    after = parts.toggle_units(unit, SESSION, RATES)
    assert after.rule == ""
    assert hidden_names(after) == names_in("CA1")[1:]


def test_showing_the_last_hidden_units_ends_the_range_of_bins_too():
    parts = HiddenParts(regions=("CA1",), bins=(2, 4))
    assert parts.toggle_region("CA1", SESSION, RATES).is_empty


def test_bins_alone_are_hidden_of_every_unit():
    mask = HiddenParts(bins=(2, 4)).to_spec().resolve(SESSION)
    assert mask.is_hidden.sum() == 2 * SESSION.n_units


def test_regions_units_rule_and_bins_make_one_mask():
    parts = HiddenParts(
        regions=("CA1",), ids=frozenset(names_in("DG")[:1]), rule="depth_um > 3700", bins=(0, 3)
    )
    mask = parts.to_spec().resolve(SESSION, RATES)
    wanted = parts.hidden_units(SESSION, RATES)
    assert np.array_equal(mask.is_hidden[0], wanted)
    assert wanted.sum() == 8 + 1 + 1
    assert not mask.is_hidden[3:].any()


@pytest.mark.parametrize(
    "parts",
    [
        HiddenParts(),
        HiddenParts(regions=("CA1", "DG")),
        HiddenParts(ids=frozenset(names_in("DG")[:2]), bins=(1, 5)),
        HiddenParts(rule="rate_hz > 20"),
        HiddenParts(bins=(8, 10)),
    ],
)
def test_a_custom_mask_is_read_back_as_it_was_edited(parts):
    choice = MaskChoice(recipe="custom", spec=parts.to_spec())
    assert parts_of(choice, SESSION, RATES) == parts


def test_a_recipe_is_edited_from_what_it_hides():
    intra = recipe_choice("intra_region", "DG", SESSION)
    assert parts_of(intra, SESSION, RATES) == HiddenParts(regions=("CA1", "VISp"))
    turn = recipe_choice("co_smoothing", None, SESSION)
    assert parts_of(turn, SESSION, RATES).is_empty


def test_the_units_of_a_group_are_those_of_its_regions():
    assert set(SESSION.region[group_units(SESSION, "HPF")]) == {"CA1", "DG"}


def test_editing_leaves_the_mask_before_as_it_was():
    before = HiddenParts(regions=("CA1",))
    before.toggle_region("DG", SESSION, RATES)
    assert before == HiddenParts(regions=("CA1",))
    assert before.to_spec().blocks == (Block(UnitChoice.of_region("CA1")),)


def test_several_regions_are_hidden_together():
    choice = recipe_choice("inter_region", "DG", SESSION, ("CA1",))
    mask = choice.spec.resolve(SESSION)
    assert np.array_equal(mask.is_hidden[0], np.isin(SESSION.region, ("DG", "CA1")))
    assert (choice.title, choice.regions) == ("Inter-region DG, CA1", ("DG", "CA1"))
    assert choice.spec.prompt == "inter_region"


def test_several_regions_are_kept_together_and_scored_unit_by_unit():
    mask = recipe_choice("intra_region", "DG", SESSION, ("CA1",)).spec.resolve(SESSION)
    is_kept = np.isin(SESSION.region, ("DG", "CA1"))
    assert np.array_equal(mask.is_hidden[0], ~is_kept)
    assert np.array_equal(mask.is_scored[0], is_kept)
    assert mask.one_at_a_time


def test_several_regions_are_scored_together():
    mask = recipe_choice("co_smoothing", "DG", SESSION, ("CA1",)).spec.resolve(SESSION)
    assert np.array_equal(mask.is_scored[0], np.isin(SESSION.region, ("DG", "CA1")))


def test_many_regions_are_named_in_part():
    assert region_words(["a", "b", "c", "d"]) == "a, b, c and 1 more"
    assert region_words(["a", "b", "c"]) == "a, b, c"
