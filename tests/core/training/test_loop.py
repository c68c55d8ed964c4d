from __future__ import annotations

import json
import math
import tomllib

import numpy as np
import pytest
import torch

from mtm_core import config_io, resources
from mtm_core.errors import MaskError, TrainingError
from mtm_core.models.backend import probe_backend
from mtm_core.models.checkpoint import load_checkpoint
from mtm_core.models.losses import poisson_loss
from mtm_core.models.manifest_file import read_manifest
from mtm_core.training import step as step_module
from mtm_core.training.events import (
    CheckpointSaved,
    RunFinished,
    RunStarted,
    StepDone,
    ValidationDone,
)
from mtm_core.training.loop import train
from mtm_core.training.optim import clip_gradients
from mtm_core.training.randomness import mask_generator
from mtm_core.training.run_folder import RunFolder
from mtm_core.training.setup import prepare
from tests.core.sessions import make_session
from tests.core.training.runs import (
    assert_same_bits,
    of_kind,
    run_all,
    run_until,
    saved_tensors,
    tiny_config,
    tiny_session,
)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("runs") / "finished"
    return run_dir, run_all(tiny_config(), run_dir)


def test_training_is_a_stream_of_events(finished):
    _, events = finished
    kinds = [(type(event), event.step) for event in events]
    assert kinds == [
        (RunStarted, 0),
        (ValidationDone, 0),
        (CheckpointSaved, 0),
        (StepDone, 1),
        (StepDone, 2),
        (ValidationDone, 2),
        (StepDone, 3),
        (CheckpointSaved, 3),
        (StepDone, 4),
        (ValidationDone, 4),
        (StepDone, 5),
        (StepDone, 6),
        (ValidationDone, 6),
        (CheckpointSaved, 6),
        (RunFinished, 6),
    ]


def test_the_run_folder_holds_what_happened(finished):
    run_dir, events = finished
    folder = RunFolder(run_dir)
    assert list(folder.events.read()) == events
    assert sorted(p.name for p in run_dir.iterdir()) == [
        "config.toml",
        "events.jsonl",
        "model.safetensors",
        "run.json",
        "run.lock",
        "split.json",
        "state-3.safetensors",
        "state-6.safetensors",
    ]
    assert config_io.from_dict(tomllib.loads(folder.config_path.read_text())) == tiny_config()
    split = json.loads(folder.split_path.read_text())[tiny_session().session_id]
    assert sorted(id_ for part in split.values() for id_ in part) == list(range(40))
    record = json.loads(folder.record_path.read_text())
    assert record["backend"]["threads"] == 1
    assert record["versions"]["torch"] == torch.__version__
    assert record["sessions"] == {tiny_session().session_id: tiny_session().content_hash}


def test_the_checkpoint_is_the_best_validated_one_and_says_so(finished):
    run_dir, events = finished
    validations = of_kind(events, ValidationDone)
    best = max(validations, key=lambda event: event.bps)
    manifest = read_manifest(RunFolder(run_dir).model_path)
    assert manifest.step == best.step == events[-1].best_step
    assert manifest.scores == {"mean": best.bps, **best.scores}
    assert [event.is_best for event in validations] == [
        event.bps == max(e.bps for e in validations[: i + 1])
        for i, event in enumerate(validations)
    ]


def test_validation_scores_each_scheme_and_their_mean(finished):
    _, events = finished
    for event in of_kind(events, ValidationDone):
        assert set(event.scores) == set(tiny_config().masking.schemes)
        assert event.bps == pytest.approx(np.mean(list(event.scores.values())))


def test_the_same_seed_makes_the_same_run_and_another_seed_another(finished, tmp_path):
    run_dir, _ = finished
    run_all(tiny_config(), tmp_path / "again")
    assert_same_bits(run_dir, tmp_path / "again")
    run_all(tiny_config(run__seed="1"), tmp_path / "other")
    one, other = saved_tensors(run_dir), saved_tensors(tmp_path / "other")
    assert not torch.equal(one["state:model/trunk.position"], other["state:model/trunk.position"])


def test_training_neither_disturbs_nor_is_disturbed_by_other_draws(finished, tmp_path):
    run_dir, _ = finished
    before = torch.get_rng_state(), torch.get_num_threads()
    for _ in train(tiny_config(), [tiny_session()], tmp_path / "run"):
        assert torch.equal(torch.get_rng_state(), before[0])
        assert torch.get_num_threads() == before[1]
        with torch.random.fork_rng():
            torch.rand(3)
    torch.rand(1)
    assert_same_bits(run_dir, tmp_path / "run")


@pytest.mark.parametrize("read_in", ["linear", "two_layer", "stitched", "unit_embedding"])
def test_one_batch_can_be_memorised(read_in):
    config = tiny_config(
        model__read_in=read_in,
        model__stitch_width="64",
        model__unit_vector_dropout="0",
        model__width="64",
        model__mlp_width="128",
        model__dropout="0",
        model__embedding_dropout="0",
        model__unit_dropout="0",
        optim__lr="0.01",
        optim__weight_decay="0",
    )
    bench = prepare(config, [tiny_session()], probe_backend("cpu", 1))
    (only,) = bench.sessions
    batch = only.sampler.draw(only.counts.take(slice(4)).float(), mask_generator(0, 0))
    for _ in range(250):
        loss = poisson_loss(bench.model(batch), batch)
        loss.backward()
        reached = float(loss.detach())
        clip_gradients(bench.parameters, 1.0)
        bench.optimizer.step()
        bench.optimizer.zero_grad()
    counts = batch.targets.clamp(min=1e-9)
    lowest = float(poisson_loss(counts.log(), batch))
    start = float(poisson_loss(bench.model.member().part.offset.expand_as(counts), batch))
    assert start - lowest > 0.1
    assert reached - lowest < 0.05 * (start - lowest)


def test_training_beats_the_mean_rate_on_trials_it_never_saw(tmp_path):
    config = tiny_config(
        optim__steps="120",
        model__width="32",
        model__dropout="0",
        optim__batch_size="32",
        optim__average_decay="0.9",
        run__validate_every="40",
        run__checkpoint_every="1000",
    )
    session = make_session(n_trials=200, n_units=30, mean_count=1.0)
    events = list(train(config, [session], tmp_path / "run"))
    first, *_, last = of_kind(events, ValidationDone)
    assert last.scores["neuron"] > first.scores["neuron"] + 0.02
    assert events[-1].bps > 0.02


@pytest.mark.parametrize("name", resources.list_presets())
def test_every_preset_trains(name, tmp_path):
    small = [
        ("optim.steps", "2"),
        ("run.device", "cpu"),
        ("run.threads", "1"),
        ("masking.min_region_units", "5"),
    ]
    config = config_io.apply_overrides(config_io.load_preset(name), small)
    events = list(train(config, [tiny_session()], tmp_path / "run"))
    assert [event.step for event in of_kind(events, StepDone)] == [1, 2]
    assert all(math.isfinite(event.loss) for event in of_kind(events, StepDone))
    loaded = load_checkpoint(tmp_path / "run" / "model.safetensors")
    assert loaded.manifest.config == config


def test_without_averaging_the_trained_weights_are_validated(tmp_path):
    run_all(tiny_config(optim__average_decay="none"), tmp_path / "run")
    saved = saved_tensors(tmp_path / "run")
    assert not [name for name in saved if name.startswith("state:average")]


def test_bins_are_joined_before_training(tmp_path):
    run_all(tiny_config(data__bin_factor="2"), tmp_path / "run")
    manifest = read_manifest(tmp_path / "run" / "model.safetensors")
    assert (manifest.n_bins, manifest.bin_size_s) == (5, 0.02)
    assert manifest.session_hash == tiny_session().content_hash


def test_a_folder_with_a_run_is_not_trained_over(finished):
    run_dir, _ = finished
    before = saved_tensors(run_dir)
    with pytest.raises(TrainingError, match=r"already holds a run\. Add --resume"):
        train(tiny_config(), [tiny_session()], run_dir)
    assert saved_tensors(run_dir).keys() == before.keys()


def test_a_session_without_regions_says_what_to_leave_out(tmp_path):
    with pytest.raises(MaskError, match=r"--masking\.schemes"):
        train(tiny_config(), [make_session(regions=())], tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_loss_that_is_not_a_number_stops_the_run_and_keeps_the_best(tmp_path, monkeypatch):
    calls = []

    def broken(log_rate, batch, reduction):
        calls.append(1)
        loss = poisson_loss(log_rate, batch, reduction)
        return loss * math.nan if len(calls) == 6 else loss

    monkeypatch.setattr(step_module, "poisson_loss", broken)
    with pytest.raises(TrainingError) as caught:
        run_all(tiny_config(run__checkpoint_every="100"), tmp_path / "run")
    said = str(caught.value)
    assert "not a number at step 6, on trials " in said
    assert " of simulated-0. Look at these trials, or lower --optim.lr (now 0.003)" in said
    split = json.loads(RunFolder(tmp_path / "run").split_path.read_text())["simulated-0"]
    named = [int(word) for word in said.partition("on trials ")[2].partition(" of ")[0].split(",")]
    assert len(named) == 8
    assert set(named) <= set(split["train"])
    state, progress, _ = RunFolder(tmp_path / "run").states.load()
    assert progress.step == 5
    assert all(torch.isfinite(tensor).all() for tensor in state.values())
    assert read_manifest(tmp_path / "run" / "model.safetensors").step == progress.best_step


def test_stopping_is_ceasing_to_iterate(tmp_path):
    run_until(tiny_config(run__checkpoint_every="100"), tmp_path / "run", 4, StepDone)
    progress = RunFolder(tmp_path / "run").states.load().progress
    assert progress.step == 4
    load_checkpoint(tmp_path / "run" / "model.safetensors")


def test_time_left_falls_to_zero(finished):
    _, events = finished
    steps = of_kind(events, StepDone)
    assert steps[-1].seconds_left == 0
    assert [step.seconds for step in steps] == sorted(step.seconds for step in steps)
    assert steps[1].seconds_left > 0
