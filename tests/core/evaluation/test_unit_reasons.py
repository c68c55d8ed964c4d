from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from mtm_core.evaluation.metrics import UnitValues
from mtm_core.evaluation.unit_facts import UnitFacts, unit_facts
from mtm_core.evaluation.unit_reasons import (
    level_cost_bps,
    outlier_distances,
    outliers,
    standing,
    unit_reasons,
)
from tests.core.evaluation.answered import make_answered, with_counts
from tests.core.sessions import make_session

SESSION = make_session(n_trials=60, n_units=12)


def _steady(**changes: object) -> UnitFacts:
    """One unit to which no rule applies, changed in some of its numbers."""
    facts = unit_facts(make_answered(SESSION, scored=(0,)))
    plain = {
        "n_spikes": np.array([400]),
        "n_train_spikes": np.array([900]),
        "train_hz": np.array([5.0]),
        "shown_hz": np.array([5.0]),
        "model_hz": np.array([5.0]),
        "change_z": np.zeros(1),
        "early_hz": np.array([5.0]),
        "late_hz": np.array([5.0]),
        "drift_z": np.zeros(1),
        "bps": _one(0.2),
        "psth_bps": _one(0.05),
        "fano": _one(1.5),
        "crowd": _one(0.2),
        "twin": np.array([7]),
        "twin_r": np.array([0.05]),
        "top_gain": np.array([0.01]),
        "n_visible": 100,
    }
    return replace(facts, **{**plain, **changes})


def _one(value: float, *, is_valid: bool = True) -> UnitValues:
    return UnitValues(np.array([value]), np.array([is_valid]))


def test_a_steady_unit_has_no_reasons():
    assert unit_reasons(_steady(), 0, SESSION) == ()


@pytest.mark.parametrize(
    ("changes", "name", "effect", "part"),
    [
        ({"n_spikes": np.array([12])}, "few spikes", "noise", "12 scored spikes, fewer than 30"),
        ({"n_spikes": np.array([0])}, "few spikes", "noise", "Not one spike"),
        (
            {"n_train_spikes": np.array([3])},
            *("few training spikes", "worse", "Only 3 spikes in 30 training trials"),
        ),
        (
            {"top_gain": np.array([0.15])},
            *("one trial", "noise", "would be 0.05 in place of 0.20 bits/spike"),
        ),
        (
            {"change_z": np.array([-4.2]), "train_hz": np.array([10.0])},
            *("changed rate", "better", "5 spikes/s in these trials and 10 in training trials"),
        ),
        (
            {"change_z": np.array([4.2]), "train_hz": np.array([2.0]), "bps": _one(-0.1)},
            *("changed rate", "worse", "(4.2 standard errors)"),
        ),
        (
            {"drift_z": np.array([5.0]), "late_hz": np.array([9.0])},
            *("drift", "better", "5 spikes/s in the first third of the trials, 9 in the last"),
        ),
        (
            {"model_hz": np.array([10.0])},
            *("wrong level", "worse", "expects 10 spikes/s where it fires 5"),
        ),
        ({"n_visible": 7}, "few visible units", "worse", "sees only 7 units"),
        ({"psth_bps": _one(0.5)}, "strong PSTH", "worse", "gains 0.50 bits/spike"),
        ({"fano": _one(1.0)}, "varies by chance", "worse", "vary 1 times as much as by chance"),
        ({"fano": _one(4.0)}, "varies much", "better", "vary 4 times as much as by chance"),
        ({"crowd": _one(0.6)}, "goes with the others", "better", "(correlation 0.60 over 30"),
        ({"twin_r": np.array([0.5])}, "twin", "better", "visible unit DG #7 (correlation 0.50"),
    ],
)
def test_each_rule_says_its_numbers(changes, name, effect, part):
    (reason,) = unit_reasons(_steady(**changes), 0, SESSION)
    assert (reason.name, reason.effect) == (name, effect)
    assert part in reason.text


@pytest.mark.parametrize(
    "changes",
    [
        {"change_z": np.array([9.0]), "train_hz": np.array([4.5])},  # sure, but small
        {"change_z": np.array([1.0]), "train_hz": np.array([50.0])},  # large, but not sure
        {"model_hz": np.array([6.0]), "n_spikes": np.array([31])},  # chance, with few spikes
        {"fano": _one(9.0, is_valid=False)},
        {"crowd": _one(0.9, is_valid=False)},
        {"twin": np.array([-1]), "twin_r": np.array([0.9])},
    ],
)
def test_what_is_small_or_unsure_is_no_reason(changes):
    assert unit_reasons(_steady(**changes), 0, SESSION) == ()


def test_reasons_that_fit_the_score_come_first():
    facts = unit_facts(make_answered(SESSION, scored=tuple(range(6))))
    bps = UnitValues(np.array([-0.4, 0.1, 0.2, 0.3, 0.4, 0.9]), np.ones(6, dtype=bool))
    both = replace(
        facts,
        bps=bps,
        n_spikes=np.full(6, 500),
        n_train_spikes=np.full(6, 500),
        top_gain=np.zeros(6),
        fano=UnitValues(np.full(6, 3.0), np.ones(6, dtype=bool)),
        psth_bps=UnitValues(np.full(6, 0.6), np.ones(6, dtype=bool)),
        n_visible=100,
    )
    low, high = ([r.effect for r in unit_reasons(both, place, SESSION)] for place in (0, 5))
    assert low.index("worse") < low.index("better")
    assert high.index("better") < high.index("worse")


def test_outliers_are_told_by_robust_spread_among_units_with_enough_spikes():
    facts = unit_facts(make_answered(SESSION, scored=tuple(range(8))))
    values = np.array([0.10, 0.12, 0.14, 0.16, 0.18, 0.9, -0.7, 2.0])
    n_spikes = np.array([90, 90, 90, 90, 90, 90, 90, 3])
    odd = replace(facts, bps=UnitValues(values, np.ones(8, dtype=bool)), n_spikes=n_spikes)
    assert outliers(odd).tolist() == [0, 0, 0, 0, 0, 1, -1, 0]
    place = standing(odd, 5)
    assert (place.n_units, place.n_below, place.is_outlier) == (7, 6, True)
    assert not standing(odd, 2).is_outlier


def test_without_spread_or_units_nothing_stands_out():
    facts = unit_facts(make_answered(SESSION))
    same = replace(facts, bps=UnitValues(np.full(4, 0.1), np.ones(4, dtype=bool)))
    none = replace(facts, n_spikes=np.zeros(4, dtype=np.int64))
    assert not outlier_distances(same).any()
    assert not outlier_distances(none).any()


def test_the_cost_of_a_wrong_level_is_what_rescaling_would_gain():
    counts, rate = np.array([3.0, 1.0]), np.array([4.0, 4.0])
    scaled = rate * counts.sum() / rate.sum()
    gain = (counts * np.log(scaled / rate) - scaled + rate).sum()
    assert level_cost_bps(2.0, 4.0) == pytest.approx(gain / (4 * np.log(2)))
    assert level_cost_bps(0.0, 4.0) == 0.0


def test_a_unit_that_goes_silent_is_said_to_drift():
    noise = np.random.default_rng(0).integers(1, 3, (60, 10))
    counts = np.where(np.arange(60)[:, None] < 30, noise, 0)
    facts = unit_facts(make_answered(with_counts(SESSION, 0, counts)))
    names = {reason.name for reason in unit_reasons(facts, 0, SESSION)}
    assert {"few spikes", "changed rate", "drift"} <= names


def test_all_numbers_of_a_unit_have_its_place():
    facts = unit_facts(make_answered(SESSION))
    for field in fields(facts):
        value = getattr(facts, field.name)
        arrays = value if isinstance(value, UnitValues) else [value]
        assert all(np.ndim(a) == 0 or len(a) == 4 for a in arrays)
