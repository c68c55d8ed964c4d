"""Fine-tuning: what is taken over, what is frozen, what is refused, and what is never seen."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from mtm_core.data.table import Column, Table
from mtm_core.errors import CheckpointError, ConfigError, MismatchError, MtmError, TrainingError
from mtm_core.models.checkpoint import fit_session, load_checkpoint
from mtm_core.models.manifest_file import read_manifest
from mtm_core.models.tensor_file import open_tensors
from mtm_core.training.events import RunStarted, StepDone, ValidationDone
from mtm_core.training.finetune import finetune, finetune_config
from mtm_core.training.loop import train
from mtm_core.training.pretrained import Pretrained
from mtm_core.training.run_folder import RunFolder
from tests.core.sessions import make_session
from tests.core.training.runs import assert_same_bits, of_kind, tiny_config

KNOWN = (make_session(n_units=24), make_session(n_units=18, seed=1))
NEW = make_session(n_units=20, seed=2)
SHORT = {
    "optim.steps": "6",
    "run.validate_every": "2",
    "run.checkpoint_every": "3",
    "optim.batch_size": "8",
}
READ_INS = ("linear", "stitched", "unit_embedding")


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    """Return a checkpoint of two sessions for each way of reading units."""
    folder = tmp_path_factory.mktemp("bases")
    for name in READ_INS:
        config = tiny_config(model__read_in=name, model__stitch_width="12", optim__steps="4")
        for _ in train(config, KNOWN, folder / name):
            pass
    return {name: folder / name / "model.safetensors" for name in READ_INS}


def start(path, run_dir, session=NEW, *, resume=False, config=None, typed=None, **how):
    """Begin a fine-tuning; how to is ``freeze_trunk`` or ``zero_shot``."""
    pretrained = Pretrained.read(path, **how)
    typed = {**SHORT, **(typed or {})}
    zero_shot = pretrained.zero_shot
    config = config or finetune_config(
        pretrained.manifest, session, typed.items(), zero_shot=zero_shot
    )
    return finetune(pretrained, config, session, run_dir, resume=resume)


def tensors_of(path):
    return open_tensors(path).read()


def trunk_of(path):
    return {n: t for n, t in tensors_of(path).items() if n.startswith("trunk.")}


def is_same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[n], other[n]) for n in one)


@pytest.mark.parametrize("name", READ_INS)
def test_a_frozen_trunk_keeps_its_bits_and_the_rest_moves(bases, tmp_path, name):
    list(start(bases[name], tmp_path / "run", freeze_trunk=True, typed={"optim.lr": "0.01"}))
    folder = RunFolder(tmp_path / "run")
    base = trunk_of(bases[name])
    assert is_same(trunk_of(folder.model_path), base)
    state = tensors_of(folder.states.paths()[0])
    for kind in ("model", "average", "best"):
        kept = {n.removeprefix(f"{kind}/"): t for n, t in state.items() if n.startswith(kind)}
        assert all(torch.equal(kept[n], base[n]) for n in kept if n.startswith("trunk."))
    moments = {n.split("/", 1)[1] for n in state if n.startswith("exp_avg/")}
    assert moments
    assert not any(n.startswith("trunk.") for n in moments)
    first = tmp_path / "first"
    events = start(bases[name], first, freeze_trunk=True)
    next(events)
    events.close()
    before = tensors_of(RunFolder(first).states.paths()[0])
    moved = [
        n for n in before if n.startswith("model/parts") and n.removeprefix("model/") in moments
    ]
    assert all(not torch.equal(before[n], state[n]) for n in moved)


@pytest.mark.parametrize("name", READ_INS)
def test_a_free_trunk_starts_from_the_checkpoint_and_moves(bases, tmp_path, name):
    events = start(bases[name], tmp_path / "run", typed={"run.validate_every": "6"})
    next(events)
    assert is_same(trunk_of(RunFolder(tmp_path / "run").model_path), trunk_of(bases[name]))
    list(events)
    state = tensors_of(RunFolder(tmp_path / "run").states.paths()[0])
    assert not torch.equal(
        state["model/trunk.position"], tensors_of(bases[name])["trunk.position"]
    )


@pytest.mark.parametrize("name", READ_INS)
@pytest.mark.parametrize("freeze_trunk", [False, True], ids=["free", "frozen"])
def test_a_resumed_fine_tuning_ends_in_the_same_bits(bases, tmp_path, name, freeze_trunk):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    list(start(bases[name], whole, freeze_trunk=freeze_trunk))
    events = start(bases[name], stopped, freeze_trunk=freeze_trunk)
    for event in events:
        if isinstance(event, StepDone) and event.step == 4:
            break
    events.close()
    list(start(bases[name], stopped, freeze_trunk=freeze_trunk, resume=True))
    assert_same_bits(whole, stopped)


def test_zero_shot_trains_nothing_and_writes_a_checkpoint_of_the_session(bases, tmp_path):
    happened = list(start(bases["unit_embedding"], tmp_path / "run", zero_shot=True))
    assert not of_kind(happened, StepDone)
    assert len(of_kind(happened, ValidationDone)) == 1
    path = RunFolder(tmp_path / "run").model_path
    checkpoint = load_checkpoint(path)
    assert checkpoint.manifest.session_id == NEW.session_id
    assert checkpoint.manifest.pretrained["zero_shot"]
    assert list(checkpoint.model.part.parameters()) == []
    fit_session(checkpoint, NEW)
    assert is_same(trunk_of(path), trunk_of(bases["unit_embedding"]))


def test_fine_tuning_on_unit_embeddings_starts_where_zero_shot_is(bases, tmp_path):
    zero = list(start(bases["unit_embedding"], tmp_path / "zero", zero_shot=True))
    tuned = list(start(bases["unit_embedding"], tmp_path / "tuned"))
    first = of_kind(tuned, ValidationDone)[0]
    assert first.scores == pytest.approx(of_kind(zero, ValidationDone)[0].scores)


@pytest.mark.parametrize("name", READ_INS)
def test_a_known_session_goes_on_with_its_own_layers(bases, tmp_path, name):
    events = list(start(bases[name], tmp_path / "run", KNOWN[1]))
    (begun,) = of_kind(events, RunStarted)
    assert "trained on simulated-1 already" in begun.notes[0]
    first = of_kind(events, ValidationDone)[0]
    before = load_checkpoint(bases[name], session_id=KNOWN[1].session_id)
    folder = tmp_path / "start"
    run = start(bases[name], folder, KNOWN[1])
    next(run)
    after = load_checkpoint(RunFolder(folder).model_path)
    assert is_same(before.model.state_dict(), after.model.state_dict())
    assert first.step == 0


def test_what_a_run_began_with_is_told(bases, tmp_path):
    (begun, *_) = start(bases["linear"], tmp_path / "run", freeze_trunk=True)
    assert "The trunk is frozen" in begun.notes[-1]
    manifest = read_manifest(RunFolder(tmp_path / "run").model_path)
    assert manifest.pretrained["session_ids"] == [each.session_id for each in KNOWN]
    assert manifest.pretrained["freeze_trunk"]
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["pretrained"] == manifest.pretrained


def test_few_trials_are_seeded_and_nested_and_said(bases, tmp_path):
    kept = []
    for n in (3, 8):
        typed = {"data.train_trials": str(n)}
        next(start(bases["linear"], tmp_path / str(n), typed=typed))
        split = read_manifest(RunFolder(tmp_path / str(n)).model_path).split
        kept.append(set(split["train"]))
        assert len(split["train"]) == n
        assert len(split["test"]) == 8
    assert kept[0] < kept[1]


@pytest.mark.parametrize(
    ("name", "zero_shot"), [*((name, False) for name in READ_INS), ("unit_embedding", True)]
)
def test_test_trials_and_trials_left_out_are_never_looked_at(bases, tmp_path, name, zero_shot):
    typed = {"data.train_trials": "10"}
    list(start(bases[name], tmp_path / "one", typed=typed, zero_shot=zero_shot))
    split = read_manifest(RunFolder(tmp_path / "one").model_path).split
    used = np.isin(NEW.trials.values("trial_id"), [*split["train"], *split["val"]])
    counts = np.where(used[:, None, None], NEW.counts, 7).astype(np.uint8)
    feedback = NEW.trials.column("feedback")
    changed = Column(np.where(used, feedback.values, 0).astype(np.int8), feedback.is_valid)
    trials = Table({**NEW.trials.columns, "feedback": changed})
    other = replace(NEW, counts=counts, trials=trials)
    list(start(bases[name], tmp_path / "two", other, typed=typed, zero_shot=zero_shot))
    assert_same_bits(tmp_path / "one", tmp_path / "two")


def test_a_new_session_token_starts_at_the_mean_of_the_known_ones(tmp_path):
    config = tiny_config(model__session_token="true", optim__steps="4")
    for _ in train(config, KNOWN, tmp_path / "base"):
        pass
    base = RunFolder(tmp_path / "base").model_path
    next(start(base, tmp_path / "run"))
    tokens = [t for n, t in tensors_of(base).items() if n.endswith("session_token")]
    model = load_checkpoint(RunFolder(tmp_path / "run").model_path).model
    torch.testing.assert_close(model.part.session_token.detach(), torch.stack(tokens).mean(0))


def test_components_cannot_be_fine_tuned_and_it_is_said_why(tmp_path):
    config = tiny_config(model__read_in="components", model__width="8", optim__steps="2")
    for _ in train(config, [KNOWN[0]], tmp_path / "base"):
        pass
    with pytest.raises(TrainingError, match="fitted to its one session before training"):
        Pretrained.read(RunFolder(tmp_path / "base").model_path)


def with_window(session, **changes):
    return replace(session, provenance=replace(session.provenance, **changes))


def renamed(session, session_id):
    return replace(session, session_id=session_id)


@pytest.mark.parametrize(
    ("session", "error", "said"),
    [
        (make_session(seed=2, bin_size_s=0.02), MismatchError, "bins of 10 ms.*has 20 ms"),
        (make_session(seed=2, n_bins=20), MismatchError, "10 bins, and this session has 20 bins"),
        (with_window(NEW, window_start_s=-1.0), MismatchError, "window that starts at"),
        (renamed(KNOWN[0], "again"), MismatchError, "24 of the units of again are units of sim"),
        (KNOWN[0].take_units(np.arange(5)), MismatchError, "with other units"),
    ],
    ids=["bin size", "bins", "window", "units of a known session", "fewer units"],
)
def test_sessions_that_do_not_fit_are_told(bases, tmp_path, session, error, said):
    with pytest.raises(error, match=said):
        start(bases["linear"], tmp_path / "run", session)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("name", "how", "typed", "said"),
    [
        ("linear", {"zero_shot": True}, {}, "only a model with --model.read_in unit_embedding"),
        ("linear", {}, {"model.width": "32"}, "trained with --model.width 16, not 32"),
        ("linear", {}, {"model.architecture": "lfads"}, "holds an ndt1"),
        (
            "unit_embedding",
            {"freeze_trunk": True},
            {"model.unit_vectors": "false"},
            "nothing would be trained",
        ),
        (
            "unit_embedding",
            {"zero_shot": True},
            {"model.unit_vectors": "true"},
            "without training",
        ),
    ],
)
def test_settings_that_contradict_the_checkpoint_are_told(bases, tmp_path, name, how, typed, said):
    with pytest.raises(TrainingError, match=said):
        start(bases[name], tmp_path / "run", typed=typed, **how)


def test_a_known_session_is_not_predicted_zero_shot(bases, tmp_path):
    with pytest.raises(TrainingError, match="would not be zero-shot"):
        start(bases["unit_embedding"], tmp_path / "run", KNOWN[0], zero_shot=True)


def test_a_known_session_keeps_its_split(bases, tmp_path):
    with pytest.raises(TrainingError, match="keeps for validation or test"):
        start(bases["linear"], tmp_path / "run", KNOWN[0], typed={"data.split_seed": "5"})


def test_settings_of_dropout_may_change(bases, tmp_path):
    next(start(bases["linear"], tmp_path / "run", typed={"model.dropout": "0.4"}))


def test_too_many_trials_are_refused(bases, tmp_path):
    with pytest.raises(ConfigError, match="only 28 training trials"):
        start(bases["linear"], tmp_path / "run", typed={"data.train_trials": "50"})


def test_another_start_is_refused_when_resuming(bases, tmp_path):
    run_dir = tmp_path / "run"
    list(start(bases["linear"], run_dir))
    config = RunFolder(run_dir).read_config()
    with pytest.raises(TrainingError, match="--freeze-trunk False, not True"):
        start(bases["linear"], run_dir, resume=True, freeze_trunk=True)
    other = tmp_path / "other.safetensors"
    other.write_bytes(bases["linear"].read_bytes())
    list(start(other, run_dir, resume=True))  # the same checkpoint elsewhere
    changed = read_manifest(bases["linear"])
    assert changed.pretrained is None
    with pytest.raises(TrainingError, match="a checkpoint of the hash"):
        start(run_dir / "model.safetensors", run_dir, resume=True, config=config)
    with pytest.raises(TrainingError, match="Go on with: mtm-core finetune --resume"):
        train(config, [NEW], run_dir, resume=True)


def test_a_plain_run_is_not_resumed_as_a_fine_tuning(bases, tmp_path):
    config = finetune_config(read_manifest(bases["linear"]), NEW, SHORT.items())
    for _ in train(config, [NEW], tmp_path / "run"):
        pass
    with pytest.raises(TrainingError, match="begun by mtm-core train"):
        start(bases["linear"], tmp_path / "run", resume=True)


def test_a_damaged_checkpoint_is_told(tmp_path):
    (tmp_path / "bad.safetensors").write_bytes(b"nothing")
    with pytest.raises(CheckpointError):
        Pretrained.read(tmp_path / "bad.safetensors")


def test_a_finer_session_is_joined_as_the_checkpoint_joined(tmp_path):
    config = tiny_config(data__bin_factor="2", optim__steps="2")
    for _ in train(config, KNOWN, tmp_path / "base"):
        pass
    base = RunFolder(tmp_path / "base").model_path
    next(start(base, tmp_path / "fine"))
    coarse = make_session(n_units=20, seed=2, n_bins=5, bin_size_s=0.02)
    next(start(base, tmp_path / "coarse", coarse))
    assert RunFolder(tmp_path / "fine").read_config().data.bin_factor == 2
    assert RunFolder(tmp_path / "coarse").read_config().data.bin_factor == 1
    with pytest.raises(MtmError):
        start(base, tmp_path / "odd", make_session(seed=2, n_bins=15))


def test_epochs_can_be_asked_for_instead_of_steps(bases):
    manifest = read_manifest(bases["linear"])
    assert finetune_config(manifest, NEW).optim.steps == 300
    asked = finetune_config(manifest, NEW, [("optim.epochs", "3")]).optim
    assert (asked.epochs, asked.steps) == (3, None)


def test_one_session_is_fine_tuned_on_though_several_made_each_step_before(bases):
    manifest = read_manifest(bases["stitched"])
    optim = replace(manifest.config.optim, sessions_per_step=2)
    several = replace(manifest, config=replace(manifest.config, optim=optim))
    assert finetune_config(several, NEW, ()).optim.sessions_per_step == 1
