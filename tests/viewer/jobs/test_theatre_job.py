from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_core.evaluation.colour_scale import Levels
from mtm_viewer.jobs import theatre_job
from mtm_viewer.jobs.theatre_job import TheatreJob, TheatreRequest
from mtm_viewer.presenters.raster_settings import RasterSettings
from tests.viewer.presenters.populations import make_picture

PICTURE = make_picture()
TRIAL = int(PICTURE.trials[0])


def request(**changes) -> TheatreRequest:
    settings = {"picture": PICTURE, "trial": TRIAL, "settings": RasterSettings()}
    return TheatreRequest(**{**settings, **changes})


def test_trials_of_one_picture_share_their_levels_which_are_found_once(monkeypatch):
    calls = []
    found = theatre_job.shared_trial_levels
    monkeypatch.setattr(
        theatre_job, "shared_trial_levels", lambda *a: calls.append(1) or found(*a)
    )
    job = TheatreJob()
    scenes = [
        scene
        for trial in np.sort(PICTURE.trials)[:4].tolist()
        for scene in job(request(trial=trial), lambda: False)
    ]
    assert len({scene.raster.panels[0].levels for scene in scenes}) == 1
    assert len(scenes) == 4
    assert len(calls) == 1
    list(job(request(settings=RasterSettings(sigma_s=0.0)), lambda: False))
    assert len(calls) == 2


def test_levels_set_by_hand_are_taken():
    levels = Levels(0.0, 33.0)
    (scene,) = TheatreJob()(
        request(settings=replace(RasterSettings(), levels=levels)), lambda: False
    )
    assert scene.raster.panels[0].levels == levels
    assert scene.trial == TRIAL


def test_a_trial_that_the_picture_lacks_and_a_stopped_request_draw_nothing():
    assert list(TheatreJob()(request(trial=-1), lambda: False)) == []
    assert list(TheatreJob()(request(), lambda: True)) == []


def test_other_requests_are_refused():
    with pytest.raises(TypeError, match="cannot do str"):
        list(TheatreJob()("trial", lambda: False))
