"""What the menus do around the explorer: files, pictures, help, what was open last."""

from __future__ import annotations

import collections
import logging
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from PyQt6.QtCore import QByteArray, QSettings
from PyQt6.QtWidgets import QApplication, QFileDialog

import mtm_core
from mtm_core import resources
from mtm_viewer.actions import add_commands
from mtm_viewer.commands import Command
from mtm_viewer.explorer import Explorer
from mtm_viewer.jobs.open_job import OpenRequest
from mtm_viewer.presenters.workspace import Workspace
from mtm_viewer.state import ViewerState
from mtm_viewer.theme import THEMES
from mtm_viewer.views.dialogs import LogView, ShortcutSheet, tell_about
from mtm_viewer.views.export import PICTURE_KINDS, copy_picture, save_picture

DEMO = "demo"
"""Name of the demo's checkpoint."""
MOST_RECENT = 8
_LOG_LINES = 2000
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


class Desktop:
    """The deeds of the menus.

    Parameters
    ----------
    explorer : Explorer
        The running program.
    settings : QSettings
        Window layout, colours and recent files; nothing else.
    log : LogKeeper
        Lines for Help > Show log.
    """

    def __init__(self, explorer: Explorer, settings: QSettings, log: LogKeeper) -> None:
        self.explorer = explorer
        self.settings = settings
        self._log = log
        self._bundled = bundled_sessions()
        add_commands(explorer.registry, self)
        window = explorer.window
        window.files_dropped.connect(self.open_dropped)
        window.closing.connect(self._on_close)
        window.welcome.demo_requested.connect(self.open_demo)
        window.welcome.open_requested.connect(self.ask_session)
        window.welcome.session_chosen.connect(lambda path: self.open_session(Path(path)))
        explorer.opened.connect(self._on_opened)
        explorer.state.workspace_changed.connect(lambda _: self._list_sessions())
        self._restore()
        self._list_sessions()

    @property
    def state(self) -> ViewerState:
        """The state of the program."""
        return self.explorer.state

    def attempt(self, title: str, deed: Callable[[], object]) -> None:
        """Do it, and tell in a dialog what went wrong."""
        self.explorer.attempt(title, deed)

    def open_session(self, path: Path) -> None:
        """Open a session file."""
        self.explorer.open_files(OpenRequest(session_path=path, current=self.state.workspace))

    def open_checkpoint(self, path: Path) -> None:
        """Open a checkpoint for the session that is open, or for its own."""
        self.explorer.open_files(
            OpenRequest(checkpoint_paths=(path,), current=self.state.workspace)
        )

    def open_demo(self) -> None:
        """Open the demo's checkpoint with the recording it was trained on."""

        def deed() -> None:
            path = resources.checkpoint_path(DEMO)
            self.explorer.open_files(OpenRequest(checkpoint_paths=(path,)))

        self.attempt("The demo", deed)

    def open_dropped(self, paths: list[Path]) -> None:
        """Open dropped files: a checkpoint, a session, or one of each."""
        checkpoints = [path for path in paths if path.suffix == ".safetensors"]
        sessions = [path for path in paths if path.suffix != ".safetensors"]
        self.explorer.open_files(
            OpenRequest(
                session_path=sessions[0] if sessions else None,
                checkpoint_paths=tuple(checkpoints),
                current=self.state.workspace,
            )
        )

    def ask_session(self) -> None:
        """Ask for a session file and open it."""
        self._ask_file("Open session", "Sessions (*.h5 *.hdf5);;All files (*)", self.open_session)

    def ask_checkpoint(self) -> None:
        """Ask for a checkpoint and open it."""
        self._ask_file(
            "Open checkpoint", "Checkpoints (*.safetensors);;All files (*)", self.open_checkpoint
        )

    def close_window(self) -> None:
        """End the program."""
        self.explorer.window.close()

    def cancel(self) -> None:
        """Stop computing."""
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
        self.explorer.window.tree.search.setFocus()
        self.explorer.window.tree.search.selectAll()

    def zoom(self, *, to_region: bool) -> None:
        """Zoom the rasters to the region that the mask targets, or out."""
        raster, region = self.explorer.window.raster, self.state.mask.region
        if to_region and region is not None:
            raster.show_region(region)
        else:
            raster.show_all()

    def ask_picture(self) -> None:
        """Ask where to save the rasters, and save them."""
        dialog = QFileDialog(self.explorer.window, "Save rasters as a picture")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setNameFilters(list(PICTURE_KINDS))
        dialog.setDefaultSuffix("png")
        dialog.fileSelected.connect(lambda name: self.save_picture(Path(name)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def save_picture(self, path: Path) -> None:
        """Save the rasters as PNG, SVG or PDF, by the ending of the name."""
        raster = self.explorer.window.raster
        self.attempt(path.name, partial(save_picture, raster.graphics, path))

    def copy_picture(self) -> None:
        """Copy the rasters to the clipboard."""
        copy_picture(self.explorer.window.raster.graphics)

    def recent(self) -> list[Path]:
        """Return the sessions that were open last, the newest first, if they still exist."""
        stored = self.settings.value("recent", [])
        names = [stored] if isinstance(stored, str) else list(stored or [])
        return [Path(name) for name in names if Path(name).is_file()]

    def _ask_file(self, title: str, kinds: str, then: Callable[[Path], None]) -> None:
        dialog = QFileDialog(self.explorer.window, title)
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilters(kinds.split(";;"))
        dialog.setDirectory(str(self.settings.value("folder", str(Path.home()))))
        dialog.fileSelected.connect(lambda name: then(Path(name)))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _on_opened(self, workspace: Workspace) -> None:
        self.settings.setValue("folder", str(workspace.path.parent))
        recent = [workspace.path, *(p for p in self.recent() if p != workspace.path)]
        self.settings.setValue("recent", [str(path) for path in recent[:MOST_RECENT]])
        self._list_sessions()

    def _list_sessions(self) -> None:
        registry, recent = self.explorer.registry, self.recent()
        registry.replace("bundled", self._session_commands("bundled", self._bundled))
        own = {path for _, path in self._bundled}
        others = [(path.stem, path) for path in recent if path not in own]
        registry.replace("recent", self._session_commands("recent", others))
        registry.replace("regions", self._region_commands())
        listed = [(f"{name}   (open lately)", str(path)) for name, path in others]
        listed += [(name, str(path)) for name, path in self._bundled]
        has_demo = DEMO in resources.list_checkpoints()
        self.explorer.window.welcome.draw(listed, has_demo=has_demo)
        self.explorer.window.build_menus()

    def _session_commands(
        self, kind: str, sessions: Iterable[tuple[str, Path]]
    ) -> Iterable[Command]:
        menu = {"bundled": "Session/Bundled recordings", "recent": "Session/Recent"}[kind]
        for name, path in sessions:
            yield Command(
                id=f"session.{kind}.{path}",
                title=name,
                menu=menu,
                help=str(path),
                run=partial(self.open_session, path),
            )

    def _region_commands(self) -> Iterable[Command]:
        """Yield a command of the palette for each region: what a click on it does."""
        workspace = self.state.workspace
        for name in () if workspace is None else workspace.session.region_names():
            yield Command(
                id=f"region.{name}",
                title=f"Click region {name}",
                help="Does what the recipe says.",
                run=partial(self.attempt, name, partial(self.state.click_region, name)),
            )

    def _restore(self) -> None:
        window, settings = self.explorer.window, self.settings
        theme = settings.value("theme", "")
        if theme in THEMES:
            self.state.set_theme(THEMES[str(theme)])
        elif _prefers_dark():
            self.state.set_theme(THEMES["dark"])
        geometry = settings.value("geometry")
        if isinstance(geometry, QByteArray):
            window.restoreGeometry(geometry)
        else:
            window.resize(1440, 900)
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
        if self.state.workspace is not None:
            self.settings.setValue("layout", window.save_layout())
        self.settings.setValue("theme", self.state.theme.name)
        self.settings.sync()
        self.explorer.stop()


def bundled_sessions() -> list[tuple[str, Path]]:
    """Return name and path of each recording that came along."""
    return [(name, resources.session_path(name)) for name in resources.list_sessions()]


def _prefers_dark() -> bool:
    hints = QApplication.styleHints()
    return hints is not None and hints.colorScheme().name == "Dark"
