"""The single-trial theatre: rasters of one trial, a slider through all, what is known of it."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSlider, QVBoxLayout, QWidget

from mtm_viewer.presenters.raster_drawable import RasterDrawable
from mtm_viewer.presenters.theatre import NO_TRIAL, TheatreDrawable
from mtm_viewer.presenters.trial_order import THEATRE_SORTS
from mtm_viewer.theme import LIGHT, Theme
from mtm_viewer.views.raster_view import RasterView
from mtm_viewer.views.selector import fill_selector, selector
from mtm_viewer.views.status import ElidedLabel
from mtm_viewer.views.trial_curve import TrialCurve

_DEEDS = (
    ("previous", "\N{BLACK LEFT-POINTING TRIANGLE}", "Previous trial (,)"),
    ("next", "\N{BLACK RIGHT-POINTING TRIANGLE}", "Next trial (.)"),
    ("worst", "Next worst", "Go to the worst trial, then to the next worst (W)"),
    ("best", "Next best", "Go to the best trial, then to the next best (Shift+W)"),
    ("close", "Back to averages", "Show averages over trials again (T)"),
)


class TheatreView(QWidget):
    """Shows one trial; tells what a person asks for.

    Notes
    -----
    Signals: `place_chosen` a place in the list of trials; `sort_chosen` the name of an order;
    `deed_asked` one of ``previous next worst best close``. `maps` is a `RasterView` with its own.
    """

    place_chosen = pyqtSignal(int)
    sort_chosen = pyqtSignal(str)
    deed_asked = pyqtSignal(str)

    def __init__(self, theme: Theme = LIGHT, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.title = QLabel(self)
        self.facts = QLabel(self)
        self.note = ElidedLabel("How trials are sorted", self)
        self.sort = selector(self, "Order of trials", "How trials are gone through.")
        self.slider = QSlider(Qt.Orientation.Horizontal, self)
        self.curve = TrialCurve(theme, self)
        self.maps = RasterView(theme, self, is_plain=True)
        self.buttons: dict[str, QPushButton] = {}
        self._set_up()
        self._lay_out()
        self.setAccessibleName("Single-trial theatre")
        self.maps.setAccessibleName("Rasters of one trial: true, reconstructed, difference")
        self.set_theme(theme)
        self.draw(None)

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        self.title.setStyleSheet(f"color: {theme.text}; font-size: 13pt; font-weight: 600;")
        self.note.setStyleSheet(f"color: {theme.muted};")
        self.curve.set_theme(theme)
        self.maps.set_theme(theme)

    def draw(self, drawable: TheatreDrawable | None) -> None:
        """Say which trial is shown and what is known of it; its rasters come separately."""
        self.title.setText(NO_TRIAL if drawable is None else drawable.title)
        self.facts.setText("" if drawable is None else drawable.facts)
        self.note.setText("" if drawable is None else drawable.note)
        self.slider.blockSignals(True)
        self.slider.setRange(0, 0 if drawable is None else max(0, drawable.n_trials - 1))
        self.slider.setValue(0 if drawable is None else drawable.place)
        self.slider.blockSignals(False)
        self.slider.setEnabled(drawable is not None)
        values = None if drawable is None else drawable.values
        self.curve.draw(values, 0 if drawable is None else drawable.place)

    def draw_maps(self, raster: RasterDrawable | None) -> None:
        """Show the rasters of the trial."""
        self.maps.draw(raster)

    def draw_sort(self, sort: str) -> None:
        """Show how trials are sorted."""
        fill_selector(self.sort, {str(k): f"by {v}" for k, v in THEATRE_SORTS.items()}, sort)

    def draw_deeds(self, *, is_scored: bool) -> None:
        """Allow what needs scores."""
        for name in ("worst", "best"):
            self.buttons[name].setEnabled(is_scored)

    def _set_up(self) -> None:
        for label, name in (
            (self.title, "Trial"),
            (self.facts, "What is known of the trial"),
        ):
            label.setAccessibleName(name)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.facts.setWordWrap(True)
        self.slider.setAccessibleName("Trial")
        self.slider.setToolTip("Scrub through the trials in their order.")
        self.slider.setPageStep(5)
        self.slider.valueChanged.connect(self.place_chosen)
        self.curve.place_chosen.connect(self.place_chosen)
        self.sort.activated.connect(lambda _: self.sort_chosen.emit(self.sort.currentData()))
        for name, text, tooltip in _DEEDS:
            button = QPushButton(text, self)
            button.setAccessibleName(tooltip.partition(" (")[0])
            button.setToolTip(tooltip)
            button.clicked.connect(lambda _, name=name: self.deed_asked.emit(name))
            self.buttons[name] = button

    def _lay_out(self) -> None:
        head, walk = QHBoxLayout(), QHBoxLayout()
        head.addWidget(self.title, 1)
        for part in (self.sort, *(self.buttons[name] for name in ("worst", "best", "close"))):
            head.addWidget(part)
        walk.addWidget(self.buttons["previous"])
        walk.addWidget(self.slider, 1)
        walk.addWidget(self.buttons["next"])
        walk.addWidget(self.note, 1)
        box = QVBoxLayout(self)
        box.setContentsMargins(8, 4, 8, 0)
        box.setSpacing(3)
        box.addLayout(head)
        for part in (self.facts, self.curve):
            box.addWidget(part)
        box.addLayout(walk)
        box.addWidget(self.maps, 1)
