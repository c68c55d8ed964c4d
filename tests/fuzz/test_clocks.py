"""Clocks that are set back or forward while the program runs: nothing is lost or stuck."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import psutil
import pytest

from mtm_core import resources
from mtm_core.config import PreparationConfig
from mtm_core.data.store import CountStore
from mtm_core.resources import is_abandoned
from mtm_viewer.jobs import journal_job
from mtm_viewer.jobs.journal_job import MOST_LEFT, JournalJob, LeftBehind, Note
from mtm_viewer.jobs.prepared_cache import PreparedCache
from mtm_viewer.jobs.process import RunProcess
from mtm_viewer.jobs.run_order import write_order
from mtm_viewer.jobs.runs_job import read_run
from mtm_viewer.presenters.experiment_view import View
from mtm_viewer.presenters.mask_choice import MaskChoice
from tests.core.sessions import make_session
from tests.viewer.jobs.fake_training import fake_training, make_order, wait_until
from tests.viewer.workspaces import make_small_workspace

WORKSPACE = make_small_workspace(n_trials=60)
DAY_S = 86_400.0
NOBODY = 2**22 - 1
"""A process number that no process has."""


class Clock(datetime):
    """A clock that is set to another time."""

    offset = timedelta()

    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + cls.offset


def crashed_window(folder, title: str, offset_days: float, monkeypatch) -> None:
    """Leave a journal as a window does that crashes while the clock is wrong."""
    monkeypatch.setattr(Clock, "offset", timedelta(days=offset_days))
    monkeypatch.setattr(journal_job, "datetime", Clock)
    job = JournalJob(folder)
    job._has_looked = True
    view = View(mask=MaskChoice())
    job.note(Note(workspace=WORKSPACE, view=view, title=title, device="cpu"))
    for lock in job._locks.values():
        lock.release()


@pytest.mark.parametrize("offsets", [(0, -365), (0, 0.04, -0.04), (3650, 0, -1), (0,)])
def test_the_newest_journal_is_offered_whatever_the_clock_says(offsets, tmp_path, monkeypatch):
    for number, offset in enumerate(offsets):
        crashed_window(tmp_path, f"t{number}", offset, monkeypatch)
    job = JournalJob(tmp_path)
    (left,) = job("look", lambda: False)
    assert isinstance(left, LeftBehind)
    assert left.entry.experiment.title == f"T{len(offsets) - 1}"
    job.close()


def test_of_many_journals_the_oldest_go_whatever_the_clock_says(tmp_path, monkeypatch):
    n_crashes = MOST_LEFT + 3
    for number in range(n_crashes):
        crashed_window(tmp_path, f"t{number}", -number, monkeypatch)
    job = JournalJob(tmp_path)
    list(job("look", lambda: False))
    kept = [path.name for path in tmp_path.glob("*.jsonl")]
    job.close()
    numbers = sorted(int(name.partition("-")[0]) for name in kept)
    assert numbers == list(range(n_crashes - MOST_LEFT + 1, n_crashes + 1))


def test_a_journal_of_an_earlier_version_comes_before_those_with_a_number(tmp_path, monkeypatch):
    crashed_window(tmp_path, "earlier", 0, monkeypatch)
    (path,) = tmp_path.glob("*.jsonl")
    path.rename(tmp_path / "20990101-000000-000000-7.jsonl")
    crashed_window(tmp_path, "later", 0, monkeypatch)
    (left,) = JournalJob(tmp_path)("look", lambda: False)
    assert left.entry.experiment.title == "Later"


@pytest.mark.parametrize("hours", [-30 * 24, -1, 1, 30 * 24])
@pytest.mark.filterwarnings("ignore")
def test_a_run_is_known_after_the_clock_was_set(hours, tmp_path, monkeypatch):
    fake_training(monkeypatch, "wait")
    folder = tmp_path / "run"
    write_order(folder, make_order())
    begun = RunProcess.begin(folder)
    # What systems say of the start of a process moves with the clock.
    shifted = replace(begun.order, pid_started_s=begun.order.pid_started_s + 3600 * hours)
    write_order(folder, shifted)
    assert read_run(folder).state == "running"
    found = RunProcess.find(folder)
    assert found is not None
    assert 0 <= found.seconds < 600
    found.kill()
    wait_until(lambda: not begun.is_alive)
    assert begun.close(is_finished=False).stopped == "cancelled"
    assert read_run(folder).state == "cancelled"


def test_a_process_that_has_the_number_of_a_run_is_not_taken_for_it(tmp_path):
    words = [sys.executable, "-c", "import time; time.sleep(60)", str(tmp_path / "other")]
    with subprocess.Popen(words) as stranger:
        order = replace(make_order(), pid=stranger.pid, pid_started_s=time.time() - DAY_S)
        assert order.process(tmp_path / "run") is None
        assert order.process(tmp_path / "other") is not None
        stranger.kill()


def half_written(folder, pid: int):
    path = folder / f".{'0' * 40}-{pid}-0123abcd.npy"
    path.write_bytes(b"half")
    return path


def test_a_clock_set_forward_takes_no_file_from_who_writes_it(tmp_path, monkeypatch):
    alive, gone = half_written(tmp_path, os.getpid()), half_written(tmp_path, NOBODY)
    assert not psutil.pid_exists(NOBODY)
    assert not is_abandoned(gone)
    monkeypatch.setattr(resources.time, "time", lambda: time.monotonic() + 10 * 365 * DAY_S + 2e9)
    assert not is_abandoned(alive)
    assert is_abandoned(gone)
    CountStore(tmp_path, 10**6).keep("1" * 64, 1, np.zeros((2, 2, 2), dtype=np.uint8))
    assert alive.exists()
    assert not gone.exists()


def test_a_clock_set_back_does_not_make_the_new_the_oldest(tmp_path):
    """What another window writes looks older than everything else, and is left alone."""
    session, source = make_session(), tmp_path / "source"
    source.mkdir()
    cache = PreparedCache(tmp_path / "cache", max_bytes=1)
    cache.folder.mkdir()
    written = cache.folder / f".session-{os.getpid()}-0123abcd.h5"
    written.write_bytes(b"half")
    os.utime(written, (0, 0))
    old = cache.keep(session, str(source), PreparationConfig())
    os.utime(old, (time.time() + DAY_S, time.time() + DAY_S))
    new = cache.keep(make_session(seed=1), str(source), PreparationConfig(min_rate_hz=0.5))
    assert written.exists()
    assert new.exists()
    assert not old.exists()
