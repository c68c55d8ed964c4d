"""Asking a database: connection, search, download; every fault is a sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mtm_core.data.one_records import SearchQuery, SessionEntry
from mtm_core.errors import ConfigError, DownloadError, UnknownNameError
from mtm_viewer.jobs import database_job
from mtm_viewer.jobs.database_job import (
    Account,
    DatabaseJob,
    Downloaded,
    DownloadFailure,
    DownloadJob,
    DownloadRequest,
    SearchRequest,
    connect_one,
    row_of_entry,
)
from tests.viewer.one_client import EID, FakeClient, FakeDatabase
from tests.viewer.recordings import EXCERPT

ROW = row_of_entry(SessionEntry(eid=EID, subject="KS014", date="2019-12-03", number=1))


@pytest.fixture
def database():
    return FakeDatabase(folder=EXCERPT)


def never() -> bool:
    return False


def search(job: DatabaseJob, account: Account | None = None, text: str = ""):
    request = SearchRequest(account=account or Account(), query=SearchQuery(text=text))
    return list(job(request, never))


def download(database: FakeDatabase, should_stop=never):
    told: list[object] = []
    request = DownloadRequest(account=Account(), row=ROW, report=told.append)
    (answer,) = DownloadJob(database.connect)(request, should_stop)
    return answer, told


def test_the_connection_is_told_before_the_sessions(database):
    link, found = search(DatabaseJob(database.connect))
    assert (link.is_online, link.query, link.rows) == (True, None, ())
    assert [row.name for row in found.rows] == [
        "KS014 2019-12-03 001",
        "CSH_ZAD_019 2020-08-14 001",
    ]
    assert found.rows[0].regions == ("VISp", "CA1")
    assert not found.rows[0].is_local


def test_the_connection_is_kept_between_searches_of_one_account(database):
    job = DatabaseJob(database.connect)
    search(job)
    search(job, Account(password="a password tells no two accounts apart"))
    assert len(database.accounts) == 1
    search(job, Account(attempt=1))
    assert len(database.accounts) == 2


def test_a_refused_password_is_told_and_the_old_connection_is_gone(database):
    job = DatabaseJob(database.connect)
    search(job)
    (refused,) = search(job, Account(username="me", password="wrong", attempt=1))
    assert (refused.is_refused, refused.needs_login, refused.is_online) == (True, True, False)
    assert "password" in refused.sentence
    search(job, Account())
    assert len(database.accounts) == 3


def test_without_a_network_the_sessions_on_this_machine_are_searched(database):
    database.is_down = True
    _, found = search(DatabaseJob(database.connect))
    assert (found.is_online, found.rows) == (False, ())
    assert found.sentence.startswith("There is no network.")


def test_a_server_that_goes_down_later_is_told_too(database):
    job = DatabaseJob(database.connect)
    search(job)
    database.is_down = True
    _, found = search(job)
    assert (found.is_online, found.needs_login) == (False, False)
    assert found.sentence == "The server does not answer."


def test_half_a_regions_name_says_nothing_about_the_network(database, monkeypatch):
    def unknown(*_: object):
        raise UnknownNameError("region", "CA", ["CA1"])

    monkeypatch.setattr(FakeClient, "search", unknown)
    _, found = search(DatabaseJob(database.connect))
    assert found.is_online
    assert "Did you mean 'CA1'" in found.problem


def test_damaged_settings_are_told_like_a_missing_network():
    def connect(_):
        raise ConfigError("There is no home folder.")

    (answer,) = search(DatabaseJob(connect))
    assert (answer.is_online, answer.sentence) == (False, "There is no home folder.")


def test_a_download_tells_how_far_it_is_and_where_it_ended(database):
    answer, told = download(database)
    assert answer == Downloaded(row=ROW, folder=EXCERPT)
    assert told[0].fraction == 0.4


def test_a_stopped_download_is_no_failure(database):
    database.gate.clear()
    answer, _ = download(database, lambda: True)
    assert answer == Downloaded(row=ROW, folder=None)


def test_a_failed_download_says_why(database):
    database.fault = DownloadError("spikes.times.npy did not arrive whole. Try again.")
    answer, _ = download(database)
    assert isinstance(answer, DownloadFailure)
    assert (answer.needs_login, answer.sentence.startswith("spikes.times")) == (False, True)
    database.needs_login = True
    assert download(database)[0].needs_login


def test_an_entry_that_only_a_list_knows_is_called_by_its_eid():
    row = row_of_entry(SessionEntry(eid=EID, is_cached=True))
    assert (row.name, row.source, row.is_local) == (EID, EID, True)


def test_secrets_are_neither_shown_nor_kept():
    account = Account(username="me", password="hush", token="quiet")
    assert "hush" not in repr(account)
    assert "quiet" not in repr(account)
    assert account.without_secrets() == account
    assert account.without_secrets().password is None


def test_one_is_asked_with_the_account(monkeypatch):
    asked: dict[str, object] = {}

    class Client:
        @classmethod
        def connect(cls, url, **more):
            asked.update(more, url=url)
            return cls()

    monkeypatch.setattr(database_job, "OneClient", Client)
    account = Account(url="https://x.example", username="me", mode="local")
    assert isinstance(connect_one(replace(account, password="p")), Client)
    assert (asked["url"], asked["username"], asked["password"]) == ("https://x.example", "me", "p")
    assert asked["mode"] == "local"


@pytest.mark.parametrize("kind", [DatabaseJob, DownloadJob])
def test_other_work_is_not_for_these_threads(kind, database):
    with pytest.raises(TypeError, match="it cannot do str"):
        next(kind(database.connect)("CA1", never))
