"""What lets a wide panel stand in a narrow dock: it can be scrolled in place of pushing."""

from __future__ import annotations

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtWidgets import QFrame, QScrollArea, QWidget

_HIGH_ENOUGH = 200


class SideScroll(QScrollArea):
    """Shows a panel whole where there is room, else with scroll bars.

    Parameters
    ----------
    view : QWidget
        The panel.
    """

    def __init__(self, view: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(f"{view.accessibleName()}, to scroll")
        self.setWidget(view)

    def sizeHint(self) -> QSize:
        """Ask for the room that the panel would like (Qt's own hook)."""
        view = self.widget()
        return super().sizeHint() if view is None else view.sizeHint()

    def minimumSizeHint(self) -> QSize:
        """Push nothing aside, but be high enough to be read (Qt's own hook)."""
        view = self.widget()
        wanted = 0 if view is None else view.minimumSizeHint().height()
        return QSize(0, min(wanted, _HIGH_ENOUGH))
