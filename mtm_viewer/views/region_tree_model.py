"""The item model of the region tree: group > region > unit, with one array of states."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QAbstractItemModel, QModelIndex, QObject, Qt

from mtm_viewer.presenters.region_tree import (
    WORDS,
    GroupNode,
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
_SHIFT = 20
_BITS = (1 << _SHIFT) - 1


class Level(IntEnum):
    """Depth of a row in the tree."""

    GROUP = 0
    REGION = 1
    UNIT = 2


@dataclass(frozen=True, kw_only=True)
class TreeItem:
    """What a row stands for.

    Parameters
    ----------
    level : Level
        Group, region or unit.
    name : str
        Acronym, or id of the unit.
    """

    level: Level
    name: str


class RegionTreeModel(QAbstractItemModel):
    """Serves a `RegionTree` to a tree view.

    An index knows its level, group and region by number; the states of all units live in one
    array, and those of headings are derived from it.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tree: RegionTree | None = None
        self._visibility: NDArray[np.int8] = np.zeros(0, dtype=np.int8)
        self._theme = LIGHT

    def set_tree(self, tree: RegionTree | None) -> None:
        """Show another tree, or a filtered one; the states of units are kept."""
        self.beginResetModel()
        self._tree = tree
        if tree is not None and len(self._visibility) != len(tree.unit_id):
            self._visibility = np.zeros(len(tree.unit_id), dtype=np.int8)
        self.endResetModel()

    def set_visibility(self, visibility: NDArray[np.int8]) -> None:
        """Show what a mask does to each unit; shape (n_units,) of the whole session.

        Headings are told to have changed; rows of units by `tell_units_changed` only, since Qt
        looks at each cell of a range, even of the hundreds that no one sees.
        """
        self._visibility = visibility
        for parent in (QModelIndex(), *self.groups()):
            self._tell_changed(parent)

    def tell_units_changed(self, region: QModelIndex) -> None:
        """Tell that the units of a region look different."""
        self._tell_changed(region)

    def set_theme(self, theme: Theme) -> None:
        """Draw icons in the colours of a theme."""
        self._theme = theme
        self.layoutChanged.emit()

    def item(self, index: QModelIndex) -> TreeItem | None:
        """Say what a row stands for."""
        if self._tree is None or not index.isValid():
            return None
        level, group, region = _unpack(index.internalId())
        if level == Level.GROUP:
            return TreeItem(level=Level.GROUP, name=self._tree.groups[group].acronym)
        node = self._tree.groups[group].regions[region]
        if level == Level.REGION:
            return TreeItem(level=Level.REGION, name=node.acronym)
        return TreeItem(level=Level.UNIT, name=str(self._tree.unit_id[node.rows[index.row()]]))

    def region_index(self, acronym: str) -> QModelIndex:
        """Find the row of a region; an invalid index where it is not shown."""
        for g, group in enumerate(self._groups()):
            for r, region in enumerate(group.regions):
                if region.acronym == acronym:
                    return self.createIndex(r, NAME, _pack(Level.REGION, g, r))
        return QModelIndex()

    def unit_index(self, unit_id: str) -> QModelIndex:
        """Find the row of a unit; an invalid index where it is not shown."""
        if self._tree is None:
            return QModelIndex()
        at = np.flatnonzero(self._tree.unit_id == unit_id)
        for g, group in enumerate(self._groups()):
            for r, region in enumerate(group.regions):
                place = np.flatnonzero(np.isin(region.rows, at))
                if len(place):
                    return self.createIndex(int(place[0]), NAME, _pack(Level.UNIT, g, r))
        return QModelIndex()

    def index(self, row: int, column: int, parent: QModelIndex | None = None) -> QModelIndex:
        """Return the index of a child (Qt's own hook)."""
        parent = QModelIndex() if parent is None else parent
        if not (0 <= row < self.rowCount(parent) and 0 <= column < len(_HEADINGS)):
            return QModelIndex()
        if not parent.isValid():
            return self.createIndex(row, column, _pack(Level.GROUP, row, 0))
        level, group, region = _unpack(parent.internalId())
        if level == Level.GROUP:
            return self.createIndex(row, column, _pack(Level.REGION, group, row))
        return self.createIndex(row, column, _pack(Level.UNIT, group, region))

    def parent(self, index: QModelIndex | None = None) -> QModelIndex:  # type: ignore[override]
        """Return the index of the heading (Qt's own hook)."""
        if index is None or not index.isValid():
            return QModelIndex()
        level, group, region = _unpack(index.internalId())
        if level == Level.UNIT:
            return self.createIndex(region, NAME, _pack(Level.REGION, group, region))
        if level == Level.REGION:
            return self.createIndex(group, NAME, _pack(Level.GROUP, group, 0))
        return QModelIndex()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Return the number of children (Qt's own hook)."""
        if parent is None or not parent.isValid():
            return len(self._groups())
        if parent.column() != NAME:
            return 0
        level, group, region = _unpack(parent.internalId())
        if level == Level.GROUP:
            return len(self._groups()[group].regions)
        if level == Level.REGION:
            return len(self._groups()[group].regions[region].rows)
        return 0

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
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return self.sentence(index)
        return None

    def visibility(self, index: QModelIndex) -> Visibility:
        """Say what the mask does to the units under a row."""
        return joint_visibility(self._visibility[self._rows(index)])

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
            return f"{self._tree.unit_label[row]}, {rate_hz:.1f} spikes/s, {word}"
        name = node.name if node.name == node.acronym else f"{node.acronym}, {node.name}"
        n_units = len(self._rows(index))
        return f"{name}: {n_units} unit{'s' if n_units != 1 else ''}, {WORDS[state]}"

    def _groups(self) -> tuple[GroupNode, ...]:
        return () if self._tree is None else self._tree.groups

    def _node(self, index: QModelIndex) -> GroupNode | RegionNode | None:
        level, group, region = _unpack(index.internalId())
        if level == Level.GROUP:
            return self._groups()[group]
        return self._groups()[group].regions[region] if level == Level.REGION else None

    def _rows(self, index: QModelIndex) -> NDArray[np.int64]:
        node = self._node(index)
        if node is not None:
            return node.rows
        _, group, region = _unpack(index.internalId())
        return self._groups()[group].regions[region].rows[[index.row()]]

    def _shown_text(self, index: QModelIndex) -> str | None:
        node = self._node(index)
        if node is not None:
            return node.acronym if index.column() == NAME else f"{len(node.rows)}"
        if self._tree is None:
            return None
        row = int(self._rows(index)[0])
        if index.column() == NAME:
            return str(self._tree.unit_label[row])
        return f"{self._tree.rate_hz[row]:.1f} Hz"

    def _icon(self, index: QModelIndex) -> object:
        if index.column() == EYE:
            return eye_icon(self.visibility(index), self._theme.muted, self._theme.accent)
        node = self._node(index)
        if index.column() == NAME and node is not None:
            return swatch_icon(node.colour, self._theme.border)
        return None

    def groups(self) -> list[QModelIndex]:
        """Return the rows of the groups."""
        return [self.index(row, NAME) for row in range(self.rowCount())]

    def regions(self) -> list[QModelIndex]:
        """Return the rows of the regions."""
        return [self.index(r, NAME, g) for g in self.groups() for r in range(self.rowCount(g))]

    def _tell_changed(self, parent: QModelIndex) -> None:
        last = self.rowCount(parent) - 1
        if last >= 0:
            self.dataChanged.emit(self.index(0, EYE, parent), self.index(last, EYE, parent))


def _pack(level: int, group: int, region: int) -> int:
    return (level << 2 * _SHIFT) | (group << _SHIFT) | region


def _unpack(number: int) -> tuple[int, int, int]:
    """Return level, group and region; Qt asks so often that the level stays a number."""
    return number >> 2 * _SHIFT, (number >> _SHIFT) & _BITS, number & _BITS
