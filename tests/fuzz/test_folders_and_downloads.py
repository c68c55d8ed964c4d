"""Folders that are written whole, and files that arrive from a server, stopped anywhere."""

from __future__ import annotations

import errno
import hashlib
import signal
import sys
from dataclasses import replace
from pathlib import Path, PurePosixPath

import pytest

from mtm_core.data.alf import read_alf
from mtm_core.data.alf_writer import alf_folder, write_alf
from mtm_core.data.one_records import Dataset
from mtm_core.data.one_transfer import Stop, fetch, part_of
from mtm_core.errors import OutputError
from tests.core.data.one_world import FIRST, PLACES, SPIKES
from tests.core.data.simulations import simulated
from tests.fuzz.stopping import (
    REFUSED,
    WROTE,
    at_step,
    fail_with,
    in_a_process,
    kill,
    limit_files,
)

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="forks, and limits sizes of files"),
    pytest.mark.filterwarnings("ignore"),
]
STEPS = (0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 89)
"""A folder of a recording takes a hundred steps; these of them are tried."""


def is_whole_or_absent(root: Path) -> bool:
    """Tell whether a simulated session is there whole, or no reader would find any of it."""
    made = simulated(trials="10")
    try:
        folder = alf_folder(made.config, made.seed, root)
    except OutputError:  # it is there
        (folder,) = root.glob("*/Subjects/*/*/*")
        n_spikes = [len(each.times_s) for each in read_alf(folder).spikes]
        return n_spikes == [len(each.times_s) for each in made.raw.spikes]
    return not folder.exists()


@pytest.mark.parametrize("reason", [None, errno.ENOSPC, errno.EACCES])
def test_a_simulated_session_is_there_whole_or_not_at_all(reason, tmp_path):
    made = simulated(trials="10")
    seen = set()
    for step in STEPS:
        root = tmp_path / str(step)
        act = kill if reason is None else fail_with(reason)
        code = in_a_process(at_step(root, step, act), lambda root=root: write_alf(made, root))
        assert code in (WROTE, REFUSED if reason else -signal.SIGKILL), f"step {step}"
        assert is_whole_or_absent(root), f"step {step}"
        hidden = list(root.rglob(".writing-*"))
        assert not hidden or reason is None
        if not (root.exists() and any(root.glob("*/Subjects/*/*/0*"))):
            write_alf(made, root)  # what was left does not stand in the way
        seen.add(code)
    assert (REFUSED if reason else -signal.SIGKILL) in seen


@pytest.mark.parametrize("size", [0, 1000, 20_000])
def test_a_full_disk_leaves_no_simulated_session(size, tmp_path):
    made = simulated(trials="10")
    full = limit_files(size, is_killed=False)
    assert in_a_process(full, lambda: write_alf(made, tmp_path)) == REFUSED
    assert is_whole_or_absent(tmp_path)
    assert not list(tmp_path.rglob(".writing-*"))


@pytest.fixture
def dataset(alyx, shelf) -> Dataset:
    """Return the record of a file on the server."""
    eid = alyx.eid(FIRST)
    record = alyx.dataset(alyx.sessions[eid], shelf / PLACES[FIRST] / SPIKES)
    return Dataset(
        path=PurePosixPath(SPIKES),
        dataset_id=record["id"],
        url=record["data_url"].replace("#", "%23"),
        n_bytes=record["file_size"],
        md5=record["hash"],
    )


def download(dataset: Dataset, target: Path) -> None:
    assert fetch(dataset, target, count=lambda _: None, stop=Stop())


def test_a_download_that_is_killed_anywhere_leaves_the_old_file_and_goes_on(
    dataset, shelf, tmp_path
):
    new = (shelf / PLACES[FIRST] / SPIKES).read_bytes()
    target = tmp_path / "spikes.times.npy"
    for step in range(60):
        target.write_bytes(b"the file before")
        code = in_a_process(at_step(tmp_path, step, kill), lambda: download(dataset, target))
        assert target.read_bytes() in (b"the file before", new), f"step {step}"
        if code == WROTE:
            break
        assert code == -signal.SIGKILL
    assert step > 1
    assert target.read_bytes() == new


@pytest.mark.parametrize("reason", [errno.ENOSPC, errno.EACCES, errno.EIO])
def test_a_download_that_is_refused_says_so_and_keeps_what_has_arrived(
    reason, dataset, shelf, tmp_path
):
    new = (shelf / PLACES[FIRST] / SPIKES).read_bytes()
    target = tmp_path / "spikes.times.npy"
    for step in range(60):
        target.write_bytes(b"the file before")
        refuse = at_step(tmp_path, step, fail_with(reason))
        code = in_a_process(refuse, lambda: download(dataset, target))
        assert code in (WROTE, REFUSED), f"step {step}"
        assert target.read_bytes() == (new if code == WROTE else b"the file before")
        if code == WROTE:
            break
    assert step > 1


def test_a_download_on_a_full_disk_goes_on_when_there_is_room(dataset, shelf, tmp_path):
    new = (shelf / PLACES[FIRST] / SPIKES).read_bytes()
    target = tmp_path / "spikes.times.npy"
    for is_killed, size in ((True, 1000), (False, 1000), (False, len(new) - 1)):
        full = limit_files(size, is_killed=is_killed)
        code = in_a_process(full, lambda: download(dataset, target))
        assert code == (-signal.SIGXFSZ if is_killed else REFUSED)
        assert not target.exists()
    part = part_of(target, dataset)
    assert new.startswith(part.read_bytes())
    assert part.stat().st_size == len(new) - 1
    download(dataset, target)
    assert target.read_bytes() == new
    assert list(tmp_path.iterdir()) == [target]


def test_a_part_of_another_file_is_never_taken_for_this_one(dataset, shelf, tmp_path):
    new = (shelf / PLACES[FIRST] / SPIKES).read_bytes()
    target = tmp_path / "spikes.times.npy"
    part_of(target, dataset).write_bytes(b"x" * 1000)
    download(dataset, target)
    assert hashlib.md5(target.read_bytes()).hexdigest() == dataset.md5
    other = replace(dataset, dataset_id="0" * 8 + dataset.dataset_id[8:])
    assert part_of(target, other) != part_of(target, dataset)
    assert target.read_bytes() == new
