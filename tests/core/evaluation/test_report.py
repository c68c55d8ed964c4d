from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from mtm_core.cli.output import json_text
from mtm_core.config import TrainConfig
from mtm_core.data.session import Session
from mtm_core.errors import DataError, MismatchError, UnknownNameError
from mtm_core.evaluation.report import Report, evaluate
from mtm_core.evaluation.tasks import n_passes, predict_task, set_exam
from mtm_core.inference import Reconstructor
from mtm_core.masking.tasks import TASKS, plan_task
from mtm_core.models.baselines_all import BASELINE_NAMES
from mtm_core.models.checkpoint import Checkpoint, split_part
from tests.core.checkpoints import SMALL_MODEL, make_checkpoint
from tests.core.sessions import make_session

TASK_KEYS = {
    "bps_pooled",
    "bps_unit_mean",
    "bps_beyond_psth",
    "interval",
    "d2",
    "n_units",
    "n_spikes",
    "null",
    "per_region",
}


@pytest.fixture(scope="module")
def session() -> Session:
    return make_session(n_trials=60)


@pytest.fixture(scope="module")
def checkpoint(session) -> Checkpoint:
    return make_checkpoint(session, noise=0.05)


@pytest.fixture(scope="module")
def report(checkpoint, session) -> Report:
    return evaluate(checkpoint, session, baselines=True)


@pytest.fixture(scope="module")
def values(report) -> dict:
    return json.loads(json_text(report.to_dict()))


def test_the_report_has_the_promised_shape(values, session):
    assert values["session"] == session.session_id
    assert values["split"] == "test"
    assert values["checkpoint"] == "untrained.safetensors"
    assert set(values["tasks"]) == set(TASKS)
    assert set(values["baselines"]) == set(BASELINE_NAMES)
    for by_task in (values["tasks"], *values["baselines"].values()):
        for scores in by_task.values():
            assert scores.keys() >= TASK_KEYS
            assert scores["null"] == "train_mean"
            assert len(scores["interval"]) == 2


def test_every_number_travels_with_its_choices(values, session):
    assert "silent units included" in values["pooling"]
    assert values["n_trials"] == 12
    assert values["split_kind"] == "random"
    assert {"seed", "split_seed", "train_seed", "intervals", "shuffle_control"} <= values.keys()
    assert values["tasks"]["forward_prediction"]["horizon_ms"] == 10
    per_unit = values["tasks"]["co_smoothing"]["per_unit"]
    assert per_unit["unit_id"] == session.unit_id.tolist()
    assert all(len(column) == 24 for column in per_unit.values())


def test_baselines_are_scored_on_the_tasks_they_can_do(values):
    forward = {"psth_trailing", "psth_trailing_shrunk", "past_regression"}
    for name, by_task in values["baselines"].items():
        if name in forward:
            assert set(by_task) == {"forward_prediction"}
        elif name == "poisson_regression":
            assert set(by_task) == set(TASKS) - {"forward_prediction"}
        else:
            assert set(by_task) == set(TASKS)
    assert all(s["bps_pooled"] == 0 for s in values["baselines"]["mean_rate"].values())


def test_differences_are_those_of_the_pooled_scores(values):
    for task, scores in values["tasks"].items():
        for name, difference in scores["minus_baselines"].items():
            rival = values["baselines"][name][task]["bps_pooled"]
            assert difference["bps_pooled"] == pytest.approx(scores["bps_pooled"] - rival)


def test_model_and_baselines_are_judged_on_the_same_entries(values):
    for by_task in values["baselines"].values():
        for task, scores in by_task.items():
            for key in ("n_spikes", "n_units"):
                assert scores[key] == values["tasks"][task][key]


def test_the_shuffle_control_differs_from_the_model(values):
    for scores in values["tasks"].values():
        assert scores["shuffle"]["bps_pooled"] != scores["bps_pooled"]
        assert scores["shuffle"]["n_spikes"] == scores["n_spikes"]


def test_the_same_seed_gives_the_same_report(checkpoint, session, values):
    again = evaluate(checkpoint, session, ["co_smoothing"]).to_dict()
    found = json.loads(json_text(again))["tasks"]["co_smoothing"]
    expected = dict(values["tasks"]["co_smoothing"])
    del expected["minus_baselines"]
    assert found == expected


@pytest.mark.parametrize("task", TASKS)
def test_each_scored_entry_is_predicted_under_its_own_mask(checkpoint, session, task):
    bound = Reconstructor(checkpoint, session)
    plan = plan_task(task, session)
    trials = np.array([3, 8])
    told = []
    log_rate = predict_task(bound, plan, trials, on_progress=told.append)
    for spec in plan.specs:
        answer = bound.complete(spec, trials)
        is_scored = answer.mask.is_scored
        np.testing.assert_array_equal(log_rate[:, is_scored], answer.log_rate[:, is_scored])
    assert (log_rate[:, ~plan.is_scored] == 0).all()
    exam = set_exam(
        session, train=np.arange(3), val=np.arange(3, 5), trials=trials, tasks=[task], n_samples=2
    )
    assert sum(told) == n_passes(exam, bound)


def test_other_splits_can_be_scored(checkpoint, session):
    found = evaluate(checkpoint, session, ["forward_prediction"], "val", shuffle=False)
    rows = split_part(checkpoint.manifest, session, "val")
    overall = found.tasks["forward_prediction"].overall
    assert overall.n_spikes == session.counts[rows, 9:].sum()
    assert "shuffle" not in found.to_dict()["tasks"]["forward_prediction"]
    assert found.to_dict()["baselines"] == {}


def test_progress_is_told_to_the_end(checkpoint, session):
    told = []
    evaluate(
        checkpoint,
        session,
        ["inter_region"],
        baselines=True,
        on_step=lambda *step: told.append(step),
    )
    last = {what: (done, total) for what, done, total in told}
    assert list(last) == ["Model", "Shuffle control", "Baselines"]
    assert all(done == total for done, total in last.values())


def test_a_session_without_regions_leaves_out_the_region_tasks():
    session = make_session(n_trials=40, n_units=8, regions=())
    found = evaluate(make_checkpoint(session), session, shuffle=False).to_dict()
    assert set(found["tasks"]) == {"co_smoothing", "forward_prediction"}
    assert set(found["not_scored"]) == {"intra_region", "inter_region"}


def test_small_regions_are_named_as_skipped():
    session = make_session(n_trials=40, n_units=12, regions=("CA1", "CA1", "DG", "void"))
    found = evaluate(make_checkpoint(session), session, ["inter_region"], shuffle=False)
    skipped = found.to_dict()["tasks"]["inter_region"]["regions_skipped"]
    assert set(skipped) == {"DG", "void"}


def test_missing_units_are_refused_or_left_unscored(checkpoint, session):
    fewer = session.take_units(np.arange(2, 24))
    with pytest.raises(MismatchError):
        evaluate(checkpoint, fewer, ["co_smoothing"])
    found = evaluate(checkpoint, fewer, ["co_smoothing", "inter_region"], allow_overlap=True)
    assert found.tasks["co_smoothing"].overall.n_units == 22
    assert found.tasks["inter_region"].overall.n_units == 22


def test_an_unknown_task_names_the_nearest(checkpoint, session):
    with pytest.raises(UnknownNameError, match="co_smoothing"):
        evaluate(checkpoint, session, ["co_smothing"])


def test_a_single_trial_has_no_shuffle_control(checkpoint, session):
    rows = [split_part(checkpoint.manifest, session, part) for part in ("train", "val", "test")]
    few = session.take_trials(np.r_[rows[0], rows[1], rows[2][:1]])
    with pytest.raises(DataError, match="two trials"):
        evaluate(checkpoint, few, ["forward_prediction"])
    found = evaluate(checkpoint, few, ["forward_prediction"], shuffle=False)
    assert found.tasks["forward_prediction"].overall.n_units == 24


def test_a_prompt_can_be_forced_on_every_task_and_the_report_says_so(checkpoint, session, report):
    tasks = ["co_smoothing", "forward_prediction", "inter_region"]
    forced = evaluate(checkpoint, session, tasks, shuffle=False, prompt="neuron")
    own = {name: report.tasks[name].overall.bps_pooled for name in tasks}
    found = {name: forced.tasks[name].overall.bps_pooled for name in tasks}
    assert found["co_smoothing"] == pytest.approx(own["co_smoothing"], abs=1e-6)
    assert abs(found["forward_prediction"] - own["forward_prediction"]) > 1e-4
    assert abs(found["inter_region"] - own["inter_region"]) > 1e-4
    assert forced.to_dict()["prompt"] == "neuron"
    assert report.to_dict()["prompt"] == "of each task"


@pytest.mark.parametrize("read_in", ["linear", "components"])
def test_a_model_without_prompts_scores_the_same_under_every_prompt(session, read_in):
    """So that attention follows the task and not the prompt: causal stays, and stays out."""
    config = TrainConfig(model=replace(SMALL_MODEL, prompt="none", read_in=read_in))
    bare = make_checkpoint(session, config)
    found = [
        evaluate(bare, session, shuffle=False, prompt=prompt).to_dict()["tasks"]
        for prompt in (None, "neuron", "causal")
    ]
    for name in TASKS:
        scores = [values[name]["bps_pooled"] for values in found]
        assert scores[1:] == pytest.approx(scores[:1] * 2, abs=1e-7)


def test_an_unknown_prompt_names_the_nearest(checkpoint, session):
    with pytest.raises(UnknownNameError, match="Did you mean 'neuron'"):
        evaluate(checkpoint, session, ["co_smoothing"], prompt="neurn")
