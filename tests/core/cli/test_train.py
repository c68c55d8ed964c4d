from __future__ import annotations

import json
import os
import signal
import threading

import pytest

from mtm_core.cli.__main__ import main
from mtm_core.cli.stop_request import StopRequest
from mtm_core.cli.train_report import TrainReport
from mtm_core.data.session_file import write_session
from mtm_core.models.checkpoint import load_checkpoint
from mtm_core.training.events import RunFinished, StepDone, from_json
from mtm_core.training.run_folder import RunFolder
from tests.core.sessions import make_session
from tests.core.training.runs import TINY, assert_same_bits

TYPED = [word for key, value in TINY.items() for word in (f"--{key}", value)]


@pytest.fixture(scope="module")
def session_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("sessions") / "tiny.h5"
    write_session(make_session(), path)
    return path


@pytest.fixture
def command(session_file, tmp_path):
    return ["train", "--session", str(session_file), "--out", str(tmp_path / "run"), *TYPED]


@pytest.fixture
def stop_at(monkeypatch):
    """Return a function that makes Ctrl-C come at a step."""

    def set_step(step, number=signal.SIGINT):
        take = TrainReport.take

        def take_and_stop(self, event):
            take(self, event)
            if isinstance(event, StepDone) and event.step == step:
                os.kill(os.getpid(), number)

        monkeypatch.setattr(TrainReport, "take", take_and_stop)

    return set_step


def test_a_session_becomes_a_checkpoint(command, tmp_path, capsys):
    assert main(command) == 0
    out, err = capsys.readouterr()
    assert "Trained 6 steps" in out
    assert "null: train_mean" in out
    assert all(name in out for name in ("neuron", "causal", "intra_region", "inter_region"))
    assert "28 training and 4 validation trials" in err
    assert "6/6" in err
    assert "validation" in err
    load_checkpoint(tmp_path / "run" / "model.safetensors")


def test_events_are_pure_json_lines(command, capsys):
    assert main([*command, "--events", "jsonl"]) == 0
    out, _ = capsys.readouterr()
    events = [from_json(line) for line in out.splitlines()]
    assert isinstance(events[-1], RunFinished)
    assert [e.step for e in events if isinstance(e, StepDone)] == [1, 2, 3, 4, 5, 6]


def test_settings_of_the_preset_are_replaced_by_what_was_typed(command, tmp_path):
    assert main([*command, "--preset", "quick-temporal", "--masking.temporal_ratio", "0.5"]) == 0
    config = RunFolder(tmp_path / "run").read_config()
    assert config.name == "quick-temporal"
    assert config.masking.schemes == ("temporal",)
    assert config.masking.temporal_ratio == 0.5
    assert config.model.width == 16


def test_ctrl_c_saves_and_resume_goes_on_to_the_same_bits(
    command, tmp_path, capsys, monkeypatch, stop_at
):
    assert main(["train", *command[1:4], str(tmp_path / "whole"), *TYPED]) == 0
    stop_at(4)
    assert main(command) == 130
    monkeypatch.undo()
    out, err = capsys.readouterr()
    assert "Stopped after step 4 of 6" in out
    assert "Stopping: saving a checkpoint." in err
    assert main(["train", "--resume", "--out", str(tmp_path / "run")]) == 0
    assert_same_bits(tmp_path / "whole", tmp_path / "run")


def test_a_system_that_ends_the_process_finds_a_checkpoint_too(command, tmp_path, stop_at):
    stop_at(2, signal.SIGTERM)
    assert main(command) == 143
    assert RunFolder(tmp_path / "run").states.load().progress.step == 2


def test_a_second_ctrl_c_stops_at_once():
    before = signal.getsignal(signal.SIGINT)  # ignored where the suite runs in the background
    with StopRequest() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.is_asked
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_signals_are_left_alone_outside_the_main_thread():
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def look():
        with StopRequest() as stop:
            seen.append((signal.getsignal(signal.SIGINT), stop.is_asked))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [(before, False)]


def test_resuming_says_what_it_resumes(command, tmp_path, capsys):
    assert main(command) == 0
    record_path = tmp_path / "run" / "run.json"
    record = json.loads(record_path.read_text())
    record["versions"]["numpy"] = "1.0"
    record_path.write_text(json.dumps(record))
    capsys.readouterr()
    assert main([*command, "--resume"]) == 0
    out, err = capsys.readouterr()
    assert "begun with other versions (numpy 1.0 ->" in err
    assert "Trained 6 steps" in out


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--preset", "quik"], "There is no preset 'quik'. Did you mean 'quick'?"),
        (
            ["--model.widht", "3"],
            "There is no flag '--model.widht'. Did you mean '--model.width'?",
        ),
        (["--model.width", "x"], "--model.width must be a whole number, not 'x'."),
        (["--model.heads", "5"], "The nearest valid value is 4."),
        (["--masking.schemes", "neuron", "nueron"], "Did you mean 'neuron'?"),
        (["--run.device", "cuda:77"], "The device 'cuda:77' cannot be used here"),
        (["--session", "nowhere.h5"], "There is no file or folder nowhere.h5."),
        (["--events", "json"], "Did you mean 'jsonl'?"),
        (["--data.test_fraction", "0.01"], "leave zero test trials"),
        (["--data.bin_factor", "3"], "10 bins cannot be joined by 3"),
        (["--masking.min_region_units", "99"], "--masking.min_region_units"),
        (["--optim.lr"], "expected one argument"),
    ],
)
def test_a_wrong_word_is_answered_in_three_lines_at_most(command, tmp_path, capsys, more, said):
    assert main([*command, *more]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert said in err
    assert len(err.strip().splitlines()) <= 3
    assert not (tmp_path / "run").exists()


def test_a_session_is_needed(tmp_path, capsys):
    assert main(["train", "--out", str(tmp_path / "run")]) == 2
    assert "--session is needed" in capsys.readouterr().err
    assert main(["train", "--resume", "--out", str(tmp_path / "run")]) == 2
    assert "--session is needed" in capsys.readouterr().err


def test_a_run_is_not_trained_over(command, capsys):
    assert main(command) == 0
    assert main(command) == 2
    assert "already holds a run. Add --resume" in capsys.readouterr().err
    assert main([*command, "--resume", "--optim.steps", "9"]) == 2
    assert "was begun with --optim.steps 6, not 9" in capsys.readouterr().err


def test_the_help_shows_every_setting_with_its_documentation(capsys):
    assert main(["train", "--help"]) == 0
    words = " ".join(capsys.readouterr().out.split())
    assert "--model.width N Width of a token." in words
    assert "--model.positions learnt|rotary|both How a token knows its time" in words
    assert "--optim.clip_norm X|none" in words


def test_among_several_processes_a_signal_that_is_repeated_interrupts_nothing(capsys):
    with StopRequest("", is_patient=True) as stop:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.is_asked
    assert capsys.readouterr().err == ""


def test_a_cross_fit_trains_a_model_for_each_fold_and_is_evaluated_on_all_trials(
    command, session_file, tmp_path, capsys
):
    assert main([*command, "--cross-fit", "3"]) == 0
    said = capsys.readouterr()
    assert "3 models; each trial is predicted by the one that never saw it" in said.out
    assert "Fold 3 of 3." in said.err
    out = tmp_path / "run"
    words = ["evaluate", str(out), str(session_file), "--tasks", "inter_region", "--no-shuffle"]
    assert main([*words, "--json", "-"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert (values["n_trials"], values["folds"]) == (40, 3)
    assert main(["train", "--resume", "--out", str(out)]) == 0
    assert main(["decode", str(out), str(session_file)]) == 2
    assert "3 cross-fitted models" in capsys.readouterr().err
    assert main(command) == 2
    assert "already holds a run" in capsys.readouterr().err


def test_a_cross_fit_takes_one_session_and_at_least_two_folds(command, session_file, capsys):
    both = [*command, "--session", str(session_file), str(session_file)]
    assert main([*both, "--cross-fit", "3"]) == 2
    assert "--cross-fit takes one session" in capsys.readouterr().err
    assert main([*command, "--cross-fit", "1"]) == 2
    assert "--data.folds is 1" in capsys.readouterr().err
