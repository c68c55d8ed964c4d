"""Which difference between conditions a reconstruction keeps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_core.data.table import Column, Table
from mtm_core.errors import MissingFieldError
from mtm_core.evaluation.contrast import (
    CONTRASTS,
    available_contrasts,
    condition_means_hz,
    condition_pair,
    contrast_in_errors,
    contrast_words,
    score_contrast,
)
from mtm_core.masking import tasks
from mtm_core.models.answers import Reconstruction
from tests.core.sessions import make_session

SESSION = make_session(n_trials=200, n_units=24)
EVERY = np.arange(SESSION.n_trials)


def answer_of(log_rate, session=SESSION, spec=None):
    mask = (spec or tasks.inter_region("CA1")).resolve(session)
    done = np.ones(len(log_rate), dtype=bool)
    return Reconstruction(
        trials=np.arange(len(log_rate)),
        log_rate=log_rate.astype(np.float32),
        is_done=done,
        is_exact=done,
        mask=mask,
        bin_size_s=session.bin_size_s,
    )


def rates_of(pair, by):
    """Rates that depend on the condition only: as in the truth, times `by` on the log scale."""
    log_rate = np.tile(np.log(SESSION.counts.mean(axis=0) + 1e-3), (SESSION.n_trials, 1, 1))
    one, other = (SESSION.counts[rows].mean(axis=0) for rows in (pair.first, pair.second))
    change = by * (np.log(one + 0.05) - np.log(other + 0.05)) / 2
    log_rate[pair.first] += change
    log_rate[pair.second] -= change
    return log_rate


@pytest.fixture(scope="module")
def pair():
    return condition_pair(SESSION, "contrast_side", EVERY)


def test_conditions_are_found_among_the_trials_that_are_shown(pair):
    left = SESSION.trials.column("contrast_left").values
    right = SESSION.trials.column("contrast_right").values
    assert pair.first.tolist() == np.flatnonzero(left > right).tolist()
    assert pair.second.tolist() == np.flatnonzero(right > left).tolist()
    few = condition_pair(SESSION, "contrast_side", pair.first[:3])
    assert few.first.tolist() == pair.first[:3].tolist()
    assert not few.is_enough
    assert few.words() == "left > right \N{MINUS SIGN} right > left (3 and 0 trials)"


def test_only_fields_of_the_session_can_be_contrasted():
    assert available_contrasts(SESSION) == ("choice", "contrast_side", "feedback")
    with pytest.raises(MissingFieldError):
        condition_pair(SESSION, "block", EVERY)


def test_blocks_are_compared_left_minus_right():
    block = np.where(EVERY % 2, 0.8, 0.2)
    trials = Table({**SESSION.trials.columns, "block": Column.full(block)})
    pair = condition_pair(replace(SESSION, trials=trials), "block", EVERY)
    assert pair.names == ("block 0.8 left", "block 0.2 left")
    constant = Table({**SESSION.trials.columns, "block": Column.full(np.full(200, 0.5))})
    with pytest.raises(MissingFieldError, match="two conditions of 'block'"):
        condition_pair(replace(SESSION, trials=constant), "block", EVERY)


def test_a_reconstruction_with_the_true_difference_scores_near_the_ceiling(pair):
    score = score_contrast(SESSION, answer_of(rates_of(pair, 1.0)), "contrast_side")
    assert score.correlation > 0.9
    assert 0.5 < score.ceiling <= 1
    low, high = score.interval
    assert low < score.correlation < high < 1
    assert (score.n_first, score.n_second, score.n_units) == (len(pair.first), len(pair.second), 8)
    assert "correlates 0.9" in contrast_words(score)


def test_a_reversed_difference_is_negative_and_half_is_half(pair):
    whole, half, reverse = (
        score_contrast(SESSION, answer_of(rates_of(pair, by)), "contrast_side")
        for by in (1.0, 0.5, -1.0)
    )
    assert half.share == pytest.approx(whole.share / 2, rel=0.1)
    assert reverse.correlation < -0.9
    assert "not shown to survive" in contrast_words(reverse)
    assert "\N{MINUS SIGN}" in contrast_words(reverse)


def test_without_a_difference_there_is_nothing_to_correlate(pair):
    score = score_contrast(SESSION, answer_of(rates_of(pair, 0.0)), "contrast_side")
    assert score.correlation is None
    assert score.interval is None
    assert contrast_words(score).endswith("the reconstruction shows no such difference.")


def test_a_difference_within_the_noise_of_trials_is_said_to_be_none():
    rng = np.random.default_rng(0)
    noise = replace(SESSION, counts=rng.poisson(0.5, SESSION.counts.shape).astype(np.uint8))
    found = [
        score_contrast(noise, answer_of(rng.normal(-1, 0.1, noise.counts.shape), noise), field)
        for field in available_contrasts(noise)
    ]
    none = [score for score in found if score.ceiling == 0]
    assert none
    assert none[0].share is None
    assert contrast_words(none[0]).endswith("no such difference beyond its noise.")


def test_sizes_are_not_compared_where_most_is_noise(pair):
    score = score_contrast(SESSION, answer_of(rates_of(pair, 1.0)), "contrast_side")
    assert "of its size, noise taken off" in contrast_words(score)
    noisy = replace(score, ceiling=0.4, share=None)
    assert "sizes cannot be compared" in contrast_words(noisy)


def test_too_few_trials_of_a_condition_are_no_score(pair):
    log_rate = rates_of(pair, 1.0)
    answer = answer_of(log_rate)
    few = replace(answer, is_done=np.isin(EVERY, np.r_[pair.first, pair.second[:4]]))
    assert score_contrast(SESSION, few, "contrast_side") is None


def test_the_interval_covers_what_a_new_set_of_trials_gives(pair):
    """Halves of the trials: the interval of one holds the other's correlation."""
    log_rate = rates_of(pair, 1.0)
    halves = []
    for start in (0, 1):
        rows = np.r_[pair.first[start::2], pair.second[start::2]]
        done = replace(answer_of(log_rate), is_done=np.isin(EVERY, rows))
        halves.append(score_contrast(SESSION, done, "contrast_side"))
    low, high = halves[0].interval
    assert low - 0.05 < halves[1].correlation < high + 0.05


def test_both_maps_have_one_scale(pair):
    answer = answer_of(rates_of(pair, 1.0))
    true, model = condition_means_hz(SESSION, answer, pair)
    how = {"bin_size_s": SESSION.bin_size_s, "sigma_bins": 2.0}
    true_z, model_z = (contrast_in_errors(maps, model, pair, **how) for maps in (true, model))
    assert true_z.shape == (SESSION.n_bins, SESSION.n_units)
    twice = contrast_in_errors((2 * true[0], 2 * true[1]), model, pair, **how)
    assert np.allclose(twice, 2 * true_z)
    assert np.corrcoef(true_z.ravel(), model_z.ravel())[0, 1] > 0.8
    assert set(CONTRASTS) >= set(available_contrasts(SESSION))
