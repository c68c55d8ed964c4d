from __future__ import annotations

import math

import pytest
import torch

from mtm_core.config_io import load_preset
from mtm_core.masking.masked_batch import prompt_index
from mtm_core.models.backend import probe_backend
from mtm_core.models.checkpoint import load_checkpoint
from mtm_core.models.tensor_file import open_tensors
from mtm_core.training.events import StepDone
from mtm_core.training.setup import prepare
from mtm_core.training.softening import ALIKE, FALLING, PROMPT, choose_softening
from tests.core.sessions import make_session
from tests.core.training.runs import assert_same_bits, run_all, run_until, tiny_config

SUBSETS = "inter_region region_subset"
FITTED = {
    "model__read_in": "components",
    "model__component_softening": "fitted",
    "model__output_bias": "psth",
    "masking__schemes": ["inter_region", "region_subset"],
}
ROW = prompt_index(PROMPT)


@pytest.fixture
def bench():
    """A model after its warm start, before its first step."""
    config = tiny_config(**{**FITTED, "model__component_softening": "fixed"})
    bench = prepare(config, [make_session(n_trials=80)], probe_backend("cpu", 1))
    bench.start(None)
    return bench


def score(bench) -> float:
    return sum(bench.validation.score(bench.model, SUBSETS.split()).values())


def softening(model) -> torch.Tensor:
    return model.part.read_in.log_softening[ROW].detach().exp()


def test_it_never_predicts_worse_than_the_usual_softening(bench):
    model, before = bench.model.member(), score(bench)
    choose_softening(model, bench.sessions[0].counts.all(), lambda: score(bench))
    assert score(bench) >= before


@pytest.mark.parametrize("wanted", range(len(ALIKE) + len(FALLING)))
def test_the_candidate_that_scores_best_is_taken(bench, wanted):
    model, calls = bench.model.member(), iter(range(100))
    counts = bench.sessions[0].counts.all()
    choose_softening(model, counts, lambda: float(next(calls) == wanted))
    found = softening(model)
    if wanted < len(ALIKE):
        assert torch.allclose(found, torch.full_like(found, ALIKE[wanted]))
    else:
        assert found.min() == pytest.approx(FALLING[wanted - len(ALIKE)], rel=1e-4)
        spread = model.part.read_in.spread(model.part.standardise(counts[:64].float()), ROW)
        assert torch.equal(found.argsort(descending=True)[:1], spread.argsort()[:1])


def test_other_prompts_keep_theirs(bench):
    model = bench.model.member()
    before = model.part.read_in.log_softening.detach().clone()
    choose_softening(
        model, bench.sessions[0].counts.all(), iter([0, 0, 1, 0, 0, 0, 0, 0]).__next__
    )
    after = model.part.read_in.log_softening
    others = [row for row in range(len(before)) if row != ROW]
    assert torch.equal(before[others], after[others])
    assert math.isclose(float(after[ROW, 0].detach().exp()), ALIKE[2], rel_tol=1e-5)


def test_bypassed_layers_go_back_to_the_chosen_softening(bench):
    model = bench.model.member()
    choose_softening(
        model, bench.sessions[0].counts.all(), iter([0, 0, 0, 1, 0, 0, 0, 0]).__next__
    )
    model.part.read_in.log_softening.data += 1.0
    model.bypass_layers(ROW)
    assert torch.allclose(softening(model), torch.tensor(ALIKE[3]))


def test_a_model_without_components_is_refused():
    bench = prepare(tiny_config(), [make_session()], probe_backend("cpu", 1))
    with pytest.raises(TypeError, match="components"):
        choose_softening(bench.model.member(), bench.sessions[0].counts.all(), float)


def test_a_resumed_run_with_fitted_softening_equals_an_uninterrupted_one(tmp_path):
    run_all(tiny_config(**FITTED), tmp_path / "whole")
    run_until(tiny_config(**FITTED), tmp_path / "run", 4, StepDone)
    run_all(tiny_config(**FITTED), tmp_path / "run", resume=True)
    assert_same_bits(tmp_path / "whole", tmp_path / "run")
    load_checkpoint(tmp_path / "run" / "model.safetensors")
    names = open_tensors(tmp_path / "run" / "model.safetensors").read()
    assert any(name.endswith("start_softening") for name in names)


def test_the_usual_models_have_no_such_state(tmp_path):
    config = tiny_config(**{**FITTED, "model__component_softening": "fixed"})
    run_all(config, tmp_path / "run")
    names = open_tensors(tmp_path / "run" / "model.safetensors").read()
    assert not any("start_softening" in name for name in names)


def test_the_preset_for_the_matrix_takes_it_with_region_subsets():
    config = load_preset("quick-subset")
    assert config.model.component_softening == "fitted"
    assert "region_subset" in config.masking.schemes
