"""Journals on disk: bounded, found again after a crash, never mistaken for a living window's."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from mtm_core.errors import OutputError
from mtm_viewer.jobs import journal_job
from mtm_viewer.jobs.journal_job import LAST, JournalJob, LeftBehind, Note, Noted
from mtm_viewer.presenters.experiment_view import View
from mtm_viewer.presenters.mask_choice import MaskChoice, recipe_choice
from tests.viewer.workspaces import make_small_workspace

WORKSPACE = make_small_workspace(n_trials=60)


def note(region: str | None = "CA1") -> Note:
    mask = MaskChoice()
    if region is not None:
        mask = recipe_choice("inter_region", region, WORKSPACE.session)
    title = f"{region} hidden"
    return Note(workspace=WORKSPACE, view=View(mask=mask), title=title, device="cpu")


def ask(job: JournalJob, request: object) -> list[object]:
    return list(job(request, lambda: False))


def leave(job: JournalJob) -> None:
    """Let go of the locks as the system does when a process is killed."""
    for lock in job._locks.values():
        lock.release()


def files(folder):
    return sorted(path.name for path in folder.glob("*.jsonl"))


def test_what_a_killed_window_showed_is_found_and_forgotten(tmp_path):
    killed = JournalJob(tmp_path / "journal")
    ask(killed, note("CA1"))
    (noted,) = ask(killed, note("DG"))
    assert isinstance(noted, Noted)
    leave(killed)
    again = JournalJob(tmp_path / "journal")
    (left,) = ask(again, "look")
    assert isinstance(left, LeftBehind)
    assert left.entry.experiment.title == "DG hidden"
    assert left.entry.experiment.mask == note("DG").view.mask.spec
    again.forget(left.path)
    again.close()
    assert ask(JournalJob(tmp_path / "journal"), "look") == []
    assert list((tmp_path / "journal").iterdir()) == []


def test_a_living_window_is_left_alone(tmp_path):
    alive, other = JournalJob(tmp_path), JournalJob(tmp_path)
    ask(alive, note())
    assert ask(other, "look") == []
    ask(other, note("VISp"))
    assert len(files(tmp_path)) == 2
    alive.close()
    other.close()


def test_closing_keeps_the_last_screen(tmp_path):
    job = JournalJob(tmp_path)
    assert job.last() is None
    ask(job, note("DG"))
    job.close()
    assert files(tmp_path) == [LAST]
    again = JournalJob(tmp_path)
    assert ask(again, "look") == []
    assert again.last().experiment.title == "DG hidden"


def test_the_journal_does_not_grow_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr(journal_job, "MAX_BYTES", 20_000)
    job = JournalJob(tmp_path)
    for number in range(40):
        ask(job, note(("CA1", "DG", "VISp")[number % 3]))
        (name,) = files(tmp_path)
        assert (tmp_path / name).stat().st_size <= 20_000
    leave(job)
    (left,) = ask(JournalJob(tmp_path), "look")
    assert left.entry.experiment.title == "CA1 hidden"


def test_the_same_screen_is_written_once(tmp_path):
    job = JournalJob(tmp_path)
    ask(job, note())
    size = (tmp_path / files(tmp_path)[0]).stat().st_size
    ask(job, note())
    assert (tmp_path / files(tmp_path)[0]).stat().st_size == size
    job.close()


def test_a_line_torn_by_a_full_disk_does_not_spoil_the_next(tmp_path, monkeypatch):
    job = JournalJob(tmp_path)
    ask(job, note("CA1"))
    path = tmp_path / files(tmp_path)[0]

    def full(_: int) -> None:
        with path.open("r+b") as file:
            file.truncate(path.stat().st_size - 300)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match="no space left"):
            ask(job, note("DG"))
    ask(job, note("VISp"))
    leave(job)
    (left,) = ask(JournalJob(tmp_path), "look")
    assert left.entry.experiment.title == "VISp hidden"


def test_a_folder_that_cannot_be_made_is_told(tmp_path):
    (tmp_path / "journal").write_text("a file")
    with pytest.raises(OutputError, match="The journal in"):
        ask(JournalJob(tmp_path / "journal"), note())


def test_of_many_crashes_the_newest_is_offered_and_few_are_kept(tmp_path):
    for number in range(8):
        job = JournalJob(tmp_path)
        job._has_looked = True
        ask(job, note(("CA1", "DG")[number % 2]))
        leave(job)
    again = JournalJob(tmp_path)
    (left,) = ask(again, "look")
    assert left.path.name == files(tmp_path)[-1]
    assert len(files(tmp_path)) == journal_job.MOST_LEFT
    again.close()


@pytest.mark.parametrize("content", [b"", b"\x00" * 5000, b"{}\n" * 100, b"9" * 9_000_000])
def test_a_corrupt_journal_is_removed(tmp_path, content):
    (tmp_path / "20260101-000000-000000-1.jsonl").write_bytes(content)
    (tmp_path / LAST).write_bytes(content)
    job = JournalJob(tmp_path)
    assert ask(job, "look") == []
    assert job.last() is None
    assert files(tmp_path) == [LAST]


def test_what_is_no_file_is_not_read(tmp_path):
    (tmp_path / "20260101-000000-000000-1.jsonl").mkdir()
    os.mkfifo(tmp_path / "20260101-000000-000000-2.jsonl")
    job = JournalJob(tmp_path)
    assert ask(job, "look") == []
    job.close()


def test_a_prepared_session_remembers_how(tmp_path):
    from mtm_core.config_io import load_preparation
    from mtm_viewer.presenters.workspace import Opened

    opened = Opened(source="/recordings/a", config=load_preparation())
    prepared = replace(WORKSPACE, opened=opened)
    job = JournalJob(tmp_path)
    (noted,) = ask(job, replace(note(), workspace=prepared))
    assert noted.entry.experiment.session.source == "/recordings/a"
    assert '"preset"' in noted.entry.preparation
    job.close()
