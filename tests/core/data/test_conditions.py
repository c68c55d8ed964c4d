from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_core.data.conditions import CONDITION_FIELDS, available_conditions, trial_conditions
from mtm_core.data.table import Column, Table
from mtm_core.errors import MissingFieldError, UnknownNameError
from tests.core.sessions import make_session


def _column(values, is_valid=None):
    values = np.array(values)
    return Column(values, np.ones(len(values), bool) if is_valid is None else np.array(is_valid))


def _session(**columns):
    """Five trials with exactly these fields."""
    session = make_session(n_trials=5)
    own = {name: session.trials.column(name) for name in ("trial_id", "align_s")}
    return replace(session, trials=Table({**own, **columns}))


def _contrasts():
    return {
        "contrast_left": _column([1.0, 0.0, 0.5, 0.0, 0.25]),
        "contrast_right": _column([0.0, 1.0, 0.5, 0.0, 1.0]),
    }


def _shown(conditions):
    return [
        conditions.names[label] if ok else None
        for label, ok in zip(conditions.label, conditions.is_valid, strict=True)
    ]


def test_sides_are_told_by_the_signed_contrast():
    shown = _shown(trial_conditions(_session(**_contrasts()), ("contrast_side",)))
    assert shown == ["left > right", "right > left", "equal", "equal", "right > left"]


def test_an_absent_side_counts_as_no_contrast():
    session = _session(
        contrast_left=_column([1.0, 0, 0, 0, 0], [True, False, False, True, False]),
        contrast_right=_column([0.0, 1, 0, 0, 0], [False, True, True, False, False]),
    )
    conditions = trial_conditions(session, ("contrast_side",))
    assert _shown(conditions)[:3] == ["left > right", "right > left", "equal"]
    assert conditions.is_valid.tolist() == [True, True, True, True, False]


def test_contrasts_are_signed_right_minus_left():
    shown = _shown(trial_conditions(_session(**_contrasts()), ("contrast",)))
    assert shown == ["contrast -1", "contrast +1", "contrast +0", "contrast +0", "contrast +0.75"]


@pytest.mark.parametrize(
    ("field", "values", "shown"),
    [
        ("feedback", [1, -1, 1, 1, -1], ["rewarded", "not rewarded", "rewarded", "rewarded"]),
        (
            "choice",
            [1, 0, -1, -1, 1],
            ["left chosen", "no choice", "right chosen", "right chosen"],
        ),
        ("block", [0.2, 0.8, 0.5, 0.2, 0.2], ["block 0.2 left", "block 0.8 left"]),
    ],
)
def test_levels_have_readable_names_and_absent_trials_have_none(field, values, shown):
    session = _session(**{field: _column(values, [True, True, True, True, False])})
    conditions = trial_conditions(session, (field,))
    assert _shown(conditions)[: len(shown)] == shown
    assert _shown(conditions)[4] is None
    assert conditions.label[4] == 0


def test_combinations_that_occur_are_numbered_and_named():
    feedback = _column([1, 1, -1, -1, 1])
    conditions = trial_conditions(_session(**_contrasts(), feedback=feedback))
    assert conditions.names == (
        "left > right, rewarded",
        "right > left, rewarded",
        "equal, not rewarded",
    )
    assert conditions.label.tolist() == [0, 1, 2, 2, 1]


def test_no_field_at_all_puts_every_trial_together():
    conditions = trial_conditions(_session(), ())
    assert conditions.names == ("all trials",)
    assert conditions.label.tolist() == [0] * 5


def test_a_field_without_any_valid_trial_gives_no_condition():
    session = _session(choice=_column([0] * 5, [False] * 5))
    conditions = trial_conditions(session, ("choice",))
    assert conditions.names == ()
    assert not conditions.is_valid.any()
    assert available_conditions(session) == ()


def test_fields_that_a_session_lacks_are_named():
    with pytest.raises(MissingFieldError, match="no field 'block'"):
        trial_conditions(_session(), ("block",))


def test_words_that_are_no_field_are_refused_with_the_nearest():
    with pytest.raises(UnknownNameError, match=r"no condition 'feedbak'. Did you mean 'feedback'"):
        trial_conditions(_session(), ("feedbak",))


def test_a_session_says_what_it_can_be_grouped_by():
    assert available_conditions(make_session()) == CONDITION_FIELDS[:4]
