"""An experiment survives being written; what is no experiment is refused in a sentence."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mtm_core.errors import ExperimentError
from mtm_core.evaluation.mask_scores import PredictorScore, SingleUnitScore
from mtm_core.experiment.record import (
    Experiment,
    ModelRef,
    Numbers,
    SessionRef,
    TrialsRef,
    UnitNumbers,
)
from mtm_core.experiment.record_json import MAX_BYTES, from_json, to_dict, to_json
from mtm_core.masking import tasks
from mtm_core.models.backend import Backend

SCORE = PredictorScore(
    name="MtM",
    bps_beyond_psth=0.1 + 0.2,
    interval=(-1e-17, 0.5),
    bps_pooled=None,
    bps_unit_mean=1 / 3,
    n_units=3,
    n_spikes=12,
)
UNIT = UnitNumbers(
    unit_id="mäuse/1",
    score=SingleUnitScore(bps_beyond_psth=None, interval=None, n_spikes=0),
)
EXPERIMENT = Experiment(
    session=SessionRef(session_id="s", content_hash="a" * 64, path="~/实验.h5", is_simulated=True),
    model=ModelRef(name="MtM (x)", digest="b" * 64, path="x.safetensors"),
    baseline=None,
    mask=tasks.intra_region("CA1"),
    trials=TrialsRef(rows=(0, 3, 4), split="train", kind="training"),
    backend=Backend(
        device="cpu", threads=2, matmul="onednn", processor="p", torch_version="2", fused_from=3
    ),
    versions={"mtm_core": "0.1.0"},
    numbers=Numbers(predictors=(SCORE,), unit=UNIT),
    view={"recipe": "intra_region", "raster": {"levels": [1, [2.5, None]]}},
    seed=7,
    title="[\n1, 2]",
)


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("has_mask", [True, False])
def test_what_was_written_is_read_again_to_the_last_digit(indent, has_mask):
    experiment = EXPERIMENT if has_mask else replace(EXPERIMENT, mask=None, model=None)
    text = to_json(experiment, indent=indent)
    assert text.isascii()
    assert to_dict(from_json(text)) == to_dict(experiment)
    assert from_json(text).numbers == EXPERIMENT.numbers
    assert from_json(text).backend == EXPERIMENT.backend


def test_rows_of_trials_stand_on_one_line():
    assert '"rows": [0, 3, 4]' in to_json(EXPERIMENT)


def put(path: str, value: object):
    def change(record: dict) -> None:
        *above, last = path.split("/")
        for name in above:
            record = record[int(name) if name.isdigit() else name]
        record[int(last) if last.isdigit() else last] = value

    return change


DEEP: list = []
for _ in range(10):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (put("schema", "mtm-mask"), "its schema is not 'mtm-experiment'"),
        (put("version", 2), "of version 2, and this program knows version 1"),
        (put("version", True), "of version True"),
        (put("extra", 1), "the file has an unknown field 'extra'"),
        (put("session", []), "session must be an object"),
        (put("session/content_hash", "abc"), "'content_hash' of session must be a SHA-256"),
        (put("session/path", "a\0b"), "'path' of session must be text"),
        (put("session/is_simulated", 1), "'is_simulated' of session must be true or false"),
        (put("model/digest", None), "'digest' of model must be a SHA-256"),
        (put("mask/version", 9), "its mask cannot be read"),
        (put("mask/prompt", "neuronn"), "its mask cannot be read"),
        (put("trials/rows", []), "'rows' of trials must be a list of 1 to"),
        (put("trials/rows", [1.0]), "'rows' of trials must hold rows"),
        (put("trials/rows", [2, 1]), "in growing order"),
        (put("trials/split", "tset"), "'split' of trials must be one of test, val, train, all"),
        (put("view", "big"), "'view' of the file must be an object"),
        (put("view", {"a": DEEP}), "'view' of the file must be an object"),
        (put("view", {"a": list(range(3000))}), "at most 2000 plain values"),
        (put("view", {"a" * 300: 1}), "'view' of the file must be an object"),
        (put("seed", -1), "'seed' of the file must be a whole number"),
        (put("backend/matmul", "magic"), "unknown route of products"),
        (put("backend/threads", 0), "'threads' of backend must be a whole number from 1"),
        (put("versions", {"a": 1}), "'versions' of the file must be short texts"),
        (put("numbers/predictors", 3), "'predictors' of numbers must be a list"),
        (put("numbers/predictors/0", {}), "'n_units' of a predictor must be a whole number"),
        (put("numbers/predictors/0/interval", [1.0]), "must be two numbers or null"),
        (put("numbers/predictors/0/bps_pooled", "1"), "must be a number or null"),
        (put("numbers/unit/n_spikes", 1.5), "'n_spikes' of the unit must be a whole number"),
    ],
)
def test_whatever_is_wrong_is_named(change, told):
    record = json.loads(to_json(EXPERIMENT))
    change(record)
    with pytest.raises(ExperimentError) as caught:
        from_json(json.dumps(record))
    assert told in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[" * 100_000, "[1]", '{"schema": NaN}', "\ud800", '{"seed": 1' + "0" * 5000 + "}"],
)
def test_what_is_no_json_is_refused(text):
    with pytest.raises(ExperimentError, match="not an experiment that can be read"):
        from_json(text)


def test_a_huge_text_is_refused_unread():
    with pytest.raises(ExperimentError, match="more than the 8000000 that may be"):
        from_json(" " * (MAX_BYTES + 1))
