"""A window that tells all about a session."""

from __future__ import annotations

from PyQt6.QtCore import Qt
from PyQt6.QtWidgets import QDialog, QDialogButtonBox, QTextBrowser, QVBoxLayout, QWidget


class SessionDetailsView(QDialog):
    """Where a session came from, how it was prepared, what was left out.

    Parameters
    ----------
    name : str
        The session.
    text : str
        Rich text.
    parent : QWidget, optional
        The window it belongs to.
    """

    def __init__(self, name: str, text: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"About {name}")
        self.setAccessibleName(f"About {name}")
        self.text = QTextBrowser(self)
        self.text.setAccessibleName("About the session")
        self.text.setHtml(text)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        for button in buttons.buttons():
            button.setAccessibleName("Close")
        layout = QVBoxLayout(self)
        layout.addWidget(self.text)
        layout.addWidget(buttons)
        self.resize(760, 560)
