from __future__ import annotations

import logging

import pytest
import torch

from mtm_core.errors import MemoryLimitError
from mtm_core.models.smaller_pieces import SmallerPieces


class Device:
    """Squares numbers, but has room for a few rows only."""

    def __init__(self, room: int, error: type[RuntimeError] = torch.OutOfMemoryError) -> None:
        self.room, self.error = room, error
        self.sizes: list[int] = []

    def square(self, rows: torch.Tensor) -> torch.Tensor:
        self.sizes.append(len(rows))
        if len(rows) > self.room:
            msg = "DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
            raise self.error(msg)
        return rows**2


@pytest.mark.parametrize("error", [torch.OutOfMemoryError, RuntimeError])
@pytest.mark.parametrize("room", [1, 2, 3, 7, 10])
def test_all_rows_are_answered_in_pieces_that_fit(room, error):
    rows, device = torch.arange(10.0), Device(room, error)
    assert torch.equal(SmallerPieces().run(device.square, rows), rows**2)


def test_what_fitted_is_tried_first_the_next_time(caplog):
    pieces, device = SmallerPieces(), Device(3)
    with caplog.at_level(logging.WARNING):
        pieces.run(device.square, torch.arange(8.0))
    assert device.sizes == [8, 4, 2, 2, 2, 2]
    assert [record.getMessage() for record in caplog.records] == [
        "memory ran out on cpu: pieces of 4 from now on",
        "memory ran out on cpu: pieces of 2 from now on",
    ]
    device.sizes.clear()
    pieces.run(device.square, torch.arange(4.0))
    assert device.sizes == [2, 2]
    assert list(pieces.cut(5)) == [slice(0, 2), slice(2, 4), slice(4, 5)]


def test_with_room_enough_nothing_is_cut():
    pieces, device = SmallerPieces(), Device(99)
    pieces.run(device.square, torch.arange(8.0))
    assert device.sizes == [8]
    assert list(pieces.cut(5)) == [slice(0, 5)]


def test_answers_are_joined_along_another_axis():
    answer = SmallerPieces().run(lambda rows: Device(2).square(rows)[None], torch.arange(2.0), -1)
    assert answer.tolist() == [[0.0, 1.0]]
    pieces, device = SmallerPieces(), Device(1)
    answer = pieces.run(lambda rows: device.square(rows)[None], torch.arange(3.0), -1)
    assert answer.tolist() == [[0.0, 1.0, 4.0]]


def test_a_row_that_does_not_fit_is_told():
    with pytest.raises(MemoryLimitError, match=r"memory of cpu .* \(--device cpu\)"):
        SmallerPieces().run(Device(0).square, torch.arange(4.0))


def test_other_errors_are_left_alone():
    def broken(rows):
        msg = "shapes do not fit"
        raise RuntimeError(msg)

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        SmallerPieces().run(broken, torch.arange(4.0))
