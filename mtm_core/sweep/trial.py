"""One trial of a sweep: its training runs, and their score on validation trials.

Test trials are never looked at here: the runs leave them alone, and the judge is given the rows of
validation trials only.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean

from mtm_core.config import TrainConfig
from mtm_core.data.session import Session
from mtm_core.data.session_file import read_session
from mtm_core.errors import DataError
from mtm_core.evaluation.tasks import score_model, set_exam
from mtm_core.inference import Reconstructor
from mtm_core.models.answers import AnswerMemory
from mtm_core.models.backend import probe_run, use_backend
from mtm_core.models.checkpoint import load_checkpoint, split_part
from mtm_core.sweep.journal import ClaimedTrial
from mtm_core.sweep.spec import SweepSpec
from mtm_core.training.events import (
    Event,
    RunFinished,
    RunStarted,
    StepDone,
    ValidationDone,
)
from mtm_core.training.loop import train
from mtm_core.training.run_folder import RunFolder

_STEPS_APART = 1_000_000_000
"""More steps than a run has, so that those of a second run count after those of the first."""


@dataclass(frozen=True, kw_only=True)
class TrialStep:
    """How far a trial is.

    Parameters
    ----------
    number : int
        Which trial.
    share : float
        Of its training steps, from 0 to 1.
    """

    number: int
    share: float


@dataclass(frozen=True, kw_only=True)
class _Run:
    """One training run of a trial."""

    name: str
    place: int
    n_runs: int
    paths: tuple[Path, ...]
    seed: int


@dataclass(frozen=True, kw_only=True)
class _Trained:
    """What came of a training run."""

    bps: float
    seconds: float
    is_behind: bool


def compute_trial(
    trial: ClaimedTrial, spec: SweepSpec, paths: Sequence[Path], threads: int
) -> Generator[TrialStep, None, None]:
    """Train and score a trial, and tell its journal; iterate to make it happen.

    Closing the iterator earlier saves a checkpoint; the journal is told nothing then, and whoever
    takes the trial over goes on from there.

    Parameters
    ----------
    trial : ClaimedTrial
        What to try.
    spec : SweepSpec
        Of its sweep.
    paths : sequence of Path
        Session files.
    threads : int
        Threads to compute with, unless the settings say how many.

    Raises
    ------
    MtmError
        If a run cannot be trained or scored.
    """
    runs, scores, seconds = _runs(spec, paths), list[float](), 0.0
    for run in runs:
        config = _settings(trial, spec, run, threads)
        trained = yield from _train_run(trial, spec, run, config)
        seconds += trained.seconds
        if trained.is_behind:
            trial.stop_early(seconds)
            return
        started = time.perf_counter()
        is_known = spec.sweep.judge == "masks"
        score = trained.bps if is_known else _score_tasks(spec, trial, config, run)
        seconds += time.perf_counter() - started
        trial.note_run(run.name, score)
        scores.append(score)
    trial.finish(fmean(scores), seconds)
    for run in runs:  # finished: only its best weights are of use
        for state in RunFolder(trial.folder / run.name).states.paths():
            state.unlink(missing_ok=True)


def _train_run(
    trial: ClaimedTrial, spec: SweepSpec, run: _Run, config: TrainConfig
) -> Generator[TrialStep, None, _Trained]:
    """Train, or go on with a run that was cut short, unless it lags behind those of others."""
    bps, seconds = 0.0, 0.0
    for event in _train(config, run, trial.folder / run.name):
        if isinstance(event, RunStarted | StepDone):
            share = (run.place + event.step / max(event.n_steps, 1)) / run.n_runs
            yield TrialStep(number=trial.number, share=share)
        if isinstance(event, StepDone | RunFinished):
            seconds = event.seconds  # what was trained before a kill included
        if isinstance(event, RunFinished):
            bps = event.bps
        if spec.sweep.prune and isinstance(event, ValidationDone):
            step = run.place * _STEPS_APART + event.step
            if trial.is_behind(step, event.bps):
                return _Trained(bps=event.bps, seconds=seconds, is_behind=True)
    return _Trained(bps=bps, seconds=seconds, is_behind=False)


def _runs(spec: SweepSpec, paths: Sequence[Path]) -> list[_Run]:
    groups = [tuple(paths)] if spec.sweep.together else [(path,) for path in paths]
    pairs = [(group, seed) for seed in spec.sweep.seeds for group in groups]
    return [
        _Run(name=_name(group, seed), place=place, n_runs=len(pairs), paths=group, seed=seed)
        for place, (group, seed) in enumerate(pairs)
    ]


def _name(group: Sequence[Path], seed: int) -> str:
    what = group[0].stem if len(group) == 1 else "together"
    return f"{what}.seed{seed}"


def _settings(trial: ClaimedTrial, spec: SweepSpec, run: _Run, threads: int) -> TrainConfig:
    """Return the settings of a run; one that was begun goes on with as many threads as before."""
    config = spec.config(trial.values)
    folder = RunFolder(trial.folder / run.name)
    if folder.config_path.exists():
        threads = folder.read_config().run.threads or threads
    if config.run.threads is not None:
        threads = config.run.threads
    return replace(config, run=replace(config.run, seed=run.seed, threads=threads))


def _train(config: TrainConfig, run: _Run, folder: Path) -> Generator[Event, None, None]:
    sessions = (read_session(path) for path in run.paths)
    words = [str(path.resolve()) for path in run.paths]
    yield from train(config, sessions, folder, resume=True, session_paths=words)


def _score_tasks(spec: SweepSpec, trial: ClaimedTrial, config: TrainConfig, run: _Run) -> float:
    """Return the mean over tasks and sessions, on validation trials."""
    backend = probe_run(config.run)
    path = RunFolder(trial.folder / run.name).model_path
    with use_backend(backend):
        return fmean(
            score
            for session in map(read_session, run.paths)
            for score in _scores(path, session, backend.device, spec.sweep.tasks)
        )


def _scores(path: Path, session: Session, device: str, tasks: Sequence[str]) -> Iterator[float]:
    checkpoint = load_checkpoint(path, device, session.session_id)
    bound = Reconstructor(checkpoint, session, memory=AnswerMemory(max_bytes=0))
    train_rows, rows = (
        split_part(checkpoint.manifest, bound.session, part) for part in ("train", "val")
    )
    exam = set_exam(
        bound.session, train=train_rows, val=rows, trials=rows, tasks=tasks, n_samples=1
    )
    for name, found in score_model(exam, bound).items():
        if found.overall.bps_pooled is None:
            msg = (
                f"The validation trials of {session.session_id} hold no spike to score {name} by."
            )
            raise DataError(msg)
        yield found.overall.bps_pooled
