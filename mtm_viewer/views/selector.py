"""A drop-down list that is as wide as its longest entry and remembers values, not places."""

from __future__ import annotations

from collections.abc import Mapping

from PyQt6.QtWidgets import QComboBox, QSizePolicy, QWidget


def selector(parent: QWidget, name: str, tooltip: str) -> QComboBox:
    """Make an empty drop-down list."""
    box = QComboBox(parent)
    box.setAccessibleName(name)
    box.setToolTip(tooltip)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
    box.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
    return box


def fill_selector(box: QComboBox, entries: Mapping[str, str], chosen: str) -> None:
    """Show other entries (value to text) without telling anyone; one entry is no choice."""
    box.blockSignals(True)
    shown = {box.itemData(row): box.itemText(row) for row in range(box.count())}
    if shown != dict(entries):  # filling it anew lays out the whole row
        box.clear()
        for value, text in entries.items():
            box.addItem(text, value)
    box.setCurrentIndex(max(0, box.findData(chosen)))
    box.setEnabled(len(entries) > 1)
    box.blockSignals(False)
