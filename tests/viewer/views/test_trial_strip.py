"""The lists of trials show counts and tell what was chosen."""

from __future__ import annotations

import pytest

from mtm_viewer.presenters.trial_filter import TrialFilter, filter_panel
from mtm_viewer.views.trial_strip import TrialStrip
from tests.viewer.workspaces import make_small_workspace

pytestmark = pytest.mark.gui
WORKSPACE = make_small_workspace(n_trials=120)


@pytest.fixture
def strip(qtbot):
    widget = TrialStrip()
    qtbot.addWidget(widget)
    widget.draw(filter_panel(WORKSPACE, TrialFilter()))
    return widget


def choose(box, value: str) -> None:
    box.setCurrentIndex(box.findData(value))
    box.activated.emit(box.currentIndex())


def test_counts_stand_beside_each_choice(strip):
    texts = [strip.split.itemText(row) for row in range(strip.split.count())]
    assert texts[0] == f"test ({len(WORKSPACE.test)})"
    assert texts[3] == "recorded (120)"


def test_a_level_is_told_with_what_was_chosen_before(strip, qtbot):
    before = TrialFilter(split="train").with_level("feedback", "rewarded")
    strip.draw(filter_panel(WORKSPACE, before))
    with qtbot.waitSignal(strip.filter_chosen) as heard:
        choose(strip.fields["contrast_side"], "left > right")
    assert heard.args == [before.with_level("contrast_side", "left > right")]


def test_another_part_keeps_the_levels(strip, qtbot):
    before = TrialFilter().with_level("feedback", "rewarded")
    strip.draw(filter_panel(WORKSPACE, before))
    with qtbot.waitSignal(strip.filter_chosen) as heard:
        choose(strip.split, "val")
    assert heard.args == [TrialFilter(split="val", levels=before.levels)]


def test_all_test_trials_come_back_at_once(strip, qtbot):
    assert not strip.reset.isEnabled()
    strip.draw(filter_panel(WORKSPACE, TrialFilter(split="all")))
    with qtbot.waitSignal(strip.filter_chosen) as heard:
        strip.reset.click()
    assert heard.args == [TrialFilter()]


def test_fields_that_the_session_lacks_are_hidden(strip):
    assert strip.fields["block"].isHidden()
    assert not strip.fields["choice"].isHidden()
