from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_core.data.table import Column, Table
from mtm_core.evaluation.colour_scale import Levels
from mtm_core.evaluation.metrics import UnitValues
from mtm_viewer.presenters.raster_settings import RasterSettings
from mtm_viewer.presenters.theatre import (
    extreme_trials,
    shared_trial_levels,
    theatre_drawable,
    trial_list,
    trial_raster,
)
from tests.viewer.presenters.populations import make_answer, make_picture
from tests.viewer.workspaces import make_small_workspace

ANSWER = make_answer()
PICTURE, SURPRISE = ANSWER.picture, ANSWER.surprise
TRIALS = np.sort(PICTURE.trials)
PLAIN = RasterSettings(sigma_s=0.0, scale="linear")


def _with_session(picture, **changes):
    session = picture.workspace.session
    trials = Table({**session.trials.columns, **changes})
    workspace = replace(picture.workspace, session=replace(session, trials=trials))
    return replace(picture, workspace=workspace)


def test_the_most_surprising_trial_comes_first():
    listed = trial_list(PICTURE, SURPRISE, "surprise")
    assert (np.diff(listed.values.values) <= 0).all()
    assert listed.trials[0] == TRIALS[SURPRISE.nats_per_bin.argmax()]
    assert listed.note == "By surprise (nats/bin), most surprising first."
    assert listed.place(int(listed.trials[5])) == 5
    assert listed.place(-1) is None


def test_by_gain_the_worst_comes_first_and_trials_without_spikes_last():
    is_valid = np.arange(len(TRIALS)) != 3
    bps = UnitValues(np.where(is_valid, SURPRISE.bps.values, 0.0), is_valid)
    listed = trial_list(PICTURE, replace(SURPRISE, bps=bps), "gain")
    assert (np.diff(listed.values.values[:-1]) >= 0).all()
    assert listed.trials[-1] == TRIALS[3]
    assert listed.note == "By gain beyond PSTH (bits/spike), worst first; the last 1: unknown."


def test_trials_go_in_order_of_recording_where_the_number_is_not_known():
    for surprise, sort, words in (
        (None, "surprise", "nothing is scored"),
        (SURPRISE, "reaction", "reaction time: not in this session"),
        (replace(SURPRISE, trials=TRIALS + 1), "gain", "not known yet"),
    ):
        listed = trial_list(PICTURE, surprise, sort)
        np.testing.assert_array_equal(listed.trials, TRIALS)
        assert listed.note == f"In order of recording: {words}."
    recorded = trial_list(PICTURE, SURPRISE, "recorded")
    np.testing.assert_array_equal(recorded.trials, TRIALS)
    assert recorded.note == "By trial number."


def test_trials_are_sorted_by_reaction_time_where_there_is_one():
    align = PICTURE.workspace.session.trials.columns["align_s"].values
    late = np.random.default_rng(0).uniform(0.1, 0.9, len(align))
    picture = _with_session(PICTURE, response_s=Column.full(late))
    listed = trial_list(picture, SURPRISE, "reaction")
    np.testing.assert_array_equal(listed.trials, TRIALS[np.argsort(late[TRIALS])])
    drawable = theatre_drawable(picture, SURPRISE, listed, int(listed.trials[0]))
    fastest = late[TRIALS].min()
    assert f"response after simulated stimulus onset: {fastest:.3f} s" in drawable.facts


def test_an_unknown_reaction_is_said_to_be_unknown():
    align = PICTURE.workspace.session.trials.columns["align_s"].values
    is_known = np.arange(len(align)) != TRIALS[0]
    picture = _with_session(PICTURE, response_s=Column(np.full(len(align), 0.2), is_known))
    listed = trial_list(picture, None, "reaction")
    drawable = theatre_drawable(picture, None, listed, int(TRIALS[0]))
    assert "onset: unknown" in drawable.facts


@pytest.mark.parametrize("sort", ["surprise", "gain"])
def test_extremes_go_from_the_worst_to_the_best(sort):
    trials = extreme_trials(SURPRISE, sort)
    place = np.searchsorted(SURPRISE.trials, trials)
    measure = -SURPRISE.nats_per_bin if sort == "surprise" else SURPRISE.bps.values
    assert (np.diff(measure[place]) >= 0).all()


def test_trials_without_a_scored_spike_are_neither_the_best_nor_the_worst():
    none = UnitValues(SURPRISE.bps.values, np.arange(len(TRIALS)) != 4)
    assert TRIALS[4] not in extreme_trials(replace(SURPRISE, bps=none), "gain")


def test_a_trial_is_told_with_condition_and_scores():
    listed = trial_list(PICTURE, SURPRISE, "surprise")
    trial = int(listed.trials[2])
    drawable = theatre_drawable(PICTURE, SURPRISE, listed, trial)
    number = int(PICTURE.workspace.session.trials.columns["trial_id"].values[trial])
    assert drawable.title == f"Trial {number}: 3 of {len(TRIALS)} test trials (simulated)"
    assert "(3 of 30, 1 the most)" in drawable.facts
    assert "bits/spike beyond PSTH" in drawable.facts
    assert "contrast" in drawable.facts
    assert "preview" not in drawable.facts
    assert (drawable.place, drawable.n_trials) == (2, 30)


def test_a_preview_and_a_trial_without_spikes_are_told():
    listed = trial_list(PICTURE, SURPRISE, "recorded")
    none = UnitValues(SURPRISE.bps.values, np.zeros(len(TRIALS), dtype=bool))
    picture = replace(PICTURE, is_exact=False)
    drawable = theatre_drawable(picture, replace(SURPRISE, bps=none), listed, int(TRIALS[0]))
    assert drawable.facts.endswith("preview")
    assert "bits/spike" not in drawable.facts


def test_a_choice_that_is_unknown_in_the_trial_is_left_out():
    known = PICTURE.workspace.session.trials.columns["choice"].is_valid
    listed = trial_list(PICTURE, None, "recorded")
    for trial in TRIALS.tolist():
        facts = theatre_drawable(PICTURE, None, listed, trial).facts
        assert ("chosen" in facts or "no choice" in facts) == bool(known[trial])


def test_the_rasters_of_a_trial_hold_its_counts_and_the_models_rates():
    trial = int(TRIALS[7])
    raster = trial_raster(PICTURE, trial, PLAIN)
    session = PICTURE.workspace.session
    rows = [session.unit_id.tolist().index(unit) for unit in raster.rows.unit_id.tolist()]
    np.testing.assert_allclose(
        raster.true_hz, session.counts[trial].T[rows] / session.bin_size_s, rtol=1e-6
    )
    (place,) = np.flatnonzero(PICTURE.trials == trial)
    np.testing.assert_allclose(raster.model_hz, PICTURE.model_hz[place].T[rows], rtol=1e-5)
    assert [panel.name for panel in raster.panels] == ["true", "model", "difference"]
    assert raster.panels[0].title == "True (simulated)"
    assert raster.trials.n_done == 1


def test_other_trials_and_pictures_without_a_scene_have_no_rasters():
    assert trial_raster(PICTURE, -1, PLAIN) is None
    assert trial_raster(replace(PICTURE, scene=None), int(TRIALS[0]), PLAIN) is None
    empty = replace(PICTURE, trials=np.zeros(0, dtype=np.int64))
    assert shared_trial_levels(empty, PLAIN) is None
    assert shared_trial_levels(replace(PICTURE, scene=None), PLAIN) is None


def test_events_of_the_trial_stand_where_they_happened():
    align = PICTURE.workspace.session.trials.columns["align_s"].values
    picture = _with_session(PICTURE, response_s=Column.full(np.full(len(align), 0.05)))
    (_, event) = trial_raster(picture, int(TRIALS[0]), PLAIN).events
    assert (event.name, event.is_median) == ("response", False)
    assert event.time_s == pytest.approx(0.05)


def test_rows_of_some_regions_alone_can_be_drawn():
    raster = trial_raster(PICTURE, int(TRIALS[0]), PLAIN, ("DG",))
    assert set(raster.rows.region.tolist()) == {"DG"}


def test_levels_are_the_widest_of_some_trials():
    levels = shared_trial_levels(PICTURE, replace(PLAIN, levels=Levels(0.0, 1.0)))
    own = [trial_raster(PICTURE, int(trial), PLAIN).panels[0].levels for trial in TRIALS]
    assert levels.high <= max(level.high for level in own)
    assert levels.high >= np.median([level.high for level in own])


def test_a_recording_without_a_model_shows_its_trials():
    picture = make_picture(make_small_workspace(has_models=False), spec=None)
    trial = int(picture.trials[0])
    raster = trial_raster(picture, trial, PLAIN)
    assert raster.model_hz is None
    assert raster.panels[1].message
    listed = trial_list(picture, None, "surprise")
    assert "surprise" not in theatre_drawable(picture, None, listed, trial).facts


def test_a_real_recording_is_not_called_simulated():
    session = PICTURE.workspace.session
    real = replace(session, provenance=replace(session.provenance, is_simulated=False))
    picture = replace(PICTURE, workspace=replace(PICTURE.workspace, session=real))
    assert trial_raster(picture, int(TRIALS[0]), PLAIN).panels[0].title == "True"
    listed = trial_list(picture, None, "recorded")
    assert theatre_drawable(picture, None, listed, int(TRIALS[0])).title.endswith("test trials")
