"""What was compared survives being written; what makes no sense is refused in a sentence."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mtm_core.errors import ExperimentError
from mtm_core.evaluation.contrast import ContrastScore
from mtm_core.evaluation.opponents import Opponent
from mtm_core.evaluation.paired_change import ChangeScore
from mtm_core.experiment.caption import compared_lines
from mtm_core.experiment.comparison import compare
from mtm_core.experiment.record import ModelRef, Numbers, OpponentRef
from mtm_core.experiment.record_json import from_json, to_dict, to_json
from tests.core.experiment.test_record_json import EXPERIMENT

CHANGE = ChangeScore(
    name="MtM (a)",
    other="MtM (b)",
    bps=0.3,
    other_bps=0.1 + 0.1,
    change=1 / 3,
    interval=(-0.1, 0.2),
    n_units=4,
    n_spikes=50,
    n_trials=12,
    n_judged=2,
    n_above=1,
    n_below=0,
)
CONTRAST = ContrastScore(
    field="choice",
    names=("left chosen", "right chosen"),
    n_first=6,
    n_second=7,
    n_units=4,
    correlation=0.25,
    interval=None,
    ceiling=0.5,
    share=None,
)
OTHER = ModelRef(name="MtM (b)", digest="c" * 64, path="b.safetensors")
COMPARED = replace(
    EXPERIMENT,
    opponent=OpponentRef(opponent=Opponent(kind="model"), model=OTHER),
    contrast="choice",
    numbers=replace(EXPERIMENT.numbers, change=CHANGE, contrast=CONTRAST),
)


@pytest.mark.parametrize(
    "opponent",
    [
        COMPARED.opponent,
        OpponentRef(opponent=Opponent(kind="prompt", prompt="none")),
        OpponentRef(opponent=Opponent(kind="poisson_regression")),
    ],
    ids=["model", "prompt", "baseline"],
)
def test_what_was_compared_is_read_again_to_the_last_digit(opponent):
    experiment = replace(COMPARED, opponent=opponent)
    again = from_json(to_json(experiment))
    assert to_dict(again) == to_dict(experiment)
    assert again.numbers == experiment.numbers
    assert (again.opponent, again.contrast) == (opponent, "choice")


def test_versions_without_comparisons_can_read_what_compares_nothing():
    record = to_dict(EXPERIMENT)
    assert not {"opponent", "contrast"} & set(record)
    assert not {"change", "contrast"} & set(record["numbers"])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda r: r["opponent"].update(kind="oracle"), "its opponent cannot be read"),
        (lambda r: r["opponent"].update(model=None), "a model too many or too few"),
        (lambda r: r["opponent"].update(kind="psth"), "a model too many or too few"),
        (lambda r: r["opponent"].update(strength=3), "unknown field 'strength'"),
        (lambda r: r.update(contrast="mood"), "'contrast' must be one of choice"),
        (lambda r: r["numbers"]["contrast"].update(names=["one"]), "must be two texts"),
        (lambda r: r["numbers"]["change"].update(n_units=-1), "'n_units' of the change"),
        (lambda r: r["numbers"]["change"].update(change="much"), "'change' of the change"),
    ],
)
def test_what_makes_no_sense_is_refused(change, told):
    record = to_dict(COMPARED)
    change(record)
    with pytest.raises(ExperimentError, match=told):
        from_json(json.dumps(record))


def test_every_number_of_a_comparison_is_compared():
    pairs = compare(COMPARED.numbers, COMPARED.numbers)
    assert all(pair.difference in (0, None) for pair in pairs)
    who = {pair.who for pair in pairs}
    assert {"MtM (a) against MtM (b)", "left chosen against right chosen"} <= who
    gone = compare(COMPARED.numbers, EXPERIMENT.numbers)
    assert [p.what for p in gone if not p.is_within(1.0)][:3] == ["bps", "other_bps", "change"]


def test_captions_say_what_was_compared():
    lines = compared_lines(COMPARED.numbers)
    assert lines[0].startswith("MtM (a) and MtM (b) are not shown to differ")
    assert "no independent samples" in lines[2]
    assert lines[3].startswith("Under this mask, left chosen")
    assert compared_lines(Numbers()) == []
