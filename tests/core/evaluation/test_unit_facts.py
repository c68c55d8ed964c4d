from __future__ import annotations

import numpy as np
import pytest

from mtm_core.evaluation.mask_scores import unit_score
from mtm_core.evaluation.metrics import unit_r2
from mtm_core.evaluation.unit_facts import unit_facts
from mtm_core.models.baselines_rates import smoothing_matrix
from tests.core.evaluation.answered import SHOWN, TRAIN, make_answered, with_counts
from tests.core.sessions import make_session

SESSION = make_session(n_trials=60, n_units=12)


def test_scores_are_those_of_single_units():
    answer = make_answered(SESSION)
    facts = unit_facts(answer)
    for place, unit in enumerate(facts.units.tolist()):
        assert facts.bps.values[place] == pytest.approx(
            unit_score(answer.gains, unit).bps_beyond_psth
        )
        assert facts.n_spikes[place] == SESSION.counts[SHOWN, :, unit].sum()


def test_rates_are_of_the_scored_bins_alone():
    facts = unit_facts(make_answered(SESSION, bins=slice(6, 10)))
    for place, unit in enumerate(facts.units.tolist()):
        for rate, trials in ((facts.train_hz, TRAIN), (facts.shown_hz, SHOWN)):
            wanted = SESSION.counts[trials, 6:, unit].mean() / SESSION.bin_size_s
            assert rate[place] == pytest.approx(wanted)
        assert facts.model_hz[place] == pytest.approx(20.0)
        assert facts.n_train_spikes[place] == SESSION.counts[TRAIN, 6:, unit].sum()


def test_a_rate_that_falls_shows_as_change_and_as_drift():
    steps = np.where(np.arange(60) < 30, 3, 1)[:, None]
    noise = np.random.default_rng(0).integers(0, 2, (60, 10))
    facts = unit_facts(make_answered(with_counts(SESSION, 0, steps + noise)))
    assert facts.change_z[0] < -10
    assert facts.drift_z[0] < -10
    assert facts.early_hz[0] > 1.5 * facts.late_hz[0]
    assert np.abs(facts.change_z[1:]).max() < 10


def test_the_fano_factor_is_about_one_for_poisson_spikes_and_larger_for_gain_changes():
    rng = np.random.default_rng(1)
    gain = rng.gamma(2.0, 0.5, (60, 1))
    session = with_counts(SESSION, 0, rng.poisson(1.0, (60, 10)))
    session = with_counts(session, 1, rng.poisson(3 * gain, (60, 10)))
    fano = unit_facts(make_answered(session)).fano
    assert 0.5 < fano.values[0] < 1.7
    assert fano.values[1] > 4
    silent = unit_facts(make_answered(with_counts(SESSION, 0, 0)))
    assert not silent.fano.is_valid[0]
    assert not silent.bps.is_valid[0]
    assert not silent.is_counted[0]


def test_r2_is_that_of_smoothed_single_trials():
    rng = np.random.default_rng(2)
    rate = rng.uniform(0.1, 2.0, (30, 10, 12))
    facts = unit_facts(make_answered(SESSION, rate=rate))
    smoothing = smoothing_matrix(10, 3.0)
    truth, guess = (np.matmul(smoothing, a) for a in (SESSION.counts[SHOWN].astype(float), rate))
    np.testing.assert_allclose(facts.r2.values, unit_r2(truth, guess).values[:4])
    assert facts.psth_r2.is_valid.all()


def test_units_scored_in_other_bins_get_the_r2_of_their_own_bins():
    whole = unit_facts(make_answered(SESSION, bins=slice(5, 10)))
    answer = make_answered(SESSION)
    weight = answer.mask.is_scored.copy()
    weight[:5, 0] = False
    mask = type(answer.mask)(
        is_hidden=weight, is_scored=weight, one_at_a_time=False, prompt="neuron"
    )
    mixed = unit_facts(
        type(answer)(
            session=answer.session,
            train=answer.train,
            trials=answer.trials,
            rate_hz=answer.rate_hz,
            mask=mask,
            gains=answer.gains,
        )
    )
    assert mixed.r2.values[0] == pytest.approx(whole.r2.values[0])
    assert mixed.r2.values[1] == pytest.approx(unit_facts(answer).r2.values[1])


def test_a_copy_among_the_visible_units_is_found_as_a_twin():
    session = with_counts(SESSION, 9, SESSION.counts[:, :, 0])
    facts = unit_facts(make_answered(session))
    assert facts.twin[0] == 9
    assert facts.twin_r[0] == pytest.approx(1.0, abs=1e-4)


def test_no_unit_is_its_own_twin():
    facts = unit_facts(make_answered(SESSION, one_at_a_time=True))
    assert (facts.twin != facts.units).all()
    assert facts.n_visible == 12


def test_without_visible_units_there_is_neither_twin_nor_crowd():
    facts = unit_facts(make_answered(SESSION, scored=tuple(range(12))))
    assert facts.n_visible == 0
    assert (facts.twin == -1).all()
    assert not facts.crowd.is_valid.any()


def test_a_unit_that_follows_the_crowd_is_told_from_one_that_does_not():
    rng = np.random.default_rng(3)
    shared = rng.gamma(3.0, 1 / 3, (60, 1))
    counts = rng.poisson(2 * shared[:, :, None], (60, 10, 12)).astype(np.uint8)
    counts[:, :, 0] = rng.poisson(2.0, (60, 10))
    session = SESSION
    for unit in range(12):
        session = with_counts(session, unit, counts[:, :, unit])
    crowd = unit_facts(make_answered(session)).crowd
    assert crowd.values[1] > 0.7
    assert crowd.values[0] < 0.5


def test_the_trial_that_moves_the_score_most_is_named():
    counts = np.ones((60, 10), dtype=np.uint8)
    counts[40] = 30
    answer = make_answered(with_counts(SESSION, 0, counts))
    facts = unit_facts(answer)
    assert facts.top_trial[0] == 40
    gain, spikes = answer.gains.gain[:, 0], answer.gains.spikes[:, 0]
    is_other = SHOWN != 40
    without = gain[is_other].sum() / spikes[is_other].sum() / np.log(2)
    assert facts.top_gain[0] == pytest.approx(facts.bps.values[0] - without)


def test_the_place_of_a_unit_is_found_or_not():
    facts = unit_facts(make_answered(SESSION, scored=(2, 5)))
    assert facts.place(5) == 1
    assert facts.place(0) is None


def test_what_is_looked_at_stays_as_it_is():
    answer = make_answered(SESSION)
    before = [answer.session.counts.copy(), answer.rate_hz.copy(), answer.gains.gain.copy()]
    unit_facts(answer)
    after = [answer.session.counts, answer.rate_hz, answer.gains.gain]
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)
