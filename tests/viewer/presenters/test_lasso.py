from __future__ import annotations

import numpy as np
import pytest

from mtm_viewer.presenters.lasso import points_inside

X, Y = (a.ravel() for a in np.meshgrid(np.arange(5) + 0.5, np.arange(5) + 0.5))


def test_points_of_a_box_are_inside_and_others_are_not():
    inside = points_inside([(1, 1), (3, 1), (3, 4), (1, 4)], X, Y)
    np.testing.assert_array_equal(inside, (X > 1) & (X < 3) & (Y > 1) & (Y < 4))


def test_what_is_gone_round_twice_is_outside():
    square = [(1, 1), (4, 1), (4, 4), (1, 4)]
    assert not points_inside(square + square, X, Y).any()


def test_a_triangle_is_cut_along_its_edges():
    inside = points_inside([(0, 0), (5, 0), (0, 5)], X, Y)
    np.testing.assert_array_equal(inside, X + Y < 5)


@pytest.mark.parametrize("path", [[], [(0, 0)], [(0, 0), (5, 5)]])
def test_less_than_a_triangle_holds_nothing(path):
    assert not points_inside(path, X, Y).any()
