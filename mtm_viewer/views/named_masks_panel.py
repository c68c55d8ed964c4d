"""Masks that a person gave a name: save, use, combine with what is on screen, forget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from mtm_viewer.theme import Theme

USE, COMPLEMENT, FORGET = "use", "complement", "forget"
DEEDS = {
    USE: ("Use", "Put this mask on screen in place of the present one."),
    "union": ("Union", "Hide what is hidden now and what this mask hides."),
    "intersection": ("Intersect", "Hide only what is hidden now and by this mask as well."),
    "difference": ("Subtract", "Show again what this mask hides; keep the rest hidden."),
    COMPLEMENT: ("Complement", "Hide what this mask shows, and show what it hides."),
    FORGET: ("Forget", "Remove this name; the mask on screen stays. It can be undone."),
}
"""What can be done with a named mask: the text of the button and its tooltip."""
_COLUMNS = 2


@dataclass(frozen=True, kw_only=True)
class NamedLine:
    """A line of the list.

    Parameters
    ----------
    name : str
        The mask's name.
    words : str
        What it hides, in words.
    """

    name: str
    words: str


class NamedMasksPanel(QWidget):
    """List of named masks with a field to name the present one.

    Notes
    -----
    Signals: `named` a new name, `deed_chosen` a deed out of `DEEDS` and the name of a mask.
    """

    named = pyqtSignal(str)
    deed_chosen = pyqtSignal(str, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.name = QLineEdit(self)
        self.name.setPlaceholderText("Name of this mask")
        self.name.setAccessibleName("Name for the mask on screen")
        self.save = QPushButton("Save", self)
        self.save.setAccessibleName("Save the mask on screen under this name")
        self.list = QListWidget(self)
        self.list.setAccessibleName("Named masks of this session")
        self.empty = QLabel("No mask of this session has a name yet.", self)
        self.empty.setWordWrap(True)
        self.buttons: dict[str, QPushButton] = {}
        self._lay_out()
        self._connect()
        self.draw((), can_name=False)

    def draw(self, lines: Sequence[NamedLine], *, can_name: bool) -> None:
        """Show the named masks; what was chosen stays chosen.

        Parameters
        ----------
        lines : sequence of NamedLine
            The masks.
        can_name : bool
            Whether something is hidden now that could be named.
        """
        chosen = self.chosen
        self.list.clear()
        for line in lines:
            item = QListWidgetItem(line.name)
            item.setToolTip(f"{line.name}: {line.words}")
            item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{line.name}, {line.words}")
            self.list.addItem(item)
            if line.name == chosen:
                self.list.setCurrentItem(item)
        if lines and not self.chosen:
            self.list.setCurrentRow(0)
        self.list.setVisible(bool(lines))
        self.empty.setVisible(not lines)
        self.allow_naming(is_allowed=can_name)
        self._show_buttons()

    def allow_naming(self, *, is_allowed: bool) -> None:
        """Say whether something is hidden now that could be named."""
        self._can_name = is_allowed
        self.name.setEnabled(is_allowed)
        self._show_buttons()

    @property
    def chosen(self) -> str:
        """The name of the chosen mask; "" for none."""
        item = self.list.currentItem()
        return "" if item is None else item.text()

    def set_theme(self, theme: Theme) -> None:
        """Follow the window's colours."""
        self.empty.setStyleSheet(f"color: {theme.muted};")

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.addWidget(self.name, 1)
        top.addWidget(self.save)
        grid = QGridLayout()
        grid.setSpacing(4)
        for place, (deed, (text, help_text)) in enumerate(DEEDS.items()):
            button = QPushButton(text, self)
            button.setAccessibleName(f"{text}: the chosen mask")
            button.setToolTip(help_text)
            button.clicked.connect(lambda _=False, deed=deed: self._choose(deed))
            grid.addWidget(button, place // _COLUMNS, place % _COLUMNS)
            self.buttons[deed] = button
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 4, 6, 6)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self.empty)
        layout.addWidget(self.list, 1)
        layout.addLayout(grid)
        layout.addStretch(0)

    def _connect(self) -> None:
        self.name.returnPressed.connect(self._save)
        self.name.textChanged.connect(lambda _: self._show_buttons())
        self.save.clicked.connect(lambda _: self._save())
        self.list.itemActivated.connect(lambda _: self._choose(USE))
        self.list.currentRowChanged.connect(lambda _: self._show_buttons())

    def _save(self) -> None:
        name = self.name.text().strip()
        if name:
            self.name.clear()
            self.named.emit(name)

    def _choose(self, deed: str) -> None:
        if self.chosen:
            self.deed_chosen.emit(deed, self.chosen)

    def _show_buttons(self) -> None:
        self.save.setEnabled(self._can_name and bool(self.name.text().strip()))
        for button in self.buttons.values():
            button.setEnabled(bool(self.chosen))

    _can_name = False
