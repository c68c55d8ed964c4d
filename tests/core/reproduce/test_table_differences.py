from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from mtm_core.reproduce.table_differences import Difference, paired_difference

N_TRIALS, N_SPIKES = 50, 1000


def cell(likelihood: Sequence[float]) -> dict[str, object]:
    return {"trials": {"co": {"log_likelihood": list(likelihood), "n_spikes": N_SPIKES}}}


def gains_of(session: int, *, mean: float, spread: float) -> np.ndarray:
    """Nats by which one model is better than the other in every trial."""
    return np.random.default_rng(session).normal(mean, spread, N_TRIALS)


def compare(gains: Sequence[np.ndarray]) -> Difference:
    ours = [[cell(gain)] for gain in gains]
    theirs = [[cell(np.zeros(N_TRIALS))] for _ in gains]
    found = paired_difference("co", ours, theirs)
    assert found is not None
    return found


def test_the_mean_is_that_of_the_sessions_bits_per_spike():
    gains = [gains_of(s, mean=1.0, spread=0.5) for s in range(4)]
    expected = np.mean([gain.sum() / N_SPIKES / np.log(2) for gain in gains])
    assert compare(gains).over_sessions.mean == pytest.approx(expected)


def test_a_clear_gain_is_clear_in_every_session():
    found = compare([gains_of(s, mean=1.0, spread=0.5) for s in range(4)])
    assert (found.n_won, found.n_clear) == (4, 4)
    assert found.by_trials is not None
    low, high = found.by_trials
    assert 0 < low < found.over_sessions.mean < high


def test_a_gain_within_the_noise_is_not_clear():
    gains = [gains_of(s, mean=0.0, spread=5.0) for s in range(4)]
    found = compare(gains)
    assert found.n_won == sum(gain.sum() > 0 for gain in gains)
    assert found.n_clear <= 1
    assert found.by_trials is not None
    assert found.by_trials[0] < 0 < found.by_trials[1]


def test_sessions_that_disagree_widen_the_interval_beyond_their_trials():
    same = compare([gains_of(s, mean=1.0, spread=0.1) for s in range(4)])
    apart = compare([gains_of(s, mean=1.0 + s, spread=0.1) for s in range(4)])
    width = [found.by_trials[1] - found.by_trials[0] for found in (same, apart) if found.by_trials]
    assert width[1] > 5 * width[0]


def test_seeds_are_averaged_trial_by_trial():
    gain = gains_of(0, mean=1.0, spread=0.5)
    ours, theirs = [[cell(gain + 3), cell(gain - 3)]], [[cell(0 * gain), cell(0 * gain)]]
    found = paired_difference("co", ours, theirs)
    assert found is not None
    assert found.over_sessions.mean == pytest.approx(compare([gain]).over_sessions.mean)


def test_cells_without_trials_cannot_be_compared_by_them():
    assert paired_difference("co", [[{}]], [[cell(np.zeros(3))]]) is None
