"""Editing a custom mask: a rule with a live count, a range of bins, the prompt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import Qt, QTimer, pyqtSignal
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from mtm_core.data.session import Session
from mtm_core.errors import MtmError
from mtm_core.masking.masked_batch import PROMPTS
from mtm_core.masking.rules import parse_rule
from mtm_viewer.presenters.mask_choice import HiddenParts
from mtm_viewer.theme import LIGHT, Theme
from mtm_viewer.views.bin_spin import BinSpin
from mtm_viewer.views.random_units import RandomUnits

_AUTOMATIC = "fitting the mask"
_TYPING_MS = 150
_HEIGHT = 250
_EXAMPLE = 'region == "VIS*" and rate_hz > 2'


@dataclass(frozen=True, eq=False, kw_only=True)
class EditorDrawable:
    """What the editor shows.

    Parameters
    ----------
    session : Session
        The recording, for counts and bins.
    rate_hz : ndarray, shape (n_units,)
        Mean rates of training trials, for rules.
    parts : HiddenParts
        What is hidden.
    prompt : str or None
        The prompt that was picked; None for the fitting one.
    chosen_prompt : str
        The prompt in use; "" where nothing is hidden.
    """

    session: Session
    rate_hz: NDArray[np.float64]
    parts: HiddenParts
    prompt: str | None
    chosen_prompt: str = ""


class MaskEditor(QWidget):
    """Fields of a custom mask.

    Notes
    -----
    Signals: `rule_entered` a rule or "", `bins_entered` a (first, stop) pair or None,
    `prompt_chosen` a prompt or None, `random_asked` scope, per cent and seed, `cleared` nothing.
    """

    rule_entered = pyqtSignal(str)
    bins_entered = pyqtSignal(object)
    prompt_chosen = pyqtSignal(object)
    random_asked = pyqtSignal(str, float, int)
    cleared = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: EditorDrawable | None = None
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_MS)
        self._typing.timeout.connect(self._count)
        self.rule = self._make_rule()
        self.count = _text_line("Units that the rule chooses", self)
        self.only_bins = QCheckBox("Only this time", self)
        self.first, self.last = self._make_spin("Start"), self._make_spin("End", is_end=True)
        self.span = QLabel(self)
        self.span.setAccessibleName("Hidden time range")
        self.prompt = self._make_prompt()
        self.random = RandomUnits(self)
        self.clear = QPushButton("Show everything", self)
        self._lay_out()
        self._connect()
        self.set_theme(LIGHT)
        self.draw(None)

    def draw(self, drawable: EditorDrawable | None) -> None:
        """Show a mask; nothing is emitted."""
        self._shown = drawable
        self.setEnabled(drawable is not None)
        if drawable is None:
            return
        for widget in (self.rule, self.only_bins, self.first, self.last, self.prompt):
            widget.blockSignals(True)
        if not (self.rule.hasFocus() and self.rule.isModified()):
            self.rule.setText(drawable.parts.rule)
        self._draw_bins(drawable)
        fitting = drawable.chosen_prompt if drawable.prompt is None else ""
        shown = f"fitting: {fitting.replace('_', '-')}" if fitting else _AUTOMATIC
        self.prompt.setItemText(0, shown)
        wanted = drawable.prompt or _AUTOMATIC
        self.prompt.setCurrentIndex(max(0, self.prompt.findData(wanted)))
        for widget in (self.rule, self.only_bins, self.first, self.last, self.prompt):
            widget.blockSignals(False)
        self.clear.setEnabled(not drawable.parts.is_empty)
        self._count()

    def set_theme(self, theme: Theme) -> None:
        """Follow the window's colours."""
        self._theme = theme
        self.span.setStyleSheet(f"color: {theme.muted};")
        self._count()

    def _make_rule(self) -> QLineEdit:
        rule = QLineEdit(self)
        rule.setPlaceholderText(_EXAMPLE)
        rule.setAccessibleName("Rule that hides units")
        rule.setClearButtonEnabled(True)
        rule.setToolTip(
            "Hide the units for which a rule is true. Fields: region, beryl, cosmos, depth_um, "
            "rate_hz, good, probe, unit_id and every column of the session. Signs: == != < <= > "
            f">= in. Words: and, or, not. A star stands for any letters. Example: {_EXAMPLE}"
        )
        return rule

    def _make_spin(self, name: str, *, is_end: bool = False) -> BinSpin:
        spin = BinSpin(is_end=is_end, parent=self)
        spin.setAccessibleName(f"{name} of the hidden time")
        return spin

    def _make_prompt(self) -> QComboBox:
        prompt = QComboBox(self)
        prompt.setAccessibleName("Prompt of the custom mask")
        prompt.setToolTip("The word that tells the model which scheme to expect.")
        prompt.addItem(_AUTOMATIC, _AUTOMATIC)
        for name in PROMPTS:
            prompt.addItem(name.replace("_", "-"), name)
        return prompt

    def _lay_out(self) -> None:
        rule_label, prompt_label = QLabel("Hide units by &rule", self), QLabel("&Prompt", self)
        rule_label.setBuddy(self.rule)
        prompt_label.setBuddy(self.prompt)
        bins = QHBoxLayout()
        for widget in (self.first, QLabel("to", self), self.last):
            bins.addWidget(widget)
        bins.addStretch(1)
        prompt = QHBoxLayout()
        prompt.addWidget(prompt_label)
        prompt.addWidget(self.prompt)
        prompt.addStretch(1)
        content = QWidget(self)
        column = QVBoxLayout(content)
        column.setContentsMargins(8, 4, 8, 8)
        column.setSpacing(6)
        column.addWidget(rule_label)
        column.addWidget(self.rule)
        column.addWidget(self.count)
        column.addWidget(self.only_bins)
        column.addLayout(bins)
        column.addWidget(self.span)
        column.addWidget(self.random)
        column.addLayout(prompt)
        column.addWidget(self.clear)
        column.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setAccessibleName("Custom mask fields")
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(content)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(scroll)
        self.setMinimumHeight(_HEIGHT)
        bar = scroll.verticalScrollBar()
        room = 0 if bar is None else bar.sizeHint().width()
        self.setMinimumWidth(content.minimumSizeHint().width() + room)

    def _connect(self) -> None:
        self.rule.textEdited.connect(lambda _: self._typing.start())
        self.rule.returnPressed.connect(self._enter_rule)
        self.rule.editingFinished.connect(self._enter_rule)
        self.only_bins.toggled.connect(lambda _: self._enter_bins())
        self.first.valueChanged.connect(lambda _: self._enter_bins())
        self.last.valueChanged.connect(lambda _: self._enter_bins())
        self.prompt.activated.connect(lambda _: self._enter_prompt())
        self.random.asked.connect(self.random_asked)
        self.clear.clicked.connect(lambda _: self.cleared.emit())

    def _draw_bins(self, drawable: EditorDrawable) -> None:
        session, n_bins = drawable.session, drawable.session.n_bins
        has_bins = drawable.parts.bins is not None
        first, stop = drawable.parts.bins or (max(0, n_bins - n_bins // 10), n_bins)
        for spin, value in ((self.first, first), (self.last, stop - 1)):
            spin.set_bins(n_bins, session.window_start_s, session.bin_size_s)
            spin.setEnabled(has_bins)
            if has_bins or not self.only_bins.isChecked():
                spin.setValue(value)
        self.only_bins.setChecked(has_bins)
        text = (
            f"bins {first} to {stop - 1} of 0 to {n_bins - 1}" if has_bins else "all of the trial"
        )
        self.span.setText(text)

    def _enter_rule(self) -> None:
        text = self.rule.text().strip()
        if self._shown is None or text == self._shown.parts.rule or not self._is_rule(text):
            return
        self.rule.setModified(False)
        self.rule_entered.emit(text)

    def _is_rule(self, text: str) -> bool:
        """Tell whether a rule can be applied; if not the reason stands under it already."""
        self._count()
        return not text or self._chosen(text) is not None

    def _enter_bins(self) -> None:
        is_on = self.only_bins.isChecked()
        first, last = self.first.value(), self.last.value()
        self.bins_entered.emit((min(first, last), max(first, last) + 1) if is_on else None)

    def _enter_prompt(self) -> None:
        chosen = self.prompt.currentData()
        self.prompt_chosen.emit(None if chosen == _AUTOMATIC else chosen)

    def _count(self) -> None:
        text = self.rule.text().strip()
        if not text:
            self._say("", is_bad=False)
            return
        chosen = self._chosen(text)
        if chosen is not None and self._shown is not None:
            count = f"{int(chosen.sum())} of {self._shown.session.n_units} units"
            is_done = text == self._shown.parts.rule
            end = "hidden" if is_done else "Enter hides them"
            self._say(f"{count} where {parse_rule(text)}: {end}", is_bad=False)

    def _chosen(self, text: str) -> NDArray[np.bool_] | None:
        if self._shown is None:
            return None
        try:
            rule = parse_rule(text)
            return rule.select(self._shown.session.units, self._shown.rate_hz)
        except MtmError as error:
            self._say(str(error), is_bad=True)
            return None

    def _say(self, text: str, *, is_bad: bool) -> None:
        self.count.setText(text)
        self.count.setVisible(bool(text))
        colour = self._theme.bad if is_bad else self._theme.muted
        self.count.setStyleSheet(f"color: {colour};")


def _text_line(accessible_name: str, parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setWordWrap(True)
    label.setAccessibleName(accessible_name)
    return label
