from __future__ import annotations

import pytest

from mtm_core.evaluation.region_matrix_steps import (
    MatrixStep,
    StepClock,
    empty_gains,
    steps_of,
)
from tests.core.evaluation.matrices import REGIONS, make_plan, make_tally


def test_the_cheapest_steps_come_first():
    steps = steps_of(make_plan())
    kinds = [(step.source, step.kind, step.draw) for step in steps]
    assert kinds[:3] == [("model", "row", 0)] * 3
    assert kinds[3:6] == [("model", "ceiling", 0)] * 3
    assert kinds[6:9] == [("model", "row", 1)] * 3
    assert kinds[9:15] == [("regression", "row", 0)] * 3 + [("regression", "row", 1)] * 3
    assert kinds[15:] == [("regression", "ceiling", 0)] * 3
    assert len(set(steps)) == len(steps) == 18


def test_without_a_regression_there_are_half_as_many():
    assert len(steps_of(make_plan(with_regression=False))) == 9


def test_a_row_renews_its_cells_and_a_ceiling_those_of_its_column():
    row = MatrixStep(source="model", kind="row", region=1)
    assert row.cells(REGIONS) == (("CA1", "VISp"), ("CA1", "LGd"))
    ceiling = MatrixStep(source="model", kind="ceiling", region=1)
    assert ceiling.cells(REGIONS) == (("VISp", "CA1"), ("LGd", "CA1"))


def test_steps_know_whether_they_are_done():
    plan = make_plan()
    assert all(step.is_done(make_tally(plan)) for step in steps_of(plan))
    assert not any(step.is_done(make_tally(plan, is_done=False)) for step in steps_of(plan))
    assert empty_gains(plan, 6).cell.shape == (3, 3, 2, 6)


def test_the_clock_guesses_what_it_has_not_timed():
    clock = StepClock()
    row = MatrixStep(source="model", kind="row", region=0)
    rival = MatrixStep(source="regression", kind="ceiling", region=0)
    assert clock.estimate_s([row]) == 0
    for seconds in (1.0, 2.0, 30.0):
        clock.add(row, seconds)
    assert clock.estimate_s([row, row]) == pytest.approx(4.0)
    guessed = clock.estimate_s([rival])
    assert guessed > 2.0
    clock.add(rival, 7.0)
    assert clock.estimate_s([rival]) == pytest.approx(7.0)


def test_the_slow_first_row_of_a_regression_says_little_of_the_others():
    clock = StepClock()
    first, later = (
        MatrixStep(source="regression", kind="row", region=0, draw=draw) for draw in (0, 1)
    )
    clock.add(MatrixStep(source="model", kind="row", region=0), 1.0)
    clock.add(first, 8.0)
    assert clock.estimate_s([first]) == pytest.approx(8.0)
    assert clock.estimate_s([later]) == pytest.approx(1.0)
    clock.add(later, 0.25)
    assert clock.estimate_s([first, later]) == pytest.approx(8.25)
