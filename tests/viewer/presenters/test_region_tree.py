"""The units of a session as a tree, and what a mask does to them."""

from __future__ import annotations

import time

import numpy as np
import pytest

from mtm_core.masking import tasks
from mtm_core.masking.choice import Block, UnitChoice
from mtm_core.masking.spec import MaskSpec
from mtm_viewer.presenters.region_tree import (
    NO_REGION,
    Level,
    Visibility,
    filter_tree,
    joint_visibility,
    region_tree,
    unit_visibility,
)
from tests.core.sessions import make_session

SESSION = make_session(regions=("CA1", "VISp", "DG", "root", "", "XYZ"))
TREE = region_tree(SESSION, np.arange(24.0))


def outline(tree) -> dict[str, dict[str, int]]:
    return {g.acronym: {r.acronym: len(r.rows) for r in g.children} for g in tree.groups}


def test_groups_and_regions_stand_in_the_order_of_the_atlas_unnamed_ones_last():
    assert outline(TREE) == {
        "Isocortex": {"VISp": 4},
        "HPF": {"CA1": 4, "DG": 4},
        "XYZ": {"XYZ": 4},
        "root": {"root": 4},
        NO_REGION: {NO_REGION: 4},
    }


def test_every_unit_is_in_the_tree_once():
    rows = np.concatenate([group.rows for group in TREE.groups])
    assert sorted(rows.tolist()) == list(range(24))
    assert TREE.n_shown == 24


def test_regions_have_the_names_and_colours_of_the_atlas():
    ca1 = TREE.groups[1].children[0]
    assert (ca1.name, ca1.colour) == ("Field CA1", "#7ed04b")


def test_units_are_called_by_their_number():
    assert TREE.unit_label[3] == "unit #3"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("ca1", {"HPF": {"CA1": 4}}),
        ("field ca", {"HPF": {"CA1": 4}}),
        ("hippocampal", {"HPF": {"CA1": 4, "DG": 4}}),
        ("/0005", {"Isocortex": {"VISp": 1}}),
        ("zebra", {}),
    ],
)
def test_searching_finds_groups_regions_and_units(query, found):
    assert outline(filter_tree(TREE, query)) == found


def test_searching_is_quick_enough_for_typing():
    tree = region_tree(make_session(n_units=1500, n_trials=10, n_bins=2), np.zeros(1500))
    start_s = time.perf_counter()
    for _ in range(5):
        filter_tree(tree, "0012")
    assert (time.perf_counter() - start_s) / 5 < 0.15


def test_a_hidden_region_is_hidden_and_the_others_are_seen():
    mask = tasks.inter_region("CA1").resolve(SESSION)
    states = unit_visibility(mask, 24)
    assert set(states[SESSION.region == "CA1"]) == {Visibility.HIDDEN}
    assert set(states[SESSION.region != "CA1"]) == {Visibility.VISIBLE}


def test_units_hidden_in_turn_are_told_from_hidden_ones():
    states = unit_visibility(tasks.intra_region("CA1").resolve(SESSION), 24)
    assert set(states[SESSION.region == "CA1"]) == {Visibility.IN_TURN}
    assert set(states[SESSION.region != "CA1"]) == {Visibility.HIDDEN}


def test_units_hidden_in_some_bins_are_partly_hidden():
    spec = MaskSpec(blocks=(Block(UnitChoice.of_region("DG"), bins=(0, 3)),))
    states = unit_visibility(spec.resolve(SESSION), 24)
    assert set(states[SESSION.region == "DG"]) == {Visibility.PARTLY}


def test_without_a_mask_everything_is_seen():
    assert not unit_visibility(None, 24).any()


@pytest.mark.parametrize(
    ("states", "joint"),
    [
        ([], Visibility.VISIBLE),
        ([2, 2], Visibility.HIDDEN),
        ([0, 2], Visibility.MIXED),
        ([3, 3, 3], Visibility.IN_TURN),
    ],
)
def test_a_heading_says_what_holds_for_all_its_units(states, joint):
    assert joint_visibility(np.array(states, dtype=np.int8)) is joint


def test_finer_areas_stand_under_their_beryl_region_and_others_right_under_their_group():
    session = make_session(regions=("VISp1", "VISp2/3", "CA1", "VISl5"))
    isocortex, hippocampus = region_tree(session, np.zeros(24)).groups
    assert [node.acronym for node in isocortex.children] == ["VISl", "VISp"]
    assert [node.level for node in isocortex.children] == [Level.BERYL, Level.BERYL]
    assert isocortex.children[1].regions == ("VISp1", "VISp2/3")
    assert hippocampus.children[0].level is Level.REGION
    assert isocortex.regions == ("VISl5", "VISp1", "VISp2/3")


def test_searching_reaches_below_beryl_regions():
    session = make_session(regions=("VISp1", "VISp2/3", "CA1"))
    tree = region_tree(session, np.zeros(24))
    (group,) = filter_tree(tree, "visp1").groups
    assert group.regions == ("VISp1",)
    assert len(group.rows) == 8
    (group,) = filter_tree(tree, "primary visual area").groups
    assert group.regions == ("VISp1", "VISp2/3")


def test_units_without_a_region_have_no_region_that_a_mask_could_name():
    (nameless,) = (group for group in TREE.groups if group.acronym == NO_REGION)
    assert nameless.regions == ()
