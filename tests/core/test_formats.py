"""A file of every version of every format is read, with the numbers of its time."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from mtm_core.data import session_file
from mtm_core.data.session_file import read_session
from mtm_core.errors import CheckpointError, TrainingError
from mtm_core.experiment import record_json
from mtm_core.experiment.files import read_experiment
from mtm_core.inference import Reconstructor
from mtm_core.masking import mask_json
from mtm_core.masking.choice import Block, UnitChoice
from mtm_core.masking.spec import MaskSpec
from mtm_core.models import manifest
from mtm_core.models.checkpoint import load_checkpoint
from mtm_core.models.older_manifests import OLDEST
from mtm_core.training import run_files
from mtm_core.training.run_folder import RunFolder
from tests.core.sessions import make_session

FORMATS = Path(__file__).parents[1] / "data" / "formats"
CHECKPOINTS = {
    "run-1/model.safetensors": "run-1/log_rate.npy",
    "run-2/model.safetensors": "run-2/log_rate.npy",
    "unprompted-1.safetensors": "unprompted-1.log_rate.npy",
}


@pytest.fixture(scope="module")
def session():
    return read_session(FORMATS / "session-1.h5")


@pytest.mark.parametrize(
    ("name", "oldest", "newest"),
    [
        ("session-{}.h5", 1, session_file.SCHEMA_VERSION),
        ("run-{}", OLDEST, run_files.VERSION),
        ("run-{}/model.safetensors", OLDEST, manifest.VERSION),
        ("experiment-{}.mtm.json", 1, record_json.VERSION),
        ("mask-{}.json", 1, mask_json.VERSION),
    ],
)
def test_a_file_of_every_version_is_kept(name, oldest, newest):
    kept = [(FORMATS / name.format(version)).exists() for version in range(oldest, newest + 1)]
    assert all(kept)


def test_a_session_of_version_1_is_what_it_was(session):
    made = make_session(n_trials=20, n_bins=10, n_units=15, session_id="kept")
    assert session.content_hash == made.content_hash


@pytest.mark.parametrize(("file", "answer"), CHECKPOINTS.items())
def test_a_checkpoint_of_every_version_predicts_what_it_did(file, answer, session):
    spec = MaskSpec(blocks=(Block(UnitChoice.of_region("CA1")),), prompt="inter_region")
    bound = Reconstructor(load_checkpoint(FORMATS / file), session)
    then = np.load(FORMATS / answer)
    assert np.allclose(bound.complete(spec, np.arange(2)).log_rate, then, atol=1e-5)


def test_an_older_checkpoint_becomes_a_new_one_when_saved(session, tmp_path):
    old = load_checkpoint(FORMATS / "run-1" / "model.safetensors")
    assert json.loads(old.manifest.to_json())["version"] == manifest.VERSION
    assert old.manifest.unit_id == tuple(session.unit_id)


@pytest.mark.parametrize("version", [1, 2])
def test_what_a_run_of_every_version_is_bound_to_is_read(version, session):
    folder = RunFolder(FORMATS / f"run-{version}")
    record = folder.read_record()
    assert dict(record.sessions) == {session.session_id: session.content_hash}
    assert folder.read_config().optim.steps == 4
    assert [event.step for event in folder.events.read()][-1] == 4


def test_an_older_run_is_not_resumed_but_says_that_its_model_serves(session, tmp_path):
    from mtm_core.training.loop import train

    shutil.copytree(FORMATS / "run-1", tmp_path / "run")
    config = RunFolder(tmp_path / "run").read_config()
    with pytest.raises(TrainingError, match=r"cannot be resumed.*can still be used"):
        train(config, [session], tmp_path / "run", resume=True)


@pytest.mark.parametrize("version", [0, 3, True, "2", None])
def test_another_version_is_refused_by_name(version, tmp_path):
    source = FORMATS / "run-1" / "model.safetensors"
    text = json.dumps({"schema": manifest.SCHEMA, "version": version})
    save_file(load_file(source), tmp_path / "m.safetensors", {"manifest": text})
    with pytest.raises(CheckpointError, match="this program reads mtm-checkpoint versions 1 to 2"):
        load_checkpoint(tmp_path / "m.safetensors")


def rewritten(path: Path, change) -> Path:
    """Write the unprompted checkpoint of version 1 with another manifest."""
    from safetensors import safe_open

    source = FORMATS / "unprompted-1.safetensors"
    with safe_open(source, framework="pt") as file:
        values = json.loads(file.metadata()["manifest"])
    change(values)
    save_file(load_file(source), path, {"manifest": json.dumps(values)})
    return path


def test_an_older_checkpoint_that_lacks_a_field_is_refused(tmp_path):
    path = rewritten(tmp_path / "m.safetensors", lambda values: values.pop("split"))
    with pytest.raises(CheckpointError, match="its manifest is damaged"):
        load_checkpoint(path)


def test_an_older_checkpoint_without_prompts_of_several_schemes_is_refused(tmp_path):
    def several(values):
        values["config"]["masking"]["schemes"] = ["neuron", "causal"]

    path = rewritten(tmp_path / "m.safetensors", several)
    with pytest.raises(CheckpointError, match="cannot be brought to this version; train anew"):
        load_checkpoint(path)


def test_the_gain_without_prompts_is_the_one_that_was_trained():
    old = load_file(FORMATS / "unprompted-1.safetensors")["output_gain"]
    new = load_checkpoint(FORMATS / "unprompted-1.safetensors").model.state_dict()
    assert torch.equal(new["trunk.output_gain"][0], old[5])  # none, temporal


def test_an_experiment_and_a_mask_of_version_1_are_read(session):
    experiment = read_experiment(FORMATS / "experiment-1.mtm.json")
    assert experiment.session.content_hash == session.content_hash
    assert experiment.numbers.predictors[0].n_units == 5
    mask = mask_json.from_json((FORMATS / "mask-1.json").read_text(encoding="utf-8"))
    assert experiment.mask == mask
