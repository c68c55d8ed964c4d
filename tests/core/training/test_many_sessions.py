"""Runs on several sessions at once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from mtm_core import config_io
from mtm_core.data.table import Column, Table
from mtm_core.errors import MismatchError, TrainingError
from mtm_core.models.checkpoint import load_checkpoint
from mtm_core.models.manifest_file import read_manifest
from mtm_core.models.tensor_file import open_tensors
from mtm_core.training.events import StepDone
from mtm_core.training.finetune import finetune, finetune_config
from mtm_core.training.loop import train
from mtm_core.training.pretrained import Pretrained
from mtm_core.training.run_folder import RunFolder
from mtm_core.training.sessions import SessionOrder
from tests.core.sessions import make_session
from tests.core.training.runs import assert_same_bits, tiny_config


def make_sessions():
    one, two = make_session(n_units=24), make_session(n_units=18, seed=1)
    return [one, two]


CONFIG = tiny_config(model__read_in="stitched", model__stitch_width="12", optim__steps="8")


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    for _ in train(CONFIG, make_sessions(), folder):
        pass
    return folder


def test_a_step_of_several_sessions_has_none_twice_and_larger_ones_more_often():
    order = SessionOrder.draw(0, 600, [10, 30, 30], "size", 2)
    assert order.session.shape == order.turn.shape == (600, 2)
    assert (order.session[:, 0] != order.session[:, 1]).all()
    for place in range(3):
        turns = order.turn[order.session == place]
        assert turns.tolist() == list(range(len(turns)))
    first = (order.session[:, 0] == 0).mean()
    assert first == pytest.approx(10 / 70, abs=0.04)
    both = (order.session == 0).any(axis=1).mean()
    assert both == pytest.approx(10 / 70 + 2 * (30 / 70) * (10 / 40), abs=0.06)
    equal = SessionOrder.draw(0, 600, [10, 30, 30], "equal", 2)
    assert (equal.session == 0).any(axis=1).mean() == pytest.approx(2 / 3, abs=0.06)


def test_a_step_cannot_have_more_sessions_than_there_are():
    with pytest.raises(TrainingError, match=r"sessions_per_step is 3, but there are 2.*is 2\."):
        SessionOrder.draw(0, 5, [10, 30], "size", 3)


def test_a_checkpoint_holds_a_model_of_every_session(finished):
    path = RunFolder(finished).model_path
    manifest = read_manifest(path)
    assert [record.n_units for record in manifest.sessions] == [24, 18]
    trunks = []
    for session in make_sessions():
        checkpoint = load_checkpoint(path, session_id=session.session_id)
        assert checkpoint.manifest.session_id == session.session_id
        assert checkpoint.manifest.unit_id == tuple(session.unit_id)
        trunks.append(checkpoint.model.trunk.state_dict())
    assert all(torch.equal(trunks[0][name], trunks[1][name]) for name in trunks[0])


@pytest.mark.parametrize("session_id", [None, "another"])
def test_a_session_must_be_chosen_from_those_trained_on(finished, session_id):
    with pytest.raises(MismatchError, match=r"trained on 2 sessions.*fine-tuning"):
        load_checkpoint(RunFolder(finished).model_path, session_id=session_id)


def test_a_resumed_run_ends_in_the_same_bits(finished, tmp_path):
    events = train(CONFIG, make_sessions(), tmp_path / "run")
    for event in events:
        if isinstance(event, StepDone) and event.step == 5:
            break
    events.close()
    for _ in train(CONFIG, make_sessions(), tmp_path / "run", resume=True):
        pass
    assert_same_bits(finished, tmp_path / "run")


def test_the_order_of_sessions_belongs_to_the_run(finished):
    with pytest.raises(TrainingError, match="content or order"):
        train(CONFIG, make_sessions()[::-1], finished, resume=True)


def test_turns_count_the_batches_of_each_session():
    order = SessionOrder.draw(0, 400, [10, 30], "size")
    for place in (0, 1):
        turns = order.turn[order.session == place]
        assert turns.tolist() == list(range(len(turns)))
    assert 0.65 < (order.session == 1).mean() < 0.85
    assert 0.4 < (SessionOrder.draw(0, 400, [10, 30], "equal").session == 1).mean() < 0.6


def test_learning_two_sessions_learns_both(tmp_path):
    """Each session beats the mean rate on its validation trials after a short run."""
    config = tiny_config(optim__steps="60", run__validate_every="60", optim__lr="0.01")
    for _ in train(config, make_sessions(), tmp_path / "run"):
        pass
    assert read_manifest(RunFolder(tmp_path / "run").model_path).scores["mean"] > 0.01


def with_units(session, ids):
    columns = {**session.units.columns, "unit_id": Column.full(ids)}
    return replace(session, units=Table(columns))


def faulty(kind):
    one, two = make_sessions()
    if kind == "none":
        return []
    if kind == "a unit twice":
        ids = np.concatenate([one.unit_id[:1], two.unit_id[1:]])
        return [one, with_units(two, ids)]
    if kind == "the id twice":
        return [one, replace(two, session_id=one.session_id)]
    if kind == "bin size":
        return [one, replace(two, provenance=replace(two.provenance, bin_size_s=0.05))]
    if kind == "window":
        return [one, replace(two, provenance=replace(two.provenance, window_start_s=-1.0))]
    return [one, make_session(n_units=18, seed=1, n_bins=20)]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("none", "There is no session to train on"),
        ("a unit twice", "is in both simulated-0 and simulated-1"),
        ("the id twice", "have the same id"),
        ("bin size", r"bins of 0\.05 s.*Prepare all sessions alike"),
        ("window", "a window that starts at -1 s"),
        ("bins", "trials of 20 bins"),
    ],
)
def test_sessions_that_do_not_go_together_are_told(kind, said, tmp_path):
    with pytest.raises(TrainingError, match=said):
        train(CONFIG, faulty(kind), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["multi", "multi-unit"])
def test_a_preset_for_many_sessions_serves_a_new_one_without_training(name, tmp_path):
    short = [("optim.steps", "2"), ("run.threads", "1"), ("optim.batch_size", "8")]
    config = config_io.apply_overrides(config_io.load_preset(name), short)
    for _ in train(config, make_sessions(), tmp_path / "many"):
        pass
    path = RunFolder(tmp_path / "many").model_path
    has_vectors = any(n.endswith("units.vector") for n in open_tensors(path).shapes)
    assert has_vectors == (name == "multi")
    pretrained = Pretrained.read(path, zero_shot=True)
    new = make_session(seed=2)
    settings = finetune_config(pretrained.manifest, new, zero_shot=True)
    for _ in finetune(pretrained, settings, new, tmp_path / "new"):
        pass
    assert load_checkpoint(RunFolder(tmp_path / "new").model_path).manifest.n_units == 24


def test_components_are_for_one_session(tmp_path):
    config = tiny_config(model__read_in="components", model__width="8")
    with pytest.raises(TrainingError, match="components fits one session"):
        train(config, make_sessions(), tmp_path / "run")
