"""Small workspaces for tests: a simulated session with untrained models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from mtm_core.config import MaskingConfig, TrainConfig
from mtm_core.data.session import Session
from mtm_core.data.session_file import write_session
from mtm_viewer.presenters.workspace import LoadedModel, Workspace, make_workspace
from tests.core.checkpoints import SMALL_MODEL, make_checkpoint, write_checkpoint
from tests.core.sessions import make_session

MTM = TrainConfig(model=SMALL_MODEL)
TEMPORAL = TrainConfig(
    model=replace(SMALL_MODEL, prompt="none"), masking=MaskingConfig(schemes=("temporal",))
)


def make_model(session: Session, config: TrainConfig = MTM, name: str = "mtm") -> LoadedModel:
    """Build an untrained model for a session."""
    checkpoint = make_checkpoint(session, config)
    return LoadedModel(checkpoint=replace(checkpoint, path=Path(f"{name}.safetensors")))


def make_small_workspace(*, has_models: bool = True, **session_settings: object) -> Workspace:
    """Build a workspace of a session of 24 units in CA1, DG and VISp (8 each)."""
    session = make_session(**session_settings)
    if not has_models:
        return make_workspace(session, Path("small.h5"))
    models = (make_model(session), make_model(session, TEMPORAL, "temporal"))
    return make_workspace(session, Path("small.h5"), models)


def write_files(folder: Path, session: Session) -> tuple[Path, Path, Path]:
    """Write a session, an MtM checkpoint and a temporal one; return their paths."""
    path = folder / "small.h5"
    write_session(session, path)
    checkpoints = []
    for name, config in (("mtm", MTM), ("temporal", TEMPORAL)):
        checkpoint = make_checkpoint(session, config)
        checkpoints.append(folder / f"{name}.safetensors")
        write_checkpoint(checkpoints[-1], checkpoint)
    return path, checkpoints[0], checkpoints[1]
