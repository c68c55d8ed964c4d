"""The panel of the region-to-region matrix: selectors, heat map, read-out, progress."""

from __future__ import annotations

from collections.abc import Sequence

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QCheckBox,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSizePolicy,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from mtm_viewer.presenters.region_matrix import (
    LEVEL_TEXTS,
    NULL_TEXTS,
    SOURCE_TEXTS,
    MatrixChoice,
    MatrixDrawable,
    caution_words,
)
from mtm_viewer.theme import LIGHT, Theme
from mtm_viewer.views.matrix_map import MatrixMap
from mtm_viewer.views.selector import fill_selector, selector
from mtm_viewer.views.status import Badge, ElidedLabel

HINT = (
    "Point at a cell to read it; click it to set its mask, with all units of both regions. Bold: "
    "the interval leaves out 0, once half of the draws of units are done."
)
_STEPS = 1000
_READ_OUT_LINES = 12
_FEWEST, _MOST = 2, 1000


class RegionMatrixView(QWidget):
    """Shows a matrix and how far it is; tells what a person asks for.

    Notes
    -----
    Signals: `choice_asked` a dict of fields of `MatrixChoice`, `cell_pointed` and `cell_chosen` a
    row and a column, `pause_asked` whether to pause, `table_asked` nothing.
    """

    choice_asked = pyqtSignal(dict)
    cell_pointed = pyqtSignal(int, int)
    cell_chosen = pyqtSignal(int, int)
    pause_asked = pyqtSignal(bool)
    table_asked = pyqtSignal()

    def __init__(self, theme: Theme = LIGHT, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.level = selector(self, "Level of regions", "How finely the brain is divided.")
        self.null = selector(self, "Null of the matrix", "What scores are gains over.")
        self.source = selector(self, "Who predicts", "The model, or the rival: a regression.")
        self.least = QSpinBox(self)
        self.asymmetry = QCheckBox("&Asymmetry", self)
        self.pause = QPushButton("Pause", self)
        self.table = QPushButton("Save table\N{HORIZONTAL ELLIPSIS}", self)
        self.title = QLabel(self)
        self.badge = Badge("Model not trained for the matrix", self)
        self.map = MatrixMap(theme, self)
        self.read_out = QLabel(HINT, self)
        self.progress = QProgressBar(self)
        self.progress_words = ElidedLabel("How far the matrix is", self)
        self.caution = QLabel(caution_words(), self)
        self._set_up()
        self._lay_out()
        self._connect()
        self.setAccessibleName("Region-to-region matrix panel")
        self.set_theme(theme)
        self.draw_choice(MatrixChoice())
        self.draw(None)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        self.map.set_theme(theme)
        self.badge.set_theme(theme)
        self.title.setStyleSheet(f"color: {theme.text}; font-weight: 600;")
        self.caution.setStyleSheet(f"color: {theme.muted};")

    def draw(self, drawable: MatrixDrawable | None, problem: str = "") -> None:
        """Show a matrix; without one, why there is none."""
        self.map.draw(drawable)
        self.title.setText(drawable.title if drawable is not None else problem)
        text = "" if drawable is None else drawable.badge
        self.badge.draw(text, "" if drawable is None else drawable.badge_tooltip)
        self.table.setEnabled(drawable is not None)
        if drawable is None:
            self.draw_read_out(())

    def draw_choice(self, choice: MatrixChoice) -> None:
        """Show which matrix is chosen."""
        fill_selector(self.level, dict(LEVEL_TEXTS), choice.level)
        fill_selector(self.null, dict(NULL_TEXTS), choice.null)
        fill_selector(self.source, dict(SOURCE_TEXTS), choice.source)
        for widget in (self.least, self.asymmetry):
            widget.blockSignals(True)
        self.least.setValue(choice.min_units)
        self.asymmetry.setChecked(choice.is_asymmetry)
        for widget in (self.least, self.asymmetry):
            widget.blockSignals(False)

    def draw_read_out(self, lines: Sequence[str]) -> None:
        """Show what is known of a cell; without lines, how to read the matrix."""
        self.read_out.setText("\n".join(lines) if lines else HINT)

    def draw_progress(self, share: float, words: str, *, is_paused: bool, can_pause: bool) -> None:
        """Show how far the matrix is."""
        self.progress.setValue(round(_STEPS * share))
        self.progress_words.setText(words)
        self.pause.setText("Go on" if is_paused else "Pause")
        self.pause.setChecked(is_paused)
        self.pause.setEnabled(can_pause)

    def _set_up(self) -> None:
        self.least.setRange(_FEWEST, _MOST)
        self.least.setPrefix("\N{GREATER-THAN OR EQUAL TO} ")
        self.least.setSuffix(" units")
        self.least.setKeyboardTracking(False)
        self.least.setAccessibleName("Smallest region")
        self.least.setToolTip(
            "Leave out smaller regions. Every region is represented by as many units as the "
            "smallest of those kept has."
        )
        self.asymmetry.setToolTip("Show each cell minus its transpose.")
        self.asymmetry.setAccessibleName("Asymmetry")
        self.pause.setCheckable(True)
        self.pause.setAccessibleName("Pause filling the matrix")
        self.pause.setToolTip("Stop filling for now; what is done is kept.")
        self.table.setAccessibleName("Save the table of all cells")
        self.table.setToolTip("Save a line for each cell, with every number, as CSV.")
        self.title.setAccessibleName("What the matrix shows")
        self.read_out.setAccessibleName("Numbers of the cell")
        self.caution.setAccessibleName("What the matrix is not")
        for label in (self.title, self.read_out, self.caution):
            label.setWordWrap(True)
            label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        # Room for all that is said of a cell: what is pointed at must not move away.
        self.read_out.setMinimumHeight(_READ_OUT_LINES * self.fontMetrics().lineSpacing())
        self.read_out.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.read_out.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.progress.setRange(0, _STEPS)
        self.progress.setTextVisible(False)
        self.progress.setFixedWidth(90)
        self.progress.setAccessibleName("Share of the matrix that is done")

    def _lay_out(self) -> None:
        box = QVBoxLayout(self)
        box.setContentsMargins(8, 6, 8, 6)
        box.setSpacing(4)
        self._add_row(box, self.level, self.least)
        self._add_row(box, self.source, self.asymmetry)
        self._add_row(box, self.null)
        self._add_row(box, self.badge)
        box.addWidget(self.title)
        box.addWidget(self.map)
        box.addWidget(self.read_out)
        box.addStretch(1)
        self._add_row(box, self.progress, self.progress_words, stretched=self.progress_words)
        self._add_row(box, self.pause, self.table)
        box.addWidget(self.caution)

    def _add_row(
        self, box: QVBoxLayout, *widgets: QWidget, stretched: QWidget | None = None
    ) -> None:
        row = QHBoxLayout()
        row.setSpacing(6)
        for widget in widgets:
            row.addWidget(widget, int(widget is stretched))
        if stretched is None:
            row.addStretch(1)
        box.addLayout(row)

    def _connect(self) -> None:
        for box, field in ((self.level, "level"), (self.null, "null"), (self.source, "source")):
            box.activated.connect(
                lambda _, box=box, field=field: self.choice_asked.emit({field: box.currentData()})
            )
        self.least.valueChanged.connect(lambda n: self.choice_asked.emit({"min_units": n}))
        self.asymmetry.toggled.connect(
            lambda is_on: self.choice_asked.emit({"is_asymmetry": is_on})
        )
        self.pause.clicked.connect(self.pause_asked)
        self.table.clicked.connect(lambda _: self.table_asked.emit())
        self.map.cell_pointed.connect(self.cell_pointed)
        self.map.cell_chosen.connect(self.cell_chosen)
