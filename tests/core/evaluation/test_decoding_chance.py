from __future__ import annotations

import numpy as np
import pytest

from mtm_core.data.table import Column
from mtm_core.evaluation.decoding_chance import (
    BLOCK_MAX,
    BLOCK_MIN,
    MIN_SHIFT,
    compare,
    draw_blocks,
    draw_targets,
    method_words,
)
from mtm_core.evaluation.decoding_targets import find_target
from tests.core.evaluation.behaving import make_behaving_session, with_trials


def run_lengths(values: np.ndarray) -> list[int]:
    edges = np.flatnonzero(np.diff(values)) + 1
    return np.diff([0, *edges, len(values)]).tolist()


def test_blocks_are_drawn_as_the_task_draws_them():
    rng = np.random.default_rng(0)
    sessions = [draw_blocks(1000, rng) for _ in range(100)]
    inner = [n for blocks in sessions for n in run_lengths(blocks)[1:-1]]
    assert all((blocks[:90] == 0.5).all() for blocks in sessions)
    assert BLOCK_MIN <= min(inner) < 24
    assert 95 < max(inner) <= BLOCK_MAX
    # The mean of an exponential of scale 60, kept between 20 and 100.
    low, high = np.exp(-20 / 60), np.exp(-100 / 60)
    mean = 60 + (20 * low - 100 * high) / (low - high)
    assert np.mean(inner) == pytest.approx(mean, abs=2.0)
    for blocks in sessions:
        biased = blocks[90:]
        edges = np.flatnonzero(np.diff(biased))
        assert (biased[edges] + biased[edges + 1] == pytest.approx(1.0)) if len(edges) else True
    first = [blocks[90] for blocks in sessions]
    assert 25 < np.sum(np.isclose(first, 0.8)) < 75


def test_pseudo_sessions_follow_the_place_of_a_trial_in_the_recording():
    session = make_behaving_session(n_trials=40)
    trial_id = np.arange(40) * 10 + 100  # one of ten trials was kept
    target = find_target(with_trials(session, trial_id=trial_id), "block")
    drawn = draw_targets(
        with_trials(session, trial_id=trial_id), target, 200, np.random.default_rng(0)
    )
    assert drawn.shape == (200, 40)
    assert set(np.unique(drawn)) == {0, 1}
    runs = [n for labels in drawn for n in run_lengths(labels[target.is_valid])[1:-1]]
    assert 2 <= min(runs) <= max(runs) <= 10
    assert (drawn[:, ~target.is_valid] == 0).all()


def test_circular_shifts_keep_the_order_and_move_far_enough():
    session = make_behaving_session(n_trials=30)
    choice = session.trials.values("choice").astype(np.int64).copy()
    choice[[4, 9]] = 0
    session = with_trials(session, choice=choice)
    target = find_target(session, "choice")
    drawn = draw_targets(session, target, 1000, np.random.default_rng(0))
    real = target.values[target.is_valid]
    n = len(real)
    expected = {tuple(np.roll(real, k)) for k in range(MIN_SHIFT, n - MIN_SHIFT + 1)}
    assert len(drawn) == n - 2 * MIN_SHIFT + 1
    assert {tuple(row) for row in drawn[:, target.is_valid]} == expected
    assert (drawn[:, ~target.is_valid] == 0).all()


def test_shifts_follow_the_order_of_trials_not_of_rows():
    session = make_behaving_session(n_trials=30)
    target = find_target(session, "choice")
    order = np.random.default_rng(1).permutation(30)
    shuffled = session.take_trials(order)
    there = draw_targets(session, target, 5, np.random.default_rng(0))
    here = draw_targets(shuffled, find_target(shuffled, "choice"), 5, np.random.default_rng(0))
    np.testing.assert_array_equal(here, there[:, order])


def test_whole_traces_of_a_signal_are_shifted():
    session = make_behaving_session(n_trials=30)
    target = find_target(session, "wheel_speed")
    drawn = draw_targets(session, target, 3, np.random.default_rng(0))
    assert drawn.shape == (3, 30, 12)
    assert {tuple(row) for row in drawn[0]} == {tuple(row) for row in target.values}


def test_a_session_too_short_to_shift_has_no_chance():
    session = make_behaving_session(n_trials=9)
    drawn = draw_targets(session, find_target(session, "reward"), 5, np.random.default_rng(0))
    assert len(drawn) == 0
    assert compare(0.5, np.zeros(0)) is None


def test_p_counts_draws_that_are_as_good():
    chance = compare(0.9, np.linspace(0.0, 0.99, 100))
    assert chance is not None
    assert chance.p == pytest.approx(11 / 101)
    assert chance.mean == pytest.approx(0.495)
    assert chance.interval == pytest.approx((0.02475, 0.96525))


def test_the_method_is_named():
    session = make_behaving_session(n_trials=30)
    assert "pseudo-sessions" in method_words(find_target(session, "block"))
    assert "shifts of the labels" in method_words(find_target(session, "choice"))
    assert "trials of the signal" in method_words(find_target(session, "wheel_speed"))


def test_absent_blocks_stay_absent():
    session = make_behaving_session(n_trials=30)
    block = session.trials.column("block")
    is_valid = block.is_valid & (np.arange(30) != 20)
    session = with_trials(session, block=Column(block.values, is_valid))
    assert find_target(session, "block").is_valid.sum() == 19
