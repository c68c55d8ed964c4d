"""The session browser: where to look, what to look for, what was found, how it is prepared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PyQt6.QtCore import QSignalBlocker, QSize, Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from mtm_viewer.presenters.session_list import (
    SHELVES,
    SessionRow,
    ShelfName,
    counted,
)
from mtm_viewer.theme import LIGHT, Theme
from mtm_viewer.views.database_bar import DatabaseBar
from mtm_viewer.views.session_table import SessionTable
from mtm_viewer.views.status import ElidedLabel

_SHELF_WIDTH = 164
_SEARCH_WORDS: Mapping[ShelfName, str] = {
    "bundled": "Find by name, subject, date or region",
    "recent": "Find by name, subject, date or region",
    "disk": "Find by name, subject, date or region",
    "database": "Subject or lab (a part is enough), or paste an eid",
}


@dataclass(frozen=True, kw_only=True)
class ShelfDrawable:
    """What one shelf of the browser holds.

    Parameters
    ----------
    rows : tuple of SessionRow
        The sessions that the search left.
    n_all : int
        How many there are without the search.
    is_searching : bool
        Whether more may come.
    message : str
        Shown in place of an empty list.
    note : str
        Added to the number of sessions.
    """

    rows: tuple[SessionRow, ...] = ()
    n_all: int = 0
    is_searching: bool = False
    message: str = ""
    note: str = ""


class SessionBrowser(QWidget):
    """Lists sessions by where they lie.

    Notes
    -----
    Signals: `shelf_chosen` a `ShelfName`, `searched` a text while it is being typed, `entered`
    the text when Enter is pressed, `session_chosen` a `SessionRow`, `scan_requested` nothing,
    `settings_requested` nothing.
    """

    shelf_chosen = pyqtSignal(str)
    searched = pyqtSignal(str)
    entered = pyqtSignal(str)
    session_chosen = pyqtSignal(object)
    scan_requested = pyqtSignal()
    settings_requested = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Session browser")
        self._theme = LIGHT
        self._shelf: ShelfName = "bundled"
        self._searches: dict[ShelfName, str] = {}
        self.shelves = _shelf_list(self)
        self.search = QLineEdit(self)
        self.search.setAccessibleName("Search sessions")
        self.search.setClearButtonEnabled(True)
        self.scan = QPushButton("Look in a folder…", self)
        self.scan.setToolTip("Look for ALF sessions, NWB files and session files in a folder.")
        self.database = DatabaseBar(self)
        self.table = SessionTable(self)
        self.message = QLabel(self)
        self.message.setAccessibleName("Why the list is empty")
        self.message.setWordWrap(True)
        self.message.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.count = QLabel(self)
        self.count.setAccessibleName("Number of sessions")
        self.preparation = ElidedLabel("How a recording will be prepared", self)
        self.settings = QPushButton("Preparation…", self)
        self.settings.setToolTip("Choose units, trials, window and bins for what is opened next.")
        self.open = QPushButton("Open", self)
        self.open.setDefault(True)
        self._pages = QStackedWidget(self)
        self._lay_out()
        self._connect()
        self.choose_shelf("bundled")
        self._on_current(None)

    @property
    def shelf(self) -> ShelfName:
        """Where sessions are looked for now."""
        item = self.shelves.currentItem()
        name: ShelfName = item.data(Qt.ItemDataRole.UserRole) if item is not None else "bundled"
        return name

    def choose_shelf(self, shelf: ShelfName) -> None:
        """Look somewhere else."""
        self.shelves.setCurrentRow(list(SHELVES).index(shelf))

    def go_to_list(self) -> None:
        """Let the keyboard choose among what was found."""
        self.table.setFocus()
        if self.table.current() is None and self.table.sessions.rows:
            self.table.selectRow(0)

    def draw(self, drawable: ShelfDrawable) -> None:
        """Show what the chosen shelf holds."""
        self.table.draw(drawable.rows)
        is_empty = not drawable.rows
        self._pages.setCurrentIndex(1 if is_empty else 0)
        words = counted(len(drawable.rows), drawable.n_all, is_searching=drawable.is_searching)
        is_told = not is_empty or drawable.is_searching
        self.count.setText(f"{words}{drawable.note}" if is_told else "")
        self.message.setText("" if drawable.is_searching else drawable.message)

    def draw_shelves(self, notes: Mapping[ShelfName, str]) -> None:
        """Write beside each shelf how many sessions it holds, or that it is offline."""
        for place, (name, title) in enumerate(SHELVES.items()):
            item = self.shelves.item(place)
            if item is not None:
                item.setText(f"{title}   {notes.get(name, '')}".rstrip())

    def draw_preparation(self, words: str, tooltip: str) -> None:
        """Say how a recording will be prepared."""
        self.preparation.setText(words)
        self.preparation.setToolTip(tooltip)

    def set_theme(self, theme: Theme) -> None:
        """Follow the window's colours."""
        self._theme = theme
        self.database.set_theme(theme)
        for label in (self.count, self.message):
            label.setStyleSheet(f"color: {theme.muted};")
        self.preparation.setStyleSheet(f"color: {theme.muted};")

    def sizeHint(self) -> QSize:
        """Take a good part of a window (Qt's own hook)."""
        return QSize(1000, 460)

    def _lay_out(self) -> None:
        self.shelves.setFixedWidth(_SHELF_WIDTH)
        top = QHBoxLayout()
        top.addWidget(self.search, 1)
        top.addWidget(self.scan)
        self._pages.addWidget(self.table)
        self._pages.addWidget(self.message)
        foot = QHBoxLayout()
        foot.setSpacing(10)
        foot.addWidget(self.count)
        foot.addWidget(self.preparation, 1)
        foot.addWidget(self.settings)
        foot.addWidget(self.open)
        column = QVBoxLayout()
        column.setSpacing(8)
        column.addLayout(top)
        column.addWidget(self.database)
        column.addWidget(self._pages, 1)
        column.addLayout(foot)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(self.shelves)
        layout.addLayout(column, 1)

    def _connect(self) -> None:
        self.shelves.currentItemChanged.connect(lambda *_: self._on_shelf())
        self.search.textChanged.connect(self.searched)
        self.search.returnPressed.connect(self._on_enter)
        self.scan.clicked.connect(lambda _: self.scan_requested.emit())
        self.settings.clicked.connect(lambda _: self.settings_requested.emit())
        self.table.chosen.connect(self.session_chosen)
        self.table.current_changed.connect(self._on_current)
        self.open.clicked.connect(lambda _: self._open_current())

    def _on_shelf(self) -> None:
        """Show the fields of a shelf, with what was searched for on it before."""
        self._searches[self._shelf] = self.search.text()
        shelf = self._shelf = self.shelf
        with QSignalBlocker(self.search):
            self.search.setText(self._searches.get(shelf, ""))
        self.database.setVisible(shelf == "database")
        self.scan.setVisible(shelf == "disk")
        self.preparation.setVisible(shelf != "bundled")  # those are opened as they come
        self.search.setPlaceholderText(_SEARCH_WORDS[shelf])
        self.shelf_chosen.emit(shelf)

    def _on_enter(self) -> None:
        """Go on to the list, or let a pasted eid or path be opened."""
        self.entered.emit(self.search.text())

    def _on_current(self, row: SessionRow | None) -> None:
        self.open.setEnabled(row is not None and not row.problem)
        is_far = row is not None and not row.is_local
        self.open.setText("Download and open" if is_far else "Open")

    def _open_current(self) -> None:
        row = self.table.current()
        if row is not None:
            self.session_chosen.emit(row)


def _shelf_list(parent: QWidget) -> QListWidget:
    shelves = QListWidget(parent)
    shelves.setAccessibleName("Where to look")
    for name, title in SHELVES.items():
        item = QListWidgetItem(title)
        item.setData(Qt.ItemDataRole.UserRole, name)
        item.setSizeHint(QSize(_SHELF_WIDTH - 8, 34))
        shelves.addItem(item)
    return shelves


def shelf_message(shelf: ShelfName, query: str, problems: Sequence[str] = ()) -> str:
    """Say why a list is empty, and what to do next.

    Examples
    --------
    >>> shelf_message("recent", "")
    'Nothing has been opened yet. What you open is listed here.'
    """
    if problems:
        return problems[0]
    if query.strip():
        return f"No session fits '{query.strip()}'. Search for less, or look elsewhere."
    return {
        "bundled": "This installation brought no recordings.",
        "recent": "Nothing has been opened yet. What you open is listed here.",
        "disk": "Look in a folder for ALF sessions, NWB files and session files, or drop one "
        "anywhere on the window.",
        "database": "No session of the database fits these filters.",
    }[shelf]
