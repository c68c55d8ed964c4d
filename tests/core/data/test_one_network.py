from __future__ import annotations

import pytest
import requests

from mtm_core.data.one_datasets import check_entry, details_on_disk, on_record
from mtm_core.data.one_network import explain, explain_status
from mtm_core.data.one_records import SessionEntry
from mtm_core.errors import (
    DataError,
    DownloadError,
    LoginError,
    NetworkError,
    UnreachableError,
)

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
