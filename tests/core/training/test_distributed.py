from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from mtm_core.data.session_file import write_session
from mtm_core.errors import TrainingError
from mtm_core.models.checkpoint import load_checkpoint
from mtm_core.models.manifest_file import read_manifest
from mtm_core.training.distributed import Team, join_team
from mtm_core.training.events import RunFinished, RunStarted, StepDone, ValidationDone, Warned
from mtm_core.training.loop import train
from mtm_core.training.run_folder import RunFolder
from tests.core.sessions import make_session
from tests.core.training.rank_nursery import SESSIONS, ask, free_port, open_nursery
from tests.core.training.runs import (
    TINY,
    assert_same_bits,
    of_kind,
    saved_tensors,
    tiny_config,
    tiny_session,
)

ROOT = Path(__file__).parents[3]
STILL = {"model__dropout": "0", "model__embedding_dropout": "0", "model__unit_dropout": "0"}
MANY = {**STILL, "model__read_in": "stitched", "model__stitch_width": "12", "optim__steps": "8"}

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def environment():
    return {**os.environ, "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}


@pytest.fixture(scope="module")
def nursery():
    with open_nursery() as process:
        yield process


def train_together(nursery, run_dir, size=2, **job):
    return ask(nursery, size=size, run_dir=str(run_dir), **job)


def train_alone(run_dir, changes, sessions="one"):
    list(train(tiny_config(**changes), SESSIONS[sessions](), run_dir))


def events_of(run_dir, kind):
    return of_kind(list(RunFolder(run_dir).events.read()), kind)


def assert_same_curve(first, second, rel=1e-5):
    for kind, name in ((StepDone, "loss"), (StepDone, "grad_norm"), (ValidationDone, "bps")):
        one = [getattr(event, name) for event in events_of(first, kind)]
        other = [getattr(event, name) for event in events_of(second, kind)]
        assert len(one) > 2
        assert other == pytest.approx(one, rel=rel, abs=1e-5), name
    before, after = saved_tensors(first), saved_tensors(second)
    assert before.keys() == after.keys()
    for name, tensor in before.items():
        assert torch.allclose(tensor, after[name], rtol=1e-4, atol=5e-6), name


@pytest.mark.parametrize(
    ("sessions", "changes"),
    [
        ("one", STILL),
        ("one", {**STILL, "optim__loss": "sum"}),
        ("three", MANY),
        ("three", {**MANY, "optim__sessions_per_step": "2"}),
        ("three", {**MANY, "optim__sessions_per_step": "2", "optim__loss": "sum"}),
    ],
)
@pytest.mark.parametrize("size", [2, 4])
def test_processes_together_learn_as_one_does(nursery, tmp_path, sessions, changes, size):
    train_alone(tmp_path / "alone", changes, sessions)
    codes, said = train_together(
        nursery, tmp_path / "both", size, sessions=sessions, changes=changes
    )
    assert (codes, said) == ([0] * size, [""] * size)
    assert_same_curve(tmp_path / "alone", tmp_path / "both")
    load_checkpoint(
        RunFolder(tmp_path / "both").model_path, session_id=SESSIONS[sessions]()[0].session_id
    )


def test_a_session_for_each_process_goes_on_with_another_number_of_them(nursery, tmp_path):
    changes = {**MANY, "optim__sessions_per_step": "2"}
    job = {"sessions": "three", "changes": changes}
    assert train_together(nursery, tmp_path / "both", 2, stop=1, step=3, **job)[0] == [0, 0]
    assert train_together(nursery, tmp_path / "both", 3, stop=0, step=5, **job)[0] == [0, 0, 0]
    sessions = SESSIONS["three"]()
    list(train(tiny_config(**changes), sessions, tmp_path / "both", resume=True))
    train_alone(tmp_path / "alone", changes, "three")
    assert_same_curve(tmp_path / "alone", tmp_path / "both")


def test_a_session_for_each_process_draws_the_dropout_of_one_process(nursery, tmp_path):
    changes = {**MANY, "optim__sessions_per_step": "2", "model__dropout": "0.2"}
    train_alone(tmp_path / "alone", changes, "three")
    job = {"sessions": "three", "changes": changes}
    assert train_together(nursery, tmp_path / "both", 2, **job)[0] == [0, 0]
    assert_same_curve(tmp_path / "alone", tmp_path / "both")


def test_two_processes_draw_the_dropout_of_one_that_accumulates_two_parts(nursery, tmp_path):
    train_alone(tmp_path / "alone", {"optim__accumulate": "2"})
    assert train_together(nursery, tmp_path / "both")[0] == [0, 0]
    assert_same_curve(tmp_path / "alone", tmp_path / "both")


def test_a_session_that_is_not_in_the_batch_is_left_alone_by_all(nursery, tmp_path):
    """AdamW counts the steps of each session's own layers: they are those of the run alone."""
    train_alone(tmp_path / "alone", MANY, "three")
    train_together(nursery, tmp_path / "both", sessions="three", changes=MANY)
    alone, both = saved_tensors(tmp_path / "alone"), saved_tensors(tmp_path / "both")
    steps = [name for name in alone if name.startswith("state:step/parts.")]
    assert len({float(alone[name]) for name in steps}) > 1
    assert all(torch.equal(alone[name], both[name]) for name in steps)


def test_more_processes_than_trials_in_a_batch_do_not_hang(nursery, tmp_path):
    changes = {**STILL, "optim__batch_size": "2"}
    train_alone(tmp_path / "alone", changes)
    assert train_together(nursery, tmp_path / "both", 3, changes=changes)[0] == [0, 0, 0]
    assert_same_curve(tmp_path / "alone", tmp_path / "both")


@pytest.mark.parametrize("killed", [0, 1])
def test_a_killed_process_ends_the_run_with_a_sentence_and_a_checkpoint(nursery, tmp_path, killed):
    run_dir = tmp_path / "both"
    codes, said = train_together(nursery, run_dir, kill=killed, step=5, changes=STILL)
    assert codes[killed] == -signal.SIGKILL
    assert codes[1 - killed] == 2
    assert said[1 - killed].startswith("Another process of this run has ended or cannot be rea")
    assert f"(seen by process {1 - killed} of 2)" in said[1 - killed]
    assert len(said[1 - killed].splitlines()) == 1
    saved = RunFolder(run_dir).states.load().progress.step
    assert saved == (3 if killed == 0 else 5)  # the first process saves where it was

    train_alone(tmp_path / "alone", STILL)
    assert train_together(nursery, run_dir, 3, changes=STILL)[0] == [0, 0, 0]
    assert_same_curve(tmp_path / "alone", run_dir)


def test_a_run_goes_on_with_another_number_of_processes(nursery, tmp_path):
    run_dir = tmp_path / "run"
    codes, said = train_together(nursery, run_dir, stop=1, step=2, changes=STILL)
    assert (codes, said) == ([0, 0], ["", ""])
    assert RunFolder(run_dir).states.load().progress.step == 2
    train_together(nursery, run_dir, 3, stop=0, step=4, changes=STILL)
    events = list(train(tiny_config(**STILL), [tiny_session()], run_dir, resume=True))
    assert events[0].notes == (
        "This run was begun by 2 processes and goes on with 1: sums round, and dropout is drawn, "
        "in another way.",
    )
    train_alone(tmp_path / "alone", STILL)
    assert_same_curve(tmp_path / "alone", run_dir)


def test_the_same_processes_go_on_to_the_same_bits(nursery, tmp_path):
    assert train_together(nursery, tmp_path / "whole")[0] == [0, 0]
    train_together(nursery, tmp_path / "stopped", stop=0, step=4)
    train_together(nursery, tmp_path / "stopped")
    assert_same_bits(tmp_path / "whole", tmp_path / "stopped")


def test_one_process_without_memory_halves_the_parts_of_all(nursery, tmp_path):
    train_alone(tmp_path / "alone", STILL)
    codes, said = train_together(nursery, tmp_path / "both", changes=STILL, memory=2)
    assert (codes, said) == ([0, 0], ["", ""])
    assert [event.text[:45] for event in events_of(tmp_path / "both", Warned)] == [
        "The device ran out of memory at step 1: from "
    ]
    assert_same_curve(tmp_path / "alone", tmp_path / "both")


def test_a_start_from_regressions_is_the_same_for_all(nursery, tmp_path):
    changes = {**STILL, "model__read_in": "components", "model__width": "12"}
    train_alone(tmp_path / "alone", changes)
    assert train_together(nursery, tmp_path / "both", changes=changes)[0] == [0, 0]
    assert_same_curve(tmp_path / "alone", tmp_path / "both", rel=1e-4)


def torchrun(*words):
    start = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2"]
    start += ["--master-addr", "127.0.0.1", "--master-port", str(free_port()), "-m", "mtm_core"]
    done = subprocess.run(
        [*start, *map(str, words)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    return done


def test_torchrun_trains_and_fine_tunes_and_one_process_speaks(tmp_path):
    for seed in (0, 1):
        write_session(make_session(seed=seed), tmp_path / f"{seed}.h5")
    flags = [word for key, value in TINY.items() for word in (f"--{key}", value)]
    done = torchrun(
        *["train", "--preset", "multi", "--session", tmp_path / "0.h5"],
        *["--out", tmp_path / "run", *flags],
    )
    assert done.stdout.count("Trained 6 steps") == 1
    assert done.stderr.count("2 processes together") == 1
    (started,) = events_of(tmp_path / "run", RunStarted)
    assert started.backend.endswith(", 2 processes together")
    assert events_of(tmp_path / "run", RunFinished)
    assert read_manifest(tmp_path / "run" / "model.safetensors").n_steps == 6

    done = torchrun(
        *["finetune", tmp_path / "run", "--session", tmp_path / "1.h5"],
        *["--out", tmp_path / "tuned", "--optim.steps", "3"],
    )
    assert done.stdout.count("Trained 3 steps") == 1
    assert load_checkpoint(tmp_path / "tuned" / "model.safetensors").manifest.n_units == 24


def test_one_process_alone_asks_nobody(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with join_team("cpu") as team:
        assert type(team) is Team
        assert team.is_first
        assert team.is_any(flag=True)
        assert not team.is_first_sure(flag=False)


def test_processes_that_cannot_be_found_are_told(monkeypatch):
    for name in ("RANK", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(TrainingError, match=r"cannot be found\. Start all"), join_team("cpu"):
        pass
