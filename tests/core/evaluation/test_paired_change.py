"""The change between two predictions, its interval over trials, and the words for it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_core.evaluation import metrics
from mtm_core.evaluation.mask_scores import N_SAMPLES, ScoredTrials, fit_rivals, trial_samples
from mtm_core.evaluation.paired_change import change_words, paired_change, unit_words
from mtm_core.inference import Reconstructor
from mtm_core.masking import tasks
from mtm_core.models.session_split import split_for
from tests.core.checkpoints import make_checkpoint
from tests.core.sessions import make_session

SESSION = make_session(n_trials=120)
SPEC = tasks.inter_region("CA1")


@pytest.fixture(scope="module")
def trials():
    parts, _ = split_for(SESSION, make_checkpoint(SESSION).manifest)
    return ScoredTrials(session=SESSION, train=parts.train, val=parts.val, shown=parts.test)


@pytest.fixture(scope="module")
def rivals(trials):
    return fit_rivals(trials)


@pytest.fixture(scope="module")
def answer(trials):
    bound = Reconstructor(make_checkpoint(SESSION), SESSION)
    return bound.complete(SPEC, trials.shown[::-1].copy())


def shifted(answer, by):
    return replace(answer, log_rate=answer.log_rate + np.float32(by))


def expected_gain(answer, other, trials):
    """Log-likelihood of one minus the other, (n_trials, n_scored), by hand."""
    units = answer.mask.scored_units
    counts = SESSION.counts[answer.trials][:, :, units].astype(float)
    own, rival = (a.log_rate[:, :, units].astype(float) for a in (answer, other))
    return (counts * (own - rival) - np.exp(own) + np.exp(rival)).sum(axis=1), counts.sum(axis=1)


def test_the_change_is_the_difference_of_likelihoods_per_spike(trials, rivals, answer):
    other = shifted(answer, 0.1)
    found = paired_change(trials, rivals, ("one", answer), ("other", other))
    gain, spikes = expected_gain(answer, other, trials)
    assert found.score.change == pytest.approx(gain.sum() / spikes.sum() / np.log(2), rel=1e-5)
    difference = found.score.bps - found.score.other_bps
    assert found.score.change == pytest.approx(difference, abs=1e-9)
    per_unit = gain.sum(axis=0) / spikes.sum(axis=0) / np.log(2)
    assert np.allclose(found.units.change, per_unit, rtol=1e-4)
    assert np.allclose(found.units.bps - found.units.other_bps, found.units.change)
    assert found.units.n_spikes.tolist() == spikes.sum(axis=0).astype(int).tolist()


def test_the_interval_is_over_samples_of_trials_shared_by_both(trials, rivals, answer):
    other = shifted(answer, 0.1)
    found = paired_change(trials, rivals, ("one", answer), ("other", other))
    gain, spikes = (part[::-1] for part in expected_gain(answer, other, trials))
    weights = trial_samples(SESSION.session_id, len(gain))
    assert weights.shape == (N_SAMPLES, len(gain))
    assert found.score.interval == pytest.approx(
        metrics.pooled_interval(gain, spikes, weights), rel=1e-4
    )
    unit = int(np.argmax(found.units.has_interval))
    low, high = metrics.pooled_interval(gain[:, [unit]], spikes[:, [unit]], weights)
    assert (found.units.low[unit], found.units.high[unit]) == pytest.approx((low, high), rel=1e-3)


def test_the_same_prediction_twice_changes_nothing(trials, rivals, answer):
    score = paired_change(trials, rivals, ("one", answer), ("other", answer)).score
    assert score.change == 0
    assert score.interval == (0, 0)
    assert (score.n_above, score.n_below) == (0, 0)
    assert "not shown to differ" in change_words(score)


def test_turning_it_round_turns_the_sign(trials, rivals, answer):
    other = shifted(answer, 0.3)
    one_way = paired_change(trials, rivals, ("one", answer), ("other", other)).score
    back = paired_change(trials, rivals, ("other", other), ("one", answer)).score
    assert back.change == pytest.approx(-one_way.change)
    assert back.interval == pytest.approx((-one_way.interval[1], -one_way.interval[0]))
    assert (back.n_above, back.n_below) == (one_way.n_below, one_way.n_above)


def test_only_trials_that_both_have_answered_count(trials, rivals, answer):
    half = np.arange(len(answer.trials)) < 12
    part = replace(answer, is_done=half)
    found = paired_change(trials, rivals, ("one", answer), ("other", part))
    assert found.score.n_trials == 12
    none = replace(answer, is_done=np.zeros_like(half))
    assert paired_change(trials, rivals, ("one", answer), ("other", none)) is None


def test_few_trials_have_no_interval(trials, rivals, answer):
    part = replace(answer, is_done=np.arange(len(answer.trials)) < 9)
    score = paired_change(trials, rivals, ("one", part), ("other", shifted(answer, 1.0))).score
    assert score.interval is None
    assert score.n_judged == 0
    assert "may be chance" in change_words(score)
    assert "No unit has an interval" in unit_words(score)


def test_words_say_which_tells_more(trials, rivals, answer):
    flat = np.broadcast_to(rivals.mean, answer.log_rate.shape).astype(np.float32)
    right = replace(answer, log_rate=flat)
    wrong = shifted(right, 3.0)
    score = paired_change(trials, rivals, ("A", right), ("B", wrong)).score
    assert change_words(score).startswith("A tells more than B: +")
    worse = paired_change(trials, rivals, ("B", wrong), ("A", right)).score
    assert change_words(worse).startswith("B tells less than A: \N{MINUS SIGN}")
    assert "chance alone would make about 0 of each" in unit_words(score)
    assert score.n_above > score.n_below == 0
    silent = replace(score, change=None, n_units=1, n_trials=1)
    assert change_words(silent).startswith("No spike is scored (1 unit, 1 trial)")
