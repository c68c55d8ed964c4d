"""The menu of a raster's title: which map stands there."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QMenu, QWidget

from mtm_viewer.presenters.raster_settings import PANEL_WORDS, PLACES


class PanelMenu(QMenu):
    """Lists the maps; deletes itself when it is closed.

    Parameters
    ----------
    place : int
        Which raster, from the left.
    shown : str
        The map that stands there.

    Notes
    -----
    Signal: `chosen` the name of a map.
    """

    chosen = pyqtSignal(str)

    def __init__(self, place: int, shown: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAccessibleName(f"What the {PLACES[place]} raster shows")
        for name, words in PANEL_WORDS.items():
            action = self.addAction(words)
            if action is not None:
                action.setCheckable(True)
                action.setChecked(name == shown)
                action.triggered.connect(lambda _=False, name=name: self.chosen.emit(name))
