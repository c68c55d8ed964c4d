"""Takes preferences up, keeps them, and lets a person change them."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import Protocol

from PyQt6.QtCore import QObject, QSettings, Qt, pyqtSignal
from PyQt6.QtWidgets import QApplication

from mtm_viewer.commands import Command
from mtm_viewer.explorer import Explorer
from mtm_viewer.jobs.backend_job import BackendWork
from mtm_viewer.jobs.engine_thread import Work
from mtm_viewer.jobs.prepare_job import OpenJob
from mtm_viewer.presenters.preferences import (
    GB,
    Preferences,
    read_preferences,
    write_preferences,
)
from mtm_viewer.theme import THEMES
from mtm_viewer.views.preferences_dialog import PreferencesDialog

KEY = "preferences"
_OLD_THEME = "theme"
"""Where earlier versions kept the colours of the window."""


class Runs(Protocol):
    """Knows where models and runs are kept."""

    @property
    def root(self) -> Path:
        """That folder."""

    def ask_root(self) -> None:
        """Choose it."""


def stored_preferences(settings: QSettings) -> Preferences:
    """Read the preferences of a settings file."""
    stored = settings.value(KEY, "")
    if stored:
        return read_preferences(str(stored))
    old = settings.value(_OLD_THEME, "")
    return Preferences() if old not in THEMES else read_preferences(f'{{"theme": "{old}"}}')


class PreferencesDesk(QObject):
    """The deeds of preferences.

    Parameters
    ----------
    explorer : Explorer
        The running program.
    settings : QSettings
        Where they are kept.
    works : tuple of Work
        What the engine threads run: some of it can be told how to compute and what to keep.
    runs : Runs
        Where models and runs are kept.

    Notes
    -----
    Signal: `computing_changed` the `Computing` that a person chose in place of another.
    """

    computing_changed = pyqtSignal(object)

    def __init__(
        self, explorer: Explorer, settings: QSettings, works: tuple[Work, ...], runs: Runs
    ) -> None:
        super().__init__(explorer)
        self._explorer = explorer
        self._settings = settings
        self._works = works
        self._runs = runs
        self._shown = self._kept = stored_preferences(settings)
        self._is_taking_up = False
        explorer.state.theme_changed.connect(lambda theme: self._on_theme(theme.name))
        hints = QApplication.styleHints()
        if hints is not None:
            hints.colorSchemeChanged.connect(self._on_desktop)
        self._take_up(self._shown, is_first=True)

    @property
    def shown(self) -> Preferences:
        """The preferences now."""
        return self._shown

    def ask(self) -> None:
        """Show the dialog."""
        explorer = self._explorer
        dialog = PreferencesDialog(self._shown, explorer.devices, self._runs.root, explorer.window)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.chosen.connect(self.choose)
        dialog.folder_requested.connect(self._runs.ask_root)
        dialog.open()

    def choose(self, wanted: Preferences) -> None:
        """Take preferences up and keep them."""
        before, self._shown = self._shown, wanted
        self._take_up(wanted)
        self._keep()
        if wanted.font_percent != before.font_percent:
            self._say("Letters change their size when the program starts next.")
        if wanted.computing != before.computing:
            self._explorer.compute()
            self.computing_changed.emit(wanted.computing)

    def stop(self) -> None:
        """Follow the desktop's colours no longer."""
        hints = QApplication.styleHints()
        if hints is not None:
            hints.colorSchemeChanged.disconnect(self._on_desktop)
        self._keep()

    def command(self) -> Command:
        """Return the command that shows the dialog."""
        return Command(
            id="edit.preferences",
            title="Preferences…",
            menu="Edit",
            shortcut="Ctrl+,",
            help="Choose colours, letters, how models compute, and how much is kept.",
            run=self.ask,
            starts_group=True,
        )

    def _take_up(self, wanted: Preferences, *, is_first: bool = False) -> None:
        explorer, state = self._explorer, self._explorer.state
        self._show_theme(wanted)
        display = state.display
        raster = replace(display.raster, colour_map=wanted.colour_map)
        state.set_display(replace(display, raster=raster))
        if wanted.device in explorer.devices:
            state.set_device(wanted.device)
        elif not is_first:
            state.set_device(explorer.devices[0])
        for work in self._works:
            if isinstance(work, BackendWork):
                work.choose(wanted.computing)
            elif isinstance(work, OpenJob):
                work.limit_cache(wanted.prepared_gb * GB)

    def _keep(self) -> None:
        """Keep what was changed here; what another window changed meanwhile stays."""
        before, now = asdict(self._kept), asdict(self._shown)
        changed = {name: now[name] for name in now if now[name] != before[name]}
        if changed:
            self._settings.sync()
            stored = replace(stored_preferences(self._settings), **changed)
            self._settings.setValue(KEY, write_preferences(stored))
        self._kept = self._shown

    def _show_theme(self, wanted: Preferences) -> None:
        name = wanted.theme if wanted.theme in THEMES else _desktop_theme()
        self._is_taking_up = True
        self._explorer.state.set_theme(THEMES[name])
        self._is_taking_up = False

    def _on_theme(self, name: str) -> None:
        """Remember a theme that was chosen in the menu."""
        if not self._is_taking_up:
            self._shown = replace(self._shown, theme=name)  # type: ignore[arg-type]

    def _on_desktop(self, _: object) -> None:
        if self._shown.theme == "system":
            self._show_theme(self._shown)

    def _say(self, sentence: str) -> None:
        bar = self._explorer.window.statusBar()
        if bar is not None:
            bar.showMessage(sentence, 8000)


def _desktop_theme() -> str:
    hints = QApplication.styleHints()
    is_dark = hints is not None and hints.colorScheme() == Qt.ColorScheme.Dark
    return "dark" if is_dark else "light"
