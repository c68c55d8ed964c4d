"""`evaluate`: a checkpoint on the four tasks, beside baselines, with every choice named."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mtm_core.data.session import Session
from mtm_core.data.simulated_truth import GroundTruth
from mtm_core.evaluation import metrics
from mtm_core.evaluation.scores import Interval, NullName, TaskScores, UnitScores
from mtm_core.evaluation.sharing import ALONE, Crew
from mtm_core.evaluation.tasks import (
    Exam,
    n_passes,
    score_baseline,
    score_baselines,
    score_model,
    set_exam,
)
from mtm_core.inference import Reconstructor
from mtm_core.masking.tasks import TASKS
from mtm_core.models.answers import AnswerMemory
from mtm_core.models.backend import backend_words
from mtm_core.models.baselines_all import BASELINE_NAMES
from mtm_core.models.checkpoint import Checkpoint, split_part
from mtm_core.models.informed_observer import InformedObserver
from mtm_core.models.manifest import PartName
from mtm_core.models.session_split import folds_of
from mtm_core.models.true_rate import TrueRate

OnStep = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""

POOLING = (
    "pooled: gains summed over units and trials, divided by all scored spikes, silent units "
    f"included; unit mean and median: over units with at least {metrics.MIN_SPIKES} scored spikes"
)
INTERVALS = "95 %, percentiles over samples of trials drawn with replacement"
SHUFFLE = "the same model given the visible activity of another trial of the same condition"


@dataclass(frozen=True, eq=False, kw_only=True)
class Report:
    """What a checkpoint is worth on a session, and what its rivals are.

    Parameters
    ----------
    header : mapping
        Session, checkpoint, split, seeds and rules: what a reader needs to judge the numbers.
    tasks : mapping of str to TaskScores
        The model's scores.
    shuffle : mapping of str to TaskScores
        Those of its shuffle control; empty if it was not asked for.
    baselines : mapping of str to mapping of str to TaskScores
        Those of each baseline on the tasks that it can do; empty if not asked for.
    differences : mapping of str to mapping of str to (float, interval)
        For each task and baseline the model's pooled bits per spike minus the baseline's.
    details : mapping of str to mapping
        For each task its number of trials, horizon or skipped regions.
    ceilings : mapping of str to mapping of str to TaskScores
        Those of the true rates of a simulated session and of an observer who knows its
        parameters; empty if its truth was not given.
    """

    header: Mapping[str, Any]
    tasks: Mapping[str, TaskScores]
    shuffle: Mapping[str, TaskScores] = field(default_factory=dict)
    baselines: Mapping[str, Mapping[str, TaskScores]] = field(default_factory=dict)
    differences: Mapping[str, Mapping[str, tuple[float | None, Interval]]] = field(
        default_factory=dict
    )
    details: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    ceilings: Mapping[str, Mapping[str, TaskScores]] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values for JSON."""
        return {
            **self.header,
            "tasks": {name: self._task(name) for name in self.tasks},
            "baselines": _by_name(self.baselines),
            **_by_name(self.ceilings),
        }

    def _task(self, name: str) -> dict[str, Any]:
        values = {**scores_to_dict(self.tasks[name]), **self.details[name]}
        values["per_unit"] = _units_to_dict(self.tasks[name].units)
        if name in self.shuffle:
            values["shuffle"] = dataclasses.asdict(self.shuffle[name].overall)
        if name in self.differences:
            values["minus_baselines"] = {
                baseline: {"bps_pooled": value, "interval": interval}
                for baseline, (value, interval) in self.differences[name].items()
            }
        return values


def evaluate(
    checkpoint: Checkpoint,
    session: Session,
    tasks: Sequence[str] = TASKS,
    split: PartName = "test",
    *,
    baselines: bool = False,
    shuffle: bool = True,
    null: NullName = "train_mean",
    seed: int = 0,
    allow_overlap: bool = False,
    truth: GroundTruth | None = None,
    observer: bool = False,
    prompt: str | None = None,
    on_step: OnStep | None = None,
    crew: Crew = ALONE,
) -> Report:
    """Score a checkpoint on tasks.

    Parameters
    ----------
    checkpoint : Checkpoint
        The model, and the trials that it was trained on.
    session : Session
        The recording that it was trained on.
    tasks : sequence of str
        Names of tasks.
    split : {"test", "val", "train"}
        Which of the checkpoint's trials to score.
    baselines : bool
        Fit and score the baselines too, on the same split.
    shuffle : bool
        Score the shuffle control too.
    null : str
        The null of the main scores; those over the others are reported too.
    seed : int
        Of the samples of trials and of the shuffle control.
    allow_overlap : bool
        Accept a session that lacks units of the checkpoint: they are hidden and not scored.
    truth : GroundTruth, optional
        What made the recording, if it was simulated: its true rates are scored too, as the
        ceiling of what any model can reach.
    observer : bool
        With `truth`: score an `InformedObserver` too, which takes minutes.
    prompt : str, optional
        Give the model this prompt in every task, right or wrong, in place of the task's own. What
        a bin may attend to still follows the task: only what the model is told differs.
    on_step : callable, optional
        See `OnStep`.
    crew : Crew
        Processes that share the work out among them: trials of the model, and baselines. All get
        the same report, that of one process but for rounding.

    Returns
    -------
    Report

    Raises
    ------
    MismatchError
        If session and checkpoint do not belong together.
    UnknownNameError
        If there is no such task or prompt.
    DataError
        If a single trial is to be scored with a shuffle control, or the truth is that of another
        recording.
    """
    bound = Reconstructor(
        checkpoint,
        session,
        allow_overlap=allow_overlap,
        memory=AnswerMemory(max_bytes=0),
        prompt=prompt,
    )
    parts = {p: split_part(checkpoint.manifest, bound.session, p) for p in ("train", "val", split)}
    exam = set_exam(
        bound.session,
        train=parts["train"],
        val=parts["val"],
        trials=parts[split],
        tasks=tasks,
        null=null,
        is_missing=bound.is_missing,
        seed=seed,
        folds=folds_of(bound.session, checkpoint),
    )
    progress = _Progress(on_step or (lambda what, done, total: None))
    ceilings: dict[str, dict[str, TaskScores]] = {}
    if truth is not None:
        ceilings[TrueRate.name] = score_baseline(exam, TrueRate(truth, bound.session))
    if truth is not None and observer:
        of_truth = InformedObserver(truth, bound.session, parts["train"])
        report_pass = progress.begin("Informed observer", of_truth.n_turns(exam.plans.values()))
        of_truth.on_turn = report_pass
        ceilings[of_truth.name] = score_baseline(exam, of_truth)
    report_pass = progress.begin("Model", n_passes(exam, bound))
    own = score_model(exam, bound, on_progress=report_pass, crew=crew)
    control: dict[str, TaskScores] = {}
    if shuffle:
        report_pass = progress.begin("Shuffle control", n_passes(exam, bound))
        control = score_model(exam, bound, shuffled=True, on_progress=report_pass, crew=crew)
    rivals: dict[str, dict[str, TaskScores]] = {}
    if baselines:
        report_fit = progress.begin("Baselines", len(BASELINE_NAMES))
        rivals = score_baselines(exam, on_progress=report_fit, crew=crew)
    return Report(
        header={**_header(checkpoint, exam, split, null), "prompt": prompt or "of each task"},
        tasks=own,
        shuffle=control,
        baselines=rivals,
        differences=_differences(exam, own, rivals),
        details={name: _details(exam, name) for name in exam.plans},
        ceilings=ceilings,
    )


def scores_to_dict(scores: TaskScores) -> dict[str, Any]:
    """Return a task's scores without the unit-by-unit ones, as plain values."""
    return {
        **dataclasses.asdict(scores.overall),
        "by_null": {name: dataclasses.asdict(s) for name, s in scores.by_null.items()},
        "per_region": {name: dataclasses.asdict(s) for name, s in scores.per_region.items()},
    }


def _by_name(scores: Mapping[str, Mapping[str, TaskScores]]) -> dict[str, dict[str, Any]]:
    return {
        name: {task: scores_to_dict(found) for task, found in by_task.items()}
        for name, by_task in scores.items()
    }


class _Progress:
    """Adds up what was done of each stretch of work."""

    def __init__(self, on_step: OnStep) -> None:
        self._on_step = on_step

    def begin(self, what: str, total: int) -> Callable[[int], None]:
        """Begin a stretch of work; return what is to be told of each part done."""
        done = 0

        def add(n_more: int) -> None:
            nonlocal done
            done += n_more
            self._on_step(what, done, total)

        return add


def _differences(
    exam: Exam, own: Mapping[str, TaskScores], rivals: Mapping[str, Mapping[str, TaskScores]]
) -> dict[str, dict[str, tuple[float | None, Interval]]]:
    if not rivals:
        return {}
    return {
        task: {
            name: exam.truths[task].difference(scores, by_task[task])
            for name, by_task in rivals.items()
            if task in by_task
        }
        for task, scores in own.items()
    }


def _header(checkpoint: Checkpoint, exam: Exam, split: PartName, null: NullName) -> dict[str, Any]:
    manifest, session = checkpoint.manifest, exam.session
    return {
        "session": session.session_id,
        "is_simulated": session.provenance.is_simulated,
        "checkpoint": str(checkpoint.path),
        "preset": manifest.config.name,
        "train_seed": manifest.config.run.seed,
        "train_step": manifest.step,
        "split": split,
        "split_kind": manifest.config.data.split,
        "split_seed": manifest.config.data.split_seed,
        "folds": len(exam.folds) or None,
        "seed": exam.seed,
        "n_trials": len(exam.trials),
        "n_bins": session.n_bins,
        "n_units": session.n_units,
        "bin_size_s": session.bin_size_s,
        "null": null,
        "pooling": POOLING,
        "intervals": INTERVALS,
        "shuffle_control": SHUFFLE,
        "not_scored": dict(exam.not_scored),
        "backend": backend_words(),
        "versions": dict(manifest.versions),
    }


def _details(exam: Exam, task: str) -> dict[str, Any]:
    plan = exam.plans[task]
    details: dict[str, Any] = {"n_trials": len(exam.trials)}
    if task == "forward_prediction":
        n_ahead = int(plan.is_scored.any(axis=1).sum())
        details["horizon_ms"] = round(1000 * n_ahead * exam.session.bin_size_s, 6)
    if plan.skipped:
        details["regions_skipped"] = dict(plan.skipped)
    return details


def _units_to_dict(units: UnitScores) -> dict[str, Any]:
    def with_gaps(values: metrics.UnitValues) -> list[float | None]:
        pairs = zip(values.values.tolist(), values.is_valid.tolist(), strict=True)
        return [value if is_valid else None for value, is_valid in pairs]

    return {
        "unit_id": units.unit_id.tolist(),
        "region": units.region.tolist(),
        "n_spikes": units.n_spikes.tolist(),
        "bps": with_gaps(units.bps),
        "bps_beyond_psth": with_gaps(units.bps_beyond_psth),
        "d2": with_gaps(units.d2),
    }
