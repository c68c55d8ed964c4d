"""The health strip in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mtm_core.data.health import SessionHealth, session_health
from mtm_core.data.preparation_report import PreparationReport
from mtm_viewer.presenters.health import health_chips, health_details
from tests.core.sessions import make_session

SESSION = make_session()
REPORT = PreparationReport(
    rules=("Preset default.", "Units <all>."),
    settings={},
    n_units_given=30,
    n_units_kept=24,
    units_dropped=(("not good", 6),),
    n_trials_given=60,
    n_trials_kept=40,
    trials_dropped=(("slow", 15), ("no-go", 5)),
    behaviors_missing=(("whisker_motion_energy", "not in this recording"),),
)
PREPARED = replace(SESSION, preparation=REPORT)


def chips(session, health: SessionHealth | None = None):
    found = health_chips(session, health or session_health(session))
    return {chip.name: chip for chip in found}


def test_a_simulated_session_is_told_apart_from_a_recorded_one():
    assert (chips(SESSION)["Origin"].text, chips(SESSION)["Origin"].role) == (
        "simulated",
        "warning",
    )
    real = replace(SESSION, provenance=replace(SESSION.provenance, is_simulated=False))
    assert chips(real)["Origin"].text == "recorded"


def test_units_and_trials_with_what_was_dropped():
    found = chips(PREPARED)
    assert found["Units"].text.startswith("24 units, ")
    assert found["Units"].tooltip == "24 of 30 units kept: 6 not good."
    assert found["Trials"].text == "40 of 60 trials kept: 15 slow, 5 no-go"
    assert found["Trials"].role == "warning"
    assert found["Trials"].tooltip == "Left out:\n15 slow\n5 no-go"


def test_a_session_that_came_prepared_says_that_nothing_is_known():
    assert chips(SESSION)["Trials"].text == "40 trials"
    assert "not recorded" in chips(SESSION)["Trials"].tooltip


def test_nothing_dropped_is_no_warning():
    whole = replace(REPORT, n_trials_given=40, trials_dropped=())
    trials = chips(replace(SESSION, preparation=whole))["Trials"]
    assert (trials.text, trials.role) == ("40 of 40 trials kept", "text")
    assert trials.tooltip == "No trial was left out."


def test_good_and_silent_units():
    health = session_health(SESSION)
    assert chips(SESSION, replace(health, n_good=24))["Units"].text == "24 units, all good"
    unknown = chips(SESSION, replace(health, n_good=None, n_silent=2))["Units"]
    assert unknown.text == "24 units"
    assert unknown.tooltip == (
        "The quality of the units is not recorded.\n2 of them have no spike in these trials."
    )
    one = SESSION.take_units(np.arange(1))
    assert chips(one)["Units"].text.startswith("1 unit, ")


def test_drift_is_shown_by_fifths_and_marked_where_it_is_much():
    health = replace(session_health(SESSION), rate_hz_by_fifth=(4.0, 4.0, 3.0, 2.0, 2.0))
    drift = chips(SESSION, health)["Drift of the mean rate"]
    assert (drift.text, drift.role) == ("rate drift \N{MINUS SIGN}67 %", "warning")
    assert drift.bars == (1.0, 1.0, 0.75, 0.5, 0.5)
    calm = replace(health, rate_hz_by_fifth=(4.0, 4.1))
    assert chips(SESSION, calm)["Drift of the mean rate"].role == "text"
    silent = replace(health, rate_hz_by_fifth=(0.0, 0.0))
    assert chips(SESSION, silent)["Drift of the mean rate"].bars == (0.0, 0.0)
    single = replace(health, rate_hz_by_fifth=(4.0,))
    assert "Drift of the mean rate" not in chips(SESSION, single)


def test_missing_behaviour_is_named_with_its_reason():
    missing = chips(PREPARED)["Missing behaviour"]
    assert missing.text == "without whisker motion energy"
    assert missing.tooltip == "whisker motion energy: not in this recording"
    health = replace(session_health(SESSION), behaviors_missing=())
    whole = replace(health, behaviors_partial=())
    assert chips(SESSION, whole)["Missing behaviour"].text == "all behaviour"
    gaps = chips(SESSION, replace(health, behaviors_partial=(("licks", 3),)))["Missing behaviour"]
    assert gaps.text == "behaviour, with gaps"
    assert gaps.tooltip == "licks: not in 3 of 40 trials"


def test_the_details_hold_everything_as_plain_text():
    text = health_details(PREPARED, session_health(PREPARED))
    for part in (
        "simulated: made by a program",
        "Preset default.",
        "Units &lt;all&gt;.",
        "15 slow",
    ):
        assert part in text
    plain = health_details(SESSION, session_health(SESSION))
    assert "It came prepared" in plain
    bare = replace(SESSION, provenance=replace(SESSION.provenance, notes=()))
    assert "<b>Notes</b>" not in health_details(bare, session_health(bare))
