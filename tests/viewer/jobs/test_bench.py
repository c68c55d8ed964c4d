"""What is compared with answers through the same engine, after the model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mtm_core.masking import tasks
from mtm_core.masking.choice import Block, UnitChoice
from mtm_core.masking.spec import MaskSpec
from mtm_core.models.answers import AnswerMemory
from mtm_viewer.jobs import reconstruct_job
from mtm_viewer.jobs.bench import Bench
from mtm_viewer.jobs.reconstruct_job import ReconstructionJob, ReconstructionRequest
from mtm_viewer.presenters.compare_choice import CompareChoice
from mtm_viewer.presenters.raster_settings import RasterSettings
from mtm_viewer.state import Display
from tests.viewer.workspaces import make_small_workspace

WORKSPACE = make_small_workspace(n_trials=120)
SPEC = tasks.inter_region("CA1")
NONE = CompareChoice()


def ask(key, spec=SPEC, **changes):
    return ReconstructionRequest(
        workspace=WORKSPACE, spec=spec, compare=NONE.with_opponent(key), **changes
    )


def pictures(request, job=None, stop=lambda: False):
    return list((job or ReconstructionJob())(request, stop))


@pytest.mark.parametrize("key", ["prompt", "model:temporal.safetensors", "poisson_regression"])
def test_the_final_picture_compares_all_trials(monkeypatch, key):
    monkeypatch.setattr(reconstruct_job, "PAUSE_S", 0.0)
    *early, last = pictures(ask(key))
    assert last.is_final
    assert last.compared.is_exact
    assert last.compared.change.score.n_trials == len(WORKSPACE.test)
    assert last.raster.blink is not None
    assert last.raster.blink.title == f"{last.compared.name} (simulated)"
    assert early[0].compared.change is None  # the first picture does not wait


def test_a_baseline_that_takes_its_time_does_not_hold_the_model_up(monkeypatch):
    monkeypatch.setattr(reconstruct_job, "PAUSE_S", 60.0)
    found = pictures(ask("poisson_regression"))
    whole = [picture for picture in found if picture.is_exact]
    assert len(whole) >= 2
    assert whole[0].compared.change is None
    assert whole[-1].compared.change is not None


def test_a_mask_that_the_opponent_cannot_do_is_told_and_stops_nothing():
    middle = MaskSpec(blocks=(Block(UnitChoice.every(), (4, 6)),), prompt="neuron")
    last = pictures(ask("poisson_regression", middle))[-1]
    assert last.is_final
    assert "leaves too few" in last.compared.problem
    assert last.lines


def test_a_newer_request_stops_the_opponent():
    asked = []

    def stop():
        asked.append(True)
        return len(asked) > 14

    found = pictures(ask("poisson_regression"), stop=stop)
    assert found
    assert all(picture.compared.change is None for picture in found)


def test_contrast_and_gain_maps_come_with_the_rest():
    raster = RasterSettings(panels=("contrast_true", "contrast_model", "opponent_gain"))
    request = ask("prompt", display=Display(raster=raster))
    choice = replace(request.compare, contrast="contrast_side")
    last = pictures(replace(request, compare=choice))[-1]
    assert [panel.message for panel in last.raster.panels] == ["", "", ""]
    assert last.compared.contrast.field == "contrast_side"


def test_models_and_fits_are_kept_between_requests():
    bench = Bench(WORKSPACE, AnswerMemory())
    untold = NONE.with_opponent("prompt")
    assert bench.contender(untold, "cpu").bound is bench.contender(untold, "cpu").bound
    own = bench.reconstructor(WORKSPACE.model, "cpu")
    assert bench.contender(untold, "cpu").bound is not own
    drift = NONE.with_opponent("drift")
    assert bench.contender(drift, "cpu").baselines is bench.contender(drift, "cpu").baselines
    temporal = NONE.with_opponent("model:temporal.safetensors")
    assert bench.contender(temporal, "cpu").bound is bench.reconstructor(
        WORKSPACE.models[1], "cpu"
    )
    assert bench.contender(NONE, "cpu") is None
    assert bench.contender(NONE.with_opponent("model:gone"), "cpu") is None
    other = bench.moved_to(replace(WORKSPACE, test=WORKSPACE.test[:-1]))
    assert other.contender(drift, "cpu").baselines is bench.contender(drift, "cpu").baselines
    bare = Bench(make_small_workspace(has_models=False), AnswerMemory())
    assert bare.contender(drift, "cpu") is None


def test_the_untold_model_answers_otherwise_than_the_told_one():
    last = pictures(ask("prompt"))[-1]
    assert np.abs(last.compared.change.units.change).max() > 0
