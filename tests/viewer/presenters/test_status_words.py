"""The status line in words."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_viewer.jobs.reconstruct_job import ReconstructionJob, ReconstructionRequest
from mtm_viewer.presenters.raster_drawable import ShownTrials
from mtm_viewer.presenters.status_words import no_model_panel, progress_words, session_words
from mtm_viewer.presenters.workspace import make_workspace
from tests.viewer.workspaces import make_small_workspace

WORKSPACE = make_small_workspace()


@pytest.fixture(scope="module")
def picture():
    request = ReconstructionRequest(workspace=WORKSPACE, spec=None)
    (bare,) = ReconstructionJob()(request, lambda: False)
    return replace(bare, model_hz=np.zeros((8, 10, 24), np.float32), n_done=8)


def test_a_session_is_named_with_its_size():
    assert session_words(WORKSPACE) == "simulated-0 (simulated) · 40 trials · 24 units"


def test_units_that_the_model_does_not_know_are_not_dropped_in_silence():
    recording = make_small_workspace(n_units=30).recording
    part = recording.take_units(np.arange(24))
    model = make_small_workspace().models[0]
    before = model.checkpoint.manifest
    units = tuple(part.unit_id.tolist())
    own = replace(before.only, session_id=recording.session_id, unit_id=units)
    manifest = replace(before, sessions=(own,))
    known = replace(model, checkpoint=replace(model.checkpoint, manifest=manifest))
    words = session_words(make_workspace(recording, WORKSPACE.path, (known,)))
    assert words.endswith("24 of 30 units (those that the model knows)")


@pytest.mark.parametrize(
    ("n_done", "is_exact", "is_computing", "words"),
    [
        (8, True, False, "8 test trials, exact"),
        (3, False, True, "3 of 8 test trials so far, partial"),
        (8, False, True, "8 test trials, preview, exact answers to come"),
        (3, False, False, "3 of 8 test trials so far, stopped"),
    ],
)
def test_progress_says_how_far_and_how_sure(picture, n_done, is_exact, is_computing, words):
    trials = ShownTrials(n_done=n_done, n_wanted=8)
    shown = replace(
        picture,
        raster=replace(picture.raster, trials=trials),
        n_done=n_done,
        is_exact=is_exact,
    )
    assert progress_words(WORKSPACE, shown, is_computing=is_computing) == words


def test_before_any_answer_there_are_trials_only():
    assert progress_words(WORKSPACE, None, is_computing=True) == "8 test trials"
    assert progress_words(None, None, is_computing=False) == ""
    bare = make_small_workspace(has_models=False)
    assert progress_words(bare, None, is_computing=False) == "no model for this session"


def test_without_a_model_the_scores_say_how_to_come_by_one():
    panel = no_model_panel(make_small_workspace(has_models=False))
    assert panel.headline == "No model for this session yet"
    assert "--session small.h5 --out runs/small" in panel.verdict
    assert panel.rows == ()
    assert not panel.can_shuffle
