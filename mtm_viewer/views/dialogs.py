"""Windows that tell: problems in a sentence, shortcuts, the log, what this program is."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence

from PyQt6.QtCore import Qt
from PyQt6.QtGui import QFontDatabase, QKeySequence
from PyQt6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QLabel,
    QMessageBox,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from mtm_core.data.preparation_report import PreparationReport
from mtm_viewer.commands import Command

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


class ShortcutSheet(QDialog):
    """All shortcuts, by menu."""

    def __init__(
        self, commands: Mapping[str, Sequence[Command]], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Keyboard shortcuts")
        self.setAccessibleName("Keyboard shortcuts")
        grid = QGridLayout()
        grid.setHorizontalSpacing(18)
        row = 0
        for menu, entries in commands.items():
            heading = QLabel(f"<b>{menu.replace('/', ' > ')}</b>", self)
            grid.addWidget(heading, row, 0, 1, 2)
            row += 1
            for command in entries:
                keys = QKeySequence(command.shortcut)
                shown = keys.toString(QKeySequence.SequenceFormat.NativeText)
                grid.addWidget(QLabel(shown, self), row, 0)
                grid.addWidget(QLabel(command.plain_title, self), row, 1)
                row += 1
        layout = QVBoxLayout(self)
        layout.addLayout(grid)
        layout.addWidget(_close_buttons(self))


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
