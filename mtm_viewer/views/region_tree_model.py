"""The item model of the region tree: headings down to units, with one array of states."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QAbstractItemModel, QModelIndex, QObject, Qt
from PyQt6.QtGui import QFont

from mtm_viewer.presenters.region_tree import (
    WORDS,
    Level,
    RegionNode,
    RegionTree,
    Visibility,
    joint_visibility,
)
from mtm_viewer.theme import LIGHT, Theme
from mtm_viewer.views.icons import eye_icon, swatch_icon

NAME, COUNT, EYE = range(3)
"""Columns."""
_HEADINGS = ("Region", "Units", "Seen")
EYES = (
    "Open eye: the model sees it. Struck through: hidden. Half open: hidden in part. "
    "With a hand of a clock: each unit is hidden in turn, and scored."
)
"""What the eyes mean."""
_UNIT = 1 << 40
"""Marks the number of an index as that of a unit; the rest is the heading above it."""


@dataclass(frozen=True, kw_only=True)
class TreeItem:
    """What a row stands for.

    Parameters
    ----------
    level : Level
        Which kind of heading, or a unit.
    name : str
        Acronym, or id of the unit.
    regions : tuple of str
        Regions below it that masks know by name; none of a unit.
    unit_ids : tuple of str
        Ids of its units.
    """

    level: Level
    name: str
    regions: tuple[str, ...] = ()
    unit_ids: tuple[str, ...] = ()


class RegionTreeModel(QAbstractItemModel):
    """Serves a `RegionTree` to a tree view.

    An index holds the number of its heading, or of the heading above its unit; the states of all
    units live in one array, and those of headings are derived from it.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tree: RegionTree | None = None
        self._nodes: list[RegionNode] = []
        self._above: list[int] = []
        self._place: list[int] = []
        self._below: list[list[int]] = []
        self._top: list[int] = []
        self._visibility: NDArray[np.int8] = np.zeros(0, dtype=np.int8)
        self._picked_ids: frozenset[str] = frozenset()
        self._is_picked: NDArray[np.bool_] = np.zeros(0, dtype=bool)
        self._theme = LIGHT
        self._bold = QFont()
        self._bold.setBold(True)

    def set_tree(self, tree: RegionTree | None) -> None:
        """Show another tree, or a filtered one; the states of units are kept."""
        self.beginResetModel()
        self._tree = tree
        for numbers in (self._nodes, self._above, self._place, self._below):
            numbers.clear()
        self._top = [self._number(node, -1, k) for k, node in enumerate(self._groups())]
        if tree is not None and len(self._visibility) != len(tree.unit_id):
            self._visibility = np.zeros(len(tree.unit_id), dtype=np.int8)
        self._find_picked()
        self.endResetModel()

    def set_visibility(self, visibility: NDArray[np.int8]) -> None:
        """Show what a mask does to each unit; shape (n_units,) of the whole session.

        Headings are told to have changed; rows of units by `tell_units_changed` only, since Qt
        looks at each cell of a range, even of the hundreds that no one sees.
        """
        self._visibility = visibility
        for parent in (QModelIndex(), *self.headings(above_areas=True)):
            self._tell_changed(parent)

    def set_picked(self, unit_ids: frozenset[str]) -> None:
        """Show which units are picked; headings are told, rows of units as by `set_visibility`."""
        if unit_ids == self._picked_ids:
            return
        self._picked_ids = unit_ids
        self._find_picked()
        for parent in (QModelIndex(), *self.headings(above_areas=True)):
            self._tell_changed(parent, NAME)

    def n_picked(self, index: QModelIndex) -> int:
        """Count the picked units under a row."""
        return int(self._is_picked[self._rows(index)].sum())

    def tell_units_changed(self, region: QModelIndex, first: int = EYE) -> None:
        """Tell that the units of a region look different, from one column on."""
        self._tell_changed(region, first)

    def set_theme(self, theme: Theme) -> None:
        """Draw icons in the colours of a theme."""
        self._theme = theme
        self.layoutChanged.emit()

    def item(self, index: QModelIndex) -> TreeItem | None:
        """Say what a row stands for."""
        if self._tree is None or not index.isValid():
            return None
        ids = tuple(self._tree.unit_id[self._rows(index)].tolist())
        node = self._node(index)
        if node is None:
            return TreeItem(level=Level.UNIT, name=ids[0], unit_ids=ids)
        return TreeItem(level=node.level, name=node.acronym, regions=node.regions, unit_ids=ids)

    def region_index(self, acronym: str) -> QModelIndex:
        """Find the row of an area; an invalid index where it is not shown."""
        for number, node in enumerate(self._nodes):
            if node.level is Level.REGION and node.acronym == acronym:
                return self._heading(number)
        return QModelIndex()

    def unit_index(self, unit_id: str) -> QModelIndex:
        """Find the row of a unit; an invalid index where it is not shown."""
        if self._tree is None:
            return QModelIndex()
        at = np.flatnonzero(self._tree.unit_id == unit_id)
        for number, node in enumerate(self._nodes):
            if node.level is Level.REGION:
                place = np.flatnonzero(np.isin(node.rows, at))
                if len(place):
                    return self.createIndex(int(place[0]), NAME, _UNIT | number)
        return QModelIndex()

    def index(self, row: int, column: int, parent: QModelIndex | None = None) -> QModelIndex:
        """Return the index of a child (Qt's own hook)."""
        parent = QModelIndex() if parent is None else parent
        if not (0 <= row < self.rowCount(parent) and 0 <= column < len(_HEADINGS)):
            return QModelIndex()
        if not parent.isValid():
            return self.createIndex(row, column, self._top[row])
        number = parent.internalId()
        below = self._below[number]
        return self.createIndex(row, column, below[row] if below else _UNIT | number)

    def parent(self, index: QModelIndex | None = None) -> QModelIndex:  # type: ignore[override]
        """Return the index of the heading (Qt's own hook)."""
        if index is None or not index.isValid():
            return QModelIndex()
        number = index.internalId()
        above = number & ~_UNIT if number & _UNIT else self._above[number]
        return self._heading(above) if above >= 0 else QModelIndex()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of children (Qt's own hook)."""
        if parent is None or not parent.isValid():
            return len(self._top)
        number = parent.internalId()
        if parent.column() != NAME or number & _UNIT:
            return 0
        node = self._nodes[number]
        return len(node.rows) if node.level is Level.REGION else len(self._below[number])

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of columns (Qt's own hook)."""
        return len(_HEADINGS)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> object:
        """Return the headings (Qt's own hook)."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return _HEADINGS[section]
        if role == Qt.ItemDataRole.TextAlignmentRole and section == COUNT:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.ToolTipRole and section == EYE:
            return EYES
        return None

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a cell shows (Qt's own hook)."""
        if self._tree is None or not index.isValid():
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole and index.column() == COUNT:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.DisplayRole and index.column() != EYE:
            return self._shown_text(index)
        if role == Qt.ItemDataRole.DecorationRole:
            return self._icon(index)
        if role == Qt.ItemDataRole.FontRole and self.n_picked(index):
            return self._bold
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return self.sentence(index)
        return None

    def visibility(self, index: QModelIndex) -> Visibility:
        """Say what the mask does to the units under a row."""
        return joint_visibility(self._visibility[self._rows(index)])

    def title(self, index: QModelIndex) -> str:
        """Return the short name of a row."""
        return self._shown_text(index.siblingAtColumn(NAME)) or ""

    def sentence(self, index: QModelIndex) -> str:
        """Describe a row in words, for tooltips and screen readers."""
        if self._tree is None or not index.isValid():
            return ""
        node = self._node(index)
        state = self.visibility(index)
        if node is None:
            row = int(self._rows(index)[0])
            word = "hidden in turn" if state is Visibility.IN_TURN else WORDS[state]
            rate_hz = self._tree.rate_hz[row]
            picked = ", picked" if self._is_picked[row] else ""
            return f"{self._tree.unit_label[row]}, {rate_hz:.1f} spikes/s, {word}{picked}"
        name = node.name if node.name == node.acronym else f"{node.acronym}, {node.name}"
        n_units, n_picked = len(self._rows(index)), self.n_picked(index)
        picked = f", {n_picked} picked" if n_picked else ""
        return f"{name}: {n_units} unit{'s' if n_units != 1 else ''}, {WORDS[state]}{picked}"

    def headings(self, *, above_areas: bool = False) -> list[QModelIndex]:
        """Return the rows of all areas, or of all headings above them."""
        return [
            self._heading(number)
            for number, node in enumerate(self._nodes)
            if (node.level is not Level.REGION) == above_areas
        ]

    def _groups(self) -> tuple[RegionNode, ...]:
        return () if self._tree is None else self._tree.groups

    def _number(self, node: RegionNode, above: int, place: int) -> int:
        """Give a heading and those below it their numbers."""
        number = len(self._nodes)
        self._nodes.append(node)
        self._above.append(above)
        self._place.append(place)
        self._below.append([])
        self._below[number] = [
            self._number(child, number, k) for k, child in enumerate(node.children)
        ]
        return number

    def _heading(self, number: int) -> QModelIndex:
        return self.createIndex(self._place[number], NAME, number)

    def _node(self, index: QModelIndex) -> RegionNode | None:
        number = index.internalId()
        return None if number & _UNIT else self._nodes[number]

    def _rows(self, index: QModelIndex) -> NDArray[np.int64]:
        number = index.internalId()
        if number & _UNIT:
            return self._nodes[number & ~_UNIT].rows[[index.row()]]
        return self._nodes[number].rows

    def _shown_text(self, index: QModelIndex) -> str | None:
        node = self._node(index)
        if node is not None:
            if index.column() == NAME:
                return node.acronym
            n_picked = self.n_picked(index)
            return f"{n_picked}/{len(node.rows)}" if n_picked else f"{len(node.rows)}"
        if self._tree is None:
            return None
        row = int(self._rows(index)[0])
        if index.column() == NAME:
            return str(self._tree.unit_label[row])
        return f"{self._tree.rate_hz[row]:.1f}/s"

    def _find_picked(self) -> None:
        """Tell for every unit of the session whether it is picked."""
        ids = np.zeros(0, dtype=np.str_) if self._tree is None else self._tree.unit_id
        self._is_picked = np.isin(ids, sorted(self._picked_ids))

    def _icon(self, index: QModelIndex) -> object:
        if index.column() == EYE:
            return eye_icon(self.visibility(index), self._theme.muted, self._theme.accent)
        node = self._node(index)
        if index.column() == NAME and node is not None:
            return swatch_icon(node.colour, self._theme.border)
        return None

    def _tell_changed(self, parent: QModelIndex, first: int = EYE) -> None:
        last = self.rowCount(parent) - 1
        if last >= 0:
            self.dataChanged.emit(self.index(0, first, parent), self.index(last, EYE, parent))
