"""The dialog of preferences: one page, every choice with a sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QGroupBox,
    QLabel,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from mtm_viewer.presenters.preferences import (
    ANSWERS_MB,
    FONT_PERCENTS,
    MOST_THREADS,
    PREPARED_GB,
    Preferences,
)
from mtm_viewer.theme import COLOUR_MAPS
from mtm_viewer.views.status import ElidedLabel, device_words

_THEMES = {"system": "As the desktop", "light": "Light", "dark": "Dark"}
_BEGINNINGS = {
    "sessions": "With the list of sessions",
    "last": "Where the last window was closed",
}
_PRECISIONS = {
    "fp32": "fp32, as models are scored",
    "bf16": "bf16, faster on some GPUs; last digits change",
}
_WIDTH = 520


class PreferencesDialog(QDialog):
    """Shows preferences; tells what was chosen.

    Parameters
    ----------
    shown : Preferences
        What is chosen now.
    devices : sequence of str
        Devices of this machine.
    folder : Path
        Where models and runs are looked for.

    Notes
    -----
    Signals: `chosen` the new `Preferences`, `folder_requested` nothing.
    """

    chosen = pyqtSignal(object)
    folder_requested = pyqtSignal()

    def __init__(
        self,
        shown: Preferences,
        devices: Sequence[str],
        folder: Path,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle("Preferences")
        self.setAccessibleName("Preferences")
        auto = {"auto": "The fastest"} | {name: device_words(name) for name in devices}
        percents = {percent: f"{percent} %" for percent in FONT_PERCENTS}
        maps = {name: name.capitalize() for name in COLOUR_MAPS}
        self.theme = self._choice(_THEMES, "Colours of the window.")
        self.font_percent = self._choice(
            percents, "Size of all letters; taken up when the program starts next."
        )
        self.colour_map = self._choice(
            maps,
            "Colours of the rasters when the program starts; View changes them for now.",
        )
        self.at_start = self._choice(_BEGINNINGS, "What the window shows first.")
        self.device = self._choice(auto, "Where models compute.")
        self.threads = self._number(0, MOST_THREADS, "", "CPU threads for models.")
        self.threads.setSpecialValueText("As many as help")
        self.precision = self._choice(_PRECISIONS, "Of the products inside a model's layers.")
        self.answers_mb = self._number(
            *ANSWERS_MB, " MB", "Memory for answers: a mask that was seen before comes at once."
        )
        self.prepared_gb = self._number(
            *PREPARED_GB, " GB", "Room on the disk for prepared sessions; the oldest go first."
        )
        self.folder = ElidedLabel("Folder of models and runs", self)
        self.change = QPushButton("Choose…", self)
        self.change.setAccessibleName("Choose the folder of models and runs")
        self.change.setToolTip("Where trained models are kept and looked for.")
        self.change.clicked.connect(lambda _: self.folder_requested.emit())
        self._lay_out()
        self.draw(shown)
        self.draw_folder(folder)
        self.setMinimumWidth(_WIDTH)

    def draw(self, shown: Preferences) -> None:
        """Show preferences."""
        for name, box in self._boxes().items():
            value = getattr(shown, name)
            if isinstance(box, QComboBox):
                box.setCurrentIndex(max(0, box.findData(value)))
            else:
                box.setValue(value)

    def draw_folder(self, folder: Path) -> None:
        """Show where models and runs are looked for."""
        self.folder.setText(str(folder))

    def read(self) -> Preferences:
        """Return what is chosen."""
        values: dict[str, Any] = {
            name: box.currentData() if isinstance(box, QComboBox) else box.value()
            for name, box in self._boxes().items()
        }
        return Preferences(**values)

    def accept(self) -> None:
        """Tell what was chosen, and close (Qt's own hook)."""
        self.chosen.emit(self.read())
        super().accept()

    def _boxes(self) -> dict[str, QComboBox | QSpinBox]:
        return {
            "theme": self.theme,
            "font_percent": self.font_percent,
            "colour_map": self.colour_map,
            "at_start": self.at_start,
            "device": self.device,
            "threads": self.threads,
            "precision": self.precision,
            "answers_mb": self.answers_mb,
            "prepared_gb": self.prepared_gb,
        }

    def _choice(self, words: Mapping[str, str] | Mapping[int, str], tooltip: str) -> QComboBox:
        box = QComboBox(self)
        for value, text in words.items():
            box.addItem(text, value)
        box.setToolTip(tooltip)
        return box

    def _number(self, low: int, high: int, suffix: str, tooltip: str) -> QSpinBox:
        box = QSpinBox(self)
        box.setRange(low, high)
        box.setSuffix(suffix)
        box.setToolTip(tooltip)
        return box

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addWidget(
            self._group(
                "Look",
                {
                    "&Colours of the window": self.theme,
                    "&Size of letters": self.font_percent,
                    "Colour &map of rasters": self.colour_map,
                    "&Begin": self.at_start,
                },
            )
        )
        column.addWidget(
            self._group(
                "Computing",
                {"&Device": self.device, "&Threads": self.threads, "&Precision": self.precision},
            )
        )
        column.addWidget(
            self._group(
                "Memory and disk",
                {
                    "&Answers of models": self.answers_mb,
                    "P&repared sessions": self.prepared_gb,
                    "Models and runs": self.folder,
                    "": self.change,
                },
            )
        )
        column.addWidget(self._buttons())

    def _group(self, title: str, rows: Mapping[str, QWidget]) -> QGroupBox:
        group = QGroupBox(title, self)
        form = QFormLayout(group)
        form.setFieldGrowthPolicy(QFormLayout.FieldGrowthPolicy.AllNonFixedFieldsGrow)
        for text, widget in rows.items():
            label = QLabel(text, group)
            label.setBuddy(widget)
            form.addRow(label, widget)
            if not widget.accessibleName():
                widget.setAccessibleName(text.replace("&", ""))
            widget.setAccessibleDescription(widget.toolTip())
        return group

    def _buttons(self) -> QDialogButtonBox:
        kinds = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(kinds.Ok | kinds.Cancel | kinds.RestoreDefaults, self)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        for button in buttons.buttons():
            button.setAccessibleName(button.text().replace("&", ""))
        restore = buttons.button(kinds.RestoreDefaults)
        if restore is not None:
            restore.clicked.connect(lambda _: self.draw(Preferences()))
        return buttons
