from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from mtm_core.config import DataConfig, TrainConfig
from mtm_core.config_model import Ndt1Config
from mtm_core.data.batch import collate
from mtm_core.data.binning import rebin
from mtm_core.errors import CheckpointError, MismatchError, OutputError
from mtm_core.masking.mixture import MaskSampler
from mtm_core.models.checkpoint import (
    fit_overlap,
    fit_session,
    load_checkpoint,
    split_part,
)
from mtm_core.models.manifest import Manifest
from mtm_core.models.manifest_file import read_manifest
from mtm_core.models.tensor_file import open_tensors, write_tensors
from tests.core.checkpoints import SMALL_MODEL, make_checkpoint, write_checkpoint
from tests.core.sessions import make_session


@pytest.fixture(scope="module")
def session():
    return make_session()


@pytest.fixture(scope="module")
def made(session):
    return make_checkpoint(session)


@pytest.fixture
def path(tmp_path, made):
    path = tmp_path / "model.safetensors"
    write_checkpoint(path, made)
    return path


def test_a_loaded_model_predicts_as_the_saved_one(path, made, session):
    sampler = MaskSampler(made.manifest.config.masking, session.region)
    counts = collate(session, np.arange(4))
    loaded = load_checkpoint(path)
    assert loaded.manifest == made.manifest
    assert not loaded.model.training
    for batch in sampler.fixed_masks(counts, 0).values():
        assert torch.equal(loaded.model(batch), made.model(batch))


def test_loading_leaves_the_global_random_state_alone(path):
    before = torch.get_rng_state()
    load_checkpoint(path)
    assert torch.equal(torch.get_rng_state(), before)


def test_the_manifest_is_read_without_the_weights(path, made):
    assert read_manifest(path) == made.manifest
    assert read_manifest(str(path)).n_units == 24


def test_other_people_may_read_a_checkpoint(path, tmp_path):
    other = tmp_path / "other.txt"
    other.touch()
    assert path.stat().st_mode == other.stat().st_mode


@pytest.mark.parametrize("kept", [0, 4, 8, 100, 5000, -1])
def test_a_file_cut_short_anywhere_is_refused(path, kept):
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(CheckpointError, match=r"not a whole \.safetensors file") as caught:
        load_checkpoint(path)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize(
    "content", [b"hello world, I am a text" * 9, (2**62).to_bytes(8, "little") + b"{}"]
)
def test_a_foreign_file_is_refused(tmp_path, content):
    path = tmp_path / "foreign.safetensors"
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"not a whole \.safetensors file"):
        load_checkpoint(path)


def test_a_file_of_tensors_alone_is_no_checkpoint(tmp_path):
    path = tmp_path / "tensors.safetensors"
    write_tensors(path, {"a": torch.zeros(3)}, {})
    with pytest.raises(CheckpointError, match="not a checkpoint of this program"):
        load_checkpoint(path)


def test_missing_files_and_folders_are_told(tmp_path):
    with pytest.raises(CheckpointError, match="There is no file"):
        load_checkpoint(tmp_path / "none.safetensors")
    with pytest.raises(CheckpointError, match="is a folder, not a checkpoint"):
        load_checkpoint(tmp_path)


def repeat_a_unit(values):
    units = values["sessions"][0]["unit_id"]
    units[0] = units[1]


def rewrite(path, change):
    """Change the manifest of a checkpoint file by hand."""
    file = open_tensors(path)
    values = json.loads(file.metadata["manifest"])
    change(values)
    write_tensors(path, file.read(), {"manifest": json.dumps(values)})


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda v: v.update(version=3), "mtm-checkpoint version 3, and this program reads"),
        (lambda v: v.update(schema="other"), "it holds other version 2"),
        (lambda v: v.pop("schema"), "its manifest cannot be read"),
        (lambda v: v["sessions"][0].pop("unit_id"), "its manifest is damaged"),
        (lambda v: v.pop("step"), "its manifest is damaged"),
        (lambda v: v.update(colour="red"), "its manifest is damaged"),
        (lambda v: v["sessions"][0]["split"].pop("test"), "its manifest is damaged"),
        (lambda v: v["sessions"][0]["region"].pop(), "units and regions do not fit"),
        (repeat_a_unit, "a unit is there twice"),
        (lambda v: v["sessions"].clear(), "no session, or one twice"),
        (lambda v: v["sessions"].append(v["sessions"][0]), "no session, or one twice"),
        (lambda v: v.update(bin_size_s=-1), "impossible bins"),
        (lambda v: v.update(n_bins=0), "impossible bins"),
        (lambda v: v.update(n_bins=10**6), "impossible bins"),
        (lambda v: v.update(n_bins=True), "not counted by whole numbers"),
        (lambda v: v["scores"].update(mean="x"), "scores are no numbers"),
        (lambda v: v["config"]["model"].update(width=-1), "--model.width is -1"),
        (lambda v: v["config"]["model"].update(architecture="x"), "no architecture 'x'"),
        (lambda v: v["config"]["model"].update(width=8192), "does not fit its own settings"),
        (lambda v: v["config"]["model"].update(layers=64), "does not fit its own settings"),
        (lambda v: v.update(n_bins=10**5), "does not fit its own settings"),
    ],
)
def test_a_manifest_that_does_not_fit_is_refused(path, change, said):
    rewrite(path, change)
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path)
    assert said in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("text", ["", "3", "[]", "{}", '{"schema": "mtm-checkpoint"', "[" * 9999])
def test_text_that_is_no_manifest_is_refused(text):
    with pytest.raises(CheckpointError, match="cannot be read"):
        Manifest.from_json(text)


def test_weights_that_are_not_numbers_are_refused(path):
    file = open_tensors(path)
    tensors = file.read()
    tensors["trunk.position"][0] = float("nan")
    write_tensors(path, tensors, file.metadata)
    with pytest.raises(CheckpointError, match="weights that are not numbers"):
        load_checkpoint(path)


def test_a_checkpoint_that_cannot_be_written_leaves_nothing(tmp_path, made):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="Could not write"):
        write_checkpoint(tmp_path / "file" / "m.safetensors", made)
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


def test_units_are_found_by_id_and_put_into_the_models_order(made, session):
    order = np.random.default_rng(1).permutation(session.n_units)
    fitted = fit_session(made, session.take_units(order))
    assert np.array_equal(fitted.counts, session.counts)
    assert np.array_equal(fitted.unit_id, session.unit_id)
    assert np.array_equal(fitted.region, session.region)


def test_units_that_the_model_does_not_know_are_left_out(session):
    checkpoint = make_checkpoint(session.take_units(np.arange(3, 20)))
    fitted = fit_session(checkpoint, session)
    assert np.array_equal(fitted.unit_id, session.unit_id[3:20])


def test_a_session_that_fits_is_not_copied(made, session):
    assert fit_session(made, session) is session


def test_missing_units_are_named_and_the_overlap_offered(made, session):
    with pytest.raises(MismatchError) as caught:
        fit_session(made, session.take_units(np.arange(5, 24)))
    said = str(caught.value)
    assert "5 of the checkpoint's 24 units" in said
    assert "simulated-0/0000, simulated-0/0001, simulated-0/0002 and 2 more" in said
    assert "share 19 units: allow the overlap" in said


def test_on_the_overlap_missing_units_are_silent_and_marked(made, session):
    rows = np.array([20, 3, 7])
    overlap = fit_overlap(made, session.take_units(rows))
    is_there = np.isin(np.arange(24), rows)
    assert np.array_equal(overlap.is_missing, ~is_there)
    assert np.array_equal(overlap.session.counts[:, :, is_there], session.counts[:, :, [3, 7, 20]])
    assert not overlap.session.counts[:, :, ~is_there].any()
    assert np.array_equal(overlap.session.unit_id, session.unit_id)
    assert np.array_equal(overlap.session.region, session.region)
    depth = overlap.session.units.column("depth_um")
    assert np.array_equal(depth.is_valid, is_there)


def test_a_session_without_a_single_known_unit_is_refused(made):
    other = make_session(seed=7)
    for fit in (fit_session, fit_overlap):
        with pytest.raises(MismatchError, match="None of the checkpoint's 24 units is in"):
            fit(made, other)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"bin_size_s": 0.02}, "bins of 10 ms, and this session has 20 ms"),
        ({"n_bins": 12}, "trials of 10 bins, and this session has 12 bins"),
    ],
)
def test_other_bins_are_refused(made, change, said):
    with pytest.raises(MismatchError) as caught:
        fit_session(made, make_session(**change))
    assert said in str(caught.value)


def test_another_window_is_refused(made, session):
    later = replace(session, provenance=replace(session.provenance, window_start_s=-0.5))
    with pytest.raises(MismatchError, match="starts at 0 ms, and this session has -500 ms"):
        fit_session(made, later)


def test_bins_are_joined_as_the_run_joined_them(session):
    config = TrainConfig(model=SMALL_MODEL, data=DataConfig(bin_factor=2))
    checkpoint = make_checkpoint(rebin(session, 2), config)
    assert np.array_equal(fit_session(checkpoint, session).counts, rebin(session, 2).counts)
    assert fit_session(checkpoint, rebin(session, 2)).n_bins == 5


def test_parts_of_the_split_are_found_by_trial_id(made, session):
    manifest = made.manifest
    rows = split_part(manifest, session, "test")
    assert tuple(rows) == manifest.split["test"]
    fewer = session.take_trials(np.arange(20, 40))
    expected = [i for i in manifest.split["test"] if i >= 20]
    assert list(20 + split_part(manifest, fewer, "test")) == expected


def test_a_split_of_another_session_is_refused(made, session):
    with pytest.raises(MismatchError, match="test trials are those of simulated-0"):
        split_part(made.manifest, make_session(seed=3), "test")
    none = session.take_trials(np.array(made.manifest.split["train"]))
    with pytest.raises(MismatchError, match="has none of the checkpoint's test trials"):
        split_part(made.manifest, none, "test")


def test_every_architecture_setting_survives_the_file(tmp_path, session):
    config = TrainConfig(
        model=Ndt1Config(
            width=16,
            layers=1,
            heads=2,
            mlp_width=8,
            positions="learnt",
            prompt="prefix",
            session_token=True,
            read_in="two_layer",
            mask_flag=False,
            standardise=False,
            output_bias="mean",
            unit_history=False,
        )
    )
    made = make_checkpoint(session, config)
    path = tmp_path / "paper.safetensors"
    write_checkpoint(path, made)
    loaded = load_checkpoint(path).model.state_dict()
    assert all(torch.equal(loaded[k], v) for k, v in made.model.state_dict().items())
