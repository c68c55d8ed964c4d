"""The one state object: every change is told once, every mask can be undone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_core.errors import MaskError, RuleError
from mtm_core.masking import tasks
from mtm_viewer.mask_steps import MaskStep
from mtm_viewer.presenters.mask_choice import MaskChoice
from mtm_viewer.presenters.trial_filter import TrialFilter
from mtm_viewer.state import Display, ViewerState
from mtm_viewer.theme import DARK
from tests.core.sessions import make_session
from tests.viewer.workspaces import make_small_workspace


@pytest.fixture
def state(qapp):
    state = ViewerState()
    state.open_workspace(make_small_workspace())
    return state


def hidden_regions(state: ViewerState) -> set[str]:
    if state.resolved is None:
        return set()
    session = state.workspace.session
    return set(session.region[state.resolved.is_hidden.any(axis=0)].tolist())


def heard(signal) -> list[object]:
    told: list[object] = []
    signal.connect(told.append)
    return told


def test_opening_targets_the_largest_region_at_once(state):
    assert state.mask.title == "Inter-region VISp"
    assert hidden_regions(state) == {"VISp"}
    assert not state.undo_stack.canUndo()


def test_opening_tells_workspace_and_mask(qapp):
    state, workspace = ViewerState(), make_small_workspace()
    opened, masks = heard(state.workspace_changed), heard(state.mask_changed)
    state.open_workspace(workspace)
    assert opened == [workspace]
    assert masks == [state.mask]


def test_clicking_a_region_hides_it_under_the_recipe(state):
    masks = heard(state.mask_changed)
    state.click_region("CA1")
    assert hidden_regions(state) == {"CA1"}
    assert masks == [MaskChoice(region="CA1", spec=tasks.inter_region("CA1"))]


def test_clicking_what_is_on_screen_changes_nothing(state):
    masks = heard(state.mask_changed)
    state.click_region("VISp")
    assert masks == []
    assert not state.undo_stack.canUndo()


def test_switching_the_recipe_keeps_the_region(state):
    state.click_region("CA1")
    state.choose_recipe("intra_region")
    assert state.mask.spec == tasks.intra_region("CA1")
    state.choose_recipe("co_smoothing")
    assert state.mask.region == "CA1"
    assert state.resolved.is_scored.any(axis=0).sum() == 8


def test_clicking_the_scored_region_again_scores_every_unit(state):
    state.choose_recipe("co_smoothing")
    state.click_region("VISp")
    assert state.mask.spec == tasks.co_smoothing()


def test_undo_and_redo_by_name(state):
    state.click_region("CA1")
    state.choose_recipe("forward_prediction")
    assert state.undo_stack.undoText() == "Forward prediction CA1"
    state.undo_stack.undo()
    assert state.undo_stack.undoText() == "Inter-region CA1"
    assert state.undo_stack.redoText() == "Forward prediction CA1"
    assert state.mask == MaskChoice(region="CA1", spec=tasks.inter_region("CA1"))
    state.undo_stack.undo()
    assert hidden_regions(state) == {"VISp"}
    state.undo_stack.redo()
    assert hidden_regions(state) == {"CA1"}


def test_a_step_holds_the_masks_before_and_after(state):
    before = state.mask.spec
    state.click_region("CA1")
    step = state.undo_stack.command(0)
    assert isinstance(step, MaskStep)
    assert (step.before.spec, step.after.spec) == (before, tasks.inter_region("CA1"))


def test_undoing_a_recipe_brings_back_its_recipe(state):
    state.choose_recipe("custom")
    state.undo_stack.undo()
    assert state.mask.recipe == "inter_region"


def test_a_mask_that_cannot_be_applied_leaves_everything_as_it_was(qapp):
    state = ViewerState()
    state.open_workspace(make_small_workspace(regions=("CA1",)))
    before, masks = state.mask, heard(state.mask_changed)
    with pytest.raises(MaskError, match="hides everything"):
        state.toggle_region("CA1")
    assert (state.mask, masks) == (before, [])
    assert hidden_regions(state) == set()
    assert not state.undo_stack.canUndo()


def test_intra_region_of_a_single_unit_is_refused(qapp):
    state = ViewerState()
    names = ["CA1"] * 23 + ["DG"]
    state.open_workspace(make_small_workspace(regions=names))
    state.choose_recipe("intra_region")
    with pytest.raises(MaskError):
        state.click_region("DG")
    assert state.mask.region == "CA1"


def test_a_custom_mask_goes_on_from_what_is_hidden(state):
    state.choose_recipe("custom")
    assert hidden_regions(state) == {"VISp"}
    state.click_region("CA1")
    assert hidden_regions(state) == {"VISp", "CA1"}
    assert state.undo_stack.undoText() == "hide CA1"
    state.click_region("VISp")
    assert hidden_regions(state) == {"CA1"}
    assert state.undo_stack.undoText() == "show VISp"


def test_a_unit_is_hidden_and_shown_by_its_id(state):
    state.choose_recipe("custom")
    state.show_everything()
    unit = str(state.workspace.session.unit_id[3])
    state.toggle_unit(unit)
    assert state.resolved.scored_units.tolist() == [3]
    assert state.undo_stack.undoText() == "hide unit CA1 #3"
    assert "#0003 hidden: 1 of 24 units" in state.describe_mask()
    state.toggle_unit(unit)
    assert state.mask.spec is None


def test_a_group_is_hidden_with_all_its_regions(state):
    state.choose_recipe("custom")
    state.show_everything()
    state.toggle_group("HPF")
    assert hidden_regions(state) == {"CA1", "DG"}


def test_showing_everything_hides_nothing(state):
    state.choose_recipe("custom")
    state.show_everything()
    assert state.mask.spec is None
    assert state.resolved is None
    assert state.describe_mask() == "nothing hidden"


def test_a_rule_adds_to_what_is_hidden(state):
    state.choose_recipe("custom")
    state.hide_by_rule('region == "CA1" and depth_um < 400')
    assert hidden_regions(state) == {"VISp", "CA1"}
    assert state.undo_stack.undoText().startswith("hide units where")


def test_a_rule_on_rates_uses_training_trials(state):
    state.choose_recipe("custom")
    state.show_everything()
    rates = state.workspace.rate_hz
    middle = float(np.median(rates))
    state.hide_by_rule(f"rate_hz > {middle}")
    assert state.resolved.scored_units.tolist() == np.flatnonzero(rates > middle).tolist()


def test_what_is_no_rule_changes_nothing(state):
    state.choose_recipe("custom")
    before = state.mask
    with pytest.raises(RuleError):
        state.hide_by_rule("import os")
    assert state.mask == before


def test_ranges_of_bins_in_a_row_are_one_step(state):
    state.choose_recipe("custom")
    n_steps = state.undo_stack.count()
    for stop in (5, 6, 7):
        state.hide_bins((2, stop))
    assert state.undo_stack.count() == n_steps + 1
    assert state.undo_stack.undoText() == "hide bins 2 to 6"
    state.undo_stack.undo()
    assert state.parts.bins is None


def test_the_prompt_of_a_custom_mask_fits_it_until_one_is_picked(state):
    state.choose_recipe("custom")
    assert state.mask.spec.prompt == "inter_region"
    state.toggle_region("CA1")
    assert state.mask.spec.prompt == "neuron"
    state.choose_prompt("causal")
    state.toggle_region("CA1")
    assert state.mask.spec.prompt == "causal"
    state.choose_prompt(None)
    assert state.mask.spec.prompt == "inter_region"


def test_a_mask_unlike_the_trained_ones_says_so(state):
    assert state.untrained_reason() is None
    state.choose_recipe("custom")
    state.hide_bins((2, 5))
    assert state.untrained_reason().startswith("not trained for this")


def test_the_temporal_baseline_is_judged_without_a_prompt(qapp):
    workspace = make_small_workspace()
    state = ViewerState()
    state.open_workspace(replace(workspace, shown=1))
    state.choose_recipe("forward_prediction")
    assert state.untrained_reason() is None
    state.choose_recipe("inter_region")
    assert "the model knows temporal" in state.untrained_reason()


def test_another_model_of_the_session_keeps_mask_history_and_unit(state):
    state.click_region("CA1")
    state.select_unit(str(state.workspace.session.unit_id[0]))
    state.open_workspace(replace(state.workspace, shown=1))
    assert state.mask.title == "Inter-region CA1"
    assert state.undo_stack.canUndo()
    assert state.unit_row == 0


def test_another_session_starts_afresh_under_the_same_recipe(state):
    state.choose_recipe("intra_region")
    state.select_unit(str(state.workspace.session.unit_id[0]))
    state.open_workspace(make_small_workspace(seed=1, regions=("DG", "TH")))
    assert state.mask.title == "Intra-region TH"
    assert not state.undo_stack.canUndo()
    assert state.unit_id == ""


def test_a_session_without_regions_opens_with_nothing_hidden(qapp):
    state = ViewerState()
    state.open_workspace(make_small_workspace(regions=()))
    assert state.mask == MaskChoice(recipe="custom")
    with pytest.raises(MaskError, match="no regions at all"):
        state.toggle_region("CA1")


def test_units_that_the_recording_lacks_are_hidden_and_never_scored(qapp):
    session = make_session()
    workspace = make_small_workspace()
    is_missing = np.arange(session.n_units) >= 20
    state = ViewerState()
    state.open_workspace(replace(workspace, is_missing=is_missing))
    assert state.resolved.is_hidden[:, is_missing].all()
    assert state.resolved.scored_units.tolist() == [16, 17, 18, 19]


def test_selecting_a_unit_is_told_once(state):
    told = heard(state.unit_changed)
    unit = str(state.workspace.session.unit_id[5])
    for _ in range(2):
        state.select_unit(unit)
    state.select_unit("nobody")
    assert told == [unit]
    assert state.unit_row == 5


def test_the_control_stays_on_for_other_masks_until_it_is_turned_off(state):
    told = heard(state.control_changed)
    state.set_control(is_wanted=True)
    state.click_region("DG")
    assert state.wants_control
    state.set_control(is_wanted=False)
    assert told == [True, False]


@pytest.mark.parametrize(
    ("signal", "change"),
    [
        ("display_changed", lambda s: s.set_display(Display(is_focused=True))),
        ("device_changed", lambda s: s.set_device("cuda")),
        ("theme_changed", lambda s: s.set_theme(DARK)),
    ],
)
def test_settings_are_told_when_they_change_only(state, signal, change):
    told = heard(getattr(state, signal))
    change(state)
    change(state)
    assert len(told) == 1


def test_without_a_session_nothing_happens(qapp):
    state = ViewerState()
    masks = heard(state.mask_changed)
    state.choose_recipe("intra_region")
    state.click_region("CA1")
    state.toggle_group("HPF")
    state.toggle_unit("a/1")
    assert masks == []
    assert state.describe_mask() == "nothing hidden"


def test_other_trials_are_told_once_and_kept_for_another_model(state):
    told = heard(state.trials_changed)
    for _ in range(2):
        state.show_trials(TrialFilter(split="val"))
    assert told == [state.shown]
    assert state.shown.test.tolist() == state.workspace.val.tolist()
    state.open_workspace(replace(state.workspace, shown=1))
    assert state.trial_filter == TrialFilter(split="val")
    assert state.shown.shown == 1


def test_trials_that_another_model_lacks_give_way_to_its_test_trials(state):
    state.show_trials(TrialFilter(split="val"))
    empty = replace(state.workspace, val=np.zeros(0, dtype=np.int64))
    state.open_workspace(empty)
    assert state.trial_filter == TrialFilter()
    assert state.shown is empty


def test_without_a_session_no_trials_can_be_chosen(qapp):
    state = ViewerState()
    state.show_trials(TrialFilter(split="val"))
    assert state.shown is None
