"""Steps show a value and the one before; steps of one stroke become one."""

from __future__ import annotations

import pytest
from PyQt6.QtGui import QUndoStack

from mtm_viewer.mask_steps import MaskStep, NamesStep, Step


@pytest.fixture
def stack(qapp):
    return QUndoStack()


def test_a_step_shows_its_value_and_undone_the_one_before(stack):
    shown: list[str] = []
    stack.push(Step(shown.append, "before", "after", "a step"))
    stack.undo()
    stack.redo()
    assert shown == ["after", "before", "after"]
    assert stack.text(0) == "a step"


def test_steps_of_one_stroke_are_one(stack):
    shown: list[int] = []
    for value in (1, 2, 3):
        stack.push(MaskStep(shown.append, value - 1, value, f"to {value}", "drag"))
    assert (stack.count(), stack.undoText()) == (1, "to 3")
    stack.undo()
    assert shown[-1] == 0


def test_steps_without_a_stroke_and_of_other_strokes_stay_apart(stack):
    for stroke in ("", "", "a", "b"):
        stack.push(MaskStep(lambda _: None, 0, 1, "step", stroke))
    stack.push(NamesStep(lambda _: None, 0, 1, "step", "b"))
    assert stack.count() == 5


def test_a_stroke_that_ends_where_it_began_leaves_no_step(stack):
    stack.push(MaskStep(lambda _: None, 0, 1, "there", "drag"))
    stack.push(MaskStep(lambda _: None, 1, 0, "and back", "drag"))
    assert stack.count() == 0
