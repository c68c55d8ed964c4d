"""The window: menus, docks and layout, generated from the command registry. No logic here."""

from __future__ import annotations

from pathlib import Path

from PyQt6.QtCore import QByteArray, Qt, pyqtSignal
from PyQt6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDropEvent,
    QKeySequence,
)
from PyQt6.QtWidgets import (
    QDockWidget,
    QHBoxLayout,
    QMainWindow,
    QMenu,
    QSplitter,
    QStackedWidget,
    QStatusBar,
    QVBoxLayout,
    QWidget,
)

from mtm_viewer.commands import Command, CommandRegistry
from mtm_viewer.theme import Theme
from mtm_viewer.views.icons import app_icon
from mtm_viewer.views.mask_editor import MaskEditor
from mtm_viewer.views.model_bar import ModelBar
from mtm_viewer.views.palette import CommandPalette
from mtm_viewer.views.raster_view import RasterView
from mtm_viewer.views.recipe_bar import RecipeBar
from mtm_viewer.views.region_tree import RegionTreeView
from mtm_viewer.views.score_panel import ScorePanel
from mtm_viewer.views.status import StatusLine
from mtm_viewer.views.unit_panel import UnitPanel
from mtm_viewer.views.welcome import WelcomePage

TITLE = "MtM Viewer"
_LAYOUT_VERSION = 1
_SCORES_HEIGHT = 240
_UNIT_WIDEST = 360


class MainWindow(QMainWindow):
    """Holds the views; tells of dropped files and of being closed.

    Notes
    -----
    Signals: `files_dropped` a list of paths, `closing` nothing.
    """

    files_dropped = pyqtSignal(list)
    closing = pyqtSignal()

    def __init__(self, registry: CommandRegistry, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._registry = registry
        self._actions: dict[str, QAction] = {}
        self.recipes = RecipeBar(self)
        self.models = ModelBar(self)
        self.raster = RasterView(parent=self)
        self.scores = ScorePanel(parent=self)
        self.unit = UnitPanel(parent=self)
        self.tree = RegionTreeView(self)
        self.editor = MaskEditor(self)
        self.welcome = WelcomePage(self)
        self.status = StatusLine(self)
        self.palette_dialog = CommandPalette(registry, self)
        self.palette_dialog.chosen.connect(registry.run)
        self._pages = QStackedWidget(self)
        self._head = QWidget(self)
        self._lay_out()
        self.setWindowTitle(TITLE)
        self.setWindowIcon(app_icon())
        self.setAcceptDrops(True)
        self.show_welcome(is_shown=True)

    def build_menus(self) -> None:
        """Make the menus anew from the registry."""
        bar = self.menuBar()
        if bar is None:
            return
        for action in self._actions.values():
            action.deleteLater()
        self._actions.clear()
        bar.clear()
        menus: dict[str, QMenu] = {}
        for path, commands in self._registry.in_menus().items():
            menu = self._menu(path, menus)
            for command in commands:
                self._add(command, menu)
        self.refresh_actions()

    def refresh_actions(self) -> None:
        """Show in the menus what can be done and what is on now."""
        for command_id, action in self._actions.items():
            command = self._registry.get(command_id)
            action.setEnabled(command.is_enabled())
            action.setText(command.title_now)
            if command.is_checked is not None:
                action.setChecked(command.is_checked())

    def show_welcome(self, *, is_shown: bool) -> None:
        """Show the first page, or the session."""
        was_shown = self._pages.currentIndex() == 0
        self._pages.setCurrentIndex(0 if is_shown else 1)
        self._head.setVisible(not is_shown)
        docks = [self.tree_dock, self.unit_dock]
        for dock in docks:
            dock.setVisible(not is_shown)
        if is_shown:
            self.editor_dock.hide()
        elif was_shown:
            right = min(_UNIT_WIDEST, max(self.unit.minimumWidth(), self.width() // 4))
            self.resizeDocks(docks, [self.tree.minimumWidth(), right], Qt.Orientation.Horizontal)

    def show_editor(self, *, is_shown: bool) -> None:
        """Show the fields of a custom mask, or not."""
        self.editor_dock.setVisible(is_shown)

    def set_theme(self, theme: Theme) -> None:
        """Give every view the colours of a theme."""
        for view in (
            *(self.recipes, self.models, self.raster, self.scores, self.unit),
            *(self.tree, self.editor, self.welcome, self.status),
        ):
            view.set_theme(theme)

    def save_layout(self) -> QByteArray:
        """Return where docks and toolbars are."""
        return self.saveState(_LAYOUT_VERSION)

    def restore_layout(self, layout: QByteArray) -> bool:
        """Put docks where they were; tell whether that worked."""
        return self.restoreState(layout, _LAYOUT_VERSION)

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:
        """Accept files (Qt's own hook)."""
        data = None if event is None else event.mimeData()
        if event is not None and data is not None and data.hasUrls():
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent | None) -> None:
        """Tell of dropped files (Qt's own hook)."""
        data = None if event is None else event.mimeData()
        if event is None or data is None:
            return
        paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.files_dropped.emit(paths)

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Tell that the window closes (Qt's own hook)."""
        self.closing.emit()
        super().closeEvent(event)

    def _menu(self, path: str, menus: dict[str, QMenu]) -> QMenu:
        if path not in menus:
            above, _, name = path.rpartition("/")
            bar = self.menuBar()
            menu = QMenu(name, self)
            menu.setToolTipsVisible(True)
            if above:
                self._menu(above, menus).addMenu(menu)
            elif bar is not None:
                bar.addMenu(menu)
            menus[path] = menu
        return menus[path]

    def _add(self, command: Command, menu: QMenu) -> None:
        if command.starts_group:
            menu.addSeparator()
        action = QAction(command.title_now, self)
        action.setShortcut(QKeySequence(command.shortcut))
        action.setToolTip(command.help or command.plain_title)
        action.setStatusTip(command.help)
        action.setCheckable(command.is_checked is not None)
        action.setMenuRole(QAction.MenuRole.NoRole)
        action.triggered.connect(lambda _=False, name=command.id: self._run(name))
        menu.addAction(action)
        self._actions[command.id] = action

    def _run(self, command_id: str) -> None:
        self._registry.run(command_id)
        self.refresh_actions()

    def _lay_out(self) -> None:
        head = QVBoxLayout(self._head)
        head.setContentsMargins(8, 8, 8, 2)
        head.setSpacing(6)
        row = QHBoxLayout()
        row.addWidget(self.recipes)
        row.addStretch(1)
        head.addLayout(row)
        head.addWidget(self.models)
        middle = QSplitter(Qt.Orientation.Vertical, self)
        middle.addWidget(self.raster)
        middle.addWidget(self.scores)
        middle.setStretchFactor(0, 1)
        middle.setStretchFactor(1, 0)
        middle.setSizes([1000, _SCORES_HEIGHT])
        middle.setChildrenCollapsible(False)
        middle.setObjectName("middle")
        self._pages.addWidget(self.welcome)
        self._pages.addWidget(middle)
        centre = QWidget(self)
        column = QVBoxLayout(centre)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._head)
        column.addWidget(self._pages, 1)
        self.setCentralWidget(centre)
        bar = QStatusBar(self)
        bar.setSizeGripEnabled(False)
        bar.addWidget(self.status, 1)
        self.setStatusBar(bar)
        self._add_docks()

    def _add_docks(self) -> None:
        left, right = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
        self.tree_dock = self._dock("Regions and units", self.tree, left)
        self.editor_dock = self._dock("Custom mask", self.editor, left)
        self.unit_dock = self._dock("Unit", self.unit, right)
        self.resizeDocks([self.tree_dock, self.unit_dock], [250, 320], Qt.Orientation.Horizontal)

    def _dock(self, title: str, view: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(title)
        dock.setWidget(view)
        dock.setAccessibleName(title)
        features = QDockWidget.DockWidgetFeature
        dock.setFeatures(features.DockWidgetMovable | features.DockWidgetFloatable)
        self.addDockWidget(area, dock)
        return dock
