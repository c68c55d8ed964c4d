"""The window: menus, docks and layout, generated from the command registry. No logic here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PyQt6.QtCore import QByteArray, QSize, Qt, pyqtSignal
from PyQt6.QtGui import (
    QAction,
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QKeySequence,
    QResizeEvent,
)
from PyQt6.QtWidgets import (
    QDockWidget,
    QHBoxLayout,
    QLineEdit,
    QMainWindow,
    QMenu,
    QSplitter,
    QStackedWidget,
    QStatusBar,
    QTabWidget,
    QToolBar,
    QVBoxLayout,
    QWidget,
)

from mtm_viewer.commands import Command, CommandRegistry
from mtm_viewer.theme import Theme
from mtm_viewer.views.comparison_view import ComparisonView
from mtm_viewer.views.drop_target import DropTarget
from mtm_viewer.views.health_strip import HealthStrip
from mtm_viewer.views.history_panel import HistoryPanel
from mtm_viewer.views.honesty_panel import HonestyPanel
from mtm_viewer.views.icons import app_icon
from mtm_viewer.views.mask_editor import MaskEditor
from mtm_viewer.views.model_bar import ModelBar
from mtm_viewer.views.named_masks_panel import NamedMasksPanel
from mtm_viewer.views.palette import CommandPalette
from mtm_viewer.views.population_view import PopulationView
from mtm_viewer.views.raster_view import RasterView
from mtm_viewer.views.recipe_bar import RecipeBar
from mtm_viewer.views.recipe_panel_view import RecipePanelView
from mtm_viewer.views.region_matrix_view import RegionMatrixView
from mtm_viewer.views.region_tree import RegionTreeView
from mtm_viewer.views.score_panel import ScorePanel
from mtm_viewer.views.side_scroll import SideScroll
from mtm_viewer.views.status import StatusLine
from mtm_viewer.views.task_strip import TaskStrip
from mtm_viewer.views.theatre_view import TheatreView
from mtm_viewer.views.tooltips import tooltip
from mtm_viewer.views.training_panel import TrainingPanel
from mtm_viewer.views.trial_strip import TrialStrip
from mtm_viewer.views.unit_panel import UnitPanel
from mtm_viewer.views.welcome import WelcomePage

TITLE = "MtM Viewer"
RECIPE_SIDE = "recipe"
"""Name of the panel with the parameters of the recipe among `MainWindow.side_docks`."""
_LAYOUT_VERSION = 2
_SCORES_HEIGHT = 240
_LEAST_HEIGHT = 480
_FIRST_SIZE, _FRAME = QSize(1440, 900), QSize(16, 48)
_UNIT_WIDEST = 360


class MainWindow(QMainWindow):
    """Holds the views; tells of what is dropped on it and of being closed.

    Notes
    -----
    Signals: `files_dropped` a list of paths, `text_dropped` a text that may hold a path or an
    eid, `closing` nothing.
    """

    files_dropped = pyqtSignal(list)
    text_dropped = pyqtSignal(str)
    closing = pyqtSignal()

    def __init__(self, registry: CommandRegistry, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._registry = registry
        self._actions: dict[str, QAction] = {}
        self._menus: dict[str, QMenu] = {}
        self.recipes = RecipeBar(self)
        self.models = ModelBar(self)
        self.trials = TrialStrip(self)
        self.raster = RasterView(parent=self)
        self.theatre = TheatreView(parent=self)
        self._maps = QStackedWidget(self)
        self.scores = ScorePanel(parent=self)
        self.unit = UnitPanel(parent=self)
        self.tree = RegionTreeView(self)
        self.editor = MaskEditor(self)
        self.names = NamedMasksPanel(self)
        self.recipe = RecipePanelView(parent=self)
        self.history = HistoryPanel(self)
        self.training = TrainingPanel(parent=self)
        self.may_close: Callable[[], bool] | None = None
        self.matrix = RegionMatrixView(parent=self)
        self.compare = ComparisonView(parent=self)
        self.honesty = HonestyPanel(parent=self)
        self.population = PopulationView(parent=self)
        self.welcome = WelcomePage(self)
        self.browser = self.welcome.browser
        self.health = HealthStrip(self)
        self.opening = TaskStrip("Opening a session", self)
        self.download = TaskStrip("Downloading a session", self)
        self.status = StatusLine(self)
        self.palette_dialog = CommandPalette(registry, self)
        self.palette_dialog.chosen.connect(registry.run)
        self._pages = QStackedWidget(self)
        self._head = QWidget(self)
        self._docks_before = QByteArray()
        self._target = DropTarget(self)
        self._lay_out()
        self.setWindowTitle(TITLE)
        self.setWindowIcon(app_icon())
        self.setAcceptDrops(True)
        for widget in self.findChildren(QWidget):
            widget.setToolTip(tooltip(widget.toolTip()))
        # A field that took a dropped file would show its address instead of opening it.
        for field in self.findChildren(QLineEdit):
            field.setAcceptDrops(False)
        self.show_welcome(is_shown=True)

    def build_menus(self) -> None:
        """Make the menus anew from the registry."""
        bar = self.menuBar()
        if bar is None:
            return
        for old in (*self._actions.values(), *self._menus.values()):
            old.deleteLater()
        self._actions.clear()
        self._menus.clear()
        bar.clear()
        menus = self._registry.in_menus()
        for is_last in (False, True):
            for path, commands in menus.items():
                menu = self._menu(path)
                for command in commands:
                    if command.is_last == is_last:
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

    @property
    def is_browsing(self) -> bool:
        """Whether the session browser is shown."""
        return self._pages.currentIndex() == 0

    def show_welcome(self, *, is_shown: bool) -> None:
        """Show the page of the session browser, or the session."""
        was_shown = self.is_browsing
        if is_shown and not was_shown:
            self._docks_before = self.save_layout()
        self._pages.setCurrentIndex(0 if is_shown else 1)
        for widget in (self._head, self._health_bar):
            widget.setVisible(not is_shown)
        docks = [self.tree_dock, self.unit_dock]
        for dock in docks:
            dock.setVisible(not is_shown)
        if is_shown:
            for dock in (self.editor_dock, *self.side_docks.values()):
                dock.hide()
        elif was_shown and not self._docks_before.isEmpty():
            self.restore_layout(self._docks_before)
        elif was_shown:
            right = min(_UNIT_WIDEST, max(self.unit.minimumWidth(), self.width() // 4))
            self.resizeDocks(docks, [self.tree.minimumWidth(), right], Qt.Orientation.Horizontal)

    def show_theatre(self, *, is_shown: bool) -> None:
        """Show single trials in place of averages, or averages again."""
        self._maps.setCurrentWidget(self.theatre if is_shown else self.raster)

    def show_editor(self, *, is_shown: bool) -> None:
        """Show the fields of a custom mask, or not."""
        self.editor_dock.setVisible(is_shown)

    def toggle_side(self, name: str) -> None:
        """Show one of `side_docks`, or hide it."""
        dock = self.side_docks[name]
        dock.setVisible(dock.isHidden())
        dock.raise_()

    def set_theme(self, theme: Theme) -> None:
        """Give every view the colours of a theme."""
        for view in (
            *(self.recipes, self.models, self.trials, self.raster, self.scores, self.unit),
            *(self.tree, self.editor, self.names, self.history, self.welcome, self.status),
            *(self.health, self.opening, self.download, self.training, self._target),
            *(self.matrix, self.compare, self.population, self.recipe, self.theatre),
            self.honesty,
        ):
            view.set_theme(theme)

    def forget_minimum(self) -> None:
        """Allow the size that what is shown now needs, not what was shown while it was built."""
        layout = self.layout()
        if layout is not None:
            layout.invalidate()
            layout.activate()

    def fit_screen(self) -> None:
        """Take the size for a first look, or what the screen has left beside frame and title."""
        screen = self.screen()
        if screen is not None:
            room = screen.availableGeometry().size() - _FRAME
            self.resize(_FIRST_SIZE.boundedTo(room))

    def save_layout(self) -> QByteArray:
        """Return where docks and toolbars are."""
        return self.saveState(_LAYOUT_VERSION)

    def restore_layout(self, layout: QByteArray) -> bool:
        """Put docks where they were; tell whether that worked."""
        return self.restoreState(layout, _LAYOUT_VERSION)

    def dragEnterEvent(self, event: QDragEnterEvent | None) -> None:
        """Accept files, folders and texts (Qt's own hook)."""
        data = None if event is None else event.mimeData()
        if event is not None and data is not None and (data.hasUrls() or data.hasText()):
            event.acceptProposedAction()
            self._target.draw(is_shown=True)

    def dragLeaveEvent(self, event: QDragLeaveEvent | None) -> None:
        """Show no longer that something can be dropped (Qt's own hook)."""
        self._target.draw(is_shown=False)

    def dropEvent(self, event: QDropEvent | None) -> None:
        """Tell of what was dropped (Qt's own hook)."""
        self._target.draw(is_shown=False)
        data = None if event is None else event.mimeData()
        if event is None or data is None:
            return
        paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
        if paths:
            event.acceptProposedAction()
            self.files_dropped.emit(paths)
        elif data.hasText():
            event.acceptProposedAction()
            self.text_dropped.emit(data.text())

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """Let what is drawn over the window cover it (Qt's own hook)."""
        super().resizeEvent(event)
        self._target.resize(self.size())

    def closeEvent(self, event: QCloseEvent | None) -> None:
        """Tell that the window closes, unless something is to be asked first (Qt's own hook)."""
        if event is not None and self.may_close is not None and not self.may_close():
            event.ignore()
            return
        self.closing.emit()
        super().closeEvent(event)

    def _menu(self, path: str) -> QMenu:
        if path not in self._menus:
            above, _, name = path.rpartition("/")
            bar = self.menuBar()
            menu = QMenu(name, self)
            menu.setToolTipsVisible(True)
            menu.aboutToShow.connect(self.refresh_actions)
            if above:
                self._menu(above).addMenu(menu)
            elif bar is not None:
                bar.addMenu(menu)
            self._menus[path] = menu
        return self._menus[path]

    def _add(self, command: Command, menu: QMenu) -> None:
        if command.starts_group:
            menu.addSeparator()
        action = QAction(command.title_now, self)
        action.setShortcut(QKeySequence(command.shortcut))
        action.setToolTip(tooltip(command.help or command.plain_title))
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
        head.addWidget(self.trials)
        middle = QSplitter(Qt.Orientation.Vertical, self)
        for maps in (self.raster, self.theatre):
            self._maps.addWidget(maps)
        middle.addWidget(self._maps)
        middle.addWidget(self.scores)
        middle.setStretchFactor(0, 1)
        middle.setStretchFactor(1, 0)
        middle.setSizes([1000, _SCORES_HEIGHT])
        self.scores.height_wanted.connect(self._fit_scores)
        middle.splitterMoved.connect(lambda *_: self._keep_border())
        self._middle, self._is_border_own = middle, False
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
        for strip in (self.opening, self.download):
            column.addWidget(strip)
        self.setCentralWidget(centre)
        # Before it is shown, wrapped texts in narrow columns ask for more than any screen has.
        self.setMinimumHeight(_LEAST_HEIGHT)
        self._health_bar = self._tool_bar("Health of the session", self.health)
        bar = QStatusBar(self)
        bar.setSizeGripEnabled(False)
        bar.addWidget(self.status, 1)
        self.setStatusBar(bar)
        self._add_docks()

    def _fit_scores(self, wanted: int) -> None:
        """Give the rasters what scores leave, until a person moves the border between them."""
        above, below = self._middle.sizes()
        height = min(wanted, _SCORES_HEIGHT)
        if height != below and not self._is_border_own:
            self._middle.setSizes([above + below - height, height])

    def _keep_border(self) -> None:
        self._is_border_own = True

    def _add_docks(self) -> None:
        left, right = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.DockWidgetArea.RightDockWidgetArea
        self.tree_dock = self._dock("Regions and units", self.tree, left)
        self.editor_dock = self._dock("Custom mask", self.editor, left)
        self.unit_dock = self._dock("Unit", self.unit, right)
        below = {
            RECIPE_SIDE: self._dock("Recipe", SideScroll(self.recipe), left),
            "names": self._dock("Named", self.names, left),
            "history": self._dock("History", self.history, left),
        }
        beside = {
            "training": self._dock("Training", SideScroll(self.training), right),
            "matrix": self._dock("Region-to-region matrix", SideScroll(self.matrix), right),
            "compare": self._dock("Compare", self.compare, right),
            "honesty": self._dock("Behind the picture", SideScroll(self.honesty), right),
            "population": self._dock("Population", self.population, right),
        }
        for first, docks in ((self.editor_dock, below), (self.unit_dock, beside)):
            for dock in docks.values():
                self.tabifyDockWidget(first, dock)
                dock.hide()
        self.side_docks = below | beside
        self.setTabPosition(right, QTabWidget.TabPosition.East)  # six names need a long side
        self.resizeDocks([self.tree_dock, self.unit_dock], [250, 320], Qt.Orientation.Horizontal)

    def _tool_bar(self, title: str, view: QWidget) -> QToolBar:
        """Put a strip across the whole window, above the docks."""
        bar = QToolBar(title, self)
        bar.setObjectName(title)
        bar.setMovable(False)
        bar.setFloatable(False)
        bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
        bar.addWidget(view)
        self.addToolBar(Qt.ToolBarArea.TopToolBarArea, bar)
        return bar

    def _dock(self, title: str, view: QWidget, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(title, self)
        dock.setObjectName(title)
        dock.setWidget(view)
        dock.setAccessibleName(title)
        if not view.accessibleName():
            view.setAccessibleName(title)
        features = QDockWidget.DockWidgetFeature
        dock.setFeatures(features.DockWidgetMovable | features.DockWidgetFloatable)
        self.addDockWidget(area, dock)
        return dock
