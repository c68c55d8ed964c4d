from __future__ import annotations

import errno
import threading
import time

import pytest
from filelock import FileLock

from mtm_core import resources
from mtm_core.config_io import load_preparation
from mtm_core.data import prepare_file
from mtm_core.data.prepare_file import prepare_one
from mtm_core.data.prepare_task import Task, Wishes, output_name, plan_outputs
from mtm_core.data.session_file import read_session, write_session
from mtm_core.errors import OutputError
from tests.core.data.byo_folder import write_long_byo_folder
from tests.core.data.small_nwb import write_small_nwb
from tests.core.sessions import make_session

DEFAULT = Wishes(config=load_preparation())
OTHER = Wishes(config=load_preparation("default", [("prepare.units", "all")]))


@pytest.fixture
def task(tmp_path):
    folder = write_long_byo_folder(tmp_path / "mine")
    return Task(source=str(folder), out=tmp_path / "s.h5")


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_source_becomes_a_session_file_and_nothing_else(task):
    outcome = prepare_one(task, DEFAULT)
    assert outcome.status == "prepared"
    session = read_session(task.out)
    assert (outcome.n_trials, outcome.n_bins, outcome.n_units) == session.counts.shape
    assert outcome.session_id == session.session_id
    assert outcome.trials_sentence == "30 of 30 trials kept"
    assert outcome.seconds > 0
    assert names(task.out.parent) == ["mine", "s.h5"]


def test_the_same_again_is_kept_untouched(task):
    prepare_one(task, DEFAULT)
    before = task.out.stat().st_mtime_ns
    outcome = prepare_one(task, DEFAULT)
    assert (outcome.status, outcome.n_units) == ("kept", 12)
    assert task.out.stat().st_mtime_ns == before


def test_other_settings_are_refused_unless_overwriting_is_asked_for(task):
    prepare_one(task, DEFAULT)
    before = task.out.read_bytes()
    refused = prepare_one(task, OTHER)
    assert refused.status == "failed"
    assert "other settings (units good, not all)" in refused.problem
    assert "--overwrite" in refused.problem
    assert task.out.read_bytes() == before
    replaced = prepare_one(task, Wishes(config=OTHER.config, overwrite=True))
    assert replaced.status == "prepared"
    assert read_session(task.out).preparation.settings["units"] == "all"


def test_a_damaged_session_that_is_there_is_said(task):
    prepare_one(task, DEFAULT)
    image = bytearray(task.out.read_bytes())
    image[len(image) // 2 :] = bytes(len(image) - len(image) // 2)
    task.out.write_bytes(bytes(image))
    outcome = prepare_one(task, DEFAULT)
    assert outcome.status == "failed"
    assert "is there already" in outcome.problem


def test_a_file_that_is_no_session_is_never_replaced(task):
    task.out.write_text("my thesis")
    outcome = prepare_one(task, Wishes(config=DEFAULT.config, overwrite=True))
    assert outcome.status == "failed"
    assert "no session file" in outcome.problem
    assert task.out.read_text() == "my thesis"


def test_a_source_is_never_its_own_output(tmp_path):
    path = tmp_path / "s.h5"
    write_session(make_session(), path)
    before = path.read_bytes()
    outcome = prepare_one(
        Task(source=str(path), out=path), Wishes(config=OTHER.config, overwrite=True)
    )
    assert "is the source itself" in outcome.problem
    assert path.read_bytes() == before


def test_no_good_units_and_no_trials_left_are_sentences(task, tmp_path):
    folder = tmp_path / "mine"
    trials = (folder / "trials.csv").read_text()
    clusters = (folder / "clusters.csv").read_text()
    (folder / "clusters.csv").write_text(clusters.replace("CA1,1", "CA1,0").replace("p,1", "p,0"))
    assert "12 not good" in prepare_one(task, DEFAULT).problem
    (folder / "clusters.csv").write_text(clusters)
    (folder / "trials.csv").write_text(trials.replace(".3,", ".0,"))
    assert "30 fast" in prepare_one(task, DEFAULT).problem
    assert names(tmp_path) == ["mine"]


def test_a_damaged_nwb_file_and_a_wrong_folder_are_sentences(tmp_path):
    path = write_small_nwb(tmp_path / "s.nwb")
    path.write_bytes(path.read_bytes()[:3000])
    out = tmp_path / "s.h5"
    assert "truncated" in prepare_one(Task(source=str(path), out=out), DEFAULT).problem
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "is no recording" in prepare_one(Task(source=str(empty), out=out), DEFAULT).problem
    assert names(tmp_path) == ["empty", "s.nwb"]


def test_a_full_disk_is_a_sentence_and_leaves_nothing(task, monkeypatch):
    def full(path):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(resources, "_flush_to_disk", full)
    outcome = prepare_one(task, DEFAULT)
    assert "no space left on device" in outcome.problem
    assert names(task.out.parent) == ["mine"]


def test_what_nobody_foresaw_fails_one_source_only(task, monkeypatch):
    def broken(*_, **__):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(prepare_file, "prepare_source", broken)
    outcome = prepare_one(task, DEFAULT)
    assert outcome.problem == "Unexpected ZeroDivisionError: oh. Please report it."

    def too_large(*_, **__):
        raise MemoryError

    monkeypatch.setattr(prepare_file, "prepare_source", too_large)
    assert "memory" in prepare_one(task, DEFAULT).problem


def test_an_output_in_no_folder_is_a_sentence(task, tmp_path):
    lost = Task(source=task.source, out=tmp_path / "nowhere" / "s.h5")
    assert "Could not write" in prepare_one(lost, DEFAULT).problem


def test_ctrl_c_in_the_middle_leaves_nothing_half_written(task, monkeypatch):
    def interrupted(path):
        raise KeyboardInterrupt

    monkeypatch.setattr(resources, "_flush_to_disk", interrupted)
    with pytest.raises(KeyboardInterrupt):
        prepare_one(task, DEFAULT)
    assert names(task.out.parent) == ["mine"]


def test_who_stops_gets_no_file(task):
    outcome = prepare_one(task, DEFAULT, should_stop=lambda: True)
    assert outcome.status == "stopped"
    assert not task.out.exists()


def test_who_comes_second_waits_and_keeps_what_the_first_has_made(task):
    lock = FileLock(task.out.with_name(".s.h5.lock"))
    lock.acquire()
    told, found = [], []
    second = threading.Thread(
        target=lambda: found.append(prepare_one(task, DEFAULT, progress=told.append))
    )
    second.start()
    while not told:
        time.sleep(0.01)
    assert "another process" in told[0]
    done = Task(source=task.source, out=task.out.with_name("first.h5"))
    prepare_one(done, DEFAULT)
    done.out.rename(task.out)
    lock.release()
    second.join(30)
    assert found[0].status == "kept"
    assert names(task.out.parent) == ["mine", "s.h5"]


def test_who_waits_can_be_stopped(task):
    with FileLock(task.out.with_name(".s.h5.lock")):
        outcome = prepare_one(task, DEFAULT, should_stop=lambda: True)
    assert outcome.status == "stopped"


def test_outputs_are_planned(tmp_path):
    assert [t.out for t in plan_outputs(["demo:a", "b.nwb"], tmp_path)] == [
        tmp_path / "a.h5",
        tmp_path / "b.h5",
    ]
    (single,) = plan_outputs(["demo:a"], tmp_path / "x.h5")
    assert single.out == tmp_path / "x.h5"


@pytest.mark.parametrize(
    ("sources", "out", "said"),
    [
        (["a"], "nowhere", "Make the folder first"),
        (["a"], "nowhere/s.h5", "there is no folder"),
        (["a"], "s.nwb", "nor a file name ending in .h5"),
        (["a", "b"], "s.h5", "there are 2 sources"),
        (["x/s.nwb", "y/s.nwb"], ".", "would both become"),
    ],
)
def test_outputs_that_cannot_be_are_refused(tmp_path, sources, out, said):
    with pytest.raises(OutputError, match=said):
        plan_outputs(sources, tmp_path / out)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("data/lab/Subjects/KS023/2019-12-10/1", "lab_KS023_2019-12-10_001"),
        ("7502ae93-7437-4bcd-9e14-d73b51193656", "7502ae93-7437-4bcd-9e14-d73b51193656"),
        ("demo:steinmetz2019_s12", "steinmetz2019_s12"),
        ("data/sub-a_ses-b.nwb", "sub-a_ses-b"),
    ],
)
def test_an_output_is_named_after_its_source(source, name):
    assert output_name(source) == name
