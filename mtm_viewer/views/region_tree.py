"""The list of regions and units on the left: search, see what is hidden, click."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QKeyEvent, QMouseEvent
from PyQt6.QtWidgets import (
    QHeaderView,
    QLabel,
    QLineEdit,
    QMenu,
    QTreeView,
    QVBoxLayout,
    QWidget,
)

from mtm_viewer.presenters.region_tree import Level, RegionTree, filter_tree
from mtm_viewer.theme import Theme
from mtm_viewer.views.region_tree_model import COUNT, EYE, NAME, RegionTreeModel, TreeItem

_MINIMUM_WIDTH = 236
GESTURES = (
    "With Ctrl: this one more, or no longer. With Shift: all from the last click to this one. "
    "The eye: hide or show it in a custom mask. Right button: hide or keep it alone."
)
"""What clicks in the tree mean besides the plain one."""
_CELL_MARGIN = 4
_INDENTATION = 10
_ICON_PX = 16
_PICKING = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
_FEW = 40
"""A search that leaves at most so many units opens all headings."""


class _Tree(QTreeView):
    """A tree whose Enter and Space do what a click does; it remembers which keys were held."""

    pressed_enter = pyqtSignal(QModelIndex)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.held = Qt.KeyboardModifier.NoModifier

    def mouseReleaseEvent(self, event: QMouseEvent | None) -> None:
        """Remember Ctrl and Shift of a click (Qt's own hook)."""
        if event is not None:
            self.held = event.modifiers()
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Act on the current row (Qt's own hook)."""
        keys = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
        if event is not None and event.key() in keys and self.currentIndex().isValid():
            self.held = event.modifiers()
            self.pressed_enter.emit(self.currentIndex())
            return
        super().keyPressEvent(event)


class RegionTreeView(QWidget):
    """Search box and tree; says what a person chose in their own words.

    Notes
    -----
    Signals: `region_clicked` (acronym), `unit_clicked` (unit id), `group_clicked` (the `TreeItem`
    of a heading above areas), `eye_clicked` (a `TreeItem`) for a click on the eye itself,
    `items_picked` (a list of `TreeItem`) for clicks with Ctrl (one more) or Shift (all from the
    last click to this one), `only_chosen` and `others_chosen` (a `TreeItem`) from the menu of a
    row: hide only it, or all but it; `picked` the ids of its units, from the same menu.
    """

    region_clicked = pyqtSignal(str)
    group_clicked = pyqtSignal(object)
    unit_clicked = pyqtSignal(str)
    eye_clicked = pyqtSignal(object)
    items_picked = pyqtSignal(list)
    only_chosen = pyqtSignal(object)
    others_chosen = pyqtSignal(object)
    picked = pyqtSignal(tuple)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole: RegionTree | None = None
        self._anchor = QPersistentModelIndex()
        self.model = RegionTreeModel(self)
        self.search = self._make_search()
        self.tree = self._make_tree()
        self.hint = QLabel(self)
        self.hint.setWordWrap(True)
        self.hint.setAccessibleName("What a click on a region does")
        self.hint.setAccessibleDescription(GESTURES)
        self.hint.setToolTip(GESTURES)
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
        for region in self.model.headings():
            if self.tree.isExpanded(region):
                self.model.tell_units_changed(region)

    def draw_picked(self, unit_ids: frozenset[str]) -> None:
        """Show which units are picked; rows with picked units below them say how many."""
        self.model.set_picked(unit_ids)
        for region in self.model.headings():
            if self.tree.isExpanded(region):
                self.model.tell_units_changed(region, NAME)

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
        tree.setIconSize(QSize(_ICON_PX, _ICON_PX))
        tree.setIndentation(_INDENTATION)
        tree.setExpandsOnDoubleClick(True)
        header = tree.header()
        if header is not None:
            header.setStretchLastSection(False)
            header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
            # Columns that follow their contents would measure every row at each new mask.
            for column, heading in ((COUNT, "188.8/s"), (EYE, " Seen ")):
                width = header.fontMetrics().horizontalAdvance(heading) + 2 * _CELL_MARGIN
                header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed)
                header.resizeSection(column, width)
            header.setSectionsMovable(False)
        tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        tree.customContextMenuRequested.connect(self._open_menu)
        tree.clicked.connect(self._on_click)
        tree.pressed_enter.connect(self._on_click)
        return tree

    def _show_filtered(self, query: str) -> None:
        shown = None if self._whole is None else filter_tree(self._whole, query)
        self.model.set_tree(shown)
        is_narrow = bool(query.strip()) and shown is not None and shown.n_shown <= _FEW
        if is_narrow:
            self.tree.expandAll()
        else:
            self.tree.expandToDepth(0)
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
        item, held = self.model.item(index), self.tree.held
        if item is None:
            return
        name_index = index.siblingAtColumn(NAME)
        if held & _PICKING:
            is_range = bool(held & Qt.KeyboardModifier.ShiftModifier)
            picked = self._range_to(name_index) if is_range else [item]
            self._anchor = QPersistentModelIndex(name_index)
            self.items_picked.emit(picked)
            return
        self._anchor = QPersistentModelIndex(name_index)
        if index.column() == EYE:
            self.eye_clicked.emit(item)
            return
        self._announce(item)

    def _range_to(self, index: QModelIndex) -> list[TreeItem]:
        """Return the rows of one level from the last click to this one, as they are shown."""
        ends = [QModelIndex(self._anchor) if self._anchor.isValid() else index, index]
        first, last = sorted(ends, key=lambda end: self.tree.visualRect(end).top())
        wanted = self.model.item(index)
        found: list[TreeItem] = []
        while first.isValid():
            item = self.model.item(first)
            if item is not None and wanted is not None and item.level is wanted.level:
                found.append(item)
            if first == last:
                break
            first = self.tree.indexBelow(first)
        return found

    def _announce(self, item: TreeItem) -> None:
        if item.level is Level.REGION:
            self.region_clicked.emit(item.name)
        elif item.level is Level.UNIT:
            self.unit_clicked.emit(item.name)
        else:
            self.group_clicked.emit(item)

    def _open_menu(self, place: QPoint) -> None:
        index = self.tree.indexAt(place)
        item, viewport = self.model.item(index), self.tree.viewport()
        if item is None or viewport is None:
            return
        menu = self.make_menu(item, self.model.title(index))
        menu.popup(viewport.mapToGlobal(place))

    def make_menu(self, item: TreeItem, title: str) -> QMenu:
        """Make the menu of a row; it deletes itself when it is closed."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setAccessibleName(f"What to do with {title}")
        for text, signal in (
            (f"Hide or show {title}", self.eye_clicked),
            (f"Hide only {title}", self.only_chosen),
            (f"Show only {title}, hide all else", self.others_chosen),
        ):
            action = menu.addAction(text)
            if action is not None:
                action.triggered.connect(lambda _=False, signal=signal: signal.emit(item))
        pick = menu.addAction(f"Pick {title} in the population")
        if pick is not None:
            pick.triggered.connect(lambda _=False: self.picked.emit(item.unit_ids))
        return menu
