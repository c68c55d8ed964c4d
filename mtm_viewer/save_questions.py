"""Asking where to save: in the folder of last time, under a name that says what it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

import platformdirs
from PyQt6.QtCore import QSettings

from mtm_viewer.main_window import MainWindow
from mtm_viewer.state import ViewerState
from mtm_viewer.views.file_questions import ask_where_to_save

_KEY = "saved_in"
_LONGEST = 120


class SaveQuestions:
    """Asks for files to write, and remembers the folder.

    Parameters
    ----------
    state : ViewerState
        What is shown, after which files are named.
    window : MainWindow
        The window that questions belong to.
    """

    def __init__(self, state: ViewerState, window: MainWindow) -> None:
        self._state = state
        self._window = window
        self._settings: QSettings | None = None
        self._last = ""

    def remember_in(self, settings: QSettings) -> None:
        """Keep the folder between starts."""
        self._settings = settings
        self._last = str(settings.value(_KEY, ""))

    @property
    def folder(self) -> Path:
        """Where the last file was saved; the folder of documents before any was."""
        last = Path(self._last)
        if self._last and last.is_dir():
            return last
        documents = Path(platformdirs.user_documents_dir())
        return documents if documents.is_dir() else Path.home()

    def name(self, what: str) -> str:
        """Propose a name without its ending: session, mask, and what it is."""
        workspace = self._state.workspace
        if workspace is None:
            return what
        return file_name(workspace.name, self._state.mask.title, what)

    def ask(
        self, title: str, kinds: Sequence[str], what: str, then: Callable[[Path], object]
    ) -> None:
        """Ask for the name of a file to write.

        Parameters
        ----------
        title : str
            What the file is for.
        kinds : sequence of str
            Filters of names, in Qt's form.
        what : str
            What will be in it, in a word; "" for the session itself.
        then : callable
            Takes the answer; not called if there is none.
        """

        def save(path: Path) -> None:
            self._last = str(path.parent)
            if self._settings is not None:
                self._settings.setValue(_KEY, self._last)
            then(path)

        ask_where_to_save(self._window, title, kinds, self.folder / self.name(what), save)


def file_name(*parts: str) -> str:
    """Make a name that every system takes.

    Examples
    --------
    >>> file_name("s12, probe 1", "Inter-region VISp", "rasters")
    's12-probe-1_Inter-region-VISp_rasters'
    """
    words = (re.sub(r"[^\w.+-]+", "-", part).strip("-.") for part in parts)
    return "_".join(filter(None, words))[:_LONGEST]
