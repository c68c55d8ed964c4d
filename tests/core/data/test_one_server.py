"""Logging in, and what a database does wrong: each fault is one sentence."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from mtm_core.errors import (
    LoginError,
    NetworkError,
    UnreachableError,
)
from tests.core.data.one_world import FIRST, files_of
from tests.core.data.stub_alyx import PASSWORD, TOKEN, USER

ROOT = Path(__file__).parents[3]
NAME = "spikes.times.npy"


def test_a_wrong_password_is_said_so(connect):
    with pytest.raises(LoginError, match=f"did not accept the password of account '{USER}'") as e:
        connect(password="wrong horse")
    assert "wrong horse" not in str(e.value)
    assert "ORCiD" in str(e.value)


@pytest.mark.parametrize("mode", ["auto", "remote"])
def test_a_wrong_token_is_said_so(mode, connect):
    with pytest.raises(LoginError, match="did not accept the token: it is wrong, or has expired"):
        connect(username=None, password=None, token="0" * 40, mode=mode)


def test_a_token_that_expired_is_said_so_when_it_is_used(connect, alyx):
    connect()
    alyx.faults.valid_tokens = set()
    again = connect(username=None, password=None)
    assert again.is_online  # ONE keeps the token; nobody was asked yet
    with pytest.raises(LoginError, match=r"has expired\. Log in again"):
        again.search()
    with pytest.raises(LoginError, match="has expired"):
        again.download(alyx.eid(FIRST))


def test_a_token_alone_serves_where_there_are_no_passwords(connect, alyx):
    alyx.faults.has_passwords = False
    with pytest.raises(LoginError, match="ORCiD has no password and uses a token"):
        connect()
    client = connect(username=None, password=None, token=TOKEN)
    assert client.search()
    assert connect(username=None, password=None).search()  # ONE has kept it


def test_a_token_whose_owner_nobody_knows_needs_a_name(connect, alyx):
    alyx.faults.names_owner = False
    with pytest.raises(LoginError, match="name the account as well"):
        connect(username=None, password=None, token=TOKEN)
    assert connect(password=None, token=TOKEN).search()


@pytest.mark.parametrize("given", ["password", "token"])
def test_secrets_come_from_the_environment(given, connect, monkeypatch):
    if given == "token":
        monkeypatch.setenv("MTM_ALYX_TOKEN", TOKEN)
    else:
        monkeypatch.setenv("MTM_ALYX_USERNAME", USER)
        monkeypatch.setenv("MTM_ALYX_PASSWORD", PASSWORD)
    assert connect(username=None, password=None, mode="remote").search()


def test_without_an_account_the_cache_serves_and_remote_says_what_to_do(connect, alyx):
    client = connect(username=None, password=None)
    assert client.needs_login
    assert not client.is_online
    assert client.search() == []
    with pytest.raises(LoginError, match=r"Make a free account at .*/signup, then set MTM_ALYX_"):
        connect(username=None, password=None, mode="remote")
    assert not alyx.log


@pytest.mark.parametrize(
    ("status", "error", "said"),
    [
        (500, UnreachableError, r"is up but has a fault of its own \(500\)"),
        (503, UnreachableError, r"is up but has a fault of its own \(503\)"),
        (401, LoginError, "did not accept the token"),
        (429, UnreachableError, "asks for fewer requests"),
        (403, LoginError, "does not let this account see"),
    ],
)
def test_a_database_with_a_fault_is_said_so(status, error, said, client, alyx):
    alyx.faults.status = status
    begin = time.monotonic()
    with pytest.raises(error, match=said):
        client.search()
    assert time.monotonic() - begin < 5


@pytest.mark.parametrize("status", [500, 403, 418])
def test_a_fault_while_logging_in_is_said_so(status, connect, alyx):
    alyx.faults.status = status
    with pytest.raises(NetworkError, match=r"127\.0\.0\.1:\d+ .*\."):
        connect(mode="remote")


def test_a_web_page_in_place_of_an_answer_is_said_so(connect, alyx):
    client = connect()
    alyx.faults.is_garbled = True
    with pytest.raises(NetworkError, match="gave an answer that could not be read"):
        client.search()
    with pytest.raises(NetworkError, match="gave an answer that could not be read"):
        connect(mode="remote")


def test_a_server_that_falls_silent_is_given_up(connect, alyx, impatient):
    client = connect()
    alyx.faults.is_silent = True
    with pytest.raises(UnreachableError, match="took a connection and then fell silent"):
        client.search()
    with pytest.raises(UnreachableError, match="fell silent"):
        connect(mode="remote")


def test_a_file_server_that_falls_silent_is_given_up(client, alyx, impatient):
    alyx.faults.slow_s, alyx.faults.slow_bytes = 30.0, 100
    with pytest.raises(NetworkError, match="took a connection and then fell silent"):
        client.download(alyx.eid(FIRST))


@pytest.mark.parametrize(
    ("status", "error"), [(500, UnreachableError), (401, LoginError), (403, LoginError)]
)
def test_a_file_server_that_refuses_is_said_so(status, error, client, alyx):
    alyx.faults.file_status = status
    with pytest.raises(error, match=r"127\.0\.0\.1"):
        client.download(alyx.eid(FIRST))
    assert files_of(client.cache_dir) == []
