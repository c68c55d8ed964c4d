"""The table of sessions: sortable columns, regions as badges in their atlas colours."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import QAbstractTableModel, QModelIndex, QObject, QRectF, QSize, Qt, pyqtSignal
from PyQt6.QtGui import QColor, QFontMetrics, QKeyEvent, QPainter
from PyQt6.QtWidgets import (
    QAbstractItemView,
    QHeaderView,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QWidget,
)

from mtm_viewer.presenters.session_list import (
    Badge,
    ColumnInfo,
    SessionRow,
    cell_text,
    cell_tooltip,
    region_badges,
    shown_columns,
    sort_rows,
)

BADGES = Qt.ItemDataRole.UserRole + 1
_PAD, _GAP = 6, 4
_ROW_HEIGHT = 28
_NARROWEST, _WIDEST = 50, 340
_REGIONS_WIDTH = 200


class SessionTableModel(QAbstractTableModel):
    """Rows of sessions for a table."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: list[SessionRow] = []
        self.columns: tuple[ColumnInfo, ...] = shown_columns([])
        self._order: tuple[str, bool] | None = None

    def draw(self, rows: Sequence[SessionRow]) -> None:
        """Show other rows, in the order that a person chose."""
        self.beginResetModel()
        self.columns = shown_columns(rows)
        self.rows = list(rows)
        if self._order is not None:
            field, is_falling = self._order
            self.rows = sort_rows(self.rows, field, is_falling=is_falling)
        self.endResetModel()

    def rowCount(self, parent: QModelIndex | None = None) -> int:
        """Count the sessions (Qt's own hook)."""
        return 0 if parent is not None and parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex | None = None) -> int:
        """Count the columns (Qt's own hook)."""
        return 0 if parent is not None and parent.isValid() else len(self.columns)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        """Return what a cell shows (Qt's own hook)."""
        if not index.isValid():
            return None
        row, column = self.rows[index.row()], self.columns[index.column()]
        is_badge = column.field == "regions"
        if role == Qt.ItemDataRole.DisplayRole:
            return cell_text(row, column.field)
        if role == Qt.ItemDataRole.ToolTipRole:
            return cell_tooltip(row, column.field)
        if role == BADGES and is_badge:
            return region_badges(row.regions)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.is_number else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def headerData(
        self,
        section: int,
        orientation: Qt.Orientation,
        role: int = Qt.ItemDataRole.DisplayRole,
    ) -> object:
        """Return the title of a column (Qt's own hook)."""
        if orientation != Qt.Orientation.Horizontal or section >= len(self.columns):
            return None
        column = self.columns[section]
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if column.is_number else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        texts = {
            Qt.ItemDataRole.DisplayRole: column.title,
            Qt.ItemDataRole.ToolTipRole: column.tooltip or f"Sort by {column.title.lower()}",
        }
        return texts.get(Qt.ItemDataRole(role))

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        """Sort by a column; a column that is none keeps the order as given (Qt's own hook)."""
        if not 0 <= column < len(self.columns):
            self._order = None
            return
        is_falling = order == Qt.SortOrder.DescendingOrder
        self._order = (self.columns[column].field, is_falling)
        self.draw(self.rows)


class BadgeDelegate(QStyledItemDelegate):
    """Draws regions as coloured badges, as many as there is room for, and how many more."""

    def paint(
        self, painter: QPainter | None, option: QStyleOptionViewItem, index: QModelIndex
    ) -> None:
        """Draw a cell (Qt's own hook)."""
        badges = index.data(BADGES)
        if painter is None or not badges:
            super().paint(painter, option, index)
            return
        is_chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        if is_chosen:
            painter.fillRect(option.rect, option.palette.highlight())
        words = option.palette.highlightedText() if is_chosen else option.palette.text()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(option.font)
        _draw_badges(painter, QRectF(option.rect), badges, words.color())
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex) -> QSize:
        """Ask for room for a few badges (Qt's own hook)."""
        size = super().sizeHint(option, index)
        if index.data(BADGES):
            size.setWidth(_REGIONS_WIDTH)
        return size


def fitting_badges(badges: Sequence[Badge], metrics: QFontMetrics, width: float) -> int:
    """Count how many badges fit, with room for "+n" where some do not."""
    widths = [metrics.horizontalAdvance(badge.text) + 2 * _PAD + _GAP for badge in badges]
    if sum(widths) - _GAP <= width:
        return len(badges)
    left = width - metrics.horizontalAdvance(f"+{len(badges)}")
    n_fitting = 0
    for each in widths:
        left -= each
        if left < 0:
            break
        n_fitting += 1
    return n_fitting


def _draw_badges(painter: QPainter, rect: QRectF, badges: Sequence[Badge], words: QColor) -> None:
    metrics = painter.fontMetrics()
    left, height = rect.left() + _PAD, metrics.height() + 2.0
    n_shown = fitting_badges(badges, metrics, rect.width() - 2 * _PAD)
    top = rect.center().y() - height / 2 + 0.5
    for badge in badges[:n_shown]:
        width = metrics.horizontalAdvance(badge.text) + 2.0 * _PAD
        box = QRectF(left, top, width, height)
        edge = QColor(words)  # white and black badges stand out from their background by it
        edge.setAlphaF(0.25)
        painter.setPen(edge)
        painter.setBrush(QColor(badge.colour))
        painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        painter.setPen(QColor(badge.text_colour))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, badge.text)
        left += width + _GAP
    if n_shown < len(badges):
        painter.setPen(words)
        rest = QRectF(left, rect.top(), rect.right() - left, rect.height())
        painter.drawText(rest, Qt.AlignmentFlag.AlignVCenter, f"+{len(badges) - n_shown}")


class SessionTable(QTableView):
    """A list of sessions.

    Notes
    -----
    Signals: `chosen` the row that a person opens, `current_changed` the row under the cursor or
    None.
    """

    chosen = pyqtSignal(object)
    current_changed = pyqtSignal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sessions = SessionTableModel(self)
        self.setModel(self.sessions)
        self.setItemDelegate(BadgeDelegate(self))
        self.setAccessibleName("Sessions")
        self.setObjectName("sessions")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setAlternatingRowColors(False)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._set_up_headers()
        self.doubleClicked.connect(self._choose)
        selection = self.selectionModel()
        if selection is not None:
            selection.currentRowChanged.connect(lambda *_: self._tell_current())
        self.sessions.modelReset.connect(self._tell_current)

    def draw(self, rows: Sequence[SessionRow]) -> None:
        """Show other rows; the cursor stays on its session if that is still there."""
        before = self.current()
        columns = self.sessions.columns
        self.sessions.draw(rows)
        if self.sessions.columns != columns or before is None:
            self._fit_columns()
        places = [row.source for row in self.sessions.rows]
        if before is not None and before.source in places:
            self.selectRow(places.index(before.source))

    def current(self) -> SessionRow | None:
        """Return the session under the cursor."""
        place = self.currentIndex().row()
        return self.sessions.rows[place] if 0 <= place < len(self.sessions.rows) else None

    def keyPressEvent(self, event: QKeyEvent | None) -> None:
        """Open the current session with Enter (Qt's own hook)."""
        if event is not None and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._choose(self.currentIndex())
            return
        super().keyPressEvent(event)

    def _choose(self, index: QModelIndex) -> None:
        if index.isValid():
            self.chosen.emit(self.sessions.rows[index.row()])

    def _tell_current(self) -> None:
        self.current_changed.emit(self.current())

    def _set_up_headers(self) -> None:
        vertical, horizontal = self.verticalHeader(), self.horizontalHeader()
        if vertical is not None:
            vertical.setVisible(False)
            vertical.setDefaultSectionSize(_ROW_HEIGHT)
        if horizontal is not None:
            horizontal.setHighlightSections(False)
            horizontal.setSectionsClickable(True)
            horizontal.setSortIndicatorShown(True)
            horizontal.setSortIndicatorClearable(True)
            horizontal.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
            horizontal.setStretchLastSection(False)
        self.setSortingEnabled(True)

    def _fit_columns(self) -> None:
        """Give each column the room that its texts need, and the regions all that is left."""
        header = self.horizontalHeader()
        if header is None:
            return
        columns = self.sessions.columns
        fields = [column.field for column in columns]
        wide = fields.index("regions") if "regions" in fields else len(fields) - 1
        modes = QHeaderView.ResizeMode
        for place in range(len(columns)):
            header.setSectionResizeMode(
                place, modes.Stretch if place == wide else modes.Interactive
            )
            wanted = max(self.sizeHintForColumn(place) + 2 * _PAD, header.sectionSizeHint(place))
            if place != wide:
                self.setColumnWidth(place, min(max(wanted, _NARROWEST), _WIDEST))
