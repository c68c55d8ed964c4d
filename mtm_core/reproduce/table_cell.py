"""One cell of a table: train, or go on with a run that was cut short, and score."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.config import TrainConfig
from mtm_core.data.binning import rebin
from mtm_core.data.session import Session
from mtm_core.data.session_file import read_session
from mtm_core.data.splits import split_trials
from mtm_core.data.units import unit_rate_hz
from mtm_core.errors import MtmError
from mtm_core.evaluation.metrics import UnitValues
from mtm_core.evaluation.report import scores_to_dict
from mtm_core.evaluation.scores import TaskScores
from mtm_core.evaluation.tasks import Exam, score_baselines, score_model, set_exam
from mtm_core.inference import Reconstructor
from mtm_core.masking.masked_batch import scheme_prompt
from mtm_core.models.answers import AnswerMemory
from mtm_core.models.backend import probe_run, use_backend
from mtm_core.models.checkpoint import Checkpoint
from mtm_core.models.manifest import software_versions
from mtm_core.reproduce.table_behavior import decode_behavior
from mtm_core.reproduce.table_plan import TableCell, TablePlan
from mtm_core.reproduce.table_training import train_cell
from mtm_core.shared_folder import write_json

logger = logging.getLogger(__name__)


def try_cell(plan: TablePlan, cell: TableCell) -> str | None:
    """Compute a cell and write it; return what went wrong.

    Whatever is wrong with one cell, memory included, must not cost the others.
    """
    try:
        compute_cell(plan, cell)
    except MtmError as error:
        return str(error)
    except KeyboardInterrupt:  # Ctrl-C reaches every process, and the first one speaks for all
        if plan.workers == 1:
            raise
        return "stopped."
    except Exception as error:
        logger.debug("cell %s", cell.name, exc_info=True)
        return f"{type(error).__name__}: {error}"
    return None


def compute_cell(plan: TablePlan, cell: TableCell) -> None:
    """Compute one cell and write it: the work of one process."""
    started = time.perf_counter()
    original = read_session(cell.path)
    config = plan.config_of(cell)
    session = rebin(original, config.data.bin_factor)
    parts = split_trials(session, config.data)
    values: dict[str, Any] = {
        "session": session.session_id,
        "is_simulated": session.provenance.is_simulated,
        "split": cell.split,
        "n_trials": {p: len(getattr(parts, p)) for p in ("train", "val", "test", "dropped")},
        "n_units": session.n_units,
        "bin_size_s": session.bin_size_s,
    }
    exam = None
    if plan.content.kind == "tasks":
        exam = set_exam(session, train=parts.train, val=parts.val, trials=parts.test)
        values["not_scored"] = dict(exam.not_scored)
    if cell.variant is None:
        values |= _score_baselines(exam) if exam is not None else {"baselines": {}}
        values["rate_hz"] = _rates(session, parts.train)
    else:
        values |= _train_and_score(plan, cell, config, original, exam)
    values |= {"seconds": time.perf_counter() - started, "versions": software_versions()}
    write_json(plan.file_of(cell), values)


def task_prompt(wanted: str, schemes: Sequence[str]) -> str:
    """Return the prompt (and with it the attention) under which a model is given a task.

    The task's own, if the model was trained under it; else that of its first scheme, so that a
    temporal baseline is asked without a prompt and attends to all bins, as published.

    Examples
    --------
    >>> task_prompt("causal", ["temporal"]), task_prompt("causal", ["neuron", "causal"])
    ('temporal', 'causal')
    """
    known = [scheme_prompt(scheme) for scheme in schemes]
    return wanted if wanted in known else known[0]


def _train_and_score(
    plan: TablePlan, cell: TableCell, config: TrainConfig, original: Session, exam: Exam | None
) -> dict[str, Any]:
    backend = probe_run(config.run)
    trained = train_cell(plan, cell, config, original, device=backend.device)
    started = time.perf_counter()
    values: dict[str, Any] = {}
    with use_backend(backend):
        if exam is not None:
            values |= _score(exam, trained.checkpoint, original)
        values["behavior"] = decode_behavior(trained.checkpoint, original, plan.content.kind)
    manifest = trained.checkpoint.manifest
    return values | {
        "variant": cell.variant,
        "seed": cell.seed,
        "run": plan.run_of(cell).relative_to(plan.out).as_posix(),
        "pretrained_on": list(trained.pretrained_on),
        "preset": manifest.config.name,
        "best_step": manifest.step,
        "n_steps": trained.n_steps,
        "train_seconds": trained.seconds,
        "score_seconds": time.perf_counter() - started,
        "validation": dict(manifest.scores),
    }


def _score(exam: Exam, checkpoint: Checkpoint, original: Session) -> dict[str, Any]:
    schemes = checkpoint.manifest.config.masking.schemes
    plans, prompts = {}, {}
    for name, plan in exam.plans.items():
        specs = tuple(replace(s, prompt=task_prompt(s.prompt, schemes)) for s in plan.specs)
        plans[name] = replace(plan, specs=specs)
        prompts[name] = specs[0].prompt
    bound = Reconstructor(checkpoint, original, memory=AnswerMemory(max_bytes=0))
    scores = score_model(dataclasses.replace(exam, plans=plans), bound)
    return {**_scores(scores), "prompts": prompts}


def _scores(scores: Mapping[str, TaskScores]) -> dict[str, Any]:
    return {
        "tasks": {task: scores_to_dict(found) for task, found in scores.items()},
        "units": {
            task: {
                "unit_id": found.units.unit_id.tolist(),
                "n_spikes": found.units.n_spikes.tolist(),
                "bps": _with_gaps(found.units.bps),
            }
            for task, found in scores.items()
        },
        "trials": _trials(scores),
    }


def _with_gaps(values: UnitValues) -> list[float | None]:
    pairs = zip(values.values.tolist(), values.is_valid.tolist(), strict=True)
    return [value if is_valid else None for value, is_valid in pairs]


def _score_baselines(exam: Exam) -> dict[str, dict[str, Any]]:
    scored = score_baselines(exam)
    return {
        "baselines": {
            name: {task: scores_to_dict(each) for task, each in scores.items()}
            for name, scores in scored.items()
        },
        "baseline_trials": {name: _trials(scores) for name, scores in scored.items()},
    }


def _trials(scores: Mapping[str, TaskScores]) -> dict[str, dict[str, Any]]:
    """Return what trial-by-trial comparisons need."""
    return {
        task: {
            "log_likelihood": found.log_likelihood.sum(axis=1).round(4).tolist(),
            "n_spikes": int(found.units.n_spikes.sum()),
        }
        for task, found in scores.items()
    }


def _rates(session: Session, rows: NDArray[np.int64]) -> dict[str, float]:
    rates = unit_rate_hz(session, rows)
    return dict(zip(map(str, session.unit_id), map(float, rates), strict=True))
