"""The panel of all units: scatter, bars by region, probes; one unit in words; what is picked."""

from __future__ import annotations

from PyQt6.QtCore import Qt, pyqtSignal
from PyQt6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSizePolicy,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from mtm_core.masking.region_level import LEVEL_WORDS
from mtm_viewer.presenters.population import AXES, PopulationChoice
from mtm_viewer.presenters.population_drawable import PointCloud, RegionBars, UnitWords
from mtm_viewer.theme import LIGHT, Theme
from mtm_viewer.views.point_plot import HELP, PointPlot
from mtm_viewer.views.region_bar_plot import RegionBarPlot
from mtm_viewer.views.selector import fill_selector, selector
from mtm_viewer.views.status import ElidedLabel

GLYPHS = (
    "\N{BLACK UP-POINTING TRIANGLE} goes with a better score, \N{BLACK DOWN-POINTING TRIANGLE} "
    "with a worse one, \N{ALMOST EQUAL TO} makes it doubtful. Rules with numbers; they prove no "
    "cause."
)
_SCATTER = 0
_LEVELS = {"given": "as given", "beryl": "Beryl", "cosmos": "Cosmos"}
_WORDS_PX = 150
_EMPTY = "Point at a unit, or click it, to read how it scores and what may explain it."


class PopulationView(QWidget):
    """Shows all units; tells what a person asks for.

    Notes
    -----
    Signals: `choice_asked` a dict of fields of `PopulationChoice`; `unit_clicked` a unit id;
    `units_picked` the ids of all units that are picked; `region_picked` a name, and whether its
    units are added; `unit_pointed` a unit id or ""; `deed_asked` one of ``hide keep clear worse
    better table``.
    """

    choice_asked = pyqtSignal(dict)
    unit_clicked = pyqtSignal(str)
    units_picked = pyqtSignal(list)
    region_picked = pyqtSignal(str, bool)
    unit_pointed = pyqtSignal(str)
    deed_asked = pyqtSignal(str)

    def __init__(self, theme: Theme = LIGHT, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.title = ElidedLabel("What is scored, in which trials", self)
        self.axis = selector(self, "Axis", "What the score is drawn against.")
        self.level = selector(self, "Level of regions", "How finely the brain is divided.")
        self.scatter = PointPlot("Score of each unit", theme, self)
        self.bars = RegionBarPlot(theme, self)
        self.probe = PointPlot("Units along the probe", theme, self)
        self.bars_note = QLabel(self)
        self.tabs = QTabWidget(self)
        self.head = QLabel(self)
        self.numbers = QLabel(self)
        self.reasons = QLabel(self)
        self.picked = QLabel(self)
        self.buttons: dict[str, QPushButton] = {}
        self._set_up()
        self._lay_out()
        self._connect()
        self.setAccessibleName("Population panel")
        self.set_theme(theme)
        self.draw_choice(PopulationChoice())
        self.draw_words(None)
        self.draw_picked(0)

    @property
    def parts(self) -> tuple[QWidget, ...]:
        """What a picture of the panel shows, top to bottom: what is drawn now, and its words."""
        drawn = self.tabs.currentWidget()
        texts = (self.head, self.numbers, self.reasons)
        there = (self.title, *(() if drawn is None else (drawn,)), *texts)
        return tuple(each for each in there if not each.isHidden())

    def set_theme(self, theme: Theme) -> None:
        """Take the colours of a theme."""
        self._theme = theme
        for part in (self.scatter, self.bars, self.probe):
            part.set_theme(theme)
        self.head.setStyleSheet(f"color: {theme.text}; font-weight: 600;")
        for label in (self.bars_note, self.numbers):
            label.setStyleSheet(f"color: {theme.muted};")

    def draw(self, title: str, scatter: PointCloud, bars: RegionBars, probe: PointCloud) -> None:
        """Show all units in three ways."""
        self.title.setText(title)
        self.scatter.draw(scatter)
        self.bars.draw(bars)
        self.bars_note.setText(bars.note)
        self.probe.draw(probe)

    def draw_choice(self, choice: PopulationChoice) -> None:
        """Show what is chosen."""
        axes = {str(name): f"vs {text.partition(' (')[0]}" for name, text in AXES.items()}
        fill_selector(self.axis, axes, choice.axis)
        levels = {str(name): _LEVELS.get(name, text) for name, text in LEVEL_WORDS.items()}
        fill_selector(self.level, levels, choice.level)

    def draw_words(self, words: UnitWords | None, message: str = _EMPTY) -> None:
        """Say how a unit scores and why; without one, a message."""
        self.head.setText("" if words is None else words.head)
        self.numbers.setText(message if words is None else words.numbers)
        self.reasons.setText("" if words is None else words.full)
        self.head.setVisible(words is not None)
        self.reasons.setVisible(words is not None)

    def draw_picked(self, n_picked: int) -> None:
        """Say how many units are picked."""
        none = "No unit is picked: draw a lasso"
        self.picked.setText(f"{n_picked} unit{'s' * (n_picked != 1)} picked" if n_picked else none)
        for name in ("hide", "keep", "clear"):
            self.buttons[name].setEnabled(n_picked > 0)

    def draw_deeds(self, *, has_answer: bool) -> None:
        """Allow what needs scores."""
        for name in ("worse", "better", "table"):
            self.buttons[name].setEnabled(has_answer)

    def show_unit(self, unit_id: str) -> None:
        """Ring a unit wherever it is drawn."""
        self.scatter.choose_unit(unit_id)
        self.probe.choose_unit(unit_id)

    def show_picked(self, unit_ids: frozenset[str]) -> None:
        """Mark picked units wherever they are drawn."""
        self.scatter.pick_units(unit_ids)
        self.probe.pick_units(unit_ids)
        self.draw_picked(len(unit_ids))

    def show_tab(self, place: int) -> None:
        """Show scatter (0), bars (1) or probes (2)."""
        self.tabs.setCurrentIndex(place)

    def _set_up(self) -> None:
        for label, name in (
            (self.head, "Unit in words"),
            (self.numbers, "Numbers of the unit"),
            (self.reasons, "What may explain its score"),
            (self.picked, "Picked units"),
            (self.bars_note, "What the bars are"),
        ):
            label.setAccessibleName(name)
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.reasons.setToolTip(GLYPHS)
        for name, text, tooltip in (
            (
                "worse",
                "\N{BLACK DOWN-POINTING TRIANGLE} Worse",
                "Look at the next worse unit (J).",
            ),
            (
                "better",
                "\N{BLACK UP-POINTING TRIANGLE} Better",
                "Look at the next better unit (K).",
            ),
            (
                "table",
                "Table\N{HORIZONTAL ELLIPSIS}",
                "Save a line for each scored unit as CSV.",
            ),
            ("hide", "Hide only", "Hide the picked units and nothing else, in a custom mask."),
            ("keep", "Show only", "Hide all units but the picked ones, in a custom mask."),
            ("clear", "Clear", "Pick no unit any more."),
        ):
            button = QPushButton(text, self)
            button.setAccessibleName(tooltip.rstrip("."))
            button.setToolTip(tooltip)
            button.clicked.connect(lambda _, name=name: self.deed_asked.emit(name))
            self.buttons[name] = button

    def _lay_out(self) -> None:
        self.tabs.setAccessibleName("Ways to show the population")
        self.tabs.setDocumentMode(True)
        pages = (
            (self._page(self.scatter), "&Scatter", HELP),
            (self._regions_page(), "&Regions", "The score of each region."),
            (self._page(self.probe), "Pro&be", "Units by depth along their probes."),
        )
        for place, (page, text, tooltip) in enumerate(pages):
            self.tabs.addTab(page, text)
            self.tabs.setTabToolTip(place, tooltip)
        choices = QHBoxLayout()
        choices.setSpacing(4)
        for widget, share in ((self.axis, 3), (self.level, 2)):
            widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            choices.addWidget(widget, share)
        words = QWidget(self)
        column = QVBoxLayout(words)
        column.setContentsMargins(4, 2, 4, 2)
        column.setSpacing(3)
        for label in (self.head, self.numbers, self.reasons):
            column.addWidget(label)
        column.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setAccessibleName("The unit in words")
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(words)
        scroll.setFixedHeight(_WORDS_PX)
        box = QVBoxLayout(self)
        box.setContentsMargins(6, 6, 6, 6)
        box.setSpacing(4)
        box.addWidget(self.title)
        box.addLayout(choices)
        box.addWidget(self.tabs, 1)
        box.addWidget(scroll)
        box.addLayout(self._row("worse", "better", "table"))
        box.addWidget(self.picked)
        box.addLayout(self._row("hide", "keep", "clear"))

    def _page(self, plot: QWidget, *below: QWidget) -> QWidget:
        page = QWidget(self)
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 4, 0, 0)
        column.addWidget(plot, 1)
        for widget in below:
            column.addWidget(widget)
        return page

    def _regions_page(self) -> QWidget:
        scroll = QScrollArea(self)
        scroll.setAccessibleName("Scores by region, all of them")
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self.bars)
        return self._page(scroll, self.bars_note)

    def _row(self, *names: str) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(4)
        for name in names:
            row.addWidget(self.buttons[name], 1)
        return row

    def _connect(self) -> None:
        for box, field in ((self.axis, "axis"), (self.level, "level")):
            box.activated.connect(
                lambda _, box=box, field=field: self.choice_asked.emit({field: box.currentData()})
            )
        self.tabs.currentChanged.connect(lambda place: self.axis.setEnabled(place == _SCATTER))
        for plot in (self.scatter, self.probe):
            plot.unit_clicked.connect(self.unit_clicked)
            plot.units_picked.connect(self.units_picked)
            plot.hovered.connect(self.unit_pointed)
        self.bars.region_chosen.connect(self.region_picked)
        self.bars.region_pointed.connect(self._show_sentence)

    def _show_sentence(self, sentence: str) -> None:
        """Say of a region what its bar shows; of none, go back to the unit."""
        if sentence:
            self.draw_words(None, sentence)
        else:
            self.unit_pointed.emit("")
