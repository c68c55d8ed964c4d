from __future__ import annotations

import pytest

from mtm_core.config import OptimConfig, TrainConfig
from mtm_core.errors import CheckpointError
from mtm_core.training.run_folder import RunFolder, find_checkpoint, first_difference
from tests.core.training.runs import run_all, tiny_config


def test_a_run_stands_for_its_checkpoint(tmp_path):
    run_all(tiny_config(optim__steps="1"), tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    assert find_checkpoint(tmp_path / "run") == folder.model_path
    assert find_checkpoint(folder.model_path) == folder.model_path


def test_a_folder_without_a_run_is_told(tmp_path):
    with pytest.raises(CheckpointError, match="is a folder without a run"):
        find_checkpoint(tmp_path)


def test_an_empty_or_missing_folder_holds_no_run(tmp_path):
    assert not RunFolder(tmp_path).holds_run()
    assert not RunFolder(tmp_path / "none").holds_run()


def test_only_what_a_killed_process_left_is_swept(tmp_path):
    for name in (".state-12-0123abcd.safetensors", ".config-9-aaaaaaaa.toml"):
        (tmp_path / name).touch()
    kept = {"notes.txt", ".state-mine.safetensors", ".hidden", "state-12-0123abcd.safetensors"}
    for name in kept:
        (tmp_path / name).touch()
    RunFolder(tmp_path).sweep()
    assert {path.name for path in tmp_path.iterdir()} == kept


def test_the_first_setting_that_differs_is_found():
    stored = TrainConfig()
    assert first_difference(stored, TrainConfig(name="renamed")) is None
    given = TrainConfig(optim=OptimConfig(lr=0.5, steps=3))
    assert first_difference(stored, given) == ("optim.lr", 3e-3, 0.5)
