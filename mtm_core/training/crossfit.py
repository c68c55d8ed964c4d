"""Cross-fitting: a model for each fold of the trials, so that every trial is tested once.

``RUN/fold-1`` to ``RUN/fold-K`` are ordinary runs, each with its own test trials; they can also be
trained one by one, anywhere, with ``--data.folds K --data.fold J``. ``RUN/model.safetensors``
holds all of them, and answers each trial by the one that never saw it.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from mtm_core.config import TrainConfig
from mtm_core.data.session import Session
from mtm_core.errors import TrainingError
from mtm_core.models.checkpoint import read_checkpoint, save_folds
from mtm_core.resources import atomic_write
from mtm_core.training.event_log import EventLog
from mtm_core.training.events import Event, RunFinished, RunStarted, StepDone, Warned
from mtm_core.training.loop import train
from mtm_core.training.run_folder import RunFolder
from mtm_core.training.workbench import OnPreparation

_SHARED = ("config.toml", "run.json")


def fold_folder(run_dir: Path, fold: int) -> Path:
    """Return the folder of the run of a fold, counted from 1."""
    return run_dir / f"fold-{fold}"


def is_crossfit(run_dir: Path) -> bool:
    """Tell whether a folder holds a cross-fit, finished or not."""
    return fold_folder(run_dir, 1).is_dir()


def cross_fit(
    config: TrainConfig,
    read: Callable[[], Session],
    run_dir: Path,
    *,
    resume: bool = False,
    session_paths: Sequence[str] = (),
    on_preparation: OnPreparation | None = None,
) -> Generator[Event, None, None]:
    """Train a model for each fold; iterate over the result to make it happen.

    Parameters
    ----------
    config : TrainConfig
        All settings; ``data.folds`` says how many.
    read : callable
        Returns the session; called once for each fold that is still to be trained.
    run_dir : Path
        Folder to fill.
    resume : bool
        Go on: folds that are done are kept.
    session_paths : sequence of str
        Where the session was read from, to be written down.
    on_preparation : callable or None
        See `train`.

    Yields
    ------
    Event
        Those of the folds one after another, steps counted through; a single `RunFinished`.

    Raises
    ------
    TrainingError
        If the folder holds another run, or as `train` does.
    """
    n_folds = config.data.folds
    if n_folds is None:
        msg = "A cross-fit needs a number of folds: give --cross-fit K."
        raise TrainingError(msg)
    if not resume and (is_crossfit(run_dir) or RunFolder(run_dir).holds_run()):
        msg = f"{run_dir} already holds a run. Add --resume to go on with it, or choose another."
        raise TrainingError(msg)
    log, counter = EventLog(run_dir / "events.jsonl"), _Counter(n_folds)
    try:
        for fold in range(1, n_folds + 1):
            own = replace(config, data=replace(config.data, fold=fold))
            folder = fold_folder(run_dir, fold)
            done = _finished(folder)
            if done is not None:
                counter.skip(done)
                continue
            events = train(
                own,
                iter([read()]),
                folder,
                resume=resume and RunFolder(folder).holds_run(),
                session_paths=session_paths,
                on_preparation=on_preparation,
            )
            with closing(events):
                for event in events:
                    told = counter.count(event, fold)
                    if isinstance(event, RunStarted):
                        _share(folder, run_dir)
                        log.forget_after(told[0].step if told else 0)
                    log.append(told)
                    yield from told
        finished = counter.finish(join_folds(run_dir, n_folds))
        log.append([finished])
        yield finished
    finally:
        log.close()


def join_folds(run_dir: Path, n_folds: int) -> Path:
    """Write the checkpoint that holds the models of all folds; return its path.

    Raises
    ------
    CheckpointError
        If one of them is missing, or they do not belong together.
    """
    path = run_dir / "model.safetensors"
    folders = [fold_folder(run_dir, fold) for fold in range(1, n_folds + 1)]
    save_folds(path, [read_checkpoint(RunFolder(folder).model_path) for folder in folders])
    return path


def _finished(folder: Path) -> RunFinished | None:
    """Return the last event of the run of a fold, if it was finished."""
    ends = [each for each in RunFolder(folder).events.read() if isinstance(each, RunFinished)]
    return ends[-1] if ends else None


def _share(folder: Path, run_dir: Path) -> None:
    """Keep settings and record of a fold as those of the whole."""
    for name in _SHARED:
        if not (run_dir / name).exists():
            with atomic_write(run_dir / name) as temporary:
                shutil.copyfile(folder / name, temporary)


class _Counter:
    """Counts the steps of all folds through, as if they were one run."""

    def __init__(self, n_folds: int) -> None:
        self._n_folds = n_folds
        self._n_steps = 0
        self._before, self._seconds = 0, 0.0
        self._bps: list[float] = []
        self._is_begun = False

    def skip(self, done: RunFinished) -> None:
        """Count a fold that was trained before."""
        self._end(done)

    def count(self, event: Event, fold: int) -> list[Event]:
        """Return what an event of a fold is in the whole."""
        if isinstance(event, RunStarted):
            return self._start(event, fold)
        if isinstance(event, RunFinished):
            self._end(event)
            return []
        step = self._before + event.step
        if isinstance(event, StepDone):
            per_step = event.seconds / max(event.step, 1)
            left = event.seconds_left + per_step * self._n_steps * (self._n_folds - fold)
            return [
                replace(
                    event,
                    step=step,
                    n_steps=self._total,
                    seconds=self._seconds + event.seconds,
                    seconds_left=left,
                )
            ]
        return [replace(event, step=step)]

    def finish(self, path: Path) -> RunFinished:
        """Return the end of the whole."""
        return RunFinished(
            step=self._before,
            best_step=self._before,
            bps=sum(self._bps) / len(self._bps),
            seconds=self._seconds,
            path=str(path),
        )

    @property
    def _total(self) -> int:
        return self._n_steps * self._n_folds

    def _start(self, event: RunStarted, fold: int) -> list[Event]:
        self._n_steps = event.n_steps
        step = self._before + event.step
        said = Warned(step=step, text=f"Fold {fold} of {self._n_folds}.")
        if self._is_begun:
            return [said]
        self._is_begun = True
        return [replace(event, step=step, n_steps=self._total), said]

    def _end(self, event: RunFinished) -> None:
        self._n_steps = event.step
        self._before += event.step
        self._seconds += event.seconds
        self._bps.append(event.bps)
