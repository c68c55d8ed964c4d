from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_viewer.jobs.population_job import PopulationJob, answered_of
from tests.viewer.presenters.populations import make_answer, make_picture
from tests.viewer.workspaces import make_small_workspace


def test_trials_are_brought_into_the_order_of_the_gains():
    picture = make_picture()
    answered = answered_of(picture)
    assert (np.diff(answered.trials) > 0).all()
    for place, trial in enumerate(answered.trials.tolist()):
        (row,) = np.flatnonzero(picture.trials == trial)
        np.testing.assert_array_equal(answered.rate_hz[place], picture.model_hz[row])


def test_the_answer_holds_units_trials_and_regions_at_every_level():
    answer = make_answer()
    assert len(answer.facts.units) == 24
    np.testing.assert_array_equal(answer.surprise.trials, np.sort(answer.picture.trials))
    assert set(answer.regions) == {"given", "beryl", "cosmos"}


def test_a_picture_that_scores_nothing_has_no_answer():
    bare = make_picture(make_small_workspace(has_models=False), spec=None)
    assert list(PopulationJob()(bare, lambda: False)) == []
    picture = make_picture()
    nothing = np.zeros(0, dtype=np.int64)
    assert answered_of(replace(picture, trials=nothing)) is None
    assert answered_of(replace(picture, gains=replace(picture.gains, units=nothing))) is None


def test_a_stopped_request_has_no_answer():
    assert list(PopulationJob()(make_picture(), lambda: True)) == []


def test_other_requests_are_refused():
    with pytest.raises(TypeError, match="cannot do int"):
        list(PopulationJob()(3, lambda: False))
