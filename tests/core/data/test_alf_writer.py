from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mtm_core.data.alf import read_alf
from mtm_core.data.alf_writer import LABEL_FILE, write_alf
from mtm_core.data.alf_writer_probe import atlas_ids
from mtm_core.data.raw import RawSession
from mtm_core.data.truth_file import read_truth
from mtm_core.errors import ConfigError, OutputError
from tests.core.data.simulations import simulated


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return write_alf(simulated(), tmp_path_factory.mktemp("sessions"))


def assert_same(found: RawSession, wanted: RawSession) -> None:
    for one, other in ((found.units, wanted.units), (found.trials, wanted.trials)):
        for name in other.columns:
            np.testing.assert_array_equal(one.values(name), other.values(name), err_msg=name)
            assert (one.column(name).is_valid == other.column(name).is_valid).all(), name
    for one, other in zip(found.spikes, wanted.spikes, strict=True):
        assert (one.probe, one.first_unit) == (other.probe, other.first_unit)
        np.testing.assert_array_equal(one.times_s, other.times_s)
        np.testing.assert_array_equal(one.clusters, other.clusters)
    for name in wanted.signals:
        one, other = found.signals[name], wanted.signals[name]
        np.testing.assert_array_equal(one.times_s, other.times_s)
        np.testing.assert_array_equal(one.values, other.values)
    np.testing.assert_array_equal(found.events["licks"], wanted.events["licks"])


def test_reading_the_folder_gives_the_simulated_session(folder):
    found, wanted = read_alf(folder), simulated().raw
    assert_same(found, wanted)
    assert found.origin.session_id == wanted.origin.session_id
    assert found.origin.is_simulated
    assert any("999999999" in note for note in found.origin.notes)


def test_the_session_lies_where_ibl_would_put_it(folder):
    assert folder.parts[-5:] == ("simulated", "Subjects", "tiny-0", "2000-01-01", "001")
    assert list(folder.parent.iterdir()) == [folder]


def test_the_folder_says_how_it_was_made(folder):
    label = json.loads((folder / LABEL_FILE).read_text())
    assert label["is_simulated"] is True
    assert label["seed"] == 0
    assert label["config"]["good_units"] == 40
    assert label["eid"] == simulated().eid
    assert read_truth(folder).session_id == label["session_id"]


def test_a_revision_stands_beside_an_older_sorting(tmp_path):
    folder = write_alf(simulated(), tmp_path, sorter="iblsorter", revision="2024-05-06")
    assert_same(read_alf(folder), simulated().raw)
    older = read_alf(folder, revision="2023-01-01")
    assert len(older.spikes[0].times_s) < len(simulated().raw.spikes[0].times_s)
    assert set(older.units.values("unit_id")).isdisjoint(simulated().raw.units.values("unit_id"))


def test_a_session_without_a_sorter_folder_can_be_read(tmp_path):
    folder = write_alf(simulated(), tmp_path, sorter="")
    assert (folder / "alf/probe00/spikes.times.npy").is_file()
    assert_same(read_alf(folder), simulated().raw)


def test_all_datasets_fit_together(tmp_path):
    folder = write_alf(simulated(), tmp_path, all_datasets=True)
    probe = folder / "alf/probe01/pykilosort"
    spikes = {p.name.split(".")[1]: np.load(p) for p in probe.glob("spikes.*.npy")}
    assert set(spikes) == {"times", "clusters", "amps", "depths", "samples", "templates"}
    assert len({len(values) for values in spikes.values()}) == 1
    np.testing.assert_allclose(spikes["samples"] / 30_000, spikes["times"], atol=1e-4)
    metrics = pd.read_parquet(probe / "clusters.metrics.pqt")
    is_passing = metrics["label"].to_numpy()[spikes["clusters"]] == 1
    passing = pd.read_parquet(probe / "passingSpikes.table.pqt")
    np.testing.assert_array_equal(passing["times"], spikes["times"][is_passing])
    counts = np.bincount(spikes["clusters"], minlength=len(metrics))
    np.testing.assert_array_equal(metrics["spike_count"], counts)
    assert metrics["presence_ratio"].between(0, 1).all()
    assert (metrics["presence_ratio"][counts == 0] == 0).all()


def test_the_side_not_shown_is_nan_also_at_zero_contrast(folder):
    table = pd.read_parquet(folder / "alf/_ibl_trials.table.pqt")
    left, right = table["contrastLeft"], table["contrastRight"]
    assert (left.isna() ^ right.isna()).all()
    assert (left == 0).any() or (right == 0).any()
    rewarded = table["feedbackType"] == 1
    right_choice = np.where(left.notna(), 1, -1)
    np.testing.assert_array_equal(rewarded, table["choice"] == right_choice)


def test_the_left_camera_has_more_times_than_data(folder):
    alf = folder / "alf"
    times = np.load(alf / "_ibl_leftCamera.times.npy")
    energy = np.load(alf / "leftCamera.ROIMotionEnergy.npy")
    assert len(times) == len(energy) + 3
    assert (np.diff(times) > 0).all()


def test_atlas_ids_are_those_of_the_atlas():
    # 726 is the dentate gyrus as a whole, not its molecular layer.
    assert atlas_ids()["DG"] == 726
    assert atlas_ids()["DG-mo"] == 10703
    assert atlas_ids()["CA1"] == 382


def test_a_session_that_is_there_is_never_overwritten(tmp_path):
    folder = write_alf(simulated(), tmp_path)
    with pytest.raises(OutputError, match="is there already"):
        write_alf(simulated(), tmp_path)
    assert_same(read_alf(folder), simulated().raw)


def test_a_failure_leaves_no_half_of_a_session(tmp_path, monkeypatch):
    def full(*_args, **_more):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mtm_core.data.alf_writer.write_sorting", full)
    with pytest.raises(OutputError, match="no space left on device"):
        write_alf(simulated(), tmp_path)
    assert [p for p in tmp_path.rglob("*") if p.is_file()] == []


@pytest.mark.parametrize("words", [{"sorter": "../up"}, {"revision": "a/b"}, {"revision": ""}])
def test_names_that_are_no_folders_are_refused(tmp_path, words):
    with pytest.raises(ConfigError, match="cannot name a"):
        write_alf(simulated(), tmp_path, **words)
