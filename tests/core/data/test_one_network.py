from __future__ import annotations

import errno
import socket
import threading
import time

import pytest
import requests

from mtm_core.data import one_network
from mtm_core.data.one_client import OneClient
from mtm_core.data.one_datasets import check_entry, details_on_disk, on_record
from mtm_core.data.one_network import explain, explain_status
from mtm_core.data.one_records import SearchQuery, SessionEntry
from mtm_core.errors import (
    DataError,
    DownloadError,
    LoginError,
    NetworkError,
    UnreachableError,
)
from tests.core.data.one_world import FIRST, SECOND

URL = "https://alyx.invalid/sessions"
EID = "56956777-dca5-468c-87cb-78150432cc57"
DATASET = {
    "id": EID,
    "name": "spikes.times.npy",
    "collection": "alf/probe00",
    "data_url": "https://files.invalid/spikes.times.npy",
    "file_size": 10,
}


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (requests.Timeout(), UnreachableError, "alyx.invalid took a connection and then fell"),
        (requests.exceptions.SSLError("expired"), UnreachableError, "certificate of alyx.invalid"),
        (requests.exceptions.ProxyError(), UnreachableError, "The proxy on the way to alyx"),
        (requests.ConnectionError(), UnreachableError, "connection to alyx.invalid was lost"),
        (requests.exceptions.ChunkedEncodingError(), UnreachableError, "was lost"),
        (ValueError("Expecting value"), NetworkError, "could not be read: expecting value. Try"),
    ],
)
def test_what_went_wrong_on_the_way_is_a_sentence(error, kind, said):
    explained = explain(error, URL)
    assert type(explained) is kind
    assert said in str(explained)
    assert str(explained).endswith(".")


@pytest.mark.parametrize(
    ("status", "detail", "kind", "said"),
    [
        (401, "", LoginError, "did not accept the token"),
        (403, '{"detail":"Invalid token."}', LoginError, "shown at https://alyx.invalid/me"),
        (403, "not yours", LoginError, "does not let this account see"),
        (404, "", DownloadError, "does not have /sessions"),
        (429, "", UnreachableError, "wait a minute"),
        (502, "", UnreachableError, "has a fault of its own (502)"),
        (418, "a teapot", NetworkError, "refused the request (418): a teapot."),
        (400, "", NetworkError, "no reason given"),
    ],
)
def test_every_refusal_is_a_sentence(status, detail, kind, said):
    explained = explain_status(status, URL, detail)
    assert type(explained) is kind
    assert said in str(explained)


@pytest.mark.parametrize(
    "wrong",
    [
        {"lab": "../.."},
        {"subject": "a/b"},
        {"subject": ""},
        {"date": ".."},
        {"eid": "../x"},
        {"eid": None},
        {"lab": "a\x00b"},
    ],
)
def test_a_record_of_which_no_folder_can_be_made_is_refused(wrong):
    right = {"eid": EID, "lab": "labalpha", "subject": "SIM_001", "date": "2024-01-01"}
    check_entry(SessionEntry(**right))
    with pytest.raises(NetworkError, match="cannot be used"):
        check_entry(SessionEntry(**{**right, **wrong}))


@pytest.mark.parametrize(
    ("row", "url", "n_bytes", "md5"),
    [
        ({}, "https://files.invalid/spikes.times.npy", 10, None),
        ({"data_url": None}, None, 10, None),
        ({"data_url": "file:///etc/passwd"}, None, 10, None),
        ({"file_size": None}, "https://files.invalid/spikes.times.npy", None, None),
        (
            {"hash": EID.upper(), "file_size": 0},
            "https://files.invalid/spikes.times.npy",
            None,
            EID.replace("-", ""),
        ),
        ({"hash": ""}, "https://files.invalid/spikes.times.npy", 10, None),
    ],
)
def test_records_are_read_as_they_come(row, url, n_bytes, md5):
    (dataset,) = on_record({"data_dataset_session_related": [{**DATASET, **row}]})
    assert (dataset.url, dataset.n_bytes, dataset.md5) == (url, n_bytes, md5)
    assert dataset.path.as_posix() == "alf/probe00/spikes.times.npy"


def test_a_dataset_without_an_id_takes_the_one_of_its_address():
    row = {**DATASET, "id": None, "url": f"https://alyx.invalid/datasets/{EID}/"}
    assert on_record({"data_dataset_session_related": [row]})[0].dataset_id == EID
    assert on_record({"data_dataset_session_related": [{**row, "url": ""}]}) == []
    assert on_record({}) == []


def test_a_session_without_a_folder_has_no_details():
    with pytest.raises(DataError, match="is not in the cache"):
        details_on_disk(SessionEntry(eid=EID))


def test_a_server_that_is_down_is_found_out_before_anything_slow(alyx, home, cache_dir):
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    listener.close()
    begin = time.monotonic()
    with pytest.raises(UnreachableError, match="refuses connections: the server is down"):
        OneClient.connect(f"http://127.0.0.1:{port}", cache_dir=cache_dir, mode="remote")
    assert time.monotonic() - begin < 3
    client = OneClient.connect(f"http://127.0.0.1:{port}", cache_dir=cache_dir)
    assert not client.is_online
    assert "server is down" in client.why_offline


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (socket.gaierror(-3, "Temporary failure"), "could not be looked up: there is no network"),
        (TimeoutError(), "does not answer: there is no network, or the server is down"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "network is unreachable"),
        (UnicodeError("label too long"), "could not be looked up"),
    ],
)
def test_no_network_is_said_so(error, said, monkeypatch):
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(one_network.socket, "create_connection", refuse)
    with pytest.raises(UnreachableError, match=said) as raised:
        one_network.probe("https://alyx.invalid")
    assert "alyx.invalid" in str(raised.value)
    assert "go on with the sessions of the cache" in str(raised.value)


def test_a_name_that_is_looked_up_forever_is_given_up(monkeypatch):
    release = threading.Event()

    def hang(*_: object) -> None:
        release.wait()
        raise TimeoutError

    monkeypatch.setattr(one_network.socket, "create_connection", hang)
    begin = time.monotonic()
    with pytest.raises(UnreachableError, match="does not answer"):
        one_network.probe("https://alyx.invalid", seconds=0.1)
    assert time.monotonic() - begin < 2
    release.set()
    next(t for t in threading.enumerate() if t.name == "mtm-probe").join()


def test_a_proxy_is_probed_in_place_of_the_server(monkeypatch):
    asked = []
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.invalid:3128")
    monkeypatch.setenv("NO_PROXY", "")

    def remember(address: tuple[str, int], _: float) -> None:
        asked.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(one_network.socket, "create_connection", remember)
    with pytest.raises(UnreachableError, match=r"proxy.invalid refuses"):
        one_network.probe("https://alyx.invalid")
    assert asked == [("proxy.invalid", 3128)]


def test_without_a_network_cached_sessions_open_and_others_say_why(connect, alyx, monkeypatch):
    eid = alyx.eid(FIRST)
    connect().download(eid)

    def refuse(*_: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(one_network.socket, "create_connection", refuse)
    client = connect()
    assert not client.is_online
    assert client.read(eid).origin.eid == eid
    assert [entry.eid for entry in client.search()] == [eid]
    assert client.search(SearchQuery(subject="SIM_002")) == []
    with pytest.raises(DataError, match=r"not in the cache .* there is no network"):
        client.download(alyx.eid(SECOND))


def test_a_network_that_goes_away_after_login_is_said_so(client, alyx, monkeypatch):
    def refuse(*_: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr(one_network.socket, "create_connection", refuse)
    with pytest.raises(UnreachableError, match="refuses connections"):
        client.download(alyx.eid(FIRST))
    assert not alyx.n_fetched
