from __future__ import annotations

import dataclasses
import itertools
import threading

import pytest

from mtm_core.errors import DataError, MismatchError
from mtm_core.evaluation.region_matrix_plan import MatrixSettings
from mtm_core.models.backend import probe_backend
from mtm_viewer.jobs import matrix_job
from mtm_viewer.jobs.backend_job import BackendWork
from mtm_viewer.jobs.matrix_job import MatrixJob, MatrixRequest
from mtm_viewer.presenters.computing import Computing
from tests.core.sessions import make_session
from tests.viewer.workspaces import make_model, make_small_workspace

SETTINGS = MatrixSettings(min_units=4, n_units=5, n_draws=2)


@pytest.fixture(scope="module")
def workspace():
    return make_small_workspace()


@pytest.fixture(autouse=True)
def every_answer(monkeypatch):
    monkeypatch.setattr(matrix_job, "PAUSE_S", 0.0)


def never() -> bool:
    return False


def test_a_matrix_grows_to_its_end(workspace, tmp_path):
    job = MatrixJob(tmp_path)
    answers = list(job(MatrixRequest(workspace=workspace, settings=SETTINGS), never))
    shares = [each.share_done for each in answers]
    assert shares == sorted(shares)
    assert shares[0] == pytest.approx(1 / 18)
    assert shares[-1] == 1
    last = answers[-1]
    assert set(last.reports) == {"psth_by_condition", "psth_all_trials"}
    assert last.report("psth_by_condition").grid()[1].sum() == 6
    assert answers[0].report("psth_by_condition").grid()[1].sum() == 2
    assert answers[5].seconds_left > 0


def test_a_stopped_matrix_goes_on_at_once_and_after_a_restart(workspace, tmp_path):
    request = MatrixRequest(workspace=workspace, settings=SETTINGS)
    job = MatrixJob(tmp_path)
    first = list(itertools.islice(job(request, never), 3))
    assert first[-1].report("psth_by_condition").n_done == 3
    for again in (job, MatrixJob(tmp_path)):
        answer = next(iter(again(request, never)))
        assert answer.report("psth_by_condition").n_done >= 3


def test_other_settings_are_another_matrix(workspace, tmp_path):
    job = MatrixJob(tmp_path)
    list(job(MatrixRequest(workspace=workspace, settings=SETTINGS), never))
    other = MatrixSettings(level="cosmos", min_units=4, n_draws=1)
    answers = list(job(MatrixRequest(workspace=workspace, settings=other), never))
    assert answers[-1].report("psth_by_condition").regions == ("Isocortex", "HPF")


def test_another_model_is_another_matrix(workspace, tmp_path):
    job = MatrixJob(tmp_path)
    list(job(MatrixRequest(workspace=workspace, settings=SETTINGS), never))
    other = dataclasses.replace(workspace, shown=1)
    first = next(iter(job(MatrixRequest(workspace=other, settings=SETTINGS), never)))
    report = first.report("psth_by_condition")
    assert report.n_done < report.n_steps
    assert report.header["checkpoint"] == "temporal.safetensors"


def test_a_matrix_says_how_it_was_computed_and_begins_anew_when_that_changes(workspace, tmp_path):
    job = MatrixJob(tmp_path)
    work = BackendWork(lambda _: job, Computing(threads=1))
    request = MatrixRequest(workspace=workspace, settings=SETTINGS, device="cpu")
    for precision in ("fp32", "bf16"):
        work.choose(Computing(threads=1, precision=precision))
        answers = list(work(request, never))
        assert answers[0].share_done == pytest.approx(1 / 18)
        backend = probe_backend("cpu", threads=1, precision=precision)
        for report in answers[-1].reports.values():
            assert report.header["backend"] == backend.describe()
    work.choose(Computing(threads=1))
    assert next(iter(work(request, never))).share_done == 1


def test_a_held_matrix_waits_and_can_be_stopped_while_it_waits(workspace, tmp_path):
    job = MatrixJob(tmp_path)
    job.hold(is_held=True)
    is_stopped, answers = threading.Event(), []
    request = MatrixRequest(workspace=workspace, settings=SETTINGS)
    thread = threading.Thread(target=lambda: answers.extend(job(request, is_stopped.is_set)))
    thread.start()
    thread.join(0.3)
    assert thread.is_alive()
    assert not answers
    is_stopped.set()
    thread.join(10)
    assert not thread.is_alive()
    job.hold(is_held=False)
    assert list(job(request, never))[-1].share_done == 1


def test_a_model_of_another_session_is_refused(tmp_path):
    other = make_small_workspace(session_id="other")
    strange = make_session(seed=0, session_id="strange")
    model = make_model(strange)
    units = other.recording.units.columns | {"unit_id": strange.units.column("unit_id")}
    recording = dataclasses.replace(
        other.recording, units=dataclasses.replace(other.recording.units, columns=units)
    )
    workspace = dataclasses.replace(other, recording=recording, models=(model,))
    with pytest.raises(MismatchError, match="Choose trials yourself, or another checkpoint"):
        list(MatrixJob(tmp_path)(MatrixRequest(workspace=workspace, settings=SETTINGS), never))


def test_too_few_regions_are_a_sentence(workspace, tmp_path):
    request = MatrixRequest(workspace=workspace, settings=MatrixSettings(min_units=50))
    with pytest.raises(DataError, match="A matrix needs two regions"):
        list(MatrixJob(tmp_path)(request, never))


def test_it_does_nothing_else(workspace, tmp_path):
    with pytest.raises(TypeError, match="fills matrices"):
        list(MatrixJob(tmp_path)("something", never))
    bare = MatrixRequest(workspace=make_small_workspace(has_models=False), settings=SETTINGS)
    with pytest.raises(ValueError, match="needs a model"):
        list(MatrixJob(tmp_path)(bare, never))
