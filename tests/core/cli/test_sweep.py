from __future__ import annotations

import json
import signal

import pytest

from mtm_core.cli import sweep as module
from mtm_core.cli import sweep_work
from mtm_core.cli.__main__ import main
from mtm_core.errors import TrainingError
from tests.core.sweep.specs import write_spec


@pytest.fixture
def words(tmp_path):
    return ["sweep", str(write_spec(tmp_path, "trials = 2")), "--out", str(tmp_path / "out")]


def test_it_prints_the_table_and_names_the_best_preset(words, tmp_path, capsys):
    assert main(words) == 0
    said = capsys.readouterr()
    assert said.out.startswith("# Sweep sweep\n")
    assert f"mtm-core train --preset {tmp_path / 'out' / 'best.toml'}" in said.err
    assert "Trials: 2/2" in said.err
    assert main([*words, "--status"]) == 0
    assert capsys.readouterr().out == said.out


def test_the_best_preset_can_be_trained_with(words, tmp_path, capsys):
    assert main(words) == 0
    train = [
        "train",
        "--preset",
        str(tmp_path / "out" / "best.toml"),
        "--out",
        str(tmp_path / "r"),
    ]
    assert main([*train, "--session", str(tmp_path / "small.h5")]) == 0
    best = json.loads((tmp_path / "out" / "table.json").read_text(encoding="utf-8"))["trials"][0]
    assert f"{best['score']:.3f}" in capsys.readouterr().out


def test_nothing_is_said_of_a_sweep_that_was_not_begun(words, capsys):
    assert main([*words, "--status"]) == 2
    assert "holds no sweep yet" in capsys.readouterr().err


def test_the_extra_that_is_missing_is_named(words, monkeypatch, capsys):
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda _: None)
    assert main(words) == 2
    assert 'needs optuna, which is not installed. Run: pip install "mtm-viewer[sweep]"' in (
        " ".join(capsys.readouterr().err.split())
    )
    assert main([*words, "--launcher", "slurm"]) == 2
    assert "needs optuna and submitit, which are not" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--workers", "0"], "must be at least 1"),
        (["--threads", "0"], "must be at least 1"),
        (["--launcher", "slurm"], "Slurm is not on this machine"),
    ],
)
def test_what_cannot_be_done_is_said(words, monkeypatch, capsys, more, said):
    monkeypatch.setattr("shutil.which", lambda _: None)
    assert main([*words, *more]) == 2
    assert said in capsys.readouterr().err


def test_a_spec_is_found_by_its_bundled_name():
    spec, paths = module.read("example")
    assert spec.sweep.name == "example"
    assert paths[0].name.startswith("steinmetz2019_s12")


def test_if_every_trial_fails_the_exit_code_says_so(words, tmp_path, monkeypatch, capsys):
    def broken(*_, **__):
        raise TrainingError("the loss is not a number")

    monkeypatch.setattr("mtm_core.sweep.trial.train", broken)
    assert main(words) == 1
    said = capsys.readouterr()
    assert "failed: the loss is not a number" in said.out
    assert "No trial could be finished" in said.err
    assert not (tmp_path / "out" / "best.toml").exists()


def test_ctrl_c_stops_after_the_step_and_the_same_line_goes_on(words, tmp_path, monkeypatch):
    real, n_steps = sweep_work.sweep, 0

    def interrupted(*arguments):
        nonlocal n_steps
        for step in real(*arguments):
            n_steps += 1
            if n_steps == 4:
                signal.raise_signal(signal.SIGINT)
            yield step

    monkeypatch.setattr(sweep_work, "sweep", interrupted)
    assert main(words) == 130
    state = list((tmp_path / "out" / "trials" / "0000").glob("small.seed0/state-*"))
    assert state
    assert main(words) == 0
    found = json.loads((tmp_path / "out" / "table.json").read_text(encoding="utf-8"))
    assert [t["state"] for t in found["trials"]] == ["finished"] * 2


def test_a_wait_for_helpers_ends_with_each_and_when_asked_to():
    class Helper:
        def __init__(self, codes):
            self.codes = codes

        def poll(self):
            return self.codes.pop(0)

    helpers = [Helper([None, None]), Helper([None, 0])]
    assert sweep_work._wait(helpers, lambda: False)
    assert len(helpers) == 1
    assert not sweep_work._wait(helpers, lambda: True)
    assert not sweep_work._wait([], lambda: False)


def test_a_helper_stops_when_the_process_that_began_it_is_gone(words, tmp_path):
    assert main([*words, "--helper-of", "999999999"]) == 130
    assert not list((tmp_path / "out" / "trials").glob("*/small.seed0/model.safetensors"))


@pytest.mark.slow
def test_helpers_work_beside_and_jobs_are_told_of(words, tmp_path, monkeypatch, capsys):
    assert main([*words, "--workers", "2"]) == 0
    assert (tmp_path / "out" / "worker-1.log").exists()
    capsys.readouterr()

    class Job:
        job_id = "17_0"

    monkeypatch.setattr("mtm_core.sweep.slurm.submit", lambda *_: [Job()])
    monkeypatch.setattr("shutil.which", lambda _: "/usr/bin/sbatch")
    assert main([*words, "--launcher", "slurm"]) == 0
    assert "Submitted 1 jobs: 17_0" in capsys.readouterr().out
