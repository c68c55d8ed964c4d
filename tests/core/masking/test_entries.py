"""Entries become blocks and back; masks are joined, met and turned inside out."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mtm_core.errors import MaskError, UnknownNameError
from mtm_core.masking import tasks
from mtm_core.masking.choice import Block, UnitChoice
from mtm_core.masking.entries import combine, complement, cover
from mtm_core.masking.spec import MaskSpec
from tests.core.sessions import make_session

SESSION = make_session(n_bins=6, n_units=12)
RATES = SESSION.counts.mean(axis=(0, 1)) / SESSION.bin_size_s
CA1, DG = tasks.inter_region("CA1"), tasks.inter_region("DG")


def entries(blocks: tuple[Block, ...]) -> np.ndarray:
    held = np.zeros((SESSION.n_bins, SESSION.n_units), dtype=bool)
    for block in blocks:
        held |= block.fill(SESSION)
    return held


def hidden(spec: MaskSpec) -> np.ndarray:
    return spec.hidden_entries(SESSION, RATES)


@settings(max_examples=60, deadline=None)
@given(arrays(bool, (SESSION.n_bins, SESSION.n_units), elements=st.booleans()))
def test_blocks_hold_exactly_the_entries_they_were_made_from(wanted):
    before = wanted.copy()
    blocks = cover(wanted, SESSION)
    assert np.array_equal(entries(blocks), wanted)
    assert np.array_equal(wanted, before)
    assert MaskSpec.from_json(MaskSpec(blocks=blocks).to_json()).blocks == blocks


def test_nothing_is_covered_by_no_block():
    assert cover(np.zeros((SESSION.n_bins, SESSION.n_units), dtype=bool), SESSION) == ()


def test_whole_trials_and_whole_regions_are_named_as_such():
    wanted = np.zeros((SESSION.n_bins, SESSION.n_units), dtype=bool)
    wanted[:, SESSION.region == "CA1"] = True
    wanted[2:4, 5] = True
    assert cover(wanted, SESSION) == (
        Block(UnitChoice.of_region("CA1")),
        Block(UnitChoice.these([str(SESSION.unit_id[5])]), bins=(2, 4)),
    )


def test_a_range_of_every_unit_is_named_without_units():
    wanted = np.zeros((SESSION.n_bins, SESSION.n_units), dtype=bool)
    wanted[4:] = True
    assert cover(wanted, SESSION) == (Block(bins=(4, 6)),)


def test_units_without_a_region_are_named_by_id():
    session = make_session(n_units=6, regions=("CA1", ""))
    wanted = np.tile(session.region == "", (session.n_bins, 1))
    (block,) = cover(wanted, session)
    assert block.units.ids == tuple(session.unit_id[wanted[0]].tolist())


def test_a_union_of_regions_stays_one_of_regions():
    both = combine("union", CA1, DG, SESSION)
    assert both.blocks == (*CA1.blocks, *DG.blocks)
    assert combine("union", both, DG, SESSION) == both


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        ("union", lambda a, b: a | b),
        ("intersection", lambda a, b: a & b),
        ("difference", lambda a, b: a & ~b),
    ],
)
def test_combinations_are_those_of_sets(kind, wanted):
    first = MaskSpec(blocks=(Block(UnitChoice.of_region("CA1"), bins=(0, 4)),), prompt="causal")
    second = MaskSpec(blocks=(Block(bins=(2, 6)),))
    joint = combine(kind, first, second, SESSION)
    assert np.array_equal(hidden(joint), wanted(hidden(first), hidden(second)))
    assert joint.prompt == "causal"


def test_units_hidden_in_turn_count_as_hidden():
    in_turn = tasks.intra_region("CA1")
    assert hidden(in_turn).all()
    met = combine("intersection", in_turn, CA1, SESSION)
    assert np.array_equal(hidden(met), hidden(CA1))
    joined = combine("union", tasks.co_smoothing(), CA1, SESSION)
    assert hidden(joined).all()


@pytest.mark.parametrize(
    ("kind", "first", "second", "said"),
    [
        ("intersection", CA1, DG, "nothing in common"),
        ("difference", CA1, CA1, "nothing is left"),
        ("union", MaskSpec(one_at_a_time=True), MaskSpec(), "Neither mask hides"),
    ],
)
def test_a_combination_that_hides_nothing_is_refused(kind, first, second, said):
    with pytest.raises(MaskError, match=said):
        combine(kind, first, second, SESSION)


def test_a_combination_that_is_none_is_refused():
    with pytest.raises(UnknownNameError, match="Did you mean 'union'"):
        combine("unoin", CA1, DG, SESSION)


def test_the_complement_of_the_complement_is_the_mask():
    turned = complement(CA1, SESSION)
    assert np.array_equal(hidden(turned), ~hidden(CA1))
    assert complement(turned, SESSION).blocks == CA1.blocks


def test_the_complement_of_everything_is_refused():
    with pytest.raises(MaskError, match="hides everything"):
        complement(tasks.co_smoothing(), SESSION)


def test_rules_on_rates_are_combined_too():
    fast = MaskSpec(blocks=(Block(UnitChoice.by_rule(f"rate_hz > {np.median(RATES)}")),))
    met = combine("intersection", fast, CA1, SESSION, RATES)
    assert np.array_equal(hidden(met), hidden(fast) & hidden(CA1))


def test_a_painted_mask_is_described_in_a_sentence():
    wanted = np.zeros((SESSION.n_bins, SESSION.n_units), dtype=bool)
    wanted[:, SESSION.region == "CA1"] = True
    for place, unit in enumerate((5, 6, 9)):
        wanted[place : place + 3, unit] = True
    spec = MaskSpec(blocks=cover(wanted, SESSION))
    assert spec.describe(SESSION) == (
        "CA1 and some bins of 3 units hidden: 46 % of 12 units x 6 bins, neuron prompt"
    )
    wanted[:, 9] = False
    two = MaskSpec(blocks=cover(wanted, SESSION)).describe(SESSION)
    assert "in bins 0 to 2 (0 to 30 ms) and unit simulated-0/0006 in bins 1 to 3" in two
