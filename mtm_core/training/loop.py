"""Training as an iterator of events; stopping is ceasing to iterate.

`train` checks everything and returns the iterator. Between two events the run is always whole:
whoever stops there, by `close`, by leaving the loop or by Ctrl-C, leaves a checkpoint behind.
"""

from __future__ import annotations

import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from mtm_core.config import TrainConfig
from mtm_core.data.session import Session
from mtm_core.errors import MemoryLimitError, OutputError, TrainingError
from mtm_core.models.backend import use_backend
from mtm_core.models.manifest import Manifest
from mtm_core.models.smaller_pieces import is_out_of_memory
from mtm_core.models.tensor_file import all_finite
from mtm_core.training.distributed import Team
from mtm_core.training.events import (
    CheckpointSaved,
    Event,
    RunFinished,
    RunStarted,
    StepDone,
    ValidationDone,
    Warned,
)
from mtm_core.training.pretrained import Pretrained
from mtm_core.training.run_folder import RunFolder
from mtm_core.training.setup import ALONE, go_on, start_anew
from mtm_core.training.state import Progress, pack
from mtm_core.training.step import StepMade, make_step, parts_for_all
from mtm_core.training.validation import keep_what_helps
from mtm_core.training.workbench import OnPreparation, Workbench


def train(
    config: TrainConfig,
    sessions: Iterable[Session],
    run_dir: Path,
    *,
    resume: bool = False,
    session_paths: Sequence[str] = (),
    on_preparation: OnPreparation | None = None,
    pretrained: Pretrained | None = None,
    team: Team = ALONE,
) -> Generator[Event, None, None]:
    """Train a model; iterate over the result to make it happen.

    Parameters
    ----------
    config : TrainConfig
        All settings.
    sessions : iterable of Session
        What to train on: all of the same bins, each with units of its own. They are taken one at
        a time; what is kept of each is what ``run.store`` says.
    run_dir : Path
        Folder to fill (see `mtm_core.training.run_folder`).
    resume : bool
        Go on with the run in that folder: the result equals that of an uninterrupted run, bit for
        bit on the CPU. A folder in which no run was begun is started anew.
    session_paths : sequence of str
        Where the sessions were read from, to be written down.
    on_preparation : callable or None
        Told how many parts of the work before the first step are done, and of how many.
    pretrained : Pretrained or None
        A checkpoint to start from; see `training.finetune`.
    team : Team
        The processes that train this model together (see `training.distributed`). All iterate
        and stop alike; the first one writes.

    Returns
    -------
    generator of Event
        Ends after `RunFinished`. Closing it earlier saves a checkpoint.

    Raises
    ------
    TrainingError
        If the folder holds a run already, or one of other settings or data, or if another process
        trains into it; during iteration, if the loss is not a number.
    MemoryLimitError
        During iteration, if not even one trial at a time fits into the memory of the device.
    OutputError
        If the folder cannot be written; what was saved before stays whole.
    """
    folder = team.folder(Path(run_dir))
    try:
        if team.is_first_sure(resume and folder.holds_run()):
            bench, progress, best = go_on(
                config, sessions, folder, on_preparation, pretrained, team
            )
        else:
            paths = tuple(session_paths)
            bench, progress, best = start_anew(
                config, sessions, folder, paths, on_preparation, pretrained, team
            )
    except BaseException:
        folder.release()
        raise
    return Trainer(bench, folder, progress, best).events()


class Trainer:
    """One run between its first and its last step.

    Parameters
    ----------
    bench : Workbench
        Model, data, optimiser: everything that a step needs.
    folder : RunFolder
        Where results go.
    progress : Progress
        How far the run is.
    best : mapping of str to Tensor
        The best weights so far; empty before the first validation.
    """

    def __init__(
        self,
        bench: Workbench,
        folder: RunFolder,
        progress: Progress,
        best: Mapping[str, Tensor],
    ) -> None:
        self.bench = bench
        self.folder = folder
        self.progress = progress
        self.best = dict(best)
        self._saved_step = progress.step if best else -1
        self._is_whole = True
        self._speed = _Speed(bench.n_steps, progress.seconds)

    def events(self) -> Generator[Event, None, None]:
        """Run to the end; see `train`."""
        try:
            yield from self._begin()
            while self.progress.step < self.bench.n_steps:
                yield from self._advance()
            yield self._finish()
        except (GeneratorExit, TrainingError, MemoryLimitError):
            self._save_last()
            raise
        except RuntimeError as error:
            if not is_out_of_memory(error):
                raise
            self._save_last()
            step = self.progress.step + 1
            msg = (
                f"The device has not enough memory for this model at step {step}. Choose a "
                "smaller one, or --run.device cpu."
            )
            raise MemoryLimitError(msg) from error
        finally:
            self.bench.lookahead.close()
            self.folder.events.close()
            self.folder.release()

    def _begin(self) -> list[Event]:
        bench, step = self.bench, self.progress.step
        happened: list[Event] = [
            RunStarted(
                step=step,
                n_steps=bench.n_steps,
                n_parameters=sum(p.numel() for p in bench.model.parameters()),
                n_train=sum(len(each.counts) for each in bench.sessions),
                n_val=sum(len(each.val_counts) for each in bench.sessions),
                backend=bench.backend.describe() + _together(bench.team),
                notes=bench.notes,
            )
        ]
        if not self.best:  # score the untrained model, so that a run can be loaded from its start
            started = time.perf_counter()
            with use_backend(bench.backend):
                happened.append(self._validate())
            self._speed = _Speed(bench.n_steps, self._count_seconds(started))
            happened.append(self._save())
        else:  # a kill between the two files of a checkpoint leaves the older weights
            self.folder.save_best(self.best, self._manifest(), check=True)
        self.folder.events.append(happened)
        return happened

    def _advance(self) -> list[Event]:
        """Make a step and all that is due after it, and write down what happened."""
        started = time.perf_counter()
        run = self.bench.config.run
        with use_backend(self.bench.backend):
            made, warned = self._step()
            step = self.progress.step + 1
            self.progress = replace(self.progress, step=step)
            is_last = step == self.bench.n_steps
            self._is_whole = False  # until what is due at this step is done
            validation = self._validate() if is_last or step % run.validate_every == 0 else None
            self._is_whole = True
        seconds = self._count_seconds(started)
        happened: list[Event] = [
            *warned,
            StepDone(
                step=step,
                n_steps=self.bench.n_steps,
                loss=made.loss,
                lr=made.lr,
                grad_norm=made.grad_norm,
                seconds=seconds,
                seconds_left=self._speed.seconds_left(step, seconds),
                data_seconds=made.data_seconds,
            ),
        ]
        happened += [validation] if validation is not None else []
        happened += [self._save()] if is_last or step % run.checkpoint_every == 0 else []
        self.folder.events.append(happened)
        return happened

    def _count_seconds(self, started: float) -> float:
        """Add the time since then to that of the run; return the sum."""
        seconds = self.progress.seconds + time.perf_counter() - started
        self.progress = replace(self.progress, seconds=seconds)
        return seconds

    def _step(self) -> tuple[StepMade, list[Event]]:
        """Make one optimiser step, in smaller parts if the device runs out of memory."""
        step, warned = self.progress.step, list[Event]()
        while True:
            wanted = max(self.bench.config.optim.accumulate, self.progress.parts)
            n_parts = parts_for_all(self.bench, wanted)
            made = make_step(self.bench, step, n_parts)
            if made is None:
                warned.append(self._use_less_memory(n_parts))
            elif made.is_finite:
                return made, warned
            else:
                raise TrainingError(self._why_stopped(step))

    def _use_less_memory(self, n_parts: int) -> Warned:
        step, size = self.progress.step, self.bench.config.optim.batch_size
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        if n_parts >= size:
            msg = (
                f"The device has not enough memory for one trial at a time at step {step + 1}. "
                "Choose a smaller model, or --run.device cpu."
            )
            raise MemoryLimitError(msg)
        n_parts = min(2 * n_parts, size)
        self.progress = replace(self.progress, parts=n_parts)
        text = (
            f"The device ran out of memory at step {step + 1}: from here on a batch of {size} "
            f"trials is computed in {n_parts} parts, whose gradients add up."
        )
        return Warned(step=step, text=text)

    def _validate(self) -> ValidationDone:
        model, scores = keep_what_helps(self.bench.average.model, self.bench.validation)
        bps = sum(scores.values()) / len(scores)
        step = self.progress.step
        is_best = not self.best or bps > self.progress.best_bps
        if is_best:
            state = model.state_dict()
            self.best = {name: tensor.clone() for name, tensor in state.items()}
            self.progress = replace(
                self.progress, best_step=step, best_bps=bps, best_scores=scores
            )
        return ValidationDone(step=step, bps=bps, scores=scores, is_best=is_best)

    def _save(self) -> CheckpointSaved:
        bench, step = self.bench, self.progress.step
        state = pack(bench.model, bench.optimizer, bench.average, self.best)
        try:
            self.folder.states.save(state, self.progress, bench.config.run.keep_checkpoints)
            self.folder.save_best(self.best, self._manifest())
        except OutputError as error:
            if self._saved_step < 0:
                raise
            msg = f"{error} Then go on from step {self._saved_step} with --resume."
            raise OutputError(msg) from error
        self._saved_step = step
        return CheckpointSaved(step=step, path=str(self.folder.model_path))

    def _save_last(self) -> None:
        """Save where the run stops, unless its weights broke: then the state before serves."""
        is_new = self._saved_step < self.progress.step
        if is_new and self._is_whole and all_finite(self.bench.model.state_dict()):
            self._save()

    def _manifest(self) -> Manifest:
        progress = self.progress
        return replace(
            self.bench.manifest,
            step=progress.best_step,
            scores={"mean": progress.best_bps, **progress.best_scores},
            seconds=progress.seconds,
        )

    def _finish(self) -> RunFinished:
        progress = self.progress
        finished = RunFinished(
            step=progress.step,
            best_step=progress.best_step,
            bps=progress.best_bps,
            seconds=progress.seconds,
            path=str(self.folder.model_path),
        )
        self.folder.events.append([finished])
        return finished

    def _why_stopped(self, step: int) -> str:
        lr = self.bench.config.optim.lr
        return (
            f"The loss or its gradient was not a number at step {step + 1}, on "
            f"{self.bench.describe_batch(step)}. Look at these trials, or lower --optim.lr (now "
            f"{lr:g}) and train into another folder. The last good state is kept; the best "
            f"weights so far, of step {self.progress.best_step}, are in {self.folder.model_path}."
        )


def _together(team: Team) -> str:
    return f", {team.size} processes together" if team.size > 1 else ""


class _Speed:
    """About how long is to come, from the steps since the run was started or resumed."""

    def __init__(self, n_steps: int, begun_s: float) -> None:
        self._n_steps = n_steps
        self._begun_s = begun_s
        self._first: tuple[int, float] | None = None

    def seconds_left(self, step: int, seconds: float) -> float:
        """Return the estimate after a step."""
        if self._first is None:  # the first step warms up caches: do not count it
            self._first = (step, seconds)
            return (seconds - self._begun_s) * (self._n_steps - step)
        first_step, first_seconds = self._first
        return (seconds - first_seconds) / (step - first_step) * (self._n_steps - step)
