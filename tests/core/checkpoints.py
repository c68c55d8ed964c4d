"""Untrained checkpoints for tests: small models whose weights are far from their start."""

from __future__ import annotations

from pathlib import Path

import torch

from mtm_core.config import ModelConfig, TrainConfig
from mtm_core.data.session import Session
from mtm_core.data.splits import split_trials
from mtm_core.models.backend import Backend
from mtm_core.models.build import build_model
from mtm_core.models.checkpoint import Checkpoint
from mtm_core.models.manifest import describe_training
from mtm_core.models.read_out import PromptReadOut

SMALL_MODEL = ModelConfig(width=16, layers=2, heads=2, mlp_width=16)


def make_checkpoint(
    session: Session, config: TrainConfig | None = None, *, seed: int = 0, noise: float = 0.2
) -> Checkpoint:
    """Build a model for a session, in evaluation mode, with a manifest but without training.

    Parameters
    ----------
    session : Session
        The recording; bins are used as they are.
    config : TrainConfig or None
        Settings; by default a small model.
    seed : int
        Same seed, same weights.
    noise : float
        Added to every weight, so that inputs matter although nothing was learnt.
    """
    config = config or TrainConfig(model=SMALL_MODEL)
    split = split_trials(session, config.data)
    psth = torch.from_numpy(session.counts[split.train].mean(axis=0)).float()
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        model = build_model(config.model, psth)
        for parameter in model.parameters():
            parameter.data += noise * torch.randn_like(parameter)
        if isinstance(model.read_out, PromptReadOut):  # fitted, not trained: no parameter
            model.read_out.weight += noise * torch.randn_like(model.read_out.weight)
    backend = Backend(
        device="cpu", threads=1, matmul="default", processor="test", torch_version="test"
    )
    manifest = describe_training(config, session, session, split, backend)
    return Checkpoint(model=model.eval(), manifest=manifest, path=Path("untrained.safetensors"))
