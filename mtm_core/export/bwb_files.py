"""BrainWideBench's files: where they lie, what they hold, and how they are written.

Predictions lie in ``predictions/LABEL/TASK/RECORDING/seed_N.safetensors``, what they are compared
with in ``ground_truth/TASK/RECORDING/ground_truth.safetensors``. Each holds tensors, and text
beside them.

========  ===================================================  ===================================
kind      predictions                                          ground truth
========  ===================================================  ===================================
activity  ``predictions`` log-rates per bin (n_windows,        ``targets`` counts (same shape)
          n_bins, n_units)
classes   ``predictions`` logits (n_trials, 1, n_classes)      ``values`` class (n_trials, 1)
signal    ``predictions`` (n_trials, n_bins, 1)                ``values`` (same shape)
========  ===================================================  ===================================

Both files know windows by ``window_timestamps`` (start in seconds, float64) and units by
``unit_ids`` (a row of ASCII bytes each), trials by ``trial_id``; a signal has ``timestamps``
(n_trials, n_bins), seconds after the start of the window.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

import mtm_core
from mtm_core.errors import CheckpointError, ConfigError, OutputError
from mtm_core.export.bwb_tasks import EVALUATOR_VERSION, OWN_SPLIT, BwbTask
from mtm_core.models.tensor_file import open_tensors, write_tensors

PREDICTIONS, TRUTH = "predictions", "ground_truth"
LABEL_END = "-own-split"
"""Every label ends so, that a table which shows labels only says whose split it was."""


@dataclass(frozen=True, eq=False, kw_only=True)
class BwbAnswer:
    """What a model says about one task, and the truth.

    Parameters
    ----------
    task : BwbTask
        The task.
    predictions, truth : mapping of str to Tensor
        The tensors of both files.
    choices : mapping of str to str
        What the predictions depend on: mask, prompt, decoder.
    caveat : str or None
        What a careful reader should mind.
    """

    task: BwbTask
    predictions: Mapping[str, Tensor]
    truth: Mapping[str, Tensor]
    choices: Mapping[str, str]
    caveat: str | None


@dataclass(frozen=True, kw_only=True)
class BwbPlace:
    """Where the files of one model and one recording lie.

    Parameters
    ----------
    folder : Path
        Holds ``predictions`` and ``ground_truth``.
    label : str
        Of the model; see `make_label`.
    recording : str
        See `mtm_core.export.bwb_units.recording_id`.
    seed : int
        Of the model's training.
    """

    folder: Path
    label: str
    recording: str
    seed: int

    def predictions(self, task: BwbTask) -> Path:
        """Return the file of the predictions of a task."""
        name = f"seed_{self.seed}.safetensors"
        return self.folder / PREDICTIONS / self.label / task.id / self.recording / name

    def truth(self, task: BwbTask) -> Path:
        """Return the file that they are compared with."""
        return self.folder / TRUTH / task.id / self.recording / "ground_truth.safetensors"


def make_label(name: str) -> str:
    """Return the label of a model: its name, and that the split is our own.

    Raises
    ------
    ConfigError
        If the name could not be that of a folder.

    Examples
    --------
    >>> make_label("quick"), make_label("quick-own-split")
    ('quick-own-split', 'quick-own-split')
    """
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", name):
        msg = (
            f"--label is '{name}', but it names a folder: write letters, digits, '.', '_' and "
            "'-', at most 100 of them."
        )
        raise ConfigError(msg)
    return name.removesuffix(LABEL_END) + LABEL_END


def make_folder(folder: Path) -> None:
    """Make a folder and those above it.

    Raises
    ------
    OutputError
        If that is not possible.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        msg = f"Could not make the folder {folder}: {why}. Choose another by --out."
        raise OutputError(msg) from error


def write_answer(
    place: BwbPlace, answer: BwbAnswer, about: Mapping[str, str]
) -> tuple[Path, Path]:
    """Write the predictions of a task and what they are judged by.

    Parameters
    ----------
    place : BwbPlace
        Where.
    answer : BwbAnswer
        What.
    about : mapping of str to str
        What else to say in both files: split, units, bins.

    Returns
    -------
    (Path, Path)
        Of the predictions and of the truth.

    Raises
    ------
    OutputError
        If a file cannot be written, or there is another truth already: of other trials, units or
        bins, by which other predictions in the folder are judged.
    """
    about = {"task": answer.task.id, "recording_id": place.recording, **about}
    truth = place.truth(answer.task)
    if not _is_there(truth, answer.truth):
        make_folder(truth.parent)
        write_tensors(truth, answer.truth, about)
    predictions = place.predictions(answer.task)
    make_folder(predictions.parent)
    stamp = {
        "label": place.label,
        "seed": str(place.seed),
        "ibl_bwb_eval_version": EVALUATOR_VERSION,
        "written_by": f"mtm_core {mtm_core.__version__}",
        "scores_are": OWN_SPLIT,
    }
    write_tensors(predictions, answer.predictions, {**about, **stamp, **answer.choices})
    return predictions, truth


def _is_there(path: Path, tensors: Mapping[str, Tensor]) -> bool:
    """Tell whether a file holds these tensors already; refuse it if it holds others."""
    if not path.exists():
        return False
    try:
        found = open_tensors(path).read()
    except CheckpointError:  # not whole: it is replaced
        return False
    if found.keys() == tensors.keys() and all(
        found[name].dtype == tensors[name].dtype and torch.equal(found[name], tensors[name])
        for name in tensors
    ):
        return True
    msg = (
        f"{path} holds the truth of other trials, units or bins, by which what is there already "
        "is judged. Choose another folder by --out, or the same split and units."
    )
    raise OutputError(msg)
