"""The runs that were begun in this window, as a table with what can be done with them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PyQt6.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from mtm_viewer.presenters.run_list import COLUMN_TOOLTIPS, COLUMNS, RunInfo, RunLine
from mtm_viewer.theme import Theme

OPEN, RESUME, REMOVE = "open", "resume", "remove"
DEEDS = {
    OPEN: ("Open model", "Put the model of this run on screen."),
    RESUME: ("Resume", "Go on with this run from its last checkpoint."),
    REMOVE: ("Delete…", "Delete the folder of this run, with its model."),
}
_MINIMUM_HEIGHT = 96
_SESSION, _PRESET, _SCORE = (COLUMNS.index(name) for name in ("Session", "Preset", "bps"))


class RunsTable(QWidget):
    """Shows `RunLine`s.

    Notes
    -----
    Signals: `deed_chosen` a deed out of `DEEDS` and a `RunInfo`; `run_chosen` nothing, when
    another row is chosen; `folder_requested` nothing.
    """

    deed_chosen = pyqtSignal(str, object)
    run_chosen = pyqtSignal()
    folder_requested = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines: tuple[RunLine, ...] = ()
        self.empty = QLabel("No model has been trained in this window yet.", self)
        self.empty.setWordWrap(True)
        self.table = _make_table(self)
        self.table.itemSelectionChanged.connect(self._on_selection)
        self.table.itemActivated.connect(lambda _: self._choose(OPEN))
        self.buttons: dict[str, QPushButton] = {}
        grid = QGridLayout()  # two rows: the panel stands in a narrow dock, too
        grid.setSpacing(6)
        for place, (deed, (text, help_text)) in enumerate(DEEDS.items()):
            button = QPushButton(text, self)
            button.setAccessibleName(f"{text.removesuffix('…')}: the chosen run")
            button.setToolTip(help_text)
            button.clicked.connect(lambda _=False, deed=deed: self._choose(deed))
            self.buttons[deed] = button
            grid.addWidget(button, *divmod(place, 2))
        self.place = QPushButton("Folder…", self)
        self.place.setAccessibleName("Choose the folder of runs")
        self.place.clicked.connect(lambda _: self.folder_requested.emit())
        grid.addWidget(self.place, 1, 1)
        grid.setColumnStretch(2, 1)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        box.addWidget(self.empty)
        box.addWidget(self.table, 1)
        box.addStretch(0)
        box.addLayout(grid)
        self.draw((), Path())

    @property
    def chosen(self) -> RunInfo | None:
        """The run of the chosen row."""
        row = self.table.currentRow()
        is_chosen = 0 <= row < len(self._lines) and bool(self.table.selectedItems())
        return self._lines[row].info if is_chosen else None

    def draw(self, lines: Sequence[RunLine], root: Path) -> None:
        """Show runs; what was chosen stays chosen.

        Parameters
        ----------
        lines : sequence of RunLine
            The runs.
        root : Path
            The folder in which they are kept.
        """
        self.place.setToolTip(f"Runs are kept in {root}.")
        if tuple(lines) == self._lines:
            self._show_buttons()
            return
        chosen = None if self.chosen is None else self.chosen.folder
        self._lines = tuple(lines)
        blocker = QSignalBlocker(self.table)
        self.table.setRowCount(len(lines))
        for row, line in enumerate(lines):
            self._fill(row, line)
        folders = [line.info.folder for line in lines]
        if folders:
            self.table.selectRow(folders.index(chosen) if chosen in folders else 0)
        blocker.unblock()
        self.table.setVisible(bool(lines))
        self.empty.setVisible(not lines)
        self._show_buttons()

    def choose(self, folder: Path) -> None:
        """Choose the row of a run."""
        for row, line in enumerate(self._lines):
            if line.info.folder == folder:
                self.table.selectRow(row)

    def set_theme(self, theme: Theme) -> None:
        """Follow the window's colours."""
        self.empty.setStyleSheet(f"color: {theme.muted};")

    def _fill(self, row: int, line: RunLine) -> None:
        for column, text in enumerate(line.cells):
            cell = self.table.item(row, column)
            if cell is None:
                cell = QTableWidgetItem()
                self.table.setItem(row, column, cell)
            side = Qt.AlignmentFlag.AlignRight if column == _SCORE else Qt.AlignmentFlag.AlignLeft
            cell.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
            cell.setText(text)
            cell.setToolTip(line.tooltip)

    def _choose(self, deed: str) -> None:
        run = self.chosen
        if run is not None and self.buttons[deed].isEnabled():
            self.deed_chosen.emit(deed, run)

    def _on_selection(self) -> None:
        self._show_buttons()
        self.run_chosen.emit()

    def _show_buttons(self) -> None:
        run = self.chosen
        self.buttons[OPEN].setEnabled(run is not None and run.has_model)
        self.buttons[RESUME].setEnabled(run is not None and run.can_resume)
        self.buttons[REMOVE].setEnabled(run is not None and run.state != "running")


def _make_table(parent: QWidget) -> QTableWidget:
    table = QTableWidget(0, len(COLUMNS), parent)
    table.setAccessibleName("Runs of training")
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
    table.setShowGrid(False)
    table.setTextElideMode(Qt.TextElideMode.ElideMiddle)
    table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    table.setMinimumHeight(_MINIMUM_HEIGHT)
    table.setTabKeyNavigation(False)
    for place, (text, tooltip) in enumerate(zip(COLUMNS, COLUMN_TOOLTIPS, strict=True)):
        head = QTableWidgetItem(text)
        head.setToolTip(tooltip)
        table.setHorizontalHeaderItem(place, head)
    header, rows = table.horizontalHeader(), table.verticalHeader()
    if header is not None:
        header.setHighlightSections(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        for column in (_SESSION, _PRESET):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Stretch)
        header.setMinimumSectionSize(40)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
    if rows is not None:
        rows.setVisible(False)
    return table
