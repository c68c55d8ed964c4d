"""Cross-fitting: every trial is predicted by a model, and judged by nulls, that never saw it."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pytest

from mtm_core.errors import CheckpointError, MismatchError, TrainingError
from mtm_core.evaluation.mask_scores import ScoredTrials, fit_rivals
from mtm_core.evaluation.region_matrix import RegionMatrix
from mtm_core.evaluation.region_matrix_plan import MatrixSettings
from mtm_core.evaluation.report import evaluate
from mtm_core.evaluation.tasks import score_baselines, set_exam
from mtm_core.experiment.digest import checkpoint_digest
from mtm_core.inference import Reconstructor
from mtm_core.masking import tasks
from mtm_core.models.baselines import BaselineData
from mtm_core.models.baselines_masked import REGRESSION, MaskedBaselines, baselines_of
from mtm_core.models.checkpoint import (
    load_checkpoint,
    load_folds,
    merged_manifest,
    read_checkpoint,
    save_folds,
)
from mtm_core.models.session_split import folds_of, split_for
from mtm_core.models.tensor_file import open_tensors, write_tensors
from mtm_core.training.crossfit import cross_fit, fold_folder, is_crossfit, join_folds
from mtm_core.training.events import RunFinished, RunStarted, StepDone, Warned
from mtm_core.training.loop import train
from mtm_core.training.run_folder import RunFolder
from tests.core.sessions import make_session
from tests.core.training.runs import assert_same_bits, of_kind, run_all, tiny_config

SESSION = make_session(n_trials=60)
CONFIG = tiny_config(data__folds="3", optim__steps="4")
SPEC = tasks.inter_region("CA1")


def fit(run_dir, config=CONFIG, **how):
    return cross_fit(config, lambda: SESSION, run_dir, session_paths=["s.h5"], **how)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    path = tmp_path_factory.mktemp("crossfit") / "run"
    return path, list(fit(path))


@pytest.fixture(scope="module")
def checkpoint(run):
    return load_folds(run[0] / "model.safetensors")


def test_folds_are_ordinary_runs_and_the_events_count_through(run, tmp_path):
    path, events = run
    (started,) = of_kind(events, RunStarted)
    assert (started.step, started.n_steps) == (0, 12)
    steps = of_kind(events, StepDone)
    assert [event.step for event in steps] == list(range(1, 13))
    assert steps[0].seconds_left > steps[-1].seconds_left == 0
    assert [e.text for e in of_kind(events, Warned)] == [f"Fold {n} of 3." for n in (1, 2, 3)]
    (finished,) = of_kind(events, RunFinished)
    assert events[-1] is finished
    assert finished.path == str(path / "model.safetensors")
    assert list(RunFolder(path).events.read()) == events
    assert RunFolder(path).read_config().data.folds == 3
    assert RunFolder(path).read_record().session_paths == ("s.h5",)
    alone = replace(CONFIG, data=replace(CONFIG.data, fold=2))
    run_alone = tmp_path / "alone"
    list(train(alone, [SESSION], run_alone))
    assert_same_bits(fold_folder(path, 2), run_alone)


def test_every_trial_is_a_test_trial_of_one_fold_only(checkpoint):
    tested = [trial for fold in checkpoint.folds for trial in fold.manifest.split["test"]]
    assert sorted(tested) == list(range(60))
    for fold in checkpoint.folds:
        parts = fold.manifest.split
        assert not set(parts["test"]) & set(parts["train"] + parts["val"])
    assert checkpoint.manifest.split["test"] == tuple(range(60))
    assert split_for(SESSION, checkpoint.manifest)[0].test.tolist() == list(range(60))


@pytest.mark.parametrize("spec", [SPEC, tasks.co_smoothing()], ids=["at once", "in turn"])
def test_each_trial_is_answered_by_the_fold_that_never_saw_it(checkpoint, spec):
    bound = Reconstructor(checkpoint, SESSION)
    order = np.random.default_rng(0).permutation(60)
    whole = bound.complete(spec, order)
    donors = np.roll(order, 1)
    shuffled = bound.complete(spec, order, visible_from=donors)
    for fold in checkpoint.folds:
        alone = Reconstructor(fold, SESSION)
        mine = np.isin(order, fold.manifest.split["test"])
        own = alone.complete(spec, order[mine])
        assert np.allclose(whole.log_rate[mine], own.log_rate, atol=1e-6)
        control = alone.complete(spec, order[mine], visible_from=donors[mine])
        assert np.allclose(shuffled.log_rate[mine], control.log_rate, atol=1e-6)


def test_previews_and_stops_go_through_the_folds_too(checkpoint):
    bound = Reconstructor(checkpoint, SESSION)
    many = make_session(n_trials=60)
    steps = list(bound.reconstruct(tasks.co_smoothing(), np.arange(60), with_preview=True))
    assert steps[-1].is_final
    asked = []

    def stop():
        asked.append(True)
        return len(asked) > 3

    fresh = Reconstructor(checkpoint, many)
    stopped = list(fresh.reconstruct(tasks.co_smoothing(), np.arange(60), should_stop=stop))
    assert not stopped or not stopped[-1].is_final
    with pytest.raises(MismatchError, match="needs one model"):
        bound.read(np.arange(3), "neuron")
    with pytest.raises(MismatchError, match="cross-fitted"):
        RegionMatrix(bound, MatrixSettings())


def test_nulls_of_a_trial_are_fitted_without_it(checkpoint):
    folds = folds_of(SESSION, checkpoint)
    every = np.arange(60)
    trials = ScoredTrials(session=SESSION, train=every, val=every, shown=every, folds=folds)
    rivals = fit_rivals(trials)
    for fold in folds:
        own = fit_rivals(
            ScoredTrials(session=SESSION, train=fold.train, val=fold.val, shown=fold.test)
        )
        assert np.array_equal(rivals.condition_psth[fold.test], own.condition_psth)
        assert np.array_equal(rivals.mean[fold.test], np.tile(own.mean, (len(fold.test), 1)))
        for name, log_rate in own.by_name.items():
            found = rivals.by_name[name][fold.test]
            assert np.array_equal(found, np.broadcast_to(log_rate, found.shape))
    few = replace(trials, shown=folds[0].test[:4])
    assert fit_rivals(few).condition_psth.shape[0] == 4


def test_an_evaluation_scores_all_trials_as_the_folds_do_theirs(checkpoint):
    report = evaluate(checkpoint, SESSION, ["inter_region"], shuffle=False, baselines=True)
    assert report.header["n_trials"] == 60
    assert report.header["folds"] == 3
    parts = [
        evaluate(fold, SESSION, ["inter_region"], shuffle=False, baselines=True)
        for fold in checkpoint.folds
    ]
    for name in ("train_mean", "psth"):
        spikes = [part.tasks["inter_region"].overall.n_spikes for part in parts]
        bps = [part.tasks["inter_region"].by_null[name].bps_pooled for part in parts]
        pooled = np.dot(spikes, bps) / sum(spikes)
        assert report.tasks["inter_region"].by_null[name].bps_pooled == pytest.approx(pooled)
    for baseline in ("poisson_regression", "psth_condition"):
        bps = [part.baselines[baseline]["inter_region"].overall.bps_pooled for part in parts]
        found = report.baselines[baseline]["inter_region"].overall.bps_pooled
        assert found == pytest.approx(np.dot(spikes, bps) / sum(spikes), abs=1e-6)


def test_baselines_under_a_mask_are_fitted_for_each_fold(checkpoint):
    folds, mask = folds_of(SESSION, checkpoint), SPEC.resolve(SESSION)
    split, _ = split_for(SESSION, checkpoint.manifest)
    whole = baselines_of(SESSION, split, folds).predict(REGRESSION, mask, np.arange(60))
    fold = folds[1]
    data = BaselineData.from_session(SESSION, fold.train, fold.val)
    own = MaskedBaselines(data).predict(REGRESSION, mask, fold.test)
    assert np.allclose(whole[fold.test], own, atol=1e-6)
    stopped = baselines_of(SESSION, split, folds)
    assert stopped.predict(REGRESSION, mask, np.arange(60), lambda: True) is None
    few = baselines_of(SESSION, split, folds).predict("psth", mask, folds[0].test[:2])
    assert few.shape == (2, SESSION.n_bins, SESSION.n_units)
    assert isinstance(baselines_of(SESSION, split), MaskedBaselines)


def test_an_exam_without_folds_is_as_before():
    split, _ = split_for(SESSION, None)
    exam = set_exam(SESSION, train=split.train, val=split.val, trials=split.test)
    assert exam.folds == ()
    assert score_baselines(exam)["psth"]


def test_a_digest_is_that_of_all_folds(checkpoint):
    digests = {checkpoint_digest(each) for each in (checkpoint, *checkpoint.folds)}
    assert len(digests) == 4
    turned = replace(checkpoint, folds=checkpoint.folds[::-1])
    assert checkpoint_digest(turned) != checkpoint_digest(checkpoint)


def test_a_stopped_cross_fit_goes_on_where_it_was(run, tmp_path):
    events = fit(tmp_path / "run")
    for event in events:
        if isinstance(event, StepDone) and event.step == 6:
            break
    events.close()
    assert is_crossfit(tmp_path / "run")
    assert not (tmp_path / "run" / "model.safetensors").exists()
    with pytest.raises(TrainingError, match="already holds a run"):
        list(fit(tmp_path / "run"))
    rest = list(fit(tmp_path / "run", resume=True))
    assert of_kind(rest, StepDone)[-1].step == 12
    for number in (1, 2, 3):
        assert_same_bits(fold_folder(run[0], number), fold_folder(tmp_path / "run", number))
    logged = [e.step for e in RunFolder(tmp_path / "run").events.read() if isinstance(e, StepDone)]
    assert logged == list(range(1, 13))


def test_folds_that_do_not_belong_together_are_refused(run, tmp_path):
    parts = [read_checkpoint(RunFolder(fold_folder(run[0], n)).model_path) for n in (1, 1)]
    with pytest.raises(CheckpointError, match="not the folds of one session"):
        save_folds(tmp_path / "twice.safetensors", parts)
    manifests = [manifest for manifest, _ in parts]
    with pytest.raises(CheckpointError):
        merged_manifest(manifests)
    with pytest.raises(CheckpointError):
        join_folds(tmp_path / "nowhere", 2)


def test_what_takes_one_model_says_so(run, tmp_path):
    path = run[0] / "model.safetensors"
    with pytest.raises(CheckpointError, match="holds 3 cross-fitted models"):
        load_checkpoint(path)
    with pytest.raises(TrainingError, match="needs a number of folds"):
        list(fit(tmp_path / "run", tiny_config()))
    run_all(tiny_config(), tmp_path / "one")
    single = load_folds(tmp_path / "one" / "model.safetensors")
    assert single.folds == ()
    with pytest.raises(TrainingError, match="already holds a run"):
        list(fit(tmp_path / "one"))


def test_a_damaged_fold_is_refused(run, tmp_path):
    file = open_tensors(run[0] / "model.safetensors")
    tensors = file.read()
    tensors.pop(next(name for name in tensors if name.startswith("fold2.")))
    path = tmp_path / "damaged.safetensors"
    metadata = {name: text for name, text in file.metadata.items() if name != "checksum"}
    write_tensors(path, tensors, metadata)
    with pytest.raises(CheckpointError, match="a fold was damaged"):
        load_folds(path)
    shutil.rmtree(tmp_path)
