"""The files of a session: what the database has on record, and which of them are needed."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import quote, urlsplit
from uuid import UUID

from mtm_core.data.alf import wanted_datasets
from mtm_core.data.alf_folders import list_files
from mtm_core.data.one_notes import is_inside
from mtm_core.data.one_records import EID, Dataset, SessionDetails, SessionEntry
from mtm_core.data.one_server import Server
from mtm_core.errors import DataError, MissingDatasetError, NetworkError

_log = logging.getLogger(__name__)
_ROWS = "data_dataset_session_related"
_SPIKES = ("spikes.times", "passingSpikes.table")


def check_entry(entry: SessionEntry) -> None:
    """Refuse a record of which no folder could be made.

    Raises
    ------
    NetworkError
        If lab, subject or date are missing, or are no names.
    """
    parts = (entry.lab, entry.subject, entry.date)
    is_sound = all(part and "/" not in part and is_inside(part) for part in parts)
    if not is_sound or not entry.eid or not EID.fullmatch(entry.eid):
        msg = (
            f"The database's record of session {entry.eid} cannot be used: "
            f"lab '{entry.lab}', subject '{entry.subject}', date '{entry.date}'. Tell its keepers."
        )
        raise NetworkError(msg)


def on_record(record: Mapping[str, Any]) -> list[Dataset]:
    """Return every dataset of a session's record that has a sound path."""
    rows = record.get(_ROWS) or ()
    return [found for row in rows if (found := _dataset(row)) is not None]


def wanted(record: Mapping[str, Any], entry: SessionEntry) -> tuple[Dataset, ...]:
    """Return the datasets that preparing the session needs, sorted by path.

    Raises
    ------
    MissingDatasetError
        If there are no spikes among them.
    """
    by_path = {dataset.path.as_posix(): dataset for dataset in on_record(record)}
    paths = wanted_datasets(by_path)
    if not any(PurePosixPath(path).name.startswith(_SPIKES) for path in paths):
        msg = (
            f"Session {entry.place} ({entry.eid}) has no spikes on record: "
            "it was not sorted, or its sorting is not public. Choose another session."
        )
        raise MissingDatasetError(msg)
    return tuple(by_path[path] for path in paths)


def probes(record: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the labels of the session's probes, sorted."""
    rows = record.get("probe_insertion") or ()
    return tuple(sorted(str(row["name"]) for row in rows if row.get("name")))


def within_reach(
    record: Mapping[str, Any], entry: SessionEntry, server: Server
) -> tuple[Dataset, ...]:
    """Return the datasets that preparing the session needs, all with an address.

    A dataset that lies on no file server counts as not there: an older revision serves, or the
    behaviour that it holds is missing.

    Raises
    ------
    MissingDatasetError
        If there are no spikes among them.
    """
    rows = list(record.get(_ROWS) or ())
    while True:
        found = [_with_url(dataset, server) for dataset in wanted({_ROWS: rows}, entry)]
        lost = {dataset.dataset_id: dataset.path for dataset in found if dataset.url is None}
        if not lost:
            return tuple(found)
        for path in lost.values():
            _log.warning("%s is on record but on no file server.", path)
        rows = [row for row in rows if _id(row) not in lost]


def _with_url(dataset: Dataset, server: Server) -> Dataset:
    """Return the dataset with its address, from its own record if the session's lacks it."""
    if dataset.url:
        return dataset
    places = server.dataset(dataset.dataset_id).get("file_records") or ()
    urls = [
        str(each["data_url"]) for each in places if each.get("data_url") and each.get("exists")
    ]
    return replace(dataset, url=next(filter(None, map(_web_address, urls)), None))


def details_on_disk(entry: SessionEntry) -> SessionDetails:
    """Return what lies in a session's folder.

    Raises
    ------
    DataError
        If there is no folder.
    """
    if entry.local_path is None:
        msg = f"Session {entry.session_id} is not in the cache."
        raise DataError(msg)
    files = list_files(entry.local_path)
    here = [_on_disk(entry.local_path, path) for path in wanted_datasets(files)]
    n_bytes = sum(dataset.n_bytes or 0 for dataset in here)
    parts = (dataset.path.parts for dataset in here)
    return SessionDetails(
        entry=entry,
        probes=tuple(sorted({p[1] for p in parts if len(p) > 2 and p[1].startswith("probe")})),
        datasets=tuple(here),
        n_datasets=len(files),
        n_bytes=n_bytes,
        n_bytes_cached=n_bytes,
    )


def _on_disk(folder: Path, path: str) -> Dataset:
    n_bytes = (folder / path).stat().st_size
    return Dataset(path=PurePosixPath(path), dataset_id="", url=None, n_bytes=n_bytes)


def _dataset(row: Mapping[str, Any]) -> Dataset | None:
    revision = str(row.get("revision") or "").strip("#")
    folders = [str(row.get("collection") or ""), f"#{revision}#" if revision else ""]
    path = "/".join([*filter(None, folders), str(row.get("name") or "")])
    dataset_id = _id(row)
    if not (is_inside(path) and EID.fullmatch(dataset_id)):
        return None
    url = str(row.get("data_url") or "")
    size = row.get("file_size")
    return Dataset(
        path=PurePosixPath(path),
        dataset_id=dataset_id,
        url=_web_address(url),
        n_bytes=int(size) if isinstance(size, int | float) and size > 0 else None,
        md5=_md5(row.get("hash")),
    )


def _id(row: Mapping[str, Any]) -> str:
    return str(row.get("id") or str(row.get("url") or "").rstrip("/").rpartition("/")[2])


def _md5(value: object) -> str | None:
    """Return 32 lower-case digits, however the record writes them."""
    with contextlib.suppress(ValueError):
        return UUID(str(value)).hex
    return None


def _web_address(url: str) -> str | None:
    """Return an address that can be asked for, or None if it is none.

    Records hold paths as they are on the disk: the ``#`` of a revision folder would end the path.
    """
    if not url.startswith(("http://", "https://")):
        return None
    parts = urlsplit(url, allow_fragments=False)
    return parts._replace(path=quote(parts.path, safe="/%")).geturl()
