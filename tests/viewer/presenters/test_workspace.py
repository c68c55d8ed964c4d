"""A recording and the model on screen, brought together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mtm_core.config import DataConfig, PreparationConfig
from mtm_core.data.splits import split_trials
from mtm_core.errors import MismatchError
from mtm_core.masking import tasks
from mtm_core.models.checkpoint import load_folds, save_folds
from mtm_core.models.family import family_state
from mtm_viewer.jobs.reconstruct_job import ReconstructionJob, ReconstructionRequest
from mtm_viewer.presenters.score_lines import scored_trials
from mtm_viewer.presenters.workspace import LoadedModel, Opened, make_workspace
from tests.core.checkpoints import make_checkpoint
from tests.core.sessions import make_session
from tests.viewer.workspaces import MTM, TEMPORAL, make_model, make_small_workspace

SESSION = make_session()


def test_the_shown_trials_are_those_that_the_model_never_saw():
    workspace = make_small_workspace()
    split = split_trials(workspace.session, MTM.data)
    assert workspace.trial_kind == "test"
    for part in ("train", "val", "test"):
        assert np.array_equal(getattr(workspace, part), getattr(split, part))


def test_without_a_model_trials_are_split_as_one_would_be_trained():
    with_models, without = make_small_workspace(), make_small_workspace(has_models=False)
    assert np.array_equal(with_models.test, without.test)
    assert without.model is None
    assert without.baseline is None


def test_too_few_trials_to_split_are_all_shown():
    workspace = make_small_workspace(has_models=False, n_trials=2)
    assert workspace.test.tolist() == [0, 1]
    assert workspace.trial_kind == "(all)"


def test_the_temporal_model_is_the_baseline_of_the_other():
    workspace = make_small_workspace()
    assert workspace.model.kind == "MtM"
    assert workspace.baseline is workspace.models[1]


def test_the_temporal_model_has_no_baseline_itself():
    workspace = make_small_workspace()
    alone = make_workspace(workspace.recording, workspace.path, workspace.models, shown=1)
    assert alone.model.kind == "Temporal baseline"
    assert alone.baseline is None


def test_a_baseline_that_saw_the_test_trials_is_not_compared_with():
    model, rival = make_model(SESSION), make_model(SESSION, TEMPORAL)
    split = dict(rival.checkpoint.manifest.split)
    split["test"], split["train"] = split["test"][1:], (*split["train"], split["test"][0])
    before = rival.checkpoint.manifest
    manifest = replace(before, sessions=(replace(before.only, split=split),))
    rival = replace(rival, checkpoint=replace(rival.checkpoint, manifest=manifest))
    assert make_workspace(SESSION, Path("s.h5"), (model, rival)).baseline is None


def test_units_stand_in_the_order_of_the_model():
    order = np.arange(SESSION.n_units)[::-1]
    workspace = make_workspace(SESSION, Path("s.h5"), (make_model(SESSION.take_units(order)),))
    assert np.array_equal(workspace.session.unit_id, SESSION.unit_id[::-1])
    assert workspace.recording is SESSION


def test_units_that_the_recording_lacks_are_marked():
    part = SESSION.take_units(np.arange(20))
    workspace = make_workspace(part, Path("s.h5"), (make_model(SESSION),))
    assert workspace.session.n_units == 24
    assert np.flatnonzero(workspace.is_missing).tolist() == [20, 21, 22, 23]


def test_another_bin_size_is_refused_with_a_sentence():
    with pytest.raises(MismatchError, match="10 ms, and this session has 20 ms"):
        make_workspace(make_session(bin_size_s=0.02), Path("s.h5"), (make_model(SESSION),))


def test_rates_come_from_training_trials():
    workspace = make_small_workspace()
    session = workspace.session
    mean = session.counts[workspace.train].mean(axis=(0, 1)) / session.bin_size_s
    assert workspace.rate_hz == pytest.approx(mean)


@pytest.mark.parametrize(
    ("path", "name"),
    [("runs/demo.safetensors", "MtM (demo)"), ("runs/visp/model.safetensors", "MtM (visp)")],
)
def test_models_are_called_by_their_kind_and_file(path, name):
    model = make_model(SESSION)
    model = replace(model, checkpoint=replace(model.checkpoint, path=Path(path)))
    assert model.name == name


def test_a_model_called_after_the_session_need_not_repeat_that():
    workspace = make_small_workspace()
    assert workspace.title_of("MtM (small-simulated-quick-seed-1)") == "MtM (quick-seed-1)"
    assert workspace.title_of("MtM (demo)") == "MtM (demo)"


def test_a_prepared_recording_is_called_by_its_own_name_and_opened_by_its_source():
    workspace = make_small_workspace()
    assert (workspace.name, workspace.source) == ("small (simulated)", "small.h5")
    opened = Opened(source="/data/KS014", config=PreparationConfig())
    prepared = replace(workspace, opened=opened)
    assert (prepared.name, prepared.source) == ("simulated-0 (simulated)", "/data/KS014")
    assert prepared.health.n_trials == 40


def test_a_cross_fitted_model_shows_all_trials_each_by_its_own_fold(tmp_path):
    session = make_session()
    configs = [replace(MTM, data=DataConfig(folds=2, fold=number)) for number in (1, 2)]
    folds = [make_checkpoint(session, config) for config in configs]
    path = tmp_path / "run" / "model.safetensors"
    path.parent.mkdir()
    save_folds(path, [(f.manifest, family_state(f.model, session.session_id)) for f in folds])
    model = LoadedModel(checkpoint=load_folds(path))
    workspace = make_workspace(session, Path("s.h5"), (model,))
    assert workspace.test.tolist() == list(range(40))
    assert model.name == "MtM (run), 2 folds"
    assert workspace.trial_kind == "cross-fitted"
    assert [fold.test.tolist() for fold in workspace.folds] == [
        list(fold.manifest.split["test"]) for fold in folds
    ]
    assert scored_trials(workspace).folds == workspace.folds
    request = ReconstructionRequest(workspace=workspace, spec=tasks.inter_region("CA1"))
    *_, picture = ReconstructionJob()(request, lambda: False)
    assert "cross-fitted: every trial is shown" in picture.raster.note
    assert picture.n_done == 40
    assert make_small_workspace().folds == ()
    assert workspace.split.test.tolist() == workspace.test.tolist()
