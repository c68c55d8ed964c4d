from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import poisson

from mtm_core.data.table import Column, Table
from mtm_core.evaluation.trial_surprise import reaction_times, trial_surprise
from tests.core.evaluation.answered import SHOWN, make_answered, with_counts
from tests.core.sessions import make_session

SESSION = make_session(n_trials=60, n_units=12)


def _with_trials(**columns: Column) -> object:
    return replace(SESSION, trials=Table({**SESSION.trials.columns, **columns}))


def test_surprise_is_the_negative_log_likelihood_per_scored_entry():
    rate = np.random.default_rng(0).uniform(0.1, 1.0, (30, 10, 12))
    found = trial_surprise(make_answered(SESSION, rate=rate, bins=slice(4, 10)))
    counts = SESSION.counts[SHOWN][:, 4:, :4]
    wanted = -poisson.logpmf(counts, rate[:, 4:, :4]).mean(axis=(1, 2))
    np.testing.assert_allclose(found.nats_per_bin, wanted)
    assert found.n_entries == 24
    np.testing.assert_array_equal(found.n_spikes, counts.sum(axis=(1, 2)))


def test_bits_per_spike_of_trials_add_up_to_the_score():
    answer = make_answered(SESSION)
    found = trial_surprise(answer)
    pooled = (found.bps.values * found.n_spikes).sum() / found.n_spikes.sum()
    gains = answer.gains
    assert pooled == pytest.approx(gains.gain.sum() / gains.spikes.sum() / np.log(2))


def test_a_trial_without_spikes_has_no_bits_per_spike():
    session = SESSION
    for unit in range(4):
        counts = session.counts[:, :, unit].copy()
        counts[31] = 0
        session = with_counts(session, unit, counts)
    found = trial_surprise(make_answered(session))
    assert not found.bps.is_valid[1]
    assert found.n_spikes[1] == 0


def test_without_a_field_there_is_no_reaction_time():
    assert reaction_times(SESSION) is None


def test_reactions_count_from_the_stimulus_where_it_is_known():
    is_known = np.arange(60) != 3
    session = _with_trials(
        stim_on_s=Column.full(np.full(60, -0.1)),
        response_s=Column.full(np.full(60, 0.9)),
        first_movement_s=Column(np.full(60, 0.3), is_known),
    )
    found = reaction_times(session)
    assert found.words == "first movement after stimulus onset"
    np.testing.assert_allclose(found.seconds[is_known], 0.4)
    np.testing.assert_array_equal(found.is_valid, is_known)


def test_reactions_count_from_the_aligning_event_otherwise():
    found = reaction_times(_with_trials(response_s=Column.full(np.full(60, 0.5))))
    assert found.words == "response after simulated stimulus onset"
    np.testing.assert_allclose(found.seconds, 0.5)
