"""Windows that tell: problems in a sentence, shortcuts, the log, what this program is."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Mapping, Sequence

from PyQt6.QtCore import QSize, Qt
from PyQt6.QtGui import QFontDatabase, QKeySequence
from PyQt6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QMessageBox,
    QPlainTextEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from mtm_core.data.preparation_report import PreparationReport
from mtm_viewer.commands import Command

_SHEET_COLUMNS = 3
Actions = Mapping[str, Callable[[], object]]


def tell_problem(
    parent: QWidget | None, title: str, sentence: str, actions: Actions | None = None
) -> QMessageBox:
    """Show what is wrong and what can be done; the window stays usable behind it.

    Parameters
    ----------
    parent : QWidget or None
        The window it belongs to.
    title : str
        What failed, in a few words.
    sentence : str
        What is wrong, where, and what to do next.
    actions : mapping of str to callable, optional
        Ways out, by the text of their button.
    """
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setIcon(QMessageBox.Icon.Warning)
    box.setWindowTitle(title)
    box.setText(title)
    box.setInformativeText(sentence)
    box.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    box.setAccessibleName(title)
    box.setAccessibleDescription(sentence)
    for text, act in (actions or {}).items():
        button = QPushButton(text, box)
        button.clicked.connect(lambda _=False, act=act: act())
        box.addButton(button, QMessageBox.ButtonRole.AcceptRole)
    closing = box.addButton(QMessageBox.StandardButton.Close)
    if closing is not None:
        box.setDefaultButton(closing)
    for each in box.buttons():
        each.setAccessibleName(each.text().replace("&", ""))
    box.open()
    return box


def ask_about_trials(
    parent: QWidget | None, report: PreparationReport, actions: Actions
) -> QMessageBox:
    """Ask whether to go on with a session that lost many trials; closing it cancels.

    Parameters
    ----------
    parent : QWidget or None
        The window it belongs to.
    report : PreparationReport
        What was dropped.
    actions : mapping of str to callable
        Ways on, by the text of their button.
    """
    percent = f"{100 * report.share_of_trials_dropped:.0f} %"
    lines = "".join(f"<li>{n:,} {html.escape(why)}</li>" for why, n in report.trials_dropped)
    told = (
        f"<p>{report.n_trials_kept:,} of {report.n_trials_given:,} trials kept; left out:</p>"
        f"<ul>{lines}</ul><p>Nothing has been opened yet.</p>"
    )
    title = f"{percent} of the trials would be left out"
    box = tell_problem(parent, title, report.trials_sentence, actions)
    box.setIcon(QMessageBox.Icon.Question)
    box.setInformativeText(told)
    box.setAccessibleDescription(report.trials_sentence)
    cancel = box.button(QMessageBox.StandardButton.Close)
    if cancel is not None:
        cancel.setText("Cancel")
        cancel.setAccessibleName("Cancel")
    return box


def _in_columns(commands: Mapping[str, Sequence[Command]], n_columns: int) -> Iterator[list[str]]:
    """Divide menus into columns of about equal height, in their order."""
    heights = {menu: len(entries) + 2 for menu, entries in commands.items()}
    each, column, height = sum(heights.values()) / n_columns, list[str](), 0
    for menu, own in heights.items():
        if column and height + own / 2 > each:
            yield column
            column, height = [], 0
        column.append(menu)
        height += own
    yield column


class ShortcutSheet(QDialog):
    """All shortcuts, by menu."""

    def __init__(
        self, commands: Mapping[str, Sequence[Command]], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Keyboard shortcuts")
        self.setAccessibleName("Keyboard shortcuts")
        inner = QWidget(self)
        columns = QHBoxLayout(inner)
        columns.setSpacing(28)
        for menus in _in_columns(commands, _SHEET_COLUMNS):
            column = QVBoxLayout()
            for menu in menus:
                column.addLayout(self._menu(menu, commands[menu]))
            column.addStretch(1)
            columns.addLayout(column)
        scroll = QScrollArea(self)
        scroll.setAccessibleName("All shortcuts")
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setWidget(inner)
        layout = QVBoxLayout(self)
        layout.addWidget(scroll)
        layout.addWidget(_close_buttons(self))
        self._fit(inner)

    def _menu(self, menu: str, entries: Sequence[Command]) -> QGridLayout:
        """List the shortcuts of a menu."""
        grid = QGridLayout()
        grid.setHorizontalSpacing(18)
        grid.setVerticalSpacing(4)
        heading = QLabel(menu.replace("/", " > "), self)
        heading.setStyleSheet("font-weight: 600; padding-top: 8px;")
        grid.addWidget(heading, 0, 0, 1, 2)
        for row, command in enumerate(entries, start=1):
            keys = QKeySequence(command.shortcut)
            shown = keys.toString(QKeySequence.SequenceFormat.NativeText)
            grid.addWidget(QLabel(shown, self), row, 0)
            grid.addWidget(QLabel(command.plain_title, self), row, 1)
        grid.setColumnStretch(1, 1)
        return grid

    def _fit(self, inner: QWidget) -> None:
        """Be as large as all of it, but no larger than the screen; the rest can be scrolled to."""
        wanted = inner.sizeHint() + QSize(60, 90)
        screen = self.screen()
        room = wanted if screen is None else 0.9 * screen.availableSize()
        self.resize(wanted.boundedTo(room))


class LogView(QDialog):
    """What the program wrote down, to read and to copy."""

    def __init__(self, lines: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Log")
        self.text = QPlainTextEdit(self)
        self.text.setAccessibleName("Log")
        self.text.setReadOnly(True)
        self.text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self.text.setPlainText("\n".join(lines) or "Nothing has been written down yet.")
        layout = QVBoxLayout(self)
        layout.addWidget(self.text)
        layout.addWidget(_close_buttons(self))
        self.resize(760, 420)


def tell_about(parent: QWidget | None, title: str, text: str) -> QMessageBox:
    """Show a text in a window of its own."""
    box = QMessageBox(parent)
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    box.setWindowTitle(title)
    box.setText(text)
    box.setAccessibleName(title)
    closing = box.addButton(QMessageBox.StandardButton.Close)
    if closing is not None:
        closing.setAccessibleName("Close")
    box.open()
    return box


def _close_buttons(dialog: QDialog) -> QDialogButtonBox:
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, dialog)
    buttons.rejected.connect(dialog.reject)
    for button in buttons.buttons():
        button.setAccessibleName("Close")
    return buttons
