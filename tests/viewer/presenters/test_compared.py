"""The numbers and maps of a comparison are those of the core, on the trials both answered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_core.evaluation.contrast import score_contrast
from mtm_core.evaluation.rasters import gain_in_errors
from mtm_core.inference import Reconstructor
from mtm_core.masking import tasks
from mtm_viewer.presenters.compare_choice import CompareChoice
from mtm_viewer.presenters.compared import compare_answers, compared_maps
from mtm_viewer.presenters.raster_settings import RasterSettings
from mtm_viewer.presenters.score_lines import fit_rivals, scored_trials
from tests.viewer.workspaces import make_small_workspace

WORKSPACE = make_small_workspace(n_trials=160)
SESSION = WORKSPACE.session
SPEC = tasks.inter_region("CA1")
CHOICE = CompareChoice(contrast="contrast_side").with_opponent("model:temporal.safetensors")
ALL = RasterSettings(sigma_s=0.0, panels=("opponent_difference", "opponent_gain", "contrast_true"))


@pytest.fixture(scope="module")
def answers():
    def answer(model, spec):
        bound = Reconstructor(model.checkpoint, WORKSPACE.recording)
        return bound.complete(spec, WORKSPACE.test)

    return answer(WORKSPACE.models[0], SPEC), answer(WORKSPACE.models[1], SPEC.with_prompt("none"))


def compare(model, opponent, choice=CHOICE):
    trials = scored_trials(WORKSPACE)
    rivals = fit_rivals(WORKSPACE)
    loaded = WORKSPACE.models[0]
    return compare_answers(choice, "other", trials, rivals, (loaded, model, opponent))


def test_the_numbers_are_those_of_the_core(answers):
    compared = compare(*answers)
    assert compared.is_exact
    assert (compared.change.score.name, compared.change.score.other) == ("MtM (mtm)", "other")
    assert compared.change.score.n_trials == len(WORKSPACE.test)
    assert compared.contrast == score_contrast(SESSION, answers[0], "contrast_side")


def test_before_all_is_answered_there_is_no_contrast_and_nothing_is_exact(answers):
    model, opponent = answers
    some = np.arange(len(model.trials)) < 12
    part = replace(model, is_done=some, is_exact=some)
    compared = compare(part, opponent)
    assert not compared.is_exact
    assert compared.contrast is None
    assert compared.change.score.n_trials == 12
    assert compare(model, None).change is None
    assert compare(model, None).is_exact


def test_maps_average_the_trials_of_the_model_in_whatever_order(answers):
    model, opponent = answers
    some = np.arange(len(model.trials)) < 12
    part = replace(model, is_done=some)
    turned = replace(
        opponent, trials=opponent.trials[::-1].copy(), log_rate=opponent.log_rate[::-1].copy()
    )
    maps = compared_maps(SESSION, part, turned, ALL, CHOICE, "other")
    expected = np.exp(opponent.log_rate[:12]).mean(axis=0) / SESSION.bin_size_s
    assert np.allclose(maps.opponent_hz, expected)
    gain = gain_in_errors(
        SESSION.counts[model.trials[:12]], model.log_rate[:12], opponent.log_rate[:12], 0.0
    )
    assert np.allclose(maps.signed["opponent_gain"], gain)
    difference = maps.signed["opponent_difference"]
    own = part.trial_average_hz()
    assert (np.sign(difference) == np.sign(own - expected)).mean() > 0.99
    fewer = replace(turned, is_done=np.arange(len(model.trials)) < 3)
    assert compared_maps(SESSION, part, fewer, ALL, CHOICE, "other").opponent_hz is None


def test_contrasts_are_drawn_where_they_are_shown_and_trials_suffice(answers):
    model, _ = answers
    maps = compared_maps(SESSION, model, None, ALL, CHOICE, "other")
    assert set(maps.signed) == {"contrast_true", "contrast_model"}
    assert maps.opponent_hz is None
    assert maps.titles["opponent"] == "other"
    assert maps.titles["contrast_true"] == "True: side L \N{MINUS SIGN} R"
    few = replace(model, is_done=np.arange(len(model.trials)) < 4)
    assert not compared_maps(SESSION, few, None, ALL, CHOICE, "").signed
    plain = compared_maps(SESSION, model, None, RasterSettings(), CompareChoice(), "")
    assert not plain.signed
    assert not plain.titles
