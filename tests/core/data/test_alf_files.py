from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mtm_core.data.alf import wanted_datasets
from mtm_core.data.alf_files import AlfFiles, parse_alf_name
from mtm_core.data.alf_plan import make_plan, sorter_collections

P = "alf/probe00/pykilosort"
UUID = str(uuid.UUID(int=7))


def _spikes(*collections):
    return [f"{c}/spikes.{a}.npy" for c in collections for a in ("times", "clusters")]


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("alf/_ibl_trials.table.pqt", ("alf", "", "ibl", "trials", "table", "pqt")),
        (f"{P}/#2024-05-06#/spikes.times.npy", (P, "2024-05-06", "", "spikes", "times", "npy")),
        ("alf/#a#/task_00/licks.times.npy", ("alf/task_00", "a", "", "licks", "times", "npy")),
        (f"alf/licks.times.{UUID}.npy", ("alf", "", "", "licks", "times", "npy")),
    ],
)
def test_a_path_is_taken_apart(path, parts):
    name = parse_alf_name(path)
    found = name.collection, name.revision, name.namespace, name.object, name.attribute
    assert (*found, name.extension) == parts


@pytest.mark.parametrize(
    "path",
    ["alf/wheel_velocity_20ms.npy", "alf/a.b.mat", "alf/a.b.part1.npy", "alf/.npy", "alf/a..npy"],
)
def test_what_is_no_dataset_is_passed_over(path):
    assert parse_alf_name(path) is None


def _find(paths, revision=None):
    name = AlfFiles(paths, revision=revision).find("licks", "times", "alf")
    return None if name is None else name.path


THREE = [f"alf/{r}licks.times.npy" for r in ("", "#2022-05-01#/", "#2024-05-06#/")]


@pytest.mark.parametrize(
    ("revision", "index"),
    [(None, 2), ("2025", 2), ("2024-05-06", 2), ("2024-05-05", 1), ("2022-05-01", 1), ("2021", 0)],
)
def test_the_last_revision_not_after_the_asked_one_serves(revision, index):
    assert _find(THREE, revision) == THREE[index]


def test_a_file_that_is_there_in_later_revisions_only_does_not_serve():
    files = AlfFiles(THREE[1:], revision="2020-01-01")
    assert files.find("licks", "times", "alf") is None
    assert files.newer["alf", "licks", "times"].path in THREE


def test_the_revision_is_chosen_for_each_file_by_itself():
    names = [f"{P}/spikes.times.npy", f"{P}/#2024-05-06#/spikes.times.npy"]
    names += [f"{P}/spikes.clusters.npy"]
    assert wanted_datasets(names) == sorted(names[1:])
    assert wanted_datasets(names, revision="2023-01-01") == sorted([names[0], names[2]])


@pytest.mark.parametrize(
    ("better", "worse"),
    [
        ("alf/licks.times.npy", "alf/licks.times.csv"),
        ("alf/_ibl_licks.times.npy", "alf/licks.times.npy"),
        ("alf/licks.times.npy", "alf/_other_licks.times.npy"),
        ("alf/licks.times.npy", f"alf/licks.times.{UUID}.npy"),
        ("alf/#2020#/licks.times.csv", "alf/_ibl_licks.times.npy"),
    ],
)
def test_of_several_files_for_one_dataset_the_better_serves(better, worse):
    assert _find([better, worse]) == _find([worse, better]) == better


def test_a_file_with_a_uuid_in_its_name_serves_where_no_other_is():
    assert _find([f"alf/licks.times.{UUID}.npy"]) == f"alf/licks.times.{UUID}.npy"


_REVISIONS = st.dates().map(str) | st.just("")


@given(st.lists(_REVISIONS, unique=True, min_size=1), st.none() | st.dates().map(str))
def test_revisions_against_a_plain_search(revisions, asked):
    paths = [f"alf/{f'#{r}#/' if r else ''}licks.times.npy" for r in revisions]
    best = None
    for revision, path in zip(revisions, paths, strict=True):
        if asked is not None and revision > asked:
            continue
        if best is None or revision > best[0]:
            best = revision, path
    assert _find(paths, asked) == (best and best[1])


_SORTERS = {
    "asked": (["ks4", "iblsorter", "pykilosort"], "ks4", "ks4"),
    "asked, absent": (["pykilosort", "iblsorter"], "ks4", "iblsorter"),
    "iblsorter first": (["pykilosort", "iblsorter", "ks"], None, "iblsorter"),
    "then pykilosort": (["pykilosort", "ks"], None, "pykilosort"),
    "then the shortest": (["kilosort3", "ks2", "ks1"], None, "ks1"),
}


@pytest.mark.parametrize(("there", "asked", "chosen"), _SORTERS.values(), ids=_SORTERS)
def test_the_sorter_folder(there, asked, chosen):
    files = AlfFiles(_spikes(*(f"alf/probe00/{name}" for name in there)))
    assert sorter_collections(files, asked) == {"probe00": f"alf/probe00/{chosen}"}


def test_spikes_right_in_the_probe_folder_are_the_shortest_path():
    files = AlfFiles(_spikes("alf/probe00", "alf/probe00/ks2", "alf/probe01/pykilosort"))
    chosen = sorter_collections(files)
    assert chosen == {"probe00": "alf/probe00", "probe01": "alf/probe01/pykilosort"}


def test_a_folder_without_a_spike_of_the_asked_revision_is_no_choice():
    paths = [*_spikes("alf/probe00/pykilosort"), *_spikes("alf/probe00/iblsorter/#2025-01-01#")]
    chosen = sorter_collections(AlfFiles(paths, revision="2024-01-01"))
    assert chosen == {"probe00": "alf/probe00/pykilosort"}


def test_spikes_without_any_folder_are_those_of_probe00():
    assert sorter_collections(AlfFiles(_spikes("alf"))) == {"probe00": "alf"}


def test_spikes_outside_alf_are_none():
    assert sorter_collections(AlfFiles(_spikes("raw_ephys_data/probe00"))) == {}


def test_the_table_of_passing_spikes_stands_in_for_one_probe_alone():
    passing = [f"alf/probe0{k}/pykilosort/passingSpikes.table.pqt" for k in (0, 1)]
    plan = make_plan([*_spikes(P), *passing])
    assert [probe.passing and probe.passing.path for probe in plan.probes] == [None, passing[1]]
    assert passing[0] not in wanted_datasets([*_spikes(P), *passing])


def test_what_a_download_asks_for():
    wanted = [
        "alf/_ibl_leftCamera.times.npy",
        "alf/_ibl_trials.stimOff_times.npy",
        "alf/_ibl_trials.table.pqt",
        "alf/_ibl_wheel.position.npy",
        "alf/_ibl_wheel.timestamps.npy",
        "alf/leftCamera.ROIMotionEnergy.npy",
        "alf/licks.times.npy",
        "alf/probe00/electrodeSites.brainLocationIds_ccf_2017.npy",
        f"{P}/#2024-05-06#/clusters.metrics.pqt",
        f"{P}/channels.mlapdv.npy",
        f"{P}/clusters.channels.npy",
        f"{P}/clusters.uuids.csv",
        f"{P}/spikes.clusters.npy",
        f"{P}/spikes.times.npy",
    ]
    left = [
        f"{P}/clusters.metrics.pqt",
        f"{P}/spikes.amps.npy",
        f"{P}/spikes.samples.npy",
        f"{P}/passingSpikes.table.pqt",
        "alf/probe00/ks2/spikes.times.npy",
        "alf/_ibl_leftCamera.dlc.pqt",
        "alf/_ibl_trials.itiDuration.npy",
        "raw_ephys_data/probe00/_spikeglx_ephysData_g0_t0.imec0.ap.cbin",
        "alf/_ibl_wheelMoves.intervals.npy",
    ]
    assert wanted_datasets([*left, *reversed(wanted)]) == sorted(wanted)


@pytest.mark.parametrize("in_alf", [True, False])
def test_alf_goes_before_the_folders_of_its_tasks(in_alf):
    tasks = [f"alf/task_0{k}/_ibl_trials.table.pqt" for k in (0, 1)]
    top = ["alf/_ibl_trials.table.pqt"] if in_alf else []
    assert wanted_datasets([*top, *tasks]) == (top or tasks)


def test_a_stray_column_in_alf_does_not_hide_the_trials_of_the_task():
    paths = ["alf/_ibl_trials.stimOff_times.npy", "alf/task_00/_ibl_trials.table.pqt"]
    assert wanted_datasets(paths) == paths[1:]
