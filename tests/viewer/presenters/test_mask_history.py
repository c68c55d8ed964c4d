"""Steps survive being written; nonsense is no history."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from mtm_core.masking import tasks
from mtm_core.masking.recipes import RecipeSettings
from mtm_viewer.presenters import mask_history
from mtm_viewer.presenters.mask_choice import MaskChoice
from mtm_viewer.presenters.mask_history import (
    HistoryStep,
    MaskHistory,
    history_to_dict,
    history_words,
    read_history,
)

CA1 = MaskChoice(region="CA1", spec=tasks.inter_region("CA1"))
DG = MaskChoice(region="DG", others=("CA1",), spec=tasks.inter_region("DG"), prompt="neuron")
FORWARD = MaskChoice(
    recipe="forward_prediction",
    spec=tasks.forward_prediction(10),
    settings=RecipeSettings(last_bins=3, score_rule="good"),
)
NOTHING = MaskChoice(recipe="custom")
STEPS = (
    HistoryStep(text="Inter-region DG", before=CA1, after=DG),
    HistoryStep(text="Forward prediction", before=DG, after=FORWARD),
    HistoryStep(text="show everything", before=FORWARD, after=NOTHING),
)
HISTORY = MaskHistory(steps=STEPS, n_done=2)


def again(history: MaskHistory) -> MaskHistory:
    return read_history(json.loads(json.dumps(history_to_dict(history))))


@pytest.mark.parametrize("n_done", [0, 1, 3])
def test_what_was_written_comes_back(n_done):
    history = replace(HISTORY, n_done=n_done)
    assert again(history) == history
    assert len(history_to_dict(history)["masks"]) == 4
    assert history.mask == (CA1, DG, FORWARD, NOTHING)[n_done]


def test_without_steps_there_is_no_mask():
    assert again(MaskHistory()) == MaskHistory()
    assert MaskHistory().mask is None


def test_the_oldest_steps_are_left_out(monkeypatch):
    monkeypatch.setattr(mask_history, "MOST_STEPS", 2)
    assert again(HISTORY) == MaskHistory(steps=STEPS[1:], n_done=1)
    assert again(replace(HISTORY, n_done=0)) == MaskHistory()


def test_masks_that_are_too_long_are_left_out_with_all_before_them(monkeypatch):
    sizes = [len(json.dumps(mask)) for mask in history_to_dict(HISTORY)["masks"]]
    monkeypatch.setattr(mask_history, "MOST_LETTERS", sum(sizes[:3]))
    assert again(HISTORY) == MaskHistory(steps=STEPS[1:], n_done=1)
    monkeypatch.setattr(mask_history, "MOST_LETTERS", 10)
    assert again(HISTORY) == MaskHistory()


def value(**changes: object) -> dict[str, object]:
    return history_to_dict(HISTORY) | changes


@pytest.mark.parametrize(
    "nonsense",
    [
        None,
        [],
        {},
        value(n_done=4),
        value(n_done=-1),
        value(n_done=True),
        value(steps={}),
        value(n_done=0, steps=[["a", 0, 1]] * 101),
        value(n_done=0, steps=[["a", 0, 99]]),
        value(n_done=0, steps=[["a", -1, 0]]),
        value(n_done=0, steps=[[5, 0, 0]]),
        value(n_done=0, steps=[["a" * 301, 0, 0]]),
        value(n_done=0, steps=[["a", 0]]),
        value(n_done=0, steps=["abc"]),
        value(masks=3),
        value(masks=[{}]),
        value(masks=[{"spec": {"schema": "other"}}]),
    ],
    ids=str,
)
def test_nonsense_is_no_history(nonsense):
    assert read_history(nonsense) == MaskHistory()


@pytest.mark.parametrize(
    ("n_done", "words"),
    [
        (3, "3 steps can be undone."),
        (0, "3 steps can be done again."),
        (2, "2 steps can be undone and 1 step can be done again."),
    ],
)
def test_steps_are_counted_in_words(n_done, words):
    assert history_words(replace(HISTORY, n_done=n_done)) == words
