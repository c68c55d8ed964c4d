"""What can be compared follows from session and models; what cannot is dropped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from mtm_core.config import DataConfig, TrainConfig
from mtm_core.evaluation.opponents import Opponent
from mtm_core.models.baselines_masked import BASELINES
from mtm_viewer.presenters.compare_choice import (
    CompareChoice,
    contrast_entries,
    left_out_words,
    opponent_entries,
)
from mtm_viewer.presenters.workspace import LoadedModel, make_workspace
from tests.core.checkpoints import SMALL_MODEL, make_checkpoint
from tests.core.sessions import make_session
from tests.viewer.workspaces import make_model, make_small_workspace

WORKSPACE = make_small_workspace()
OTHER_SPLIT = TrainConfig(model=SMALL_MODEL, data=DataConfig(split_seed=9))


def test_models_of_the_same_units_and_trials_can_be_compared():
    session = make_session()
    other = LoadedModel(
        checkpoint=replace(make_checkpoint(session, seed=2), path=Path("b/model.safetensors"))
    )
    models = (make_model(session), other, make_model(session, OTHER_SPLIT, "elsewhere"))
    workspace = make_workspace(session, Path("s.h5"), models)
    entries = opponent_entries(workspace)
    assert entries["model:b/model.safetensors"] == "MtM (b)"
    assert not [key for key in entries if "elsewhere" in key]
    assert set(BASELINES) < set(entries)
    choice = CompareChoice().with_opponent("model:b/model.safetensors")
    assert choice.model_in(workspace) is other
    assert choice.name_in(workspace) == "MtM (b)"


def test_models_that_cannot_be_compared_are_named_with_the_reason():
    session = make_session()
    models = (make_model(session), make_model(session, OTHER_SPLIT, "small-simulated-elsewhere"))
    words = left_out_words(make_workspace(session, Path("small.h5"), models))
    assert words.startswith("MtM (elsewhere) is not among them.")
    assert "do not share their test trials" in words
    assert left_out_words(WORKSPACE) == ""
    assert left_out_words(make_small_workspace(has_models=False)) == ""


def test_without_a_model_there_is_nothing_to_compare():
    assert opponent_entries(make_small_workspace(has_models=False)) == {"": "Nothing"}


def test_the_temporal_baseline_knows_no_prompt_to_be_left_out():
    assert "prompt" in opponent_entries(WORKSPACE)
    assert "prompt" not in opponent_entries(replace(WORKSPACE, shown=1))


@pytest.mark.parametrize(
    ("key", "name"),
    [
        ("", ""),
        ("prompt", "MtM (mtm) without prompt"),
        ("model:temporal.safetensors", "Temporal baseline (temporal)"),
        ("poisson_regression", "Poisson regression"),
    ],
)
def test_every_entry_is_a_choice_and_back(key, name):
    choice = CompareChoice(contrast="choice").with_opponent(key)
    assert choice.key == key
    assert choice.contrast == "choice"
    assert choice.name_in(WORKSPACE) == name
    assert choice.within(WORKSPACE) == choice
    assert (choice.model_in(WORKSPACE) is None) == (key in ("", "poisson_regression"))


def test_what_is_not_there_is_left_out():
    gone = CompareChoice(
        opponent=Opponent(kind="model"), checkpoint="gone.safetensors", contrast="block"
    )
    assert gone.model_in(WORKSPACE) is None
    assert gone.within(WORKSPACE) == CompareChoice()


def test_contrasts_are_those_of_the_session():
    assert list(contrast_entries(WORKSPACE)) == ["", "choice", "contrast_side", "feedback"]
    assert contrast_entries(WORKSPACE)["choice"].startswith("Choice (left")
