"""What lies over the window while something is dragged across it."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QLabel, QWidget

from mtm_viewer.theme import Theme, rgba


class DropTarget(QLabel):
    """Says that what is dragged can be dropped here."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__("Drop to open", parent)
        self.setAccessibleName("Drop to open")
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()

    def draw(self, *, is_shown: bool) -> None:
        """Show it over everything else, or hide it."""
        self.setVisible(is_shown)
        if is_shown:
            self.raise_()

    def set_theme(self, theme: Theme) -> None:
        """Follow the window's colours."""
        red, green, blue, _ = rgba(theme.window)
        self.setStyleSheet(
            f"background: rgba({red}, {green}, {blue}, 200); color: {theme.accent};"
            f"border: 3px dashed {theme.accent}; font-size: 22pt; font-weight: 600;"
        )
