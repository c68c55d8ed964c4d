"""What a person does to the mask beyond the recipes: each deed is one step with a name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from mtm_core.config import MaskingConfig, TrainConfig
from mtm_core.errors import MaskError, UnknownNameError
from mtm_core.masking import tasks
from mtm_core.masking.recipes import RecipeSettings
from mtm_viewer.presenters.mask_edits import Stroke
from mtm_viewer.presenters.workspace import make_workspace
from mtm_viewer.state import ViewerState
from tests.core.checkpoints import SMALL_MODEL
from tests.core.sessions import make_session
from tests.viewer.workspaces import make_model, make_small_workspace


@pytest.fixture
def state(qapp):
    state = ViewerState()
    state.open_workspace(make_small_workspace())
    return state


def hidden(state: ViewerState) -> np.ndarray:
    if state.resolved is None:
        session = state.workspace.session
        return np.zeros((session.n_bins, session.n_units), dtype=bool)
    return state.resolved.is_hidden


def hidden_regions(state: ViewerState) -> set[str]:
    return set(state.workspace.session.region[hidden(state).any(axis=0)].tolist())


def stroke(state: ViewerState, rows: slice, bins: slice, **settings: object) -> Stroke:
    session = state.workspace.session
    inside = np.zeros((session.n_units, session.n_bins), dtype=bool)
    inside[rows, bins] = True
    return Stroke(unit_id=session.unit_id, is_inside=inside, **settings)


def steps(state: ViewerState) -> list[str]:
    return [state.undo_stack.text(row) for row in range(state.undo_stack.count())]


@pytest.mark.parametrize(
    ("recipe", "of_hidden", "of_scored"),
    [
        ("inter_region", {"CA1", "VISp"}, {"CA1", "VISp"}),
        ("intra_region", {"DG"}, {"CA1", "VISp"}),
        ("co_smoothing", set(), {"CA1", "VISp"}),
    ],
)
def test_a_further_region_is_hidden_kept_or_scored_as_the_recipe_says(
    state, recipe, of_hidden, of_scored
):
    state.choose_recipe(recipe)
    state.add_region("CA1")
    region = state.workspace.session.region
    assert hidden_regions(state) == of_hidden
    assert set(region[state.resolved.scored_units]) == of_scored
    assert state.undo_stack.undoText().endswith("VISp, CA1")


def test_a_region_that_was_added_is_taken_out_again(state):
    state.add_region("CA1")
    state.add_region("VISp")
    assert state.mask.regions == ("CA1",)


def test_the_last_region_of_a_recipe_that_needs_one_stays(state):
    state.add_region("VISp")
    assert state.mask.regions == ("VISp",)
    state.choose_recipe("co_smoothing")
    state.add_region("VISp")
    assert state.mask.spec == tasks.co_smoothing()


def test_switching_the_recipe_keeps_all_regions(state):
    state.add_region("CA1")
    state.choose_recipe("intra_region")
    assert state.mask.regions == ("VISp", "CA1")


def test_a_plain_click_takes_one_region_in_place_of_several(state):
    state.add_region("CA1")
    state.click_region("CA1")
    assert state.mask.regions == ("CA1",)


def test_several_regions_in_a_custom_mask_are_hidden_and_shown_together(state):
    state.choose_recipe("custom")
    state.show_everything()
    state.add_regions(("CA1", "DG"))
    assert hidden_regions(state) == {"CA1", "DG"}
    assert state.undo_stack.undoText() == "hide CA1, DG"
    state.add_regions(("CA1", "DG"))
    assert state.mask.spec is None


def test_targets_in_a_custom_mask_are_hidden_alone(state):
    state.choose_recipe("custom")
    state.target_regions(("CA1", "DG"))
    assert hidden_regions(state) == {"CA1", "DG"}
    assert state.undo_stack.undoText() == "hide only CA1, DG"


def test_several_units_are_hidden_and_shown_in_one_step(state):
    state.choose_recipe("custom")
    state.show_everything()
    units = state.workspace.session.unit_id[[2, 9, 20]].tolist()
    state.toggle_units(units)
    assert state.resolved.scored_units.tolist() == [2, 9, 20]
    assert state.undo_stack.undoText() == "hide 3 units"
    state.toggle_units(units[:1])
    assert state.undo_stack.undoText() == "show unit CA1 #2"
    assert state.resolved.scored_units.tolist() == [9, 20]


def test_only_some_units_are_hidden_or_kept(state):
    wanted = state.workspace.session.region == "DG"
    state.hide_only_units(wanted, "DG")
    assert hidden_regions(state) == {"DG"}
    state.keep_only_units(wanted, "DG")
    assert hidden_regions(state) == {"CA1", "VISp"}
    assert steps(state)[-2:] == ["hide only DG", "hide all but DG"]


def test_a_stroke_is_one_step_that_goes_on_from_what_is_hidden(state):
    state.paint(stroke(state, slice(0, 2), slice(3, 6)))
    assert state.mask.recipe == "custom"
    assert hidden(state)[3:6, :2].all()
    assert hidden(state).sum() == 8 * 10 + 6
    assert steps(state) == ["paint 6 entries of 2 units"]
    state.undo_stack.undo()
    assert state.mask.title == "Inter-region VISp"


def test_erasing_is_a_step_too(state):
    state.paint(stroke(state, slice(16, 18), slice(0, 10), is_erasing=True))
    assert state.resolved.scored_units.tolist() == list(range(18, 24))
    assert steps(state) == ["erase 2 units"]


def test_a_stroke_that_changes_nothing_is_no_step(state):
    state.paint(stroke(state, slice(0, 2), slice(0, 4), is_erasing=True))
    state.paint(stroke(state, slice(16, 20), slice(0, 4)))
    assert state.undo_stack.count() == 0
    assert state.mask.recipe == "inter_region"


def test_a_stroke_over_everything_is_refused_and_changes_nothing(state):
    before = state.mask
    with pytest.raises(MaskError, match="hides everything"):
        state.paint(stroke(state, slice(None), slice(None)))
    assert (state.mask, state.undo_stack.count()) == (before, 0)


def test_a_partial_unit_grows_to_its_region(state):
    state.hide_only_units(np.arange(24) == 9, "a unit")
    state.grow_to_regions()
    assert hidden_regions(state) == {"DG"}
    assert hidden(state).sum() == 80
    assert state.undo_stack.undoText() == "grow to DG"


def test_the_mask_is_turned_inside_out(state):
    state.invert_mask()
    assert hidden_regions(state) == {"CA1", "DG"}
    state.undo_stack.undo()
    assert hidden_regions(state) == {"VISp"}


def test_a_random_share_is_named_with_its_seed(state):
    state.hide_random("region", 25, 3)
    assert state.resolved.scored_units.size == 6
    assert state.undo_stack.undoText() == "hide 25 % of each region (seed 3)"
    assert state.mask.spec.prompt == "neuron"


def test_a_named_mask_comes_back_as_it_was(state):
    state.choose_recipe("co_smoothing")
    shown = state.mask.spec
    state.name_mask("scored VISp")
    state.click_region("DG")
    state.use_mask("scored VISp")
    assert (state.mask.recipe, state.mask.spec) == ("custom", shown)
    assert state.untrained_reason() is None


def test_naming_and_forgetting_are_steps(state):
    state.name_mask(" visual ")
    assert state.names.names == ("visual",)
    state.forget_mask("visual")
    assert state.names.names == ()
    assert steps(state) == ["name 'visual'", "forget 'visual'"]
    state.undo_stack.undo()
    assert state.names.names == ("visual",)
    state.undo_stack.undo()
    assert state.names.names == ()


def test_the_same_name_for_the_same_mask_is_no_step(state):
    state.name_mask("visual")
    state.name_mask("visual")
    assert state.undo_stack.count() == 1


def test_nothing_cannot_be_named(state):
    state.show_everything()
    with pytest.raises(MaskError, match="Nothing is hidden that could be given a name"):
        state.name_mask("nothing")


def test_a_name_that_there_is_not_is_refused(state):
    with pytest.raises(UnknownNameError, match="named mask"):
        state.use_mask("hippocampus")


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [("union", {"CA1", "DG", "VISp"}), ("difference", {"DG"}), ("intersection", {"CA1"})],
)
def test_named_masks_are_combined_with_the_one_on_screen(state, kind, wanted):
    state.hide_only_units(np.isin(state.workspace.session.region, ("CA1", "VISp")), "two")
    state.paint(stroke(state, slice(16, 17), slice(0, 5), is_erasing=True))
    state.name_mask("two")
    state.target_regions(("CA1", "DG"))
    state.combine_mask(kind, "two")
    assert hidden_regions(state) == wanted
    assert state.undo_stack.undoText() == f"{kind} with 'two'"


def test_the_complement_of_a_named_mask(state):
    state.name_mask("visual")
    state.use_complement("visual")
    assert hidden_regions(state) == {"CA1", "DG"}


def test_a_prompt_that_was_picked_comes_back_with_the_name(state):
    state.choose_recipe("custom")
    state.choose_prompt("causal")
    state.name_mask("causal")
    state.choose_prompt(None)
    state.use_mask("causal")
    assert (state.mask.prompt, state.mask.spec.prompt) == ("causal", "causal")
    state.choose_prompt(None)
    state.name_mask("fitting")
    state.use_mask("fitting")
    assert state.mask.prompt is None


def test_another_session_has_other_names(state):
    state.name_mask("visual")
    told: list[object] = []
    state.names_changed.connect(told.append)
    state.open_workspace(make_small_workspace(seed=1))
    assert state.names.names == ()
    assert told[-1] == state.names


def test_without_a_session_nothing_happens(qapp):
    state = ViewerState()
    state.target_regions(("CA1",))
    state.toggle_regions(("CA1", "DG"))
    state.toggle_units(("a", "b"))
    state.hide_only_units(np.ones(1, dtype=bool), "a")
    state.keep_only_units(np.ones(1, dtype=bool), "a")
    state.paint(Stroke(unit_id=np.array(["a"]), is_inside=np.ones((1, 1), dtype=bool)))
    state.grow_to_regions()
    state.invert_mask()
    state.hide_random("all", 30, 0)
    state.combine_mask("union", "a")
    state.use_complement("a")
    assert state.undo_stack.count() == 0


def test_parameters_of_a_recipe_are_one_step_and_stay_while_regions_change(state):
    state.choose_recipe("forward_prediction")
    state.set_recipe(RecipeSettings(last_bins=4, score_rule="depth_um > 500"))
    assert hidden(state).all(axis=1).sum() == 4
    assert steps(state)[-1] == "parameters of Forward prediction VISp"
    state.click_region("DG")
    assert hidden(state).all(axis=1).sum() == 4
    depth = state.workspace.session.units.column("depth_um").values
    scored = state.resolved.scored_units
    assert (depth[scored] > 500).all()
    assert set(state.workspace.session.region[scored]) == {"DG"}
    state.reset_recipe()
    assert hidden(state).all(axis=1).sum() == 1
    assert steps(state)[-1] == "Forward prediction DG as published"
    state.undo_stack.undo()
    assert state.mask.settings.last_bins == 4


def test_a_prompt_is_picked_under_every_recipe_and_dropped_with_the_recipe(state):
    state.choose_recipe("inter_region")
    assert (state.mask.spec.prompt, state.automatic_prompt) == ("inter_region", "inter_region")
    state.choose_prompt("neuron")
    assert (state.mask.recipe, state.mask.spec.prompt) == ("inter_region", "neuron")
    assert state.automatic_prompt == "inter_region"
    state.click_region("DG")
    assert state.mask.spec.prompt == "neuron"
    state.choose_recipe("co_smoothing")
    assert (state.mask.prompt, state.mask.spec.prompt) == (None, "neuron")
    state.choose_prompt("causal")
    state.choose_prompt(None)
    assert state.mask.spec.prompt == "neuron"
    state.choose_recipe("inter_region")
    state.choose_recipe("custom")
    assert state.automatic_prompt == "inter_region"


def test_a_model_that_does_not_know_a_recipe_is_told_what_fits(qapp):
    session = make_session()
    alone = TrainConfig(model=SMALL_MODEL, masking=MaskingConfig(schemes=("neuron",)))
    state = ViewerState()
    state.open_workspace(make_workspace(session, Path("s.h5"), (make_model(session, alone),)))
    assert (state.mask.recipe, state.mask.spec.prompt) == ("inter_region", "neuron")


def test_parameters_of_a_custom_mask_or_of_nothing_change_nothing(qapp, state):
    empty = ViewerState()
    empty.set_recipe(RecipeSettings(last_bins=2))
    empty.reset_recipe()
    empty.choose_prompt("causal")
    assert empty.automatic_prompt == ""
    state.choose_recipe("custom")
    before = state.mask
    state.set_recipe(RecipeSettings(last_bins=2))
    state.reset_recipe()
    assert state.mask == before
    with pytest.raises(MaskError):
        RecipeSettings(last_bins=-3)
