"""What to train: a preset, sessions, and how long that will take."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PyQt6.QtCore import QSignalBlocker, Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from mtm_viewer.presenters.training_choice import (
    SPLITS,
    VARIANT_WORDS,
    SessionChoice,
    TrainingChoice,
)
from mtm_viewer.presenters.training_plan import PresetChoice
from mtm_viewer.theme import Theme
from mtm_viewer.views.selector import fill_selector, selector

_WIDTH, _HEIGHT = 620, 600
_MOST_SEEDS = 9999
USUAL_FOLDS, MOST_FOLDS = 5, 20
FOLD_WORDS = (
    "Each model is tested on its own share of the trials, so that all trials are scored, each by "
    "a model that never saw it: for sessions with few trials."
)
_Check = Qt.CheckState


Estimate = Callable[[TrainingChoice], str]


class TrainingDialog(QDialog):
    """Asks what to train.

    Parameters
    ----------
    presets : sequence of PresetChoice
        Presets, the first one chosen.
    sessions : sequence of SessionChoice
        Sessions; the first one is open, and always trained on.
    estimate : callable
        Says how long a choice takes.
    theme : Theme
        Colours.
    is_busy : bool
        Whether a run goes on, after which this one comes.
    parent : QWidget, optional
        The window it belongs to.

    Notes
    -----
    Signal: `chosen` a `TrainingChoice`.
    """

    chosen = pyqtSignal(object)

    def __init__(
        self,
        presets: Sequence[PresetChoice],
        sessions: Sequence[SessionChoice],
        estimate: Estimate,
        theme: Theme,
        *,
        is_busy: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Train a model")
        self.setAccessibleName("Train a model")
        self._presets = {preset.name: preset for preset in presets}
        self._sessions = tuple(sessions)
        self._estimate = estimate
        self.preset = selector(self, "Preset", "Settings to train by.")
        fill_selector(self.preset, {name: name for name in self._presets}, presets[0].name)
        self.what_for = _muted(theme, "What the preset is for", self)
        self.list = QListWidget(self)
        self.list.setAccessibleName("Sessions to train on")
        self.many = _muted(theme, "How many sessions the preset takes", self)
        self.cross_fit = QCheckBox("&Cross-fit with", self)
        self.folds = QSpinBox(self)
        self.told = _muted(theme, "What a cross-fit is", self)
        self.seed = QSpinBox(self)
        self.split = selector(self, "How trials are divided", VARIANT_WORDS)
        fill_selector(self.split, SPLITS, "")
        self.variant = _muted(theme, "What another seed or split tells", self)
        self.time = QLabel(self)
        self.time.setAccessibleName("How long it will take")
        self.time.setWordWrap(True)
        self.buttons = self._make_buttons("Add to the queue" if is_busy else "Train")
        self._fill_sessions()
        self._set_up_folds()
        self._lay_out()
        self.preset.currentIndexChanged.connect(lambda _: self._show())
        self.list.itemChanged.connect(lambda _: self._show())
        self.cross_fit.toggled.connect(lambda _: self._show())
        self.folds.valueChanged.connect(lambda _: self._show())
        self._show()
        self.resize(_WIDTH, _HEIGHT)

    @property
    def choice(self) -> TrainingChoice:
        """What is chosen now."""
        preset = self._presets[str(self.preset.currentData())]
        sessions = self._sessions[:1]
        if preset.takes_many:
            sessions = tuple(
                session
                for row, session in enumerate(self._sessions)
                if self._item(row).checkState() == _Check.Checked
            )
        can_fold = len(sessions) == 1 and self.cross_fit.isChecked()
        return TrainingChoice(
            preset=preset.name,
            sessions=sessions,
            folds=self.folds.value() if can_fold else 0,
            seed=self.seed.value(),
            split=str(self.split.currentData()),
        )

    def _show(self) -> None:
        preset = self._presets[str(self.preset.currentData())]
        self.what_for.setText(preset.what_for)
        with QSignalBlocker(self.list):
            for row in range(1, len(self._sessions)):
                flags = Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsSelectable
                on = flags | Qt.ItemFlag.ItemIsEnabled
                self._item(row).setFlags(on if preset.takes_many else flags)
        self.many.setText(
            "Tick others that were prepared with the same bins; the model learns all of them."
            if preset.takes_many
            else "This preset learns the open session alone."
        )
        is_alone = len(self.choice.sessions) == 1
        self.cross_fit.setEnabled(is_alone)
        self.folds.setEnabled(is_alone and self.cross_fit.isChecked())
        self.time.setText(self._estimate(self.choice))

    def _set_up_folds(self) -> None:
        self.folds.setRange(2, MOST_FOLDS)
        self.folds.setValue(USUAL_FOLDS)
        self.folds.setSuffix(" models")
        self.folds.setAccessibleName("Number of models of the cross-fit")
        self.cross_fit.setToolTip(FOLD_WORDS)
        self.told.setText(FOLD_WORDS)
        self.seed.setRange(0, _MOST_SEEDS)
        self.seed.setAccessibleName("Seed of weights, masks and batches")
        self.seed.setToolTip(VARIANT_WORDS)
        self.variant.setText(VARIANT_WORDS)

    def _item(self, row: int) -> QListWidgetItem:
        item = self.list.item(row)
        if item is None:
            msg = f"There is no row {row}."
            raise IndexError(msg)
        return item

    def _fill_sessions(self) -> None:
        for row, session in enumerate(self._sessions):
            size = session.shape
            words = "" if size is None else f"   {size.n_units:,} units, {size.n_trials:,} trials"
            item = QListWidgetItem(f"{session.name}{words}")
            item.setToolTip(session.path)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
            item.setCheckState(_Check.Unchecked if row else _Check.Checked)
            self.list.addItem(item)

    def _make_buttons(self, act: str) -> QDialogButtonBox:
        standard = QDialogButtonBox.StandardButton
        buttons = QDialogButtonBox(standard.Ok | standard.Cancel, self)
        for kind, text in ((standard.Ok, act), (standard.Cancel, "Cancel")):
            button = buttons.button(kind)
            if button is not None:
                button.setText(text)
                button.setAccessibleName(text)
        buttons.accepted.connect(self._accept)
        buttons.rejected.connect(self.reject)
        return buttons

    def _accept(self) -> None:
        choice = self.choice
        self.accept()
        self.chosen.emit(choice)

    def _lay_out(self) -> None:
        top = QGridLayout()
        top.setColumnStretch(1, 1)
        label = QLabel("&Preset", self)
        label.setBuddy(self.preset)
        top.addWidget(label, 0, 0)
        top.addWidget(self.preset, 0, 1, Qt.AlignmentFlag.AlignLeft)
        top.addWidget(self.what_for, 1, 1)
        sessions = QLabel("&Sessions", self)
        sessions.setBuddy(self.list)
        layout = QVBoxLayout(self)
        layout.setSpacing(8)
        layout.addLayout(top)
        layout.addWidget(sessions)
        layout.addWidget(self.list, 1)
        folds = QHBoxLayout()
        folds.addWidget(self.cross_fit)
        folds.addWidget(self.folds)
        folds.addStretch(1)
        layout.addWidget(self.many)
        layout.addLayout(folds)
        layout.addWidget(self.told)
        layout.addLayout(self._variant_row())
        for widget in (self.variant, self.time, self.buttons):
            layout.addWidget(widget)

    def _variant_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        for text, field in (("S&eed", self.seed), ("Trials &divided", self.split)):
            label = QLabel(text, self)
            label.setBuddy(field)
            row.addWidget(label)
            row.addWidget(field)
        row.addStretch(1)
        return row


def _muted(theme: Theme, name: str, parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setAccessibleName(name)
    label.setWordWrap(True)
    label.setStyleSheet(f"color: {theme.muted};")
    return label
