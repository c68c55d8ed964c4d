"""Painting, growing, turning inside out and thinning out a custom mask."""

from __future__ import annotations

import numpy as np
import pytest

from mtm_core.errors import MaskError, UnknownNameError
from mtm_core.masking.choice import Block, UnitChoice
from mtm_viewer.presenters.mask_choice import HiddenParts, MaskChoice, parts_of
from mtm_viewer.presenters.mask_edits import (
    Stroke,
    grow_to_regions,
    invert,
    only_units,
    paint,
    random_units,
    stroke_words,
)
from tests.core.sessions import make_session

SESSION = make_session(n_bins=6, n_units=12)
RATES = SESSION.counts.mean(axis=(0, 1)) / SESSION.bin_size_s
CA1 = SESSION.region == "CA1"


def hidden(parts: HiddenParts) -> np.ndarray:
    return parts.hidden_entries(SESSION, RATES)


def stroke(rows: slice, bins: slice, **settings: object) -> Stroke:
    """Paint over a raster whose rows stand in reverse order."""
    inside = np.zeros((SESSION.n_units, SESSION.n_bins), dtype=bool)
    inside[rows, bins] = True
    return Stroke(unit_id=SESSION.unit_id[::-1], is_inside=inside, **settings)


def painted(parts: HiddenParts, *args: slice, **settings: object) -> HiddenParts:
    return paint(parts, stroke(*args, **settings), SESSION, RATES)


def test_a_stroke_hides_entries_of_the_units_it_crossed_not_of_their_rows():
    parts = painted(HiddenParts(), slice(0, 2), slice(1, 4))
    wanted = np.zeros((6, 12), dtype=bool)
    wanted[1:4, 10:] = True
    assert np.array_equal(hidden(parts), wanted)
    assert parts.ids == {"simulated-0/0010", "simulated-0/0011"}
    assert parts.bins == (1, 4)


@pytest.mark.parametrize(
    ("extent", "n_bins", "n_units"), [("entries", 2, 3), ("units", 6, 3), ("bins", 2, 12)]
)
def test_a_stroke_can_mean_whole_units_or_a_time_range(extent, n_bins, n_units):
    parts = painted(HiddenParts(), slice(0, 3), slice(4, 6), extent=extent)
    shown = hidden(parts)
    assert (shown.any(axis=1).sum(), shown.any(axis=0).sum()) == (n_bins, n_units)
    assert shown.sum() == n_bins * n_units


def test_strokes_add_up():
    once = painted(HiddenParts(regions=("CA1",)), slice(0, 1), slice(0, 2))
    twice = painted(once, slice(1, 2), slice(1, 5))
    assert twice.regions == ("CA1",)
    assert [block.bins for block in twice.painted] == [(0, 2), (1, 5)]
    assert hidden(twice).sum() == 4 * 6 + 2 + 4


def test_the_eraser_shows_entries_again():
    parts = painted(HiddenParts(regions=("CA1",)), slice(10, 12), slice(0, 3), is_erasing=True)
    assert hidden(parts)[:, CA1].sum() == 4 * 6 - 2 * 3
    assert not hidden(parts)[:3, :2].any()
    back = painted(parts, slice(10, 12), slice(0, 3))
    assert back == HiddenParts(regions=("CA1",))


def test_erasing_everything_hides_nothing():
    everything = slice(None), slice(None)
    assert painted(HiddenParts(regions=("DG",)), *everything, is_erasing=True).is_empty


def test_hiding_everything_is_kept_as_such_so_that_it_can_be_refused():
    parts = painted(HiddenParts(), slice(None), slice(None))
    assert hidden(parts).all()
    assert invert(parts, SESSION, RATES).is_empty


def test_a_stroke_keeps_a_rule_and_the_eraser_uses_it_up():
    ruled = HiddenParts(rule='region == "CA1"')
    more = painted(ruled, slice(0, 12), slice(0, 2))
    assert more.rule == ruled.rule
    assert hidden(more).sum() == 4 * 6 + 8 * 2
    less = painted(ruled, slice(11, 12), slice(0, 2), is_erasing=True)
    assert less.rule == ""
    assert hidden(less).sum() == 4 * 6 - 2


def test_what_was_painted_is_read_back_as_it_was():
    parts = painted(HiddenParts(regions=("CA1",), rule="rate_hz > 0"), slice(0, 0), slice(0, 0))
    assert parts.painted == ()
    twice = painted(
        painted(HiddenParts(regions=("CA1",)), slice(0, 1), slice(0, 2)), slice(1, 2), slice(1, 5)
    )
    choice = MaskChoice(recipe="custom", spec=twice.to_spec())
    assert parts_of(choice, SESSION, RATES) == twice


def test_masks_of_any_blocks_can_be_edited():
    two_rules = tuple(
        Block(UnitChoice.by_rule(f'region == "{name}"'), bins=(0, 2)) for name in ("CA1", "DG")
    )
    spec = HiddenParts(painted=two_rules).to_spec()
    parts = parts_of(MaskChoice(recipe="custom", spec=spec), SESSION, RATES)
    assert parts == HiddenParts(regions=("CA1", "DG"), bins=(0, 2))


def test_a_partly_painted_unit_is_hidden_first_and_shown_then():
    parts = painted(painted(HiddenParts(), slice(0, 1), slice(0, 2)), slice(1, 2), slice(1, 5))
    unit = np.arange(12) == 11
    whole = parts.toggle_units(unit, SESSION, RATES)
    assert hidden(whole)[:, 11].all()
    assert not hidden(whole.toggle_units(unit, SESSION, RATES))[:, 11].any()
    region = parts.toggle_region("VISp", SESSION, RATES)
    assert region == HiddenParts(regions=("VISp",))


@pytest.mark.parametrize(
    "wrong",
    [
        Stroke(unit_id=np.array(["x"]), is_inside=np.ones((1, 6), dtype=bool)),
        Stroke(unit_id=SESSION.unit_id, is_inside=np.ones((12, 5), dtype=bool)),
    ],
)
def test_a_stroke_over_another_session_is_refused(wrong):
    with pytest.raises(MaskError, match="does not belong to this session"):
        paint(HiddenParts(), wrong, SESSION, RATES)


def test_an_extent_that_is_none_is_refused():
    with pytest.raises(UnknownNameError, match="extent of a stroke"):
        painted(HiddenParts(), slice(0, 1), slice(0, 1), extent="row")


def test_strokes_are_named_by_what_they_changed():
    before, after = np.zeros((6, 12), dtype=bool), np.zeros((6, 12), dtype=bool)
    after[0, 0] = True
    assert stroke_words(before, after) == "paint 1 entry of 1 unit"
    after[:, :2] = True
    assert stroke_words(before, after) == "paint 2 units"
    assert stroke_words(after, before) == "erase 2 units"


def test_growing_hides_the_same_bins_of_the_whole_region():
    parts = painted(HiddenParts(), slice(0, 1), slice(1, 4))
    grown = grow_to_regions(parts, SESSION, RATES)
    assert grown == HiddenParts(regions=("VISp",), bins=(1, 4))
    unit = HiddenParts(ids=frozenset([str(SESSION.unit_id[0])]))
    assert grow_to_regions(unit, SESSION, RATES) == HiddenParts(regions=("CA1",))


def test_nothing_cannot_grow():
    with pytest.raises(MaskError, match="Nothing is hidden that could grow"):
        grow_to_regions(HiddenParts(), SESSION, RATES)


def test_units_of_no_region_stay_when_others_grow():
    session = make_session(n_units=6, regions=("CA1", ""))
    parts = HiddenParts(ids=frozenset(session.unit_id[[0, 5]].tolist()))
    grown = grow_to_regions(parts, session, np.ones(6))
    assert grown.regions == ("CA1",)
    assert grown.ids == {str(session.unit_id[5])}


def test_turning_inside_out_twice_changes_nothing():
    parts = HiddenParts(regions=("CA1",))
    turned = invert(parts, SESSION, RATES)
    assert turned.regions == ("DG", "VISp")
    assert invert(turned, SESSION, RATES) == parts


def test_only_some_units_are_hidden():
    assert only_units(CA1, SESSION) == HiddenParts(regions=("CA1",))


@pytest.mark.parametrize("percent", [25, 50])
def test_a_random_share_of_all_units_is_drawn_again_by_the_same_seed(percent):
    parts = [
        random_units(HiddenParts(regions=("CA1",)), "all", percent, seed, SESSION, RATES)
        for seed in (0, 0, 1)
    ]
    assert parts[0] == parts[1]
    assert parts[0] != parts[2]
    assert hidden(parts[0])[0].sum() == 12 * percent / 100


def test_a_larger_share_contains_the_smaller_one():
    few, many = (
        random_units(HiddenParts(), "all", percent, 0, SESSION, RATES) for percent in (25, 50)
    )
    assert (hidden(many) | ~hidden(few)).all()


def test_a_share_of_each_region_is_drawn_region_by_region():
    parts = random_units(HiddenParts(), "region", 50, 0, SESSION, RATES)
    shown = hidden(parts)[0]
    assert [int(shown[SESSION.region == name].sum()) for name in ("CA1", "DG", "VISp")] == [2] * 3


def test_hidden_units_are_thinned_out():
    parts = random_units(HiddenParts(regions=("DG",)), "hidden", 50, 0, SESSION, RATES)
    assert set(SESSION.region[hidden(parts)[0]]) == {"DG"}
    assert hidden(parts)[0].sum() == 2


def test_a_share_of_nothing_is_refused():
    with pytest.raises(MaskError, match="No unit is hidden to draw from"):
        random_units(HiddenParts(), "hidden", 50, 0, SESSION, RATES)
    with pytest.raises(UnknownNameError, match="draw from"):
        random_units(HiddenParts(), "shank", 50, 0, SESSION, RATES)


def test_painted_units_count_as_hidden_when_they_are_thinned_out():
    parts = painted(painted(HiddenParts(), slice(0, 2), slice(0, 2)), slice(2, 4), slice(1, 5))
    assert parts.hidden_units(SESSION, RATES).sum() == 4
    few = random_units(parts, "hidden", 50, 0, SESSION, RATES)
    assert hidden(few)[0].sum() == 2
