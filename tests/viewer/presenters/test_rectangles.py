from __future__ import annotations

import numpy as np
import pytest

from mtm_viewer.presenters.rectangles import Rectangle, rectangles


def _painted(mask, parts):
    canvas = np.zeros(mask.shape, dtype=int)
    for part in parts:
        canvas[part.row_start : part.row_stop, part.bin_start : part.bin_stop] += 1
    return canvas


@pytest.mark.parametrize("seed", range(5))
def test_rectangles_cover_each_entry_of_the_mask_once_and_nothing_else(seed):
    rng = np.random.default_rng(seed)
    mask = np.repeat(rng.random((7, 9)) < 0.5, rng.integers(1, 4, 7), axis=0)
    np.testing.assert_array_equal(_painted(mask, rectangles(mask)), mask.astype(int))


def test_a_hidden_region_is_one_rectangle():
    mask = np.zeros((10, 40), dtype=bool)
    mask[3:6] = True
    assert rectangles(mask) == (Rectangle(3, 6, 0, 40),)


@pytest.mark.parametrize("shape", [(0, 5), (5, 0)])
def test_an_empty_mask_has_no_rectangles(shape):
    assert rectangles(np.zeros(shape, dtype=bool)) == ()
