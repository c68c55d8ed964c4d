from __future__ import annotations

import dataclasses
import logging

import numpy as np
import pytest

from mtm_core.data.alf import read_alf, wanted_datasets
from mtm_core.data.one_client import OneClient
from mtm_core.data.one_records import SearchQuery
from mtm_core.errors import ConfigError, DataError, MissingDatasetError, UnknownNameError
from tests.core.data.one_world import (
    FIRST,
    OTHER,
    PLACES,
    REVISION,
    SECOND,
    SPIKES,
    THIRD,
    same_files,
)
from tests.core.data.stub_alyx import PASSWORD, TOKEN


def subjects(entries) -> list[str]:
    return [entry.subject for entry in entries]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, [OTHER, THIRD, SECOND, FIRST]),
        ({"subject": "sim_00"}, [THIRD, SECOND, FIRST]),
        ({"lab": "ALPHA"}, [SECOND, FIRST]),
        ({"lab": "beta", "subject": "002"}, []),
        ({"date_from": "2024-02-01"}, [OTHER, THIRD, SECOND]),
        ({"date_to": "2024-02-01"}, [THIRD, SECOND, FIRST]),
        ({"date_from": "2024-01-15", "date_to": "2024-02-15"}, [THIRD, SECOND]),
        ({"number": 2}, [THIRD]),
        ({"region": "CA1"}, [THIRD, SECOND, FIRST]),
        ({"region": "ca1"}, [THIRD, SECOND, FIRST]),
        ({"region": "VISp"}, [OTHER]),
        ({"text": "other"}, [OTHER]),
        ({"text": "labbeta"}, [THIRD]),
        ({"text": "sim 2024-02"}, [THIRD, SECOND]),
        ({"text": "2024-02-01"}, [THIRD, SECOND]),
        ({"text": "nobody"}, []),
        ({"limit": 2}, [OTHER, THIRD]),
    ],
)
def test_online_and_offline_searches_find_the_same(query, found, client, alyx, shelf):
    online = client.search(SearchQuery(**query))
    offline = OneClient.connect(cache_dir=shelf, mode="local").search(SearchQuery(**query))
    assert subjects(offline) == found
    # The database is asked for no more than the limit, in an order of its own.
    assert len(online) == len(found)
    assert "limit" in query or subjects(online) == found


def test_an_eid_is_found_wherever_it_stands_in_the_text(client, alyx):
    entries = client.search(SearchQuery(text=alyx.eid(SECOND).upper()))
    assert subjects(entries) == [SECOND]
    assert entries[0].eid == alyx.eid(SECOND)


def test_sessions_without_spikes_are_not_listed(client):
    assert "TRAINED_1" not in subjects(client.search())


def test_a_pick_list_is_asked_for_by_its_eids(client, alyx):
    assert client.search(SearchQuery(pick_list="paper-heldout")) == []
    asked = [line for line in alyx.log if "id__in" in line]
    assert len(asked) == 1
    assert "5dcee0eb-b34d-4652-acc3-d10afc6eae68" in asked[0]


@pytest.mark.parametrize(
    ("query", "error", "said"),
    [
        ({"date_from": "1.2.2024"}, ConfigError, "should look like 2020-01-31"),
        ({"subject": "a,lab__name"}, ConfigError, "cannot be a subject"),
        ({"region": "CA9"}, UnknownNameError, "no region 'CA9'"),
        ({"pick_list": "paper-50"}, UnknownNameError, "Did you mean 'paper-40'"),
    ],
)
def test_a_query_that_cannot_be_meant_is_refused_before_asking(query, error, said, client, alyx):
    n_before = len(alyx.log)
    with pytest.raises(error, match=said):
        client.search(SearchQuery(**query))
    assert len(alyx.log) == n_before


def test_show_says_what_is_needed_and_what_is_here(client, alyx, shelf):
    eid = alyx.eid(FIRST)
    before = client.show(eid)
    assert before.probes == ("probe00", "probe01")
    assert before.entry.place == "labalpha/SIM_001/2024-01-01/001"
    assert before.entry.n_probes == 2
    assert before.n_bytes_cached == 0
    assert before.n_datasets > len(before.datasets) > 20
    client.download(eid)
    after = client.show(eid)
    assert after.n_bytes_cached == after.n_bytes == before.n_bytes
    assert after.entry.is_cached
    assert "CA1" in after.entry.regions


def test_only_what_preparing_needs_is_downloaded(client, alyx, shelf):
    folder = client.download(alyx.eid(FIRST))
    original = shelf / PLACES[FIRST]
    assert folder == client.cache_dir / PLACES[FIRST]
    assert same_files(folder, original)
    everything = [
        path.relative_to(original).as_posix() for path in original.rglob("*") if path.is_file()
    ]
    here = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    assert sorted(here) == sorted(wanted_datasets(everything))
    assert "alf/probe00/pykilosort/spikes.amps.npy" not in here


def test_a_downloaded_session_is_read_like_the_folder_it_came_from(client, alyx, shelf):
    raw = client.read(alyx.eid(SECOND))
    plain = read_alf(shelf / PLACES[SECOND])
    assert raw.origin.session_id == raw.origin.eid == alyx.eid(SECOND)
    assert (raw.origin.lab, raw.origin.subject) == ("labalpha", SECOND)
    assert (raw.origin.date, raw.origin.number) == ("2024-02-01", 1)
    for ours, theirs in zip(raw.spikes, plain.spikes, strict=True):
        np.testing.assert_array_equal(ours.times_s, theirs.times_s)
        np.testing.assert_array_equal(ours.clusters, theirs.clusters)
    assert (raw.units.columns["region"].values == plain.units.columns["region"].values).all()


@pytest.mark.parametrize(
    "ref", ["SIM_003/2024-02-01/2", "labbeta/Subjects/sim_003/2024-02-01/002"]
)
def test_a_session_is_named_by_its_place_as_well(ref, client, alyx):
    assert client.show(ref).entry.eid == alyx.eid(THIRD)
    client.download(ref)
    assert client.origin(ref).eid == alyx.eid(THIRD)


@pytest.mark.parametrize("ref", ["SIM_003/2024-02-01/1", "0" * 8 + "-0000-4000-8000-" + "0" * 12])
def test_a_session_that_nobody_knows_is_said_so(ref, client):
    with pytest.raises(DataError, match=f"knows no session {ref}"):
        client.download(ref)


def test_what_is_no_name_of_a_session_is_said_so(client):
    with pytest.raises(DataError, match="names no session: give its eid"):
        client.show("SIM_003")


def test_a_session_without_spikes_is_not_downloaded(client, alyx):
    with pytest.raises(MissingDatasetError, match="has no spikes on record"):
        client.download(alyx.eid("TRAINED_1"))
    assert not alyx.n_fetched


def test_a_second_download_asks_nobody(client, alyx):
    folder = client.download(alyx.eid(FIRST))
    n_before = len(alyx.log)
    assert client.download(alyx.eid(FIRST)) == folder
    assert len(alyx.log) == n_before


def test_refresh_fetches_what_has_changed_alone(client, alyx):
    folder = client.download(alyx.eid(FIRST))
    whole = (folder / SPIKES).read_bytes()
    (folder / SPIKES).write_bytes(whole[:100])
    alyx.n_fetched.clear()
    client.download(alyx.eid(FIRST), refresh=True)
    assert (folder / SPIKES).read_bytes() == whole
    assert alyx.n_fetched == {"spikes.times.npy": 1}


def test_a_file_that_was_cut_later_is_noticed_and_fetched_anew(client, alyx):
    folder = client.download(alyx.eid(FIRST))
    whole = (folder / SPIKES).read_bytes()
    (folder / SPIKES).write_bytes(whole[:100])
    client.download(alyx.eid(FIRST))
    assert (folder / SPIKES).read_bytes() == whole


def test_progress_counts_bytes_and_files_up_to_the_end(client, alyx):
    reports = []
    client.download(alyx.eid(FIRST), progress=reports.append)
    assert reports[0].stage == "looking up"
    assert reports[-1].stage == "done"
    counted = [report.n_bytes for report in reports if report.stage == "downloading"]
    assert counted == sorted(counted)
    last = reports[-1]
    assert last.n_bytes == last.n_bytes_total > 0
    assert last.n_files == last.n_files_total > 20
    assert last.fraction == 1.0


def test_an_estimate_comes_with_a_slow_download(client, alyx):
    alyx.faults.slow_s = 0.02
    alyx.faults.slow_bytes = 8192
    reports = []
    client.download(alyx.eid(FIRST), progress=reports.append)
    estimates = [r.seconds_left for r in reports if r.seconds_left is not None]
    assert estimates
    assert 0 < max(estimates) < 60


def test_an_address_that_only_the_datasets_own_record_has_is_used(client, alyx, shelf):
    alyx.faults.without_url = {"spikes.times.npy"}
    folder = client.download(alyx.eid(FIRST))
    assert same_files(folder, shelf / PLACES[FIRST])


def test_what_lies_on_no_file_server_counts_as_not_there(client, alyx, caplog):
    alyx.faults.nowhere = {"licks.times.npy"}
    raw = client.read(alyx.eid(FIRST))
    assert "licks" not in raw.events
    assert "licks.times.npy is on record but on no file server" in caplog.text
    alyx.faults.nowhere = {"spikes.times.npy", "spikes.clusters.npy"}
    with pytest.raises(MissingDatasetError, match="has no spikes on record"):
        client.download(alyx.eid(SECOND))


def test_the_newest_revision_is_downloaded_alone(client, alyx):
    folder = client.download(alyx.eid(FIRST))
    spikes = [path.relative_to(folder).as_posix() for path in folder.rglob("spikes.times.npy")]
    assert SPIKES in spikes
    assert all(f"#{REVISION}#" in path for path in spikes)
    assert any(f"%23{REVISION}%23" in line for line in alyx.log)


@pytest.mark.parametrize("name", ["../../../evil.npy", "/evil.npy", "..", "a\\..\\b.npy"])
def test_a_path_that_leads_out_of_the_session_is_passed_over(name, client, alyx, tmp_path):
    alyx.faults.evil_path = name
    details = client.show(alyx.eid(FIRST))
    assert all(".." not in dataset.path.parts for dataset in details.datasets)
    client.download(alyx.eid(FIRST))
    assert not list(tmp_path.rglob("*evil*"))


def test_nothing_secret_is_logged_stored_or_shown(connect, alyx, home, cache_dir, caplog):
    caplog.set_level(logging.DEBUG)
    client = connect()
    client.search()
    client.download(alyx.eid(FIRST))
    connect(username=None, password=None, token=TOKEN).search(SearchQuery(text="sim"))
    assert caplog.records
    for secret in (PASSWORD, TOKEN):
        assert secret not in caplog.text
        for path in (path for path in cache_dir.rglob("*") if path.is_file()):
            assert secret.encode() not in path.read_bytes()
    settings = [path.read_text() for path in (home / ".one").iterdir()]
    assert all(PASSWORD not in text for text in settings)
    assert any(TOKEN in text for text in settings)  # kept by ONE, as it always does


def test_credentials_do_not_show_their_secrets(connect):
    from mtm_core.data.one_records import Credentials

    shown = repr(Credentials(username="me", password="hidden-word", token="hidden-token"))
    assert "me" in shown
    assert "hidden" not in shown
    assert {field.name for field in dataclasses.fields(Credentials)} == {
        "username",
        "password",
        "token",
    }
