"""Trials are chosen by part and by condition; counts tell before one chooses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_core.data.conditions import trial_conditions
from mtm_core.errors import DataError, UnknownNameError
from mtm_viewer.presenters.trial_filter import TrialFilter, filter_panel, filter_trials
from tests.viewer.workspaces import make_small_workspace

WORKSPACE = make_small_workspace(n_trials=120)
SESSION = WORKSPACE.session


def level_of(field: str, rows: np.ndarray) -> set[str]:
    conditions = trial_conditions(SESSION, (field,))
    return {conditions.names[k] for k in conditions.label[rows]}


def test_without_a_choice_the_workspace_is_the_very_same():
    assert filter_trials(WORKSPACE, TrialFilter()) is WORKSPACE


@pytest.mark.parametrize(
    ("split", "part", "kind"), [("train", "train", "training"), ("val", "val", "validation")]
)
def test_another_part_of_the_session(split, part, kind):
    shown = filter_trials(WORKSPACE, TrialFilter(split=split))
    assert shown.test.tolist() == getattr(WORKSPACE, part).tolist()
    assert shown.trial_kind == kind
    assert shown.train is WORKSPACE.train


def test_every_trial_of_the_recording():
    shown = filter_trials(WORKSPACE, TrialFilter(split="all"))
    assert shown.test.tolist() == list(range(120))


def test_trials_of_a_condition_only():
    wanted = TrialFilter().with_level("contrast_side", "left > right")
    shown = filter_trials(WORKSPACE, wanted)
    assert level_of("contrast_side", shown.test) == {"left > right"}
    assert set(shown.test) < set(WORKSPACE.test)
    assert shown.trial_kind == "left > right test"


def test_conditions_add_up_and_are_taken_back():
    both = TrialFilter(split="all").with_level("feedback", "rewarded")
    both = both.with_level("contrast_side", "right > left")
    assert both.levels == (("contrast_side", "right > left"), ("feedback", "rewarded"))
    shown = filter_trials(WORKSPACE, both)
    assert level_of("feedback", shown.test) == {"rewarded"}
    assert level_of("contrast_side", shown.test) == {"right > left"}
    assert both.with_level("feedback", "").levels == (("contrast_side", "right > left"),)


def test_trials_whose_field_is_absent_belong_to_no_level():
    conditions = trial_conditions(SESSION, ("choice",))
    assert not conditions.is_valid.all()
    levels = [
        filter_trials(WORKSPACE, TrialFilter(split="all").with_level("choice", name)).test
        for name in conditions.names
    ]
    assert sum(map(len, levels)) == conditions.is_valid.sum()


@pytest.mark.parametrize(("field", "level"), [("block", "block 0.5 left"), ("feedback", "bitten")])
def test_a_choice_without_trials_is_refused(field, level):
    with pytest.raises(DataError, match=f"There are no {level} test trials"):
        filter_trials(WORKSPACE, TrialFilter().with_level(field, level))


def test_a_part_that_is_none_is_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'train'"):
        TrialFilter(split="trian")


def test_only_test_trials_are_unseen():
    assert [TrialFilter(split=s).is_seen for s in ("test", "val", "train", "all")] == [
        False,
        True,
        True,
        True,
    ]


def test_the_panel_counts_what_each_choice_would_show():
    chosen = TrialFilter().with_level("contrast_side", "left > right")
    panel = filter_panel(WORKSPACE, chosen)
    n_shown = len(filter_trials(WORKSPACE, chosen).test)
    assert panel.summary == f"{n_shown} of {len(WORKSPACE.test)} test trials"
    for option in panel.splits:
        wanted = filter_trials(WORKSPACE, replace(chosen, split=option.value))
        assert option.n_trials == len(wanted.test)
    sides = dict(panel.fields)["contrast_side"]
    assert sides[0].text == f"any ({len(WORKSPACE.test)})"
    assert sum(option.n_trials for option in sides[1:]) == len(WORKSPACE.test)


def test_fields_that_the_session_lacks_are_not_offered():
    assert "block" not in dict(filter_panel(WORKSPACE, TrialFilter()).fields)
