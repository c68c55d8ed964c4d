from __future__ import annotations

import json

import pytest

from mtm_core.cli.__main__ import main
from mtm_core.cli.describe_model import CheckpointDescription
from mtm_core.training.events import RunStarted, StepDone
from mtm_core.training.loop import train
from tests.core.sessions import make_session
from tests.core.training.runs import run_all, run_until, tiny_config


@pytest.fixture(scope="module")
def run_dir(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    run_all(tiny_config(), folder)
    return folder


def _json(capsys, path) -> dict:
    assert main(["info", str(path), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_checkpoint_gives_sizes_regions_and_its_manifest(run_dir, capsys):
    said = _json(capsys, run_dir / "model.safetensors")
    assert said["kind"] == "checkpoint"
    assert (said["n_trials"], said["n_bins"], said["n_units"]) == (40, 10, 24)
    assert said["regions"] == {"VISp": 8, "CA1": 8, "DG": 8}
    (record,) = said["sessions"]
    assert record["session_id"] == "simulated-0"
    assert said["config"]["model"]["width"] == 16
    assert {part: len(ids) for part, ids in record["split"].items()} == {
        "train": 28,
        "val": 4,
        "test": 8,
    }
    assert said["warnings"] == []


def test_a_person_reads_settings_trials_scores_and_terms(run_dir, capsys):
    assert main(["info", str(run_dir / "model.safetensors")]) == 0
    said = capsys.readouterr().out
    for text in (
        "width 16, layers 1",
        "24 units; trials 28 train, 4 val, 8 test",
        "Split         random, seed 0",
        "10 of 10 ms, 0 to 100 ms from simulated stimulus onset",
        "of 6, ",
        "inter_region",
        "CC0 1.0",
    ):
        assert text in said


def test_a_run_gives_its_checkpoint_settings_and_validations(run_dir, capsys):
    said = _json(capsys, run_dir)
    assert said["kind"] == "run"
    assert said["is_finished"]
    assert said["n_units"] == 24
    assert [entry["step"] for entry in said["validation"]] == [0, 2, 4, 6]
    assert said["checkpoint"] == str(run_dir / "model.safetensors")
    assert main(["info", str(run_dir)]) == 0
    assert f"Run           {run_dir} (quick, finished)" in capsys.readouterr().out


def test_a_run_that_did_not_end_says_how_to_go_on(tmp_path, capsys):
    run_until(tiny_config(), tmp_path / "run", 4, StepDone)
    assert main(["info", str(tmp_path / "run")]) == 0
    said = capsys.readouterr()
    assert "not finished" in said.out
    assert said.err.startswith("Warning: This run did not end; `mtm-core train --resume`")


def test_a_run_without_a_checkpoint_yet_says_so(tmp_path, capsys):
    run_until(tiny_config(), tmp_path / "run", 0, RunStarted)
    (tmp_path / "run" / "model.safetensors").unlink(missing_ok=True)  # as if killed before
    said = _json(capsys, tmp_path / "run")
    assert said["checkpoint"] is None
    assert said["warnings"] == ["This run has no checkpoint yet."]
    assert main(["info", str(tmp_path / "run")]) == 0
    assert "No checkpoint yet." in capsys.readouterr().out


def test_a_model_of_a_session_without_regions_says_so(tmp_path):
    config = tiny_config(masking__schemes="neuron")
    for _ in train(config, [make_session(regions=())], tmp_path / "run"):
        pass
    described = CheckpointDescription(tmp_path / "run" / "model.safetensors")
    assert described.facts()["regions"] == {}
    assert "Regions       none" in described.text()
