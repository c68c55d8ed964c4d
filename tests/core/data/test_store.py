from __future__ import annotations

import errno
import mmap
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mtm_core.data import store as store_module
from mtm_core.data.store import CountStore, HeldCounts, StoredCounts, default_folder, pieces
from mtm_core.errors import ConfigError, OutputError

ROOT = Path(__file__).parents[3]
HASHES = [f"{i:x}" * 64 for i in range(1, 6)]
ROWS = np.array([3, 0, 3])


def make_counts(seed=0, shape=(5, 4, 6)):
    return np.random.default_rng(seed).poisson(1.0, shape).astype(np.uint8)


def names(folder):
    return sorted(path.name for path in folder.glob("*.npy"))


@pytest.fixture
def store(tmp_path):
    return CountStore(tmp_path / "deep" / "counts", 10**9)


def test_mapped_counts_are_the_counts(store):
    counts = make_counts()
    stored = store.keep(HASHES[0], 1, counts)
    assert np.array_equal(stored.array, counts)
    assert not stored.array.flags.writeable
    assert np.array_equal(stored.take(ROWS), HeldCounts(counts).take(ROWS))
    assert np.array_equal(np.load(stored.path), counts)


@pytest.mark.parametrize("kind", [HeldCounts, None])
def test_what_is_taken_is_a_copy(store, kind):
    counts = make_counts()
    source = HeldCounts(counts) if kind else store.keep(HASHES[0], 1, counts)
    source.expect(ROWS)
    taken = source.take(ROWS)
    taken += 1
    assert np.array_equal(source.array, make_counts())


def test_trials_in_any_memory_order_are_kept(store):
    counts = np.asfortranarray(make_counts())
    assert np.array_equal(store.keep(HASHES[0], 1, counts).array, counts)


def test_a_file_is_written_once_and_found_again(store):
    first = store.keep(HASHES[0], 1, make_counts()).path
    before = first.stat().st_ino
    again = CountStore(store.folder, 10**9).keep(HASHES[0], 1, make_counts()).path
    assert again == first
    assert again.stat().st_ino == before


def test_content_and_bin_factor_name_the_file(store):
    for content, factor in ((HASHES[0], 1), (HASHES[0], 2), (HASHES[1], 1)):
        store.keep(content, factor, make_counts())
    assert len(names(store.folder)) == 3


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-3],
        lambda data: data[:20],
        lambda data: b"",
        lambda data: data[:-1] + bytes([data[-1] ^ 1]),
        lambda data: b"not numpy at all" + data,
        lambda data: data.replace(b"|u1", b"|i1"),
        lambda data: data.replace(b"(5, 4, 6)", b"(5, 24)  "),
        lambda data: data.replace(b"(5, 4, 6)", b"(4, 5, 6)"),
        lambda data: data.replace(b"NUMPY\x01", b"NUMPY\x02"),
    ],
)
def test_a_damaged_file_is_written_anew(store, damage):
    path = store.keep(HASHES[0], 1, make_counts()).path
    path.write_bytes(damage(path.read_bytes()))
    assert np.array_equal(store.keep(HASHES[0], 1, make_counts()).array, make_counts())
    assert np.array_equal(np.load(path), make_counts())


def test_a_mapped_file_may_be_removed(store):
    stored = store.keep(HASHES[0], 1, make_counts())
    stored.path.unlink()
    assert np.array_equal(stored.take(ROWS), make_counts()[ROWS])


def age(folder, content, seconds):
    when = time.time() - seconds
    os.utime(folder / f"{content}-x1.npy", (when, when))


def test_the_files_used_longest_ago_make_room(tmp_path):
    size = make_counts().nbytes + 128
    older = CountStore(tmp_path, 3 * size)
    for place, content in enumerate(HASHES[:3]):
        older.keep(content, 1, make_counts())
        age(tmp_path, content, 100 - place)
    CountStore(tmp_path, 3 * size).keep(HASHES[0], 1, make_counts())  # used again: now the newest
    CountStore(tmp_path, 3 * size).keep(HASHES[3], 1, make_counts())
    assert names(tmp_path) == [f"{HASHES[i]}-x1.npy" for i in (0, 2, 3)]


def test_files_of_the_run_itself_never_make_room(tmp_path):
    size = make_counts().nbytes + 128
    store = CountStore(tmp_path, 2 * size)
    for content in HASHES[:2]:
        store.keep(content, 1, make_counts())
    with pytest.raises(ConfigError, match=r"more than the .* GB .*Raise --run\.store_gb"):
        store.keep(HASHES[2], 1, make_counts())
    assert names(tmp_path) == [f"{content}-x1.npy" for content in HASHES[:2]]


def test_what_a_killed_process_left_is_removed_and_other_files_are_not(tmp_path):
    left = f".{HASHES[0][:40]}-12-0123abcd.npy"
    for name in (left, "notes.npy", "mine.txt"):
        (tmp_path / name).write_bytes(b"half")
    fresh = tmp_path / f".{HASHES[1][:40]}-12-0123abcd.npy"
    fresh.write_bytes(b"being written")
    os.utime(tmp_path / left, (0, 0))
    CountStore(tmp_path, 10**4).keep(HASHES[2], 1, make_counts())
    assert not (tmp_path / left).exists()
    assert fresh.exists()
    assert (tmp_path / "notes.npy").exists()
    assert (tmp_path / "mine.txt").exists()


def test_a_full_disk_leaves_nothing_and_says_so(store, monkeypatch):
    store.keep(HASHES[0], 1, make_counts())

    def refuse(*_args, **_words):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(store_module.np.lib.format, "write_array_header_1_0", refuse)
    with pytest.raises(OutputError, match="no space left on device"):
        store.keep(HASHES[1], 1, make_counts())
    assert names(store.folder) == [f"{HASHES[0]}-x1.npy"]
    assert not list(store.folder.glob(".*"))


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"Choose another --run\.store_dir, or --run\.store me"):
        CountStore(tmp_path / "file" / "counts", 10**9).keep(HASHES[0], 1, make_counts())


def test_a_file_that_never_holds_what_was_written_is_told(store, monkeypatch):
    monkeypatch.setattr(StoredCounts, "equals", lambda *_: False)
    with pytest.raises(OutputError, match="vanishes or changes"):
        store.keep(HASHES[0], 1, make_counts())


def test_without_locks_and_advice_it_works_all_the_same(store, monkeypatch, caplog):
    def refuse(*_args, **_words):
        raise NotImplementedError

    monkeypatch.setattr(store_module.FileLock, "acquire", refuse)
    monkeypatch.delattr(mmap, "MADV_DONTNEED", raising=False)
    stored = store.keep(HASHES[0], 1, make_counts())
    assert np.array_equal(stored.take(ROWS), make_counts()[ROWS])
    assert "cannot be locked" in caplog.text


WRITER = """
import sys
from pathlib import Path
import numpy as np
from mtm_core.data.store import CountStore
rng = np.random.default_rng(int(sys.argv[2]))
contents = {f"{i:x}" * 64: np.full((50, 20, 20), i, dtype=np.uint8) for i in range(1, 9)}
sys.stdin.readline()
for _ in range(60):
    content = list(contents)[rng.integers(8)]
    store = CountStore(Path(sys.argv[1]), 3 * 20_128)
    stored = store.keep(content, 1, contents[content])
    assert np.array_equal(stored.take(np.array([7])), contents[content][7:8])
"""


def test_two_processes_share_a_folder_that_is_too_small_for_both(tmp_path):
    words = [sys.executable, "-c", WRITER, str(tmp_path)]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    both = [
        subprocess.Popen([*words, str(i)], stdin=subprocess.PIPE, text=True, cwd=ROOT, env=env)
        for i in range(2)
    ]
    for process in both:
        process.stdin.write("go\n")
        process.stdin.close()
    assert [process.wait(60) for process in both] == [0, 0]
    for path in tmp_path.glob("*.npy"):
        assert (np.load(path) == int(path.name[0], 16)).all()
    assert not list(tmp_path.glob(".*"))


def test_pieces_cover_every_trial_once():
    big = np.broadcast_to(np.uint8(0), (40, 1024, 1024))
    parts = list(pieces(big))
    assert len(parts) == 3
    assert [i for part in parts for i in range(40)[part]] == list(range(40))


def test_the_folder_of_this_user_is_absolute():
    assert default_folder().is_absolute()
