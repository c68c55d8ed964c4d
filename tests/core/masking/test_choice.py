from __future__ import annotations

import numpy as np
import pytest

from mtm_core.errors import MaskError, MissingFieldError, RuleError
from mtm_core.masking.choice import Block, UnitChoice
from tests.core.sessions import make_session

SESSION = make_session(n_trials=8, n_bins=5, n_units=9)  # CA1, DG, VISp: three units each
IDS = SESSION.unit_id.tolist()


@pytest.mark.parametrize(
    ("choice", "rows"),
    [
        (UnitChoice.every(), list(range(9))),
        (UnitChoice.of_region("DG"), [3, 4, 5]),
        (UnitChoice.these([IDS[7], IDS[1]]), [1, 7]),
        (UnitChoice.by_rule('region in ("CA1", "VISp")'), [0, 1, 2, 6, 7, 8]),
    ],
)
def test_a_choice_selects_its_units(choice: UnitChoice, rows: list[int]) -> None:
    assert np.flatnonzero(choice.select(SESSION)).tolist() == rows
    for is_inverted in (False, True):
        block, expected = Block(choice, invert=is_inverted), choice.select(SESSION) != is_inverted
        assert np.array_equal(block.select_units(SESSION), expected)
        assert np.array_equal(block.fill(SESSION), np.tile(expected, (5, 1)))


def test_ids_are_a_set() -> None:
    assert UnitChoice.these(["b", "a", "b"]) == UnitChoice.these(["a", "b"])
    assert hash(UnitChoice.these(["b", "a"])) == hash(UnitChoice.these(["a", "b"]))


def test_rules_may_look_at_training_rates() -> None:
    choice = UnitChoice.by_rule("rate_hz > 5")
    rates = np.arange(9.0)
    assert choice.needs_rates
    assert not UnitChoice.of_region("DG").needs_rates
    assert np.flatnonzero(choice.select(SESSION, rates)).tolist() == [6, 7, 8]
    with pytest.raises(MissingFieldError, match="training trials"):
        choice.select(SESSION)


@pytest.mark.parametrize(
    ("region", "answer"),
    [
        ("DGG", "This session has no region 'DGG'. Did you mean 'DG'? Known: CA1, DG, VISp."),
        ("zzzzzz", "This session has no region 'zzzzzz'. Known: CA1, DG, VISp."),
    ],
)
def test_an_unknown_region_is_answered_with_the_nearest(region: str, answer: str) -> None:
    with pytest.raises(MaskError) as caught:
        UnitChoice.of_region(region).select(SESSION)
    assert str(caught.value) == answer


def test_a_session_without_regions_says_so() -> None:
    with pytest.raises(MaskError, match="this session has no regions at all"):
        UnitChoice.of_region("CA1").select(make_session(n_units=4, regions=()))


def test_units_that_are_not_there_are_counted_and_named() -> None:
    choice = UnitChoice.these([IDS[0], "a", "b", "c", "d"])
    with pytest.raises(MaskError, match="4 of 5 chosen units are not in this session: a, b, c, "):
        choice.select(SESSION)
    with pytest.raises(MaskError, match=r"1 of 2 chosen units .*: a\."):
        UnitChoice.these([IDS[0], "a"]).select(SESSION)


def test_a_choice_is_one_kind_of_choice() -> None:
    with pytest.raises(MaskError, match="not by several"):
        UnitChoice(ids=("a",), region="CA1")
    with pytest.raises(MaskError, match="lists no id"):
        UnitChoice.these([])
    with pytest.raises(RuleError, match="not a rule"):
        UnitChoice.by_rule("import os")


@pytest.mark.parametrize("bins", [(3, 3), (4, 2), (-1, 2), (-3, -1)])
def test_an_empty_range_of_bins_is_refused(bins: tuple[int, int]) -> None:
    with pytest.raises(MaskError, match=f"Bins {bins[0]}:{bins[1]} are no range"):
        Block(bins=bins)


def test_a_block_holds_its_units_in_its_bins() -> None:
    held = Block(UnitChoice.of_region("DG"), bins=(1, 3)).fill(SESSION)
    expected = np.zeros((5, 9), dtype=bool)
    expected[1:3, 3:6] = True
    assert np.array_equal(held, expected)
    assert np.array_equal(
        Block(UnitChoice.of_region("DG"), (1, 3), invert=True).fill(SESSION).sum(0),
        [2, 2, 2, 0, 0, 0, 2, 2, 2],
    )


def test_bins_behind_the_last_one_are_refused() -> None:
    with pytest.raises(MaskError, match="Bins 3:6 reach behind the last of the 5 bins"):
        Block(bins=(3, 6)).fill(SESSION)


def test_a_rule_that_no_unit_fits_is_refused() -> None:
    with pytest.raises(MaskError, match="No unit of this session fits the rule 'depth_um > 1e6'"):
        Block(UnitChoice.by_rule("depth_um > 1e6")).fill(SESSION)
