from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_core.config_io import load_preparation
from mtm_core.data.preparation import prepare, prepare_session
from mtm_core.data.session import Behavior
from mtm_core.data.table import Column, Table
from mtm_core.errors import DataError, MissingFieldError
from tests.core.data.raw_sessions import make_raw
from tests.core.sessions import make_session

REGIONS = ("VISp2/3", "VISp5", "root", "CA1")


def config(*overrides, preset="default"):
    return load_preparation(preset, overrides)


@pytest.fixture
def session():
    """Bins of 10 ms, 24 units: 12 of Beryl's VISp in two layers, 6 of root, 6 of CA1."""
    made = make_session(regions=REGIONS)
    columns = {name: c for name, c in made.units.columns.items() if name != "is_good"}
    return replace(made, units=Table(columns))


def test_region_rules_apply_and_the_rest_stays_as_it_came(session):
    prepared = prepare_session(session, config(("prepare.min_region_units", "7")))
    assert prepared.region.tolist() == ["VISp"] * 12
    assert np.array_equal(prepared.counts, session.counts[:, :, :12])
    assert prepared.provenance == session.provenance
    report = prepared.preparation
    assert report.units_sentence == (
        "12 of 24 units kept: 6 without a named region, 6 in a region of fewer than 7"
    )
    assert report.trials_sentence == "40 of 40 trials kept"
    assert "Trials, window and behaviour: as they came, already binned." in report.rules
    assert "Units: quality is not recorded, so none was left out for it." in report.rules
    assert report.settings["bin_size_s"] == 0.01
    assert dict(report.behaviors_missing)["licks"] == "not in this recording"


def test_quality_counts_where_it_is_recorded(session):
    is_good = Column.full(np.arange(24) % 4 != 0)
    session = replace(session, units=Table({**session.units.columns, "is_good": is_good}))
    prepared = prepare_session(session, config(("prepare.min_region_units", "1")))
    assert prepared.preparation.units_dropped == (("not good", 6), ("without a named region", 4))
    assert prepared.n_units == 14


def test_good_units_that_were_asked_for_must_be_known(session):
    with pytest.raises(MissingFieldError, match="is_good"):
        prepare_session(session, config(), typed=["prepare.units"])


def test_bins_are_joined_by_whole_factors(session):
    prepared = prepare_session(
        session, config(("prepare.bin_size_s", "0.02")), typed=["prepare.bin_size_s"]
    )
    assert (prepared.n_bins, prepared.bin_size_s) == (5, 0.02)
    assert prepared.preparation.settings["bin_size_s"] == 0.02


@pytest.mark.parametrize(("asked", "nearest"), [("0.025", "0.02"), ("0.004", "0.01")])
def test_other_bins_are_refused_with_the_nearest(session, asked, nearest):
    with pytest.raises(DataError, match=f"joined by whole numbers. The nearest .* {nearest}"):
        prepare_session(session, config(("prepare.bin_size_s", asked)), typed=["bin_size_s"])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("align", "feedback"),
        ("window_start_s", "-0.1"),
        ("window_end_s", "0.5"),
        ("trials", "event"),
        ("sample_at", "right_edge"),
        ("drop_silence", "false"),
    ],
)
def test_what_only_the_recording_could_give_is_refused_if_asked_for(session, key, value):
    settings = config((f"prepare.{key}", value))
    with pytest.raises(DataError, match=rf"--prepare.{key} .* cannot be had .* already counted"):
        prepare_session(session, settings, typed=[f"prepare.{key}"])
    assert prepare_session(session, settings).n_trials == session.n_trials


def test_asking_for_what_a_session_has_is_fine():
    session = prepare(make_raw(), config(("prepare.align", "feedback")))
    settings = config(("prepare.align", "feedback"), ("prepare.trials", "brain_wide_map"))
    typed = ["prepare.align", "prepare.window_start_s", "prepare.window_end_s", "prepare.trials"]
    assert prepare_session(session, settings, typed=[*typed, "preset"]).n_trials == 6


def test_what_was_left_out_before_stays_in_the_report():
    raw = make_raw(regions=("VISp2/3",) * 6 + ("VISp5",) * 6 + ("CA1",) * 2)
    session = prepare(raw, config())
    again = prepare_session(session, config(("prepare.region_level", "given")))
    assert again.region.tolist() == ["VISp2/3"] * 6 + ["VISp5"] * 6
    assert not again.units.has("region_given")
    report = again.preparation
    assert report.units_sentence == "12 of 14 units kept: 2 in a region of fewer than 5"
    assert "Before: Preset default." in report.rules
    assert report.settings["region_level"] == "given"
    assert report.settings["trials"] == "brain_wide_map"
    assert report.behaviors_missing == session.preparation.behaviors_missing


def test_the_same_reason_met_twice_is_one_entry_of_the_report():
    raw = make_raw(regions=("CA1",) * 6 + ("VISp5",) * 8 + ("DG",) * 2)
    session = prepare(raw, config())
    again = prepare_session(session, config(("prepare.min_region_units", "7")))
    assert dict(again.preparation.units_dropped) == {
        "in a region of fewer than 5": 2,
        "in a region of fewer than 7": 6,
    }
    named = prepare_session(again, config(("prepare.regions", "VISp")))
    assert named.preparation.units_dropped == again.preparation.units_dropped


def test_behaviour_that_is_there_is_not_missing(session):
    licks = Behavior(
        values=np.zeros((session.n_trials, session.n_bins), dtype=np.float32),
        is_valid=np.ones(session.n_trials, dtype=bool),
    )
    prepared = prepare_session(replace(session, behaviors={"licks": licks}), config())
    assert "licks" not in dict(prepared.preparation.behaviors_missing)
    assert prepared.behaviors["licks"].is_valid.all()


def test_nothing_left_is_refused(session):
    with pytest.raises(DataError, match="No unit is left of"):
        prepare_session(session, config(("prepare.min_region_units", "50")))
