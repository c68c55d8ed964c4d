from __future__ import annotations

import numpy as np
import pytest

from mtm_core.masking.tasks import TASKS
from mtm_core.models.baselines import BaselineData
from mtm_core.models.baselines_rates import (
    PSEUDO_TRIALS,
    ConditionPsth,
    Drift,
    MeanRate,
    Psth,
    condition_psth,
    mean_count,
    psth,
    smoothing_matrix,
    trial_psth,
)
from tests.core.models.baseline_data import log_likelihood, make_bench, with_counts


def make_data(counts: np.ndarray, condition=None, n_train: int | None = None) -> BaselineData:
    n_trials = len(counts)
    n_train = n_trials if n_train is None else n_train
    return BaselineData(
        counts=counts,
        region=np.full(counts.shape[2], "CA1"),
        condition=np.full(n_trials, -1) if condition is None else np.asarray(condition),
        train=np.arange(n_train),
        val=np.arange(n_train, n_trials),
        bin_size_s=0.01,
    )


@pytest.mark.parametrize("width", [0, 0.5, 3, np.inf])
def test_smoothing_keeps_a_constant(width):
    np.testing.assert_allclose(smoothing_matrix(7, width) @ np.full(7, 2.5), 2.5)


def test_no_smoothing_is_the_identity():
    np.testing.assert_array_equal(smoothing_matrix(3, 0), np.eye(3))


def test_a_silent_unit_is_given_half_a_spike():
    counts = np.zeros((4, 5, 2), dtype=int)
    counts[0, 0, 1] = 3
    np.testing.assert_allclose(mean_count(counts), [0.5 / 20, 3 / 20])


def test_the_psth_is_smoothed_and_shrunk_towards_the_mean():
    counts = np.zeros((10, 6, 1), dtype=int)
    counts[:, 2] = 1
    data = make_data(counts)
    smooth = smoothing_matrix(6, 3) @ (np.arange(6) == 2)
    expected = (10 * smooth + PSEUDO_TRIALS / 6) / (10 + PSEUDO_TRIALS)
    np.testing.assert_allclose(psth(data)[:, 0], expected)


def test_only_training_trials_are_learnt_from():
    counts = np.random.default_rng(0).poisson(1.0, (9, 4, 3))
    changed = counts.copy()
    changed[6:] = 50
    one, other = make_data(counts, n_train=6), make_data(changed, n_train=6)
    np.testing.assert_array_equal(psth(one), psth(other))
    np.testing.assert_array_equal(mean_count(one.counts[:6]), mean_count(other.counts[:6]))


def test_a_condition_has_its_own_psth_and_an_unknown_one_that_of_all_trials():
    counts = np.zeros((8, 4, 1), dtype=int)
    counts[:4] = 2
    data = make_data(counts, condition=[0, 0, 0, 0, 1, 1, 1, -1])
    by_condition = condition_psth(data)
    assert by_condition[0].mean() > psth(data).mean() > by_condition[1].mean()
    found = trial_psth(data, np.array([0, 5, 7]))
    np.testing.assert_array_equal(found, [by_condition[0], by_condition[1], psth(data)])


def test_a_condition_never_trained_takes_the_psth_of_all_trials():
    data = make_data(np.ones((4, 3, 1), dtype=int), condition=[0, 0, 0, 5], n_train=3)
    np.testing.assert_array_equal(trial_psth(data, np.array([3]))[0], psth(data))


def test_no_rate_is_ever_zero():
    data = make_data(np.zeros((6, 5, 2), dtype=int), condition=[0, 0, 1, 1, 1, -1])
    assert (trial_psth(data, np.arange(6)) > 0).all()


@pytest.fixture(scope="module")
def drifting() -> BaselineData:
    """Units whose rates rise or fall over the session."""
    rng = np.random.default_rng(1)
    gain = np.exp(np.outer(np.linspace(-1, 1, 120), rng.choice([-1.0, 1.0], 20)))
    counts = rng.poisson(0.4 * gain[:, None, :] * np.ones((1, 8, 1)))
    rows = rng.permutation(120)
    return BaselineData(
        counts=counts,
        region=np.full(20, "CA1"),
        condition=np.full(120, -1),
        train=np.sort(rows[:84]),
        val=np.sort(rows[84:96]),
        bin_size_s=0.01,
    )


def test_the_drift_predictor_follows_a_drift(drifting):
    test = np.setdiff1d(np.arange(120), np.r_[drifting.train, drifting.val])
    found = Drift.fit(drifting).predict(None, test)
    flat = Psth(drifting).predict(None, test)
    truth = drifting.counts[test]
    gained = log_likelihood(truth, found) - log_likelihood(truth, flat)
    assert gained / truth.sum() / np.log(2) > 0.1


def test_the_drift_predictor_never_sees_the_trial_itself_nor_another_unit(drifting):
    drift = Drift(drifting, width=8.0, pseudo_spikes=1.0)
    trials = drifting.train[:5]
    changed = drifting.counts.copy()
    changed[drifting.train[0], :, :] += 9
    changed[:, :, 1:] += 5
    other = Drift(with_counts(drifting, changed), width=8.0, pseudo_spikes=1.0)
    raw, raw_other = drift.gain(trials), other.gain(trials)
    # The PSTH of unit 0 has moved with its training trial; its neighbours' spikes have not.
    expected = psth(drifting).sum(axis=0)[0], psth(other.data).sum(axis=0)[0]
    weight = np.exp(-np.abs(trials[0] - drifting.train) / 8.0) * (drifting.train != trials[0])
    total = weight.sum()
    spikes = raw[0, 0] * (1 + total * expected[0]) - 1
    spikes_other = raw_other[0, 0] * (1 + total * expected[1]) - 1
    assert spikes_other == pytest.approx(spikes)


def test_without_drift_validation_trials_prefer_none():
    data = make_data(np.random.default_rng(0).poisson(0.3, (200, 5, 30)), n_train=150)
    gain = Drift.fit(data).gain(np.arange(150, 200))
    assert np.abs(gain - 1).max() < 0.35


@pytest.mark.parametrize("make", [MeanRate, Psth, ConditionPsth, Drift.fit])
@pytest.mark.parametrize("task", TASKS)
def test_every_rate_baseline_answers_every_task(make, task):
    bench = make_bench()
    baseline = make(bench.data)
    assert task in baseline.tasks
    log_rate = baseline.predict(bench.plan(task), bench.test)
    assert log_rate.shape == (len(bench.test), 10, 24)
    assert log_rate.dtype == np.float32
    assert np.isfinite(log_rate).all()


def test_conditions_come_from_the_fields_that_a_session_has():
    bench = make_bench()
    assert set(np.unique(bench.data.condition)) == {0, 1, 2, 3}
    columns = dict(bench.session.trials.columns)
    for name in ("contrast_left", "contrast_right", "feedback"):
        del columns[name]
    bare = type(bench.session)(
        session_id="bare",
        counts=bench.session.counts,
        units=bench.session.units,
        trials=type(bench.session.trials)(columns),
        provenance=bench.session.provenance,
    )
    data = BaselineData.from_session(bare, bench.data.train, bench.data.val)
    assert (data.condition == -1).all()
