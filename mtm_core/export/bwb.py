"""`export_bwb`: write, read back and score predictions in BrainWideBench's format."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mtm_core.data.session import Session
from mtm_core.errors import DataError, MaskError
from mtm_core.evaluation.decoding_features import FEATURES
from mtm_core.export.bwb_activity import answer_activity
from mtm_core.export.bwb_behavior import answer_behavior
from mtm_core.export.bwb_files import BwbAnswer, BwbPlace, make_folder, make_label, write_answer
from mtm_core.export.bwb_reader import BwbPair, read_pair
from mtm_core.export.bwb_scores import Scores, evaluator_scores, own_scores, require_evaluator
from mtm_core.export.bwb_tasks import EVALUATOR, OWN_SPLIT, TASKS, BwbTask, find_task
from mtm_core.export.bwb_units import choose_units, default_rule, recording_id
from mtm_core.inference import Reconstructor
from mtm_core.models.checkpoint import Checkpoint, split_part
from mtm_core.models.manifest import PartName

OnStep = Callable[[str, int, int], None]
"""Told what is being done, how much of it is done, and how much there is."""


@dataclass(frozen=True, kw_only=True)
class BwbSettings:
    """Every choice that a file depends on.

    Parameters
    ----------
    tasks : tuple of str
        Names of tasks; none at all stands for all, and then those that cannot be done are
        reported rather than raised.
    label : str or None
        Name of the model; None: that of its preset.
    units : str or None
        Rule for the units that are scored; None: see `default_rule`.
    features : str
        What behaviour is decoded from.
    split : {"test", "val"}
        Which of the checkpoint's trials to predict.
    with_evaluator : bool
        Score by the benchmark's package as well.
    """

    tasks: tuple[str, ...] = ()
    label: str | None = None
    units: str | None = None
    features: str = FEATURES[0]
    split: PartName = "test"
    with_evaluator: bool = False


@dataclass(frozen=True, eq=False, kw_only=True)
class BwbEntry:
    """A task that was written.

    Parameters
    ----------
    task : str
        Its id.
    predictions, truth : Path
        The files.
    n_rows, n_bins, n_units : int
        Scored windows or trials, bins of each (1 for classes), and units (0 for behaviour).
    choices : mapping of str to str
        What the predictions depend on.
    caveat : str or None
        What a careful reader should mind.
    scores, evaluator_scores : mapping of str to float or None
        By our own metrics, and by the benchmark's package; empty if that was not asked.
    """

    task: str
    predictions: Path
    truth: Path
    n_rows: int
    n_bins: int
    n_units: int
    choices: Mapping[str, str]
    caveat: str | None
    scores: Scores
    evaluator_scores: Scores


@dataclass(frozen=True, eq=False, kw_only=True)
class BwbReport:
    """What was written and what it scores.

    Parameters
    ----------
    header : mapping
        Session, model, split and units.
    entries : tuple of BwbEntry
        By task.
    not_written : mapping of str to str
        Tasks that could not be done, and why.
    """

    header: Mapping[str, Any]
    entries: tuple[BwbEntry, ...]
    not_written: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values for JSON."""
        entries = [dataclasses.asdict(entry) for entry in self.entries]
        return {**self.header, "tasks": entries, "not_written": dict(self.not_written)}


def export_bwb(
    checkpoint: Checkpoint,
    session: Session,
    folder: Path,
    settings: BwbSettings | None = None,
    *,
    on_step: OnStep | None = None,
) -> BwbReport:
    """Write a model's predictions in BrainWideBench's format, read them back, and score them.

    Parameters
    ----------
    checkpoint : Checkpoint
        The model, and the split of its trials.
    session : Session
        The recording that it was trained on.
    folder : Path
        Where to write; other models, seeds and sessions may be there already.
    settings : BwbSettings, optional
        Every choice.
    on_step : callable, optional
        See `OnStep`.

    Raises
    ------
    ConfigError
        If a setting is wrong, or the benchmark's package is asked for and not there.
    MismatchError
        If session and checkpoint do not belong together.
    MaskError
        If the rule for units is none, or fits no unit.
    DataError
        If a task that was asked for cannot be done, or none can.
    OutputError
        If a file cannot be written.
    """
    settings = settings or BwbSettings()
    version = require_evaluator() if settings.with_evaluator else None
    work = _Work(Reconstructor(checkpoint, session), folder, settings)
    make_folder(folder)
    entries, refused = work.write_all(on_step or (lambda *_: None))
    if not entries:
        msg = f"No task can be done with {session.session_id}. {' '.join(refused.values())}"
        raise DataError(msg)
    header = {**work.header(), "evaluator": version and f"{EVALUATOR} {version}"}
    return BwbReport(header=header, entries=tuple(entries), not_written=refused)


class _Work:
    """One model, one session, one folder."""

    def __init__(self, bound: Reconstructor, folder: Path, settings: BwbSettings) -> None:
        manifest, session = bound.checkpoint.manifest, bound.session
        self.bound = bound
        self.settings = settings
        self.trials = split_part(manifest, session, settings.split)
        self.rule = default_rule(session) if settings.units is None else settings.units
        if settings.units is not None:  # a rule that was typed is wrong for every task
            choose_units(bound, self.rule)
        self.place = BwbPlace(
            folder=folder,
            label=make_label(settings.label or manifest.config.name),
            recording=recording_id(session),
            seed=manifest.config.run.seed,
        )

    def write_all(self, on_step: OnStep) -> tuple[list[BwbEntry], dict[str, str]]:
        """Write every task that can be done; return them, and why the others cannot be done."""
        tasks = tuple(dict.fromkeys(map(find_task, self.settings.tasks))) or TASKS
        entries: list[BwbEntry] = []
        refused: dict[str, str] = {}
        for done, task in enumerate(tasks):
            on_step("Predicting", done, len(tasks))
            try:
                entries.append(self.write(task))
            except (DataError, MaskError) as error:
                if self.settings.tasks:
                    raise
                refused[task.id] = str(error)
        on_step("Predicting", len(tasks), len(tasks))
        return entries, refused

    def write(self, task: BwbTask) -> BwbEntry:
        """Write a task, and score what is on the disk."""
        answer = self._answer(task)
        predictions, truth = write_answer(self.place, answer, self._about(task))
        pair = read_pair(predictions, truth)
        judged: Scores = {}
        if self.settings.with_evaluator:
            judged = evaluator_scores(task, predictions, truth)
        return BwbEntry(
            task=task.id,
            predictions=predictions,
            truth=truth,
            **_size(pair),
            choices=answer.choices,
            caveat=answer.caveat,
            scores=own_scores(pair),
            evaluator_scores=judged,
        )

    def header(self) -> dict[str, Any]:
        """Return the choices that all tasks share."""
        manifest, session = self.bound.checkpoint.manifest, self.bound.session
        return {
            "scores_are": OWN_SPLIT,
            "session": session.session_id,
            "is_simulated": session.provenance.is_simulated,
            "checkpoint": str(self.bound.checkpoint.path),
            "preset": manifest.config.name,
            "train_step": manifest.step,
            "folder": str(self.place.folder),
            "label": self.place.label,
            "recording_id": self.place.recording,
            "seed": self.place.seed,
            "split": self.settings.split,
            "split_kind": manifest.config.data.split,
            "split_seed": manifest.config.data.split_seed,
            "n_trials": len(self.trials),
            "units": self.rule,
            "n_units": session.n_units,
            "n_bins": session.n_bins,
            "bin_size_s": session.bin_size_s,
            "window_start_s": session.window_start_s,
            "align_event": session.provenance.align_event,
            "versions": dict(manifest.versions),
        }

    def _answer(self, task: BwbTask) -> BwbAnswer:
        if task.kind == "activity":
            units = choose_units(self.bound, self.rule)
            return answer_activity(self.bound, task, units, self.trials)
        return answer_behavior(self.bound, task, self.settings.features, self.settings.split)

    def _about(self, task: BwbTask) -> dict[str, str]:
        """Return what both files of a task say of themselves, by the benchmark's names first."""
        header = self.header()
        names = ("session", "split", "split_kind", "split_seed", "window_start_s", "align_event")
        return {
            "unit_filtering": "custom",
            "unit_filters": self.rule if task.kind == "activity" else "those of the session",
            "dataset_version": self.bound.session.content_hash,
            "context_window": f"{header['n_bins'] * header['bin_size_s']:g}",
            "bin_size": f"{header['bin_size_s']:g}",
            "is_simulated": str(header["is_simulated"]).lower(),
            **{name: str(header[name]) for name in names},
        }


def _size(pair: BwbPair) -> dict[str, int]:
    n_rows, n_bins, _ = pair.predicted.shape
    return {"n_rows": n_rows, "n_bins": n_bins, "n_units": len(pair.units)}
