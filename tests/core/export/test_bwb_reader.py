from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch

from mtm_core.errors import DataError
from mtm_core.export.bwb_reader import read_pair
from mtm_core.models.tensor_file import open_tensors, write_tensors
from tests.core.export.bwb_exports import SESSION, export

TASKS = ("co_smoothing", "forecasting", "choice", "reward", "wheel_speed")


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    report = export(tmp_path_factory.mktemp("bwb"))
    return {entry.task.partition("-")[2]: entry for entry in report.entries}


@pytest.fixture
def copied(written, tmp_path):
    """Copy the files of a task, to be damaged."""

    def copy(task):
        entry = written[task]
        folder = entry.predictions.parents[4]
        shutil.copytree(folder, tmp_path / "copy")
        return [
            tmp_path / "copy" / path.relative_to(folder)
            for path in (entry.predictions, entry.truth)
        ]

    return copy


def rewrite(path, tensors=None, **text):
    file = open_tensors(path)
    said = {k: v for k, v in {**file.metadata, **text}.items() if v is not None}
    kept = {k: v for k, v in {**file.read(), **(tensors or {})}.items() if v is not None}
    write_tensors(path, kept, said)


@pytest.mark.parametrize("task", TASKS)
def test_what_was_written_can_be_read(written, task):
    entry = written[task]
    pair = read_pair(entry.predictions, entry.truth)
    assert pair.task.name == task
    assert len(pair.rows) == len(pair.predicted) == len(pair.true) == entry.n_rows
    assert len(pair.units) == entry.n_units


def test_rows_are_brought_into_the_same_order(copied):
    said, known = copied("co_smoothing")
    before = read_pair(said, known)
    tensors = open_tensors(said).read()
    turned = {name: tensors[name].flip(0) for name in ("predictions", "window_timestamps")}
    rewrite(said, turned)
    after = read_pair(said, known)
    assert np.array_equal(before.predicted, after.predicted)
    assert np.array_equal(before.rows, after.rows)


@pytest.mark.parametrize("which", [0, 1])
def test_a_file_that_is_not_there_is_told(copied, which):
    files = copied("reward")
    files[which].unlink()
    with pytest.raises(DataError, match="there is no such file"):
        read_pair(*files)


@pytest.mark.parametrize("which", [0, 1])
def test_a_file_that_was_cut_short_is_told(copied, which):
    files = copied("reward")
    files[which].write_bytes(files[which].read_bytes()[:-7])
    with pytest.raises(DataError, match="not whole"):
        read_pair(*files)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ({"task": "ts9-dreams"}, "its task is 'ts9-dreams'"),
        ({"task": None}, "its task is None"),
        ({"seed": None}, "does not say its seed"),
        ({"seed": "7"}, "says that it is .*seed_7"),
        ({"label": "other"}, "says that it is other/"),
        ({"recording_id": "elsewhere"}, "elsewhere/seed_0"),
    ],
)
def test_text_that_does_not_fit_the_place_is_told(copied, text, why):
    files = copied("reward")
    rewrite(files[0], **text)
    with pytest.raises(DataError, match=why):
        read_pair(*files)


def test_a_seed_that_is_no_number_is_told(copied):
    said, known = copied("reward")
    moved = said.with_name("seed_x.safetensors")
    said.rename(moved)
    rewrite(moved, seed="x")
    with pytest.raises(DataError, match="its seed is 'x'"):
        read_pair(moved, known)


def test_the_truth_of_another_recording_is_told(copied):
    files = copied("reward")
    rewrite(files[1], recording_id="elsewhere")
    with pytest.raises(DataError, match="its recording_id is 'elsewhere', not 'behaving'"):
        read_pair(*files)


N = 24
"""Test trials."""
CHANGES = [
    ("reward", 0, {"predictions": torch.full((N, 1, 2), torch.nan)}, "what is no number"),
    ("reward", 0, {"predictions": torch.zeros(N, 2)}, "float32 with 2 axes"),
    ("reward", 0, {"predictions": torch.zeros(N, 3, 2)}, r"shape \(24, 3, 2\)"),
    ("reward", 0, {"predictions": torch.zeros(N + 1, 1, 2)}, "differ in length"),
    ("reward", 0, {"trial_id": torch.zeros(N, dtype=torch.int64)}, "same value twice"),
    ("reward", 0, {"trial_id": 1000 + torch.arange(N)}, "its trial_id is not that of"),
    ("reward", 0, {"trial_id": None}, "it holds"),
    ("reward", 0, {"more": torch.zeros(N)}, "it holds"),
    ("reward", 1, {"values": torch.full((N, 1), 2)}, "neither a count nor a class"),
    ("reward", 1, {"values": torch.full((N, 1), 0.5)}, "neither a count nor a class"),
    ("co_smoothing", 1, {"targets": torch.full((N, 20, 3), -1)}, "neither a count nor a class"),
    ("co_smoothing", 1, {"targets": torch.zeros(N, 19, 3)}, r"a truth of \(24, 19, 3\)"),
    ("co_smoothing", 0, {"unit_ids": torch.full((2, 3), 65).byte()}, "units are too few"),
    ("co_smoothing", 0, {"unit_ids": torch.full((3, 3), 65).byte()}, "there twice"),
    (
        "co_smoothing",
        0,
        {"unit_ids": torch.tensor([[65], [66], [67]]).byte()},
        "its units are not those of",
    ),
    ("wheel_speed", 0, {"predictions": torch.zeros(N, 20, 2)}, r"shape \(24, 20, 2\)"),
    ("wheel_speed", 1, {"values": torch.zeros(N, 21, 1)}, r"a truth of \(24, 21, 1\)"),
]


@pytest.mark.parametrize(("task", "which", "tensors", "why"), CHANGES)
def test_tensors_that_do_not_fit_are_told(copied, task, which, tensors, why):
    files = copied(task)
    rewrite(files[which], tensors)
    with pytest.raises(DataError, match=why):
        read_pair(*files)


def test_the_session_is_the_one_that_was_exported(written):
    assert read_pair(written["reward"].predictions, written["reward"].truth).about["session"] == (
        SESSION.session_id
    )
