from __future__ import annotations

import h5py
import numpy as np
import pytest

from mtm_core.config import PreparationConfig
from mtm_core.config_io import load_preparation
from mtm_core.data.conditions import available_conditions
from mtm_core.data.preparation import prepare
from mtm_core.data.raw import ProbeSpikes, Signal
from mtm_core.data.session_file import read_session, write_session
from mtm_core.errors import DataError, MissingFieldError, SessionFileError
from tests.core.data.raw_sessions import STIM_ON_S, make_raw, make_trials, steady_spikes

NAN = np.nan


def test_the_default_makes_the_hundred_bins_of_the_paper():
    session = prepare(make_raw(), load_preparation())
    assert session.counts.shape == (6, 100, 12)
    assert session.session_id == "made-by-hand"
    assert session.provenance.align_event == "stimulus onset"
    assert (session.window_start_s, session.bin_size_s) == (-0.5, 0.02)
    assert session.provenance.is_simulated
    assert session.provenance.notes == ("Made for a test.",)


def test_counts_are_those_of_the_kept_units_in_the_kept_trials():
    spikes = steady_spikes(12)
    extra = 0.01 + STIM_ON_S[3]  # three spikes of unit 7 in the bin that opens with the stimulus
    times = np.concatenate([spikes.times_s, [extra] * 3])
    clusters = np.concatenate([spikes.clusters, [7] * 3])
    order = np.argsort(times, kind="stable")
    probe = ProbeSpikes(probe="probe00", times_s=times[order], clusters=clusters[order])
    choice = [1, 0, 1, -1, 1, -1]
    raw = make_raw(
        spikes=[probe], trials=make_trials(choice=choice), is_good=[False, *[True] * 11]
    )
    session = prepare(raw, load_preparation())
    assert session.trials.values("trial_id").tolist() == [0, 2, 3, 4, 5]
    assert session.unit_id.tolist() == [f"unit-{row}" for row in range(1, 12)]
    start = STIM_ON_S[3]
    is_in = (probe.times_s >= start) & (probe.times_s < start + 0.02) & (probe.clusters == 7)
    assert session.counts[2, 25, 6] == is_in.sum() >= 3


def test_probes_are_merged_and_gaps_of_one_are_covered_by_the_other():
    first, second = steady_spikes(6), steady_spikes(6)
    is_kept = (first.times_s < 13) | (first.times_s > 16)
    gappy = ProbeSpikes(
        probe="probe00", times_s=first.times_s[is_kept], clusters=first.clusters[is_kept]
    )
    other = ProbeSpikes(
        probe="probe01", times_s=second.times_s, clusters=second.clusters, first_unit=6
    )
    both = prepare(make_raw(spikes=[gappy, other]), load_preparation())
    assert both.counts.shape == (6, 100, 12)
    assert not both.counts[1, :, :6].any()
    assert both.counts[1, :, 6:].any()
    alone = prepare(make_raw(regions=("CA1",) * 6, spikes=[gappy]), load_preparation())
    assert alone.preparation.trials_sentence == (
        "5 of 6 trials kept: 1 not covered by the recording"
    )


def test_units_without_a_spike_never_shift_the_others():
    spikes = steady_spikes(12)
    is_kept = spikes.clusters != 4
    probe = ProbeSpikes(
        probe="probe00", times_s=spikes.times_s[is_kept], clusters=spikes.clusters[is_kept]
    )
    session = prepare(make_raw(spikes=[probe]), load_preparation("paper"))
    assert session.unit_id.tolist() == [f"unit-{row}" for row in range(12) if row != 4]
    assert session.preparation.units_dropped == (("without a spike", 1),)


def test_units_silent_in_the_kept_trials_stay_and_are_counted_in_a_note():
    spikes = steady_spikes(12)
    is_kept = (spikes.clusters != 4) | (spikes.times_s < 2)
    probe = ProbeSpikes(
        probe="probe00", times_s=spikes.times_s[is_kept], clusters=spikes.clusters[is_kept]
    )
    session = prepare(make_raw(spikes=[probe]), load_preparation())
    assert session.n_units == 12
    assert "1 of the units have no spike in the kept trials." in session.provenance.notes


def test_the_report_says_what_was_kept_and_why_the_rest_was_not():
    raw = make_raw(
        regions=("CA1",) * 6 + ("VISp5",) * 6 + ("DG",) * 2 + ("void",),
        is_good=[True] * 14 + [True],
        trials=make_trials(choice=[0, 1, 1, 1, 1, 1], block=[0.5, NAN, *[0.5] * 4]),
    )
    report = prepare(raw, load_preparation()).preparation
    assert report.trials_sentence == "4 of 6 trials kept: 1 no-go, 1 missing events"
    assert report.units_sentence == (
        "12 of 15 units kept: 2 in a region of fewer than 5, 1 without a named region"
    )
    assert report.share_of_trials_dropped == pytest.approx(1 / 3)
    assert report.rules[0] == "Preset default."
    assert report.settings["align"] == "stim_on"


def test_the_paper_preset_keeps_every_unit_and_every_trial_with_the_event():
    raw = make_raw(
        regions=("CA1",) * 6 + ("void",) * 2 + ("",) * 2 + ("DG",) * 2,
        is_good=[False] * 12,
        trials=make_trials(choice=[0] * 6, block=None, first_movement_s=None),
    )
    session = prepare(raw, load_preparation("paper"))
    assert session.counts.shape == (6, 100, 12)
    assert session.region.tolist() == raw.units.values("region").tolist()


def test_slow_units_are_left_out_by_their_rate_in_the_kept_trials():
    fast, slow = steady_spikes(6, rate_hz=20), steady_spikes(6, rate_hz=2)
    other = ProbeSpikes(
        probe="probe01", times_s=slow.times_s, clusters=slow.clusters, first_unit=6
    )
    session = prepare(make_raw(spikes=[fast, other]), PreparationConfig(min_rate_hz=5))
    assert session.region_names() == ("CA1",)
    assert session.preparation.units_dropped == (("below 5 Hz", 6),)


def test_the_trial_table_holds_events_from_the_align_event_and_all_else_as_it_was():
    raw = make_raw(trials=make_trials(go_cue_s=[10.5, *[NAN] * 5], reward_volume_ul=[3] * 6))
    session = prepare(raw, load_preparation("default", [("prepare.align", "first_movement")]))
    trials = session.trials
    np.testing.assert_allclose(trials.values("align_s"), STIM_ON_S + 0.25)
    np.testing.assert_allclose(trials.values("stim_on_s"), -0.25)
    np.testing.assert_allclose(trials.values("feedback_s"), 0.25)
    np.testing.assert_allclose(trials.values("reaction_time_s"), 0.25)
    assert trials.column("go_cue_s").is_valid.tolist() == [True] + [False] * 5
    assert trials.values("go_cue_s")[:2].tolist() == [0.25, 0.0]
    assert trials.values("reward_volume_ul").tolist() == [3] * 6
    assert available_conditions(session) == (
        "contrast_side",
        "contrast",
        "feedback",
        "choice",
        "block",
    )


def behaving(**signals):
    times = np.arange(0.0, 40.0, 0.005)
    return make_raw(
        signals={
            "wheel_position": Signal(times_s=times, values=-2 * times),
            "whisker_motion_energy": Signal(times_s=times[:4000], values=times[:4000]),
            **signals,
        },
        events={"licks": np.array([10.01, 10.01, 14.6])},
    )


def test_behaviours_come_in_bins_each_with_its_own_validity():
    session = prepare(behaving(), load_preparation())
    assert list(session.behaviors) == [
        "wheel_velocity",
        "wheel_speed",
        "whisker_motion_energy",
        "licks",
    ]
    np.testing.assert_allclose(session.behaviors["wheel_velocity"].values, -2, rtol=1e-4)
    np.testing.assert_allclose(session.behaviors["wheel_speed"].values, 2, rtol=1e-4)
    whiskers = session.behaviors["whisker_motion_energy"]
    assert whiskers.is_valid.tolist() == [True, True, True, False, False, False]
    assert whiskers.values[0, 0] == pytest.approx(9.51, abs=1e-4)
    licks = session.behaviors["licks"]
    assert licks.values[0, 25] == 2
    assert licks.values.sum() == 3
    assert licks.is_valid.all()
    assert session.preparation.behaviors_missing == ()


def test_the_paper_samples_behaviour_at_the_right_edge():
    session = prepare(behaving(), load_preparation("paper"))
    assert session.behaviors["whisker_motion_energy"].values[0, 0] == pytest.approx(9.52, abs=1e-4)


def test_what_is_missing_is_said_with_the_reason():
    late = Signal(times_s=np.arange(50.0, 60.0, 0.01), values=np.zeros(1000))
    raw = make_raw(
        signals={"whisker_motion_energy": late},
        trials=make_trials(contrast_left=None, choice=[NAN] * 6),
    )
    session = prepare(raw, load_preparation("paper"))
    missing = dict(session.preparation.behaviors_missing)
    assert session.behaviors == {}
    assert missing == {
        "wheel_velocity": "not in this recording",
        "wheel_speed": "not in this recording",
        "licks": "not in this recording",
        "whisker_motion_energy": "recorded, but it covers none of the kept trials",
        "contrast": "not in this recording",
        "choice": "unknown in every kept trial",
    }


def test_a_recording_with_velocity_or_speed_only_gives_what_it_can():
    times = np.arange(0.0, 40.0, 0.01)
    velocity = Signal(times_s=times, values=np.full(4000, -1.5))
    session = prepare(make_raw(signals={"wheel_velocity": velocity}), load_preparation())
    assert session.behaviors["wheel_velocity"].values[0, 0] == -1.5
    assert session.behaviors["wheel_speed"].values[0, 0] == 1.5
    session = prepare(make_raw(signals={"wheel_speed": velocity}), load_preparation())
    assert set(session.behaviors) == {"wheel_speed"}


def test_everything_that_the_rules_lack_is_said_at_once_with_the_way_out():
    raw = make_raw(quality=False, trials=make_trials(first_movement_s=None))
    with pytest.raises(MissingFieldError) as caught:
        prepare(raw, load_preparation())
    text = str(caught.value)
    assert "--prepare.trials brain_wide_map: trials have no first_movement_s" in text
    assert "--prepare.units good: units have no quality label" in text
    assert "--prepare.units all --prepare.trials event" in text
    assert prepare(raw, load_preparation("paper")).n_units == 12


@pytest.mark.parametrize(
    ("trials", "offer"),
    [
        (make_trials(), "Align to one of: stim_on, first_movement, feedback."),
        (make_trials(stim_on_s=None, first_movement_s=None, feedback_s=None), "no known event"),
    ],
)
def test_an_event_that_is_not_recorded_is_answered_with_those_that_are(trials, offer):
    columns = {name: c for name, c in trials.columns.items() if name != "go_cue_s"}
    raw = make_raw(trials=type(trials)(columns))
    with pytest.raises(MissingFieldError, match=offer):
        prepare(raw, load_preparation("paper", [("prepare.align", "go_cue")]))


def test_no_good_units_are_said_with_the_way_out():
    raw = make_raw(is_good=[False] * 12)
    with pytest.raises(DataError, match=r"left of 12 clusters: 12 not good.*--prepare.units all"):
        prepare(raw, load_preparation())


def test_regions_that_are_all_too_small_are_said():
    raw = make_raw(regions=("CA1", "DG", "VISp"))
    with pytest.raises(DataError, match="3 in a region of fewer than 5"):
        prepare(raw, load_preparation())


@pytest.mark.parametrize(
    ("factor", "what"), [(30_000, "spikes of probe00 go up to"), (1 / 30_000, "trials go up to")]
)
def test_times_in_samples_are_recognised(factor, what):
    spikes = steady_spikes(12)
    probe = ProbeSpikes(probe="probe00", times_s=spikes.times_s * factor, clusters=spikes.clusters)
    with pytest.raises(DataError, match=f"{what}.*look like samples or milliseconds"):
        prepare(make_raw(spikes=[probe]), load_preparation())


def test_a_recording_without_spikes_is_refused_for_its_trials():
    empty = ProbeSpikes(probe="probe00", times_s=np.zeros(0), clusters=np.zeros(0, dtype=int))
    with pytest.raises(DataError, match="6 not covered by the recording"):
        prepare(make_raw(spikes=[empty]), load_preparation())


def test_the_recording_is_left_as_it_was():
    raw = behaving()
    before = raw.spikes[0].times_s.copy(), raw.trials.values("stim_on_s").copy()
    prepare(raw, load_preparation())
    assert np.array_equal(raw.spikes[0].times_s, before[0])
    assert np.array_equal(raw.trials.values("stim_on_s"), before[1])
    assert "region_given" not in raw.units.columns


def test_a_prepared_session_is_the_same_after_writing_and_reading(tmp_path):
    session = prepare(behaving(), load_preparation())
    write_session(session, tmp_path / "S.h5")
    again = read_session(tmp_path / "S.h5")
    assert again.preparation == session.preparation
    assert again.content_hash == session.content_hash


def test_the_rules_are_part_of_the_content():
    raw = make_raw()
    default = prepare(raw, load_preparation())
    other = prepare(raw, load_preparation("brain-wide-map", [("prepare.min_error_trials", "2")]))
    assert np.array_equal(default.counts, other.counts)
    assert default.content_hash != other.content_hash
    assert other.preparation.rules[0] == "Preset brain-wide-map, changed: min_error_trials 2."
    assert "At least 2 trials ended in an error." in other.preparation.rules


@pytest.mark.parametrize(
    ("text", "fault"),
    [("{}", "how it was prepared cannot be read"), (None, "changed or damaged")],
)
def test_a_report_that_was_changed_or_taken_out_of_the_file_is_noticed(tmp_path, text, fault):
    write_session(prepare(make_raw(), load_preparation()), tmp_path / "S.h5")
    with h5py.File(tmp_path / "S.h5", "r+") as file:
        del file["preparation"]
        if text is not None:
            file["preparation"] = text
    with pytest.raises(SessionFileError, match=fault):
        read_session(tmp_path / "S.h5")
