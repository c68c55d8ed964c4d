"""On a simulated session whose regions share nothing but what they send, the matrix finds it."""

from __future__ import annotations

import pytest

from mtm_core.config_io import apply_overrides, load_preparation, load_preset
from mtm_core.data.preparation import prepare
from mtm_core.data.simulated import simulate
from mtm_core.evaluation.coupling_recovery import recover_coupling
from mtm_core.evaluation.region_matrix import RegionMatrix
from mtm_core.evaluation.region_matrix_plan import MatrixSettings
from mtm_core.inference import Reconstructor
from mtm_core.models.answers import AnswerMemory
from mtm_core.models.checkpoint import load_checkpoint
from mtm_core.simulation_presets import load_simulation
from mtm_core.training.loop import train

pytestmark = pytest.mark.slow
WORLD = {
    "trials": "200",
    "good_units": "240",
    "other_units": "0",
    "median_rate_hz": "5",
    "private_gain": "1",
    # No common cause: neither task nor shared fluctuations nor drift.
    "task_gain": "0",
    "shared_gain": "0",
    "drift_gain": "0",
}
REGIONS = ["VISa5", "CA1", "LP", "MOs5", "CP", "PO"]
CHANGES = [("optim.steps", "30"), ("run.validate_every", "30")]
SCHEMES = ("masking.schemes", ["inter_region", "region_subset"])


@pytest.fixture(scope="module")
def world():
    typed = [(f"simulate.{name}", value) for name, value in WORLD.items()]
    return simulate(load_simulation("ibl-small", [("simulate.regions", REGIONS), *typed]), seed=0)


@pytest.fixture(scope="module")
def report(world, tmp_path_factory):
    """Train a model for it, and fill the matrix but for the regression's ceilings."""
    session = prepare(world.raw, load_preparation("default"))
    folder = tmp_path_factory.mktemp("recovery") / "run"
    config = apply_overrides(load_preset("quick-subset"), [*CHANGES, SCHEMES])
    for _ in train(config, [session], folder):
        pass
    checkpoint = load_checkpoint(folder / "model.safetensors")
    bound = Reconstructor(checkpoint, session, memory=AnswerMemory(max_bytes=0))
    matrix = RegionMatrix(bound, MatrixSettings(min_units=5, n_draws=3))
    for progress in matrix.fill():
        if (progress.step.source, progress.step.kind) == ("regression", "ceiling"):
            break
    return matrix.report()


@pytest.mark.parametrize("source", ["model", "regression"])
def test_coupled_pairs_stand_out(report, world, source):
    values, is_known = report.grid(source)
    assert is_known.sum() == 30
    found = recover_coupling(values, report.regions, world.truth, "given")
    assert found.pairs.rho > 0.6
    assert found.pairs.p < 0.01


def test_the_asymmetry_does_not_say_who_sends(report, world):
    """What a region sends is better read from the receiver than the receiver from it."""
    found = recover_coupling(report.grid()[0], report.regions, world.truth, "given")
    assert found.asymmetry.rho < 0.2


def test_a_model_of_region_subsets_wears_no_badge(report):
    assert report.untrained_reasons == ()
