from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mtm_core.config import DataConfig, MaskingConfig, TrainConfig
from mtm_core.errors import MaskError, MismatchError, UnknownNameError
from mtm_core.evaluation.report import evaluate
from mtm_core.evaluation.tasks import n_passes
from mtm_core.figures.raster_content import compute_raster
from mtm_core.figures.raster_targets import RasterRequest, set_raster_exam
from mtm_core.inference import Reconstructor
from mtm_core.models.baselines_rates import trial_psth
from mtm_core.models.checkpoint import split_part
from tests.core.checkpoints import SMALL_MODEL, make_checkpoint
from tests.core.sessions import make_session

SESSION = make_session(n_trials=60, n_bins=10, n_units=24)  # CA1, DG, VISp: eight units each
CHECKPOINT = make_checkpoint(SESSION)
MODEL = Reconstructor(CHECKPOINT, SESSION)
TEMPORAL = TrainConfig(
    name="quick-temporal", model=SMALL_MODEL, masking=MaskingConfig(schemes=("temporal",))
)
BASELINE = Reconstructor(make_checkpoint(SESSION, TEMPORAL, seed=1), SESSION)
TEST = split_part(CHECKPOINT.manifest, SESSION, "test")


def _content(task="inter_region", regions=("DG",), **options):
    return compute_raster(MODEL, RasterRequest(regions=regions, task=task), **options)


@pytest.mark.parametrize("task", ["inter_region", "intra_region"])
def test_the_score_of_a_region_is_that_of_the_evaluation(task):
    report = evaluate(CHECKPOINT, SESSION, [task], "test", shuffle=False).to_dict()
    region = report["tasks"][task]["per_region"]["DG"]
    score = _content(task).model.score
    assert score.bps == pytest.approx(region["bps_beyond_psth"], rel=1e-6)
    assert score.interval == pytest.approx(region["interval_beyond_psth"], rel=1e-6)


@pytest.mark.parametrize(
    "task", ["inter_region", "intra_region", "co_smoothing", "forward_prediction"]
)
def test_rows_hold_the_counts_and_the_predictions_of_their_units(task):
    content = _content(task, regions=("DG", "CA1"), baseline=BASELINE)
    column = {unit: place for place, unit in enumerate(SESSION.unit_id.tolist())}
    rows = [column[str(unit)] for unit in content.unit_id]
    np.testing.assert_allclose(
        content.true_hz, SESSION.counts[TEST][..., rows].mean(axis=0) / 0.01
    )
    assert sorted(SESSION.region[rows]) == ["CA1"] * 8 + ["DG"] * 8
    assert [band.region for band in content.order.bands] == ["CA1", "DG"]
    exam = set_raster_exam(MODEL, RasterRequest(regions=("DG", "CA1"), task=task))
    (plan,) = exam.plans.values()
    for row, unit in enumerate(rows):
        spec = (
            plan.specs[plan.groups.index(str(SESSION.region[unit]))]
            if (plan.groups != (None,))
            else plan.specs[0]
        )
        log_rate = MODEL.complete(spec, TEST).log_rate[..., unit]
        expected = np.exp(log_rate).mean(axis=0)[content.first_bin : content.stop_bin] / 0.01
        np.testing.assert_allclose(content.model.rate_hz[:, row], expected, rtol=1e-5)


def test_forward_prediction_covers_the_last_tenth():
    content = _content("forward_prediction")
    assert (content.first_bin, content.stop_bin) == (9, 10)
    assert content.model.rate_hz.shape == (1, 8)
    assert "the last 10 ms predicted" in content.title


def test_the_baseline_is_run_under_the_same_mask_without_a_prompt():
    content = _content(baseline=BASELINE)
    (plan,) = set_raster_exam(MODEL, RasterRequest(regions=("DG",))).plans.values()
    answer = BASELINE.complete(plan.specs[0].with_prompt("none"), TEST)
    expected = np.exp(answer.log_rate).mean(axis=0)[:, content.order.rows] / 0.01
    np.testing.assert_allclose(content.rival.rate_hz, expected, rtol=1e-5)
    assert content.rival.title == "Temporal baseline"
    assert content.rival.score.bps is not None


def test_a_baseline_with_its_units_in_another_order_is_shown_in_ours():
    backwards = SESSION.take_units(np.arange(24)[::-1])
    turned = make_checkpoint(backwards, TEMPORAL, seed=1)
    shown = _content(baseline=Reconstructor(turned, SESSION))
    rows = [backwards.unit_id.tolist().index(str(unit)) for unit in shown.unit_id]
    bound = Reconstructor(turned, SESSION)
    (plan,) = set_raster_exam(MODEL, RasterRequest(regions=("DG",))).plans.values()
    answer = bound.complete(plan.specs[0].with_prompt("none"), TEST)
    expected = np.exp(answer.log_rate).mean(axis=0)[:, rows] / 0.01
    np.testing.assert_allclose(shown.rival.rate_hz, expected, rtol=1e-5)


def test_without_a_baseline_the_null_is_shown_by_its_name():
    content = _content()
    exam = set_raster_exam(MODEL, RasterRequest(regions=("DG",)))
    expected = trial_psth(exam.data, TEST).mean(axis=0)[:, content.order.rows] / 0.01
    np.testing.assert_allclose(content.rival.rate_hz, expected)
    assert content.rival.title == "PSTH null"
    assert content.rival.score is None
    assert "PSTH null" in " ".join(content.recipe)


def test_a_baseline_trained_on_the_shown_trials_is_refused():
    other_split = replace(TEMPORAL, data=DataConfig(split_seed=9))
    baseline = Reconstructor(make_checkpoint(SESSION, other_split), SESSION)
    with pytest.raises(MismatchError, match=r"trained on .* test trials shown"):
        _content(baseline=baseline)


def test_a_baseline_without_some_of_the_units_is_refused():
    fewer = make_checkpoint(SESSION.take_units(np.arange(20)), TEMPORAL)
    with pytest.raises(MismatchError, match="lacks 4 of the model's 24 units"):
        _content(baseline=Reconstructor(fewer, SESSION))


def test_units_carry_their_own_scores_and_spikes():
    content = _content()
    exam = set_raster_exam(MODEL, RasterRequest(regions=("DG",)))
    assert content.unit_spikes.tolist() == (
        SESSION.counts[TEST][..., content.order.rows].sum(axis=(0, 1)).tolist()
    )
    (truth,) = exam.truths.values()
    assert sorted(truth.rows) == sorted(content.order.rows)
    total = float((content.unit_bps * content.unit_spikes).sum() / content.unit_spikes.sum())
    assert content.model.score.bps == pytest.approx(total, rel=1e-4)


def test_few_test_trials_give_a_score_without_an_interval():
    small = make_session(n_trials=30, n_bins=10, n_units=24)
    bound = Reconstructor(make_checkpoint(small), small)
    score = compute_raster(bound, RasterRequest(regions=("DG",))).model.score
    assert score.bps is not None
    assert score.interval is None


def test_progress_adds_up_to_all_passes():
    told: list[int] = []
    exam = set_raster_exam(MODEL, RasterRequest(regions=("DG",), task="intra_region"))
    fresh = Reconstructor(CHECKPOINT, SESSION)
    request = RasterRequest(regions=("DG",), task="intra_region")
    compute_raster(fresh, request, exam=exam, on_progress=told.append)
    assert sum(told) == n_passes(exam, fresh)


def test_an_unknown_region_names_the_nearest():
    with pytest.raises(MaskError, match="Did you mean 'CA1'"):
        _content(regions=("CA2",))


def test_an_unknown_task_names_the_nearest():
    with pytest.raises(UnknownNameError, match="inter_region"):
        _content("inter_regions")


def test_a_region_of_one_unit_cannot_be_its_own_context():
    regions = ("CA1",) + ("DG",) * 23
    session = make_session(n_trials=60, n_bins=10, n_units=24, regions=regions)
    bound = Reconstructor(make_checkpoint(session), session)
    with pytest.raises(MaskError, match="CA1 cannot be a target of intra_region: 1 units"):
        compute_raster(bound, RasterRequest(regions=("CA1",), task="intra_region"))


def test_words_name_the_region_the_animal_the_trials_and_the_recipe():
    content = _content()
    assert content.title == "DG (Dentate gyrus) hidden, reconstructed from all other regions"
    assert f"{len(TEST)} test trials (random split)" in content.subtitle
    assert "simulated" in content.subtitle
    assert "inter-region prompt" in content.subtitle
    recipe = " ".join(content.recipe)
    for word in ("--region DG", SESSION.session_id, "untrained.safetensors", "training trials"):
        assert word in recipe
    several = _content(regions=("DG", "CA1"))
    assert several.title.startswith("CA1 and DG hidden")
    assert several.title.endswith("one region at a time")


def test_the_checkpoint_of_a_run_is_named_with_its_folder():
    path = Path("runs/first/model.safetensors")
    bound = Reconstructor(replace(CHECKPOINT, path=path), SESSION)
    content = compute_raster(bound, RasterRequest(regions=("DG",)))
    assert "Model first/model.safetensors" in " ".join(content.recipe)


def test_a_model_of_one_scheme_goes_by_the_name_of_its_preset():
    content = compute_raster(BASELINE, RasterRequest(regions=("DG",)))
    assert content.model.title == "quick-temporal"
