"""Editing a custom mask: a rule with a live count, a range of bins, the prompt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PyQt6.QtCore import QTimer, pyqtSignal
from PyQt6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from mtm_core.data.session import Session
from mtm_core.errors import MtmError
from mtm_core.masking.masked_batch import PROMPTS
from mtm_core.masking.rules import parse_rule
from mtm_viewer.presenters.mask_choice import HiddenParts
from mtm_viewer.theme import Theme

_AUTOMATIC = "fitting the mask"
_TYPING_MS = 150
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
    sentence : str
        The mask in words.
    """

    session: Session
    rate_hz: NDArray[np.float64]
    parts: HiddenParts
    prompt: str | None
    sentence: str


class MaskEditor(QWidget):
    """Fields of a custom mask.

    Notes
    -----
    Signals: `rule_entered` a rule or "", `bins_entered` a (first, stop) pair or None,
    `prompt_chosen` a prompt or None, `cleared` nothing.
    """

    rule_entered = pyqtSignal(str)
    bins_entered = pyqtSignal(object)
    prompt_chosen = pyqtSignal(object)
    cleared = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._shown: EditorDrawable | None = None
        self._typing = QTimer(self)
        self._typing.setSingleShot(True)
        self._typing.setInterval(_TYPING_MS)
        self._typing.timeout.connect(self._count)
        self.sentence = _text_line("The custom mask in words", self)
        self.rule = self._make_rule()
        self.count = _text_line("Units that the rule chooses", self)
        self.only_bins = QCheckBox("Only these bins", self)
        self.first, self.last = self._make_spin("First"), self._make_spin("Last")
        self.span = _text_line("Hidden time range", self)
        self.prompt = self._make_prompt()
        self.clear = QPushButton("Show everything", self)
        self._lay_out()
        self._connect()
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
        wanted = drawable.prompt or _AUTOMATIC
        self.prompt.setCurrentIndex(max(0, self.prompt.findData(wanted)))
        for widget in (self.rule, self.only_bins, self.first, self.last, self.prompt):
            widget.blockSignals(False)
        self.sentence.setText(drawable.sentence)
        self.clear.setEnabled(not drawable.parts.is_empty)
        self._count()

    def set_theme(self, theme: Theme) -> None:
        """Follow the window's colours."""
        for label in (self.count, self.span):
            label.setStyleSheet(f"color: {theme.muted};")
        self._bad_colour = theme.bad
        self._muted_colour = theme.muted

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

    def _make_spin(self, name: str) -> QSpinBox:
        spin = QSpinBox(self)
        spin.setAccessibleName(f"{name} hidden bin")
        spin.setKeyboardTracking(False)
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
        bins = QHBoxLayout()
        bins.addWidget(self.first)
        bins.addWidget(QLabel("to", self))
        bins.addWidget(self.last)
        bins.addStretch(1)
        form = QFormLayout()
        form.setRowWrapPolicy(QFormLayout.RowWrapPolicy.WrapAllRows)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("Hide units by &rule", self.rule)
        form.addRow(self.count)
        form.addRow(self.only_bins)
        form.addRow(bins)
        form.addRow(self.span)
        form.addRow("&Prompt", self.prompt)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(8, 6, 8, 8)
        layout.setSpacing(6)
        layout.addWidget(self.sentence)
        layout.addLayout(form)
        layout.addWidget(self.clear)
        layout.addStretch(1)

    def _connect(self) -> None:
        self.rule.textEdited.connect(lambda _: self._typing.start())
        self.rule.returnPressed.connect(self._enter_rule)
        self.rule.editingFinished.connect(self._enter_rule)
        self.only_bins.toggled.connect(lambda _: self._enter_bins())
        self.first.valueChanged.connect(lambda _: self._enter_bins())
        self.last.valueChanged.connect(lambda _: self._enter_bins())
        self.prompt.activated.connect(lambda _: self._enter_prompt())
        self.clear.clicked.connect(lambda _: self.cleared.emit())

    def _draw_bins(self, drawable: EditorDrawable) -> None:
        n_bins = drawable.session.n_bins
        has_bins = drawable.parts.bins is not None
        first, stop = drawable.parts.bins or (max(0, n_bins - n_bins // 10), n_bins)
        for spin, value in ((self.first, first), (self.last, stop - 1)):
            spin.setRange(0, n_bins - 1)
            spin.setEnabled(has_bins)
            if has_bins or not self.only_bins.isChecked():
                spin.setValue(value)
        self.only_bins.setChecked(has_bins)
        session = drawable.session
        edges = [1000 * (session.window_start_s + b * session.bin_size_s) for b in (first, stop)]
        self.span.setText(f"{edges[0]:.0f} to {edges[1]:.0f} ms" if has_bins else "all bins")

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
            n_units = self._shown.session.n_units
            self._say(f"{int(chosen.sum())} of {n_units} units; Enter hides them", is_bad=False)

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
        colours = getattr(self, "_muted_colour", "gray"), getattr(self, "_bad_colour", "red")
        self.count.setStyleSheet(f"color: {colours[is_bad]};")


def _text_line(accessible_name: str, parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setWordWrap(True)
    label.setAccessibleName(accessible_name)
    return label
