"""Named masks kept on disk: one small file for each session, written in the background."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QObject, QThreadPool, pyqtSignal

from mtm_core.errors import MaskError, OutputError
from mtm_core.masking.named_masks import (
    NamedMasks,
    change_named_masks,
    masks_file,
    read_named_masks,
)
from mtm_viewer.presenters.workspace import Workspace
from mtm_viewer.state import ViewerState

logger = logging.getLogger(__name__)
Tell = Callable[[str, str], object]


class MaskShelf(QObject):
    """Brings a session's named masks back when it is opened, and keeps them when they change.

    Parameters
    ----------
    state : ViewerState
        What is open and named.
    folder : Path
        Where the files lie; made when the first mask is named.
    tell : callable
        ``tell(title, sentence)`` shows a problem.
    """

    _failed = pyqtSignal(str)

    def __init__(self, state: ViewerState, folder: Path, tell: Tell) -> None:
        super().__init__(state)
        self._state = state
        self._folder = folder
        self._tell = tell
        self._session_id = ""
        self._kept = NamedMasks()
        self._pool = QThreadPool(self)
        self._pool.setMaxThreadCount(1)  # files are written in the order in which masks changed
        self._failed.connect(partial(tell, "The named masks could not be saved"))
        state.workspace_changed.connect(self._load)
        state.names_changed.connect(self._keep)

    def path_for(self, session_id: str) -> Path:
        """Return the file of a session: the one that ``mtm-core --named`` reads."""
        return masks_file(self._folder, session_id)

    def wait(self) -> None:
        """Wait until everything is written."""
        self._pool.waitForDone()

    def _load(self, workspace: Workspace | None) -> None:
        session_id = "" if workspace is None else workspace.session.session_id
        if session_id == self._session_id:
            return
        self.wait()
        self._session_id, self._kept = session_id, NamedMasks()
        path = self.path_for(session_id)
        try:
            self._kept = read_named_masks(path, session_id)
        except MaskError as error:
            self._tell("The named masks cannot be used", f"{error} {_put_aside(path)}")
        self._state.load_names(self._kept)

    def _keep(self, names: NamedMasks) -> None:
        workspace = self._state.workspace
        is_mine = workspace is not None and workspace.session.session_id == self._session_id
        if is_mine and names != self._kept:
            before, self._kept = self._kept, names
            self._pool.start(partial(self._write, before, names, self._session_id))

    def _write(self, before: NamedMasks, after: NamedMasks, session_id: str) -> None:
        """Write a change into a file; runs in a thread of its own."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            change_named_masks(self.path_for(session_id), before, after, session_id)
        except (MaskError, OutputError, OSError) as error:
            logger.exception("Named masks could not be written.")
            self._failed.emit(str(error))


def _put_aside(path: Path) -> str:
    """Move a file away that cannot be read; say where to."""
    aside = path.with_suffix(".unread.json")
    try:
        path.replace(aside)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        return f"They could not be put aside either: {why}."
    return f"They are kept as {aside}."
