"""From a mask to pictures: partial, then whole, the same numbers as an evaluation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_core.errors import MaskError
from mtm_core.evaluation.mask_scores import CONTROL, TEMPORAL
from mtm_core.evaluation.rasters import trial_mean_hz
from mtm_core.evaluation.tasks import score_model, set_exam
from mtm_core.inference import Reconstructor
from mtm_core.masking import tasks
from mtm_core.masking.choice import Block, UnitChoice
from mtm_core.masking.spec import MaskSpec
from mtm_viewer.jobs import reconstruct_job
from mtm_viewer.jobs.reconstruct_job import ReconstructionJob, ReconstructionRequest
from mtm_viewer.presenters.raster_settings import RasterSettings
from mtm_viewer.presenters.score_lines import unit_score
from mtm_viewer.presenters.workspace import make_workspace
from mtm_viewer.state import Display
from tests.core.sessions import make_session
from tests.viewer.workspaces import TEMPORAL as TEMPORAL_CONFIG
from tests.viewer.workspaces import make_model, make_small_workspace

WORKSPACE = make_small_workspace(n_trials=120)
SPEC = tasks.inter_region("CA1")
UNSMOOTHED = Display(raster=RasterSettings(sigma_s=0.0))


def never() -> bool:
    return False


def ask(**changes: object) -> ReconstructionRequest:
    settings = {"workspace": WORKSPACE, "spec": SPEC, "display": UNSMOOTHED}
    return ReconstructionRequest(**(settings | changes))


@pytest.fixture(autouse=True)
def _every_picture_is_drawn(monkeypatch):
    monkeypatch.setattr(reconstruct_job, "PAUSE_S", 0.0)


@pytest.fixture
def job() -> ReconstructionJob:
    return ReconstructionJob()


def last(job: ReconstructionJob, request: ReconstructionRequest):
    *_, picture = job(request, never)
    return picture


def names(picture) -> list[str]:
    return [line.name for line in picture.lines]


def test_pictures_grow_from_a_few_trials_to_all(job):
    pictures = list(job(ask(), never))
    done = [picture.n_done for picture in pictures]
    assert done[0] < done[-1] == len(WORKSPACE.test) == 24
    assert done == sorted(done)
    assert [picture.is_final for picture in pictures].count(True) == 1
    assert pictures[-1].is_final
    assert pictures[-1].is_exact
    assert not pictures[0].is_exact


def test_the_first_picture_does_not_wait_for_baselines_to_be_fitted(job):
    first = next(job(ask(), never))
    assert first.raster.panels[1].message == ""
    assert first.lines == ()


def test_units_in_turn_are_shown_before_the_baseline_takes_its_turns(job):
    pictures = list(job(ask(spec=tasks.intra_region("CA1")), never))
    assert [panel.name for panel in pictures[0].raster.panels] == ["true", "model", "temporal"]
    assert pictures[0].raster.panels[1].message == ""
    assert pictures[0].raster.panels[2].message
    assert pictures[0].n_done == pictures[1].n_done < len(WORKSPACE.test)
    assert all(not picture.raster.panels[2].message for picture in pictures[1:])
    again = next(job(ask(spec=tasks.intra_region("CA1")), never))
    assert not again.raster.panels[2].message  # all is known: nothing takes its time


def test_what_a_trial_gains_does_not_depend_on_how_many_are_done(job):
    list(job(ask(), never))
    early, *_, late = job(ask(spec=tasks.inter_region("DG")), never)
    assert 0 < early.n_done < late.n_done
    rows = np.flatnonzero(np.isin(WORKSPACE.test, early.trials))
    assert early.gains.gain == pytest.approx(late.gains.gain[rows], rel=1e-9)
    assert np.array_equal(early.gains.spikes, late.gains.spikes[rows])


def test_true_and_model_average_the_same_trials(job):
    first = next(job(ask(), never))
    session = WORKSPACE.session
    true_hz = trial_mean_hz(session.counts[first.trials], session.bin_size_s)
    rows = [session.unit_id.tolist().index(uid) for uid in first.raster.rows.unit_id]
    assert first.raster.true_hz == pytest.approx(true_hz[:, rows].T, rel=1e-5)
    assert first.raster.model_hz == pytest.approx(first.model_hz.mean(axis=0)[:, rows].T, rel=1e-4)


def test_early_pictures_take_trials_from_all_over_the_session(job):
    first = next(job(ask(), never))
    assert first.trials.tolist() != sorted(WORKSPACE.test.tolist())[: first.n_done]


@pytest.mark.parametrize("task", tasks.TASKS)
def test_the_final_scores_are_those_of_an_evaluation(job, task):
    session = WORKSPACE.session
    target = {"regions": ("CA1",)} if "region" in task else {}
    workspace = WORKSPACE
    if target:
        # An evaluation pools all regions: give it a session in which CA1 alone is a target.
        session = make_session(n_trials=120, regions=("CA1", "root", "root"))
        workspace = make_workspace(session, WORKSPACE.path, (make_model(session),))
    exam = set_exam(
        session,
        train=workspace.train,
        val=workspace.val,
        trials=workspace.test,
        tasks=[task],
    )
    (spec,) = exam.plans[task].specs
    bound = Reconstructor(workspace.model.checkpoint, session)
    wanted = score_model(exam, bound)[task].overall
    line = last(job, ask(workspace=workspace, spec=spec)).lines[0]
    assert line.bps_beyond_psth == pytest.approx(wanted.bps_beyond_psth, abs=1e-6)
    assert line.interval == pytest.approx(wanted.interval_beyond_psth, abs=1e-6)
    assert line.bps_pooled == pytest.approx(wanted.bps_pooled, abs=1e-6)
    assert (line.n_units, line.n_spikes) == (wanted.n_units, wanted.n_spikes)


def test_the_control_scores_are_those_of_an_evaluation(job):
    task = "forward_prediction"
    exam = set_exam(
        WORKSPACE.session,
        train=WORKSPACE.train,
        val=WORKSPACE.val,
        trials=WORKSPACE.test,
        tasks=[task],
    )
    bound = Reconstructor(WORKSPACE.model.checkpoint, WORKSPACE.session)
    wanted = score_model(exam, bound, shuffled=True)[task].overall
    picture = last(job, ask(spec=exam.plans[task].specs[0], wants_control=True))
    line = {line.name: line for line in picture.lines}[CONTROL]
    assert line.bps_beyond_psth == pytest.approx(wanted.bps_beyond_psth, abs=1e-6)


def test_the_score_of_a_unit_is_its_share_of_the_whole(job):
    picture = last(job, ask())
    units = picture.gains.units.tolist()
    scores = [unit_score(picture.gains, unit) for unit in units]
    total = sum(s.bps_beyond_psth * s.n_spikes for s in scores if s.n_spikes)
    whole = picture.lines[0]
    assert total / sum(s.n_spikes for s in scores) == pytest.approx(whole.bps_beyond_psth)
    assert unit_score(picture.gains, 23) is None
    assert unit_score(None, 0) is None


def test_model_baseline_and_rivals_are_scored_side_by_side(job):
    picture = last(job, ask())
    assert names(picture) == ["MtM", TEMPORAL, "PSTH, all trials", "Drift"]
    assert len({line.n_spikes for line in picture.lines}) == 1
    assert picture.raster.panels[2].title == TEMPORAL


def test_the_control_is_run_when_asked_for(job):
    assert CONTROL not in names(last(job, ask()))
    assert CONTROL in names(last(job, ask(wants_control=True)))


def test_scores_of_masks_over_ragged_bins_are_weighted_entry_by_entry(job):
    ragged = MaskSpec.from_json(SPEC.to_json())
    blocks = (*SPEC.blocks, *tasks.forward_prediction(10).blocks)
    ragged = replace(ragged, blocks=blocks, prompt="neuron")
    picture = last(job, ask(spec=ragged))
    mask = ragged.resolve(WORKSPACE.session)
    counts = WORKSPACE.session.counts[WORKSPACE.test] * mask.is_scored
    assert picture.lines[0].n_spikes == counts.sum()


def test_an_asked_mask_is_answered_at_once_the_second_time(job):
    last(job, ask())
    first = next(job(ask(), never))
    assert first.n_done == first.n_wanted
    assert first.is_exact


def test_the_engine_does_not_draw_more_pictures_than_there_is_time_for(job, monkeypatch):
    monkeypatch.setattr(reconstruct_job, "PAUSE_S", 60.0)
    pictures = list(job(ask(), never))
    assert [picture.is_final for picture in pictures] == [False, True]


def test_stopping_ends_after_the_piece_without_a_final_picture(job):
    pictures = list(job(ask(), lambda: True))
    assert not any(picture.is_final for picture in pictures)


def test_without_a_mask_the_recording_is_shown_alone(job):
    (picture,) = job(ask(spec=None), never)
    assert picture.model_hz is None
    assert picture.lines == ()
    assert picture.is_final
    assert picture.raster.panels[1].message


def test_without_a_model_the_recording_is_shown_alone(job):
    (picture,) = job(ask(workspace=make_small_workspace(has_models=False)), never)
    assert picture.is_final
    assert picture.n_done == 0


def test_hidden_and_scored_entries_are_marked(job):
    picture = last(job, ask())
    rows = picture.raster.rows
    assert np.array_equal(rows.is_hidden[:, 0], rows.region == "CA1")
    assert np.array_equal(rows.is_scored, rows.is_hidden)


def test_units_hidden_in_turn_are_hatched_as_well(job):
    picture = last(job, ask(spec=tasks.intra_region("CA1")))
    assert picture.raster.rows.is_hidden.all()


def test_the_rows_can_be_those_of_the_target_alone(job):
    focused = replace(UNSMOOTHED, is_focused=True)
    picture = last(job, ask(regions=("CA1",), display=focused))
    assert set(picture.raster.rows.region) == {"CA1"}
    assert [band.n_units for band in picture.raster.rows.bands] == [8]


def test_a_baseline_with_units_in_another_order_is_put_in_order(job):
    session = WORKSPACE.session
    turned = make_model(session.take_units(np.arange(24)[::-1]), TEMPORAL_CONFIG, "turned")
    workspace = make_workspace(session, WORKSPACE.path, (WORKSPACE.models[0], turned))
    picture = last(job, ask(workspace=workspace))
    bound = Reconstructor(turned.checkpoint, session)
    spec = SPEC.with_prompt("none")
    own = bound.complete(spec, workspace.test).trial_average_hz()
    place = {uid: row for row, uid in enumerate(bound.session.unit_id.tolist())}
    rows = [place[uid] for uid in picture.raster.rows.unit_id.tolist()]
    assert picture.raster.panels[2].values == pytest.approx(own[:, rows].T, rel=1e-3)


def test_units_that_the_recording_lacks_are_not_drawn(job):
    session = make_session(n_trials=120)
    part = session.take_units(np.arange(4, 16))
    workspace = make_workspace(part, WORKSPACE.path, (make_model(session),))
    picture = last(job, ask(workspace=workspace))
    assert [(band.region, band.n_units) for band in picture.raster.rows.bands] == [
        ("CA1", 4),
        ("DG", 8),
    ]
    assert picture.lines[0].n_units == 4


def test_a_mask_that_cannot_be_applied_is_an_error_that_teaches(job):
    with pytest.raises(MaskError, match="no region 'XYZ'"):
        list(job(ask(spec=tasks.inter_region("XYZ")), never))


def test_other_work_is_not_for_this_thread(job):
    with pytest.raises(TypeError, match="reconstructs"):
        next(job("CA1", never))


@pytest.mark.parametrize("is_shuffled", [False, True])
def test_a_rule_on_rates_works_where_only_some_units_are_shared(job, is_shuffled):
    session = WORKSPACE.session
    kept = np.arange(4, 24)
    recording = session.take_units(kept[::-1] if is_shuffled else kept)
    other = replace(recording, session_id="of-another-day")
    overlap = make_workspace(other, WORKSPACE.path, WORKSPACE.models)
    rates = overlap.rate_hz
    rule = f"rate_hz > {float(np.median(rates[4:]))!r}"
    spec = MaskSpec(blocks=(Block(UnitChoice.by_rule(rule)),), prompt="neuron")
    picture = last(job, ask(workspace=overlap, spec=spec))
    assert picture.is_final
    rows = picture.raster.rows
    hidden = set(rows.unit_id[rows.is_hidden[:, 0]].tolist())
    chosen = spec.resolve(overlap.session, rates).is_hidden[0]
    assert hidden == set(overlap.session.unit_id[chosen].tolist())
    assert len(hidden) == 10
