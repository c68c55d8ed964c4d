"""Listing files and looking through folders."""

from __future__ import annotations

import itertools
from pathlib import Path

import h5py
import pytest

from mtm_core.data.session_file import write_session
from mtm_viewer.jobs.shelf_job import (
    ListRequest,
    ScanRequest,
    describe_source,
    list_work,
    scan_work,
)
from tests.core.data.small_nwb import write_small_nwb
from tests.core.sessions import make_session
from tests.viewer.recordings import EXCERPT, write_simulated

EID = "5dcee0eb-b34d-4652-acc3-d10afc6eae68"


@pytest.fixture(scope="module")
def disk(tmp_path_factory):
    """A disk with a session of each kind, and things that are none."""
    root = tmp_path_factory.mktemp("disk")
    write_simulated(root / "data", trials=10, units=10)
    write_session(make_session(), root / "prepared.h5")
    write_small_nwb(root / "sub-1.nwb")
    (root / "broken.nwb").write_bytes(b"no HDF5")
    (root / ".hidden.h5").write_bytes(b"x")
    (root / "notes.txt").write_text("x")
    with h5py.File(root / "other.h5", "w") as file:
        file["x"] = 1
    (root / "raw_video").mkdir()
    write_session(make_session(), root / "raw_video" / "inside.h5")
    return root


def never() -> bool:
    return False


def scan(*roots: Path):
    return list(scan_work(ScanRequest(roots=roots), never))


def test_a_folder_is_looked_through_for_sessions_of_every_kind(disk):
    last = scan(disk)[-1]
    assert last.is_complete
    kinds = {row.name: row.kind for row in last.rows}
    (simulated,) = [row for row in last.rows if row.kind == "ALF folder"]
    del kinds[simulated.name]
    assert kinds == {"prepared": "session file", "sub-1": "NWB file", "broken": "NWB file"}
    assert simulated.is_simulated
    assert simulated.n_probes
    assert simulated.where.startswith(str(disk)) or simulated.where.startswith("~")


def test_broken_files_are_listed_with_what_is_wrong(disk):
    rows = {row.name: row for row in scan(disk)[-1].rows}
    assert "no NWB file" in rows["broken"].problem
    assert rows["sub-1"].problem == ""


def test_a_session_file_is_described_by_its_header(disk):
    row = describe_source(str(disk / "prepared.h5"))
    assert (row.n_units, row.n_trials, row.is_simulated) == (24, 40, True)
    assert row.regions == ("VISp", "CA1", "DG")


def test_sessions_are_shown_as_they_are_found(disk):
    answers = scan(disk)
    assert len(answers[0].rows) < len(answers[-1].rows)
    assert not answers[0].is_complete


def test_looking_can_be_stopped(disk):
    asked = itertools.count()
    answers = list(scan_work(ScanRequest(roots=(disk,)), lambda: next(asked) > 1))
    assert not any(answer.is_complete for answer in answers)


def test_dropped_files_and_folders_are_listed_together(disk):
    rows = scan(disk / "prepared.h5", EXCERPT)[-1].rows
    assert [row.kind for row in rows] == ["session file", "ALF folder"]


def test_listing_keeps_the_order_and_marks_what_is_gone(disk):
    bundled = (str(disk / "prepared.h5"),)
    (answer,) = list_work(ListRequest(bundled=bundled, recent=(EID, "/gone.h5")), never)
    assert [row.name for row in answer.bundled] == ["prepared"]
    eid, gone = answer.recent
    assert (eid.kind, eid.problem) == ("IBL session", "")
    assert "not there any more" in gone.problem


def test_listing_can_be_stopped(disk):
    request = ListRequest(bundled=(str(disk / "prepared.h5"),))
    assert list(list_work(request, lambda: True)) == []


def test_a_damaged_session_file_says_so(tmp_path):
    path = tmp_path / "cut.h5"
    write_session(make_session(), path)
    path.write_bytes(path.read_bytes()[:3000])
    assert describe_source(str(path)).problem


def test_a_folder_of_another_layout_is_called_so(tmp_path):
    assert describe_source(str(tmp_path)).kind == "own layout"


def test_a_damaged_note_of_origin_is_told(tmp_path):
    folder = tmp_path / "s" / "alf"
    folder.mkdir(parents=True)
    (folder / "_mtm_session.origin.json").write_text("{")
    assert "damaged" in describe_source(str(folder.parent)).problem


@pytest.mark.parametrize("work", [list_work, scan_work])
def test_other_work_is_not_for_these_threads(work):
    with pytest.raises(TypeError, match="it cannot do str"):
        next(work("CA1", never))
