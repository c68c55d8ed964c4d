"""What learning must do whatever the architecture: memorise, resume, stay finite, forget padding.

Every architecture is trained here from the preset that is its quickest, made small.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from mtm_core import config_io
from mtm_core.config import TrainConfig
from mtm_core.masking.masked_batch import MaskedBatch
from mtm_core.models.backend import probe_backend
from mtm_core.models.checkpoint import load_checkpoint
from mtm_core.models.losses import poisson_loss
from mtm_core.models.manifest_file import read_manifest
from mtm_core.training import step as step_module
from mtm_core.training.events import StepDone
from mtm_core.training.loop import train
from mtm_core.training.optim import clip_gradients
from mtm_core.training.randomness import mask_generator
from mtm_core.training.setup import prepare
from mtm_core.training.workbench import Workbench
from tests.core.sessions import make_session
from tests.core.training.runs import assert_same_bits, tiny_session

RUN = {
    "optim.batch_size": "8",
    "run.device": "cpu",
    "run.threads": "1",
    "run.matmul": "default",
}
TRANSFORMER = {"model.width": "16", "model.heads": "2", "model.mlp_width": "16"}
PATCHES = {**TRANSFORMER, "model.token_units": "10"}
RECURRENT = {
    "model.input_width": "16",
    "model.encoder_width": "12",
    "model.generator_width": "16",
    "model.controller_width": "12",
    "model.factors": "12",
}
ARCHITECTURES = {
    "ndt1": ("quick-temporal", TRANSFORMER),
    "ndt1, unit embeddings": ("multi", TRANSFORMER),
    "ndt1, unit embeddings from features alone": ("multi-unit", TRANSFORMER),
    "ndt2": ("ndt2-quick", PATCHES),
    "ndt2, regions": ("ndt2-quick", {**PATCHES, "model.region_embedding": "true"}),
    "lfads": ("lfads-quick", RECURRENT),
    "lfads, coordinated dropout": (
        "lfads-quick",
        {
            **RECURRENT,
            "model.controller": "false",
            "model.prompt": "none",
            "masking.schemes": "coordinated_dropout",
        },
    ),
}


def config_of(architecture: str, **changes: str) -> TrainConfig:
    """Return small settings; write ``optim__steps="9"`` for ``--optim.steps 9``."""
    preset, small = ARCHITECTURES[architecture]
    typed = {key.replace("__", "."): value for key, value in changes.items()}
    overrides: Sequence[tuple[str, str | list[str]]] = [*{**RUN, **small, **typed}.items()]
    return config_io.apply_overrides(config_io.load_preset(preset), overrides)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_resumed_run_ends_in_the_same_bits(architecture: str, tmp_path: Path) -> None:
    config = config_of(
        architecture, optim__steps="5", run__validate_every="2", run__checkpoint_every="2"
    )
    for _ in train(config, [tiny_session()], tmp_path / "whole"):
        pass
    events = train(config, [tiny_session()], tmp_path / "parts")
    for event in events:
        if isinstance(event, StepDone) and event.step == 3:
            break
    events.close()
    for _ in train(config, [tiny_session()], tmp_path / "parts", resume=True):
        pass
    assert_same_bits(tmp_path / "whole", tmp_path / "parts")


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_one_batch_can_be_memorised(architecture: str) -> None:
    wide = {"model__dropout": "0", "model__unit_dropout": "0", "model__output_bias": "mean"}
    if architecture.startswith("lfads"):
        wide |= dict.fromkeys(("model__generator_width", "model__input_width"), "48")
        wide |= {"model__encoder_width": "48", "model__factors": "32"}
        wide |= {"model__kl_initial": "0", "model__kl_inputs": "0"}
    else:
        wide |= {"model__width": "64", "model__mlp_width": "128", "model__embedding_dropout": "0"}
    config = config_of(
        architecture, optim__lr="0.01", optim__weight_decay="0", optim__steps="1", **wide
    )
    bench = prepare(config, [tiny_session()], probe_backend("cpu", 1))
    (only,) = bench.sessions
    batch = only.sampler.draw(only.counts.take(slice(4)).float(), mask_generator(0, 0))
    model = bench.model.eval()  # latent variables at their means
    lowest = float(poisson_loss(batch.targets.clamp(min=1e-9).log(), batch))
    flat = model.member().part.offset.expand_as(batch.targets)
    start = float(poisson_loss(flat, batch))
    assert start - lowest > 0.1
    assert _learn(bench, batch, lowest + 0.05 * (start - lowest))


def _learn(bench: Workbench, batch: MaskedBatch, goal: float) -> bool:
    """Make steps on one batch until its loss falls below a goal; give up after many."""
    for _ in range(600):
        loss = poisson_loss(bench.model(batch), batch)
        if float(loss.detach()) < goal:
            return True
        loss.backward()
        clip_gradients(bench.parameters, 1.0)
        bench.optimizer.step()
        bench.optimizer.zero_grad()
    return False


@pytest.mark.parametrize("seed", ["0", "1", "2"])
@pytest.mark.parametrize("architecture", ["ndt2", "lfads", "lfads, coordinated dropout"])
def test_training_stays_finite(architecture: str, seed: str, tmp_path: Path) -> None:
    config = config_of(architecture, optim__steps="40", run__validate_every="40", run__seed=seed)
    assert config.optim.clip_norm is not None
    events = list(train(config, [tiny_session()], tmp_path / "run"))
    steps = [event for event in events if isinstance(event, StepDone)]
    assert len(steps) == 40
    assert all(math.isfinite(step.loss) and math.isfinite(step.grad_norm) for step in steps)


@pytest.mark.parametrize("architecture", ["ndt2", "lfads"])
def test_two_sessions_are_learnt_over_one_trunk(architecture: str, tmp_path: Path) -> None:
    sessions = [make_session(n_units=24), make_session(n_units=18, seed=1)]
    config = config_of(
        architecture,
        optim__steps="60",
        run__validate_every="60",
        optim__lr="0.01",
        model__output_bias="mean",
    )
    for _ in train(config, sessions, tmp_path / "run"):
        pass
    path = tmp_path / "run" / "model.safetensors"
    assert read_manifest(path).scores["mean"] > 0.01
    one, two = (load_checkpoint(path, session_id=session.session_id).model for session in sessions)
    assert one.part.offset.shape[1] == 24
    assert two.part.offset.shape[1] == 18
    states = one.trunk.state_dict(), two.trunk.state_dict()
    assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def test_a_penalty_weighs_the_same_against_a_sum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes in nats per scored entry: the summed loss takes it once for each of them."""
    n_scored = []

    def nothing(log_rate: torch.Tensor, batch: MaskedBatch, _: str) -> torch.Tensor:
        n_scored.append(int(batch.is_scored.sum()))
        return 0.0 * log_rate.sum()

    monkeypatch.setattr(step_module, "poisson_loss", nothing)
    first = []
    for loss in ("mean", "sum"):
        config = config_of("lfads", optim__loss=loss, optim__steps="1", model__kl_warmup="0")
        events = train(config, [tiny_session()], tmp_path / loss)
        first += [event.loss for event in events if isinstance(event, StepDone)]
    assert n_scored[0] == n_scored[1]
    assert first[1] == pytest.approx(n_scored[0] * first[0], rel=1e-5)
    assert first[0] > 0
