"""The results table: train on each session, split and seed, score beside all baselines, summarise.

The folder holds one JSON file per *cell*, written whole: the scores of one trained model, or of
all baselines on one session and split. Cells that are there are not computed again, and a training
run that was cut short is resumed, so that the command can be stopped and called again at any
time::

    settings.json                       what the cells were made with; the same for all calls
    cells/SESSION.SPLIT.baselines.json
    cells/SESSION.SPLIT.seedN.json
    claims/                             held by whoever computes a cell
    runs/SESSION.SPLIT.seedN/           the training run
    table.md, table.json                what came of it

Several processes may work in one folder at the same time (see `reproduce.claimed`).
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import fmean
from typing import Any

from mtm_core import config_io
from mtm_core.config import SplitName, TrainConfig
from mtm_core.data.binning import rebin
from mtm_core.data.session_file import read_session
from mtm_core.data.splits import split_trials
from mtm_core.errors import MtmError, TrainingError
from mtm_core.evaluation.report import scores_to_dict
from mtm_core.evaluation.summary import SessionResult, summarise
from mtm_core.evaluation.summary_text import table_markdown
from mtm_core.evaluation.tasks import Exam, score_baselines, score_model, set_exam
from mtm_core.inference import Reconstructor
from mtm_core.models.answers import AnswerMemory
from mtm_core.models.backend import probe_run, use_backend
from mtm_core.models.checkpoint import load_checkpoint
from mtm_core.models.manifest import software_versions
from mtm_core.reproduce.claimed import Desk, compute_claimed
from mtm_core.resources import atomic_write
from mtm_core.shared_folder import prepare_folder, read_json, write_json
from mtm_core.training.loop import train
from mtm_core.training.run_folder import RunFolder

SCHEMA = "mtm-reproduction"
VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One piece of the table: a model (with a seed), or all baselines (without one).

    Parameters
    ----------
    path : str
        The session file.
    split : str
        How its trials are divided.
    seed : int or None
        Training seed; None for the baselines.
    """

    path: str
    split: SplitName
    seed: int | None

    @property
    def session(self) -> str:
        """Name of the session file."""
        return Path(self.path).stem

    @property
    def name(self) -> str:
        """Name of the cell's file and run, without suffix."""
        what = "baselines" if self.seed is None else f"seed{self.seed}"
        return f"{self.session}.{self.split}.{what}"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to make.

    Parameters
    ----------
    out : Path
        The folder.
    sessions : tuple of Path
        Session files.
    seeds : tuple of int
        Training seeds.
    splits : tuple of str
        How trials are divided.
    config : TrainConfig
        Settings; split and seed are replaced in each cell.
    workers : int
        Cells computed at the same time, each by a process of its own.
    """

    out: Path
    sessions: tuple[Path, ...]
    seeds: tuple[int, ...]
    splits: tuple[SplitName, ...]
    config: TrainConfig
    workers: int = 1

    def cells(self) -> list[Cell]:
        """Return all cells: the baselines of all sessions, then seed by seed."""
        triples = itertools.product((None, *self.seeds), self.sessions, self.splits)
        return [Cell(path=str(path), split=split, seed=seed) for seed, path, split in triples]

    def file_of(self, cell: Cell) -> Path:
        """Return where a cell is kept."""
        return self.out / "cells" / f"{cell.name}.json"


@dataclass(frozen=True, kw_only=True)
class CellDone:
    """A cell was computed, or all those that are there were found.

    Parameters
    ----------
    name : str
        Which.
    n_done, n_cells : int
        How many there are by now, and how many there will be.
    seconds_left : float
        About how long is to come; 0 where nothing was computed yet.
    """

    name: str
    n_done: int
    n_cells: int
    seconds_left: float


def reproduce(plan: Plan) -> Iterator[CellDone]:
    """Compute what is missing and write the table; iterate over the result to make it happen.

    Yields
    ------
    CellDone
        First for the cells that are there, then after each new one; ``table.md`` and
        ``table.json`` are up to date by then.

    Raises
    ------
    TrainingError
        If the folder was made with other settings.
    OutputError
        If it cannot be written.
    """
    prepare_folder(plan.out, _settings(plan))
    cells = plan.cells()
    todo = [cell for cell in cells if not plan.file_of(cell).exists()]
    n_before = len(cells) - len(todo)
    write_table(plan)
    yield CellDone(name="those found", n_done=n_before, n_cells=len(cells), seconds_left=0.0)
    started = time.perf_counter()
    for number, cell in enumerate(_compute(plan, todo), 1):
        write_table(plan)
        # All baselines of a session take about as long as training and scoring one model.
        left = (time.perf_counter() - started) / number * (len(todo) - number)
        n_done = n_before + number
        yield CellDone(name=cell.name, n_done=n_done, n_cells=len(cells), seconds_left=left)
    write_table(plan)  # a slower process may have written an older one


def write_table(plan: Plan) -> None:
    """Summarise the cells that are there."""
    results = read_results(plan)
    summaries = summarise(results)
    values = {
        **_settings(plan),
        "summary": [dataclasses.asdict(summary) for summary in summaries],
        "sessions": [dataclasses.asdict(result) for result in results],
    }
    write_json(plan.out / "table.json", values)
    with atomic_write(plan.out / "table.md") as temporary:
        temporary.write_text(table_markdown(results, summaries, _heading(plan)), encoding="utf-8")


def read_results(plan: Plan) -> list[SessionResult]:
    """Return the scores of the cells that are there, by session and split."""
    results = []
    for path, split in itertools.product(plan.sessions, plan.splits):
        models = [Cell(path=str(path), split=split, seed=seed) for seed in plan.seeds]
        found = [_read_cell(plan, cell) for cell in models]
        baselines = _read_cell(plan, Cell(path=str(path), split=split, seed=None))
        if baselines is not None:
            kept = [cell["tasks"] for cell in found if cell is not None]
            results.append(
                SessionResult(
                    session=path.stem,
                    split=split,
                    models=kept,
                    baselines=baselines["baselines"],
                )
            )
    return results


def compute_cell(plan: Plan, cell: Cell) -> None:
    """Compute one cell and write it: the work of one process."""
    started = time.perf_counter()
    session = rebin(read_session(cell.path), plan.config.data.bin_factor)
    config = _config_of(plan, cell)
    parts = split_trials(session, config.data)
    exam = set_exam(session, train=parts.train, val=parts.val, trials=parts.test)
    if cell.seed is None:
        values: dict[str, Any] = {"baselines": _score_baselines(exam)}
    else:
        values = _train_and_score(plan, cell, config, exam)
    values |= {
        "session": session.session_id,
        "split": cell.split,
        "n_trials": {p: len(getattr(parts, p)) for p in ("train", "val", "test", "dropped")},
        "n_units": session.n_units,
        "seconds": time.perf_counter() - started,
        "versions": software_versions(),
    }
    write_json(plan.file_of(cell), values)


def _score_baselines(exam: Exam) -> dict[str, dict[str, Any]]:
    return {
        name: {task: scores_to_dict(each) for task, each in scores.items()}
        for name, scores in score_baselines(exam).items()
    }


def _train_and_score(plan: Plan, cell: Cell, config: TrainConfig, exam: Exam) -> dict[str, Any]:
    """Train, or go on with a run that was cut short, and score the checkpoint."""
    original = read_session(cell.path)
    folder = RunFolder(plan.out / "runs" / cell.name)
    for _ in train(config, [original], folder.path, resume=True, session_paths=[cell.path]):
        pass
    backend = probe_run(config.run)
    checkpoint = load_checkpoint(folder.model_path, backend.device)
    started = time.perf_counter()
    bound = Reconstructor(checkpoint, original, memory=AnswerMemory(max_bytes=0))
    with use_backend(backend):
        scores = score_model(exam, bound)
    return {
        "tasks": {task: scores_to_dict(found) for task, found in scores.items()},
        "seed": cell.seed,
        "best_step": checkpoint.manifest.step,
        "train_seconds": _train_seconds(folder),
        "score_seconds": time.perf_counter() - started,
        "validation": dict(checkpoint.manifest.scores),
    }


def _train_seconds(folder: RunFolder) -> float:
    return max(float(getattr(event, "seconds", 0.0)) for event in folder.events.read())


def _config_of(plan: Plan, cell: Cell) -> TrainConfig:
    config = plan.config
    seed = config.run.seed if cell.seed is None else cell.seed
    data, run = replace(config.data, split=cell.split), replace(config.run, seed=seed)
    return replace(config, data=data, run=run)


def _settings(plan: Plan) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "version": VERSION,
        "config": config_io.to_dict(plan.config),
        "versions": software_versions(),
    }


def _compute(plan: Plan, cells: Sequence[Cell]) -> Iterator[Cell]:
    """Compute cells, here or in other processes; yield each when it is there."""
    # Here an error keeps its class.
    work = _compute_here if plan.workers == 1 else _compute_apart
    desk = Desk(out=plan.out, work=functools.partial(work, plan), file_of=plan.file_of)
    threads = plan.config.run.threads or 1
    for cell, sentence in compute_claimed(desk, cells, workers=plan.workers, threads=threads):
        if sentence is not None:
            raise TrainingError(sentence)
        yield cell


def _compute_here(plan: Plan, cell: Cell) -> None:
    compute_cell(plan, cell)


def _compute_apart(plan: Plan, cell: Cell) -> str | None:
    """Compute a cell in another process; return what went wrong, as errors do not travel well."""
    try:
        compute_cell(plan, cell)
    except MtmError as error:
        return f"{cell.name}: {error}"
    except KeyboardInterrupt:  # Ctrl-C reaches every process, and the first one speaks for all
        return f"{cell.name}: stopped."
    return None


def _read_cell(plan: Plan, cell: Cell) -> Mapping[str, Any] | None:
    return read_json(plan.file_of(cell))


def _heading(plan: Plan) -> list[str]:
    """Say what was done, how long it took and with which software."""
    versions = ", ".join(f"{name} {version}" for name, version in software_versions().items())
    lines = [f"Preset {plan.config.name}, seeds {', '.join(map(str, plan.seeds))}. {versions}."]
    cells = [cell for c in plan.cells() if (cell := _read_cell(plan, c)) is not None]
    training, scoring = (
        [cell[key] for cell in cells if key in cell] for key in ("train_seconds", "score_seconds")
    )
    if training:
        lines.append(
            f"On average a model took {fmean(training):.0f} s to train and {fmean(scoring):.0f} s "
            f"to score, {plan.workers} at a time with {plan.config.run.threads} threads each."
        )
    return lines
