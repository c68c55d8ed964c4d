"""The score of what is on screen: headline, verdict, table, shuffle control."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from mtm_viewer.presenters.scores import ScoreDrawable, ScoreRow
from mtm_viewer.theme import LIGHT, Theme
from mtm_viewer.views.selector import fill_selector, selector
from mtm_viewer.views.tooltips import tooltip

_SHUFFLE_TOOLTIP = (
    "Give the model the visible activity of another trial of the same condition. What it still "
    "predicts was not read from this trial's neurons. It stays on for other masks."
)
_USUAL_ROWS, _ROW_PX = 4, 11
_AROUND_PX = 36
"""Of the height: margins and frames."""
_ROWS_TOOLTIP = (
    "Show the model beside its rivals, or the model alone in the trials of each condition."
)


class ScorePanel(QWidget):
    """Shows a `ScoreDrawable`; asks for the shuffle control.

    Notes
    -----
    Signals: `height_wanted` pixels, `shuffle_requested` whether the shuffle control is wanted,
    `grouping_chosen` what rows are to stand for, `train_requested` (of a model for the session
    that has none), `copy_requested` (of the command that trains one).
    """

    height_wanted = pyqtSignal(int)
    shuffle_requested = pyqtSignal(bool)
    grouping_chosen = pyqtSignal(str)
    train_requested = pyqtSignal()
    copy_requested = pyqtSignal()

    def __init__(self, theme: Theme = LIGHT, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._drawable: ScoreDrawable | None = None
        self._heads: tuple[tuple[str, str], ...] = ()
        self.headline = _label("Headline score", self)
        self.interval = _label("Interval of the headline score", self)
        self.verdict = _label("What the score means", self)
        self.verdict.setWordWrap(True)
        self.shuffle = QPushButton("&Shuffle control", self)
        self.shuffle.setAccessibleName("Shuffle control")
        self.shuffle.setToolTip(tooltip(_SHUFFLE_TOOLTIP))
        self.shuffle.setCheckable(True)
        self.shuffle.setEnabled(False)
        self.shuffle.clicked.connect(self.shuffle_requested)
        self.rows = selector(self, "What rows stand for", _ROWS_TOOLTIP)
        self.rows.activated.connect(lambda _: self.grouping_chosen.emit(self.rows.currentData()))
        self.train = QPushButton("Train a model for this session", self)
        self.train.setVisible(False)
        self.train.clicked.connect(lambda: self.train_requested.emit())
        self.copy = QPushButton("Copy the command", self)
        self.copy.setToolTip("Copy the line that trains a model, to be pasted into a terminal.")
        self.copy.setVisible(False)
        self.copy.clicked.connect(lambda: self.copy_requested.emit())
        self.table = _make_table(self)
        self._lay_out()
        self.setAccessibleName("Score panel")
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        self.headline.setStyleSheet(
            _label_style(f"color: {theme.text}; font-size: 15pt; font-weight: 600;")
        )
        self.interval.setStyleSheet(_label_style(f"color: {theme.muted}; font-size: 11pt;"))
        self._colour_verdict()
        self._fit_table()

    def draw(self, drawable: ScoreDrawable) -> None:
        """Show scores; what is there already is left alone, since a new text is laid out anew."""
        if drawable == self._drawable:
            return
        self._drawable = drawable
        self.headline.setText(drawable.headline)
        self.interval.setText(drawable.interval)
        self.verdict.setText(drawable.verdict)
        for label in (self.headline, self.interval, self.verdict):
            label.setToolTip(tooltip(drawable.tooltip))
        self.shuffle.setEnabled(drawable.can_shuffle)
        self.shuffle.setChecked(drawable.is_shuffled)
        fill_selector(self.rows, drawable.groupings, drawable.grouping)
        for widget in (self.shuffle, self.rows):
            widget.setVisible(not drawable.command)
        self.train.setVisible(bool(drawable.command))
        self.copy.setVisible(bool(drawable.command))
        self._fill_table(drawable)
        self._colour_verdict()
        self.height_wanted.emit(self._wanted_height())

    def _wanted_height(self) -> int:
        """Return the height at which every row is seen, in pixels; rows to come have room."""
        n_rows, header = max(_USUAL_ROWS, self.table.rowCount()), self.table.horizontalHeader()
        usual = self.fontMetrics().height() + _ROW_PX
        rows = n_rows * (self.table.rowHeight(0) if self.table.rowCount() else usual)
        head = 0 if header is None else header.sizeHint().height()
        verdict = self.verdict.heightForWidth(max(1, self.verdict.width()))
        words = self.headline.sizeHint().height() + max(verdict, self.shuffle.sizeHint().height())
        is_without = self._drawable is not None and bool(self._drawable.command)
        return words + (0 if is_without else head + rows) + _AROUND_PX

    def _colour_verdict(self) -> None:
        role = self._drawable.role if self._drawable is not None else "muted"
        style = _label_style(f"color: {getattr(self._theme, role)}; font-weight: 600;")
        if style != self.verdict.styleSheet():
            self.verdict.setStyleSheet(style)

    def _fill_table(self, drawable: ScoreDrawable) -> None:
        heads = tuple(zip(drawable.columns, drawable.column_tooltips, strict=True))
        if heads != self._heads:
            self._heads = heads
            self.table.setColumnCount(len(heads))
            for position, (text, words) in enumerate(heads):
                head = QTableWidgetItem(text)
                head.setToolTip(tooltip(words))
                self.table.setHorizontalHeaderItem(position, head)
        if self.table.rowCount() != len(drawable.rows):
            self.table.setRowCount(len(drawable.rows))
        for row, content in enumerate(drawable.rows):
            self._fill_row(row, content)
        self.table.setVisible(bool(drawable.rows))
        self._fit_table()

    def _fit_table(self) -> None:
        """Fit cells to their texts, all at once: on its own a table does so for each of them."""
        self.table.resizeColumnsToContents()
        self.table.resizeRowsToContents()

    def _fill_row(self, row: int, content: ScoreRow) -> None:
        for column, text in enumerate(content.cells):
            cell = self.table.item(row, column) or self._make_cell(row, column)
            if cell.text() != text:
                cell.setText(text)
            words = tooltip(content.tooltip)
            if cell.toolTip() != words:
                cell.setToolTip(words)

    def _make_cell(self, row: int, column: int) -> QTableWidgetItem:
        cell = QTableWidgetItem()
        side = Qt.AlignmentFlag.AlignLeft if column == 0 else Qt.AlignmentFlag.AlignRight
        cell.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
        self.table.setItem(row, column, cell)
        return cell

    def _lay_out(self) -> None:
        top, below = QHBoxLayout(), QHBoxLayout()
        top.setSpacing(14)
        for label in (self.headline, self.interval):
            top.addWidget(label)
        top.addStretch(1)
        below.addWidget(self.verdict, 1)
        for widget in (self.rows, self.shuffle, self.train, self.copy):
            below.addWidget(widget, 0, Qt.AlignmentFlag.AlignTop)
        box = QVBoxLayout(self)
        box.setContentsMargins(8, 6, 8, 6)
        box.setSpacing(2)
        box.addLayout(top)
        box.addLayout(below)
        box.addSpacing(4)
        box.addWidget(self.table, 1)
        box.addStretch(0)


def _label(accessible_name: str, parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setAccessibleName(accessible_name)
    label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    return label


def _label_style(style: str) -> str:
    """Style labels alone: what stands under the pointer would take large letters over."""
    return f".QLabel {{ {style} }}"


def _make_table(parent: QWidget) -> QTableWidget:
    table = QTableWidget(parent)
    table.setAccessibleName("Scores of the model and what it is compared with")
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setShowGrid(False)
    table.setTabKeyNavigation(False)
    for header in (table.verticalHeader(), table.horizontalHeader()):
        if header is not None:
            header.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
            header.setHighlightSections(False)
            header.setStretchLastSection(False)
    vertical = table.verticalHeader()
    if vertical is not None:
        vertical.setVisible(False)
    return table
