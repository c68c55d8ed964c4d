"""The menus of sessions: bundled and recent ones, and the regions of the one that is open."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Protocol

from PyQt6.QtCore import QSettings

from mtm_core import resources
from mtm_viewer.commands import Command
from mtm_viewer.explorer import Explorer
from mtm_viewer.presenters.recent import RecentSession, read_recent, remember, write_recent
from mtm_viewer.presenters.workspace import Workspace

DEMO = "demo"
"""Name of the demo's checkpoint."""


class OpenSource(Protocol):
    """Opens a path or an eid under a name."""

    def __call__(self, source: str, *, name: str = "") -> None:
        """Open it."""


class SessionMenus:
    """Lists what can be opened, and remembers what was.

    Parameters
    ----------
    explorer : Explorer
        Its registry and window are filled.
    settings : QSettings
        Where recent sessions are remembered.
    open_source : OpenSource
        Opens what is chosen.
    """

    def __init__(self, explorer: Explorer, settings: QSettings, open_source: OpenSource) -> None:
        self.bundled = bundled_sessions()
        self._explorer = explorer
        self._settings = settings
        self._open_source = open_source
        explorer.state.workspace_changed.connect(lambda _: self.draw_regions())

    def recent(self) -> list[RecentSession]:
        """Return the sessions that were open last, the newest first, if they still exist."""
        stored = read_recent(self._settings.value("recent", []))
        return [session for session in stored if session.is_there]

    def remember(self, workspace: Workspace) -> None:
        """Remember what was opened."""
        self._settings.sync()  # another window may have opened others meanwhile
        newest = RecentSession(source=workspace.source, name=workspace.name)
        self._settings.setValue("recent", write_recent(remember(self.recent(), newest)))

    def draw(self) -> None:
        """Fill all menus."""
        own = {str(path) for _, path in self.bundled}
        others = [session for session in self.recent() if session.source not in own]
        registry = self._explorer.registry
        registry.replace("bundled", self._bundled_commands())
        registry.replace("recent", self._recent_commands(others))
        self.draw_regions()
        self._explorer.window.build_menus()

    def draw_regions(self) -> None:
        """Offer the regions of the session that is open in the palette; no menu lists them."""
        self._explorer.registry.replace("regions", self._region_commands())
        self.draw_page()

    def draw_page(self) -> None:
        """Offer the demo, and the way back to the session that is open, beside the browser."""
        workspace = self._explorer.state.workspace
        self._explorer.window.welcome.draw(
            has_demo=DEMO in resources.list_checkpoints(),
            session="" if workspace is None else workspace.name,
        )

    def _bundled_commands(self) -> Iterable[Command]:
        for name, path in self.bundled:
            yield _open_command("bundled", name, str(path), partial(self._open_source, str(path)))

    def _recent_commands(self, sessions: Iterable[RecentSession]) -> Iterable[Command]:
        for each in sessions:
            deed = partial(self._open_source, each.source, name=each.name)
            yield _open_command("recent", each.name, each.source, deed)

    def _region_commands(self) -> Iterable[Command]:
        """Yield a command of the palette for each region: what a click on it does."""
        explorer, workspace = self._explorer, self._explorer.state.workspace
        for name in () if workspace is None else workspace.session.region_names():
            yield Command(
                id=f"region.{name}",
                title=f"Click region {name}",
                help="Does what the recipe says.",
                run=partial(explorer.attempt, name, partial(explorer.state.click_region, name)),
            )


def bundled_sessions() -> list[tuple[str, Path]]:
    """Return name and path of each recording that came along."""
    return [(name, resources.session_path(name)) for name in resources.list_sessions()]


def _open_command(kind: str, name: str, source: str, run: Callable[[], object]) -> Command:
    menu = {"bundled": "Session/Bundled recordings", "recent": "Session/Recent"}[kind]
    return Command(id=f"session.{kind}.{source}", title=name, menu=menu, help=source, run=run)
