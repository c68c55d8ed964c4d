"""What the menus do around the explorer: files, pictures, help, what was open last."""

from __future__ import annotations

import collections
import logging
from pathlib import Path

from PyQt6.QtCore import QByteArray, QSettings

import mtm_core
from mtm_core.evaluation.colour_scale import Levels
from mtm_viewer.actions import add_commands
from mtm_viewer.browsing import BrowserWorks
from mtm_viewer.compare_actions import add_compare_commands
from mtm_viewer.compare_desk import CompareDesk
from mtm_viewer.experiment_desk import ExperimentDesk
from mtm_viewer.explorer import Explorer
from mtm_viewer.honesty_desk import HonestyDesk
from mtm_viewer.jobs.matrix_job import MatrixJob
from mtm_viewer.jobs.population_job import PopulationJob
from mtm_viewer.jobs.theatre_job import TheatreJob
from mtm_viewer.journal_desk import JournalDesk, add_journal_commands
from mtm_viewer.kept_settings import are_kept
from mtm_viewer.mask_actions import add_mask_commands
from mtm_viewer.mask_shelf import MaskShelf
from mtm_viewer.matrix_actions import add_matrix_commands
from mtm_viewer.matrix_desk import MatrixDesk
from mtm_viewer.panel_exports import PanelExports
from mtm_viewer.panels_to_export import offer_panels
from mtm_viewer.population_actions import SIDE as POPULATION
from mtm_viewer.population_actions import add_population_commands
from mtm_viewer.population_desk import PopulationDesk
from mtm_viewer.preferences_desk import PreferencesDesk, stored_preferences
from mtm_viewer.session_desk import SessionDesk
from mtm_viewer.theatre_actions import add_theatre_commands
from mtm_viewer.theatre_desk import TheatreDesk
from mtm_viewer.theatre_state import TheatreState
from mtm_viewer.tour_desk import TourDesk
from mtm_viewer.training_desk import TrainingDesk
from mtm_viewer.unit_actions import add_unit_commands
from mtm_viewer.views.dialogs import LogView, ShortcutSheet, tell_about

_LOG_LINES = 2000
_SEEN = "seen"
"""Where the settings say that a session was open before, and in which version."""
_ABOUT = f"""<h3>MtM Viewer {mtm_core.__version__}</h3>
<p>Hide a region, units or bins of a recording and see what a model trained by multi-task masking
reconstructs from what is left.</p>
<p>Method: Zhang, Wang, Jimenez-Beneto, Wang, Azabou, Richards, Winter, International Brain
Laboratory, Dyer, Paninski, Hurwitz: <i>Towards a "universal translator" for neural dynamics at
single-cell, single-spike resolution</i>, NeurIPS 2024.</p>
<p>The viewer is free software under the GPL, version 3; its core, mtm_core, under the MIT
licence.</p>"""


class LogKeeper(logging.Handler):
    """Keeps the last lines of the log for Help > Show log."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: collections.deque[str] = collections.deque(maxlen=_LOG_LINES)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a line."""
        self.lines.append(self.format(record))


class Desktop(SessionDesk):
    """The deeds of the menus.

    Parameters
    ----------
    explorer : Explorer
        The running program.
    settings : QSettings
        Window layout, colours, recent sessions, how recordings are prepared; nothing else.
    log : LogKeeper
        Lines for Help > Show log.
    works : BrowserWorks or None
        What the threads of the session browser run.
    """

    def __init__(
        self,
        explorer: Explorer,
        settings: QSettings,
        log: LogKeeper,
        works: BrowserWorks | None = None,
    ) -> None:
        super().__init__(explorer, settings, works)
        self._log = log
        explorer.files.remember_in(settings)
        theatre = TheatreState(explorer)
        self.experiments = ExperimentDesk(explorer, theatre, lambda: self._folder)
        add_commands(explorer.registry, self)
        add_mask_commands(explorer.registry, self)
        add_unit_commands(explorer.registry, explorer.state)
        self.training = TrainingDesk(explorer, settings, self)
        computing = stored_preferences(settings).computing
        self.matrix = MatrixDesk(explorer, MatrixJob(), computing)
        add_matrix_commands(explorer.registry, self.matrix, self)
        self.population = PopulationDesk(explorer, PopulationJob())
        add_population_commands(explorer.registry, self.population, self)
        self.theatre = TheatreDesk(explorer, self.population.state, TheatreJob(), theatre)
        add_theatre_commands(explorer.registry, self.theatre)
        self.compare = CompareDesk(explorer)
        add_compare_commands(explorer.registry, self.state, self.compare, self)
        self.honesty = HonestyDesk(explorer)
        explorer.registry.add(*self.honesty.commands(self))
        self.exports = PanelExports(explorer, self.experiments)
        offer_panels(
            self.exports, explorer, self.matrix.state, self.compare.change, self.population.state
        )
        folder = Path(settings.fileName()).parent
        self._shelf = None
        self.journal: JournalDesk | None = None
        if are_kept(settings):
            self._shelf = MaskShelf(self.state, folder / "masks", explorer.tell)
            self.journal = JournalDesk(explorer, self.experiments, theatre, folder / "journal")
            add_journal_commands(explorer.registry, self.journal)
        self.preferences = PreferencesDesk(explorer, settings, explorer.works, self.training)
        self.preferences.computing_changed.connect(self.matrix.compute_like)
        self.tour = TourDesk(explorer, self.open_demo)
        explorer.registry.add(self.preferences.command(), self.tour.command())
        is_first = settings.value(_SEEN, "") == "" and are_kept(settings)
        explorer.window.welcome.draw_first(is_first=is_first)
        explorer.window.closing.connect(self._on_close)
        self._restore()
        self.list_sessions()

    def begin(self) -> None:
        """Begin as a person prefers: with the list of sessions, or where they left off."""
        wants_last = self.preferences.shown.at_start == "last"
        if wants_last and self.journal is not None and self.journal.last() is not None:
            self.journal.go_on()

    def close_window(self) -> None:
        """End the program."""
        self.explorer.window.close()

    def cancel(self) -> None:
        """Stop computing and opening; in the session browser go back to the session."""
        window, opener = self.explorer.window, self.explorer.opener
        if window.is_browsing and self.state.workspace is not None and not opener.loader.is_busy:
            self.browse()
        else:
            self.explorer.cancel()

    def show_palette(self) -> None:
        """Show the command palette."""
        self.explorer.window.palette_dialog.open_fresh()

    def show_shortcuts(self) -> None:
        """Show all shortcuts."""
        commands = self.explorer.registry.with_shortcut()
        ShortcutSheet(commands, self.explorer.window).open()

    def show_log(self) -> None:
        """Show the log."""
        LogView(list(self._log.lines), self.explorer.window).open()

    def show_about(self) -> None:
        """Show what this program is."""
        tell_about(self.explorer.window, "About MtM Viewer", _ABOUT)

    def focus_search(self) -> None:
        """Go to the search box."""
        if self.explorer.window.is_browsing:
            self.explorer.window.browser.search.setFocus()
            return
        self.explorer.window.tree.search.setFocus()
        self.explorer.window.tree.search.selectAll()

    def take_tool(self, tool: str) -> None:
        """Take a tool for the rasters into the hand."""
        self.explorer.window.raster.tools.choose(tool)

    def tool_in_hand(self) -> str:
        """Return the tool in hand."""
        return self.explorer.window.raster.tools.tool

    def toggle_eraser(self) -> None:
        """Let strokes show in place of hide, or hide again."""
        self.explorer.window.raster.tools.eraser.toggle()

    def is_erasing(self) -> bool:
        """Tell whether strokes show in place of hide."""
        return self.explorer.window.raster.tools.eraser.isChecked()

    def toggle_side(self, name: str) -> None:
        """Show a panel at the side, or hide it."""
        self.explorer.window.toggle_side(name)

    def is_side_shown(self, name: str) -> bool:
        """Tell whether a panel at the side is shown."""
        return not self.explorer.window.side_docks[name].isHidden()

    def show_population(self, place: int) -> None:
        """Show the population as scatter (0), by region (1) or along the probe (2)."""
        if not self.is_side_shown(POPULATION):
            self.toggle_side(POPULATION)
        self.explorer.window.population.show_tab(place)

    def zoom(self, *, to_region: bool) -> None:
        """Zoom the rasters to the region that the mask targets, or out."""
        raster, region = self.explorer.window.raster, self.state.mask.region
        if to_region and region is not None:
            raster.show_region(region)
        else:
            raster.show_all()

    def scale_levels(self, factor: float) -> None:
        """Multiply the upper level of the colours; z-scores stay centred."""
        levels = self.explorer.window.raster.levels
        if levels is None:
            return
        low = factor * levels.low if levels.low < 0 else levels.low
        high = max(factor * levels.high, low + 1e-3)
        self.explorer.rasters.set_levels(Levels(low, high))

    def open_dropped(self, paths: list[Path]) -> None:
        """Open dropped files: an experiment or a figure of one, sessions, checkpoints."""
        if not self.experiments.take(paths):
            super().open_dropped(paths)

    def ask_experiment(self) -> None:
        """Ask for an experiment, or a figure that carries one, and open it."""
        self.experiments.ask_open()

    def ask_save_experiment(self) -> None:
        """Ask where to save what is on screen as an experiment, and save it."""
        self.experiments.ask_save()

    def copy_numbers(self) -> None:
        """Copy all scores to the clipboard as a table."""
        self.experiments.copy_numbers()

    def copy_caption(self) -> None:
        """Copy a caption of what is on screen."""
        self.experiments.copy_caption()

    def _restore(self) -> None:
        window, settings = self.explorer.window, self.settings
        window.forget_minimum()
        geometry = settings.value("geometry")
        if isinstance(geometry, QByteArray):
            window.restoreGeometry(geometry)
        else:
            window.fit_screen()
        self._layout = settings.value("layout")
        self.explorer.opened.connect(self._restore_layout)

    def _restore_layout(self) -> None:
        """Put the docks where they were, once, when they are first shown."""
        if isinstance(self._layout, QByteArray):
            self.explorer.window.restore_layout(self._layout)
            is_custom = self.state.mask.recipe == "custom"
            self.explorer.window.show_editor(is_shown=is_custom)
        self._layout = None

    def _on_close(self) -> None:
        window = self.explorer.window
        self.settings.setValue("geometry", window.saveGeometry())
        if self.state.workspace is not None and not window.is_browsing:
            self.settings.setValue("layout", window.save_layout())
        self.preferences.stop()
        self.tour.end()
        if self.state.workspace is not None:
            self.settings.setValue(_SEEN, mtm_core.__version__)
        self.settings.sync()
        if self._shelf is not None:
            self._shelf.wait()
        if self.journal is not None:
            self.journal.stop()
        self.exports.wait()
        self.training.stop()
        self.browsing.stop()
        self.matrix.stop()
        self.honesty.stop()
        self.compare.stop()
        self.population.stop()
        self.theatre.stop()
        self.explorer.stop()
