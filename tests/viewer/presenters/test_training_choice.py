"""What can be chosen to train on."""

from __future__ import annotations

from typing import get_args

from mtm_core.config import SplitName
from mtm_viewer.presenters.session_list import SessionRow
from mtm_viewer.presenters.training_choice import (
    SPLITS,
    TrainingChoice,
    session_choices,
    time_words,
)
from mtm_viewer.presenters.training_plan import Speed
from tests.viewer.workspaces import make_small_workspace


def test_the_open_session_comes_first_and_only_once():
    workspace = make_small_workspace()
    rows = [
        SessionRow(source="small.h5", name="small"),
        SessionRow(source="other.h5", name="other", n_units=10, n_trials=50),
        SessionRow(source="bad.h5", name="bad", problem="It is damaged."),
        SessionRow(source="vague.h5", name="vague"),
    ]
    open_now, other, vague = session_choices(workspace, rows)
    assert open_now.shape.n_units == 24
    assert (other.name, other.shape.n_bins) == ("other", 10)
    assert vague.shape is None
    assert session_choices(None, rows) == ()
    known = TrainingChoice(preset="multi", sessions=(open_now, other))
    assert "a short measurement" in time_words(known, Speed())
    unknown = TrainingChoice(preset="multi", sessions=(open_now, vague))
    assert time_words(unknown, Speed()) == "Time known after its first steps."


def test_a_cross_fit_takes_as_long_as_its_models():
    (open_now,) = session_choices(make_small_workspace(n_trials=400), ())

    def seconds(folds):
        words = time_words(
            TrainingChoice(preset="quick", sessions=(open_now,), folds=folds), Speed(factor=50.0)
        )
        number = next(word for word in words.split() if word.isdigit())
        return float(number) * (60 if "min" in words else 1)

    assert 3 < seconds(5) / seconds(0) < 8
    lfads = TrainingChoice(preset="lfads-quick", sessions=(open_now,), folds=3)
    assert time_words(lfads, Speed()) == "Time known after its first steps."


def test_trials_can_be_divided_in_every_way_that_training_knows():
    assert set(SPLITS) == {"", *get_args(SplitName)}
