from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_core.config_io import load_preparation
from mtm_core.data.binning import rebin
from mtm_core.data.preparation import prepare
from mtm_core.data.session import Session
from mtm_core.data.simulated_truth import true_counts_rate, true_rate_hz
from mtm_core.data.table import Column, Table
from mtm_core.errors import DataError
from tests.core.data.simulations import simulated

END = [("prepare.window_end_s", "1.2963")]


def prepared(*overrides: tuple[str, str], preset: str = "default", seed: int = 0) -> Session:
    return prepare(simulated(seed=seed).raw, load_preparation(preset, overrides))


def log_likelihood(counts: np.ndarray, expected: np.ndarray) -> float:
    return float((counts * np.log(expected) - expected).sum(dtype=np.float64))


@pytest.mark.parametrize(
    "overrides",
    [
        (),
        (("prepare.align", "first_movement"),),
        (("prepare.bin_size_s", "0.05"),),
        (("prepare.bin_size_s", "0.01"), ("prepare.window_start_s", "-0.2037"), *END),
    ],
)
def test_bins_of_any_preparation_follow_the_true_rates(overrides):
    session, truth = prepared(*overrides), simulated().truth
    expected = true_counts_rate(truth, session)
    assert expected.shape == session.counts.shape
    total = expected.sum(dtype=np.float64)
    assert session.counts.sum() == pytest.approx(total, abs=4 * np.sqrt(total))
    # Only at the right time: truth that is early or late by 40 ms fits worse.
    n = round(0.04 / session.bin_size_s)
    counts = session.counts[:, n:-n].astype(np.float64)
    fitting = log_likelihood(counts, expected[:, n:-n])
    assert fitting > log_likelihood(counts, expected[:, 2 * n :]) + 20
    assert fitting > log_likelihood(counts, expected[:, : -2 * n]) + 20


def test_a_bin_is_the_mean_of_its_steps_each_by_its_share():
    truth, session = simulated().truth, prepared(("prepare.bin_size_s", "0.05"))
    found = true_rate_hz(truth, session)
    trial, k = 3, 7
    begin = session.trials.values("align_s")[trial] + session.window_start_s + 0.05 * k
    fine = (begin + 0.05 * (np.arange(20_000) + 0.5) / 20_000) / truth.step_s
    units = [truth.unit_id.tolist().index(name) for name in session.unit_id.tolist()]
    rates = truth.drive.rate_hz(np.floor(fine).astype(int), np.array(units))
    np.testing.assert_allclose(found[trial, k], rates.mean(axis=0), rtol=1e-3)


def test_truth_is_found_by_unit_and_trial_not_by_row():
    truth, session = simulated().truth, prepared()
    units, trials = np.array([5, 2, 9]), np.array([7, 1])
    part = session.take_units(units).take_trials(trials)
    np.testing.assert_allclose(
        true_rate_hz(truth, part), true_rate_hz(truth, session)[trials][:, :, units], rtol=1e-5
    )


def test_joined_bins_expect_the_sum():
    truth, session = simulated().truth, prepared()
    joined = true_counts_rate(truth, rebin(session, 5))
    of_each = true_counts_rate(truth, session)
    summed = of_each.reshape(session.n_trials, -1, 5, session.n_units).sum(axis=2)
    np.testing.assert_allclose(joined, summed, rtol=1e-3)


def test_the_truth_of_another_session_is_refused():
    with pytest.raises(DataError, match=r"This truth belongs to simulated/tiny-1.*not in it"):
        true_rate_hz(simulated(seed=1).truth, prepared())


def test_trials_at_other_times_are_refused():
    session = prepared()
    columns = dict(session.trials.columns)
    columns["align_s"] = Column.full(columns["align_s"].values.astype(float) + 100.0)
    moved = replace(session, trials=Table(columns))
    with pytest.raises(DataError, match=r"trials of session .* lie at other times"):
        true_rate_hz(simulated().truth, moved)


def test_latents_and_received_signals_have_names():
    truth = simulated().truth
    assert truth.latent("decision").shape == (truth.n_steps,)
    (a, b), *_ = truth.coupling.edges
    signal = truth.latent(f"{truth.regions[a]} to {truth.regions[b]}")
    assert np.abs(signal).max() <= 1.0
    assert signal.std() > 0.2
