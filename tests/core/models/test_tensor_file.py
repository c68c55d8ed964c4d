from __future__ import annotations

import pytest
import torch

from mtm_core.errors import CheckpointError
from mtm_core.models import tensor_header
from mtm_core.models.tensor_file import all_finite, open_tensors, write_tensors


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "some.safetensors"
    write_tensors(path, {"a": torch.arange(6.0).view(2, 3).T, "b/c": torch.ones(1)}, {"x": "é"})
    return path


def test_tensors_and_text_come_back(path):
    file = open_tensors(path)
    assert file.shapes == {"a": (3, 2), "b/c": (1,)}
    assert file.metadata == {"x": "é"}
    assert torch.equal(file.read()["a"], torch.arange(6.0).view(2, 3).T)


def test_tensors_in_use_outlive_the_file(path):
    tensors = open_tensors(path).read()
    path.write_bytes(b"\0" * path.stat().st_size)
    assert tensors["a"].sum() == 15


def test_a_file_damaged_after_it_was_opened_is_told(path):
    file = open_tensors(path)
    path.write_bytes(b"")
    with pytest.raises(CheckpointError, match="was cut short, or is something else"):
        file.read()


def test_a_file_that_may_not_be_read_is_told(path, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tensor_header, "safe_open", refuse)
    with pytest.raises(CheckpointError, match=r"Could not read .*: permission denied"):
        open_tensors(path)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_numbers_that_are_none_are_found(bad):
    assert all_finite({"a": torch.zeros(3), "n": torch.tensor([1])})
    assert not all_finite({"a": torch.zeros(3), "b": torch.tensor([0.0, bad])})
