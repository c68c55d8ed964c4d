from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtm_core.data.alf import read_alf
from mtm_core.data.regions import load_regions, region_names_of_ids
from mtm_core.errors import DataError, DatasetError
from tests.core.data.alf_folder import PROBE, datasets, one_probe, write

TIMES, CLUSTERS = f"{PROBE}/spikes.times.npy", f"{PROBE}/spikes.clusters.npy"
IDS = "brainLocationIds_ccf_2017"
CHANNEL_IDS = f"{PROBE}/channels.{IDS}.npy"
SITES = f"alf/probe00/electrodeSites.{IDS}.npy"


def _read(tmp_path, changed, without=()):
    raw = read_alf(write(tmp_path, {**one_probe(), **changed}, without=without))
    return raw, "\n".join(raw.origin.notes)


def test_spikes_out_of_order_are_sorted_with_their_clusters_and_said(tmp_path):
    files = one_probe()
    rows = np.random.default_rng(0).permutation(len(files[TIMES]))
    raw, notes = _read(tmp_path, {TIMES: files[TIMES][rows], CLUSTERS: files[CLUSTERS][rows]})
    assert np.array_equal(raw.spikes[0].times_s, files[TIMES])
    assert np.array_equal(raw.spikes[0].clusters, files[CLUSTERS])
    assert "spikes put in order of time" in notes


def test_a_few_spikes_without_a_time_are_left_out_and_counted(tmp_path):
    files = one_probe()
    files[TIMES][-2:] = np.nan
    raw, notes = _read(tmp_path, files)
    assert np.array_equal(raw.spikes[0].times_s, files[TIMES][:-2])
    assert np.array_equal(raw.spikes[0].clusters, files[CLUSTERS][:-2])
    assert "2 of 200 spikes left out: no time" in notes


def test_many_spikes_without_a_time_are_refused(tmp_path):
    files = one_probe()
    files[TIMES][10:13] = np.nan
    with pytest.raises(DatasetError, match=r"probe00.*3 of 200 spike times are not numbers"):
        _read(tmp_path, files)


@pytest.mark.parametrize("worst", [5, -1])
def test_a_cluster_out_of_range_is_refused(tmp_path, worst):
    files = one_probe()
    files[CLUSTERS][7] = worst
    with pytest.raises(DataError, match=rf"probe00.*cluster {worst}, but there are 5 clusters"):
        _read(tmp_path, files)


def test_times_and_clusters_of_different_number_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"200 spike times but 199 cluster numbers"):
        _read(tmp_path, {CLUSTERS: one_probe()[CLUSTERS][:-1]})


def test_arrays_of_one_column_are_taken_flat(tmp_path):
    files = one_probe()
    names = (TIMES, CLUSTERS, f"{PROBE}/clusters.channels.npy", f"{PROBE}/clusters.depths.npy")
    raw, _ = _read(tmp_path, {name: files[name][:, None] for name in names})
    assert np.array_equal(raw.spikes[0].times_s, files[TIMES])
    assert raw.units.values("region")[2] == "VISp6a"


def test_a_probe_without_a_spike_keeps_its_units(tmp_path):
    files = datasets()
    files[TIMES], files[CLUSTERS] = files[TIMES][:0], files[CLUSTERS][:0]
    raw = read_alf(write(tmp_path, files))
    assert (raw.units.n_rows, len(raw.spikes[0].times_s), raw.spikes[1].first_unit) == (8, 0, 5)


def test_metrics_of_another_length_are_not_joined_and_it_is_said(tmp_path):
    metrics = f"{PROBE}/clusters.metrics.pqt"
    raw, notes = _read(tmp_path, {metrics: one_probe()[metrics][:-1]})
    assert not raw.units.has("label")
    assert not raw.units.has("is_good")
    assert "probe00: clusters.metrics has 4 rows for 5 clusters and is not used." in notes


@pytest.mark.parametrize("label", [1.0, 1 - 1e-9, np.float32(1.0)])
def test_a_unit_is_good_if_its_label_is_one(tmp_path, label):
    metrics = pd.DataFrame({"label": np.array([label, 2 / 3, 0.99, 0, np.nan], np.float64)})
    raw, _ = _read(tmp_path, {f"{PROBE}/clusters.metrics.pqt": metrics})
    assert raw.units.values("is_good").tolist() == [True, False, False, False, False]
    assert raw.units.column("is_good").is_valid.tolist() == [True] * 4 + [False]


def test_uuids_that_two_units_share_are_not_used(tmp_path):
    files = datasets()
    same = files[f"{PROBE}/clusters.uuids.csv"]
    files["alf/probe01/iblsorter/clusters.uuids.csv"] = pd.DataFrame({"uuids": ["a", "b", "a"]})
    raw = read_alf(write(tmp_path, files))
    ids = raw.units.values("unit_id").tolist()
    assert ids[:5] == same["uuids"].tolist()
    assert ids[5:] == [f"testlab/TEST_001/2024-01-02/001/probe01/{k}" for k in range(3)]
    assert any("probe01: 2 units share a uuid" in note for note in raw.origin.notes)


def test_uuids_that_two_probes_share_are_not_used_in_either(tmp_path):
    files = datasets()
    files["alf/probe01/iblsorter/clusters.uuids.csv"] = files[f"{PROBE}/clusters.uuids.csv"][:3]
    ids = read_alf(write(tmp_path, files)).units.values("unit_id").tolist()
    assert len(set(ids)) == 8
    assert all(name.startswith("testlab/") for name in ids)


def test_a_unit_without_a_uuid_among_others_is_named_by_its_place(tmp_path):
    uuids = pd.DataFrame({"uuids": ["a", None, "c", "d", "e"]})
    raw, _ = _read(tmp_path, {f"{PROBE}/clusters.uuids.csv": uuids})
    assert raw.units.values("unit_id").tolist() == [
        "a",
        "testlab/TEST_001/2024-01-02/001/probe00/1",
        "c",
        "d",
        "e",
    ]


def test_electrode_sites_override_the_channels_field_by_field(tmp_path):
    raw, _ = _read(tmp_path, {SITES: np.array([672, 672, 672, 672])})
    assert raw.units.values("region").tolist() == ["CP"] * 5
    assert raw.units.values("ml_um").tolist() == [0, 3, 6, 9, 0]  # still those of the channels


def test_electrode_sites_stand_alone_where_the_lengths_differ(tmp_path):
    raw, notes = _read(tmp_path, {SITES: np.full(5, 672)})
    assert raw.units.values("region").tolist() == ["CP"] * 5
    assert not raw.units.has("ml_um")
    assert "4 channels but 5 electrode sites; the electrode sites alone are used" in notes


def test_units_on_a_channel_without_an_id_have_no_region(tmp_path):
    channels = {f"{PROBE}/clusters.channels.npy": np.array([0, 1, 2, 3, 9])}
    raw, notes = _read(tmp_path, channels)
    assert raw.units.column("region").is_valid.tolist() == [True] * 4 + [False]
    assert "1 units lie on channels without an atlas id" in notes


def test_unknown_atlas_ids_are_void_and_counted(tmp_path):
    raw, notes = _read(tmp_path, {CHANNEL_IDS: np.array([382, 123456789, 33, 0])})
    assert raw.units.values("region").tolist() == ["CA1", "void", "VISp6a", "void", "CA1"]
    assert raw.units.column("region").is_valid.all()
    assert "probe00: 1 units have an atlas id that the atlas does not know (123456789)" in notes


def test_ids_of_the_left_hemisphere_name_the_same_regions(tmp_path):
    raw, notes = _read(tmp_path, {CHANNEL_IDS: -one_probe()[CHANNEL_IDS]})
    assert raw.units.values("region").tolist() == ["CA1", "CA1", "VISp6a", "void", "CA1"]
    assert "does not know" not in notes


_PER_CLUSTER = {
    "ids": ({f"{PROBE}/clusters.{IDS}.npy": np.array([382, 33, 672, 0, 382])}, "VISp6a"),
    "acronyms": (
        {f"{PROBE}/clusters.brainLocationAcronyms_ccf_2017.npy": np.array(list("abcde"))},
        "b",
    ),
    "metrics with ids": (
        {f"{PROBE}/clusters.metrics.pqt": pd.DataFrame({"atlas_id": [382, 672, 0, 0, 0]})},
        "CP",
    ),
    "metrics with acronyms": (
        {
            f"{PROBE}/clusters.metrics.pqt": pd.DataFrame(
                {"acronym": ["CA1", "LP", "a", "b", None]}
            )
        },
        "LP",
    ),
}


@pytest.mark.parametrize(("changed", "second"), _PER_CLUSTER.values(), ids=_PER_CLUSTER)
def test_without_channels_what_the_clusters_say_serves(tmp_path, changed, second):
    channels = [path for path in one_probe() if "/channels." in path]
    raw, _ = _read(tmp_path, changed, without=channels)
    assert raw.units.values("region")[1] == second
    assert raw.units.column("region").is_valid[1]


def test_without_any_region_the_units_are_kept_and_it_is_said(tmp_path):
    raw, notes = _read(tmp_path, {}, without=[CHANNEL_IDS])
    assert not raw.units.column("region").is_valid.any()
    assert "probe00: no atlas ids on file" in notes


def test_depths_come_from_the_channels_where_the_clusters_say_none(tmp_path):
    raw, _ = _read(tmp_path, {}, without=[f"{PROBE}/clusters.depths.npy"])
    assert raw.units.values("depth_um").tolist() == [0, 20, 40, 60, 0]


def test_without_a_list_of_clusters_tables_and_spikes_count_them(tmp_path):
    arrays = [f"{PROBE}/clusters.{name}.npy" for name in ("channels", "depths")]
    raw, notes = _read(tmp_path, {}, without=arrays)
    assert raw.units.n_rows == 5
    assert raw.units.has("label")
    assert "no clusters.channels" in notes


def test_metrics_that_leave_clusters_out_do_not_count_them(tmp_path):
    gone = [path for path in one_probe() if "/clusters." in path and "metrics" not in path]
    metrics = f"{PROBE}/clusters.metrics.pqt"
    raw, notes = _read(tmp_path, {metrics: one_probe()[metrics][:4]}, without=gone)
    assert raw.units.n_rows == 5
    assert "clusters.metrics has 4 rows for 5 clusters and is not used" in notes


def test_clusters_as_fractions_are_refused(tmp_path):
    with pytest.raises(DataError, match=r"cluster numbers must be whole numbers, not float64"):
        _read(tmp_path, {CLUSTERS: one_probe()[CLUSTERS] + 0.5})


def test_text_for_a_metric_is_refused(tmp_path):
    metrics = pd.DataFrame({"label": list("good?")})
    with pytest.raises(DatasetError, match=r"probe00: metrics.label holds text"):
        _read(tmp_path, {f"{PROBE}/clusters.metrics.pqt": metrics})


def test_names_of_ids_agree_with_iblatlas():
    from iblatlas.regions import BrainRegions

    atlas = BrainRegions()
    ids = atlas.id[: len(load_regions())]
    names, n_unknown = region_names_of_ids(ids)
    assert names.tolist() == atlas.acronym[: len(ids)].tolist()
    assert n_unknown == 0


@given(st.lists(st.integers(-(2**40), 2**40) | st.sampled_from([382, -382, 0, 997])))
def test_there_are_as_many_names_as_ids(ids):
    names, n_unknown = region_names_of_ids(np.array(ids, dtype=np.int64))
    assert len(names) == len(ids)
    assert n_unknown == sum(
        name == "void" and number != 0 for name, number in zip(names.tolist(), ids, strict=True)
    )


def test_absent_ids_are_unknown():
    names, n_unknown = region_names_of_ids(np.array([np.nan, 382.0, np.nan]))
    assert (names.tolist(), n_unknown) == (["void", "CA1", "void"], 2)
