"""Curves of training from its events."""

from __future__ import annotations

import numpy as np

from mtm_core.training.events import RunFinished, RunStarted, StepDone, ValidationDone, Warned
from mtm_viewer.presenters.training_curve import MOST_POINTS, TrainingCurve, curve_words


def started(n_steps: int = 10) -> RunStarted:
    return RunStarted(
        step=0, n_steps=n_steps, n_parameters=5, n_train=8, n_val=2, backend="cpu", notes=("A",)
    )


def step(number: int, loss: float, n_steps: int = 10) -> StepDone:
    return StepDone(
        step=number, n_steps=n_steps, loss=loss, lr=0.1, grad_norm=1, seconds=1, seconds_left=30
    )


def checked(number: int, bps: float, *, is_best: bool) -> ValidationDone:
    return ValidationDone(step=number, bps=bps, scores={"neuron": 2 * bps}, is_best=is_best)


def test_curves_grow_with_the_events():
    curve = TrainingCurve()
    assert curve.share is None
    assert curve.words() == "reading the session and fitting the start"
    curve.take([started(), checked(0, 0.1, is_best=True), step(1, 3.0), step(2, 1.0)])
    curve.take([checked(2, 0.3, is_best=True), step(3, 2.0), checked(3, 0.2, is_best=False)])
    curve.take([Warned(step=3, text="B")])
    shown = curve.drawable()
    assert (shown.step.tolist(), shown.loss.tolist()) == ([1, 2, 3], [3, 1, 2])
    assert shown.validation["mean"][1].tolist() == [0.1, 0.3, 0.2]
    assert shown.validation["neuron"][0].tolist() == [0, 2, 3]
    assert (shown.best_step, shown.best_bps) == (2, 0.3)
    assert (curve.share, curve.words()) == (0.3, "step 3 of 10, 30 s left")
    assert curve.warnings == ["A", "B"]
    assert "0.300 bits per spike, at step 2" in curve_words(shown)


def test_a_finished_run_has_no_time_left():
    curve = TrainingCurve()
    end = RunFinished(step=10, best_step=2, bps=0.3, seconds=9.0, path="m")
    curve.take([started(), step(10, 1.0), end])
    assert curve.words() == "step 10 of 10"
    assert curve.finished == end


def test_long_runs_are_drawn_as_means_that_drop_no_step():
    n = 3 * MOST_POINTS + 1
    curve = TrainingCurve()
    curve.take(step(k, float(k), n) for k in range(1, n + 1))
    shown = curve.drawable()
    assert shown.pooled == 4
    assert len(shown.step) <= MOST_POINTS
    sizes = np.diff([*range(0, n, 4), n])
    assert np.isclose((shown.loss * sizes).sum(), n * (n + 1) / 2)


def test_an_empty_run_can_be_drawn():
    shown = TrainingCurve().drawable()
    assert len(shown.step) == len(shown.smooth) == 0
    assert curve_words(shown) == "No step has been made yet."


def test_the_folds_of_a_cross_fit_are_told_apart():
    curve = TrainingCurve()
    curve.take([started(), checked(0, 0.3, is_best=True), checked(5, 0.2, is_best=False)])
    curve.take([checked(5, 0.1, is_best=True), step(6, 1.0), checked(10, 0.15, is_best=True)])
    shown = curve.drawable()
    np.testing.assert_array_equal(shown.validation["mean"][1], [0.3, 0.2, np.nan, 0.1, 0.15])
    np.testing.assert_array_equal(shown.validation["neuron"][0], [0, 5, np.nan, 5, 10])
    assert (shown.fold, shown.best_step) == (2, 10)
    assert "Best validation of fold 2 0.150" in curve_words(shown)


def test_a_validation_that_is_told_again_begins_no_fold():
    curve = TrainingCurve()
    curve.take([checked(5, 0.2, is_best=True), checked(5, 0.2, is_best=False)])
    assert curve.drawable().fold == 1


def test_before_the_first_validation_no_best_is_told():
    curve = TrainingCurve()
    curve.take([started(), step(1, 2.0)])
    words = curve_words(curve.drawable())
    assert "2 now" in words
    assert "Best" not in words
