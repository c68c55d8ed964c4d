"""Untrained checkpoints for tests: small models whose weights are far from their start."""

from __future__ import annotations

from pathlib import Path

import torch

from mtm_core.config import TrainConfig
from mtm_core.config_model import Ndt1Config
from mtm_core.data.session import Session
from mtm_core.data.splits import split_trials
from mtm_core.models.backend import Backend
from mtm_core.models.build import build_model
from mtm_core.models.checkpoint import Checkpoint, save_checkpoint
from mtm_core.models.family import family_state
from mtm_core.models.manifest import describe_session, describe_training
from mtm_core.models.read_out import PromptReadOut
from mtm_core.models.session_part import SessionFacts
from mtm_core.models.unit_features import describe_units

SMALL_MODEL = Ndt1Config(width=16, layers=2, heads=2, mlp_width=16)


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
    counts = torch.from_numpy(session.counts[split.train]).float()
    psth = counts.mean(dim=0)
    trials = session.trials.take(split.train)
    units = describe_units(session.units, trials, counts, psth, session.bin_size_s)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        model = build_model(config.model, SessionFacts(psth=psth, units=units))
        for parameter in model.parameters():
            parameter.data += noise * torch.randn_like(parameter)
        read_out = getattr(model.part, "read_out", None)
        if isinstance(read_out, PromptReadOut):  # fitted, not trained: no parameter
            read_out.weight += noise * torch.randn_like(read_out.weight)
    backend = Backend(
        device="cpu", threads=1, matmul="default", processor="test", torch_version="test"
    )
    record = describe_session(session, session, split)
    manifest = describe_training(config, (record,), session, backend)
    return Checkpoint(model=model.eval(), manifest=manifest, path=Path("untrained.safetensors"))


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint of one session as a run would."""
    state = family_state(checkpoint.model, checkpoint.manifest.session_id)
    save_checkpoint(path, state, checkpoint.manifest)
