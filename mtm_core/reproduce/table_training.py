"""The model of one cell of a table: trained, fine-tuned, or trained for as long as another."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from filelock import FileLock

from mtm_core import config_io
from mtm_core.config import TrainConfig
from mtm_core.data.session import Session
from mtm_core.data.session_file import read_session
from mtm_core.errors import DataError
from mtm_core.models.checkpoint import Checkpoint, load_checkpoint
from mtm_core.reproduce.table_plan import TableCell, TablePlan
from mtm_core.reproduce.variants import EVERY, Variant
from mtm_core.training.events import StepDone
from mtm_core.training.finetune import finetune, finetune_config
from mtm_core.training.loop import train
from mtm_core.training.pretrained import Pretrained
from mtm_core.training.run_folder import RunFolder


@dataclass(frozen=True, eq=False, kw_only=True)
class Trained:
    """A trained model and how long that took."""

    checkpoint: Checkpoint
    seconds: float
    n_steps: int
    pretrained_on: tuple[str, ...] = ()


def train_cell(
    plan: TablePlan, cell: TableCell, config: TrainConfig, session: Session, *, device: str
) -> Trained:
    """Train the model of a cell, or go on with a run that was cut short.

    Parameters
    ----------
    plan : TablePlan
        The table.
    cell : TableCell
        One with a variant.
    config : TrainConfig
        Its settings.
    session : Session
        As read from its file.
    device : str
        Where the model is loaded to in the end.
    """
    folder = RunFolder(plan.run_of(cell))
    variant = plan.variant(cell.variant or "")
    seconds = plan.seconds_of(cell)
    if seconds is not None:
        config = for_as_long(config, session, folder, seconds)
    if not variant.n_pretrain:
        for _ in train(config, [session], folder.path, resume=True, session_paths=[cell.path]):
            pass
        return _trained(folder, device, session)
    chosen = choose_pool(plan.pool, session, variant.n_pretrain)
    first = pretrain(plan, variant, config, chosen)
    pretrained = Pretrained.read(first.model_path, zero_shot=variant.zero_shot)
    settings = finetune_config(
        pretrained.manifest, session, plan.finetune_changes(variant), zero_shot=variant.zero_shot
    )
    run = finetune(pretrained, settings, session, folder.path, resume=True, session_path=cell.path)
    for _ in run:
        pass
    trained = _trained(folder, device, session)
    return replace(
        trained,
        seconds=trained.seconds + _seconds(first),
        n_steps=trained.n_steps + _steps(first),
        pretrained_on=tuple(path.stem for path in chosen),
    )


def pretrain(
    plan: TablePlan, variant: Variant, config: TrainConfig, chosen: Sequence[Path]
) -> RunFolder:
    """Train on many sessions, or take the run of another cell that trains on the same.

    A process that comes while another one trains waits for it.
    """
    steps = config.optim.steps
    if not variant.preset and steps is not None:
        config = replace(config, optim=replace(config.optim, steps=steps * variant.n_pretrain))
    names = [path.stem for path in chosen]
    key = hashlib.sha256(json.dumps([config_io.to_dict(config), names]).encode()).hexdigest()[:12]
    folder = RunFolder(plan.out / "runs" / f"pretrain-{key}")
    folder.path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.path.with_suffix(".lock")):
        sessions = [read_session(path) for path in chosen]
        paths = [str(path) for path in chosen]
        for _ in train(config, sessions, folder.path, resume=True, session_paths=paths):
            pass
    return folder


N_PROBE_STEPS = 12
"""Steps that tell how long one takes."""


def for_as_long(
    config: TrainConfig, session: Session, folder: RunFolder, seconds: float
) -> TrainConfig:
    """Return settings with as many steps as fit into a time on this machine, now.

    A run that was begun keeps its number of steps. Else a few steps are made in a folder beside
    it, which is deleted: its start and its median step tell.

    Parameters
    ----------
    config : TrainConfig
        The settings; their number of steps is replaced.
    session : Session
        What to train on.
    folder : RunFolder
        Where the run will be, or is.
    seconds : float
        The time, from the fitted start to the last validation.
    """
    if folder.holds_run():
        return replace(config, optim=replace(config.optim, steps=folder.read_config().optim.steps))
    probe = folder.path.with_name(f"{folder.path.name}.probe")
    shutil.rmtree(probe, ignore_errors=True)
    short = replace(config, optim=replace(config.optim, steps=N_PROBE_STEPS))
    times = [e.seconds for e in train(short, [session], probe) if isinstance(e, StepDone)]
    shutil.rmtree(probe, ignore_errors=True)
    n_steps = steps_that_fit(times, config.run.validate_every, seconds)
    return replace(config, optim=replace(config.optim, steps=n_steps))


def steps_that_fit(times: Sequence[float], validate_every: int, seconds: float) -> int:
    """Return how many steps fit into a time, by the times at which a few were done.

    Parameters
    ----------
    times : sequence of float
        Seconds since the start of the run; the last step ended with a validation.
    validate_every : int
        Steps between validations of the run to come.
    seconds : float
        The time.

    Examples
    --------
    A start of 9 s, steps of 1 s, a validation of 4 s every two steps:

    >>> steps_that_fit([10, 11, 12, 17], 2, 40)
    10
    """
    step_s = float(np.median(np.diff(times[:-1])))
    start_s = times[0] - step_s
    validation_s = max(times[-1] - times[-2] - step_s, 0.0)
    return max(int((seconds - start_s) / (step_s + validation_s / validate_every)), 1)


def choose_pool(pool: Sequence[Path], session: Session, n_pretrain: int) -> list[Path]:
    """Return the first sessions of the pool that are of other animals, or every one of them.

    Raises
    ------
    DataError
        If there are too few.
    """
    found: list[Path] = []
    for path in pool:
        if n_pretrain != EVERY and len(found) == n_pretrain:
            break
        other = read_session(path)
        is_same_animal = (
            session.provenance.subject is not None
            and other.provenance.subject == session.provenance.subject
        )
        if other.session_id != session.session_id and not is_same_animal:
            found.append(path)
    needed = max(n_pretrain, 1)
    if len(found) < needed:
        msg = (
            f"Only {len(found)} of the sessions to train on are of other animals than "
            f"{session.session_id}, and {needed} are needed. Name more with --pool."
        )
        raise DataError(msg)
    return found


def _trained(folder: RunFolder, device: str, session: Session) -> Trained:
    return Trained(
        checkpoint=load_checkpoint(folder.model_path, device, session.session_id),
        seconds=_seconds(folder),
        n_steps=_steps(folder),
    )


def _seconds(folder: RunFolder) -> float:
    return max(float(getattr(event, "seconds", 0.0)) for event in folder.events.read())


def _steps(folder: RunFolder) -> int:
    return max(int(getattr(event, "step", 0)) for event in folder.events.read())
