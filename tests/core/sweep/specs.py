"""A small real sweep for tests: a narrow model on a short simulated session."""

from __future__ import annotations

from pathlib import Path

from mtm_core import config_io
from mtm_core.config import OptimConfig, RunConfig, TrainConfig
from mtm_core.data.session_file import write_session
from mtm_core.sweep.spec import SweepSpec, read_spec
from tests.core.checkpoints import SMALL_MODEL
from tests.core.sessions import make_session

CONFIG = TrainConfig(
    model=SMALL_MODEL,
    optim=OptimConfig(steps=4, batch_size=4),
    run=RunConfig(device="cpu", matmul="default", validate_every=2, checkpoint_every=1),
)
SEARCH = "optim.lr = { low = 1e-4, high = 1e-1, log = true }\nmodel.layers = [1, 2]"


def write_spec(
    folder: Path, sweep: str = "", search: str = SEARCH, fixed: str = "", slurm: str = ""
) -> Path:
    """Write a session, a preset and a spec into a folder; return the path of the spec."""
    if not (folder / "small.h5").exists():
        write_session(make_session(n_trials=30, n_units=15), folder / "small.h5")
        (folder / "small.toml").write_text(config_io.to_toml(CONFIG), encoding="utf-8")
    path = folder / "spec.toml"
    base = {"preset": folder / "small.toml", "sessions": folder / "small.h5"}
    lines = [f'{name} = "{value.as_posix()}"' for name, value in base.items()]
    given = [line for line in lines if line.split(" =")[0] not in sweep]
    sections = {"sweep": "\n".join([*given, sweep]), "fixed": fixed, "search": search}
    sections["slurm"] = slurm
    text = "\n".join(f"[{name}]\n{body}" for name, body in sections.items())
    path.write_text(text, encoding="utf-8")
    return path


def make_spec(folder: Path, sweep: str = "", **sections: str) -> SweepSpec:
    """Write a spec and read it."""
    return read_spec(write_spec(folder, sweep, **sections))
