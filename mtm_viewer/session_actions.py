"""The commands of the Session menu: find, open, prepare, save."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from mtm_viewer.commands import Command
from mtm_viewer.state import ViewerState


class SessionDeeds(Protocol):
    """What the Session menu asks to be done."""

    @property
    def state(self) -> ViewerState:
        """The state of the program."""

    def open_demo(self) -> None:
        """Open the demo."""

    def ask_session(self) -> None:
        """Ask for a file and open it."""

    def ask_folder(self) -> None:
        """Ask for a folder and open it, or list the sessions in it."""

    def browse(self) -> None:
        """Show the session browser."""

    def browse_database(self) -> None:
        """Show the IBL database in the session browser."""

    def paste(self) -> None:
        """Open the path or the eid that was copied."""

    def ask_preparation(self) -> None:
        """Show the settings of preparation."""

    def ask_login(self) -> None:
        """Ask for an account of the database."""

    def show_details(self) -> None:
        """Show where the session came from and how it was prepared."""

    def ask_copy(self) -> None:
        """Ask where to save the prepared session, and save it."""

    def close_window(self) -> None:
        """End the program."""


def session_commands(deeds: SessionDeeds) -> list[Command]:
    """Return the commands of the Session menu, in their order."""

    def is_open() -> bool:
        return deeds.state.workspace is not None

    return [*_finding(deeds), *_preparing(deeds, is_open), *_keeping(deeds, is_open)]


def _finding(deeds: SessionDeeds) -> list[Command]:
    return [
        Command(
            id="session.browse",
            title="Browse sessions…",
            menu="Session",
            shortcut="Ctrl+L",
            help="Find a session: bundled, recent, on disk, or in the IBL database.",
            run=deeds.browse,
        ),
        Command(
            id="session.open",
            title="Open session…",
            menu="Session",
            shortcut="Ctrl+O",
            help="Open a session file or an NWB file.",
            run=deeds.ask_session,
        ),
        Command(
            id="session.folder",
            title="Open folder…",
            menu="Session",
            shortcut="Ctrl+Shift+F",
            help="Open an ALF session or a folder of your own layout; of many, choose one.",
            run=deeds.ask_folder,
        ),
        Command(
            id="session.database",
            title="IBL database…",
            menu="Session",
            shortcut="Ctrl+Shift+L",
            help="Search the database of the International Brain Laboratory.",
            run=deeds.browse_database,
        ),
        Command(
            id="session.paste",
            title="Open what was copied",
            menu="Session",
            shortcut="Ctrl+V",
            help="Open the session whose path or eid is in the clipboard.",
            run=deeds.paste,
        ),
        Command(
            id="session.demo",
            title="Open the demo",
            menu="Session",
            shortcut="Ctrl+D",
            help="Open the demo recording with its trained models.",
            run=deeds.open_demo,
        ),
    ]


def _preparing(deeds: SessionDeeds, is_open: Callable[[], bool]) -> list[Command]:
    return [
        Command(
            id="session.prepare",
            title="Preparation…",
            menu="Session",
            shortcut="Ctrl+Shift+P",
            help="Choose units, trials, window and bins; a recording that is open is prepared "
            "again.",
            run=deeds.ask_preparation,
            starts_group=True,
        ),
        Command(
            id="session.details",
            title="About this session…",
            menu="Session",
            shortcut="Ctrl+I",
            help="Show where the session came from, and by which rules it was prepared.",
            run=deeds.show_details,
            is_enabled=is_open,
        ),
        Command(
            id="session.login",
            title="Log in to the database…",
            menu="Session",
            help="Give an account or a token for the IBL database.",
            run=deeds.ask_login,
        ),
    ]


def _keeping(deeds: SessionDeeds, is_open: Callable[[], bool]) -> list[Command]:
    return [
        Command(
            id="session.save",
            title="Save session as…",
            menu="Session",
            shortcut="Ctrl+Shift+S",
            help="Save the session as it was prepared, for training and for other people.",
            run=deeds.ask_copy,
            is_enabled=is_open,
            starts_group=True,
        ),
        Command(
            id="session.quit",
            title="Quit",
            menu="Session",
            shortcut="Ctrl+Q",
            run=deeds.close_window,
            starts_group=True,
            is_last=True,
        ),
    ]
