"""Asking for files and folders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PyQt6.QtWidgets import QFileDialog, QWidget

Then = Callable[[Path], object]


def ask_file(parent: QWidget, title: str, kinds: Sequence[str], folder: str, then: Then) -> None:
    """Ask for a file that exists.

    Parameters
    ----------
    parent : QWidget
        The window that the question belongs to.
    title : str
        What the file is for.
    kinds : sequence of str
        Filters of names, in Qt's form: ``"Sessions (*.h5)"``.
    folder : str
        Where to begin.
    then : callable
        Takes the answer; not called if there is none.
    """
    dialog = _dialog(parent, title, folder, then)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.setNameFilters(list(kinds))
    dialog.open()


def ask_folder(parent: QWidget, title: str, folder: str, then: Then) -> None:
    """Ask for a folder; see `ask_file`."""
    dialog = _dialog(parent, title, folder, then)
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly, on=True)
    dialog.open()


def ask_where_to_save(
    parent: QWidget, title: str, kinds: Sequence[str], place: Path, then: Then
) -> None:
    """Ask for the name of a file to write; its ending is that of the chosen kind if none is typed.

    See `ask_file` for the other parameters.

    Parameters
    ----------
    place : Path
        What is proposed: a folder, and a name without its ending.
    """
    dialog = _dialog(parent, title, str(place.parent), then)
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setNameFilters(list(kinds))
    dialog.setDefaultSuffix(_ending(kinds[0]))
    dialog.filterSelected.connect(lambda kind: dialog.setDefaultSuffix(_ending(kind)))
    dialog.selectFile(place.name)
    dialog.open()


def _ending(kind: str) -> str:
    """Return the first ending of a filter.

    Examples
    --------
    >>> _ending("Experiments (*.mtm.json *.json)")
    'mtm.json'
    """
    return kind.partition("*.")[2].partition(")")[0].partition(" ")[0]


def _dialog(parent: QWidget, title: str, folder: str, then: Then) -> QFileDialog:
    dialog = QFileDialog(parent, title)
    dialog.setDirectory(folder)
    dialog.fileSelected.connect(lambda name: then(Path(name)))
    dialog.finished.connect(dialog.deleteLater)
    return dialog
