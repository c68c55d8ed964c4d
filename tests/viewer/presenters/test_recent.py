"""What was open last, between runs."""

from __future__ import annotations

from mtm_viewer.presenters.recent import MOST, RecentSession, read_recent, remember, write_recent

EID = "5dcee0eb-b34d-4652-acc3-d10afc6eae68"


def test_what_is_written_is_read_again():
    recent = [RecentSession(source=EID, name="KS014"), RecentSession(source="/a.h5", name="a")]
    assert read_recent(write_recent(recent)) == recent
    assert read_recent(write_recent(recent[:1])[0]) == recent[:1]  # QSettings unpacks one text


def test_paths_of_an_older_version_are_understood_and_rubbish_is_left_out():
    assert read_recent(["/a/b.h5", "", "{not json", '{"source": "x"}', "{}"]) == [
        RecentSession(source="/a/b.h5", name="b")
    ]
    assert read_recent(None) == []


def test_a_path_must_exist_and_an_eid_need_not(tmp_path):
    assert RecentSession(source=EID, name="x").is_there
    assert RecentSession(source=str(tmp_path), name="x").is_there
    assert not RecentSession(source=str(tmp_path / "gone.h5"), name="x").is_there


def test_only_so_many_are_remembered():
    recent: list[RecentSession] = []
    for number in range(MOST + 3):
        recent = remember(recent, RecentSession(source=str(number), name=""))
    assert len(recent) == MOST
    assert recent[0].source == str(MOST + 2)
