"""What can be trained, and how long it takes."""

from __future__ import annotations

import pytest

from mtm_core.config_io import load_preset
from mtm_core.resources import list_presets
from mtm_viewer.presenters.training_plan import Shape, Speed, estimate_s, preset_choices

S17 = Shape(n_trials=224, n_bins=40, n_units=565)


def seconds(preset: str, *shapes: Shape, speed: float = 1.0) -> float:
    return estimate_s(load_preset(preset), shapes or [S17], Speed(factor=speed))


def test_every_preset_is_offered_with_what_it_is_for_the_quick_one_first():
    choices = preset_choices()
    assert {choice.name for choice in choices} == set(list_presets())
    assert choices[0].name == "quick"
    assert all(choice.what_for for choice in choices)
    takes_many = {choice.name for choice in choices if choice.takes_many}
    assert {"multi", "paper-ndt1-mtm"} <= takes_many
    assert not {"quick", "recommended"} & takes_many


def test_quick_takes_about_a_minute_at_most_on_a_bundled_session():
    assert 15 < seconds("quick") < 60


@pytest.mark.parametrize("name", ["n_trials", "n_bins", "n_units"])
def test_more_data_takes_longer(name):
    larger = Shape(**{**vars(S17), name: 2 * getattr(S17, name)})
    assert seconds("quick", larger) > seconds("quick")


def test_a_slower_machine_takes_longer_and_more_steps_do():
    assert seconds("quick", speed=3.0) > 2 * seconds("quick")
    assert seconds("multi", S17, S17) > seconds("quick")
    assert seconds("recommended") > seconds("quick")


@pytest.mark.parametrize("preset", ["lfads-quick", "ndt2-quick"])
def test_no_time_is_claimed_where_none_was_measured(preset):
    assert estimate_s(load_preset(preset), [S17], Speed()) is None


@pytest.mark.parametrize(
    ("n_runs", "said"), [(0, "a short measurement"), (1, "your last run"), (3, "your last 3 runs")]
)
def test_an_estimate_says_where_it_comes_from(n_runs, said):
    assert said in Speed(n_runs=n_runs).words
