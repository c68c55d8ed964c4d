"""The files of one session: what is missing, all of it, or an answer why not.

Four files at a time; one process at a time for each session. Both callbacks run in the caller's
thread.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path

from mtm_core.data.one_network import probe
from mtm_core.data.one_notes import make_folder, not_writable
from mtm_core.data.one_records import EID, Dataset, DownloadProgress
from mtm_core.data.one_transfer import Login, Stop, fetch, is_whole, part_of
from mtm_core.errors import OutputError

N_AT_ONCE = 4
_POLL_S = 0.1
_SPEED_OVER_S = 10.0
_ROOM_TO_SPARE = 16 << 20

ReportProgress = Callable[[DownloadProgress], None]
ShouldStop = Callable[[], bool]
LoginFor = Callable[[str], Login]


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A file and its place on this machine."""

    dataset: Dataset
    target: Path


def download(
    wanted: Sequence[Wanted],
    lock_path: Path,
    *,
    login_for: LoginFor,
    progress: ReportProgress,
    should_stop: ShouldStop,
) -> tuple[str, ...] | None:
    """Fetch those files that are not whole yet.

    Parameters
    ----------
    wanted : sequence of Wanted
        All files that are needed.
    lock_path : Path
        Held while files arrive, so that no two processes fetch the same session.
    login_for : callable
        Account and password for the address of a file.
    progress, should_stop : callable
        Called about ten times a second, in this thread.

    Returns
    -------
    tuple of str or None
        Names of the files that were fetched (their paths within the session); None if stopped.

    Raises
    ------
    UnreachableError, LoginError, DownloadError
        If a file cannot be had; what has arrived is kept and continued the next time.
    OutputError
        If there is no room, or the folder cannot be written.
    """
    missing = [item for item in wanted if not is_whole(item.target, item.dataset)]
    if not missing:
        progress(_Meter(wanted, ()).report("done"))
        return ()
    make_folder(lock_path.parent)
    with _lock(lock_path, progress, should_stop) as is_ours:
        if not is_ours:
            return None
        missing = [item for item in wanted if not _is_whole_or_adopted(item)]
        for folder in {item.target.parent for item in missing}:  # now that nobody removes them
            make_folder(folder)
        _check_before(missing)
        meter = _Meter(wanted, missing)
        if not _fetch_all(missing, meter, login_for, progress, should_stop):
            return None
        progress(meter.report("done"))
    return tuple(item.dataset.path.as_posix() for item in missing)


def leftovers_of(target: Path) -> list[Path]:
    """Return what broken downloads left beside a file.

    ONE leaves ``x.<uuid>.npy``, this program ``.x.npy.<uuid>.part``.
    """
    if not target.parent.is_dir():
        return []
    return [path for path in target.parent.iterdir() if _is_leftover(path.name, target.name)]


@contextlib.contextmanager
def held(lock_path: Path) -> Iterator[bool]:
    """Keep downloads of a session away inside the block; False if one goes on already."""
    from filelock import FileLock, Timeout

    if not lock_path.parent.is_dir():  # nothing was ever downloaded here
        yield True
        return
    lock = FileLock(lock_path)
    try:
        lock.acquire(blocking=False)
    except (Timeout, OSError):
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def is_part(name: str) -> bool:
    """Return whether a file of this name is what this program's broken download left."""
    return name.startswith(".") and name.endswith(".part") and EID.search(name) is not None


def _is_leftover(name: str, of: str) -> bool:
    stem, _, suffix = of.rpartition(".")
    begin, end = f"{stem}.", f".{suffix}"
    middle = name[len(begin) : -len(end)]
    if name.startswith(begin) and name.endswith(end) and EID.fullmatch(middle):
        return True
    return is_part(name) and name.startswith(f".{of}.")


def _is_whole_or_adopted(item: Wanted) -> bool:
    """Clear what ONE left half-way; a leftover that is the whole file takes its place."""
    keep = part_of(item.target, item.dataset)
    for path in leftovers_of(item.target):
        if path == keep:
            continue
        is_good = item.dataset.md5 is not None and not is_whole(item.target, item.dataset)
        if is_good and not is_part(path.name) and is_whole(path, item.dataset):
            path.replace(item.target)
        else:
            path.unlink(missing_ok=True)
    return is_whole(item.target, item.dataset)


def _check_before(missing: Sequence[Wanted]) -> None:
    """Find out before anything slow what would fail anyway."""
    servers = {(item.dataset.url or "").split("/")[2]: item.dataset.url or "" for item in missing}
    for url in servers.values():
        probe(url)
    if missing:
        _check_room(missing)


def _check_room(missing: Sequence[Wanted]) -> None:
    need = sum(_to_come(item) for item in missing)
    folder = missing[0].target.parent
    free = shutil.disk_usage(folder).free
    if need + _ROOM_TO_SPARE > free:
        msg = (
            f"{need / 1e6:,.0f} MB are to come and {folder} has {free / 1e6:,.0f} MB free. "
            "Make room there, or choose another cache folder."
        )
        raise OutputError(msg)


def _to_come(item: Wanted) -> int:
    part = part_of(item.target, item.dataset)
    have = part.stat().st_size if part.exists() else 0
    return max((item.dataset.n_bytes or 0) - have, 0)


def _fetch_all(
    missing: Sequence[Wanted],
    meter: _Meter,
    login_for: LoginFor,
    progress: ReportProgress,
    should_stop: ShouldStop,
) -> bool:
    """Fetch files side by side; the first error, or a wish to stop, ends all of them."""
    stop = Stop()

    def fetch_one(item: Wanted) -> bool:
        if stop.is_set():
            return False
        meter.begin(item)
        login = login_for(item.dataset.url or "")
        is_done = fetch(item.dataset, item.target, login=login, count=meter.add, stop=stop)
        if is_done:
            meter.finish(item)
        return is_done

    with ThreadPoolExecutor(N_AT_ONCE, thread_name_prefix="mtm-download") as pool:
        try:
            waiting = {pool.submit(fetch_one, item) for item in missing}
            while waiting:
                if should_stop():
                    return False
                done, waiting = wait(waiting, timeout=_POLL_S, return_when=FIRST_COMPLETED)
                _raise_first(done)
                progress(meter.report("downloading"))
        finally:
            stop.set()
    return True


def _raise_first(done: set[Future[bool]]) -> None:
    for future in done:
        future.result()


class _Meter:
    """Counts what arrives; threads add, the caller reads."""

    def __init__(self, wanted: Sequence[Wanted], missing: Sequence[Wanted]) -> None:
        absent = {item.target for item in missing}
        here = [item for item in wanted if item.target not in absent]
        self._lock = threading.Lock()
        self._here = sum(item.target.stat().st_size for item in here)
        self._planned = {item.target: item.dataset.n_bytes or 0 for item in missing}
        parts = [part_of(item.target, item.dataset) for item in missing]
        self._arrived = sum(part.stat().st_size for part in parts if part.exists())
        self._n_files, self._n_files_total = len(here), len(wanted)
        self._file = ""
        self._speed = deque([(time.monotonic(), self._arrived)])

    def begin(self, item: Wanted) -> None:
        with self._lock:
            self._file = item.dataset.name

    def add(self, n_bytes: int) -> None:
        with self._lock:
            self._arrived += n_bytes

    def finish(self, item: Wanted) -> None:
        with self._lock:
            self._n_files += 1
            self._planned[item.target] = item.target.stat().st_size  # the record may be wrong

    def report(self, stage: str) -> DownloadProgress:
        with self._lock:
            total = self._here + sum(self._planned.values())
            report = DownloadProgress(
                stage="done" if stage == "done" else "downloading",
                n_bytes=self._here + self._arrived,
                n_bytes_total=total,
                n_files=self._n_files,
                n_files_total=self._n_files_total,
                file=self._file,
            )
            return replace(report, seconds_left=self._seconds_left(total))

    def _seconds_left(self, total: int) -> float | None:
        now = time.monotonic()
        self._speed.append((now, self._arrived))
        while len(self._speed) > 2 and now - self._speed[0][0] > _SPEED_OVER_S:
            self._speed.popleft()
        begin, arrived = self._speed[0]
        rate = (self._arrived - arrived) / max(now - begin, 1e-9)
        if rate <= 0:
            return None
        return max(total - self._here - self._arrived, 0) / rate


@contextlib.contextmanager
def _lock(path: Path, progress: ReportProgress, should_stop: ShouldStop) -> Iterator[bool]:
    """Hold the session's lock; False if asked to stop while another process held it."""
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    while True:
        try:
            lock.acquire(timeout=0, blocking=False)
            break
        except Timeout:
            progress(DownloadProgress(stage="waiting"))
        except OSError as error:
            raise OutputError(not_writable(path.parent, error)) from error
        if should_stop():
            yield False
            return
        time.sleep(_POLL_S)
    try:
        yield True
    finally:
        lock.release()
