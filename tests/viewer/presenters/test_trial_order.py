from __future__ import annotations

import numpy as np

from mtm_viewer.presenters.trial_order import THEATRE_SORTS, UNIT_SORTS, TrialValues


def test_trials_without_a_number_come_last_in_their_own_order():
    values = TrialValues(
        values=np.array([3.0, 0.0, 1.0, 0.0]),
        is_valid=np.array([True, False, True, False]),
        words="response",
        unit="s",
    )
    assert values.order().tolist() == [2, 0, 1, 3]
    assert [values.text(place) for place in (0, 1)] == ["3.000 s", "unknown"]


def test_negative_numbers_have_a_true_minus_sign():
    values = TrialValues(
        values=np.array([-0.25]), is_valid=np.array([True]), words="gain", unit="bits"
    )
    assert values.text(0) == "\N{MINUS SIGN}0.250 bits"


def test_orders_of_units_and_of_whole_trials_have_words():
    assert "condition" in UNIT_SORTS
    assert "surprise" in THEATRE_SORTS
