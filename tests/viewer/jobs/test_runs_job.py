"""Looking through runs that were made before."""

from __future__ import annotations

import itertools
from dataclasses import replace
from types import SimpleNamespace

import pytest

from mtm_core.training.crossfit import cross_fit
from mtm_core.training.events import StepDone
from mtm_core.training.run_folder import RunFolder
from mtm_viewer.jobs import runs_job
from mtm_viewer.jobs.process import train_words
from mtm_viewer.jobs.run_order import FILE, read_order, write_order
from mtm_viewer.jobs.runs_job import CurveRequest, RunsRequest, curve_work, runs_work
from tests.core.sessions import make_session
from tests.core.training.runs import run_all, run_until, tiny_config
from tests.viewer.jobs.fake_training import make_order


def look(root):
    (found,) = runs_work(RunsRequest(root=root), lambda: False)
    return found


def test_each_run_is_listed_with_its_state_and_scores(tmp_path):
    run_all(tiny_config(), tmp_path / "done")
    run_until(tiny_config(), tmp_path / "half", 3, StepDone)
    write_order(tmp_path / "done", make_order().began(2**22 - 1))
    write_order(tmp_path / "half", replace(make_order(), pid=2**22 - 1, stopped="paused"))
    write_order(tmp_path / "new", make_order())
    write_order(tmp_path / "gone", replace(make_order(), pid=2**22 - 1))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / FILE).write_text("{")
    found = look(tmp_path)
    runs = {run.folder.name: run for run in found.runs}
    assert {name: run.state for name, run in runs.items()} == {
        "done": "finished",
        "half": "paused",
        "new": "new",
        "gone": "interrupted",
    }
    assert (runs["half"].step, runs["half"].n_steps) == (3, 6)
    assert runs["done"].scores[0][0] == "mean"
    assert runs["done"].has_model
    assert not runs["new"].has_model
    assert runs["done"].session_ids == ("simulated-0",)
    record = RunFolder(tmp_path / "done").read_record()
    assert runs["done"].backend == record.backend.describe()
    assert runs["new"].backend == ""
    assert found.speed.n_runs == 1
    assert found.speed.factor > 0


def test_without_finished_runs_the_speed_is_measured(tmp_path):
    speed = look(tmp_path).speed
    assert speed.n_runs == 0
    assert 0.1 < speed.factor < 100


@pytest.mark.parametrize(("load", "times"), [(0.0, 1.0), (5.0, 3.0)])
def test_what_other_programs_take_counts_once_for_the_speed(monkeypatch, load, times):
    interrupted, whole = 10 * runs_job._REFERENCE_S, runs_job._REFERENCE_S
    took = [interrupted, interrupted, whole] * runs_job._REPEATS
    clock = itertools.accumulate(part for each in took for part in (1.0, each))
    monkeypatch.setattr(runs_job, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    monkeypatch.setattr(runs_job.psutil, "getloadavg", lambda: (load, 0.0, 0.0))
    monkeypatch.setattr(runs_job.psutil, "cpu_count", lambda: 2)
    assert runs_job._measured.__wrapped__() == pytest.approx(times)


def test_curves_are_read_from_the_events(tmp_path):
    run_all(tiny_config(), tmp_path)
    (read,) = curve_work(CurveRequest(folder=tmp_path), lambda: False)
    shown = read.curve.drawable()
    assert shown.step.tolist() == [1, 2, 3, 4, 5, 6]
    assert shown.validation["mean"][0].tolist() == [0, 2, 4, 6]
    assert read.curve.finished.bps == shown.best_bps


def test_a_cross_fit_is_one_run_of_many_models(tmp_path):
    folder = tmp_path / "folds"
    config = tiny_config(data__folds="2", optim__steps="4")
    list(cross_fit(config, make_session, folder))
    order = replace(make_order(), folds=2).began(2**22 - 1)
    write_order(folder, order)
    found = look(tmp_path)
    (run,) = found.runs
    assert (run.state, run.step, run.n_steps) == ("finished", 8, 8)
    assert run.backend.startswith("cpu, ")
    assert found.speed.n_runs == 0  # as many models say nothing about the speed of one
    assert read_order(folder) == order
    assert "2 folds" in order.title
    words = train_words(folder, order)
    assert words[words.index("--cross-fit") + 1] == "2"
    assert "--cross-fit" not in train_words(folder, make_order())
