"""The list of regions and units on the left: search, see what is hidden, click."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QModelIndex, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent
from PyQt6.QtWidgets import QHeaderView, QLabel, QLineEdit, QTreeView, QVBoxLayout, QWidget

from mtm_viewer.presenters.region_tree import RegionTree, filter_tree
from mtm_viewer.theme import Theme
from mtm_viewer.views.region_tree_model import COUNT, EYE, NAME, Level, RegionTreeModel, TreeItem

_MINIMUM_WIDTH = 236
_CELL_MARGIN = 4
_FEW = 40
"""A search that leaves at most so many units opens all headings."""


class _Tree(QTreeView):
    """A tree whose Enter and Space do what a click does."""

    pressed_enter = pyqtSignal(QModelIndex)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Act on the current row (Qt's own hook)."""
        keys = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
        if event is not None and event.key() in keys and self.currentIndex().isValid():
            self.pressed_enter.emit(self.currentIndex())
            return
        super().keyPressEvent(event)


class RegionTreeView(QWidget):
    """Search box and tree; says what a person chose in their own words.

    Notes
    -----
    Signals: `region_clicked` (acronym), `group_clicked` (Cosmos acronym), `unit_clicked` (unit
    id), and `eye_clicked` (a `TreeItem`) for a click on the eye itself.
    """

    region_clicked = pyqtSignal(str)
    group_clicked = pyqtSignal(str)
    unit_clicked = pyqtSignal(str)
    eye_clicked = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole: RegionTree | None = None
        self.model = RegionTreeModel(self)
        self.search = self._make_search()
        self.tree = self._make_tree()
        self.hint = QLabel(self)
        self.hint.setWordWrap(True)
        self.hint.setAccessibleName("What a click on a region does")
        self.empty = QLabel("No session is open.", self)
        self.empty.setWordWrap(True)
        self.empty.setAccessibleName("Region list message")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(6, 6, 6, 6)
        layout.setSpacing(6)
        for widget in (self.search, self.hint, self.empty):
            layout.addWidget(widget)
        layout.addWidget(self.tree, 1)
        layout.addStretch(0)
        self.setMinimumWidth(_MINIMUM_WIDTH)
        self._show_emptiness()

    def draw(self, tree: RegionTree | None) -> None:
        """Show the regions of a session, groups open and regions closed."""
        self._whole = tree
        self.search.clear()
        self._show_filtered("")

    def draw_visibility(self, visibility: NDArray[np.int8]) -> None:
        """Show what the mask does to each unit, shape (n_units,)."""
        self.model.set_visibility(visibility)
        for region in self.model.regions():
            if self.tree.isExpanded(region):
                self.model.tell_units_changed(region)

    def draw_hint(self, text: str) -> None:
        """Say what a click will do."""
        self.hint.setText(text)
        self.hint.setVisible(bool(text) and self._whole is not None)

    def set_theme(self, theme: Theme) -> None:
        """Follow the window's colours."""
        self.model.set_theme(theme)
        self.hint.setStyleSheet(f"color: {theme.muted};")
        self.empty.setStyleSheet(f"color: {theme.muted};")

    def show_region(self, acronym: str) -> None:
        """Mark the row of a region without doing what a click does."""
        self._go_to(self.model.region_index(acronym))

    def show_unit(self, unit_id: str) -> None:
        """Mark the row of a unit if its region is open; nothing is done as by a click."""
        index = self.model.unit_index(unit_id)
        if index.isValid() and self.tree.isExpanded(index.parent()):
            self._go_to(index)

    def toggle_current(self) -> None:
        """Open or close the heading that was clicked."""
        index = self.tree.currentIndex().siblingAtColumn(NAME)
        self.tree.setExpanded(index, not self.tree.isExpanded(index))

    def _make_search(self) -> QLineEdit:
        search = QLineEdit(self)
        search.setPlaceholderText("Search regions and units")
        search.setAccessibleName("Search regions and units")
        search.setClearButtonEnabled(True)
        search.textChanged.connect(self._show_filtered)
        search.returnPressed.connect(self._take_first)
        return search

    def _make_tree(self) -> _Tree:
        tree = _Tree(self)
        tree.setModel(self.model)
        tree.setAccessibleName("Regions and units")
        tree.setUniformRowHeights(True)
        tree.setIconSize(QSize(18, 18))
        tree.setIndentation(14)
        tree.setExpandsOnDoubleClick(True)
        header = tree.header()
        if header is not None:
            header.setStretchLastSection(False)
            header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
            # Columns that follow their contents would measure every row at each new mask.
            for column, heading in ((COUNT, " 88.8 Hz "), (EYE, " Seen ")):
                width = header.fontMetrics().horizontalAdvance(heading) + 2 * _CELL_MARGIN
                header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
                header.resizeSection(column, width)
            header.setSectionsMovable(False)
        tree.clicked.connect(self._on_click)
        tree.pressed_enter.connect(self._on_click)
        return tree

    def _show_filtered(self, query: str) -> None:
        shown = None if self._whole is None else filter_tree(self._whole, query)
        self.model.set_tree(shown)
        is_narrow = bool(query.strip()) and shown is not None and shown.n_shown <= _FEW
        self.tree.expandToDepth(1 if is_narrow else 0)
        self._show_emptiness(query)

    def _show_emptiness(self, query: str = "") -> None:
        is_empty = self.model.rowCount() == 0
        found = f"No region or unit is called '{query}'."
        self.empty.setText(found if self._whole is not None else "No session is open.")
        self.empty.setVisible(is_empty)
        self.tree.setVisible(not is_empty)
        self.hint.setVisible(bool(self.hint.text()) and self._whole is not None)

    def _take_first(self) -> None:
        """Enter in the search box goes to the first region found."""
        if not self.search.text().strip():
            return
        group = self.model.index(0, NAME)
        first = self.model.index(0, NAME, group)
        if first.isValid():
            self._go_to(first)
            self.tree.setFocus()

    def _go_to(self, index: QModelIndex) -> None:
        if index.isValid() and self.tree.currentIndex() != index:
            self.tree.setCurrentIndex(index)
            self.tree.scrollTo(index)

    def _on_click(self, index: QModelIndex) -> None:
        item = self.model.item(index)
        if item is None:
            return
        if index.column() == EYE:
            self.eye_clicked.emit(item)
            return
        self._announce(item)

    def _announce(self, item: TreeItem) -> None:
        signals = {
            Level.GROUP: self.group_clicked,
            Level.REGION: self.region_clicked,
            Level.UNIT: self.unit_clicked,
        }
        signals[item.level].emit(item.name)
