from __future__ import annotations

import numpy as np
import pytest

from mtm_core.data.table import Column
from mtm_core.errors import DataError, MissingFieldError, UnknownNameError
from mtm_core.evaluation.decoding_targets import available_targets, find_target, signed_contrast
from tests.core.evaluation.behaving import make_behaving_session, with_trials
from tests.core.sessions import make_session

SESSION = make_behaving_session(n_trials=20)


def test_what_a_session_has_is_known():
    assert available_targets(SESSION) == (
        "choice",
        "contrast_side",
        "reward",
        "block",
        "wheel_speed",
        "whisker_motion_energy",
    )
    assert available_targets(make_session()) == ("choice", "contrast_side", "reward")


@pytest.mark.parametrize(
    ("name", "fields", "values", "is_valid"),
    [
        ("choice", {"choice": [1, -1, 0, -1]}, [0, 1, 0, 1], [1, 1, 0, 1]),
        (
            "contrast_side",
            {"contrast_left": [1.0, 0.0, 0.0, 0.2], "contrast_right": [0.0, 0.5, 0.0, 0.6]},
            [0, 1, 0, 1],
            [1, 1, 0, 1],
        ),
        ("reward", {"feedback": [1, -1, 1, -1]}, [1, 0, 1, 0], [1, 1, 1, 1]),
        ("feedback", {"feedback": [1, -1, 1, -1]}, [1, 0, 1, 0], [1, 1, 1, 1]),
        ("block", {"block": [0.5, 0.2, 0.8, 0.8]}, [0, 0, 1, 1], [0, 1, 1, 1]),
    ],
)
def test_classes_are_read_from_the_trial_table(name, fields, values, is_valid):
    session = make_behaving_session(n_trials=4)
    session = with_trials(session, **{key: np.array(column) for key, column in fields.items()})
    target = find_target(session, name)
    assert target.values.tolist() == values
    assert target.is_valid.tolist() == [bool(v) for v in is_valid]
    assert len(target.classes) == 2
    assert sum(n for _, n in target.left_out) == is_valid.count(0)


def test_a_signal_is_read_with_its_gaps():
    SESSION.behaviors["wheel_speed"].is_valid[3] = False
    target = find_target(SESSION, "wheel_speed")
    assert target.is_signal
    assert target.left_out == (("signal not recorded", 1),)
    np.testing.assert_array_equal(target.values, SESSION.behaviors["wheel_speed"].values)


@pytest.mark.parametrize("name", ["block", "whisker_motion_energy"])
def test_what_a_session_lacks_is_said_beside_what_it_has(name):
    with pytest.raises(MissingFieldError, match="It has: choice, contrast_side, reward"):
        find_target(make_session(), name)


def test_a_misspelt_target_is_told_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'choice'"):
        find_target(SESSION, "chioce")


def test_a_choice_that_is_the_stimulus_side_is_refused():
    # As in the bundled recordings: the choice is inferred from reward, so it is always right.
    with pytest.raises(DataError, match="Decode contrast_side instead"):
        find_target(make_session(), "choice")


def test_a_choice_known_by_its_reward_only_is_minded():
    feedback = SESSION.trials.values("feedback")
    choice = SESSION.trials.values("choice")
    session = with_trials(SESSION, choice=Column(choice, feedback > 0))
    (warning,) = find_target(session, "choice").warnings
    assert "none of the unrewarded trials" in warning
    assert find_target(SESSION, "choice").warnings == ()


def test_a_choice_without_contrast_and_outcome_is_taken_as_it_is():
    session = with_trials(SESSION, contrast_left=None, feedback=None)
    assert signed_contrast(session) is None
    assert find_target(session, "choice").is_valid.all()
