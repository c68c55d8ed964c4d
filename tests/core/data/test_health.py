from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_core.config_io import load_preparation
from mtm_core.data.health import session_health
from mtm_core.data.preparation import prepare
from mtm_core.data.session import Behavior
from mtm_core.data.table import Table
from tests.core.data.raw_sessions import make_raw, make_trials
from tests.core.sessions import make_session


def test_a_prepared_session_says_what_was_kept_and_dropped():
    raw = make_raw(is_good=[True] * 10 + [False] * 2, trials=make_trials(choice=[0, *[1] * 5]))
    settings = load_preparation("default", [("prepare.units", "all")])
    health = session_health(prepare(raw, settings))
    assert (health.n_units, health.n_good, health.n_silent) == (12, 10, 0)
    assert (health.n_trials, health.n_trials_dropped) == (5, 1)
    assert health.trials_dropped == (("no-go", 1),)
    assert dict(health.behaviors_missing)["licks"] == "not in this recording"
    assert health.is_simulated


def test_a_steady_recording_does_not_drift():
    health = session_health(prepare(make_raw(), load_preparation()))
    assert health.rate_hz_by_fifth == pytest.approx([10.0] * 5, rel=0.01)
    assert health.drift == pytest.approx(0.0, abs=0.01)


def test_a_recording_that_is_not_prepared_here_says_what_it_can():
    session = make_session()
    columns = {name: c for name, c in session.units.columns.items() if name != "is_good"}
    health = session_health(replace(session, units=Table(columns)))
    assert health.n_good is None
    assert health.n_trials_dropped is None
    assert health.trials_dropped == ()
    assert [name for name, _ in health.behaviors_missing][:2] == ["wheel_velocity", "wheel_speed"]


def test_drift_is_the_change_from_the_first_fifth_to_the_last():
    counts = np.repeat(np.arange(1, 6), 8)[:, None, None] * np.ones((1, 10, 4))
    session = make_session(n_trials=40, n_units=4)
    health = session_health(replace(session, counts=counts.astype(np.uint8)))
    assert health.rate_hz_by_fifth == pytest.approx([100, 200, 300, 400, 500])
    assert health.drift_by_fifth == pytest.approx([-2 / 3, -1 / 3, 0, 1 / 3, 2 / 3])
    assert health.drift == pytest.approx(4 / 3)


def test_few_trials_have_fewer_parts_and_silence_has_no_drift():
    session = make_session(n_trials=2)
    health = session_health(replace(session, counts=np.zeros_like(session.counts)))
    assert health.rate_hz_by_fifth == (0.0, 0.0)
    assert health.drift == 0.0
    assert health.n_silent == session.n_units


def test_behaviour_that_is_valid_in_some_trials_only_is_named():
    session = make_session()
    is_valid = np.arange(40) > 2
    values = np.zeros((40, session.n_bins), dtype=np.float32)
    behaviors = {
        "licks": Behavior(values=values, is_valid=np.ones(40, dtype=bool)),
        "wheel_speed": Behavior(values=values, is_valid=is_valid),
    }
    health = session_health(replace(session, behaviors=behaviors))
    assert health.behaviors_partial == (("wheel_speed", 3),)
    assert [name for name, _ in health.behaviors_missing][:2] == [
        "wheel_velocity",
        "whisker_motion_energy",
    ]
