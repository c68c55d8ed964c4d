"""Tiny training runs for tests: a second or less each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from mtm_core import config_io
from mtm_core.config import TrainConfig
from mtm_core.data.session import Session
from mtm_core.models.tensor_file import open_tensors
from mtm_core.training.events import Event
from mtm_core.training.loop import train
from mtm_core.training.run_folder import RunFolder
from tests.core.sessions import make_session

TINY = {
    "model.width": "16",
    "model.layers": "1",
    "model.heads": "2",
    "model.mlp_width": "16",
    "optim.batch_size": "8",
    "optim.steps": "6",
    "run.validate_every": "2",
    "run.checkpoint_every": "3",
    "run.device": "cpu",
    "run.threads": "1",
    "run.matmul": "default",
}


def tiny_config(**changes: str) -> TrainConfig:
    """Return settings of a tiny run; write ``optim__steps="9"`` for ``--optim.steps 9``."""
    typed = {key.replace("__", "."): value for key, value in changes.items()}
    return config_io.apply_overrides(TrainConfig(), list({**TINY, **typed}.items()))


def tiny_session() -> Session:
    """Return a session of 24 units in three regions."""
    return make_session()


def run_all(config: TrainConfig, run_dir: Path, *, resume: bool = False) -> list[Event]:
    """Train to the end on the tiny session."""
    return list(train(config, [tiny_session()], run_dir, resume=resume))


def run_until(config: TrainConfig, run_dir: Path, step: int, kind: type[Event]) -> None:
    """Train until an event of a step has been seen, then stop iterating."""
    events = train(config, [tiny_session()], run_dir)
    for event in events:
        if isinstance(event, kind) and event.step == step:
            break
    events.close()


def saved_tensors(run_dir: Path) -> dict[str, Tensor]:
    """Read every tensor that a run has saved."""
    folder = RunFolder(run_dir)
    paths = {"model": folder.model_path, "state": folder.states.paths()[0]}
    return {
        f"{kind}:{name}": tensor
        for kind, path in paths.items()
        for name, tensor in open_tensors(path).read().items()
    }


def assert_same_bits(first: Path, second: Path) -> None:
    """Check that two runs saved the same tensors, bit for bit."""
    one, other = saved_tensors(first), saved_tensors(second)
    assert one.keys() == other.keys()
    different = [name for name in one if not torch.equal(one[name], other[name])]
    assert different == []


def of_kind(events: Sequence[Event], kind: type[Event]) -> list[Event]:
    """Return the events of a kind."""
    return [event for event in events if isinstance(event, kind)]
