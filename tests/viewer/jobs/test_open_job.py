"""Opening files: all or nothing, and what to do when they do not belong together."""

from __future__ import annotations

import numpy as np
import pytest

from mtm_core import resources
from mtm_core.data.session_file import write_session
from mtm_core.errors import CheckpointError, DataError, MtmError, SessionFileError
from mtm_core.training.loop import train
from mtm_core.training.run_folder import RunFolder
from mtm_viewer.jobs import open_job
from mtm_viewer.jobs.open_job import Misfit, OpenRequest, bundled_models, open_files
from tests.core.checkpoints import make_checkpoint, write_checkpoint
from tests.core.sessions import make_session
from tests.core.training.runs import tiny_config
from tests.viewer.workspaces import write_files

SESSION = make_session()


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_files(tmp_path_factory.mktemp("files"), SESSION)


@pytest.fixture
def bundle(tmp_path, monkeypatch):
    """Put a session and its checkpoints where bundled ones are looked for."""
    session, mtm, temporal = write_files(tmp_path, SESSION)
    monkeypatch.setattr(resources, "list_sessions", lambda: ["small"])
    monkeypatch.setattr(resources, "session_path", lambda _: session)
    monkeypatch.setattr(resources, "list_checkpoints", lambda: ["mtm", "temporal"])
    monkeypatch.setattr(
        resources, "checkpoint_path", lambda name: tmp_path / f"{name}.safetensors"
    )
    return session, mtm, temporal


def only(requested: OpenRequest):
    (answer,) = open_job.open_work(requested, lambda: False)
    return answer


def test_a_session_and_its_checkpoints_are_opened_together(files):
    session, mtm, temporal = files
    workspace = only(OpenRequest(session_path=session, checkpoint_paths=(mtm, temporal)))
    assert workspace.session.content_hash == SESSION.content_hash
    assert workspace.path == session
    assert [model.kind for model in workspace.models] == ["MtM", "Temporal baseline"]
    assert workspace.baseline is workspace.models[1]


def test_a_session_alone_has_no_model(files):
    workspace = open_files(OpenRequest(session_path=files[0]))
    assert workspace.model is None


def test_a_checkpoint_joins_the_session_that_is_open(files):
    session, mtm, temporal = files
    first = open_files(OpenRequest(session_path=session, checkpoint_paths=(temporal,)))
    second = open_files(OpenRequest(checkpoint_paths=(mtm,), current=first))
    assert second.recording is first.recording
    assert [model.kind for model in second.models] == ["MtM", "Temporal baseline"]


def test_opening_a_checkpoint_again_does_not_list_it_twice(files):
    session, mtm, _ = files
    first = open_files(OpenRequest(session_path=session, checkpoint_paths=(mtm,)))
    second = open_files(OpenRequest(checkpoint_paths=(mtm,), current=first))
    assert len(second.models) == 1


def test_another_loaded_model_is_put_on_screen_without_reading(files):
    session, mtm, temporal = files
    first = open_files(OpenRequest(session_path=session, checkpoint_paths=(mtm, temporal)))
    second = open_files(OpenRequest(current=first, shown=1))
    assert second.models is first.models
    assert second.model.is_temporal


def test_models_that_fit_the_next_session_stay(files, tmp_path):
    session, mtm, _ = files
    first = open_files(OpenRequest(session_path=session, checkpoint_paths=(mtm,)))
    other = tmp_path / "other.h5"
    write_session(make_session(seed=1), other)
    assert open_files(OpenRequest(session_path=session, current=first)).model is first.model
    assert open_files(OpenRequest(session_path=other, current=first)).model is None


def test_a_bundled_session_brings_its_bundled_models(bundle):
    workspace = open_files(OpenRequest(session_path=bundle[0]))
    assert [model.kind for model in workspace.models] == ["MtM", "Temporal baseline"]


def test_a_checkpoint_alone_brings_its_bundled_session_and_baseline(bundle):
    workspace = open_files(OpenRequest(checkpoint_paths=(bundle[1],)))
    assert workspace.session.session_id == SESSION.session_id
    assert workspace.baseline is not None


def test_a_damaged_bundled_checkpoint_does_not_keep_others_away(bundle, caplog):
    bundle[1].write_bytes(b"damaged")
    assert [model.kind for model in bundled_models(SESSION)] == ["Temporal baseline"]
    assert "left out" in caplog.text


@pytest.fixture
def of_several(bundle, tmp_path):
    """Write a checkpoint of three sessions, the second of which is the bundled one."""
    sessions = [make_session(seed=7), SESSION, make_session(n_units=18, seed=8)]
    config = tiny_config(optim__steps="1", run__validate_every="1")
    for _ in train(config, sessions, tmp_path / "run"):
        pass
    return RunFolder(tmp_path / "run").model_path, sessions


def test_a_checkpoint_of_several_sessions_is_opened_for_the_one_that_is_open(
    bundle, of_several, tmp_path
):
    path, sessions = of_several
    first = tmp_path / "first.h5"
    write_session(sessions[2], first)
    together = open_files(OpenRequest(session_path=first, checkpoint_paths=(path,)))
    assert together.model.checkpoint.manifest.session_id == sessions[2].session_id
    alone = open_files(OpenRequest(session_path=bundle[0]))
    joined = open_files(OpenRequest(checkpoint_paths=(path,), current=alone))
    assert joined.model.checkpoint.manifest.session_id == SESSION.session_id
    in_memory = OpenRequest(session=sessions[0], session_path=first, checkpoint_paths=(path,))
    opened = open_files(in_memory).model.checkpoint.manifest
    assert opened.session_id == sessions[0].session_id


def test_a_checkpoint_of_several_sessions_brings_the_bundled_one_that_it_knows(of_several):
    workspace = open_files(OpenRequest(checkpoint_paths=(of_several[0],)))
    assert workspace.session.session_id == SESSION.session_id


def test_a_session_that_a_checkpoint_does_not_know_is_offered_the_bundled_one(
    bundle, of_several, tmp_path
):
    other = tmp_path / "other.h5"
    write_session(make_session(seed=9), other)
    answer = open_files(OpenRequest(session_path=other, checkpoint_paths=(of_several[0],)))
    assert isinstance(answer, Misfit)
    assert answer.own_session == bundle[0]


def test_a_checkpoint_of_several_sessions_none_of_which_is_here_lists_them(
    of_several, monkeypatch
):
    monkeypatch.setattr(resources, "list_sessions", list)
    with pytest.raises(MtmError, match=r"trained on 3 sessions; choose one of them: simulated-7"):
        open_files(OpenRequest(checkpoint_paths=(of_several[0],)))


def test_a_bundled_checkpoint_of_several_sessions_serves_each(of_several, monkeypatch):
    path, sessions = of_several
    monkeypatch.setattr(resources, "list_checkpoints", lambda: ["many"])
    monkeypatch.setattr(resources, "checkpoint_path", lambda _: path)
    for session in sessions:
        (model,) = bundled_models(session)
        assert model.checkpoint.manifest.session_id == session.session_id
    assert bundled_models(make_session(seed=9)) == ()


def test_a_checkpoint_without_its_session_asks_for_it(files, monkeypatch):
    monkeypatch.setattr(resources, "list_sessions", list)
    with pytest.raises(DataError, match="Open the recording that this checkpoint was trained on"):
        open_files(OpenRequest(checkpoint_paths=(files[1],)))


def test_other_units_are_a_misfit_with_ways_out(bundle, tmp_path):
    path = tmp_path / "part.h5"
    write_session(SESSION.take_units(np.arange(20)), path)
    current = open_files(OpenRequest(session_path=path))
    misfit = open_files(OpenRequest(checkpoint_paths=(bundle[1],), current=current))
    assert isinstance(misfit, Misfit)
    assert "4 of the checkpoint's 24 units are not in the session" in misfit.sentence
    assert misfit.can_overlap
    assert misfit.own_session == bundle[0]


def test_the_overlap_can_be_used_when_asked_for(files, tmp_path):
    path = tmp_path / "part.h5"
    write_session(SESSION.take_units(np.arange(20)), path)
    workspace = open_files(
        OpenRequest(session_path=path, checkpoint_paths=(files[1],), allow_overlap=True)
    )
    assert workspace.is_missing.sum() == 4
    assert workspace.recording.n_units == 20


def test_another_window_is_a_misfit_without_overlap(files, tmp_path):
    path = tmp_path / "coarse.h5"
    write_session(make_session(bin_size_s=0.02), path)
    misfit = open_files(OpenRequest(session_path=path, checkpoint_paths=(files[1],)))
    assert "10 ms, and this session has 20 ms" in misfit.sentence
    assert not misfit.can_overlap


def test_files_that_cannot_be_trusted_are_refused_with_a_sentence(files, tmp_path):
    foreign = tmp_path / "foreign.h5"
    foreign.write_bytes(b"not HDF5")
    with pytest.raises(SessionFileError):
        open_files(OpenRequest(session_path=foreign))
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(files[1].read_bytes()[:900])
    with pytest.raises(CheckpointError):
        open_files(OpenRequest(session_path=files[0], checkpoint_paths=(cut,)))
    with pytest.raises(MtmError):
        open_files(OpenRequest(session_path=tmp_path / "nowhere.h5"))


def test_other_work_is_not_for_this_thread():
    with pytest.raises(TypeError, match="opens files"):
        next(open_job.open_work("CA1", lambda: False))


def test_a_checkpoint_of_the_same_units_in_another_order_fits(tmp_path):
    session = tmp_path / "small.h5"
    write_session(SESSION, session)
    turned = SESSION.take_units(np.arange(24)[::-1])
    checkpoint = make_checkpoint(turned)
    path = tmp_path / "turned.safetensors"
    write_checkpoint(path, checkpoint)
    workspace = open_files(OpenRequest(session_path=session, checkpoint_paths=(path,)))
    assert np.array_equal(workspace.session.unit_id, turned.unit_id)
