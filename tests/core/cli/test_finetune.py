from __future__ import annotations

import json
import os
import signal

import pytest

from mtm_core.cli.__main__ import main
from mtm_core.cli.train_report import TrainReport
from mtm_core.data.session_file import write_session
from mtm_core.models.checkpoint import load_checkpoint
from mtm_core.models.manifest_file import read_manifest
from mtm_core.training.events import StepDone
from mtm_core.training.loop import train
from mtm_core.training.run_folder import RunFolder
from tests.core.sessions import make_session
from tests.core.training.runs import assert_same_bits, tiny_config

SHORT = ["--optim.steps", "4", "--run.validate_every", "2", "--run.checkpoint_every", "2"]
NEW = make_session(n_units=20, seed=2)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return the run folder of two sessions and the file of a third."""
    folder = tmp_path_factory.mktemp("files")
    sessions = [make_session(), make_session(n_units=18, seed=1)]
    config = tiny_config(model__read_in="unit_embedding", optim__steps="2")
    for _ in train(config, sessions, folder / "base"):
        pass
    write_session(NEW, folder / "new.h5")
    write_session(sessions[0], folder / "known.h5")
    return folder


@pytest.fixture
def command(files, tmp_path):
    session, out = str(files / "new.h5"), str(tmp_path / "run")
    return ["finetune", str(files / "base"), "--session", session, "--out", out, *SHORT]


def test_a_new_session_becomes_a_checkpoint_that_can_be_scored(command, files, tmp_path, capsys):
    assert main([*command, "--train-trials", "10"]) == 0
    out, err = capsys.readouterr()
    assert "Trained 4 steps" in out
    assert "10 training and 4 validation trials" in err
    path = tmp_path / "run" / "model.safetensors"
    assert load_checkpoint(path).manifest.session_id == NEW.session_id
    assert main(["info", str(path)]) == 0
    assert "of 2 sessions, fine-tuned" in capsys.readouterr().out
    words = ["evaluate", str(tmp_path / "run"), str(files / "new.h5"), "--tasks", "inter_region"]
    assert main(words) == 0


def test_zero_shot_writes_a_checkpoint_that_can_be_scored(command, files, tmp_path, capsys):
    assert main([*command, "--zero-shot"]) == 0
    out, _ = capsys.readouterr()
    assert "Nothing was trained: " in out
    assert "null: train_mean" in out
    assert main(["info", str(tmp_path / "run")]) == 0
    assert "nothing trained" in capsys.readouterr().out
    words = ["evaluate", str(tmp_path / "run"), str(files / "new.h5"), "--tasks", "inter_region"]
    assert main(words) == 0


def test_ctrl_c_saves_and_resume_needs_nothing_but_the_folder(
    command, tmp_path, capsys, monkeypatch
):
    whole = [
        str(tmp_path / "whole") if word == str(tmp_path / "run") else word for word in command
    ]
    assert main([*whole, "--freeze-trunk"]) == 0
    take = TrainReport.take

    def take_and_stop(self, event):
        take(self, event)
        if isinstance(event, StepDone) and event.step == 3:
            os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(TrainReport, "take", take_and_stop)
    assert main([*command, "--freeze-trunk"]) == 130
    monkeypatch.undo()
    assert "mtm-core finetune --resume --out" in capsys.readouterr().out
    assert main(["finetune", "--resume", "--out", str(tmp_path / "run")]) == 0
    assert_same_bits(tmp_path / "whole", tmp_path / "run")
    assert read_manifest(RunFolder(tmp_path / "run").model_path).pretrained["freeze_trunk"]


def test_a_known_session_is_told(command, files, capsys):
    command[3] = str(files / "known.h5")
    assert main(command) == 0
    assert "was trained on simulated-0 already" in capsys.readouterr().err


def test_events_are_json_lines(command, capsys):
    assert main([*command, "--events", "jsonl"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["event"] == "run_started"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["finetune", "--out", "RUN"], "A checkpoint or a run folder is needed"),
        (["finetune", "--resume", "--out", "RUN"], "A checkpoint or a run folder is needed"),
        (["finetune", "BASE", "--out", "RUN"], "--session is needed"),
        (["finetune", "BASE", "--session", "nosuch", "--out", "RUN"], "nosuch"),
        (
            ["finetune", "nosuch", "--session", "NEW", "--out", "RUN"],
            "no checkpoint or run folder",
        ),
        (
            ["finetune", "BASE", "--session", "NEW", "--out", "RUN", "--freeze-trunks"],
            "--freeze-trunk",
        ),
        (
            ["finetune", "BASE", "--session", "NEW", "--out", "RUN", "--train-trials", "many"],
            "train_trials",
        ),
        (
            ["finetune", "BASE", "--session", "NEW", "--out", "RUN", "--train-trials", "99"],
            "only 28 training trials",
        ),
        (["finetune", "demo", "--session", "NEW", "--out", "RUN"], "cannot be fine-tuned"),
    ],
)
def test_what_is_wrong_is_one_sentence(words, said, files, tmp_path, capsys):
    named = {"BASE": files / "base", "NEW": files / "new.h5", "RUN": tmp_path / "run"}
    assert main([str(named.get(word, word)) for word in words]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert len(err.splitlines()) <= 3
    assert not (tmp_path / "run").exists()
