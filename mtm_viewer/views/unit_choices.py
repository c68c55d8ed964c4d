"""What the unit panel can be asked for: fields of the PSTHs, order of the single trials."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtGui import QAction
from PyQt6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QToolButton, QWidget

from mtm_viewer.presenters.condition_words import FIELD_TITLES
from mtm_viewer.presenters.trial_order import UNIT_SORTS
from mtm_viewer.presenters.unit_settings import UnitSettings
from mtm_viewer.views.selector import fill_selector, selector


class UnitChoices(QWidget):
    """A menu of fields and a list of orders.

    Notes
    -----
    Signals: `field_toggled` a field, `sort_chosen` the name of an order.
    """

    field_toggled = pyqtSignal(str)
    sort_chosen = pyqtSignal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.fields = QToolButton(self)
        self.fields.setText("PSTHs by")
        self.fields.setAccessibleName("Fields of the PSTHs")
        self.fields.setToolTip("Choose by which fields trials are averaged.")
        self.fields.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.fields.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.menu = QMenu(self)
        self.menu.setAccessibleName("Fields of the PSTHs")
        self.fields.setMenu(self.menu)
        self._actions: dict[str, QAction] = {}
        for field, title in FIELD_TITLES.items():
            action = QAction(title, self)
            action.setCheckable(True)
            action.triggered.connect(lambda _=False, field=field: self.field_toggled.emit(field))
            self.menu.addAction(action)
            self._actions[field] = action
        self.sort = selector(self, "Order of single trials", "How the single trials are sorted.")
        self.sort.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.sort.activated.connect(lambda _: self.sort_chosen.emit(self.sort.currentData()))
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 2, 6, 2)
        row.addWidget(self.fields)
        row.addWidget(self.sort, 1)
        self.draw(UnitSettings())

    def draw(self, settings: UnitSettings) -> None:
        """Show what is chosen."""
        for field, action in self._actions.items():
            action.setChecked(field in settings.fields)
        fill_selector(
            self.sort,
            {name: f"Trials: {text}" for name, text in UNIT_SORTS.items()},
            settings.sort,
        )
