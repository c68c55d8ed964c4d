"""The brush leaves no gaps, the lasso takes what is inside, and neither runs over the edge."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtm_viewer.presenters.strokes import brush_cells, lasso_cells

SHAPE = (8, 10)
PLACES = st.tuples(st.floats(-3, 13), st.floats(-3, 11))


def test_a_dab_covers_the_entry_under_the_pointer_however_small_it_is():
    cells = brush_cells([(3.2, 5.9)], 0.01, 0.01, SHAPE)
    assert np.argwhere(cells).tolist() == [[5, 3]]


def test_a_dab_is_an_ellipse():
    cells = brush_cells([(5.5, 4.5)], 3.0, 1.0, SHAPE)
    assert np.flatnonzero(cells[4]).tolist() == [2, 3, 4, 5, 6, 7, 8]
    assert np.flatnonzero(cells[3]).tolist() == np.flatnonzero(cells[5]).tolist() == [5]
    assert cells.sum() == 9


@pytest.mark.parametrize("radius", [0.0, 0.5, 2.0])
def test_a_quick_stroke_has_no_gaps(radius):
    cells = brush_cells([(0.5, 3.5), (9.5, 3.5)], radius, radius, SHAPE)
    assert cells[3].all()
    diagonal = brush_cells([(0.5, 0.5), (7.5, 7.5)], radius, radius, SHAPE)
    assert all(diagonal[k, k] for k in range(8))


@settings(max_examples=50, deadline=None)
@given(st.lists(PLACES, min_size=1, max_size=6), st.floats(0, 4), st.floats(0, 4))
def test_strokes_over_the_edge_cover_what_is_inside(path, radius_bins, radius_rows):
    cells = brush_cells(path, radius_bins, radius_rows, SHAPE)
    assert cells.shape == SHAPE
    for x, y in path:
        if 0 <= x < 10 and 0 <= y < 8:
            assert cells[int(y), int(x)]


def test_a_stroke_far_outside_covers_nothing():
    assert not brush_cells([(-20.0, -20.0), (-20.0, 90.0)], 2, 2, SHAPE).any()


def test_the_lasso_takes_the_entries_inside_a_rectangle():
    cells = lasso_cells([(2, 1), (6, 1), (6, 5), (2, 5)], SHAPE)
    wanted = np.zeros(SHAPE, dtype=bool)
    wanted[1:5, 2:6] = True
    assert np.array_equal(cells, wanted)


def test_the_lasso_may_be_drawn_either_way_round_and_from_any_point():
    path = [(2.2, 1.1), (8.7, 2.4), (6.3, 6.8), (1.4, 4.6)]
    once = lasso_cells(path, SHAPE)
    assert np.array_equal(lasso_cells(path[::-1], SHAPE), once)
    assert np.array_equal(lasso_cells(path[2:] + path[:2], SHAPE), once)


def test_what_the_lasso_goes_round_twice_is_outside():
    outer, inner = [(0, 0), (10, 0), (10, 8), (0, 8)], [(2, 2), (6, 2), (6, 6), (2, 6)]
    cells = lasso_cells([*outer, outer[0], *inner, inner[0]], SHAPE)
    assert not cells[2:6, 2:6].any()
    assert cells.sum() == 80 - 16


@settings(max_examples=50, deadline=None)
@given(st.lists(PLACES, min_size=3, max_size=8))
def test_the_lasso_agrees_with_counting_crossings_one_entry_at_a_time(path):
    cells = lasso_cells(path, SHAPE)
    for row in range(SHAPE[0]):
        for time_bin in range(SHAPE[1]):
            assert cells[row, time_bin] == _is_inside(path, time_bin + 0.5, row + 0.5)


@pytest.mark.parametrize("path", [[], [(1.0, 1.0)], [(1.0, 1.0), (5.0, 5.0)]])
def test_a_lasso_that_surrounds_nothing_takes_nothing(path):
    assert not lasso_cells(path, SHAPE).any()


def _is_inside(path, x: float, y: float) -> bool:
    is_in = False
    for (x0, y0), (x1, y1) in zip(path, [*path[1:], path[0]], strict=True):
        is_crossed = (y0 <= y) != (y1 <= y)
        if is_crossed and x0 + (y - y0) / (y1 - y0) * (x1 - x0) <= x:
            is_in = not is_in
    return is_in
