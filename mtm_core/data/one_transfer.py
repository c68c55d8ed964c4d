"""One file from a server to its place: whole, or not there at all.

The bytes go to a hidden ``.part`` file beside the place; it takes the place once its hash or size
fits the record. A part that was left is continued, never read.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mtm_core.data.one_network import TIMEOUT_S, explain, explain_status, host_of
from mtm_core.data.one_records import Dataset
from mtm_core.errors import DownloadError, NetworkError, OutputError

if TYPE_CHECKING:
    import requests

CHUNK = 1 << 16
ATTEMPTS = 2
"""A file that did not arrive whole is asked for once more."""
_NOTHING_MORE = 416
"""The server has no bytes after those that are here already."""

Login = tuple[str, str] | None


class Stop:
    """A wish to stop, which also wakes the threads that wait for bytes."""

    def __init__(self) -> None:
        self._is_set = threading.Event()
        self._lock = threading.Lock()
        self._answers: list[requests.Response] = []

    def is_set(self) -> bool:
        """Return whether somebody wants to stop."""
        return self._is_set.is_set()

    def set(self) -> None:
        """Stop every download that goes by this wish."""
        with self._lock:
            self._is_set.set()
            for answer in self._answers:
                self._wake(answer)

    @contextlib.contextmanager
    def wakes(self, answer: requests.Response) -> Iterator[None]:
        """Let the wish end the waiting for an answer's bytes."""
        with self._lock:
            self._answers.append(answer)
            if self.is_set():
                self._wake(answer)
        try:
            yield
        finally:
            with self._lock:
                self._answers.remove(answer)

    @staticmethod
    def _wake(answer: requests.Response) -> None:
        with contextlib.suppress(OSError, RuntimeError, ValueError):  # it has ended already
            answer.raw.shutdown()


def part_of(target: Path, dataset: Dataset) -> Path:
    """Return the hidden file that collects the bytes."""
    return target.with_name(f".{target.name}.{dataset.dataset_id}.part")


def is_whole(path: Path, dataset: Dataset) -> bool:
    """Return whether a file is what the record says: by its size, else by its hash.

    Some records hold a wrong size beside a right hash.
    """
    if not path.is_file():
        return False
    if dataset.n_bytes is not None and path.stat().st_size == dataset.n_bytes:
        return True
    return dataset.md5 is not None and md5_of(path) == dataset.md5


def md5_of(path: Path) -> str:
    """Return the MD5 of a file, in hexadecimal digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).hexdigest()


def fetch(
    dataset: Dataset,
    target: Path,
    *,
    login: Login = None,
    count: Callable[[int], None],
    stop: Stop,
) -> bool:
    """Download one file.

    Parameters
    ----------
    dataset : Dataset
        Its record.
    target : Path
        Its place; what was there before is replaced once the new file is whole.
    login : tuple of (str, str) or None
        Account and password of the file server.
    count : callable
        Is told every number of bytes that arrived, a negative one when they were thrown away.
    stop : Stop
        Ends it at once, whatever it waits for.

    Returns
    -------
    bool
        False if stopped.

    Raises
    ------
    DownloadError
        If it did not arrive whole after one more attempt, or is not on the server.
    UnreachableError, LoginError
        If the server does not answer, or refuses.
    OutputError
        If it cannot be written: disk full, no permission.
    """
    import requests

    part = part_of(target, dataset)
    problem: NetworkError = DownloadError(f"{dataset.name} did not arrive.")
    for _ in range(ATTEMPTS):
        try:
            if not _receive(dataset.url or "", part, login, count, stop):
                return False
            found = _what_is_wrong(part, dataset)
        except requests.RequestException as error:
            if stop.is_set():
                return False
            arrived = (
                None if isinstance(error, requests.Timeout) else _what_is_missing(part, dataset)
            )
            found = arrived or explain(error, dataset.url or "")
        except OSError as error:
            raise _not_written(target, error) from error
        if found is None:
            _put(part, target)
            return True
        problem = found
        _drop_if_useless(part, dataset, count)
    raise problem


def _receive(
    url: str,
    part: Path,
    login: Login,
    count: Callable[[int], None],
    stop: Stop,
) -> bool:
    """Add to the part what the server still has; False if stopped."""
    import requests

    have = part.stat().st_size if part.exists() else 0
    headers = {"Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
    with requests.get(url, headers=headers, auth=login, timeout=TIMEOUT_S, stream=True) as answer:
        if answer.status_code == _NOTHING_MORE:
            return True
        if answer.status_code >= 500:
            answer.raise_for_status()
        if answer.status_code not in (200, 206):
            raise explain_status(answer.status_code, url)
        goes_on = have > 0 and _goes_on(answer.headers, have, answer.status_code)
        if have and not goes_on:
            count(-have)
        with stop.wakes(answer), part.open("ab" if goes_on else "wb") as stream:
            for chunk in _chunks(answer):
                stream.write(chunk)
                count(len(chunk))
                if stop.is_set():
                    return False
    return True


def _chunks(answer: requests.Response) -> Iterator[bytes]:
    """Yield bytes as they come, those before a break too, which `iter_content` would lose.

    Raises
    ------
    requests.RequestException
        As `iter_content` does.
    """
    import requests
    import urllib3

    try:
        while chunk := answer.raw.read1(CHUNK):
            yield chunk
    except urllib3.exceptions.ReadTimeoutError as error:
        raise requests.ReadTimeout(error) from error
    except urllib3.exceptions.HTTPError as error:
        raise requests.ConnectionError(error) from error


def _goes_on(headers: Mapping[str, str], have: int, status: int) -> bool:
    return status == 206 and headers.get("Content-Range", "").startswith(f"bytes {have}-")


def _what_is_wrong(part: Path, dataset: Dataset) -> NetworkError | None:
    """Compare what arrived with the record: the hash where there is one, else the size."""
    have = part.stat().st_size
    if dataset.md5 is not None:
        is_right = md5_of(part) == dataset.md5
    else:
        is_right = dataset.n_bytes is None or have == dataset.n_bytes
    if is_right:
        return None
    source = host_of(dataset.url or "")
    return _what_is_missing(part, dataset) or DownloadError(
        f"{dataset.name} from {source} is not the file that the database has on record "
        f"({have:,} bytes, other content). Try again later; if it stays so, tell {source}."
    )


def _what_is_missing(part: Path, dataset: Dataset) -> NetworkError | None:
    """Say how much of a file arrived, if something did and it was not all."""
    have = part.stat().st_size if part.exists() else 0
    if dataset.n_bytes is None or not 0 < have < dataset.n_bytes:
        return None
    return DownloadError(
        f"The connection to {host_of(dataset.url or '')} dropped: {have:,} of "
        f"{dataset.n_bytes:,} bytes of {dataset.name} arrived. Download again: it goes on there."
    )


def _drop_if_useless(part: Path, dataset: Dataset, count: Callable[[int], None]) -> None:
    """Remove a part that is as long as the file or longer, and still is not the file."""
    have = part.stat().st_size if part.exists() else 0
    if have and (dataset.n_bytes is None or have >= dataset.n_bytes):
        part.unlink()
        count(-have)


def _put(part: Path, target: Path) -> None:
    try:
        with part.open("rb+") as stream:
            os.fsync(stream.fileno())
        part.replace(target)
    except OSError as error:
        raise _not_written(target, error) from error


def _not_written(target: Path, error: OSError) -> OutputError:
    reason = os.strerror(error.errno).lower() if error.errno else str(error)
    return OutputError(
        f"Could not write {target}: {reason}. Make room there, or choose another cache folder; "
        "what has arrived is kept."
    )
