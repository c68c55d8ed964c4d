"""Models that a person trained here come on screen with their session, or can be chosen there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from mtm_core.data.session import Session
from mtm_viewer.presenters.run_list import RunInfo, models_of, offer_words
from mtm_viewer.state import ViewerState
from mtm_viewer.views.model_bar import ModelBar


class OwnModels:
    """Lists the models of a session; opens the newest, once, where none is on screen.

    Parameters
    ----------
    state : ViewerState
        What is open.
    bar : ModelBar
        Where models are chosen.
    open_checkpoint : callable
        Opens a checkpoint.
    say : callable
        Tells in a sentence what is done.
    """

    def __init__(
        self,
        state: ViewerState,
        bar: ModelBar,
        open_checkpoint: Callable[[Path], object],
        say: Callable[[str], object],
    ) -> None:
        self._state = state
        self._bar = bar
        self._open = open_checkpoint
        self._say = say
        self._opened: tuple[Session, Path] | None = None
        bar.own_chosen.connect(open_checkpoint)

    def look(self, runs: Sequence[RunInfo]) -> None:
        """List what can be opened, and open a model if there is none."""
        workspace = self._state.workspace
        if workspace is None:
            return
        shown = {model.checkpoint.path for model in workspace.models}
        own = [run for run in models_of(workspace.recording, runs) if run.model_path not in shown]
        self._bar.draw_own({run.model_path: offer_words(run) for run in own})
        if workspace.model is not None or not own:
            return
        newest = own[0]
        if (workspace.recording, newest.folder) != self._opened:
            self._opened = (workspace.recording, newest.folder)
            self._say(f"Opening the model that was trained here: {newest.title}")
            self._open(newest.model_path)
