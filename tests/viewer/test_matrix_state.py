from __future__ import annotations

import pytest

from mtm_viewer.matrix_state import MatrixState
from mtm_viewer.presenters.region_matrix import MatrixAnswer
from tests.core.evaluation.matrices import make_report

pytestmark = pytest.mark.gui


@pytest.fixture
def state(qapp):
    return MatrixState()


def answer_for(state):
    reports = {"psth_by_condition": make_report(), "psth_all_trials": make_report()}
    return MatrixAnswer(settings=state.choice.settings, reports=reports)


def test_it_tells_of_changes_and_of_nothing_else(state):
    told = []
    state.choice_changed.connect(lambda choice: told.append(choice.level))
    state.paused_changed.connect(told.append)
    state.choose(level="cosmos")
    state.choose(level="cosmos")
    state.set_paused(is_paused=True)
    state.set_paused(is_paused=True)
    assert told == ["cosmos", True]


def test_another_matrix_forgets_the_answer_and_another_look_keeps_it(state):
    state.set_answer(answer_for(state))
    state.set_problem("")
    state.choose(is_asymmetry=True, null="psth_all_trials", source="regression")
    assert state.answer is not None
    state.set_problem("Too few regions.")
    state.choose(min_units=4)
    assert state.answer is None
    assert state.problem == ""
