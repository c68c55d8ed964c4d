from __future__ import annotations

import numpy as np
import pytest

from mtm_core.config import DataConfig
from mtm_core.data.splits import split_trials
from mtm_core.errors import DataError
from mtm_core.evaluation.region_matrix_work import Exam, sum_by_draw
from mtm_core.models.baselines import BaselineData
from mtm_core.models.baselines_rates import psth, trial_psth
from tests.core.sessions import make_session

SESSION = make_session(n_trials=60)
SPLIT = split_trials(SESSION, DataConfig())
DATA = BaselineData.from_session(SESSION, SPLIT.train, SPLIT.val)
EXAM = Exam.of(DATA, SPLIT.test)


def test_the_null_gains_nothing_over_itself_and_the_floor_is_the_plain_psth():
    units = np.array([5, 2])
    own = np.log(trial_psth(DATA, SPLIT.test)).astype(np.float32)[:, :, units]
    assert np.allclose(EXAM.gain(own, units), 0, atol=1e-12)
    plain = np.log(np.broadcast_to(psth(DATA), EXAM.counts.shape)).astype(np.float32)
    assert np.allclose(EXAM.gain(plain[:, :, units], units), EXAM.floor[:, units], atol=1e-9)
    assert np.abs(EXAM.floor).max() > 0.01


def test_a_prediction_that_is_no_number_is_refused():
    broken = np.full((len(SPLIT.test), SESSION.n_bins, 1), np.nan, dtype=np.float32)
    with pytest.raises(DataError, match="not a finite number"):
        EXAM.gain(broken, np.array([0]))


def test_sums_by_draw_are_those_of_the_chosen_units():
    of_unit = np.arange(12.0).reshape(2, 6)
    chosen = np.array([[[0, 1], [1, 2]], [[4, 5], [3, 5]]])
    sums = sum_by_draw(of_unit, chosen)
    assert sums.shape == (2, 2, 2)
    assert sums[:, :, 0].tolist() == [[1, 3], [9, 8]]
    assert sums[1, 1].tolist() == [8, 20]
