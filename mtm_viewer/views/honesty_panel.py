"""The panel of what stands behind the picture: a sign, a word, a sentence for each thing."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QGridLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from mtm_viewer.presenters.honesty import SIGN_WORDS, SIGNS, HonestyLine
from mtm_viewer.theme import LIGHT, Theme

_EMPTY = "Open a session: here stands what is hidden, scored, averaged and compared."


class HonestyPanel(QWidget):
    """Shows lines; asks for the leak check.

    Notes
    -----
    Signal: `check_requested` nothing.
    """

    check_requested = pyqtSignal()

    def __init__(self, theme: Theme = LIGHT, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._lines: tuple[HonestyLine, ...] = ()
        self._rows: list[tuple[QLabel, QLabel, QLabel]] = []
        self.empty = QLabel(_EMPTY, self)
        self.empty.setWordWrap(True)
        self.empty.setAccessibleName("Behind the picture")
        self.list = QWidget(self)
        self._grid = QGridLayout(self.list)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(2, 1)
        self.check = QPushButton("Check for leaks", self)
        self.check.setAccessibleName("Check for leaks")
        self.check.setToolTip(
            "Replace all that is hidden by other counts, and look whether any prediction moves."
        )
        self.check.clicked.connect(lambda _: self.check_requested.emit())
        box = QVBoxLayout(self)
        box.setContentsMargins(8, 8, 8, 8)
        box.setSpacing(8)
        box.addWidget(self.empty)
        box.addWidget(self.list)
        box.addWidget(self.check, 0, Qt.AlignmentFlag.AlignLeft)
        box.addStretch(1)
        self.setAccessibleName("Behind the picture")
        self.draw((), can_check=False)

    @property
    def lines(self) -> tuple[HonestyLine, ...]:
        """What is shown."""
        return self._lines

    def draw(self, lines: Sequence[HonestyLine], *, can_check: bool) -> None:
        """Show what stands behind the picture."""
        self._lines = tuple(lines)
        while len(self._rows) < len(lines):
            self._add_row()
        for place, row in enumerate(self._rows):
            for label in row:
                label.setVisible(place < len(lines))
            if place < len(lines):
                self._draw_row(row, lines[place])
        self.empty.setVisible(not lines)
        self.list.setVisible(bool(lines))
        self.check.setEnabled(can_check)

    def set_theme(self, theme: Theme) -> None:
        """Follow the window's colours."""
        self._theme = theme
        for row, line in zip(self._rows, self._lines, strict=False):
            self._draw_row(row, line)

    def _draw_row(self, row: tuple[QLabel, QLabel, QLabel], line: HonestyLine) -> None:
        theme, (sign, what, words) = self._theme, row
        colours = {"fine": theme.good, "mind": theme.warning, "bad": theme.bad}
        sign.setText(SIGNS[line.verdict])
        sign.setToolTip(SIGN_WORDS[line.verdict])
        sign.setAccessibleName(SIGN_WORDS[line.verdict] or "so it is")
        colour = colours.get(line.verdict, theme.muted)
        sign.setStyleSheet(f"color: {colour}; font-weight: 700;")
        what.setText(line.what)
        what.setStyleSheet(f"color: {theme.text}; font-weight: 600;")
        words.setText(line.words)
        words.setStyleSheet(f"color: {theme.text};")
        words.setAccessibleName(f"{line.what}: {line.words}")

    def _add_row(self) -> None:
        place = 2 * len(self._rows)
        sign, what, words = (QLabel(self.list) for _ in range(3))
        words.setWordWrap(True)
        words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        words.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        top = Qt.AlignmentFlag.AlignTop
        self._grid.addWidget(sign, place, 0, top)
        self._grid.addWidget(what, place, 1, 1, 2, top)
        self._grid.addWidget(words, place + 1, 1, 1, 2, top)
        self._rows.append((sign, what, words))
