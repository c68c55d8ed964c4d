"""What networks, servers and disks do: each fault is one sentence, and the cache stays sound."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mtm_core.data import one_download, one_transfer
from mtm_core.data.one_client import OneClient
from mtm_core.errors import (
    DataError,
    DownloadError,
    OutputError,
)
from tests.core.data.one_world import FIRST, PLACES, SPIKES, files_of, same_files
from tests.core.data.stub_alyx import PASSWORD, USER

ROOT = Path(__file__).parents[3]
NAME = "spikes.times.npy"


@pytest.fixture
def one_at_a_time(monkeypatch):
    """Fetch one file after the other, so that a test knows which comes when."""
    monkeypatch.setattr(one_download, "N_AT_ONCE", 1)


def is_sound(client: OneClient, eid: str, original: Path) -> bool:
    """Return whether the session can be downloaded now, and is the original's in every byte."""
    return same_files(client.download(eid), original)


def test_a_dropped_download_is_continued_once_without_a_word(client, alyx, shelf):
    alyx.faults.drop_after_bytes, alyx.faults.drops_left = 5000, 1
    assert is_sound(client, alyx.eid(FIRST), shelf / PLACES[FIRST])
    assert sum(alyx.n_fetched.values()) == len(files_of(client.cache_dir)) + 1


def test_a_download_that_drops_again_and_again_is_a_sentence_and_no_file(client, alyx, shelf):
    alyx.faults.drop_after_bytes = 5000
    alyx.faults.knows_ranges = False
    with pytest.raises(DownloadError, match=r"127.0.0.1:\d+ dropped: 5,000 of [\d,]+ bytes of"):
        client.download(alyx.eid(FIRST))
    assert all(path.stat().st_size < 5000 for path in files_of(client.cache_dir))
    offline = OneClient.connect(cache_dir=client.cache_dir, mode="local")
    with pytest.raises(DataError, match="was not downloaded whole"):
        offline.read(alyx.eid(FIRST))
    alyx.faults.drop_after_bytes = None
    assert is_sound(client, alyx.eid(FIRST), shelf / PLACES[FIRST])


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_what_has_arrived_is_not_fetched_again(knows_ranges, client, alyx, shelf, one_at_a_time):
    alyx.faults.knows_ranges = knows_ranges
    alyx.faults.slow_s, alyx.faults.slow_bytes = 0.005, 2048
    enough = 120_000
    seen = []

    def stop() -> bool:
        return bool(seen) and seen[-1].n_bytes > enough

    assert client.download(alyx.eid(FIRST), progress=seen.append, should_stop=stop) is None
    whole = {path.name for path in files_of(client.cache_dir)}
    assert whole
    alyx.faults.slow_s = 0.0
    alyx.n_fetched.clear()
    sent = alyx.n_bytes
    reports = []
    folder = client.download(alyx.eid(FIRST), progress=reports.append)
    assert same_files(folder, shelf / PLACES[FIRST])
    total = reports[-1].n_bytes_total
    first = next(report for report in reports if report.stage == "downloading")
    assert first.n_bytes > 0
    if knows_ranges:
        assert alyx.n_bytes - sent < total - enough + 2048 * 4 * 2
    in_one_place = {"_ibl_leftCamera.times.npy", "_ibl_rightCamera.times.npy"}
    assert not whole & in_one_place & set(alyx.n_fetched)


def test_stopping_before_anything_is_no_error(client, alyx):
    assert client.download(alyx.eid(FIRST), should_stop=lambda: True) is None
    assert not alyx.n_fetched


def test_stopping_leaves_a_session_that_offline_is_said_to_be_in_parts(client, alyx):
    alyx.faults.slow_s = 0.01
    seen = []
    client.download(
        alyx.eid(FIRST), progress=seen.append, should_stop=lambda: seen[-1].n_bytes > 50_000
    )
    offline = OneClient.connect(cache_dir=client.cache_dir, mode="local")
    (cached,) = offline.cached()
    assert not cached.is_whole
    assert not cached.entry.is_cached
    with pytest.raises(DataError, match="was not downloaded whole"):
        offline.download(alyx.eid(FIRST))


def test_stopping_does_not_wait_for_a_server_that_is_silent(client, alyx):
    alyx.faults.slow_s, alyx.faults.slow_bytes = 30.0, 100
    seen, begin = [], time.monotonic()
    got = client.download(
        alyx.eid(FIRST),
        progress=seen.append,
        should_stop=lambda: seen[-1].n_bytes >= 400 or time.monotonic() - begin > 10,
    )
    assert got is None
    assert time.monotonic() - begin < 5


def test_a_missing_file_is_said_by_name_and_not_asked_for_twice(client, alyx):
    alyx.faults.missing = {NAME}
    with pytest.raises(DownloadError, match=r"does not have .*spikes\.times\..*npy"):
        client.download(alyx.eid(FIRST))
    assert alyx.n_fetched[NAME] <= 2  # one for each probe at most


def test_a_wrong_size_on_record_beside_a_right_hash_is_accepted(client, alyx, shelf):
    alyx.faults.wrong_sizes = {NAME}
    reports = []
    folder = client.download(alyx.eid(FIRST), progress=reports.append)
    assert same_files(folder, shelf / PLACES[FIRST])
    assert reports[-1].n_bytes == reports[-1].n_bytes_total
    assert alyx.n_fetched[NAME] == 2  # two probes
    client.download(alyx.eid(FIRST), refresh=True)
    assert alyx.n_fetched[NAME] == 2


def test_a_wrong_size_without_a_hash_is_refused(client, alyx):
    alyx.faults.wrong_sizes = alyx.faults.without_hash = {NAME}
    with pytest.raises(DownloadError, match=r"bytes of spikes.times.npy arrived"):
        client.download(alyx.eid(FIRST))


def test_a_record_without_a_hash_is_compared_by_size(client, alyx, shelf):
    alyx.faults.without_hash = {NAME}
    alyx.faults.drop_after_bytes, alyx.faults.drops_left = 2000, 1
    assert is_sound(client, alyx.eid(FIRST), shelf / PLACES[FIRST])


def test_other_bytes_of_the_right_number_are_refused(client, alyx, shelf):
    alyx.faults.damaged = {NAME}
    with pytest.raises(DownloadError, match="is not the file that the database has on record"):
        client.download(alyx.eid(FIRST))
    assert NAME not in {path.name for path in files_of(client.cache_dir)}
    alyx.faults.damaged = set()
    assert is_sound(client, alyx.eid(FIRST), shelf / PLACES[FIRST])


def test_bytes_that_were_damaged_once_are_fetched_again(client, alyx, shelf):
    alyx.faults.damaged_once = {NAME}
    assert is_sound(client, alyx.eid(FIRST), shelf / PLACES[FIRST])


def test_leftovers_of_one_are_cleared_before_reading(client, alyx, shelf):
    details = client.show(alyx.eid(FIRST))
    dataset = next(d for d in details.datasets if d.path.as_posix() == SPIKES)
    target = client.cache_dir / PLACES[FIRST] / SPIKES
    target.parent.mkdir(parents=True)
    left = target.with_name(f"spikes.times.{dataset.dataset_id}.npy")
    left.write_bytes((shelf / PLACES[FIRST] / SPIKES).read_bytes()[:77])
    assert is_sound(client, alyx.eid(FIRST), shelf / PLACES[FIRST])
    assert not left.exists()


def test_a_leftover_of_one_that_is_whole_takes_its_place(client, alyx, shelf):
    details = client.show(alyx.eid(FIRST))
    dataset = next(d for d in details.datasets if d.path.as_posix() == SPIKES)
    target = client.cache_dir / PLACES[FIRST] / SPIKES
    target.parent.mkdir(parents=True)
    shutil.copy(
        shelf / PLACES[FIRST] / SPIKES, target.with_name(f"spikes.times.{dataset.dataset_id}.npy")
    )
    assert is_sound(client, alyx.eid(FIRST), shelf / PLACES[FIRST])
    assert alyx.n_fetched[NAME] == 1  # the other probe's


def test_files_that_one_downloaded_before_serve(client, alyx, shelf):
    shutil.copytree(shelf / PLACES[FIRST], client.cache_dir / PLACES[FIRST])
    assert is_sound(client, alyx.eid(FIRST), shelf / PLACES[FIRST])
    assert not alyx.n_fetched
    assert client.prune([alyx.eid(FIRST)]).n_files == 0  # they are not ours to remove


def test_a_part_of_another_version_is_thrown_away(client, alyx, shelf):
    details = client.show(alyx.eid(FIRST))
    dataset = next(d for d in details.datasets if d.path.as_posix() == SPIKES)
    target = client.cache_dir / PLACES[FIRST] / SPIKES
    target.parent.mkdir(parents=True)
    part = one_transfer.part_of(target, dataset)
    for n_bytes in (500, (dataset.n_bytes or 0) + 10):
        part.write_bytes(b"?" * n_bytes)
        assert is_sound(client, alyx.eid(FIRST), shelf / PLACES[FIRST])
        client.prune([alyx.eid(FIRST)])
        target.parent.mkdir(parents=True)


def test_a_cache_below_a_file_is_said_so(connect, alyx, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"file/cache cannot be written: not a directory"):
        connect(cache_dir=tmp_path / "file/cache")
    connect()  # now ONE knows this database
    client = connect(cache_dir=tmp_path / "file/cache")
    assert client.search()
    with pytest.raises(OutputError, match=r"cannot be written: not a directory. Choose another"):
        client.download(alyx.eid(FIRST))


def test_folders_that_another_process_forgot_meanwhile_are_made_anew(
    client, alyx, shelf, monkeypatch
):
    lock, removed = one_download._lock, []

    @contextlib.contextmanager
    def late(path, *rest):
        with lock(path, *rest) as is_ours:
            for folder in client.cache_dir.rglob("alf"):
                shutil.rmtree(folder)
                removed.append(folder)
            yield is_ours

    client.download(alyx.eid(FIRST))
    (folder,) = client.cache_dir.rglob("alf")
    next(path for path in files_of(folder) if path.name == NAME).unlink()
    monkeypatch.setattr(one_download, "_lock", late)
    assert is_sound(client, alyx.eid(FIRST), shelf / PLACES[FIRST])
    assert removed


def test_too_little_room_is_found_out_before_the_download(client, alyx, monkeypatch):
    usage = type(shutil.disk_usage("/"))(10**9, 10**9, 1000)
    monkeypatch.setattr(one_download.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(OutputError, match=r"MB are to come and .* has 0 MB free\. Make room"):
        client.download(alyx.eid(FIRST))
    assert not alyx.n_fetched


SCRIPT = """
import sys
from pathlib import Path
from mtm_core.data.one_client import OneClient
from mtm_core.errors import MtmError
{before}
url, user, password, cache, eid = sys.argv[1:]
client = OneClient.connect(url, username=user, password=password, cache_dir=Path(cache))
try:
    print(client.download(eid))
except MtmError as error:
    print(type(error).__name__, error)
"""
LITTLE_ROOM = """
import resource, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
"""


def start(alyx, cache: Path, eid: str, before: str = "") -> subprocess.Popen[str]:
    words = [alyx.url, USER, PASSWORD, str(cache), eid]
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT.format(before=before), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=dict(os.environ),
    )


def test_a_full_disk_is_said_so_and_the_download_goes_on_later(connect, alyx, cache_dir, shelf):
    out, err = start(alyx, cache_dir, alyx.eid(FIRST), LITTLE_ROOM).communicate(timeout=60)
    assert out.startswith("OutputError Could not write "), err
    assert "file too large. Make room there" in out
    assert "what has arrived is kept" in out
    assert all(path.stat().st_size <= 20_000 for path in files_of(cache_dir))
    assert is_sound(connect(), alyx.eid(FIRST), shelf / PLACES[FIRST])


def test_two_processes_share_one_download(alyx, home, cache_dir, shelf):
    alyx.faults.slow_s, alyx.faults.slow_bytes = 0.01, 2048
    both = [start(alyx, cache_dir, alyx.eid(FIRST)) for _ in range(2)]
    outputs = [process.communicate(timeout=60) for process in both]
    folder = cache_dir / PLACES[FIRST]
    assert [out.strip() for out, _ in outputs] == [str(folder)] * 2, outputs
    assert same_files(folder, shelf / PLACES[FIRST])
    assert sum(alyx.n_fetched.values()) == len(files_of(cache_dir))


def test_a_process_that_was_killed_leaves_nothing_that_is_read(connect, alyx, cache_dir, shelf):
    alyx.faults.slow_s, alyx.faults.slow_bytes = 0.02, 2048
    process = start(alyx, cache_dir, alyx.eid(FIRST))
    wait_for(lambda: alyx.n_bytes > 60_000)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=30)
    alyx.faults.slow_s = 0.0
    original = shelf / PLACES[FIRST]
    assert all(
        path.read_bytes() == (original / path.relative_to(cache_dir / PLACES[FIRST])).read_bytes()
        for path in files_of(cache_dir)
    )
    assert is_sound(connect(), alyx.eid(FIRST), original)


def test_waiting_for_another_process_can_be_stopped(client, alyx):
    from filelock import FileLock

    lock = client.cache_dir / ".mtm-viewer/locks" / f"{alyx.eid(FIRST)}.lock"
    lock.parent.mkdir(parents=True)
    seen = []
    with FileLock(lock):
        got = client.download(
            alyx.eid(FIRST),
            progress=seen.append,
            should_stop=lambda: seen[-1].stage == "waiting",
        )
    assert got is None
    assert seen[-1].stage == "waiting"
    assert not alyx.n_fetched


def wait_for(condition, seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)
