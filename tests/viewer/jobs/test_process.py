"""The real training process: begun, paused, resumed, killed, and what it says when it fails."""

from __future__ import annotations

import os
from dataclasses import replace

import psutil
import pytest

from mtm_core.config_io import to_toml
from mtm_core.data.session_file import write_session
from mtm_core.errors import OutputError, TrainingError
from mtm_core.training.run_folder import RunFolder
from mtm_viewer.jobs import process as process_module
from mtm_viewer.jobs.process import RunProcess, error_sentence
from mtm_viewer.jobs.run_order import LOG, read_order, write_order
from mtm_viewer.jobs.runs_job import read_run
from tests.core.sessions import make_session
from tests.core.training.runs import tiny_config
from tests.viewer.jobs.fake_training import fake_training, make_order, wait_until


@pytest.fixture
def order(tmp_path):
    write_session(make_session(), tmp_path / "small.h5")
    config = tiny_config(optim__steps="100000", run__checkpoint_every="20")
    (tmp_path / "long.toml").write_text(to_toml(config))
    return make_order(str(tmp_path / "small.h5"), str(tmp_path / "long.toml"))


def last_step(process: RunProcess) -> int:
    events, _ = process.tail.read_new()
    return events[-1].step if events else 0


@pytest.mark.slow
def test_a_run_is_paused_at_a_checkpoint_resumed_there_and_killed(order, tmp_path):
    folder = tmp_path / "run"
    write_order(folder, order)
    first = RunProcess.begin(folder)
    wait_until(lambda: last_step(first) > 5)
    assert os.getpgid(first.order.pid) == first.order.pid  # out of reach of the terminal's Ctrl-C
    assert read_run(folder).state == "running"
    first.pause()
    wait_until(lambda: not first.is_alive)
    assert first.close(is_finished=False).error == ""
    paused = read_run(folder)
    assert (paused.state, paused.n_steps) == ("paused", 100_000)
    assert RunFolder(folder).can_resume()
    second = RunProcess.begin(folder)
    wait_until(lambda: last_step(second) > paused.step)
    found = RunProcess.find(folder)
    assert found is not None
    assert found.is_alive
    second.kill()
    assert not second.is_alive
    assert not found.is_alive
    assert read_run(folder).state == "cancelled"
    assert RunProcess.find(folder) is None


def test_a_process_that_fails_leaves_its_sentence(tmp_path):
    folder = tmp_path / "run"
    write_order(folder, make_order(str(tmp_path / "gone.h5")))
    process = RunProcess.begin(folder)
    wait_until(lambda: not process.is_alive)
    error = process.close(is_finished=False).error
    assert "gone.h5" in error
    assert "\n" not in error
    assert read_order(folder).error == error
    assert read_run(folder).state == "failed"


def test_a_process_that_dies_without_a_word_is_told_so(tmp_path):
    (tmp_path / LOG).write_text("Training:  22%|##  | 65/300")
    assert "said no reason" in error_sentence(tmp_path)


def test_a_process_that_cannot_be_started_is_told_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr(process_module, "core_command", lambda _: [str(tmp_path / "nothing")])
    write_order(tmp_path / "run", make_order())
    with pytest.raises(TrainingError, match="could not be started"):
        RunProcess.begin(tmp_path / "run")


def test_a_process_whose_order_cannot_be_written_is_not_left_alone(tmp_path, monkeypatch):
    fake_training(monkeypatch, "wait")
    write_order(tmp_path / "run", make_order())
    begun: list[int] = []

    def refuse(_, order) -> None:
        begun.append(order.pid)
        raise OutputError("The disk is full. Make room.")

    monkeypatch.setattr(process_module, "write_order", refuse)
    with pytest.raises(OutputError, match="disk is full"):
        RunProcess.begin(tmp_path / "run")
    assert not psutil.pid_exists(begun[0])


def test_a_process_with_a_number_used_again_is_not_taken_for_the_run(tmp_path, monkeypatch):
    fake_training(monkeypatch, "finish")
    write_order(tmp_path / "run", make_order())
    process = RunProcess.begin(tmp_path / "run")
    wait_until(lambda: not process.is_alive)
    stranger = make_order().began(os.getpid())
    folder = tmp_path / "run"
    assert stranger.process(folder) is not None
    assert make_order().process(folder) is None
    assert replace(stranger, pid_started_s=stranger.pid_started_s + 60).process(folder) is None
