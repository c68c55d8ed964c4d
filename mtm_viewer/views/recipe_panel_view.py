"""The panel of a recipe: what it does, its parameters, and what the model is told."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import (
    QFormLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from mtm_viewer.presenters.recipe_panel import RecipePanel
from mtm_viewer.theme import LIGHT, Theme
from mtm_viewer.views.selector import fill_selector, selector

_EXAMPLE = "rate_hz > 2 and good"
_NO_RECIPE = "A custom mask has fields of its own. Choose a recipe to see its parameters."


class RecipePanelView(QWidget):
    """Shows the parameters of the recipe on screen; tells what a person changes.

    Notes
    -----
    Signals: `settings_chosen` the hidden bins at the end (None where there are none) and the
    rule of the scored units, `prompt_chosen` a prompt or None, `reset_asked` nothing.
    """

    settings_chosen = pyqtSignal(object, str)
    prompt_chosen = pyqtSignal(object)
    reset_asked = pyqtSignal()

    def __init__(self, theme: Theme = LIGHT, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: RecipePanel | None = None
        self.title, self.help = self._text("Recipe"), self._text("What the recipe does")
        self.regions = self._text("Regions of the recipe")
        self.last = QSpinBox(self)
        self.span = self._text("Hidden time")
        self.rule = QLineEdit(self)
        self.scored = self._text("Scored units")
        self.prompt = selector(self, "Prompt", "What the model is told about the mask.")
        self.told = self._text("What the model is told")
        self.reset = QPushButton("As published", self)
        self._set_up()
        self._lay_out()
        self._connect()
        self.setAccessibleName("Recipe panel")
        self.set_theme(theme)
        self.draw(None)

    def draw(self, panel: RecipePanel | None) -> None:
        """Show the parameters of a recipe; None says where those of a custom mask are."""
        self._shown = panel
        self._form.setVisible(panel is not None)
        self.title.setText("Custom" if panel is None else panel.title)
        self.help.setText(_NO_RECIPE if panel is None else panel.help)
        if panel is None:
            return
        self.regions.setText(panel.regions)
        has_bins = panel.last_bins is not None
        for widget in (self.last, self.last_label, self.span):
            widget.setVisible(has_bins)
        for field in (self.last, self.rule):
            field.blockSignals(True)
        self.last.setRange(1, panel.most_bins)
        self.last.setValue(panel.last_bins or 1)
        if not (self.rule.hasFocus() and self.rule.isModified()):
            self.rule.setText(panel.rule)
        for field in (self.last, self.rule):
            field.blockSignals(False)
        self.span.setText(panel.span)
        self.scored.setText(panel.scored)
        fill_selector(self.prompt, panel.prompts, panel.prompt)
        self.told.setText(panel.prompt_words)
        self.reset.setEnabled(not panel.is_published)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        self.title.setStyleSheet(f"color: {theme.text}; font-weight: 600;")
        for label in (self.help, self.span, self.scored, self.told):
            label.setStyleSheet(f"color: {theme.muted};")

    def _text(self, accessible_name: str) -> QLabel:
        label = QLabel(self)
        label.setAccessibleName(accessible_name)
        label.setWordWrap(True)
        return label

    def _set_up(self) -> None:
        self.last.setAccessibleName("Hidden bins at the end of the trial")
        self.last.setKeyboardTracking(False)
        self.last.setSuffix(" bins")
        self.rule.setAccessibleName("Rule for the units that are scored")
        self.rule.setPlaceholderText(_EXAMPLE)
        self.rule.setClearButtonEnabled(True)
        self.rule.setToolTip("Score only the units for which a rule is true; Enter applies it.")
        self.prompt.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.prompt.setMinimumWidth(80)
        self.reset.setAccessibleName("Take the published parameters")
        self.reset.setToolTip("All parameters as in the paper, and the recipe's own prompt.")

    def _lay_out(self) -> None:
        self._form = QWidget(self)
        form = QFormLayout(self._form)
        form.setContentsMargins(0, 0, 0, 0)
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapLongRows)
        self.last_label = QLabel("Hide the &last", self._form)
        self.last_label.setBuddy(self.last)
        form.addRow("Regions", self.regions)
        form.addRow(self.last_label, self.last)
        form.addRow(self.span)
        form.addRow("&Score only", self.rule)
        form.addRow(self.scored)
        form.addRow("&Prompt", self.prompt)
        form.addRow(self.told)
        form.addRow(self.reset)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 6, 8, 8)
        column.setSpacing(6)
        for widget in (self.title, self.help, self._form):
            column.addWidget(widget)
        column.addStretch(1)

    def _connect(self) -> None:
        self.last.valueChanged.connect(lambda _: self._choose())
        self.rule.editingFinished.connect(self._choose)
        self.prompt.activated.connect(
            lambda _: self.prompt_chosen.emit(self.prompt.currentData() or None)
        )
        self.reset.clicked.connect(lambda _: self.reset_asked.emit())

    def _choose(self) -> None:
        """Tell the parameters as they stand now, if they are others than those shown."""
        panel = self._shown
        if panel is None:
            return
        rule = self.rule.text().strip()
        last = self.last.value() if panel.last_bins is not None else None
        if (last, rule) != (panel.last_bins, panel.rule):
            self.rule.setModified(False)
            self.settings_chosen.emit(last, rule)
