"""Disks that fill up, refuse or fail in the middle of a run: old content or new, never half."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from mtm_core import resources
from mtm_core.errors import OutputError
from mtm_core.models.checkpoint import load_checkpoint
from mtm_core.training.events import CheckpointSaved
from mtm_core.training.loop import train
from mtm_core.training.run_folder import RunFolder
from tests.core.training.runs import assert_same_bits, run_all, tiny_config, tiny_session

PLAIN_WRITE, PLAIN_REPLACE = Path.write_bytes, Path.replace
CODES = [errno.ENOSPC, errno.EACCES]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("runs") / "whole"
    run_all(tiny_config(), run_dir)
    return run_dir


class FailingDisk:
    """Fail the chosen operation on files of a kind, as a system call would."""

    def __init__(self, monkeypatch, operation, kind, code):
        self.kind, self.code, self.n_failed = kind, code, 0
        where, name, fault = {
            "begin": (Path, "touch", self.refuse),
            "write": (Path, "write_bytes", self.write_half),
            "flush": (resources, "_flush_to_disk", self.refuse),
            "replace": (Path, "replace", self.refuse_to_replace),
        }[operation]
        monkeypatch.setattr(where, name, lambda *args, **words: fault(*args, **words))

    def refuse(self, path, **_words):
        if path.name.startswith(f".{self.kind}-"):
            self.n_failed += 1
            raise OSError(self.code, os.strerror(self.code))
        if not path.exists():
            path.open("x").close()

    def write_half(self, path, content):
        if path.name.startswith(f".{self.kind}-"):
            PLAIN_WRITE(path, content[: len(content) // 2])
            self.refuse(path)
        return PLAIN_WRITE(path, content)

    def refuse_to_replace(self, path, target):
        self.refuse(path)
        return PLAIN_REPLACE(path, target)


def check_folder(run_dir, step):
    """Check that everything in the folder is whole, and that the newest state is of a step."""
    folder = RunFolder(run_dir)
    saved = folder.states.load()
    assert saved.progress.step == step
    assert saved.notes == ()
    load_checkpoint(folder.model_path)
    list(folder.events.read())
    assert not list(run_dir.glob(".*"))


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("operation", ["begin", "write", "flush", "replace"])
@pytest.mark.parametrize(("kind", "step"), [("state", 3), ("model", 6)])
def test_a_disk_that_fails_leaves_old_or_new_and_a_sentence(
    whole, tmp_path, monkeypatch, kind, step, operation, code
):
    run_dir = tmp_path / "run"
    events = train(tiny_config(), [tiny_session()], run_dir)
    next(event for event in events if isinstance(event, CheckpointSaved) and event.step == 3)
    with monkeypatch.context() as patch:
        if kind == "model":  # so that there is something new to write
            patch.setattr(RunFolder, "_best_step", lambda *_, **__: -1)
        disk = FailingDisk(patch, operation, kind, code)
        with pytest.raises(OutputError) as caught:
            list(events)
    assert disk.n_failed == 1
    said = str(caught.value)
    assert said.startswith(f"Could not write {run_dir}/{kind}")
    assert os.strerror(code).lower() in said
    assert said.endswith("Then go on from step 3 with --resume.")
    assert len(said.splitlines()) == 1
    check_folder(run_dir, step)
    run_all(tiny_config(), run_dir, resume=True)
    assert_same_bits(whole, run_dir)


@pytest.fixture
def small_disk(tmp_path):
    """Mount a real file system of half a megabyte; only some may."""
    folder = tmp_path / "disk"
    folder.mkdir()
    words = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(words, capture_output=True).returncode:
        pytest.skip("may not mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_real_disk_that_is_full_leaves_the_checkpoint_before(whole, small_disk):
    run_dir = small_disk / "run"
    events = train(tiny_config(), [tiny_session()], run_dir)
    next(event for event in events if isinstance(event, CheckpointSaved) and event.step == 3)
    filler = small_disk / "filler"
    free = shutil.disk_usage(small_disk).free
    filler.write_bytes(b"\0" * (free - 4096))
    with pytest.raises(OutputError, match="no space left on device"):
        list(events)
    filler.unlink()
    check_folder(run_dir, 3)
    run_all(tiny_config(), run_dir, resume=True)
    assert_same_bits(whole, run_dir)


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is forbidden to root"
)
def test_a_folder_that_may_no_longer_be_written_keeps_its_checkpoint(whole, tmp_path):
    run_dir = tmp_path / "run"
    events = train(tiny_config(), [tiny_session()], run_dir)
    next(event for event in events if isinstance(event, CheckpointSaved) and event.step == 3)
    run_dir.chmod(0o500)
    try:
        with pytest.raises(OutputError, match="permission denied"):
            list(events)
    finally:
        run_dir.chmod(0o700)
    check_folder(run_dir, 3)
    run_all(tiny_config(), run_dir, resume=True)
    assert_same_bits(whole, run_dir)
