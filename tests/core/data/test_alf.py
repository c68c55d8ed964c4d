from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mtm_core.data.alf import read_alf
from mtm_core.data.alf_origin import origin_json
from mtm_core.data.raw import Origin
from mtm_core.errors import DataError, DatasetError, MissingDatasetError
from tests.core.data import alf_folder
from tests.core.data.alf_folder import PROBE, datasets, one_probe, write, write_one

EXCERPT = Path(__file__).parents[2] / "data" / "ibl_excerpt"


@pytest.fixture(scope="module")
def excerpt():
    return read_alf(EXCERPT)


@pytest.fixture
def raw(tmp_path):
    return read_alf(write(tmp_path))


def test_the_real_excerpt_opens_with_its_verified_totals(excerpt):
    (probe,) = excerpt.spikes
    assert probe.probe == "probe01"
    assert len(probe.times_s) == len(probe.clusters) == 126_437
    assert excerpt.units.n_rows == 262
    assert len(np.unique(probe.clusters)) == 251
    assert excerpt.units.values("is_good").sum() == 46
    assert len(np.unique(excerpt.units.values("region"))) == 21
    assert excerpt.trials.n_rows == 30
    assert probe.times_s.dtype == np.float64
    assert probe.clusters.dtype == np.uint32  # as stored, not widened


def test_the_regions_of_the_excerpt_are_those_stored_beside_the_ids(excerpt):
    path = EXCERPT / "alf/probe01/clusters.brainLocationAcronyms_ccf_2017.npy"
    assert excerpt.units.values("region").tolist() == np.load(path).tolist()


def test_the_excerpt_says_what_it_is_and_what_was_not_read(excerpt):
    origin = excerpt.origin
    assert origin.session_id.startswith("ibl_excerpt_")
    assert (origin.eid, origin.subject, origin.date, origin.lab) == (None, None, None, None)
    assert not origin.is_simulated
    assert any("wheel_velocity_20ms.npy" in note for note in origin.notes)
    assert excerpt.signals == {}
    assert excerpt.events == {}
    assert not excerpt.trials.has("response_s")
    assert not excerpt.trials.has("reward_volume_ul")


def test_probes_follow_each_other_in_one_unit_table(raw):
    first, second = raw.spikes
    assert (first.probe, first.first_unit, second.probe, second.first_unit) == (
        "probe00",
        0,
        "probe01",
        5,
    )
    assert raw.units.values("probe").tolist() == ["probe00"] * 5 + ["probe01"] * 3
    assert raw.units.values("cluster_id").tolist() == [0, 1, 2, 3, 4, 0, 1, 2]


def test_clusters_without_spikes_shift_no_label(raw):
    (first, _), units = raw.spikes, raw.units
    assert 3 not in first.clusters
    assert units.column("label").values[:5].tolist() == pytest.approx([1, 2 / 3, 1, 0, 0])
    assert units.column("label").is_valid[:5].tolist() == [True, True, True, True, False]
    assert units.column("is_good").values[:5].tolist() == [True, False, True, False, False]
    assert units.values("depth_um")[:5].tolist() == [0, 100, 200, 300, 400]


def test_regions_come_by_way_of_the_channel_of_each_unit(raw):
    assert raw.units.values("region")[:5].tolist() == ["CA1", "CA1", "VISp6a", "void", "CA1"]
    assert raw.units.values("region_beryl")[2] == "VISp"
    assert raw.units.values("region_cosmos")[2] == "Isocortex"
    assert raw.units.values("ml_um")[:2].tolist() == [0, 3]


def test_units_are_named_by_their_uuids(raw):
    files = datasets()
    uuids = [files[f"{c}/clusters.uuids.csv"]["uuids"] for c in alf_folder.CLUSTERS]
    assert raw.units.values("unit_id").tolist() == pd.concat(uuids).tolist()


def test_without_uuids_units_are_named_by_session_probe_and_cluster(tmp_path):
    raw = read_alf(write(tmp_path, one_probe(), without=[f"{PROBE}/clusters.uuids.csv"]))
    assert raw.units.values("unit_id")[1] == "testlab/TEST_001/2024-01-02/001/probe00/1"


def test_a_field_that_one_probe_lacks_is_absent_there(tmp_path):
    raw = read_alf(write(tmp_path, without=["alf/probe01/iblsorter/clusters.metrics.pqt"]))
    label = raw.units.column("label")
    assert label.is_valid.tolist() == [True] * 4 + [False] * 4
    assert raw.units.values("is_good").dtype == bool


def test_spikes_lie_as_stored(raw):
    files = datasets()
    assert np.array_equal(raw.spikes[0].times_s, files[f"{PROBE}/spikes.times.npy"])
    assert np.array_equal(raw.spikes[0].clusters, files[f"{PROBE}/spikes.clusters.npy"])
    assert raw.spikes[0].clusters.dtype == np.int32


@pytest.mark.parametrize(
    ("revision", "added_s", "said"),
    [(None, 1.0, "2024-05-06 (2 files)"), ("2023-12-31", 0.0, None)],
)
def test_each_file_comes_in_its_own_revision(tmp_path, revision, added_s, said):
    files = one_probe()
    times, sites = (f"{PROBE}/{name}" for name in ("spikes.times.npy", "channels.mlapdv.npy"))
    for path in (times, sites):
        folder, name = path.rsplit("/", 1)
        files[f"{folder}/#2024-05-06#/{name}"] = files[path] + 1.0
    raw = read_alf(write(tmp_path, files), revision=revision)
    assert np.array_equal(raw.spikes[0].times_s, files[times] + added_s)
    assert raw.units.values("ml_um")[0] == added_s
    assert any("Revisions read" in note for note in raw.origin.notes) == bool(said)
    assert said is None or any(said in note for note in raw.origin.notes)


def test_the_sorter_that_was_asked_for_is_read_and_its_absence_said(tmp_path):
    files = {**datasets(), **alf_folder.probe_datasets("alf/probe00/ks4", 4)}
    raw = read_alf(write(tmp_path, files), sorter="ks4")
    assert raw.units.n_rows == 4 + 3
    assert "There is no sorter folder 'ks4' for probe01." in raw.origin.notes
    assert "Spikes of probe00 come from alf/probe00/ks4." in raw.origin.notes


def test_a_sorter_that_every_probe_has_needs_no_words(tmp_path):
    raw = read_alf(write(tmp_path, one_probe()), sorter="pykilosort")
    assert not any("no sorter folder" in note for note in raw.origin.notes)


def test_passing_spikes_stand_in_where_all_spikes_are_not_there(tmp_path):
    files = one_probe()
    table = pd.DataFrame({k: files.pop(f"{PROBE}/spikes.{k}.npy") for k in ("times", "clusters")})
    files[f"{PROBE}/passingSpikes.table.pqt"] = table[table.clusters.isin([0, 2])]
    raw = read_alf(write(tmp_path, files))
    assert raw.units.n_rows == 5
    assert set(raw.spikes[0].clusters) == {0, 2}
    assert any("label 1 only" in note for note in raw.origin.notes)


def test_passing_spikes_are_not_needed_beside_all_spikes(tmp_path):
    files = {**one_probe(), f"{PROBE}/passingSpikes.table.pqt": b"broken"}
    assert read_alf(write(tmp_path, files)).spikes[0].times_s.size == 200


def test_the_caller_knows_the_eid_and_the_path_the_rest(tmp_path):
    origin = Origin(session_id="an-eid", source="IBL", source_id="an-eid", eid="an-eid")
    found = read_alf(write(tmp_path), origin=origin).origin
    assert (found.session_id, found.eid, found.source) == ("an-eid", "an-eid", "IBL")
    assert (found.lab, found.subject, found.date, found.number) == (
        "testlab",
        "TEST_001",
        "2024-01-02",
        1,
    )


def test_a_session_that_was_simulated_stays_so_wherever_it_is_copied(tmp_path):
    origin = Origin(session_id="x", source="simulated", source_id="1", is_simulated=True)
    note = {"alf/_mtm_session.origin.json": origin_json(origin)}
    folder = write(tmp_path, {**one_probe(), **note}, session="copied")
    found = read_alf(folder).origin
    assert found.is_simulated
    assert found.source == "simulated"
    assert found.session_id.startswith("copied_")


def test_the_id_of_a_folder_without_a_path_follows_its_spikes(tmp_path):
    first = read_alf(write(tmp_path / "a", one_probe(), session="x")).origin.session_id
    again = read_alf(write(tmp_path / "b", one_probe(), session="x")).origin.session_id
    files = one_probe()
    files[f"{PROBE}/spikes.clusters.npy"] = files[f"{PROBE}/spikes.clusters.npy"].astype(np.int64)
    wider = read_alf(write(tmp_path / "c", files, session="x")).origin.session_id
    files[f"{PROBE}/spikes.clusters.npy"][0] = 4
    other = read_alf(write(tmp_path / "d", files, session="x")).origin.session_id
    assert first == again == wider != other


@pytest.mark.parametrize("factor", [30_000.0, 2_500.0])
def test_times_in_samples_are_noticed_by_the_trials(tmp_path, factor):
    files = one_probe()
    files[f"{PROBE}/spikes.times.npy"] = files[f"{PROBE}/spikes.times.npy"] * factor
    with pytest.raises(DatasetError, match=r"probe00.*seems to hold samples \(as spikes.samples"):
        read_alf(write(tmp_path, files))


def test_a_recording_that_goes_on_after_the_trials_is_fine(tmp_path):
    files = one_probe()
    files[f"{PROBE}/spikes.times.npy"][-1] = 2 * 3600.0
    assert read_alf(write(tmp_path, files)).spikes[0].times_s[-1] == 7200


def test_only_what_a_download_asks_for_is_opened(tmp_path):
    """Everything else is rubbish, and the session is read all the same."""
    from mtm_core.data.alf import wanted_datasets

    folder = write(tmp_path)
    extra = ["alf/_ibl_leftCamera.dlc.pqt", f"{PROBE}/spikes.amps.npy", "alf/probe00/ks2/x.y.npy"]
    for path in extra:
        write_one(folder / path, b"rubbish")
    names = [str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()]
    assert set(names) - set(wanted_datasets(names)) == set(extra)
    whole = read_alf(folder)
    for path in extra:
        (folder / path).unlink()
    assert read_alf(folder).origin == whole.origin


@pytest.mark.parametrize("path", sorted(datasets()))
def test_every_file_that_is_read_is_one_that_a_download_asks_for(tmp_path, path):
    """A file that is damaged is noticed, unless the reader never needs it."""
    folder = write(tmp_path)
    (folder / path).write_bytes(b"damaged\xff\xfe")
    unneeded = ("alf/_ibl_rightCamera.times.npy", "alf/rightCamera.ROIMotionEnergy.npy")
    if path in unneeded:
        assert read_alf(folder).signals["whisker_motion_energy"].values.size
    else:
        with pytest.raises(DatasetError, match=path.rsplit("/", 1)[1]):
            read_alf(folder)


_OTHER_ARRAYS = {
    "a single value": np.float64(1.0),
    "nothing": np.zeros(0),
    "three columns": np.ones((5, 3)),
    "three dimensions": np.ones((5, 1, 2)),
    "text": np.array(list("abcde")),
    "truth values": np.ones(5, dtype=bool),
    "not a number": np.full(5, np.nan),
    "infinity": np.full(5, np.inf),
    "negative": np.full(5, -3),
    "huge": np.full(5, 2**62),
}


def test_importing_the_reader_loads_neither_pandas_nor_one():
    code = "import sys, mtm_core.data.alf; print({'pandas', 'one', 'pyarrow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.fixture(scope="module")
def shared_folder(tmp_path_factory):
    return write(tmp_path_factory.mktemp("shared"), one_probe())


@pytest.mark.parametrize("values", _OTHER_ARRAYS.values(), ids=_OTHER_ARRAYS)
@pytest.mark.parametrize("path", [path for path in one_probe() if path.endswith(".npy")])
def test_whatever_an_array_holds_the_answer_is_a_session_or_a_sentence(
    shared_folder, path, values
):
    write_one(shared_folder / path, values)
    try:
        raw = read_alf(shared_folder)
    except DataError as error:
        sentence = str(error)
    else:
        sentence = "It opens."
        assert all(column.values.ndim == 1 for column in raw.units.columns.values())
        assert len(set(raw.units.values("unit_id"))) == raw.units.n_rows == 5
        for signal in raw.signals.values():
            assert signal.times_s.shape == signal.values.shape
    finally:
        write_one(shared_folder / path, one_probe()[path])
    assert sentence.endswith(".")


@pytest.mark.parametrize("name", ["spikes.times.npy", "spikes.clusters.npy"])
def test_missing_spikes_name_file_and_folder_and_what_to_do(tmp_path, name):
    folder = write(tmp_path, one_probe(), without=[f"{PROBE}/{name}"])
    with pytest.raises(MissingDatasetError, match=rf"^{name} not found in {PROBE}\. Download"):
        read_alf(folder)


@pytest.mark.parametrize("both", [True, False])
def test_spikes_of_a_later_revision_than_asked_are_said(tmp_path, both):
    files = one_probe()
    for name in ("spikes.times.npy", "spikes.clusters.npy")[: 2 if both else 1]:
        files[f"{PROBE}/#2024-05-06#/{name}"] = files.pop(f"{PROBE}/{name}")
    with pytest.raises(MissingDatasetError, match=r"revision 2024-05-06 only, after the asked 2"):
        read_alf(write(tmp_path, files), revision="2023-01-01")


def test_passing_spikes_without_times_are_refused(tmp_path):
    files = one_probe()
    clusters = files.pop(f"{PROBE}/spikes.clusters.npy")
    del files[f"{PROBE}/spikes.times.npy"]
    files[f"{PROBE}/passingSpikes.table.pqt"] = pd.DataFrame({"clusters": clusters})
    with pytest.raises(
        MissingDatasetError, match=r"passingSpikes.table.pqt has no column 'times'"
    ):
        read_alf(write(tmp_path, files))
