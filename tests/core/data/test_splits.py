from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtm_core.config import DataConfig
from mtm_core.data.binning import rebin
from mtm_core.data.splits import default_training_trials, split_rows, split_trials
from mtm_core.errors import ConfigError
from tests.core.sessions import make_session

WAYS = ("random", "interleaved", "blocked")


def _parts(split):
    return (split.train, split.val, split.test, split.dropped)


@pytest.mark.parametrize("way", WAYS)
@settings(deadline=None, derandomize=True)
@given(n_trials=st.integers(60, 500), seed=st.integers(0, 5))
def test_every_trial_is_in_exactly_one_part(way, n_trials, seed):
    split = split_rows(n_trials, "a", DataConfig(split=way, split_seed=seed))
    together = np.concatenate(_parts(split))
    assert np.array_equal(np.sort(together), np.arange(n_trials))
    assert len(split.test) == round(0.2 * n_trials)
    assert len(split.val) == round(0.1 * n_trials)
    assert way == "blocked" or len(split.dropped) == 0
    assert all(np.array_equal(part, np.sort(part)) for part in _parts(split))


@pytest.mark.parametrize("way", WAYS)
def test_a_split_is_fixed_by_session_id_and_seed(way):
    def test_rows(session_id: str, seed: int):
        config = DataConfig(split=way, split_seed=seed)
        return split_rows(300, session_id, config).test.tolist()

    assert test_rows("a", 0) == test_rows("a", 0)
    assert test_rows("a", 0) != test_rows("b", 0)
    assert test_rows("a", 0) != test_rows("a", 1)


def test_the_random_split_is_the_same_on_every_machine():
    split = split_rows(20, "steinmetz2019", DataConfig())
    assert split.test.tolist() == [5, 6, 13, 17]
    assert split.val.tolist() == [3, 14]


def test_a_session_is_split_alike_after_its_bins_were_joined():
    session = make_session(n_trials=50)
    before, after = (split_trials(s, DataConfig()) for s in (session, rebin(session, 2)))
    assert before.test.tolist() == after.test.tolist()


def test_interleaved_test_trials_are_evenly_spread():
    split = split_rows(100, "a", DataConfig(split="interleaved"))
    assert set(np.diff(split.test).tolist()) == {5}
    assert np.diff(split.val).max() <= 13


def _runs(rows):
    """Lengths of the stretches of neighbouring rows."""
    edges = np.flatnonzero(np.diff(rows) > 1) + 1
    return [len(run) for run in np.split(rows, edges)]


@settings(deadline=None, derandomize=True)
@given(
    n_trials=st.integers(200, 500),
    seed=st.integers(0, 50),
    n_blocks=st.integers(1, 5),
    gap=st.integers(0, 4),
)
def test_blocks_are_contiguous_spread_and_kept_apart(n_trials, seed, n_blocks, gap):
    config = DataConfig(split="blocked", split_seed=seed, split_blocks=n_blocks, split_gap=gap)
    split = split_rows(n_trials, "a", config)
    part = np.empty(n_trials, dtype=int)
    for label, rows in enumerate(_parts(split)):
        part[rows] = label
    for rows, share in ((split.test, 0.2), (split.val, 0.1)):
        lengths = _runs(rows)
        assert len(lengths) == n_blocks or gap == 0
        assert max(lengths) <= share * n_trials / n_blocks + 2 or gap == 0
    kept = np.flatnonzero(part < 3)
    changes = np.flatnonzero(np.diff(part[kept]) != 0)
    assert all(kept[i + 1] - kept[i] > gap for i in changes)
    stretch = split.test // (n_trials / n_blocks)
    assert set(stretch.astype(int).tolist()) == set(range(n_blocks))
    assert len(split.dropped) <= 3 * gap * n_blocks


def test_a_blocked_split_says_which_trials_it_dropped():
    split = split_rows(300, "a", DataConfig(split="blocked", split_blocks=4, split_gap=3))
    assert 0 < len(split.dropped) <= 36
    assert len(split.train) == 300 - 60 - 30 - len(split.dropped)


@pytest.mark.parametrize(
    ("n_trials", "config", "sentence"),
    [
        (2, DataConfig(test_fraction=0.1), "2 trials .* zero validation trials"),
        (6, DataConfig(val_fraction=0.2, test_fraction=0.05), "6 trials .* zero test trials"),
        (1, DataConfig(val_fraction=0.3, test_fraction=0.6), "1 trials .* zero train trials"),
    ],
)
def test_a_part_without_trials_is_refused(n_trials, config, sentence):
    with pytest.raises(ConfigError, match=sentence):
        split_rows(n_trials, "a", config)


def test_blocks_that_do_not_fit_are_refused():
    config = DataConfig(split="blocked", split_blocks=5, split_gap=8)
    with pytest.raises(ConfigError, match=r"5 blocks with gaps of 8 trials .* 100 trials"):
        split_rows(100, "a", config)


def test_no_more_blocks_are_made_than_there_are_trials_for():
    split = split_rows(40, "a", DataConfig(split="blocked", split_blocks=9, split_gap=0))
    assert len(split.val) == 4
    assert len(split.test) == 8


def test_default_training_trials_are_those_of_the_default_split() -> None:
    session = make_session(n_trials=50)
    rows = default_training_trials(session)
    assert rows.tolist() == split_trials(session, DataConfig()).train.tolist()


def test_a_session_too_short_to_split_gives_all_its_trials() -> None:
    assert default_training_trials(make_session(n_trials=2)).tolist() == [0, 1]


@pytest.mark.parametrize("way", ["random", "interleaved", "blocked"])
def test_fewer_training_trials_are_among_more_of_them(way):
    """A few-shot curve adds trials; validation and test trials stay what they are."""
    every = split_rows(100, "a", DataConfig(split=way))
    before: set[int] = set()
    for n in (1, 5, 20, len(every.train)):
        split = split_rows(100, "a", DataConfig(split=way, train_trials=n))
        assert len(split.train) == n
        assert before <= set(split.train.tolist()) <= set(every.train.tolist())
        assert np.array_equal(split.val, every.val)
        assert np.array_equal(split.test, every.test)
        parts = (split.train, split.val, split.test, split.dropped)
        assert sorted(np.concatenate(parts).tolist()) == list(range(100))
        before = set(split.train.tolist())
    assert before == set(every.train.tolist())


def test_which_training_trials_are_kept_is_a_matter_of_seed_and_session():
    def kept(session_id, seed=0):
        config = DataConfig(split="interleaved", split_seed=seed, train_trials=10)
        return split_rows(100, session_id, config).train.tolist()

    assert kept("a") == kept("a")
    assert kept("a") != kept("b")
    assert kept("a") != kept("a", seed=1)


def test_more_training_trials_than_there_are_is_refused():
    with pytest.raises(ConfigError, match=r"is 71, but there are only 70.*nearest valid .* 70"):
        split_rows(100, "a", DataConfig(train_trials=71))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("n_trials", [60, 97, 340])
def test_folds_test_every_trial_once_and_learn_from_others(way, n_trials):
    folds = [
        split_rows(n_trials, "a", DataConfig(split=way, folds=4, fold=fold, split_gap=2))
        for fold in (1, 2, 3, 4)
    ]
    tested = np.sort(np.concatenate([fold.test for fold in folds]))
    assert tested.tolist() == list(range(n_trials))
    for fold in folds:
        together = np.sort(np.concatenate(_parts(fold)))
        assert together.tolist() == list(range(n_trials))
        assert len(fold.val) == round(0.1 * n_trials)
        assert abs(len(fold.test) - n_trials / 4) < 1
        assert (len(fold.dropped) > 0) == (way == "blocked")
    if way == "blocked":
        for fold in folds:
            assert np.array_equal(np.diff(fold.test), np.ones(len(fold.test) - 1))
            near = np.abs(np.subtract.outer(fold.train, np.r_[fold.test, fold.val]))
            assert near.min() > 2


def test_folds_of_one_seed_belong_together_and_others_do_not():
    def test_part(**settings):
        return split_rows(100, "a", DataConfig(folds=5, **settings)).test.tolist()

    assert not set(test_part(fold=1)) & set(test_part(fold=2))
    assert test_part(fold=1) != test_part(fold=1, split_seed=1)


def test_folds_that_do_not_fit_are_refused():
    config = DataConfig(split="blocked", folds=2, split_gap=20)
    with pytest.raises(ConfigError, match="2 blocks with gaps of 20"):
        split_rows(50, "a", config)
    with pytest.raises(ConfigError, match="zero validation trials"):
        split_rows(3, "a", DataConfig(folds=3))
