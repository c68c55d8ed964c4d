from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, balanced_accuracy_score, r2_score

from mtm_core.evaluation.decoding_scores import (
    class_scores,
    score_classes,
    score_signal,
    signal_errors,
    signal_scores,
)


def test_class_scores_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    is_true, is_said = rng.random((2, 50)) < np.array([[0.3], [0.4]])
    accuracy, balanced = class_scores(is_true, is_said)
    assert accuracy == pytest.approx(accuracy_score(is_true, is_said))
    assert balanced == pytest.approx(balanced_accuracy_score(is_true, is_said))


def test_balanced_accuracy_of_one_class_is_not_known():
    accuracy, balanced = class_scores(np.ones(4, dtype=bool), np.array([True, True, True, False]))
    assert accuracy == 0.75
    assert np.isnan(balanced)


def test_r2_is_that_of_scikit_learn_over_all_bins():
    rng = np.random.default_rng(0)
    signal = 5 + np.cumsum(rng.normal(size=(30, 8)), axis=1)
    said = signal + rng.normal(size=(30, 8))
    average = signal.mean(axis=0) + 0.1
    r2, beyond = signal_scores(signal_errors(signal, said, average))
    assert r2 == pytest.approx(r2_score(signal.ravel(), said.ravel()))
    residual = ((signal - said) ** 2).sum() / ((signal - average) ** 2).sum()
    assert beyond == pytest.approx(1 - residual)


def test_the_average_trace_has_nothing_beyond_itself():
    signal = np.random.default_rng(0).normal(size=(30, 8)) + np.arange(8)
    average = signal.mean(axis=0)
    errors = signal_errors(signal, np.broadcast_to(average, signal.shape), average)
    scores = score_signal(errors, np.random.default_rng(0))
    assert scores["r2_beyond_average"].value == 0
    assert scores["r2"].value > 0.7


def test_intervals_hold_the_score_and_narrow_with_trials():
    rng = np.random.default_rng(0)
    widths = []
    for n in (40, 640):
        is_true = np.arange(n) % 2 == 0
        is_said = is_true ^ (np.arange(n) % 10 < 2)
        score = score_classes(is_true, is_said, rng)["accuracy"]
        low, high = score.interval
        assert score.value == pytest.approx(0.8)
        assert low < 0.8 < high
        widths.append(high - low)
    # The standard error of a share of 0.8 falls with the root of the number of trials.
    assert widths[0] / widths[1] == pytest.approx(4, rel=0.25)
    assert widths[1] == pytest.approx(2 * 1.96 * np.sqrt(0.8 * 0.2 / 640), rel=0.15)


def test_samples_are_of_trials_not_of_bins():
    # One trial holds all the error: samples without it are perfect, samples with it are not.
    signal = np.tile(np.arange(8.0), (20, 1))
    signal[0] += 10
    said = np.tile(np.arange(8.0), (20, 1))
    low, high = score_signal(signal_errors(signal, said, np.zeros(8)), np.random.default_rng(0))[
        "r2"
    ].interval
    assert high == 1
    assert low < 0.5
