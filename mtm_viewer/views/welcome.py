"""What the window shows before anything is open."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from mtm_viewer.theme import Theme

_WIDTH = 620
_LIST_HEIGHT = 330


class WelcomePage(QWidget):
    """Ways to begin: the demo, a file, one of the recordings that came along or were open last.

    Notes
    -----
    Signals: `demo_requested` and `open_requested` nothing, `session_chosen` a path.
    """

    demo_requested = pyqtSignal()
    open_requested = pyqtSignal()
    session_chosen = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = QLabel("What can the rest of the brain tell?", self)
        self.words = QLabel(
            "Hide a region, some units or a stretch of time of a recording, and see what a model "
            "trained by multi-task masking reconstructs from what is left, beside honest "
            "baselines.",
            self,
        )
        self.words.setWordWrap(True)
        self.demo = QPushButton("Open the demo", self)
        self.open = QPushButton("Open session…", self)
        self.demo.setDefault(True)
        self.list_title = QLabel("Recordings", self)
        self.sessions = QListWidget(self)
        self.sessions.setAccessibleName("Recordings to open")
        self.drop = QLabel("or drop a session file or a checkpoint anywhere on the window", self)
        self._lay_out()
        self.demo.clicked.connect(lambda _: self.demo_requested.emit())
        self.open.clicked.connect(lambda _: self.open_requested.emit())
        self.sessions.itemActivated.connect(self._choose)

    def draw(self, sessions: Sequence[tuple[str, str]], *, has_demo: bool) -> None:
        """List recordings as (name, path)."""
        self.sessions.clear()
        for name, path in sessions:
            item = QListWidgetItem(name)
            item.setData(Qt.ItemDataRole.UserRole, path)
            item.setToolTip(path)
            self.sessions.addItem(item)
        self.sessions.setVisible(bool(sessions))
        self.list_title.setVisible(bool(sessions))
        self.demo.setEnabled(has_demo)
        self.demo.setToolTip("" if has_demo else "This installation has no demo checkpoint.")

    def set_theme(self, theme: Theme) -> None:
        """Follow the window's colours."""
        self.title.setStyleSheet(f"color: {theme.text}; font-size: 19pt; font-weight: 600;")
        for label in (self.words, self.drop):
            label.setStyleSheet(f"color: {theme.muted}; font-size: 11pt;")

    def _lay_out(self) -> None:
        buttons = QHBoxLayout()
        buttons.addWidget(self.demo)
        buttons.addWidget(self.open)
        buttons.addStretch(1)
        column = QVBoxLayout()
        column.setSpacing(12)
        column.addStretch(1)
        for label in (self.title, self.words):
            label.setFixedWidth(_WIDTH)
            column.addWidget(label)
        column.addLayout(buttons)
        column.addSpacing(10)
        column.addWidget(self.list_title)
        column.addWidget(self.sessions)
        column.addWidget(self.drop)
        column.addStretch(1)
        self.title.setWordWrap(True)
        self.sessions.setFixedSize(_WIDTH, _LIST_HEIGHT)
        layout = QHBoxLayout(self)
        layout.addStretch(1)
        layout.addLayout(column)
        layout.addStretch(1)

    def _choose(self, item: QListWidgetItem) -> None:
        self.session_chosen.emit(item.data(Qt.ItemDataRole.UserRole))
