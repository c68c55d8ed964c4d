"""Looking through runs off the GUI thread, and measuring how fast this machine is."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import median

import numpy as np
import psutil
from threadpoolctl import threadpool_limits

from mtm_core.errors import MtmError
from mtm_core.models.manifest import Manifest
from mtm_core.models.manifest_file import read_manifest
from mtm_core.training.crossfit import fold_folder
from mtm_core.training.event_log import EventTail
from mtm_core.training.events import RunFinished, from_json
from mtm_core.training.run_folder import RunFolder
from mtm_viewer.jobs.run_order import FILE, RunOrder, read_order
from mtm_viewer.presenters.run_list import RunInfo, RunState, begun_s
from mtm_viewer.presenters.training_curve import TrainingCurve
from mtm_viewer.presenters.training_plan import Speed, shape_of_run, training_s

logger = logging.getLogger(__name__)
_SIZE, _REPEATS = 512, 24
_REFERENCE_S = 0.0025
"""One product of two such matrices where the rule of `training_plan` was fitted."""
_LAST_RUNS = 5
_LAST_BYTES = 4000


@dataclass(frozen=True, kw_only=True)
class RunsRequest:
    """Look through this folder."""

    root: Path


@dataclass(frozen=True, kw_only=True)
class RunsFound:
    """The answer to a `RunsRequest`.

    Parameters
    ----------
    root : Path
        The folder.
    runs : tuple of RunInfo
        What lies in it.
    speed : Speed
        How fast this machine trains.
    """

    root: Path
    runs: tuple[RunInfo, ...]
    speed: Speed


@dataclass(frozen=True, kw_only=True)
class CurveRequest:
    """Read the curves of the run in this folder."""

    folder: Path


@dataclass(frozen=True, eq=False, kw_only=True)
class CurveRead:
    """The answer to a `CurveRequest`."""

    folder: Path
    curve: TrainingCurve


def curve_work(request: object, should_stop: Callable[[], bool]) -> Iterator[object]:
    """Read the events of a run from its beginning; yields `CurveRead`.

    Raises
    ------
    TrainingError
        If they cannot be read.
    """
    if not isinstance(request, CurveRequest):
        msg = f"This thread reads curves; it cannot do {type(request).__name__}."
        raise TypeError(msg)
    tail, curve = EventTail(RunFolder(request.folder).events.path), TrainingCurve()
    while not should_stop():
        events, _ = tail.read_new()
        if not events:
            yield CurveRead(folder=request.folder, curve=curve)
            return
        curve.take(events)


def runs_work(request: object, should_stop: Callable[[], bool]) -> Iterator[object]:
    """Look through a folder of runs; yields `RunsFound`."""
    if not isinstance(request, RunsRequest):
        msg = f"This thread looks for runs; it cannot do {type(request).__name__}."
        raise TypeError(msg)
    runs, factors = [], []
    for folder in sorted(path.parent for path in request.root.glob(f"*/{FILE}")):
        if should_stop():
            return
        try:
            order = read_order(folder)
        except MtmError as error:
            logger.warning("A run was left out: %s", error)
            continue
        manifest = _manifest(folder / "model.safetensors")
        runs.append(describe_run(folder, order, manifest))
        is_single = manifest is not None and not order.folds
        if is_single and manifest is not None and runs[-1].state == "finished":
            factors.append((begun_s(runs[-1].created), _factor(folder, manifest)))
    yield RunsFound(root=request.root, runs=tuple(runs), speed=_speed(factors))


def describe_run(folder: Path, order: RunOrder, manifest: Manifest | None) -> RunInfo:
    """Say how a run stands, by its order, its process and its model."""
    n_steps = 0 if manifest is None else manifest.n_steps * max(order.folds, 1)
    folders = [fold_folder(folder, fold) for fold in range(1, order.folds + 1)] or [folder]
    step = sum(map(_newest_step, folders))
    scores: tuple[tuple[str, float], ...] = ()
    if manifest is not None and step:  # the weights before the first step are no model yet
        scores = tuple(manifest.scores.items())
    return RunInfo(
        folder=folder,
        preset=order.variant,
        session_names=order.session_names,
        session_ids=() if manifest is None else manifest.session_ids,
        created=order.created,
        state=_state(folder, order, is_whole=bool(n_steps) and step >= n_steps),
        error=order.error,
        step=step,
        n_steps=n_steps,
        scores=scores,
        bins=None if manifest is None else (manifest.n_bins, manifest.bin_size_s),
        backend=_backend(folders[0]),
    )


def read_run(folder: Path) -> RunInfo:
    """Describe one run.

    Raises
    ------
    TrainingError
        If the folder holds no run of this window.
    """
    return describe_run(folder, read_order(folder), _manifest(folder / "model.safetensors"))


def _state(folder: Path, order: RunOrder, *, is_whole: bool) -> RunState:
    if order.process(folder) is not None:
        return "running"
    if is_whole:
        return "finished"
    if order.error:
        return "failed"
    if order.stopped == "paused":
        return "paused"
    if order.stopped == "cancelled":
        return "cancelled"
    return "new" if order.pid is None else "interrupted"


def _backend(folder: Path) -> str:
    """Return how a run is computed, in words: what it was begun with, it goes on with."""
    try:
        return RunFolder(folder).read_record().backend.describe()
    except MtmError:
        return ""


def _newest_step(folder: Path) -> int:
    """Return the step of the newest state, by the name of its file."""
    names = (path.stem.rpartition("-")[2] for path in folder.glob("state-*.safetensors"))
    return max((int(name) for name in names if name.isdigit()), default=0)


def _manifest(path: Path) -> Manifest | None:
    if not path.exists():
        return None
    try:
        return read_manifest(path)
    except MtmError as error:
        logger.warning("A run's model was left out: %s", error)
        return None


def _factor(folder: Path, manifest: Manifest) -> float:
    """Return how much longer a finished run took than the rule says."""
    log = RunFolder(folder).events.path.read_bytes()[-_LAST_BYTES:]
    last = from_json(log.splitlines()[-1].decode("utf-8"))
    seconds = last.seconds if isinstance(last, RunFinished) else manifest.seconds
    return seconds / max(1e-3, training_s(manifest.config, shape_of_run(manifest)))


def _speed(factors: list[tuple[float, float]]) -> Speed:
    last = [factor for _, factor in sorted(factors)[-_LAST_RUNS:]]
    if last:
        return Speed(factor=median(last), n_runs=len(last))
    return Speed(factor=_measured())


@cache
def _measured() -> float:
    """Return how this machine compares: products of matrices, times how busy it is now.

    The quickest product, by one thread, is the one that no other program interrupted: what those
    take is counted once, by the load.
    """
    matrix = np.linspace(0, 1, _SIZE * _SIZE, dtype=np.float32).reshape(_SIZE, _SIZE)
    taken_s = []
    with threadpool_limits(1, user_api="blas"):
        for _ in range(_REPEATS):
            started = time.perf_counter()
            matrix @ matrix
            taken_s.append(time.perf_counter() - started)
    own = np.clip(min(taken_s) / _REFERENCE_S, 0.4, 10.0)
    busy = np.clip((psutil.getloadavg()[0] + 1.0) / (psutil.cpu_count() or 1), 1.0, 4.0)
    return float(own * busy)
