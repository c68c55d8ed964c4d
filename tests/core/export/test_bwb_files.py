from __future__ import annotations

import pytest
import torch

from mtm_core.errors import ConfigError, OutputError
from mtm_core.export.bwb_files import BwbAnswer, BwbPlace, make_folder, make_label, write_answer
from mtm_core.export.bwb_tasks import find_task
from mtm_core.models.tensor_file import open_tensors

TASK = find_task("reward")


def made(n_trials=4, value=0.0):
    keys = {"trial_id": torch.arange(n_trials)}
    return BwbAnswer(
        task=TASK,
        predictions={"predictions": torch.full((n_trials, 1, 2), value), **keys},
        truth={"values": torch.ones((n_trials, 1), dtype=torch.int64), **keys},
        choices={"decoder": "logistic"},
        caveat=None,
    )


def at(folder, label="m-own-split", seed=3):
    return BwbPlace(folder=folder, label=label, recording="rec", seed=seed)


def test_files_lie_where_the_benchmark_looks_for_them(tmp_path):
    predictions, truth = write_answer(at(tmp_path), made(), {"split": "test"})
    assert str(predictions.relative_to(tmp_path)) == (
        "predictions/m-own-split/ts1-reward/rec/seed_3.safetensors"
    )
    assert str(truth.relative_to(tmp_path)) == (
        "ground_truth/ts1-reward/rec/ground_truth.safetensors"
    )


def test_a_file_says_what_it_is(tmp_path):
    predictions, truth = write_answer(at(tmp_path), made(), {"split": "test"})
    said = open_tensors(predictions).metadata
    assert {"label", "task", "seed", "recording_id", "ibl_bwb_eval_version"} <= said.keys()
    assert (said["label"], said["seed"], said["split"]) == ("m-own-split", "3", "test")
    assert said["scores_are"] == "BWB format, own split"
    assert said["decoder"] == "logistic"
    assert open_tensors(truth).metadata == {
        "task": "ts1-reward",
        "recording_id": "rec",
        "split": "test",
    }


def test_the_same_truth_is_left_as_it_is(tmp_path):
    _, truth = write_answer(at(tmp_path), made(), {})
    before = truth.stat().st_mtime_ns
    again, _ = write_answer(at(tmp_path, seed=4), made(value=1.0), {})
    assert truth.stat().st_mtime_ns == before
    assert again.name == "seed_4.safetensors"


def test_predictions_may_be_replaced(tmp_path):
    predictions, _ = write_answer(at(tmp_path), made(), {})
    write_answer(at(tmp_path), made(value=1.0), {})
    assert open_tensors(predictions).read()["predictions"].eq(1).all()


def test_another_truth_is_refused_and_nothing_is_changed(tmp_path):
    predictions, truth = write_answer(at(tmp_path), made(), {})
    before = truth.read_bytes(), predictions.read_bytes()
    with pytest.raises(OutputError, match="truth of other trials, units or bins"):
        write_answer(at(tmp_path), made(n_trials=5), {})
    assert (truth.read_bytes(), predictions.read_bytes()) == before


def test_a_truth_that_was_cut_short_is_replaced(tmp_path):
    _, truth = write_answer(at(tmp_path), made(), {})
    truth.write_bytes(truth.read_bytes()[:50])
    write_answer(at(tmp_path), made(), {})
    assert open_tensors(truth).read()["values"].shape == (4, 1)


@pytest.mark.parametrize("name", ["", "../up", "a b", "a/b", "x" * 101])
def test_a_label_that_is_no_name_of_a_folder_is_refused(name):
    with pytest.raises(ConfigError, match="--label"):
        make_label(name)


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").write_text("here")
    with pytest.raises(OutputError, match="Could not make the folder"):
        make_folder(tmp_path / "file" / "inside")
