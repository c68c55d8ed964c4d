"""Models that a person trained here come on screen with their session."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from mtm_core.data.session import Session
from mtm_viewer.presenters.run_list import RunInfo, newest_model_of
from mtm_viewer.state import ViewerState


class OwnModels:
    """Opens the newest model of a session that has none on screen, once.

    Parameters
    ----------
    state : ViewerState
        What is open.
    open_checkpoint : callable
        Opens a checkpoint.
    say : callable
        Tells in a sentence what is done.
    """

    def __init__(
        self,
        state: ViewerState,
        open_checkpoint: Callable[[Path], object],
        say: Callable[[str], object],
    ) -> None:
        self._state = state
        self._open = open_checkpoint
        self._say = say
        self._opened: tuple[Session, Path] | None = None

    def look(self, runs: Sequence[RunInfo]) -> None:
        """Open a model if there is one to open."""
        workspace = self._state.workspace
        if workspace is None or workspace.model is not None:
            return
        run = newest_model_of(workspace.recording, runs)
        if run is not None and (workspace.recording, run.folder) != self._opened:
            self._opened = (workspace.recording, run.folder)
            self._say(f"Opening the model that was trained here: {run.title}")
            self._open(run.model_path)
