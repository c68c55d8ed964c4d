"""What stands above the curves."""

from __future__ import annotations

from mtm_core.training.events import StepDone
from mtm_viewer.presenters.run_head import live_head
from mtm_viewer.presenters.training_curve import TrainingCurve


def head(curve: TrainingCurve, *, is_stopping: bool = False):
    return live_head("quick on s17", curve, seconds=31.0, n_waiting=2, is_stopping=is_stopping)


def test_before_the_first_step_the_time_so_far_is_told():
    shown = head(TrainingCurve())
    assert shown.detail == (
        "Reading the session and fitting the start, 30 s so far   (2 more waiting)"
    )
    assert shown.share is None


def test_then_how_far_it_is_and_what_can_be_done():
    curve = TrainingCurve()
    curve.take(
        [
            StepDone(
                step=1, n_steps=4, loss=1.0, lr=0.1, grad_norm=1.0, seconds=1.0, seconds_left=60.0
            )
        ]
    )
    assert head(curve).detail.startswith("Step 1 of 4, 1 min left")
    assert (head(curve).can_pause, head(curve, is_stopping=True).can_pause) == (True, False)
    assert head(curve, is_stopping=True).detail.startswith("Saving a checkpoint")
