from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import torch

from mtm_core.errors import CheckpointError, MtmError, OutputError, TrainingError
from mtm_core.models.checkpoint import load_checkpoint
from mtm_core.models.manifest_file import read_manifest
from mtm_core.models.tensor_file import open_tensors, write_tensors
from mtm_core.training import run_folder, workbench
from mtm_core.training import step as step_module
from mtm_core.training.events import CheckpointSaved, RunFinished, RunStarted, StepDone
from mtm_core.training.loop import train
from mtm_core.training.run_folder import RunFolder
from tests.core.sessions import make_session
from tests.core.training.runs import (
    assert_same_bits,
    of_kind,
    run_all,
    run_until,
    tiny_config,
    tiny_session,
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("runs") / "whole"
    run_all(tiny_config(), run_dir)
    return run_dir


@pytest.fixture
def stopped(tmp_path):
    """Return the folder of a run that was stopped between two checkpoints."""
    run_until(tiny_config(), tmp_path / "run", 4, StepDone)
    return tmp_path / "run"


def forget_times(events):
    shown = [dict(vars(event)) for event in events if not isinstance(event, RunStarted)]
    for values in shown:
        for name in ("seconds", "seconds_left", "data_seconds", "path"):
            values.pop(name, None)
    return shown


@pytest.mark.parametrize("step", [1, 2, 3, 4, 5, 6])
def test_a_resumed_run_equals_an_uninterrupted_one(whole, tmp_path, step):
    run_dir = tmp_path / "run"
    run_until(tiny_config(), run_dir, step, StepDone)
    events = run_all(tiny_config(), run_dir, resume=True)
    assert events[0].step == step
    assert_same_bits(whole, run_dir)
    assert (
        read_manifest(run_dir / "model.safetensors").scores
        == read_manifest(whole / "model.safetensors").scores
    )


def test_the_events_of_a_resumed_run_read_like_those_of_an_uninterrupted_one(whole, stopped):
    run_all(tiny_config(), stopped, resume=True)
    plain = forget_times(RunFolder(whole).events.read())
    resumed = forget_times(RunFolder(stopped).events.read())
    assert [e for e in resumed if e.get("step") != 4] == [e for e in plain if e.get("step") != 4]


def test_a_run_killed_after_more_steps_falls_back_to_its_checkpoint(whole, tmp_path):
    run_dir, copy = tmp_path / "run", tmp_path / "copy"
    events = train(tiny_config(), [tiny_session()], run_dir)
    for event in events:
        if isinstance(event, StepDone) and event.step == 5:
            shutil.copytree(run_dir, copy)  # as a kill would leave it
            break
    events.close()
    with (copy / "events.jsonl").open("a") as file:
        file.write('{"event": "step_do')
    resumed = run_all(tiny_config(), copy, resume=True)
    assert resumed[0].step == 3
    assert_same_bits(whole, copy)
    steps = [event.step for event in of_kind(list(RunFolder(copy).events.read()), StepDone)]
    assert steps == [1, 2, 3, 4, 5, 6]


def test_a_kill_between_the_two_files_of_a_checkpoint_is_mended(whole, tmp_path):
    run_dir = tmp_path / "run"
    run_until(tiny_config(), run_dir, 0, CheckpointSaved)
    old = (run_dir / "model.safetensors").read_bytes()
    run_all(tiny_config(), run_dir, resume=True)
    (run_dir / "model.safetensors").write_bytes(old)
    run_all(tiny_config(), run_dir, resume=True)
    assert_same_bits(whole, run_dir)


def test_resuming_a_finished_run_only_says_so(whole, tmp_path):
    run_dir = tmp_path / "run"
    shutil.copytree(whole, run_dir)
    events = run_all(tiny_config(), run_dir, resume=True)
    assert [type(event) for event in events] == [RunStarted, RunFinished]
    assert_same_bits(whole, run_dir)
    assert len(of_kind(list(RunFolder(run_dir).events.read()), RunFinished)) == 1


def test_resuming_where_nothing_was_begun_starts_anew(whole, tmp_path):
    run_all(tiny_config(), tmp_path / "run", resume=True)
    assert_same_bits(whole, tmp_path / "run")


def test_a_run_killed_before_its_first_checkpoint_starts_again(whole, tmp_path):
    run_dir = tmp_path / "run"
    shutil.copytree(whole, run_dir)
    for path in RunFolder(run_dir).states.paths():
        path.unlink()
    (run_dir / "model.safetensors").unlink()
    (run_dir / ".state-3-123-0123abcd.safetensors").write_text("half of it")
    run_all(tiny_config(), run_dir, resume=True)
    assert_same_bits(whole, run_dir)
    assert not list(run_dir.glob(".*"))


def test_a_resumed_run_computes_as_it_began(tmp_path, monkeypatch):
    stopped = tmp_path / "run"
    run_until(tiny_config(), stopped, 5, StepDone)
    record = json.loads((stopped / "run.json").read_text())
    record["backend"] |= {"threads": 2, "matmul": "default"}
    (stopped / "run.json").write_text(json.dumps(record))
    seen = []
    plain = step_module.poisson_loss

    def watching(*args):
        seen.append((torch.get_num_threads(), torch.backends.mkldnn.matmul.fp32_precision))
        return plain(*args)

    monkeypatch.setattr(step_module, "poisson_loss", watching)
    run_all(tiny_config(), stopped, resume=True)
    assert set(seen) == {(2, "none")}


def test_a_run_begun_before_kernels_and_precision_were_recorded_goes_on(tmp_path):
    stopped, whole = tmp_path / "run", tmp_path / "whole"
    as_then = tiny_config(run__attention="products")  # so few tokens had no other kernel
    run_all(as_then, whole)
    run_until(as_then, stopped, 5, StepDone)
    record = json.loads((stopped / "run.json").read_text())
    for name in ("fused_from", "precision"):
        del record["backend"][name]
    (stopped / "run.json").write_text(json.dumps(record))
    settings = (stopped / "config.toml").read_text().splitlines()
    older = [line for line in settings if not line.startswith(("attention", "precision"))]
    assert len(older) == len(settings) - 2
    (stopped / "config.toml").write_text("\n".join(older))
    run_all(tiny_config(), stopped, resume=True)
    assert_same_bits(whole, stopped)


def test_other_versions_are_told(stopped):
    record = json.loads((stopped / "run.json").read_text())
    record["versions"]["torch"] = "1.0"
    (stopped / "run.json").write_text(json.dumps(record))
    started, *_ = run_all(tiny_config(), stopped, resume=True)
    assert "torch 1.0 -> " in started.notes[0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"optim__steps": "9"}, "was begun with --optim.steps 6, not 9"),
        ({"optim__clip_norm": "none"}, "was begun with --optim.clip_norm 1.0, not none"),
        ({"run__threads": "2"}, "was begun with --run.threads 1, not 2"),
    ],
)
def test_other_settings_are_refused(stopped, changes, said):
    with pytest.raises(TrainingError) as caught:
        run_all(tiny_config(**changes), stopped, resume=True)
    assert said in str(caught.value)


def test_another_session_is_refused(stopped):
    with pytest.raises(TrainingError, match=r"begun on simulated-0.*\(simulated-5\)"):
        train(tiny_config(), [make_session(seed=5)], stopped, resume=True)
    changed = tiny_session().take_trials(np.arange(39))
    with pytest.raises(TrainingError, match="has another content"):
        train(tiny_config(), [changed], stopped, resume=True)


def cut_off(path):
    path.write_bytes(path.read_bytes()[:1000])


def flip_a_bit(path):
    data = bytearray(path.read_bytes())
    data[-2] ^= 1
    path.write_bytes(data)


def empty(path):
    path.write_bytes(b"")


def put_in_nan(path):
    file = open_tensors(path)
    tensors = file.read()
    tensors["model/trunk.position"][0] = float("nan")
    write_tensors(path, tensors, file.metadata)


def forget_the_progress(path):
    write_tensors(path, open_tensors(path).read(), {})


def forget_a_tensor(path):
    file = open_tensors(path)
    tensors = file.read()
    del tensors["average/trunk.position"]
    write_tensors(path, tensors, file.metadata)


def everywhere(damage):
    """Do it to every state of a run."""
    return lambda folder: [damage(path) for path in folder.states.paths()]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (everywhere(cut_off), "This run cannot be resumed"),
        (everywhere(flip_a_bit), "does not match the checksum stored in it"),
        (everywhere(forget_a_tensor), "does not fit the settings of this run"),
        (everywhere(forget_the_progress), "The saved state of this run cannot be read"),
        (everywhere(put_in_nan), "holds numbers that are none"),
        (lambda folder: folder.record_path.write_text("{}"), "run.json cannot be read"),
        (lambda folder: folder.record_path.write_text("[1"), "run.json cannot be read"),
        (lambda folder: folder.config_path.write_text("[model"), "is not a TOML file"),
        (lambda folder: folder.events.path.write_text("once\n"), "not a line of a run's events"),
    ],
)
def test_a_damaged_run_folder_is_told(stopped, damage, said):
    damage(RunFolder(stopped))
    with pytest.raises(MtmError) as caught:
        train(tiny_config(), [tiny_session()], stopped, resume=True)
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) <= 3


@pytest.mark.parametrize("damage", [cut_off, flip_a_bit, empty, put_in_nan, forget_the_progress])
def test_a_damaged_last_checkpoint_falls_back_to_the_one_before_and_says_so(
    whole, stopped, damage
):
    before = RunFolder(stopped).states.paths()
    assert [path.name for path in before] == ["state-4.safetensors", "state-3.safetensors"]
    damage(before[0])
    started, *_ = events = run_all(tiny_config(), stopped, resume=True)
    assert started.step == 3
    assert started.notes == (
        "The newest checkpoint, state-4.safetensors, was damaged and is now called "
        "damaged-state-4.safetensors: the run goes on from the one before, of step 3.",
    )
    assert [event.step for event in of_kind(events, StepDone)] == [4, 5, 6]
    assert_same_bits(whole, stopped)


def test_damaged_best_weights_are_written_anew(whole, stopped):
    flip_a_bit(stopped / "model.safetensors")
    with pytest.raises(CheckpointError, match="does not match the checksum"):
        load_checkpoint(stopped / "model.safetensors")
    again = train(tiny_config(), [tiny_session()], stopped, resume=True)
    next(again)
    again.close()
    load_checkpoint(stopped / "model.safetensors")
    run_all(tiny_config(), stopped, resume=True)
    assert_same_bits(whole, stopped)


def test_the_state_of_an_older_version_is_read(whole, stopped):
    for path in RunFolder(stopped).states.paths()[1:]:
        path.unlink()
    RunFolder(stopped).states.paths()[0].rename(stopped / "state.safetensors")
    started, *_ = run_all(tiny_config(), stopped, resume=True)
    assert started.step == 4
    assert_same_bits(whole, stopped)
    names = [path.name for path in RunFolder(stopped).states.paths()]
    assert names == ["state-6.safetensors", "state.safetensors"]  # the older one is the last


@pytest.mark.parametrize("keep", [1, 3])
def test_so_many_states_are_kept(tmp_path, keep):
    config = tiny_config(run__keep_checkpoints=str(keep), run__checkpoint_every="1")
    run_all(config, tmp_path / "run")
    steps = [f"state-{step}.safetensors" for step in (6, 5, 4)]
    assert [path.name for path in RunFolder(tmp_path / "run").states.paths()] == steps[:keep]


def test_a_record_of_another_version_is_told(stopped):
    record = json.loads((stopped / "run.json").read_text())
    (stopped / "run.json").write_text(json.dumps({**record, "version": 99}))
    with pytest.raises(TrainingError, match="version 99, and this program reads"):
        run_all(tiny_config(), stopped, resume=True)


resource = pytest.importorskip("resource", reason="the system has no file size limits")


@contextlib.contextmanager
def largest_file(n_bytes):
    """Let no file grow larger, as on a full disk; this binds root too."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_fills_up_leaves_the_checkpoint_before(whole, tmp_path):
    run_dir = tmp_path / "run"
    events = train(tiny_config(), [tiny_session()], run_dir)
    for event in events:
        if isinstance(event, CheckpointSaved) and event.step == 3:
            break
    size = (run_dir / "state-3.safetensors").stat().st_size
    with largest_file(size // 2), pytest.raises(OutputError) as caught:
        list(events)
    assert "state-6.safetensors: file too large" in str(caught.value)
    assert not list(run_dir.glob(".*"))
    assert RunFolder(run_dir).states.load().progress.step == 3
    load_checkpoint(run_dir / "model.safetensors")
    run_all(tiny_config(), run_dir, resume=True)
    assert_same_bits(whole, run_dir)


def test_events_that_cannot_be_written_stop_the_run_with_a_sentence(tmp_path):
    run_dir = tmp_path / "run"
    events = train(tiny_config(), [tiny_session()], run_dir)
    next(events)
    size = (run_dir / "events.jsonl").stat().st_size
    with largest_file(size + 20), pytest.raises(OutputError, match=r"events\.jsonl: file too"):
        list(events)
    list(RunFolder(run_dir).events.read())


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="Could not make the run folder"):
        run_all(tiny_config(), tmp_path / "file" / "run")


def test_a_run_that_starts_from_regressions_resumes_bit_for_bit(tmp_path, monkeypatch):
    config = tiny_config(model__read_in="components", model__width="12")
    run_all(config, tmp_path / "whole")
    run_until(config, tmp_path / "stopped", 3, StepDone)
    monkeypatch.setattr(workbench, "warm_start", None)  # a saved state needs no second start
    run_all(config, tmp_path / "stopped", resume=True)
    assert_same_bits(tmp_path / "stopped", tmp_path / "whole")


@pytest.mark.parametrize("unit_vectors", ["true", "false"])
def test_a_run_on_unit_embeddings_resumes_bit_for_bit(tmp_path, unit_vectors):
    config = tiny_config(model__read_in="unit_embedding", model__unit_vectors=unit_vectors)
    run_all(config, tmp_path / "whole")
    run_until(config, tmp_path / "stopped", 3, StepDone)
    run_all(config, tmp_path / "stopped", resume=True)
    assert_same_bits(tmp_path / "stopped", tmp_path / "whole")


def test_preparation_says_how_far_it_is(tmp_path):
    config, told = tiny_config(model__read_in="components", model__width="12"), []
    events = train(
        config,
        [tiny_session()],
        tmp_path / "run",
        on_preparation=lambda n_done, n_parts: told.append((n_done, n_parts)),
    )
    events.close()
    assert told == [(n_done, 8) for n_done in range(9)]


def test_a_folder_into_which_a_run_trains_is_refused(tmp_path, whole):
    run_dir = tmp_path / "run"
    events = train(tiny_config(), [tiny_session()], run_dir)
    for event in events:
        if isinstance(event, CheckpointSaved) and event.step == 3:
            break
    with pytest.raises(TrainingError, match=r"Another process is training into .*run now"):
        train(tiny_config(), [tiny_session()], run_dir, resume=True)
    list(events)  # it was not disturbed
    assert_same_bits(whole, run_dir)
    assert not [e for e in run_all(tiny_config(), run_dir, resume=True) if isinstance(e, StepDone)]


def test_two_that_begin_in_the_same_folder_do_not_mix(tmp_path):
    first = train(tiny_config(), [tiny_session()], tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    with pytest.raises(TrainingError, match="Another process is training"):
        folder.hold()
    next(first)
    first.close()
    folder.hold()
    folder.release()


HOLDER = """
import sys
from pathlib import Path
from mtm_core.training.run_folder import RunFolder
folder = RunFolder(Path(sys.argv[1]))
folder.hold()
print("held", flush=True)
sys.stdin.read()
"""


def test_a_killed_process_holds_its_folder_no_longer(stopped, whole):
    words = [sys.executable, "-c", HOLDER, str(stopped)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(TrainingError, match=r"Wait until it has ended, stop it, or choose"):
            train(tiny_config(), [tiny_session()], stopped, resume=True)
        other.kill()
        other.wait()
        run_all(tiny_config(), stopped, resume=True)
    assert_same_bits(whole, stopped)


def test_a_start_that_fails_frees_the_folder(stopped):
    with pytest.raises(TrainingError, match="was begun with"):
        train(tiny_config(model__width="32"), [tiny_session()], stopped, resume=True)
    run_all(tiny_config(), stopped, resume=True)


def test_where_nothing_can_be_locked_training_goes_on_with_a_warning(
    tmp_path, monkeypatch, caplog
):
    def refuse(*_args, **_words):
        raise NotImplementedError

    monkeypatch.setattr(run_folder.FileLock, "acquire", refuse)
    assert of_kind(run_all(tiny_config(), tmp_path / "run"), RunFinished)
    assert "cannot be locked" in caplog.text


class Slowly:
    """A fitted start that takes its time, on a clock that only it moves."""

    def __init__(self, monkeypatch, seconds):
        self.now = 0.0
        self.seconds = seconds
        monkeypatch.setattr(workbench.time, "perf_counter", lambda: self.now)
        monkeypatch.setattr(workbench.Workbench, "start", self)

    def __call__(self, *_args):
        self.now += self.seconds


def test_the_fitted_start_counts_as_training_once_however_often_a_run_is_resumed(
    tmp_path, monkeypatch
):
    Slowly(monkeypatch, 30.0)
    run_until(tiny_config(), tmp_path / "run", 2, StepDone)
    again = train(tiny_config(), [tiny_session()], tmp_path / "run", resume=True)
    next(event for event in again if isinstance(event, StepDone))
    again.close()
    (end,) = of_kind(run_all(tiny_config(), tmp_path / "run", resume=True), RunFinished)
    assert end.seconds == 30.0
    assert read_manifest(tmp_path / "run" / "model.safetensors").seconds == 30.0


def test_a_start_that_was_cut_short_counts_as_often_as_it_is_made(tmp_path, monkeypatch):
    clock = Slowly(monkeypatch, 30.0)
    train(tiny_config(), [tiny_session()], tmp_path / "run").close()  # before any checkpoint
    clock.seconds = 20.0
    (end,) = of_kind(run_all(tiny_config(), tmp_path / "run", resume=True), RunFinished)
    assert end.seconds == 20.0


def test_the_time_left_does_not_take_the_fitted_start_for_a_step(tmp_path, monkeypatch):
    Slowly(monkeypatch, 30.0)
    steps = of_kind(run_all(tiny_config(), tmp_path / "run"), StepDone)
    assert [step.seconds_left for step in steps] == [0.0] * 6
