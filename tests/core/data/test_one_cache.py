from __future__ import annotations

import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mtm_core.data.one_cache import Cache, regions_of
from mtm_core.data.one_client import OneClient
from mtm_core.data.one_notes import Note, Notes
from mtm_core.data.one_records import SearchQuery
from mtm_core.errors import ConfigError, DataError
from tests.core.data.one_world import FIRST, OTHER, PLACES, SECOND, SPIKES, THIRD

NYU11 = "56956777-dca5-468c-87cb-78150432cc57"


def local(folder) -> OneClient:
    return OneClient.connect(cache_dir=folder, mode="local")


def test_a_labs_folder_without_tables_is_listed_and_opened(shelf):
    client = local(shelf)
    assert [entry.subject for entry in client.search()] == [OTHER, THIRD, SECOND, FIRST]
    assert all(entry.is_cached and entry.eid is None for entry in client.search())
    raw = client.read("SIM_003/2024-02-01/002")
    assert raw.origin.session_id == "labbeta/SIM_003/2024-02-01/002"
    assert raw.origin.eid is None


def test_a_folder_with_tables_of_one_is_opened_by_its_eids(shelf, tmp_path, home):
    from one.alf.cache import make_parquet_db
    from one.api import One

    shutil.copytree(shelf / "labalpha", tmp_path / "lab/labalpha")
    make_parquet_db(tmp_path / "lab", hash_files=False)
    eid = str(One(tmp_path / "lab").search(subject=SECOND)[0])
    client = local(tmp_path / "lab")
    assert [entry.eid for entry in client.search(SearchQuery(subject=SECOND))] == [eid]
    assert client.download(eid) == tmp_path / "lab" / PLACES[SECOND]
    assert client.read(eid).origin.session_id == eid


def test_damaged_tables_are_passed_over(shelf, tmp_path, home):
    shutil.copytree(shelf / "labbeta", tmp_path / "lab/labbeta")
    (tmp_path / "lab/sessions.pqt").write_bytes(b"PAR1 and then nothing")
    assert [entry.eid for entry in local(tmp_path / "lab").search()] == [None]


@pytest.mark.parametrize(
    "layout", ["NYU-11/2020-02-21/1", "Subjects/NYU-11/2020-02-21/001", "NYU-11/2020-02-21/001"]
)
def test_a_public_session_in_a_labs_layout_has_its_public_eid(layout, shelf, tmp_path):
    shutil.copytree(shelf / PLACES[FIRST], tmp_path / layout)
    client = local(tmp_path)
    assert client.search()[0].eid == NYU11
    assert client.download(NYU11) == tmp_path / layout
    listed = client.search(SearchQuery(pick_list="brain-wide-map", only_cached=True))
    assert [entry.eid for entry in listed] == [NYU11]


def test_a_pick_list_is_shown_offline(tmp_path):
    entries = local(tmp_path).search(SearchQuery(pick_list="paper-40"))
    assert len(entries) == 40
    assert not any(entry.is_cached for entry in entries)
    lab = local(tmp_path).search(SearchQuery(pick_list="brain-wide-map", lab="angelaki"))
    assert {entry.lab for entry in lab} == {"angelakilab"}


def test_a_folder_that_is_not_there_is_an_empty_cache(tmp_path):
    client = local(tmp_path / "nowhere")
    assert client.search() == []
    assert client.cached() == []
    assert client.prune(older_than_days=0).n_files == 0
    assert not (tmp_path / "nowhere").exists()
    with pytest.raises(DataError, match=r"not in the cache .*nowhere.* as asked"):
        client.read(NYU11)


def test_regions_are_those_that_the_channels_lie_in(shelf, tmp_path):
    assert regions_of(shelf / PLACES[OTHER]) == ("VISp",)
    assert "CA1" in (regions_of(shelf / PLACES[FIRST]) or ())
    assert regions_of(tmp_path) is None


def test_a_region_is_found_at_every_level(shelf):
    client = local(shelf)
    for word in ("VISp", "VISp6a", "visp", "Isocortex"):
        found = client.search(SearchQuery(region=word, subject="OTHER"))
        assert [entry.subject for entry in found] == [OTHER], word
    assert client.search(SearchQuery(region="CA1", subject="OTHER")) == []


def test_the_cache_says_what_is_there(client, alyx, shelf):
    shutil.copytree(shelf / PLACES[OTHER], client.cache_dir / PLACES[OTHER])
    folder = client.download(alyx.eid(FIRST))
    ours, theirs = client.cached()
    assert (ours.entry.eid, ours.is_ours, ours.is_whole) == (alyx.eid(FIRST), True, True)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert ours.n_files == len(files)
    assert ours.n_bytes == sum(path.stat().st_size for path in files)
    assert abs(datetime.now(UTC) - datetime.fromisoformat(ours.last_used)) < timedelta(minutes=1)
    assert (theirs.entry.subject, theirs.is_ours, theirs.is_whole) == (OTHER, False, True)


def test_pruning_removes_what_was_downloaded_and_nothing_else(client, alyx, shelf):
    shutil.copytree(shelf / PLACES[OTHER], client.cache_dir / PLACES[OTHER])
    folder = client.download(alyx.eid(FIRST))
    own = folder / "my notes.txt"
    own.write_text("mine")
    planned = client.prune(older_than_days=0, dry_run=True)
    assert (folder / SPIKES).exists()
    done = client.prune(older_than_days=0)
    assert done == planned
    assert done.sessions == (alyx.eid(FIRST),)
    assert done.n_bytes > 0
    assert [path for path in folder.rglob("*") if path.is_file()] == [own]
    assert (client.cache_dir / PLACES[OTHER] / SPIKES).exists()
    assert [each.entry.subject for each in client.cached()] == [OTHER]


def test_pruning_by_name_and_by_age(client, alyx):
    eids = [alyx.eid(FIRST), alyx.eid(SECOND)]
    for eid in eids:
        client.download(eid)
    assert client.prune(older_than_days=1).sessions == ()
    assert client.prune(["SIM_001/2024-01-01/1"]).sessions == (eids[0],)
    notes = Cache(client.cache_dir).notes
    path = client.cache_dir / ".mtm-viewer/sessions" / f"{eids[1]}.json"
    now = notes.find(eids[1]).last_used
    path.write_text(path.read_text().replace(now, "2020-01-01T00:00:00+00:00"))
    assert client.prune(older_than_days=1).sessions == (eids[1],)
    assert client.cached() == []
    assert not (client.cache_dir / "labalpha").exists()


def test_pruning_removes_parts_of_broken_downloads(client, alyx):
    alyx.faults.slow_s = 0.01
    seen = []
    client.download(
        alyx.eid(FIRST), progress=seen.append, should_stop=lambda: seen[-1].n_bytes > 50_000
    )
    parts = list(client.cache_dir.rglob("*.part"))
    assert parts
    report = client.prune()
    assert report.n_leftovers == report.n_files == len(parts)
    assert report.sessions == ()
    assert not list(client.cache_dir.rglob("*.part"))


def test_a_session_that_is_being_downloaded_is_not_pruned(client, alyx):
    from filelock import FileLock

    client.download(alyx.eid(FIRST))
    with FileLock(Notes(client.cache_dir).lock_path(alyx.eid(FIRST))):
        assert client.prune(older_than_days=0).n_files == 0
    assert client.prune(older_than_days=0).n_files > 0


def test_what_this_program_did_not_download_is_not_removed_by_name(shelf):
    with pytest.raises(DataError, match="was not downloaded by this program"):
        local(shelf).prune(["SIM_001/2024-01-01/001"])


def test_a_damaged_note_is_passed_over_and_the_session_looked_up_anew(client, alyx, shelf):
    eid = alyx.eid(FIRST)
    client.download(eid)
    path = client.cache_dir / ".mtm-viewer/sessions" / f"{eid}.json"
    for text in ("", "[]", "{}", '{"files": 3}', path.read_text().replace('"alf/', '"../alf/')):
        path.write_text(text)
        assert Notes(client.cache_dir).find(eid) is None
    alyx.n_fetched.clear()
    client.download(eid)
    assert not alyx.n_fetched
    assert Notes(client.cache_dir).find(eid).is_whole


def test_a_session_that_is_read_only_opens(client, alyx, monkeypatch):
    eid = alyx.eid(FIRST)
    client.download(eid)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(client.cache_dir), "mkdir", refuse)
    assert local(client.cache_dir).read(eid).origin.eid == eid


def test_a_note_holds_only_while_every_file_has_its_size(client, alyx):
    eid = alyx.eid(FIRST)
    folder = client.download(eid)
    note = Notes(client.cache_dir).find(eid)
    assert note.holds(client.cache_dir)
    assert not replace(note, is_whole=False).holds(client.cache_dir)
    os.truncate(folder / SPIKES, 10)
    assert not note.holds(client.cache_dir)


def test_a_note_is_never_looked_for_by_a_path(tmp_path):
    notes = Notes(tmp_path)
    assert notes.find("../../secret") is None
    assert Note(eid="x", lab="", subject="", date="", number=1, folder="a", url="").files == ()


def test_an_address_that_is_none_is_refused(home):
    for url in ("ftp://alyx.org", "https://", "http://host:port"):
        with pytest.raises(ConfigError, match="is no address of a database"):
            OneClient.connect(url)
