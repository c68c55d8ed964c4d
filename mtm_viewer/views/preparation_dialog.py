"""The settings of preparation in a dialog: every default with the reason that its field gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFrame,
    QGridLayout,
    QLabel,
    QLineEdit,
    QScrollArea,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from mtm_core.config import PreparationConfig
from mtm_core.config_io import load_preparation
from mtm_core.errors import ConfigError
from mtm_viewer.presenters.preparation_form import (
    PRESETS,
    FormField,
    changed_fields,
    form_fields,
    make_config,
    preparation_words,
)
from mtm_viewer.theme import Theme
from mtm_viewer.views.selector import fill_selector, selector

_WIDTH, _HEIGHT = 720, 640
_DECIMALS = 3
_FIELD_HEIGHT = 26
_Getter = Callable[[], Any]
_Setter = Callable[[Any], None]
Misfit = Callable[[PreparationConfig], str]


class PlainSpinBox(QDoubleSpinBox):
    """A number as people write it: without zeros at its end."""

    def textFromValue(self, value: float) -> str:
        """Write a number (Qt's own hook)."""
        return f"{round(value, self.decimals()):g}"


class PreparationDialog(QDialog):
    """A form over `PreparationConfig`.

    Parameters
    ----------
    config : PreparationConfig
        What the form shows first.
    theme : Theme
        Colours.
    act : str
        What the button that accepts says, for example ``"Prepare again"``.
    parent : QWidget, optional
        The window it belongs to.
    misfit : callable, optional
        Says of settings why the open model will not fit, "" if it may.

    Notes
    -----
    Signals: `chosen` a `PreparationConfig`, then `training_wanted` if another model shall be
    trained for it.
    """

    chosen = pyqtSignal(object)
    training_wanted = pyqtSignal()

    def __init__(
        self,
        config: PreparationConfig,
        theme: Theme,
        act: str,
        parent: QWidget | None = None,
        misfit: Misfit | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Preparation")
        self.setAccessibleName("Preparation settings")
        self._theme = theme
        self._preset = config.preset
        self._getters: dict[str, _Getter] = {}
        self._setters: dict[str, _Setter] = {}
        self.fields: dict[str, QWidget] = {}
        self.preset = selector(self, "Preset", "Rules that belong together.")
        fill_selector(self.preset, {name: name for name in PRESETS}, config.preset)
        self.preset_words = _muted(theme, self)
        self.summary = _muted(theme, self)
        self.summary.setAccessibleName("What will be done")
        self.problem = QLabel(self)
        self.problem.setAccessibleName("What is wrong")
        self.problem.setWordWrap(True)
        self.problem.setStyleSheet(f"color: {theme.bad};")
        self._misfit = misfit
        self.misfit = QLabel(self)
        self.misfit.setAccessibleName("Whether the open model will fit")
        self.misfit.setWordWrap(True)
        self.misfit.setStyleSheet(f"color: {theme.warning};")
        self.train = QCheckBox("Train another model when it is prepared", self)
        self.train.setToolTip("With the preset 'quick', in the background.")
        self.buttons = self._make_buttons(act)
        self._lay_out(form_fields(config))
        self.preset.activated.connect(lambda _: self._take_preset(self.preset.currentData()))
        self.show_config(config)
        self.resize(_WIDTH, _HEIGHT)

    def show_config(self, config: PreparationConfig) -> None:
        """Show other settings."""
        self._preset = config.preset
        self.preset.setCurrentIndex(max(0, self.preset.findData(config.preset)))
        for field in form_fields(config):
            self._setters[field.name](field.value)
        self._check()

    def config(self) -> PreparationConfig:
        """Return what the form says.

        Raises
        ------
        ConfigError
            If the values do not go together.
        """
        values: Mapping[str, Any] = {name: get() for name, get in self._getters.items()}
        return make_config({"preset": self._preset, **values})

    def _take_preset(self, name: str) -> None:
        self.show_config(load_preparation(name))

    def _check(self) -> None:
        """Say what the settings amount to, or what is wrong with them."""
        accept = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        try:
            config = self.config()
        except ConfigError as error:
            self.problem.setText(str(error))
            is_fine = False
        else:
            self.problem.setText("")
            self.summary.setText(f"In short: {preparation_words(config)}.")
            changed = changed_fields(config)
            words = PRESETS[self._preset]
            note = f"   Changed: {', '.join(changed).lower()}." if changed else ""
            self.preset_words.setText(f"{words}.{note}")
            is_fine = True
        told = self._misfit(config) if is_fine and self._misfit is not None else ""
        self.misfit.setText(told)
        for widget in (self.misfit, self.train):
            widget.setVisible(bool(told))
        self.problem.setVisible(not is_fine)
        self.summary.setVisible(is_fine)
        if accept is not None:
            accept.setEnabled(is_fine)

    def _accept(self) -> None:
        config = self.config()
        is_training_wanted = self.train.isChecked() and not self.train.isHidden()
        self.accept()
        self.chosen.emit(config)
        if is_training_wanted:
            self.training_wanted.emit()

    def _make_buttons(self, act: str) -> QDialogButtonBox:
        standard = QDialogButtonBox.StandardButton
        kinds = standard.Ok | standard.Cancel | standard.Reset
        buttons = QDialogButtonBox(kinds, self)
        names = {standard.Ok: act, standard.Cancel: "Cancel", standard.Reset: "Reset to preset"}
        for kind, text in names.items():
            button = buttons.button(kind)
            if button is not None:
                button.setText(text)
                button.setAccessibleName(text)
        reset = buttons.button(standard.Reset)
        if reset is not None:
            reset.clicked.connect(lambda _: self._take_preset(self._preset))
        buttons.accepted.connect(self._accept)
        buttons.rejected.connect(self.reject)
        return buttons

    def _lay_out(self, fields: tuple[FormField, ...]) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(3)
        grid.setColumnStretch(1, 1)
        inner = QWidget(self)
        for field in fields:
            self._add(field, grid, inner)
        grid.setRowStretch(grid.rowCount(), 1)
        inner.setLayout(grid)
        area = QScrollArea(self)
        area.setAccessibleName("Settings of the preparation")
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inner)
        top = QGridLayout()
        top.setColumnStretch(2, 1)
        top.addWidget(QLabel("Preset", self), 0, 0)
        top.addWidget(self.preset, 0, 1)
        top.addWidget(self.preset_words, 0, 2)
        layout = QVBoxLayout(self)
        layout.setSpacing(10)
        layout.addLayout(top)
        layout.addWidget(area, 1)
        layout.addWidget(self.summary)
        layout.addWidget(self.problem)
        layout.addWidget(self.misfit)
        layout.addWidget(self.train)
        layout.addWidget(self.buttons)

    def _add(self, field: FormField, grid: QGridLayout, inner: QWidget) -> None:
        row = grid.rowCount()
        widget = self._editor(field, inner)
        widget.setAccessibleName(field.label)
        widget.setAccessibleDescription(field.help)
        widget.setToolTip(field.help)
        label = QLabel(field.label, inner)
        label.setBuddy(widget)
        help_label = _muted(self._theme, inner)
        help_label.setText(field.help)
        self.fields[field.name] = widget
        grid.addWidget(label, row, 0)
        grid.addWidget(widget, row, 1, Qt.AlignmentFlag.AlignLeft)
        grid.addWidget(help_label, row + 1, 1)
        grid.setRowMinimumHeight(row + 2, 6)

    def _editor(self, field: FormField, parent: QWidget) -> QWidget:
        make = {
            "choice": self._choice,
            "flag": self._flag,
            "number": self._number,
            "words": self._words,
        }
        return make[field.kind](field, parent)

    def _choice(self, field: FormField, parent: QWidget) -> QWidget:
        box: QComboBox = selector(parent, field.label, field.help)
        fill_selector(box, field.choices, str(field.value))
        self._getters[field.name] = box.currentData
        self._setters[field.name] = lambda value: box.setCurrentIndex(box.findData(value))
        box.currentIndexChanged.connect(lambda _: self._check())
        return box

    def _flag(self, field: FormField, parent: QWidget) -> QWidget:
        box = QCheckBox("yes", parent)
        self._getters[field.name] = box.isChecked
        self._setters[field.name] = box.setChecked
        box.toggled.connect(lambda _: self._check())
        return box

    def _number(self, field: FormField, parent: QWidget) -> QWidget:
        box = QSpinBox(parent) if field.is_whole else PlainSpinBox(parent)
        if isinstance(box, QDoubleSpinBox):
            box.setDecimals(_DECIMALS)
            box.setSingleStep(0.1 if abs(field.value) >= 0.1 else 0.01)
            if field.bounds is not None:
                box.setRange(field.bounds.low, field.bounds.high)
        elif field.bounds is not None:
            box.setRange(int(field.bounds.low), int(field.bounds.high))
        box.setSuffix(f" {field.unit}" if field.unit else "")
        box.setMinimumSize(140, _FIELD_HEIGHT)
        self._getters[field.name] = (
            (lambda: round(box.value(), _DECIMALS)) if not field.is_whole else box.value
        )
        self._setters[field.name] = box.setValue
        box.valueChanged.connect(lambda _: self._check())
        return box

    def _words(self, field: FormField, parent: QWidget) -> QWidget:
        line = QLineEdit(parent)
        line.setPlaceholderText("all; or for example CA1, DG")
        line.setMinimumWidth(260)
        self._getters[field.name] = lambda: _split(line.text())
        self._setters[field.name] = lambda value: line.setText(", ".join(value))
        line.textChanged.connect(lambda _: self._check())
        return line


def _split(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _muted(theme: Theme, parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setWordWrap(True)
    label.setStyleSheet(f"color: {theme.muted};")
    return label
