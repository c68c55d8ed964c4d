"""All steps by name; a click on one goes there."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QUndoStack
from PyQt6.QtWidgets import QLabel, QUndoView, QVBoxLayout, QWidget

from mtm_viewer.theme import Theme

_HINT = "Click a step to go back or forth to it."


class HistoryPanel(QWidget):
    """The undo stack as a list."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.steps = QUndoView(self)
        self.steps.setAccessibleName("Steps of the mask")
        self.steps.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.steps.setEmptyLabel("as opened")
        self.steps.setToolTip(_HINT)
        self.hint = QLabel(_HINT, self)
        self.hint.setWordWrap(True)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.setSpacing(4)
        layout.addWidget(self.hint)
        layout.addWidget(self.steps, 1)

    def set_stack(self, stack: QUndoStack) -> None:
        """List the steps of a stack from now on."""
        self.steps.setStack(stack)

    def set_theme(self, theme: Theme) -> None:
        """Follow the window's colours."""
        self.hint.setStyleSheet(f"color: {theme.muted};")
