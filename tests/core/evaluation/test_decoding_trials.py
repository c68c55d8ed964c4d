from __future__ import annotations

import numpy as np
import pytest

from mtm_core.config import DataConfig
from mtm_core.errors import DataError
from mtm_core.evaluation.decoding_targets import find_target
from mtm_core.evaluation.decoding_trials import (
    N_FOLDS,
    choose_decoding_trials,
    make_folds,
    overlaps,
    window_groups,
)
from tests.core.evaluation.behaving import make_behaving_session, with_trials

ROWS = np.arange(0, 80, 2)


def folds_of(split: str, groups: np.ndarray | None = None, **more):
    groups = np.arange(len(ROWS)) if groups is None else groups
    config = DataConfig(split=split, **more)
    return make_folds(ROWS, groups, config, np.random.default_rng(0))


def choose(session, target="choice", fit=None, test=None, split="random"):
    n = session.n_trials
    fit = np.arange(0, n - n // 4) if fit is None else fit
    test = np.arange(n - n // 4, n) if test is None else test
    rng = np.random.default_rng(0)
    config = DataConfig(split=split)
    return choose_decoding_trials(session, find_target(session, target), fit, test, config, rng)


@pytest.mark.parametrize("split", ["random", "interleaved", "blocked"])
def test_every_trial_is_checked_once_and_never_fitted_to_then(split):
    folds = folds_of(split)
    assert len(folds) == N_FOLDS
    np.testing.assert_array_equal(np.sort(np.concatenate([check for _, check in folds])), ROWS)
    for fit, check in folds:
        assert not set(fit) & set(check)
        assert len(check) == len(ROWS) // N_FOLDS


def test_folds_of_a_blocked_split_are_contiguous_and_have_gaps():
    for fit, check in folds_of("blocked", split_gap=4):
        np.testing.assert_array_equal(np.diff(check), 2)
        assert np.abs(fit[:, None] - check).min() > 4


def test_folds_of_an_interleaved_split_are_dealt_out():
    for _, check in folds_of("interleaved"):
        np.testing.assert_array_equal(np.diff(check), 2 * N_FOLDS)


def test_folds_of_a_random_split_are_mixed_in_time():
    assert any((np.diff(check) != 2).any() for _, check in folds_of("random"))


@pytest.mark.parametrize("split", ["random", "interleaved", "blocked"])
def test_a_group_is_never_torn_apart(split):
    groups = np.arange(len(ROWS)) // 3
    group_of = dict(zip(ROWS.tolist(), groups.tolist(), strict=True))
    for fit, check in folds_of(split, groups):
        assert not {group_of[row] for row in fit.tolist()} & {
            group_of[row] for row in check.tolist()
        }


def test_too_few_groups_for_the_folds_are_refused():
    with pytest.raises(DataError, match="3 groups of overlapping windows"):
        folds_of("random", np.arange(len(ROWS)) % 3)


def test_windows_that_overlap_are_found():
    session = make_behaving_session(n_trials=8)  # windows of 0.12 s
    align = np.array([0.0, 0.12, 0.2, 0.31, 1.0, 1.05, 2.0, 3.0])
    session = with_trials(session, align_s=align)
    rows = np.arange(8)
    # 0.0 and 0.12 only touch; 0.12, 0.2 and 0.31 form a chain.
    assert window_groups(session, rows).tolist() == [0, 1, 1, 1, 2, 2, 3, 4]
    assert overlaps(session, rows[:5], rows[5:]).tolist() == [False] * 4 + [True]


def test_groups_do_not_depend_on_the_order_of_rows():
    session = with_trials(
        make_behaving_session(n_trials=4), align_s=np.array([3.0, 0.0, 3.1, 9.0])
    )
    groups = window_groups(session, np.arange(4))
    assert groups[0] == groups[2]
    assert len(set(groups.tolist())) == 3


def test_trials_that_overlap_a_test_trial_are_not_fitted_to():
    session = make_behaving_session(n_trials=80)
    align = session.trials.values("align_s").copy()
    align[59] = align[60] - 0.05  # row 60 is the first test trial
    chosen = choose(with_trials(session, align_s=align))
    assert chosen.n_overlapping == 1
    assert 59 not in chosen.fit
    assert 60 in chosen.test


def test_trials_without_the_target_are_left_out():
    session = make_behaving_session(n_trials=80)
    choice = session.trials.values("choice").copy()
    choice[[3, 70]] = 0
    chosen = choose(with_trials(session, choice=choice))
    assert 3 not in chosen.fit
    assert 70 not in chosen.test


def test_too_few_trials_are_refused():
    session = make_behaving_session(n_trials=80)
    with pytest.raises(DataError, match="there are 10 trials to fit it to, and at least 16"):
        choose(session, fit=np.arange(10))
    with pytest.raises(DataError, match="there are 2 trials to test it on"):
        choose(session, test=np.arange(78, 80))


@pytest.mark.parametrize(
    ("rows", "said"), [(slice(0, 60), "to fit to"), (slice(60, 80), "to test")]
)
def test_a_single_class_is_refused(rows, said):
    session = make_behaving_session(n_trials=80)
    choice = session.trials.values("choice").copy()
    choice[rows] = 1
    with pytest.raises(DataError, match=f"{said} 0 are 'right'"):
        choose(with_trials(session, choice=choice))


def test_blocks_that_fill_whole_folds_are_refused():
    session = make_behaving_session(n_trials=80)
    row = np.arange(80)
    label = np.where((row < 15) | ((row >= 60) & (row % 2 == 0)), -1, 1)
    with pytest.raises(DataError, match="with one class alone"):
        choose(with_trials(session, choice=label), split="blocked")


def test_a_signal_that_never_changes_is_refused():
    session = make_behaving_session(n_trials=80)
    session.behaviors["wheel_speed"].values[:] = 3
    with pytest.raises(DataError, match="Wheel speed cannot be decoded: it never changes"):
        choose(session, "wheel_speed")
