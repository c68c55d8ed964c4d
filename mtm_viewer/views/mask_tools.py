"""The row of tools over the rasters: point, brush, lasso; what a stroke hides; grow, invert."""

from __future__ import annotations

from PyQt6.QtCore import pyqtSignal
from PyQt6.QtWidgets import QButtonGroup, QHBoxLayout, QLabel, QSpinBox, QToolButton, QWidget

from mtm_viewer.presenters.mask_edits import EXTENTS
from mtm_viewer.theme import Theme
from mtm_viewer.views.selector import fill_selector, selector

POINT, BRUSH, LASSO = "point", "brush", "lasso"
TOOLS = {
    POINT: ("Point", "Click a row to look closer at its unit, drag to move, wheel to zoom."),
    BRUSH: ("Brush", "Drag over a raster to hide what the brush covers."),
    LASSO: ("Lasso", "Drag around entries of a raster to hide them."),
}
"""Tools, with the text of the button and its tooltip."""
_SMALLEST_PX, _USUAL_PX, _LARGEST_PX = 2, 14, 120


class MaskTools(QWidget):
    """Which tool is in hand, and buttons for the mask as a whole.

    Notes
    -----
    Signals: `tool_changed` a tool out of `TOOLS`, `grow_asked` and `invert_asked` nothing.
    """

    tool_changed = pyqtSignal(str)
    grow_asked = pyqtSignal()
    invert_asked = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.tools: dict[str, QToolButton] = {}
        self._group = QButtonGroup(self)
        self.eraser = self._button("Erase", "Strokes show again what is hidden.")
        self.eraser.setCheckable(True)
        self.extent = selector(
            self, "What a stroke hides", "What a stroke hides of what it covers."
        )
        fill_selector(self.extent, {str(k): text for k, text in EXTENTS.items()}, "entries")
        self.width_px = QSpinBox(self)
        self.width_px.setRange(_SMALLEST_PX, _LARGEST_PX)
        self.width_px.setValue(_USUAL_PX)
        self.width_px.setSuffix(" px")
        self.width_px.setAccessibleName("Width of the brush")
        self.width_px.setToolTip("Width of the brush on the screen: zoom in to paint finely.")
        self.grow = self._button("Grow to region", "Hide the whole region of what is hidden.")
        self.invert = self._button("Invert", "Hide what is visible, and show what is hidden.")
        self._lay_out()
        self.grow.clicked.connect(lambda _: self.grow_asked.emit())
        self.invert.clicked.connect(lambda _: self.invert_asked.emit())
        self.choose(POINT)

    @property
    def tool(self) -> str:
        """The tool in hand."""
        return next(name for name, button in self.tools.items() if button.isChecked())

    @property
    def is_painting(self) -> bool:
        """Whether dragging hides, in place of moving the picture."""
        return self.tool != POINT

    def choose(self, tool: str) -> None:
        """Take a tool into the hand."""
        self.tools[tool].setChecked(True)
        for widget in (self.eraser, self.extent):
            widget.setEnabled(tool != POINT)
        self.width_px.setEnabled(tool == BRUSH)
        self.tool_changed.emit(tool)

    def set_theme(self, theme: Theme) -> None:
        """Follow the window's colours."""
        self.label.setStyleSheet(f"color: {theme.muted};")

    def _button(self, text: str, help_text: str) -> QToolButton:
        button = QToolButton(self)
        button.setText(text)
        button.setAccessibleName(text)
        button.setToolTip(help_text)
        return button

    def _lay_out(self) -> None:
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 2, 8, 0)
        layout.setSpacing(4)
        for name, (text, help_text) in TOOLS.items():
            button = self._button(text, help_text)
            button.setCheckable(True)
            button.setAccessibleName(f"{text} tool")
            button.clicked.connect(lambda _=False, name=name: self.choose(name))
            self._group.addButton(button)
            self.tools[name] = button
            layout.addWidget(button)
        self.label = QLabel("hides", self)
        self.label.setBuddy(self.extent)
        for widget in (self.eraser, self.label, self.extent, self.width_px):
            layout.addWidget(widget)
        layout.addStretch(1)
        for widget in (self.grow, self.invert):
            layout.addWidget(widget)
