from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from mtm_core import shared_folder as module
from mtm_core.errors import OutputError, TrainingError
from mtm_core.shared_folder import Claim, one_at_a_time, prepare_folder, read_json

HOLD = """
import sys, time
from pathlib import Path
from mtm_core.shared_folder import Claim
claim = Claim(Path(sys.argv[1]))
print(claim.take(), flush=True)
time.sleep(60)
"""


def test_a_claim_of_a_process_that_was_killed_is_free(tmp_path):
    path = tmp_path / "work.lock"
    other = subprocess.Popen([sys.executable, "-c", HOLD, path], stdout=subprocess.PIPE)
    assert other.stdout.readline() == b"True\n"
    mine = Claim(path)
    assert not mine.take()
    other.kill()
    other.wait()
    other.stdout.close()
    assert mine.take()
    mine.release()


def test_one_at_a_time_waits_for_the_one_inside(tmp_path):
    path, order = tmp_path / "gate.lock", []

    def enter():
        with one_at_a_time(path):
            order.append("second")

    with one_at_a_time(path):
        thread = threading.Thread(target=enter)
        thread.start()
        thread.join(0.2)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_disk_without_locks_and_a_folder_without_permission_are_named(tmp_path, monkeypatch):
    claim = Claim(tmp_path / "work.lock")

    class Refusing:
        error: Exception = NotImplementedError()

        def acquire(self, **_):
            raise self.error

    monkeypatch.setattr(claim, "_lock", Refusing())
    with pytest.raises(OutputError, match="a disk without locks"):
        claim.take()
    Refusing.error = PermissionError(13, "Permission denied")
    with pytest.raises(OutputError, match=r"Could not write into .*permission denied"):
        claim.wait()


def test_a_folder_belongs_to_the_settings_it_was_made_with(tmp_path):
    out = tmp_path / "results"
    prepare_folder(out, {"seed": (0, 1)}, "pieces")
    prepare_folder(out, {"seed": (0, 1)}, "pieces")
    assert (out / "pieces").is_dir()
    with pytest.raises(TrainingError, match="results of other settings"):
        prepare_folder(out, {"seed": (0, 2)})


def test_a_file_that_is_not_there_is_none_and_a_damaged_one_is_named(tmp_path):
    assert read_json(tmp_path / "none.json") is None
    (tmp_path / "bad.json").write_text("{")
    with pytest.raises(TrainingError, match=r"bad\.json is damaged"):
        read_json(tmp_path / "bad.json")


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="Could not make the folder"):
        module.prepare_folder(tmp_path / "file" / "results", {})
