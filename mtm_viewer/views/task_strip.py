"""The strip at the bottom while something takes longer: what, how far, and a way to stop it."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QWidget

from mtm_viewer.presenters.transfer import TaskDrawable
from mtm_viewer.theme import Theme
from mtm_viewer.views.status import ElidedLabel

_STEPS = 1000


class TaskStrip(QWidget):
    """Shows a `TaskDrawable`, or nothing.

    Parameters
    ----------
    name : str
        What it is about, for screen readers.
    parent : QWidget, optional
        Where it stands.

    Notes
    -----
    Signal: `cancelled`.
    """

    cancelled = pyqtSignal()

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(name)
        self.title = QLabel(self)
        self.title.setAccessibleName(f"{name}: what is being done")
        self.detail = ElidedLabel(f"{name}: how far it is", self)
        self.progress = QProgressBar(self)
        self.progress.setAccessibleName(f"{name}: share that is done")
        self.progress.setTextVisible(False)
        self.progress.setFixedWidth(220)
        self.cancel = QPushButton("Cancel", self)
        self.cancel.setAccessibleName(f"Cancel: {name.lower()}")
        self.cancel.clicked.connect(lambda _: self.cancelled.emit())
        layout = QHBoxLayout(self)
        layout.setContentsMargins(10, 4, 8, 4)
        layout.setSpacing(12)
        layout.addWidget(self.title)
        layout.addWidget(self.progress)
        layout.addWidget(self.detail, 1)
        layout.addWidget(self.cancel)
        self.setVisible(False)

    def draw(self, drawable: TaskDrawable | None) -> None:
        """Show how far a task is; None hides the strip."""
        self.setVisible(drawable is not None)
        if drawable is None:
            return
        self.title.setText(drawable.title)
        self.detail.setText(drawable.detail)
        self.cancel.setEnabled(drawable.can_cancel)
        if drawable.share is None:
            self.progress.setRange(0, 0)
        else:
            self.progress.setRange(0, _STEPS)
            self.progress.setValue(round(drawable.share * _STEPS))

    def set_theme(self, theme: Theme) -> None:
        """Follow the window's colours."""
        self.setObjectName("task")
        self.setStyleSheet(
            f"QWidget#task {{ background: {theme.panel}; border-top: 1px solid {theme.border}; }}"
        )
        self.title.setStyleSheet("font-weight: 600;")
