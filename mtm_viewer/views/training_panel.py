"""The dock of training: the run that goes on, with its curves, and all runs below it."""

from __future__ import annotations

from PyQt6.QtCore import QSize, Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from mtm_viewer.presenters.run_head import RunHead
from mtm_viewer.presenters.training_curve import TrainingDrawable
from mtm_viewer.theme import LIGHT, Theme
from mtm_viewer.views.curve_plot import LossPlot, ValidationPlot
from mtm_viewer.views.runs_table import RunsTable
from mtm_viewer.views.status import ElidedLabel

PAUSE, CANCEL = "pause", "cancel"
_STEPS = 1000
_WIDTH = 320
_HEIGHTS = (480, 220)


class TrainingPanel(QWidget):
    """Shows one run and the list of all.

    Notes
    -----
    Signals: `train_requested` nothing, `stop_requested` how: ``"pause"`` or ``"cancel"``.
    """

    train_requested = pyqtSignal()
    stop_requested = pyqtSignal(str)

    def __init__(self, theme: Theme = LIGHT, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._drawable: TrainingDrawable | None = None
        self.setAccessibleName("Training panel")
        self.title = ElidedLabel("Run on show", self)
        self.detail = ElidedLabel("How far the run is", self)
        self.progress = QProgressBar(self)
        self.progress.setAccessibleName("Share of the run that is done")
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(10)
        self.train = _button("Train…", "Choose settings and sessions, and train a model.", self)
        self.train.clicked.connect(lambda _: self.train_requested.emit())
        self.pause = _button(
            "Pause", "Save a checkpoint and stop; the run can be resumed at any time.", self
        )
        self.pause.clicked.connect(lambda _: self.stop_requested.emit(PAUSE))
        self.cancel = _button("Cancel run", "Stop at once; the last checkpoint is kept.", self)
        self.cancel.clicked.connect(lambda _: self.stop_requested.emit(CANCEL))
        self.loss = LossPlot(theme, self)
        self.validation = ValidationPlot(theme, self)
        self.steps = QLabel("optimiser step", self)
        self.steps.setAccessibleName("Horizontal axis of both plots")
        self.steps.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.runs = RunsTable(self)
        self._lay_out()
        self.set_theme(theme)
        self.draw_head(None)

    @property
    def drawable(self) -> TrainingDrawable | None:
        """The curves on show; None for none."""
        return self._drawable

    def draw_head(self, head: RunHead | None) -> None:
        """Say which run is shown and how far it is."""
        shown = head or RunHead(
            title="No run",
            detail="Train a model for the session that is open, or look at one trained before.",
        )
        self.title.setText(shown.title)
        self.detail.setText(shown.detail)
        for widget in (self.pause, self.progress):
            widget.setVisible(shown.is_running)
        self.cancel.setVisible(shown.can_cancel)
        self.pause.setEnabled(shown.can_pause)
        self.progress.setRange(0, 0 if shown.share is None else _STEPS)
        if shown.share is not None:
            self.progress.setValue(round(shown.share * _STEPS))

    def draw_curves(self, drawable: TrainingDrawable | None) -> None:
        """Show the curves of a run."""
        self._drawable = drawable
        self.loss.draw(drawable)
        self.validation.draw(drawable)

    def set_theme(self, theme: Theme) -> None:
        """Follow the window's colours."""
        self.title.setStyleSheet(f"color: {theme.text}; font-weight: 600;")
        for label in (self.detail, self.steps):
            label.setStyleSheet(f"color: {theme.muted};")
        self.loss.set_theme(theme)
        self.validation.set_theme(theme)
        self.runs.set_theme(theme)

    def sizeHint(self) -> QSize:
        """Ask for a column at the side (Qt's own hook)."""
        return QSize(_WIDTH, sum(_HEIGHTS))

    def _lay_out(self) -> None:
        words = QVBoxLayout()
        words.setSpacing(3)
        words.addWidget(self.title)
        words.addWidget(self.detail)
        words.addWidget(self.progress)
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        for button in (self.train, self.pause, self.cancel):
            buttons.addWidget(button)
        buttons.addStretch(1)
        above = QWidget(self)
        column = QVBoxLayout(above)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(words)
        column.addLayout(buttons)
        column.addWidget(self.loss, 1)
        column.addWidget(self.validation, 1)
        column.addWidget(self.steps)
        split = QSplitter(Qt.Orientation.Vertical, self)
        split.addWidget(above)
        split.addWidget(self.runs)
        split.setSizes(list(_HEIGHTS))
        split.setChildrenCollapsible(False)
        box = QVBoxLayout(self)
        box.setContentsMargins(8, 4, 8, 6)
        box.addWidget(split)


def _button(text: str, help_text: str, parent: QWidget) -> QPushButton:
    button = QPushButton(text, parent)
    button.setAccessibleName(text.removesuffix("…"))
    button.setToolTip(help_text)
    return button
