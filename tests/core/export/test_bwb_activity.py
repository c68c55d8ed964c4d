from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_core.config import MaskingConfig, TrainConfig
from mtm_core.data.table import Column
from mtm_core.errors import DataError, MaskError
from mtm_core.export.bwb_activity import answer_activity, window_starts
from mtm_core.export.bwb_tasks import find_task
from mtm_core.export.bwb_units import decode_ids, held_out_units
from mtm_core.inference import Reconstructor
from tests.core.checkpoints import SMALL_MODEL, make_checkpoint
from tests.core.evaluation.behaving import with_trials
from tests.core.export.bwb_exports import CHECKPOINT, SESSION
from tests.core.sessions import make_session

TRIALS = np.array([3, 5, 40])


def answer(task, session=SESSION, units=None, trials=TRIALS):
    model = CHECKPOINT if session.n_bins == SESSION.n_bins else make_checkpoint(session)
    units = session.unit_id if units is None else units
    return answer_activity(Reconstructor(model, session), find_task(task), units, trials)


def with_counts(is_changed):
    return replace(SESSION, counts=np.where(is_changed, 9, SESSION.counts).astype(np.uint8))


def test_all_hidden_units_are_hidden_at_once():
    is_held = held_out_units(SESSION.unit_id)
    before = answer("co_smoothing")
    after = answer("co_smoothing", with_counts(is_held))
    seen = answer("co_smoothing", with_counts(~is_held))
    assert before.predictions["predictions"].equal(after.predictions["predictions"])
    assert not before.predictions["predictions"].equal(seen.predictions["predictions"])
    assert not before.truth["targets"].equal(after.truth["targets"])


def test_the_end_is_hidden_from_a_forecast():
    is_end = (np.arange(SESSION.n_bins) >= 10)[:, None]
    before = answer("forecasting")
    after = answer("forecasting", with_counts(is_end))
    seen = answer("forecasting", with_counts(~is_end))
    assert before.predictions["predictions"].equal(after.predictions["predictions"])
    assert not before.predictions["predictions"].equal(seen.predictions["predictions"])


def test_the_truth_is_what_the_hidden_units_did():
    found = answer("co_smoothing").truth
    is_held = held_out_units(SESSION.unit_id)
    assert np.array_equal(found["targets"].numpy(), SESSION.counts[TRIALS][..., is_held])
    names = [f"{SESSION.session_id}/{unit}" for unit in SESSION.unit_id[is_held]]
    assert decode_ids(found["unit_ids"].numpy()) == tuple(names)


def test_a_forecast_scores_the_last_tenth_of_a_second_of_the_chosen_units():
    units = SESSION.unit_id[[4, 2]]
    found = answer("forecasting", units=units)
    assert np.array_equal(found.truth["targets"].numpy(), SESSION.counts[TRIALS][:, 10:, [2, 4]])


def test_units_are_hidden_from_the_chosen_ones_only():
    found = answer("co_smoothing", units=SESSION.unit_id[:7])
    (hidden,) = decode_ids(found.truth["unit_ids"].numpy())
    assert hidden.split("/", 1)[1] in SESSION.unit_id[:7]


def test_what_is_scored_is_the_last_second():
    session = make_session(n_bins=30, bin_size_s=0.05)
    found = answer("co_smoothing", session, trials=np.array([0, 2]))
    assert found.truth["targets"].shape[1] == 20
    assert found.truth["window_timestamps"].tolist() == [1.5, 11.5]  # aligned at 1 s and 11 s
    assert answer("forecasting", session, trials=np.array([0])).truth["targets"].shape[1] == 2


def test_a_short_window_is_scored_whole():
    assert answer("co_smoothing").truth["targets"].shape[1] == SESSION.n_bins
    start = SESSION.trials.values("align_s")[TRIALS] + SESSION.window_start_s
    assert np.array_equal(window_starts(SESSION, TRIALS), start)


def test_a_window_with_nothing_before_its_end_cannot_be_forecast():
    session = make_session(n_bins=10)
    with pytest.raises(MaskError, match=r"last 0\.1 s, and the window of this session is 0\.1 s"):
        answer("forecasting", session)


def test_trials_of_the_same_time_are_refused():
    session = with_trials(SESSION, align_s=Column.full(np.zeros(SESSION.n_trials)))
    with pytest.raises(DataError, match="3 trials of behaving start at the same time"):
        answer("co_smoothing", session)


def test_a_mask_that_the_model_never_met_is_told():
    assert answer("co_smoothing").caveat is None
    config = TrainConfig(model=SMALL_MODEL, masking=MaskingConfig(schemes=("causal",)))
    bound = Reconstructor(make_checkpoint(SESSION, config), SESSION)
    for task, caveat in (("co_smoothing", "not trained for this"), ("forecasting", None)):
        found = answer_activity(bound, find_task(task), SESSION.unit_id, TRIALS)
        assert (found.caveat or "").startswith(caveat or "")
        assert (found.caveat is None) == (caveat is None)


@pytest.mark.parametrize(
    ("task", "prompt"), [("co_smoothing", "neuron"), ("forecasting", "causal")]
)
def test_the_model_is_told_by_the_prompt_that_suits(task, prompt):
    assert f"{prompt} prompt" in answer(task).choices["mask"]
