"""The newest few states of a run, so that a damaged one does not end it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from torch import Tensor

from mtm_core.errors import CheckpointError, TrainingError
from mtm_core.models.tensor_file import all_finite, open_tensors, write_tensors
from mtm_core.training.run_files import state_paths
from mtm_core.training.state import Progress

_PROGRESS = "progress"


class SavedState(NamedTuple):
    """A state as read.

    Parameters
    ----------
    tensors : dict of str to Tensor
        See `training.state.pack`.
    progress : Progress
        How far the run was.
    notes : tuple of str
        What a person should know: which newer states were damaged.
    """

    tensors: dict[str, Tensor]
    progress: Progress
    notes: tuple[str, ...]


class StateFiles:
    """Files ``state-STEP.safetensors`` of a run folder.

    Parameters
    ----------
    folder : Path
        The folder of the run.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def paths(self) -> list[Path]:
        """List the states, the newest first."""
        return state_paths(self.folder)

    def save(self, tensors: Mapping[str, Tensor], progress: Progress, keep: int) -> None:
        """Write a state, and remove all but the newest.

        Parameters
        ----------
        tensors : mapping of str to Tensor
            The state.
        progress : Progress
            Names its step.
        keep : int
            How many states to keep.

        Raises
        ------
        OutputError
            If it cannot be written; those before stay.
        """
        path = self.folder / f"state-{progress.step}.safetensors"
        write_tensors(path, tensors, {_PROGRESS: progress.to_json()})
        for old in self.paths()[keep:]:
            old.unlink(missing_ok=True)

    def load(self) -> SavedState:
        """Read the newest state that can be trusted; newer ones are set aside.

        Raises
        ------
        TrainingError
            If none can be trusted.
        """
        faults: list[tuple[Path, TrainingError]] = []
        for path in self.paths():
            try:
                tensors, progress = _read(path)
            except TrainingError as error:
                faults.append((path, error))
            else:
                notes = tuple(_set_aside(bad, progress.step) for bad, _ in faults)
                return SavedState(tensors, progress, notes)
        if faults:
            raise faults[0][1]
        msg = f"{self.folder} holds no state to resume from. Train into another folder."
        raise TrainingError(msg)


def _read(path: Path) -> tuple[dict[str, Tensor], Progress]:
    try:
        file = open_tensors(path)
        tensors = file.read()
    except CheckpointError as error:
        msg = f"This run cannot be resumed: {error}"
        raise TrainingError(msg) from error
    if not all_finite(tensors):
        msg = f"{path} holds numbers that are none; start anew in another folder."
        raise TrainingError(msg)
    return tensors, Progress.from_json(file.metadata.get(_PROGRESS, ""))


def _set_aside(path: Path, step: int) -> str:
    """Move a damaged state out of the way; say so."""
    aside = path.with_name(f"damaged-{path.name}")
    path.replace(aside)
    return (
        f"The newest checkpoint, {path.name}, was damaged and is now called {aside.name}: the run "
        f"goes on from the one before, of step {step}."
    )
