"""Opening an experiment off the GUI thread: its session and models are found by their content."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from pathlib import Path

from mtm_core.errors import ExperimentError, MtmError
from mtm_core.experiment.files import read_experiment
from mtm_core.experiment.finding import Places, find_checkpoint, find_session
from mtm_core.experiment.record import Experiment
from mtm_viewer.jobs.open_job import Misfit, OpenRequest, look_over, open_files
from mtm_viewer.presenters.compare_choice import CompareChoice
from mtm_viewer.presenters.workspace import Opened, Workspace

logger = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False, kw_only=True)
class ExperimentRequest:
    """Open an experiment, or a figure that carries one.

    Parameters
    ----------
    path : Path
        The file.
    current : Workspace or None
        What is open now: its files may be those of the experiment.
    experiment : Experiment or None
        What it holds, where that has been read already.
    opened : Opened or None
        What its session was prepared from.
    models : tuple of Path
        Further checkpoints to open if they are there and fit.
    """

    path: Path
    current: Workspace | None = None
    experiment: Experiment | None = None
    opened: Opened | None = None
    models: tuple[Path, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class OpenedExperiment:
    """An experiment whose session and models are in memory, with what it compares."""

    path: Path
    experiment: Experiment
    workspace: Workspace
    compare: CompareChoice = field(default_factory=CompareChoice)


def open_experiment(request: ExperimentRequest) -> OpenedExperiment:
    """Find and read what an experiment was made with.

    Raises
    ------
    MtmError
        If the file is no experiment, or what it was made with is not here or has changed.
    """
    experiment = request.experiment or read_experiment(request.path)
    where = Places(
        beside=request.path.absolute().parent,
        others=(*_at_hand(request.current), *request.models),
        has_flags=False,
    )
    recording, path = find_session(experiment, where)
    checkpoints = tuple(
        find_checkpoint(ref, recording.session_id, where).path
        for ref in (experiment.model, experiment.baseline)
        if ref is not None
    )
    opponent, rival = experiment.opponent, None
    if opponent is not None and opponent.model is not None:
        rival = find_checkpoint(opponent.model, recording.session_id, where).path
        checkpoints = tuple(dict.fromkeys((*checkpoints, rival)))
    wanted = OpenRequest(
        session=recording,
        session_path=path,
        checkpoint_paths=checkpoints,
        allow_overlap=True,
        opened=request.opened,
    )
    answer = _open_with(wanted, request.models)
    if isinstance(answer, Misfit):  # not with an overlap allowed, but types cannot know
        raise ExperimentError(answer.sentence)
    look_over(answer)
    compare = CompareChoice(
        opponent=None if opponent is None else opponent.opponent,
        checkpoint="" if rival is None else str(rival),
        contrast=experiment.contrast,
    )
    return OpenedExperiment(
        path=request.path, experiment=experiment, workspace=answer, compare=compare
    )


def _open_with(wanted: OpenRequest, models: tuple[Path, ...]) -> Workspace | Misfit:
    """Open it with further models, or without those that are gone or damaged."""
    known = wanted.checkpoint_paths
    others = tuple(path for path in models if path not in known and path.is_file())
    if others:
        try:
            return open_files(replace(wanted, checkpoint_paths=(*known, *others)))
        except MtmError as error:
            logger.warning("Some models were left out: %s", error)
    return open_files(wanted)


def _at_hand(current: Workspace | None) -> tuple[Path, ...]:
    if current is None:
        return ()
    return (current.path, *(model.checkpoint.path for model in current.models))
