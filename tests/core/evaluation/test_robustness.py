from __future__ import annotations

import json

import numpy as np
import pytest

from mtm_core.cli.output import json_text
from mtm_core.errors import ConfigError, DataError
from mtm_core.evaluation.report import evaluate
from mtm_core.evaluation.robustness import RobustnessSettings, evaluate_robustness
from tests.core.checkpoints import make_checkpoint
from tests.core.sessions import make_session

LEVELS = {"dropped": (0.9, 0.5), "added": (1.0,), "thinned": (0.5,)}
SETTINGS = RobustnessSettings(levels=LEVELS, n_draws=2, n_units=0)


@pytest.fixture(scope="module")
def session():
    return make_session(n_trials=60)


@pytest.fixture(scope="module")
def checkpoint(session):
    return make_checkpoint(session, noise=0.05)


@pytest.fixture(scope="module")
def report(checkpoint, session):
    return evaluate_robustness(checkpoint, session, settings=SETTINGS)


def test_the_undamaged_scores_are_those_of_evaluate(report, checkpoint, session):
    plain = evaluate(checkpoint, session, list(report.tasks), shuffle=False)
    for name, task in report.tasks.items():
        expected = plain.tasks[name].overall
        for points in task.curves.values():
            assert points[0].level == 0
            intact = points[0].mean
            assert intact.bps_pooled == pytest.approx(expected.bps_pooled, abs=1e-9)
            assert intact.bps_unit_mean == pytest.approx(expected.bps_unit_mean, abs=1e-9)
            assert intact.bps_beyond_psth == pytest.approx(expected.bps_beyond_psth, abs=1e-9)
            assert intact.interval == pytest.approx(expected.interval, abs=1e-9)
            assert intact.d2 == pytest.approx(expected.d2, abs=1e-9)
        assert task.n_spikes == expected.n_spikes
        assert task.psth.bps_beyond_psth == 0


def test_every_level_has_its_draws_and_they_differ(report):
    for task in report.tasks.values():
        assert [p.level for p in task.curves["dropped"]] == [0, 0.5, 0.9]
        for points in task.curves.values():
            for point in points[1:]:
                assert len(set(point.draws)) == 2
                assert point.mean.bps_pooled == pytest.approx(np.mean(point.draws), abs=1e-9)
                low, high = point.mean.interval
                assert low < point.mean.bps_pooled < high
                assert point.mean.interval_unit_mean[0] < point.mean.interval_unit_mean[1]
            assert points[-1].mean.bps_pooled != points[0].mean.bps_pooled


def test_the_report_is_json_with_its_choices(report, session):
    values = json.loads(json_text(report.to_dict()))
    assert values["session"] == session.session_id
    assert values["n_draws"] == 2
    assert set(values["damages"]) == set(LEVELS)
    assert values["tasks"]["inter_region"]["curves"]["dropped"][1]["mean"]["bps_pooled"]


def test_the_same_seed_gives_the_same_numbers(report, checkpoint, session):
    again = evaluate_robustness(checkpoint, session, ["inter_region"], SETTINGS)
    assert again.tasks["inter_region"] == report.tasks["inter_region"]


@pytest.mark.parametrize("task", ["co_smoothing", "intra_region"])
def test_a_sample_of_units_is_scored_and_said(checkpoint, session, task):
    settings = RobustnessSettings(levels={"dropped": (0.5,)}, n_draws=1, n_units=7)
    told = []
    found = evaluate_robustness(
        checkpoint, session, [task], settings, on_step=lambda *step: told.append(step)
    )
    assert (found.tasks[task].n_units, found.tasks[task].n_units_all) == (7, 24)
    assert list(found.tasks[task].curves) == ["dropped"]
    assert told[-1] == (task, 2, 2)


def test_forward_prediction_can_be_damaged_too(checkpoint, session):
    settings = RobustnessSettings(levels=LEVELS, n_draws=1)
    found = evaluate_robustness(checkpoint, session, ["forward_prediction"], settings)
    assert found.tasks["forward_prediction"].n_units == 24


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"n_draws": 0}, "--draws is 0"),
        ({"n_units": -1}, "--units is -1"),
        ({"levels": {"dropped": (1.0,)}}, "--dropped must be above 0 and at most 0.99"),
        ({"levels": {"added": (-1.0,)}}, "--added must be above 0 and at most 100"),
    ],
)
def test_settings_out_of_range_name_their_flag(wrong, said):
    with pytest.raises(ConfigError, match=said):
        RobustnessSettings(**wrong)


def test_a_session_without_regions_has_no_inter_region_curve():
    session = make_session(n_trials=40, n_units=8, regions=())
    with pytest.raises(DataError, match="inter_region: no region of at least 5 units"):
        evaluate_robustness(make_checkpoint(session), session, ["inter_region"])
