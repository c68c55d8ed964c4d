from __future__ import annotations

import numpy as np
import pytest

from mtm_core.config import PreparationConfig
from mtm_core.data.trial_rules import choose_trials, fields_needed, reaction_time_s
from mtm_core.errors import DataError, MissingFieldError
from tests.core.data.raw_sessions import STIM_ON_S, make_trials

COVERED = np.array([[-np.inf, 0.0], [100.0, np.inf]])
NAN = np.nan


def choose(table, silence=COVERED, **settings):
    return choose_trials(table, PreparationConfig(**settings), silence)


def test_clean_trials_are_all_kept_and_aligned_to_the_stimulus():
    chosen = choose(make_trials())
    assert chosen.rows.tolist() == list(range(6))
    assert chosen.align_s.tolist() == STIM_ON_S.tolist()
    assert chosen.choice.dropped == ()


@pytest.mark.parametrize(
    ("align", "delay"),
    [("stim_on", 0.0), ("go_cue", 0.01), ("first_movement", 0.25), ("feedback", 0.5)],
)
def test_trials_can_be_aligned_to_each_event(align, delay):
    chosen = choose(make_trials(), align=align)
    np.testing.assert_allclose(chosen.align_s, STIM_ON_S + delay)


@pytest.mark.parametrize(
    ("reaction_s", "reason"),
    [(0.0799, "fast"), (0.0801, None), (1.9999, None), (2.0001, "slow"), (-0.1, "fast")],
)
def test_the_first_movement_comes_80_ms_to_2_s_after_the_stimulus(reaction_s, reason):
    movement = STIM_ON_S + 0.3
    movement[2] = STIM_ON_S[2] + reaction_s
    dropped = choose(make_trials(first_movement_s=movement)).choice.dropped
    assert dropped == (((reason, 1),) if reason else ())


@pytest.mark.parametrize("bound", [0.08, 2.0])
def test_both_bounds_of_the_reaction_time_are_allowed(bound):
    trials = make_trials(
        stim_on_s=[0.0],
        first_movement_s=[bound],
        feedback_s=[3],
        choice=[1],
        go_cue_s=None,
        contrast_left=None,
        contrast_right=None,
        feedback=[1],
        block=[0.5],
    )
    chosen = choose(trials, silence=np.array([[50.0, np.inf]]))
    assert len(chosen.rows) == 1


@pytest.mark.parametrize(
    "name", ["stim_on_s", "choice", "feedback_s", "block", "first_movement_s", "feedback"]
)
def test_a_trial_that_lacks_one_of_the_six_is_left_out(name):
    trials = make_trials()
    values = np.where(trials.column(name).is_valid, trials.values(name).astype(float), NAN)
    values[3] = NAN
    chosen = choose(make_trials(**{name: values}))
    assert chosen.rows.tolist() == [0, 1, 2, 4, 5]
    assert chosen.choice.dropped == (("missing events", 1),)


def test_a_column_outside_the_six_may_be_missing():
    chosen = choose(make_trials(contrast_left=[NAN] * 6, go_cue_s=[NAN] * 6))
    assert len(chosen.rows) == 6


def test_a_no_go_is_called_so_even_if_it_has_no_movement():
    trials = make_trials(
        choice=[0, 0, 1, -1, 1, -1],
        first_movement_s=np.where(np.arange(6) == 0, NAN, STIM_ON_S + 0.3),
    )
    assert choose(trials).choice.dropped == (("no-go", 2),)


def test_reasons_are_counted_once_each_trial_and_largest_first():
    movement = STIM_ON_S + np.array([3.0, 3.0, 3.0, 0.3, 0.3, 0.3])
    trials = make_trials(first_movement_s=movement, block=[0.5, 0.5, 0.5, NAN, NAN, 0.5])
    assert choose(trials).choice.dropped == (("slow", 3), ("missing events", 2))


def test_the_rule_by_event_asks_for_the_event_only():
    movement = STIM_ON_S + np.array([0.01, 5.0, NAN, 0.3, 0.3, 0.3])
    trials = make_trials(first_movement_s=movement, choice=[0, 0, 0, 1, 1, 1], block=None)
    assert len(choose(trials, trials="event").rows) == 6
    moved = choose(trials, trials="event", align="first_movement")
    assert moved.choice.dropped == (("without first movement", 1),)
    assert moved.rules[0] == "Trials: all that have first movement."


def test_windows_that_meet_silence_are_left_out_unless_it_does_not_matter():
    silence = np.array([[-np.inf, 0.0], [15.0, 16.5], [100.0, np.inf]])  # trial 1: 13.5 to 15.5
    chosen = choose(make_trials(), silence)
    assert chosen.rows.tolist() == [0, 2, 3, 4, 5]
    assert chosen.choice.dropped == (("not covered by the recording", 1),)
    assert len(choose(make_trials(), silence, drop_silence=False).rows) == 6


def test_columns_that_the_recording_never_had_are_not_asked_for_and_named():
    chosen = choose(make_trials(block=None, feedback=None))
    assert len(chosen.rows) == 6
    assert chosen.rules[0].endswith("without block, outcome, which this recording does not have.")


def test_without_choices_no_trial_is_a_no_go():
    assert len(choose(make_trials(choice=None)).rows) == 6


@pytest.mark.parametrize("name", ["stim_on_s", "first_movement_s"])
def test_without_reaction_times_the_rule_cannot_be_followed(name):
    with pytest.raises(MissingFieldError, match=name):
        choose(make_trials(**{name: None}), align="go_cue")


def test_nothing_left_is_said_with_every_reason():
    trials = make_trials(choice=[0] * 6)
    with pytest.raises(
        DataError, match=r"No trial is left of 6: 6 no-go. Loosen --prepare.trials"
    ):
        choose(trials)


def test_too_few_errors_are_refused_where_they_are_asked_for():
    assert len(choose(make_trials(), min_error_trials=2).rows) == 6
    with pytest.raises(DataError, match=r"Only 2 of the kept trials .* asks for 3"):
        choose(make_trials(), min_error_trials=3)


def test_what_the_rules_need_is_known_before():
    default = fields_needed(PreparationConfig(align="go_cue", min_error_trials=3))
    assert set(default) == {"go_cue_s", "stim_on_s", "first_movement_s", "feedback"}
    assert set(fields_needed(PreparationConfig(trials="event"))) == {"stim_on_s"}


def test_reaction_times_are_valid_where_both_events_are():
    seconds, is_valid = reaction_time_s(make_trials(first_movement_s=[10.3, *[NAN] * 5]))
    assert is_valid.tolist() == [True] + [False] * 5
    assert seconds[0] == pytest.approx(0.3)
    assert reaction_time_s(make_trials(first_movement_s=None)) is None
