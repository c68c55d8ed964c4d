from __future__ import annotations

import re

import h5py
import numpy as np
import pytest

from mtm_core.data.nwb import is_nwb_file, read_nwb
from mtm_core.data.nwb_units import acronym_of
from mtm_core.errors import DataError, MtmError, SessionFileError
from tests.core.data.small_nwb import EID, choices, contrasts, replace, sides, write_small_nwb

GENERATIONS = ("new", "old")


@pytest.fixture(params=GENERATIONS)
def raw(request, tmp_path):
    return read_nwb(write_small_nwb(tmp_path / "s.nwb", request.param))


def read_changed(tmp_path, change, generation="new"):
    return read_nwb(write_small_nwb(tmp_path / "s.nwb", generation, change))


def test_spikes_are_sorted_by_time_within_each_probe(raw):
    assert [probe.probe for probe in raw.spikes] == ["probe00", "probe01"]
    first, second = raw.spikes
    assert first.times_s.tolist() == [0.1, 1.0, 1.25, 3.0, 8.0]
    assert first.clusters.tolist() == [0, 1, 1, 0, 0]
    assert (first.first_unit, second.first_unit) == (0, 2)
    assert second.times_s.tolist() == [0.5, 1.5, 2.5, 9.0]
    assert set(second.clusters.tolist()) == {0}


def test_units_are_in_the_order_of_probe_and_cluster_also_those_without_spikes(raw):
    assert raw.units.values("unit_id").tolist() == ["uuid-3", "uuid-1", "uuid-0", "uuid-2"]
    assert raw.units.values("cluster_id").tolist() == [0, 1, 0, 1]
    assert raw.units.values("probe").tolist() == ["probe00", "probe00", "probe01", "probe01"]
    assert raw.units.values("is_good").tolist() == [True, False, True, False]
    assert raw.units.values("depth_um").tolist() == [400.0, 200.0, 100.0, 300.0]


def test_regions_become_acronyms_and_units_without_one_are_void(raw):
    assert raw.units.values("region").tolist() == ["void", "VISp6a", "CA1", "void"]
    assert raw.units.values("region_beryl").tolist() == ["void", "VISp", "CA1", "void"]
    assert any("2 of 4 units have no region" in note for note in raw.origin.notes)


def test_trials_speak_our_words(raw):
    trials = raw.trials
    assert trials.values("choice").tolist() == choices().tolist()
    left = sides()
    assert trials.values("stim_side").tolist() == np.where(left, 1, -1).tolist()
    assert trials.column("stim_side").is_valid.all()  # also at contrast 0
    np.testing.assert_allclose(trials.values("contrast_left"), np.where(left, contrasts(), 0))
    np.testing.assert_allclose(trials.values("contrast_right"), np.where(left, 0, contrasts()))
    assert trials.values("feedback").tolist().count(-1) == 2
    assert not trials.column("first_movement_s").is_valid[5]
    assert trials.values("stim_on_s")[1] == pytest.approx(10.6)
    assert trials.values("reward_volume_ul")[0] == 1.5
    assert trials.values("block").tolist() == [0.8] * 12


def test_signals_have_their_own_times_and_conversion(raw):
    assert set(raw.signals) == {"wheel_position", "whisker_motion_energy"}
    wheel = raw.signals["wheel_position"]
    np.testing.assert_allclose(wheel.values, np.sin(wheel.times_s))
    whisker = raw.signals["whisker_motion_energy"]
    assert whisker.times_s[:3].tolist() == [1.0, 1.5, 2.0]
    assert whisker.values.max() == 259.0  # the left camera's, not the right one's
    assert raw.events["licks"].tolist() == [1.0, 3.0]


def test_where_it_came_from_is_told(raw):
    origin = raw.origin
    assert origin.session_id == origin.eid == EID
    assert (origin.subject, origin.lab, origin.date) == ("SYN_001", "testlab", "2024-01-02")
    assert not origin.is_simulated


def test_both_generations_give_the_same(tmp_path):
    new, old = (read_nwb(write_small_nwb(tmp_path / f"{g}.nwb", g)) for g in GENERATIONS)
    for table in ("units", "trials"):
        ours, theirs = getattr(new, table).columns, getattr(old, table).columns
        assert set(ours) == set(theirs)
        for name, column in ours.items():
            np.testing.assert_array_equal(column.values, theirs[name].values, err_msg=name)
            np.testing.assert_array_equal(column.is_valid, theirs[name].is_valid, err_msg=name)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({1: "right", -1: "left", 0: "no_go"}, None),  # the turn, as some files name it
        ({1: "left", -1: "right", 0: "no_go"}, "sign of choice was turned round"),
    ],
)
def test_a_choice_named_left_or_right_is_checked_by_the_rewards(tmp_path, words, sentence):
    def change(file):
        replace(file, "intervals/trials/mouse_wheel_choice", [words[c] for c in choices()])

    raw = read_changed(tmp_path, change)
    assert raw.trials.values("choice").tolist() == choices().tolist()
    assert any(sentence in note for note in raw.origin.notes) if sentence else True


def test_a_simulated_file_is_recognised(tmp_path):
    def change(file):
        replace(file, "session_description", "Simulated session of a known coupling.")

    assert read_changed(tmp_path, change).origin.is_simulated


def test_the_right_camera_serves_where_the_left_is_unusable(tmp_path):
    def change(file):
        left = "processing/motion_energy/LeftCameraMotionEnergy"
        replace(file, f"{left}/timestamps", np.arange(10.0))

    raw = read_changed(tmp_path, change)
    assert raw.signals["whisker_motion_energy"].values.max() == 25900.0
    assert any("right camera" in note for note in raw.origin.notes)


def test_missing_series_are_no_error(tmp_path):
    def change(file):
        del file["processing"]

    raw = read_changed(tmp_path, change)
    assert not raw.signals
    assert not raw.events


def test_regions_of_anatomical_coordinates_serve_where_electrodes_have_none(tmp_path):
    def change(file):
        del file["general/extracellular_ephys/electrodes"]
        top = "general/localization/AnatomicalCoordinatesTableIBLBregmaProbe00"
        replace(file, f"{top}/id", [0, 1])
        replace(file, f"{top}/localized_entity", [3, 0])
        replace(file, f"{top}/brain_region", ["Field CA3", "DG"])

    raw = read_changed(tmp_path, change)
    assert raw.units.values("region").tolist() == ["CA3", "void", "DG", "void"]


def test_ids_are_made_of_session_probe_and_cluster_where_there_are_no_uuids(tmp_path):
    def change(file):
        del file["units/cluster_uuid"]

    raw = read_changed(tmp_path, change)
    assert raw.units.values("unit_id")[2] == f"{EID}/probe01/0"


def test_without_names_units_are_counted_on_a_single_probe(tmp_path):
    def change(file):
        for name in ("probe_name", "unit_name", "cluster_uuid", "max_electrode"):
            del file[f"units/{name}"]

    raw = read_changed(tmp_path, change)
    assert [probe.probe for probe in raw.spikes] == ["probe00"]
    assert raw.units.values("cluster_id").tolist() == [0, 1, 2, 3]
    assert set(raw.units.values("region").tolist()) == {"void"}


def test_cluster_ids_that_are_not_unique_are_not_believed(tmp_path):
    raw = read_changed(tmp_path, lambda file: replace(file, "units/cluster_id", [5] * 4), "old")
    assert raw.units.values("cluster_id").tolist() == [0, 1, 0, 1]


def test_a_table_without_choice_and_contrast_has_no_such_columns(tmp_path):
    def change(file):
        for name in ("choice", "contrast_left", "feedback_type"):
            del file[f"intervals/trials/{name}"]

    raw = read_changed(tmp_path, change, "old")
    assert not {"choice", "stim_side", "feedback"} & set(raw.trials.columns)


def test_a_wheel_in_other_units_is_left_out_and_said(tmp_path):
    def change(file):
        file["processing/wheel/WheelPosition/data"].attrs["unit"] = "meters"

    raw = read_changed(tmp_path, change)
    assert "wheel_position" not in raw.signals
    assert any("it is in meters" in note for note in raw.origin.notes)


def test_a_file_without_an_eid_is_named_by_its_session(tmp_path):
    def change(file):
        replace(file, "general/session_id", "day 3")

    origin = read_changed(tmp_path, change).origin
    assert (origin.session_id, origin.eid) == ("day 3", None)


def test_full_names_of_regions_become_acronyms():
    assert acronym_of("Primary visual area, layer 6a") == "VISp6a"
    assert acronym_of("Primary visual area layer 6a") == "VISp6a"
    assert acronym_of("Dentate gyrus, molecular layer") == "DG-mo"


def _spoil(name: str, values: object):
    return lambda file: replace(file, name, values)


def _remove(name: str):
    def change(file):
        del file[name]

    return change


def _huge(file):
    del file["units/spike_times"]
    file.create_dataset("units/spike_times", shape=(2**40,), dtype="f8", chunks=(1024,))
    replace(file, "units/spike_times_index", [1, 2, 3, 2**40])


def _external(file):
    del file["units/spike_times"]
    file["units/spike_times"] = h5py.ExternalLink("other.h5", "/x")


def _endless_text(file):
    words = ["x" * 12_000_000, *["none"] * 11]
    replace(file, "intervals/trials/mouse_wheel_choice", words)


def _rate_less(file):
    del file["processing/motion_energy/LeftCameraMotionEnergy/starting_time"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (_remove("units"), "holds no units"),
        (_remove("units/spike_times"), "units without spike times"),
        (_remove("units/id"), "units/id' is missing"),
        (_remove("intervals"), "has no trials"),
        (_spoil("units/spike_times_index", [1, 0, 6, 9]), "does not divide"),
        (_spoil("units/spike_times_index", [4, 6, 6, 10]), "does not divide"),
        (_spoil("units/ibl_quality_score", [1.0, 1.0]), "the table has 4 rows"),
        (_spoil("units/ibl_quality_score", ["a", "b", "c", "d"]), "text where numbers"),
        (_spoil("units/spike_times", 1e9 * np.arange(9.0)), "look like samples"),
        (_huge, "declares"),
        (_external, "damaged"),
        (_endless_text, "holds text of more than"),
        (_rate_less, "neither timestamps nor a starting time"),
        (_spoil("intervals/trials/feedback_time", [1.0]), "the table has 12 rows"),
        (_spoil("processing/wheel/WheelPosition/data", ["x"]), "text where numbers"),
    ],
)
def test_a_damaged_file_is_one_sentence(tmp_path, change, sentence):
    with pytest.raises(DataError) as caught:
        read_changed(tmp_path, change)
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value)


def test_trials_without_a_known_event_are_refused_by_name(tmp_path):
    def change(file):
        trials = file["intervals/trials"]
        for name in list(trials):
            if name.endswith("_time"):
                trials.move(name, f"odd_{name}")

    with pytest.raises(SessionFileError, match=r"odd_auditory_cue_time.*bring_your_own"):
        read_changed(tmp_path, change)


def test_an_external_link_is_never_followed(tmp_path):
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = np.arange(9.0)
    with pytest.raises(SessionFileError, match="points to another file"):
        read_changed(tmp_path, _external)


@pytest.mark.parametrize("share", [0.02, 0.3, 0.6, 0.95])
def test_a_truncated_file_is_one_sentence(tmp_path, share):
    path = write_small_nwb(tmp_path / "s.nwb")
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(SessionFileError):
        read_nwb(path)


def test_flipped_bytes_never_crash(tmp_path):
    path = write_small_nwb(tmp_path / "s.nwb")
    whole = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    # The HDF5 library itself can loop for ever on a damaged heap of texts.
    heap = [m.start() for m in re.finditer(b"GCOL", whole.tobytes())]
    places = np.setdiff1d(np.arange(len(whole)), [h + i for h in heap for i in range(4096)])
    rng = np.random.default_rng(0)
    n_refused = 0
    for _ in range(60):
        spoilt = whole.copy()
        spoilt[rng.choice(places, 40)] = rng.integers(0, 256, 40)
        path.write_bytes(spoilt.tobytes())
        try:
            read_nwb(path)
        except MtmError:
            n_refused += 1
    assert n_refused > 0


def test_what_is_nwb_is_told_from_other_files(tmp_path):
    assert is_nwb_file(write_small_nwb(tmp_path / "s.nwb"))
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = 1
    (tmp_path / "text.nwb").write_text("no")
    assert not is_nwb_file(tmp_path / "other.h5")
    assert not is_nwb_file(tmp_path / "text.nwb")
    assert not is_nwb_file(tmp_path)
    with pytest.raises(SessionFileError, match="not NWB"):
        read_nwb(tmp_path / "other.h5")
