"""The command palette: type a few letters, press Enter."""

from __future__ import annotations

from PyQt6.QtCore import QEvent, QObject, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent, QKeySequence
from PyQt6.QtWidgets import QDialog, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from mtm_viewer.commands import Command, CommandRegistry

_MOST = 60
_KEYS_OF_LIST = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)


class CommandPalette(QDialog):
    """Lists what can be done now; emits the id of what was chosen."""

    chosen = pyqtSignal(str)

    def __init__(self, registry: CommandRegistry, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._registry = registry
        self.setWindowTitle("Commands")
        self.setAccessibleName("Command palette")
        self.search = QLineEdit(self)
        self.search.setPlaceholderText("Type a command, or a region to click")
        self.search.setAccessibleName("Search commands")
        self.search.textChanged.connect(self._show_found)
        self.search.returnPressed.connect(self._choose_current)
        self.search.installEventFilter(self)
        self.found = QListWidget(self)
        self.found.setAccessibleName("Commands found")
        self.found.itemClicked.connect(lambda _: self._choose_current())
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.addWidget(self.search)
        layout.addWidget(self.found)
        self.resize(520, 380)

    def open_fresh(self) -> None:
        """Show all commands, ready for typing."""
        self.search.clear()
        self._show_found("")
        self.open()
        self.search.setFocus()

    def eventFilter(self, watched: QObject | None, event: QEvent | None) -> bool:
        """Let the arrow keys move in the list while typing goes on (Qt's own hook)."""
        if watched is self.search and isinstance(event, QKeyEvent):
            is_press = event.type() == QEvent.Type.KeyPress
            if is_press and event.key() in _KEYS_OF_LIST:
                self.found.keyPressEvent(event)
                return True
        return super().eventFilter(watched, event)

    def _show_found(self, query: str) -> None:
        self.found.clear()
        for command in self._registry.search(query)[:_MOST]:
            self.found.addItem(_row(command))
        if self.found.count():
            self.found.setCurrentRow(0)

    def _choose_current(self) -> None:
        item = self.found.currentItem()
        if item is not None:
            self.accept()
            self.chosen.emit(item.data(Qt.ItemDataRole.UserRole))


def _row(command: Command) -> QListWidgetItem:
    place = f"{command.menu.replace('/', ' > ')}: " if command.menu else ""
    keys = QKeySequence(command.shortcut).toString(QKeySequence.SequenceFormat.NativeText)
    item = QListWidgetItem(f"{place}{command.plain_title}" + (f"    {keys}" if keys else ""))
    item.setData(Qt.ItemDataRole.UserRole, command.id)
    item.setToolTip(command.help)
    return item
