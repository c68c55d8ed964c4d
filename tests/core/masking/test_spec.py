from __future__ import annotations

import contextlib
import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtm_core.errors import MaskError, MtmError, UnknownNameError
from mtm_core.masking import mask_json
from mtm_core.masking.choice import Block, UnitChoice
from mtm_core.masking.masked_batch import PROMPTS
from mtm_core.masking.spec import MaskSpec, best_prompt
from mtm_core.masking.tasks import co_smoothing, forward_prediction, inter_region, intra_region
from tests.core.sessions import make_session

SESSION = make_session(n_trials=8, n_bins=10, n_units=12)  # CA1, DG, VISp: four units each
CA1 = UnitChoice.of_region("CA1")
DG = UnitChoice.of_region("DG")
EVERY = UnitChoice.every()
PAPER = ("neuron", "causal", "intra_region", "inter_region")


def test_blocks_are_joined() -> None:
    spec = MaskSpec(blocks=(Block(CA1), Block(EVERY, bins=(8, 10))))
    mask = spec.resolve(SESSION)
    expected = np.zeros((10, 12), dtype=bool)
    expected[:, :4] = True
    expected[8:] = True
    assert np.array_equal(mask.is_hidden, expected)
    assert np.array_equal(mask.is_scored, expected)


def test_only_hidden_entries_are_scored() -> None:
    spec = MaskSpec(blocks=(Block(CA1),), scored=(Block(EVERY, bins=(2, 4)),))
    is_scored = spec.resolve(SESSION).is_scored
    assert is_scored[2:4, :4].all()
    assert is_scored.sum() == 2 * 4


def test_one_at_a_time_scores_units_that_the_mask_shows() -> None:
    mask = MaskSpec(blocks=(Block(DG),), scored=(Block(CA1),), one_at_a_time=True).resolve(SESSION)
    assert mask.scored_units.tolist() == [0, 1, 2, 3]
    assert not mask.is_hidden[:, :4].any()
    assert mask.is_scored[:, :4].all()


@pytest.mark.parametrize("prompt", PROMPTS)
def test_the_causal_prompt_alone_is_causal(prompt: str) -> None:
    mask = MaskSpec(blocks=(Block(CA1),), prompt=prompt).resolve(SESSION)
    assert mask.is_causal == (prompt == "causal")


def test_a_resolved_mask_cannot_be_changed() -> None:
    mask = MaskSpec(blocks=(Block(CA1),)).resolve(SESSION)
    for array in (mask.is_hidden, mask.is_scored):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = False


def test_a_resolved_mask_does_not_hold_the_callers_arrays() -> None:
    mask = MaskSpec(blocks=(Block(CA1),)).resolve(SESSION)
    writeable = np.array(mask.is_hidden)
    copy = dataclasses.replace(mask, is_hidden=writeable)
    writeable[:] = False
    assert copy.is_hidden.any()


@pytest.mark.parametrize(
    ("spec", "answer"),
    [
        (MaskSpec(), "hides nothing"),
        (MaskSpec(blocks=(Block(EVERY, invert=True),)), "hides nothing"),
        (MaskSpec(blocks=(Block(),)), "hides everything"),
        (MaskSpec(blocks=(Block(CA1), Block(CA1, invert=True))), "hides everything"),
        (MaskSpec(blocks=(Block(CA1),), scored=(Block(DG),)), "Nothing that is scored is hidden"),
        (MaskSpec(one_at_a_time=True), "Nothing that is scored is hidden"),
        (
            MaskSpec(blocks=(Block(CA1),), scored=(Block(bins=(0, 99)),)),
            "reach behind the last of the 10 bins",
        ),
    ],
)
def test_a_mask_that_cannot_be_is_refused(spec: MaskSpec, answer: str) -> None:
    with pytest.raises(MaskError, match=answer):
        spec.resolve(SESSION)


def test_intra_region_of_a_one_unit_region_hides_everything() -> None:
    session = make_session(n_units=3, regions=("CA1", "DG", "VISp"))
    with pytest.raises(MaskError, match="hides everything"):
        intra_region("CA1").resolve(session)


def test_a_unit_hidden_in_turn_may_leave_other_bins_to_read() -> None:
    one = UnitChoice.these([SESSION.unit_id[0]])
    rest = MaskSpec(blocks=(Block(one, invert=True),), scored=(Block(one),), one_at_a_time=True)
    with pytest.raises(MaskError, match="hides everything"):
        rest.resolve(SESSION)
    partly = dataclasses.replace(rest, blocks=(Block(one, (0, 5), invert=True),))
    assert partly.resolve(SESSION).scored_units.tolist() == [0]


def test_an_unknown_prompt_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match=r"no prompt 'neurons'\. Did you mean 'neuron'"):
        MaskSpec(prompt="neurons")


def test_rules_in_a_mask_get_training_rates() -> None:
    spec = MaskSpec(blocks=(Block(UnitChoice.by_rule("rate_hz > 9")),))
    assert spec.needs_rates
    assert not inter_region("CA1").needs_rates
    mask = spec.resolve(SESSION, np.arange(12.0))
    assert np.flatnonzero(mask.is_hidden.all(axis=0)).tolist() == [10, 11]


ONE = SESSION.unit_id[2]


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (inter_region("CA1"), "CA1 hidden: 4 of 12 units, inter-region prompt"),
        (co_smoothing(), "each of 12 units hidden in turn: 12 of 12 units, neuron prompt"),
        (
            intra_region("DG"),
            "all but DG hidden, each of 4 units hidden in turn: "
            "8 of 12 units, intra-region prompt",
        ),
        (
            forward_prediction(10, 0.2),
            "all units in bins 8 to 9 (80 to 100 ms) hidden: 2 of 10 bins, causal prompt",
        ),
        (
            MaskSpec(blocks=(Block(bins=(3, 4)),), prompt="none"),
            "all units in bin 3 (30 to 40 ms) hidden: 1 of 10 bins, no prompt",
        ),
        (
            MaskSpec(blocks=(Block(CA1), Block(DG, (0, 5)))),
            "CA1 and DG in bins 0 to 4 (0 to 50 ms) hidden: "
            "50 % of 12 units x 10 bins, neuron prompt",
        ),
        (
            MaskSpec(blocks=(Block(UnitChoice.these([ONE])),)),
            f"unit {ONE} hidden: 1 of 12 units, neuron prompt",
        ),
        (
            MaskSpec(blocks=(Block(UnitChoice.these(SESSION.unit_id[:3])), Block(DG))),
            "3 chosen units and DG hidden: 7 of 12 units, neuron prompt",
        ),
        (
            MaskSpec(blocks=(Block(UnitChoice.by_rule('region == "CA1"')),)),
            "units where region is CA1 hidden: 4 of 12 units, neuron prompt",
        ),
        (
            MaskSpec(blocks=(Block(CA1, invert=True),), scored=(Block(DG),)),
            "all but CA1 hidden, DG scored: 8 of 12 units, neuron prompt",
        ),
    ],
)
def test_a_mask_says_in_words_what_it_hides(spec: MaskSpec, words: str) -> None:
    assert spec.describe(SESSION) == words


ONLY_CA1 = MaskSpec(blocks=(Block(CA1, invert=True),), scored=(Block(DG),))
ONE_OF_DG = UnitChoice.these([str(SESSION.unit_id[5])])
SUBSETS = (*PAPER, "region_subset")
PART = MaskSpec(blocks=(Block(CA1, (0, 5)),))


@pytest.mark.parametrize(
    ("spec", "schemes", "reason"),
    [
        (co_smoothing(), PAPER, None),
        (co_smoothing(), ("neuron",), None),
        (
            co_smoothing(),
            ("inter_region",),
            "it is a mask of neuron, the model knows inter-region",
        ),
        (forward_prediction(10), PAPER, None),
        (forward_prediction(10).with_prompt("temporal"), ("temporal",), None),
        (forward_prediction(10), ("neuron",), "it is a mask of causal or temporal"),
        (inter_region("CA1"), PAPER, None),
        (inter_region("CA1").with_prompt("neuron"), PAPER, None),
        (
            inter_region("CA1").with_prompt("causal"),
            PAPER,
            "goes with the prompt|prompt inter-reg",
        ),
        (inter_region("CA1").with_prompt("none"), ("neuron",), None),
        (inter_region("CA1").with_prompt("none"), PAPER, "not none"),
        (intra_region("CA1"), PAPER, None),
        (intra_region("CA1"), ("neuron",), "it is a mask of intra-region"),
        (MaskSpec(blocks=(Block(CA1), Block(DG))), PAPER, "it is a mask of region-subset"),
        (ONLY_CA1, PAPER, "it is a mask of region-subset"),
        (ONLY_CA1, SUBSETS, "goes the prompt inter-region, not neuron"),
        (ONLY_CA1.with_prompt("inter_region"), SUBSETS, None),
        (inter_region("CA1"), ("region_subset",), None),
        (ONLY_CA1.with_prompt("inter_region"), ("inter_region",), "it is a mask of region-subset"),
        (MaskSpec(blocks=(Block(CA1), Block(ONE_OF_DG))), ("region_subset",), "a mask of neuron"),
        (PART, PAPER, "no training scheme"),
    ],
)
def test_a_mask_unlike_any_trained_one_says_so(
    spec: MaskSpec, schemes: tuple[str, ...], reason: str | None
) -> None:
    said = spec.untrained_reason(SESSION, schemes)  # type: ignore[arg-type]
    assert spec.is_trained_for(schemes, SESSION) == (reason is None)  # type: ignore[arg-type]
    if reason is None:
        assert said is None
    else:
        assert said is not None
        assert said.startswith("not trained for this: ")
        assert any(part in said for part in reason.split("|"))


def test_a_hidden_unnamed_region_is_no_inter_region_mask() -> None:
    session = make_session(n_units=12, regions=("CA1", "DG", "void"))
    spec = inter_region("void")
    assert spec.untrained_reason(session, ("inter_region",)) is not None
    assert spec.with_prompt("neuron").untrained_reason(session, ("neuron",)) is None


@pytest.mark.parametrize(
    ("spec", "schemes", "prompt"),
    [
        (MaskSpec(blocks=(Block(CA1),)), PAPER, "inter_region"),
        (MaskSpec(blocks=(Block(bins=(8, 10)),), prompt="causal"), PAPER, "causal"),
        (MaskSpec(blocks=(Block(bins=(8, 10)),)), PAPER, "causal"),
        (MaskSpec(blocks=(Block(bins=(8, 10)),)), ("temporal",), "temporal"),
        (intra_region("DG").with_prompt("none"), PAPER, "intra_region"),
        (PART, PAPER, "neuron"),
        (ONLY_CA1, SUBSETS, "inter_region"),
        (ONLY_CA1, PAPER, "neuron"),
        (PART, ("temporal",), "temporal"),
        (co_smoothing(), ("temporal", "causal"), "temporal"),
        (co_smoothing(), ("coordinated_dropout",), "none"),
    ],
)
def test_the_best_prompt_is_that_of_the_most_alike_trained_scheme(
    spec: MaskSpec, schemes: tuple[str, ...], prompt: str
) -> None:
    assert best_prompt(spec, SESSION, schemes) == prompt  # type: ignore[arg-type]


CHOICES = st.one_of(
    st.just(EVERY),
    st.text(max_size=5).map(UnitChoice.of_region),
    st.lists(st.text(max_size=5), min_size=1, max_size=3).map(UnitChoice.these),
    st.sampled_from(["good", 'region == "CA1"', "rate_hz > 2"]).map(UnitChoice.by_rule),
)
BINS = st.none() | st.tuples(st.integers(0, 50), st.integers(51, 99))
BLOCKS = st.lists(st.builds(Block, CHOICES, BINS, st.booleans()), max_size=3).map(tuple)
SPECS = st.builds(MaskSpec, BLOCKS, st.none() | BLOCKS, st.booleans(), st.sampled_from(PROMPTS))


@settings(deadline=None)
@given(SPECS)
def test_json_gives_an_equal_mask_back(spec: MaskSpec) -> None:
    text = spec.to_json()
    back = MaskSpec.from_json(text)
    assert back == spec
    assert hash(back) == hash(spec)
    assert back.to_json() == text


def plain() -> dict[str, object]:
    value: dict[str, object] = json.loads(inter_region("CA1").to_json())
    return value


@pytest.mark.parametrize(
    ("change", "answer"),
    [
        ({"schema": "other"}, "not a mask of a version known here"),
        ({"version": 2}, "version '2'"),
        ({"version": True}, "version 'True'"),
        ({"prompt": 3}, "'prompt' must be text"),
        ({"prompt": "x"}, "no prompt 'x'"),
        ({"one_at_a_time": 1}, "'one_at_a_time' true or false"),
        ({"blocks": {}}, "blocks are not a list"),
        ({"blocks": [3]}, "a block is not an object"),
        ({"scored": 3}, "blocks are not a list"),
        ({"extra": 1}, "the mask has an unknown field 'extra'"),
        ({"blocks": [{"units": {"all": True}, "bin": 1}]}, "unknown field 'bin'"),
        ({"blocks": [{"units": {"all": True}, "invert": 1}]}, "'invert' must be true or false"),
        ({"blocks": [{}]}, "a choice of units is not an object"),
        ({"blocks": [{"units": {}}]}, "one of all, ids, region, rule"),
        ({"blocks": [{"units": {"all": False}}]}, "'all' does not choose units so"),
        ({"blocks": [{"units": {"ids": "a"}}]}, "'ids' does not choose units so"),
        ({"blocks": [{"units": {"region": 1}}]}, "'region' does not choose units so"),
        ({"blocks": [{"units": {"rule": "import os"}}]}, "This is not a rule"),
        ({"blocks": [{"units": {"all": True}, "bins": [1]}]}, "'bins' must be null"),
        ({"blocks": [{"units": {"all": True}, "bins": [True, 3]}]}, "'bins' must be null"),
        ({"blocks": [{"units": {"all": True}, "bins": [3, 1]}]}, "no range"),
    ],
)
def test_json_that_is_no_mask_is_refused(change: dict[str, object], answer: str) -> None:
    with pytest.raises(MtmError, match=answer):
        mask_json.from_dict({**plain(), **change})


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", '"x"', "[" * 100_000, "{}"])
def test_text_that_is_no_mask_is_refused(text: str) -> None:
    with pytest.raises(MaskError, match="not a mask"):
        MaskSpec.from_json(text)


def test_a_text_of_absurd_length_is_not_even_read() -> None:
    with pytest.raises(MaskError, match="too long"):
        MaskSpec.from_json(" " * (mask_json.MAX_LENGTH + 1))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@settings(deadline=None)
@given(JSON, st.sampled_from(["blocks", "scored", "prompt", "one_at_a_time", "version"]))
def test_any_json_in_any_field_is_a_mask_or_a_clear_error(value: object, field: str) -> None:
    with contextlib.suppress(MtmError):  # and no other error
        assert isinstance(mask_json.from_dict({**plain(), field: value}), MaskSpec)
