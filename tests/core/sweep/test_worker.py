from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mtm_core import config_io
from mtm_core.cli.__main__ import main
from mtm_core.data.session_file import read_session, write_session
from mtm_core.data.splits import split_trials
from mtm_core.errors import OutputError, TrainingError
from mtm_core.evaluation.report import evaluate
from mtm_core.models.checkpoint import load_checkpoint
from mtm_core.sweep import trial as trial_module
from mtm_core.sweep.journal import Journal
from mtm_core.sweep.worker import sweep
from tests.core.sessions import make_session
from tests.core.sweep.specs import make_spec, write_spec

ROOT = Path(__file__).parents[3]


def run_sweep(spec, folder, out="out"):
    return list(sweep(spec, folder / out, [folder / "small.h5"], 1))


def table(folder, out="out"):
    return json.loads((folder / out / "table.json").read_text(encoding="utf-8"))


def scores(folder, out="out"):
    return {t["number"]: (t["values"], t["score"]) for t in table(folder, out)["trials"]}


def test_a_sweep_trains_judges_and_writes_the_best_preset(tmp_path):
    spec = make_spec(tmp_path, 'trials = 3\nname = "mine"')
    steps = run_sweep(spec, tmp_path)
    assert (steps[0].n_done, steps[-1].n_done, steps[-1].n_trials) == (0, 3, 3)
    assert steps[-1].seconds_left == 0
    found = table(tmp_path)
    best = found["trials"][0]
    assert best["number"] == found["best"] == steps[-1].best.number
    assert best["score"] == max(t["score"] for t in found["trials"])
    assert next(t for t in found["trials"] if t["number"] == 0)["values"] == spec.start()
    config = config_io.load_preset(str(tmp_path / "out" / "best.toml"))
    assert config == spec.config(best["values"])
    rows = list(csv.DictReader((tmp_path / "out" / "table.csv").read_text().splitlines()))
    assert [float(row["score"]) for row in rows] == [t["score"] for t in found["trials"]]
    text = (tmp_path / "out" / "table.md").read_text(encoding="utf-8")
    assert f"| 1 | {best['number']} | {best['score']:.4g} |" in text
    assert "Test trials were not looked at" in text


def test_the_score_of_a_trial_is_that_of_its_training_run(tmp_path):
    run_sweep(make_spec(tmp_path, "trials = 1\nseeds = [3, 4]"), tmp_path)
    (only,) = table(tmp_path)["trials"]
    assert list(only["runs"]) == ["small.seed3", "small.seed4"]
    for name, score in only["runs"].items():
        folder = tmp_path / "out" / "trials" / "0000" / name
        assert not list(folder.glob("state-*"))
        manifest = load_checkpoint(folder / "model.safetensors", "cpu").manifest
        assert manifest.config.run.seed == int(name[-1])
        assert manifest.scores["mean"] == score
    assert only["score"] == np.mean(list(only["runs"].values()))


def test_the_four_tasks_are_judged_on_validation_trials(tmp_path):
    tasks = '"co_smoothing", "inter_region"'
    spec = make_spec(tmp_path, f'trials = 1\njudge = "tasks"\ntasks = [{tasks}]')
    run_sweep(spec, tmp_path)
    (only,) = table(tmp_path)["trials"]
    session = read_session(tmp_path / "small.h5")
    run = tmp_path / "out" / "trials" / "0000" / "small.seed0"
    checkpoint = load_checkpoint(run / "model.safetensors", "cpu", session.session_id)
    report = evaluate(checkpoint, session, spec.sweep.tasks, "val", shuffle=False)
    wanted = [report.tasks[task].overall.bps_pooled for task in spec.sweep.tasks]
    assert only["score"] == pytest.approx(np.mean(wanted), abs=1e-6)


@pytest.mark.parametrize("judge", ["masks", "tasks"])
def test_test_trials_change_nothing(tmp_path, judge):
    spec = make_spec(tmp_path, f'trials = 2\njudge = "{judge}"')
    run_sweep(spec, tmp_path)
    session = read_session(tmp_path / "small.h5")
    counts = session.counts.copy()
    rows = split_trials(session, spec.base.data).test
    counts[rows] = counts[rows][:, ::-1, ::-1]
    write_session(replace(session, counts=counts), tmp_path / "small.h5")
    run_sweep(spec, tmp_path, "other")
    assert scores(tmp_path) == scores(tmp_path, "other")


def test_a_sweep_that_is_called_again_adds_what_is_asked_for(tmp_path, monkeypatch):
    run_sweep(make_spec(tmp_path, "trials = 2"), tmp_path)
    before = scores(tmp_path)
    run_sweep(make_spec(tmp_path, "trials = 3"), tmp_path)
    after = scores(tmp_path)
    assert len(after) == 3
    assert {number: after[number] for number in before} == before
    monkeypatch.setattr(trial_module, "train", lambda *_: pytest.fail("trained again"))
    run_sweep(make_spec(tmp_path, "trials = 3"), tmp_path)
    assert scores(tmp_path) == after


def test_a_stop_in_the_middle_of_a_trial_goes_on_to_the_same_scores(tmp_path):
    spec = make_spec(tmp_path, "trials = 2\nprune = true")
    run_sweep(spec, tmp_path, "whole")
    n_stops = 0
    while True:
        steps = sweep(spec, tmp_path / "out", [tmp_path / "small.h5"], 1)
        for _ in range(4):  # one or two training steps at a time
            last = next(steps, None)
        steps.close()
        if last is None:
            break
        n_stops += 1
    assert n_stops > 3
    assert scores(tmp_path) == scores(tmp_path, "whole")


def test_a_grid_tries_everything_once(tmp_path):
    search = "model.layers = [1, 2]\noptim.lr = [0.001, 0.01]"
    run_sweep(make_spec(tmp_path, 'sampler = "grid"', search=search), tmp_path)
    tried = [tuple(t["values"].values()) for t in table(tmp_path)["trials"]]
    assert sorted(tried) == [(1, 0.001), (1, 0.01), (2, 0.001), (2, 0.01)]


def test_random_trials_depend_on_the_seed_and_not_on_the_worker(tmp_path):
    first = 'trials = 3\nsampler = "random"'
    run_sweep(make_spec(tmp_path, first), tmp_path)
    spec = make_spec(tmp_path, first)
    for _ in range(3):  # a worker for each trial
        steps = sweep(spec, tmp_path / "other", [tmp_path / "small.h5"], 1)
        while "done" not in next(steps).at:
            pass
        steps.close()
    assert scores(tmp_path) == scores(tmp_path, "other")
    run_sweep(make_spec(tmp_path, f"{first}\nsampler_seed = 5"), tmp_path, "seeded")
    assert scores(tmp_path) != scores(tmp_path, "seeded")


def test_a_trial_that_lags_behind_is_stopped_early(tmp_path):
    spec = make_spec(
        tmp_path,
        'sampler = "grid"\nprune = true',
        search="optim.lr = [0.01, 0.011, 0.012, 0.013, 0.014, 1e-9]",
        fixed="optim.steps = 20",
    )
    run_sweep(spec, tmp_path)
    found = {t["values"]["optim.lr"]: t for t in table(tmp_path)["trials"]}
    assert found[1e-9]["state"] == "stopped early"
    assert found[1e-9]["score"] is None
    assert [t["state"] for t in found.values()].count("finished") == 5


def test_a_trial_that_fails_costs_only_itself(tmp_path):
    search = "model.heads = [2, 4]\nmodel.width = [16, 12]"  # 12 / 4 = 3 is odd
    steps = run_sweep(make_spec(tmp_path, 'sampler = "grid"', search=search), tmp_path)
    assert (steps[-1].n_done, steps[-1].n_failed) == (4, 1)
    (failed,) = [t for t in table(tmp_path)["trials"] if t["state"] == "failed"]
    assert "must divide" in failed["why"]
    assert "failed: " in (tmp_path / "out" / "table.md").read_text(encoding="utf-8")


def test_what_nobody_foresaw_fails_the_trial_and_a_full_disk_ends_the_sweep(tmp_path, monkeypatch):
    spec = make_spec(tmp_path, "trials = 1")

    def raising(error):
        def train(*_, **__):
            raise error

        return train

    monkeypatch.setattr(trial_module, "train", raising(ZeroDivisionError("by nothing")))
    run_sweep(spec, tmp_path)
    assert table(tmp_path)["trials"][0]["why"] == "ZeroDivisionError: by nothing"
    monkeypatch.setattr(trial_module, "train", raising(OutputError("no room")))
    with pytest.raises(OutputError):
        run_sweep(spec, tmp_path, "full")
    assert Journal(tmp_path / "full", spec).records()[0].state == "running"


def test_a_folder_of_another_sweep_is_refused(tmp_path):
    run_sweep(make_spec(tmp_path, "trials = 1"), tmp_path)
    with pytest.raises(TrainingError, match="results of other settings"):
        run_sweep(make_spec(tmp_path, "trials = 1", search="model.layers = [1, 2]"), tmp_path)


def test_several_sessions_are_trained_apart_or_together(tmp_path):
    for together, names in ((False, ["small.seed0", "twin.seed0"]), (True, ["together.seed0"])):
        spec = make_spec(tmp_path, f"trials = 1\ntogether = {str(together).lower()}")
        write_session(make_session(n_trials=30, n_units=15, seed=1), tmp_path / "twin.h5")
        paths = [tmp_path / "small.h5", tmp_path / "twin.h5"]
        list(sweep(spec, tmp_path / str(together), paths, 1))
        assert list(table(tmp_path, str(together))["trials"][0]["runs"]) == names


@pytest.mark.slow
def test_workers_share_a_journal_and_a_killed_one_loses_no_trial(tmp_path, capsys):
    path = write_spec(tmp_path, "trials = 4", fixed="optim.steps = 12")
    out = tmp_path / "out"
    line = [sys.executable, "-m", "mtm_core", "sweep", str(path), "--out", str(out)]
    victim = subprocess.Popen(line, cwd=ROOT, stderr=subprocess.PIPE)
    while not list(out.glob("trials/*/small.seed0/state-*")):
        assert victim.poll() is None
    victim.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
    victim.communicate()
    with (out / "journal.jsonl").open("ab") as stream:  # as a full disk leaves it
        stream.write(b'{"op_code": 6, "wor')
    assert main(["sweep", str(path), "--out", str(out), "--workers", "2"]) == 0
    trials = json.loads((out / "table.json").read_text())["trials"]
    assert sorted(t["number"] for t in trials) == list(range(4))
    assert {t["state"] for t in trials} == {"finished"}
    starts = [json.loads(line) for line in (out / "journal.jsonl").read_text().splitlines()]
    assert len({line["worker_id"] for line in starts}) >= 3
    assert "best.toml" in capsys.readouterr().err
    assert tomllib.loads((out / "best.toml").read_text())["name"] == "sweep"
