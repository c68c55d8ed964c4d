"""Opening recordings that must be prepared: kept, asked about, told what is wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mtm_core.config import PreparationConfig
from mtm_core.config_io import load_preparation
from mtm_core.data.session_file import read_session, write_session
from mtm_core.errors import DownloadError, LoginError, OutputError, UnreachableError
from mtm_viewer.jobs.open_job import Misfit, OpenRequest
from mtm_viewer.jobs.prepare_job import (
    Failure,
    KeepRequest,
    ManySessions,
    NeedsDownload,
    OpenJob,
    PrepareRequest,
    Question,
    Saved,
    SaveRequest,
)
from mtm_viewer.jobs.prepared_cache import PreparedCache
from mtm_viewer.presenters.workspace import Workspace
from tests.core.data.small_nwb import write_small_nwb
from tests.core.sessions import make_session
from tests.viewer.one_client import EID, FakeDatabase
from tests.viewer.recordings import EXCERPT, write_simulated
from tests.viewer.workspaces import write_files

CONFIG = load_preparation()
STRICT = PreparationConfig(align="first_movement", window_start_s=-8.0, window_end_s=8.0)
"""Windows so long that few trials of the excerpt are covered."""


@pytest.fixture
def database():
    return FakeDatabase(folder=EXCERPT)


@pytest.fixture
def job(tmp_path, database):
    return OpenJob(PreparedCache(tmp_path / "kept"), database.connect)


def never() -> bool:
    return False


def ask(source: object, config: PreparationConfig = CONFIG, **more: object) -> PrepareRequest:
    return PrepareRequest(source=str(source), config=config, **more)


def only(job: OpenJob, request: object):
    (answer,) = job(request, never)
    return answer


def test_the_real_excerpt_is_prepared_and_kept(job):
    workspace = only(job, ask(EXCERPT))
    assert isinstance(workspace, Workspace)
    assert workspace.session.n_trials == 24
    assert workspace.opened.source == str(EXCERPT)
    assert read_session(workspace.path).content_hash == workspace.recording.content_hash


def test_the_next_opening_takes_what_was_kept(job, monkeypatch):
    first = only(job, ask(EXCERPT))
    monkeypatch.setattr("mtm_viewer.jobs.prepare_job.prepare", None)
    second = only(job, ask(EXCERPT))
    assert second.path == first.path
    assert second.recording.preparation == first.recording.preparation


def test_progress_is_told_on_the_way(job):
    said: list[object] = []
    only(job, ask(EXCERPT, report=said.append))
    assert "choosing trials and units, counting spikes" in said


def test_a_simulated_folder_stays_marked_as_simulated(job, tmp_path):
    workspace = only(job, ask(write_simulated(tmp_path), is_accepted=True))
    assert workspace.recording.provenance.is_simulated
    assert workspace.name.endswith("(simulated)")


def test_an_nwb_file_is_opened(job, tmp_path):
    file = write_small_nwb(tmp_path / "small.nwb")
    lenient = load_preparation("paper", [("prepare.drop_silence", "false")])
    workspace = only(job, ask(file, lenient, is_accepted=True))
    assert isinstance(workspace, Workspace), workspace.sentence
    assert workspace.session.n_trials > 0


def test_losing_more_than_a_fifth_of_the_trials_is_asked_about(job):
    question = only(job, ask(EXCERPT, STRICT))
    assert isinstance(question, Question)
    assert question.session.preparation.share_of_trials_dropped > 0.2
    assert not list(job.cache.folder.glob("*"))
    workspace = only(job, KeepRequest(question=question))
    assert workspace.session.n_trials == question.session.n_trials
    assert isinstance(only(job, ask(EXCERPT, STRICT)), Workspace)  # kept: asked once


def test_a_question_that_was_answered_is_not_asked_again(job):
    assert isinstance(only(job, ask(EXCERPT, STRICT, is_accepted=True)), Workspace)


def test_a_session_file_is_opened_as_it_was_prepared(job, tmp_path):
    path = tmp_path / "small.h5"
    write_session(make_session(), path)
    workspace = only(job, ask(path))
    assert (workspace.path, workspace.opened) == (path, None)


def test_a_bundled_recording_is_opened_by_its_name(job):
    for name in ("demo:steinmetz2019_s01", "steinmetz2019_s01"):
        workspace = only(job, ask(name))
        assert workspace.recording.provenance.source == "steinmetz2019"


def test_checkpoints_are_opened_with_a_session_file(job, tmp_path):
    session, mtm, temporal = write_files(tmp_path, make_session())
    workspace = only(job, ask(session, checkpoint_paths=(mtm, temporal)))
    assert len(workspace.models) == 2


def test_a_checkpoint_of_other_units_is_a_misfit(job, tmp_path):
    _, mtm, _ = write_files(tmp_path, make_session())
    misfit = only(job, ask(EXCERPT, checkpoint_paths=(mtm,)))
    assert isinstance(misfit, Misfit)
    assert misfit.request.session.n_trials == 24


def test_a_folder_with_several_sessions_is_a_list(job, tmp_path):
    write_simulated(tmp_path / "a", trials=10, units=10)
    write_simulated(tmp_path / "b", trials=10, units=10)
    assert only(job, ask(tmp_path)) == ManySessions(root=tmp_path)


def test_what_is_no_recording_is_told_without_offering_settings(job, tmp_path):
    failure = only(job, ask(tmp_path))
    assert (failure.kind, type(failure)) == ("file", Failure)
    assert "is no recording" in failure.sentence
    assert only(job, ask(tmp_path / "nowhere.nwb")).kind == "file"


def test_rules_that_leave_nothing_can_be_changed(job):
    failure = only(job, ask(EXCERPT, PreparationConfig(min_region_units=1000)))
    assert failure.kind == "settings"
    unknown = only(job, ask(EXCERPT, PreparationConfig(regions=("MOs",))))
    assert (unknown.kind, "MOs" in unknown.sentence) == ("settings", True)


def test_an_eid_is_downloaded_first_and_then_read(job, database):
    wanted = only(job, ask(EID))
    assert isinstance(wanted, NeedsDownload)
    assert database.accounts == []
    workspace = only(job, ask(EID, is_downloaded=True))
    assert workspace.opened.source == EID
    database.is_down = True
    assert isinstance(only(job, ask(EID)), Workspace)  # kept: needs no network
    assert len(database.accounts) == 1


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (LoginError("Log in."), "login"),
        (UnreachableError("No network."), "network"),
        (DownloadError("It did not arrive whole."), "network"),
    ],
)
def test_faults_of_the_network_are_told_apart(tmp_path, error, kind):
    def connect(_):
        raise error

    job = OpenJob(PreparedCache(tmp_path), connect)
    failure = only(job, ask(EID, is_downloaded=True))
    assert (failure.kind, failure.sentence) == (kind, str(error))


def test_stopping_leaves_nothing_behind(job):
    assert list(job(ask(EXCERPT), lambda: True)) == []
    assert not job.cache.folder.exists()


def test_stopping_between_reading_and_counting_leaves_nothing_behind(job):
    said: list[object] = []
    stop = lambda: "choosing trials and units, counting spikes" in said  # noqa: E731
    assert list(job(ask(EXCERPT, report=said.append), stop)) == []
    assert not job.cache.folder.exists()


def test_a_full_disk_does_not_stand_in_the_way(job, monkeypatch):
    def full(*_: object) -> Path:
        raise OutputError("Could not write: no space left.")

    monkeypatch.setattr(PreparedCache, "keep", full)
    answers = job(ask(EXCERPT), never)
    workspace = next(answers)
    assert workspace.path == EXCERPT
    with pytest.raises(OutputError, match="no space left"):
        next(answers)


def test_a_session_is_saved_as_it_was_prepared(job, tmp_path):
    session = make_session()
    answer = only(job, SaveRequest(session=session, path=tmp_path / "copy.h5"))
    assert answer == Saved(path=tmp_path / "copy.h5")
    assert read_session(answer.path).content_hash == session.content_hash


def test_files_without_preparation_are_opened_as_before(job, tmp_path):
    path = tmp_path / "small.h5"
    write_session(make_session(), path)
    assert only(job, OpenRequest(session_path=path)).path == path
    with pytest.raises(TypeError):
        next(job("CA1", never))


def test_another_model_keeps_what_was_opened(job, tmp_path):
    prepared = only(job, ask(EXCERPT))
    again = only(job, OpenRequest(current=prepared, shown=0))
    assert again.opened == prepared.opened
    kept = only(job, OpenRequest(current=replace(prepared, models=())))
    assert kept.opened == prepared.opened
