"""The page of the session browser: what the window shows before anything is open, or between."""

from __future__ import annotations

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from mtm_viewer.theme import Theme, mix
from mtm_viewer.views.session_browser import SessionBrowser

_WIDEST = 1280


class WelcomePage(QWidget):
    """Ways to begin: the demo, a file, a folder, or a session from the browser.

    Notes
    -----
    Signals: `tour_requested`, `demo_requested`, `open_requested`, `folder_requested`,
    `back_requested` nothing.
    """

    tour_requested = pyqtSignal()
    demo_requested = pyqtSignal()
    open_requested = pyqtSignal()
    folder_requested = pyqtSignal()
    back_requested = pyqtSignal()

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
        self.first = QLabel(
            "New here? <b>Take the tour</b>: two minutes, with a recording that came along. "
            "More recordings are in the list below; a model of any is trained in about a minute.",
            self,
        )
        self.first.setWordWrap(True)
        self.first.setAccessibleName("Welcome")
        self.first.setVisible(False)
        self.tour = QPushButton("Take the tour", self)
        self.tour.setToolTip("Two minutes through the window, with the demo.")
        self.demo = QPushButton("Open the demo", self)
        self.open = QPushButton("Open file…", self)
        self.open.setToolTip("A session file or an NWB file.")
        self.folder = QPushButton("Open folder…", self)
        self.folder.setToolTip("An ALF session, a folder of your own layout, or many sessions.")
        self.back = QPushButton("Back to the session", self)
        self.back.setToolTip("Show the session that is open (Esc).")
        self.demo.setDefault(True)
        self.browser = SessionBrowser(self)
        self.drop = QLabel(
            "Drop a session folder, an .nwb or .h5 file, or a checkpoint anywhere on the window; "
            "paste a path or an eid with Ctrl+V.",
            self,
        )
        self.drop.setWordWrap(True)
        self._lay_out()
        for button, signal in (
            (self.tour, self.tour_requested),
            (self.demo, self.demo_requested),
            (self.open, self.open_requested),
            (self.folder, self.folder_requested),
            (self.back, self.back_requested),
        ):
            button.clicked.connect(lambda _, signal=signal: signal.emit())
        self.draw(has_demo=True, session="")

    def draw(self, *, has_demo: bool, session: str) -> None:
        """Offer the demo if there is one, and the way back to the session that is open."""
        self.demo.setEnabled(has_demo)
        self.demo.setToolTip("" if has_demo else "This installation has no demo checkpoint.")
        is_open = bool(session)
        self.back.setVisible(is_open)
        self.tour.setVisible(has_demo and not is_open)
        self.back.setText("Back to the session")
        self.back.setToolTip(f"Show {session} again (Esc)." if is_open else "")
        self.words.setVisible(not is_open)
        self.title.setText("Sessions" if is_open else "What can the rest of the brain tell?")

    def draw_first(self, *, is_first: bool) -> None:
        """Say a word more to those who see the window for the first time."""
        self.first.setVisible(is_first)

    def set_theme(self, theme: Theme) -> None:
        """Follow the window's colours."""
        self.title.setStyleSheet(f"color: {theme.text}; font-size: 19pt; font-weight: 600;")
        self.words.setStyleSheet(f"color: {theme.muted}; font-size: 11pt;")
        self.drop.setStyleSheet(f"color: {theme.muted};")
        back = mix(theme.window, theme.accent, 0.12)
        self.first.setStyleSheet(
            f"color: {theme.text}; background: {back}; border: 1px solid {theme.accent};"
            "border-radius: 6px; padding: 8px 12px; font-size: 11pt;"
        )
        self.browser.set_theme(theme)

    def minimumSizeHint(self) -> QSize:
        """Never keep the window wide while a session is shown (Qt's own hook)."""
        return QSize(0, 0)

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self.title, 1)
        for button in (self.tour, self.demo, self.open, self.folder, self.back):
            head.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        inner = QWidget(self)
        inner.setMaximumWidth(_WIDEST)
        column = QVBoxLayout(inner)
        column.setContentsMargins(24, 20, 24, 14)
        column.setSpacing(10)
        column.addLayout(head)
        column.addWidget(self.words)
        column.addWidget(self.first)
        column.addSpacing(6)
        column.addWidget(self.browser, 1)
        column.addWidget(self.drop)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addStretch(1)
        layout.addWidget(inner, 1000)
        layout.addStretch(1)
