"""The row under the recipes: which model, what stands right, which rows, which trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QWidget

from mtm_viewer.presenters.raster_settings import PANEL_WORDS
from mtm_viewer.theme import Theme
from mtm_viewer.views.selector import fill_selector, selector
from mtm_viewer.views.status import Badge

OPEN_OTHER = "open"
"""The entry of the model selector that opens a file."""
_NARROWEST = 110


class ModelBar(QWidget):
    """Selectors, and the badge of a mask that the model was not trained for.

    Notes
    -----
    Signals: `model_chosen` a place in the list of models, `own_chosen` the checkpoint of one that
    was trained here and is not loaded, `open_requested` nothing, `third_chosen` the map for the
    right raster, `focus_chosen` whether to show the target regions' rows only, `trials_asked`
    whether to show what trials can be chosen by.
    """

    model_chosen = pyqtSignal(int)
    own_chosen = pyqtSignal(Path)
    open_requested = pyqtSignal()
    third_chosen = pyqtSignal(str)
    focus_chosen = pyqtSignal(bool)
    trials_asked = pyqtSignal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = selector(self, "Model", "The model whose reconstruction is shown.")
        self.model.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.model.setMinimumWidth(_NARROWEST)
        self.third = selector(self, "Third panel", "What stands in the third raster.")
        self.rows = selector(self, "Rows", "Which units the rasters show.")
        self.trials = QPushButton(self)
        self.trials.setCheckable(True)
        self.trials.setAccessibleName("Choose which trials are shown")
        self.trials.setToolTip("Choose trials by split, side, outcome, choice or block.")
        self.badge = Badge("Mask unlike the training masks", self)
        self._names: tuple[str, ...] | None = None
        self._own: dict[Path, str] = {}
        self._shown = 0
        self._lay_out()
        self._connect()

    def draw_models(self, names: Sequence[str], shown: int) -> None:
        """List the models that fit the session, and a way to open another."""
        self._shown = max(0, shown)
        if tuple(names) != self._names:  # filling it anew lays out the whole row
            self._names = tuple(names)
            self._fill_models()
        self.model.setCurrentIndex(self._shown)

    def draw_own(self, names: Mapping[Path, str]) -> None:
        """List models that were trained here and are not loaded: checkpoint to name."""
        if dict(names) != self._own:
            self._own = dict(names)
            self._fill_models()

    def draw_third(self, chosen: str, *, has_baseline: bool) -> None:
        """List what the right raster can show."""
        entries = {str(name): words for name, words in PANEL_WORDS.items()}
        if not has_baseline:
            del entries["temporal"]
            chosen = "difference" if chosen == "temporal" else chosen
        fill_selector(self.third, entries, chosen)

    def draw_rows(self, *, is_focused: bool, region: str | None) -> None:
        """List which rows can be shown."""
        entries = {"all": "All regions"} | ({"region": f"{region} only"} if region else {})
        fill_selector(self.rows, entries, "region" if is_focused and region else "all")

    def draw_trials(self, summary: str) -> None:
        """Say how many trials are shown, and of which."""
        self.trials.setText(summary)

    def set_theme(self, theme: Theme) -> None:
        """Follow the window's colours."""
        self.badge.set_theme(theme)

    def _lay_out(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(6)
        for text, box in (
            ("Model", self.model),
            ("Right", self.third),
            ("Rows", self.rows),
        ):
            label = QLabel(text, self)
            label.setBuddy(box)
            layout.addWidget(label)
            layout.addWidget(box)
            layout.addSpacing(4)
        layout.addWidget(self.trials)
        layout.addStretch(1)
        layout.addWidget(self.badge)

    def _connect(self) -> None:
        self.model.activated.connect(lambda _: self._choose_model())
        self.trials.toggled.connect(self.trials_asked)
        self.third.activated.connect(lambda _: self.third_chosen.emit(self.third.currentData()))
        self.rows.activated.connect(
            lambda _: self.focus_chosen.emit(self.rows.currentData() == "region")
        )

    def _fill_models(self) -> None:
        self.model.clear()
        if not self._names:
            self.model.addItem("no model for this session", -1)
        for place, name in enumerate(self._names or ()):
            self.model.addItem(name, place)
        self.model.insertSeparator(self.model.count())
        for path, name in self._own.items():
            self.model.addItem(name, path)
        self.model.addItem("Open checkpoint…", OPEN_OTHER)
        self.model.setCurrentIndex(self._shown)

    def _choose_model(self) -> None:
        chosen = self.model.currentData()
        if isinstance(chosen, int):
            if chosen >= 0:
                self.model_chosen.emit(chosen)
            return
        self.model.setCurrentIndex(self._shown)
        if isinstance(chosen, Path):
            self.own_chosen.emit(chosen)
        elif chosen == OPEN_OTHER:
            self.open_requested.emit()
