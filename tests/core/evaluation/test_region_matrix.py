from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest

from mtm_core.config import MaskingConfig, TrainConfig
from mtm_core.data.conditions import available_conditions
from mtm_core.evaluation.region_matrix import RegionMatrix
from mtm_core.evaluation.region_matrix_plan import MatrixSettings
from mtm_core.evaluation.report import evaluate
from mtm_core.evaluation.scores import Truth
from mtm_core.inference import Reconstructor
from mtm_core.masking.region_level import only_region_visible
from mtm_core.models.answers import AnswerMemory
from mtm_core.models.baselines import BaselineData
from mtm_core.models.checkpoint import split_part
from mtm_core.models.source_regression import choose_settings, predict_from
from mtm_core.seeding import numpy_generator
from tests.core.checkpoints import SMALL_MODEL, make_checkpoint
from tests.core.sessions import make_session

SESSION = make_session(n_trials=60, n_units=24)
SCHEMES = ("neuron", "causal", "intra_region", "inter_region")
WHOLE = MatrixSettings(min_units=4, n_draws=1)
FEW = MatrixSettings(min_units=4, n_units=5, n_draws=2)


def bind(session=SESSION, schemes=SCHEMES):
    config = TrainConfig(model=SMALL_MODEL, masking=MaskingConfig(schemes=schemes))
    checkpoint = make_checkpoint(SESSION, config, noise=0.05)
    return Reconstructor(checkpoint, session, memory=AnswerMemory(max_bytes=0))


def parts_of(bound):
    manifest = bound.checkpoint.manifest
    return {part: split_part(manifest, SESSION, part) for part in ("train", "val", "test")}


def filled(settings, folder=None, **of):
    matrix = RegionMatrix(bind(**of), settings, folder)
    assert [step.n_done for step in matrix.fill()] == list(
        range(matrix.n_found + 1, matrix.n_steps + 1)
    )
    return matrix.report()


@pytest.fixture(scope="module")
def whole():
    return filled(WHOLE)


@pytest.fixture(scope="module")
def few():
    return filled(FEW)


def test_a_cell_is_the_score_of_the_mask_that_shows_the_row_alone(whole):
    bound = bind()
    parts = {
        p: split_part(bound.checkpoint.manifest, SESSION, p) for p in ("train", "val", "test")
    }
    data = BaselineData.from_session(SESSION, parts["train"], parts["val"])
    assert len(available_conditions(SESSION)) > 1
    for row, column in itertools.permutations(whole.regions, 2):
        answer = bound.complete(only_region_visible("given", row, column), parts["test"])
        rng = numpy_generator(0, "samples of trials", SESSION.session_id)
        truth = Truth(data, answer.mask, parts["test"], unit_id=SESSION.unit_id, rng=rng)
        judged = truth.judge(truth.likelihood(answer.log_rate))
        found = whole.cells[row, column].model.score
        assert found.value == pytest.approx(judged.bps_beyond_psth, abs=1e-9)
        assert found.interval == pytest.approx(judged.interval_beyond_psth, abs=1e-9)


def test_the_ceiling_is_the_score_of_inter_region_prediction(whole):
    bound = bind()
    scores = evaluate(bound.checkpoint, SESSION, ["inter_region"], shuffle=False)
    for name, facts in whole.columns.items():
        expected = scores.tasks["inter_region"].per_region[name]
        assert facts.ceiling.value == pytest.approx(expected.bps_beyond_psth, abs=1e-9)
        assert facts.n_spikes == expected.n_spikes
        assert facts.n_units == expected.n_units


def test_the_regression_does_the_same_job_in_the_same_cell(whole):
    bound = bind()
    parts = {
        p: split_part(bound.checkpoint.manifest, SESSION, p) for p in ("train", "val", "test")
    }
    data = BaselineData.from_session(SESSION, parts["train"], parts["val"])
    rng = numpy_generator(0, "samples of trials", SESSION.session_id)
    row = "CA1"
    sources = np.flatnonzero(SESSION.region == row)
    others = [name for name in whole.regions if name != row]
    targets = np.concatenate([np.flatnonzero(SESSION.region == name) for name in others])
    choice = choose_settings(data, sources, targets)
    log_rate = np.zeros((len(parts["test"]), SESSION.n_bins, SESSION.n_units), dtype=np.float32)
    log_rate[:, :, targets] = predict_from(data, sources, targets, choice, parts["test"])
    for column in others:
        mask = only_region_visible("given", row, column).resolve(SESSION)
        truth = Truth(data, mask, parts["test"], unit_id=SESSION.unit_id, rng=rng)
        judged = truth.judge(truth.likelihood(log_rate))
        found = whole.cells[row, column].regression.score.value
        assert found == pytest.approx(judged.bps_beyond_psth, abs=1e-4)


def test_model_and_regression_are_compared_in_every_cell(few):
    assert few.is_complete
    assert few.grid("regression")[1].sum() == 6
    for cell in few.cells.values():
        assert cell.regression.n_draws == cell.model.n_draws == 2
        difference = cell.model.score.value - cell.regression.score.value
        assert cell.difference.value == pytest.approx(difference, abs=1e-12)
        assert cell.difference.interval[0] < difference < cell.difference.interval[1]


def test_what_is_hidden_changes_no_cell(few):
    """Other regions' test counts may be anything; so may the column's, as far as it is input."""
    bound = bind()
    test = split_part(bound.checkpoint.manifest, SESSION, "test")
    counts = SESSION.counts.copy()
    counts[np.ix_(test, np.arange(10), np.flatnonzero(SESSION.region == "DG"))] = 9
    changed = filled(FEW, session=dataclasses.replace(SESSION, counts=counts))
    for names in (("CA1", "VISp"), ("VISp", "CA1")):
        for source in ("model", "regression"):
            before, after = (getattr(r.cells[names], source).score for r in (few, changed))
            assert before == after
    assert few.cells["DG", "CA1"].model.score != changed.cells["DG", "CA1"].model.score


def test_the_asymmetry_changes_sign_in_the_transposed_cell(few):
    cell, other = few.cells["CA1", "DG"].model, few.cells["DG", "CA1"].model
    assert cell.asymmetry.value == pytest.approx(cell.score.value - other.score.value, abs=1e-12)
    assert cell.asymmetry.value == -other.asymmetry.value
    low, high = cell.asymmetry.interval
    assert other.asymmetry.interval == pytest.approx((-high, -low))
    assert low < cell.asymmetry.value < high


def test_a_stopped_matrix_goes_on_to_the_same_numbers(few, tmp_path):
    first = RegionMatrix(bind(), FEW, tmp_path)
    done = list(itertools.islice(first.fill(), 4))
    assert [step.n_done for step in done] == [1, 2, 3, 4]
    second = RegionMatrix(bind(), FEW, tmp_path)
    assert second.n_found == 4
    assert second.report().n_done == 4
    asked = itertools.count()
    list(second.fill(should_stop=lambda: next(asked) > 20))
    third = RegionMatrix(bind(), FEW, tmp_path)
    assert 4 < third.n_found < third.n_steps
    last = [step.step.source for step in third.fill()][-1]
    assert last == "regression"
    assert third.report().cells == few.cells
    assert third.report().columns == few.columns
    assert RegionMatrix(bind(), FEW, tmp_path).steps_left() == []


def test_nothing_of_a_dropped_step_is_counted(tmp_path):
    matrix = RegionMatrix(bind(), FEW, tmp_path)
    assert list(matrix.fill(should_stop=lambda: True)) == []
    assert matrix.report().n_done == 0
    assert not matrix.report().grid()[1].any()


def test_the_first_draw_gives_every_cell_a_value_and_ceilings_follow():
    matrix = RegionMatrix(bind(), FEW)
    steps = matrix.fill()
    for _ in range(3):
        step = next(steps)
        assert (step.step.source, step.step.kind) == ("model", "row")
        assert all(row == matrix.plan.regions[step.step.region] for row, _ in step.cells)
    report = matrix.report()
    assert report.grid()[1].sum() == 6
    assert all(cell.model.share is None for cell in report.cells.values())
    assert all(cell.regression.n_draws == 0 for cell in report.cells.values())
    assert all(cell.difference.value is None for cell in report.cells.values())
    assert next(steps).step.kind == "ceiling"
    assert next(steps).seconds_left > 0
    steps.close()


def test_leaving_out_the_regression_halves_the_work_and_it_can_be_added(few, tmp_path):
    without = dataclasses.replace(FEW, with_regression=False)
    report = filled(without, tmp_path)
    assert report.is_complete
    assert report.header["sources"] == ["model"]
    matrix = RegionMatrix(bind(), FEW, tmp_path)
    assert {step.source for step in matrix.steps_left()} == {"regression"}


def test_other_settings_and_a_fresh_start_find_nothing(tmp_path):
    filled(WHOLE, tmp_path)
    other = dataclasses.replace(WHOLE, seed=1)
    assert RegionMatrix(bind(), other, tmp_path).n_found == 0
    assert RegionMatrix(bind(), WHOLE, tmp_path, is_fresh=True).n_found == 0
    assert RegionMatrix(bind(), WHOLE, tmp_path).n_found == 12
    assert RegionMatrix(bind(schemes=("neuron",)), WHOLE, tmp_path).n_found == 12


def test_a_folder_that_cannot_be_written_ends_nothing(tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.write_text("here lies a file")
    assert filled(WHOLE, blocked).is_complete
    assert "cannot be kept" in caplog.text


def test_the_badge_tells_models_that_never_saw_one_region_alone(few):
    (reason,) = few.untrained_reasons
    assert reason.startswith("not trained for this: it is a mask of region-subset")
    trained = RegionMatrix(bind(schemes=(*SCHEMES, "region_subset")), FEW)
    assert trained.report().untrained_reasons == ()
    assert trained.prompt == "inter_region"


def test_a_model_without_region_schemes_takes_its_nearest_prompt():
    assert RegionMatrix(bind(schemes=("neuron", "causal")), WHOLE).prompt == "neuron"


def test_over_the_psth_of_all_trials_scores_are_higher_by_the_floor():
    matrix = RegionMatrix(bind(), FEW)
    list(itertools.islice(matrix.fill(), 9))
    by_condition, plain = matrix.report(), matrix.report("psth_all_trials")
    for names, cell in plain.cells.items():
        floor = by_condition.columns[names[1]].floor.value
        expected = by_condition.cells[names].model.score.value - floor
        assert cell.model.score.value == pytest.approx(expected, abs=1e-12)
    assert all(facts.floor.value == 0 for facts in plain.columns.values())
    assert plain.header["null"] == "psth_all_trials"


def test_a_coarser_level_asks_about_whole_systems():
    report = filled(dataclasses.replace(WHOLE, level="cosmos"))
    assert report.regions == ("Isocortex", "HPF")
    assert set(report.cells) == {("Isocortex", "HPF"), ("HPF", "Isocortex")}
