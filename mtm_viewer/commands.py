"""One registry of all that a person can do; menus, shortcuts and palette are made from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from mtm_core.errors import UnknownNameError


def _always() -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Command:
    """Something that a person can do.

    Parameters
    ----------
    id : str
        Name for the log, for example ``"mask.inter_region"``.
    title : str
        What menus and the palette show.
    run : callable
        Does it.
    menu : str
        The menu it stands in, or ``"Menu/Submenu"``; "" for the palette alone.
    shortcut : str
        Keys, in Qt's portable spelling; "" for none.
    help : str
        A sentence for the status line and the tooltip.
    is_enabled : callable
        Tells whether it can be done now.
    is_checked : callable or None
        Tells whether it is switched on, for what can be.
    starts_group : bool
        Draw a line above it in its menu.
    is_last : bool
        It stands below the submenus of its menu, too.
    live_title : callable or None
        Returns the title that menus show now, for example ``"Undo hide CA1"``.
    """

    id: str
    title: str
    run: Callable[[], object]
    menu: str = ""
    shortcut: str = ""
    help: str = ""
    is_enabled: Callable[[], bool] = _always
    is_checked: Callable[[], bool] | None = None
    starts_group: bool = False
    is_last: bool = False
    live_title: Callable[[], str] | None = None

    @property
    def title_now(self) -> str:
        """The title that menus and the palette show now."""
        return self.title if self.live_title is None else self.live_title()

    @property
    def plain_title(self) -> str:
        """The title without the dots that announce a dialog."""
        return self.title_now.removesuffix("…")


class Panels(Protocol):
    """Shows panels at the side of the window."""

    def toggle_side(self, name: str) -> None:
        """Show a panel, or hide it."""

    def is_side_shown(self, name: str) -> bool:
        """Tell whether a panel is shown."""


def panel_command(
    panels: Panels,
    side: str,
    command_id: str,
    *,
    title: str,
    shortcut: str,
    help: str,  # noqa: A002
) -> Command:
    """Return the command that shows a panel at the side, or hides it.

    Parameters
    ----------
    panels : Panels
        Shows it.
    side : str
        Its name.
    command_id, title, shortcut, help : str
        As of any `Command`.
    """
    return Command(
        id=command_id,
        title=title,
        menu="View",
        shortcut=shortcut,
        help=help,
        run=partial(panels.toggle_side, side),
        is_checked=partial(panels.is_side_shown, side),
    )


class CommandRegistry:
    """All commands, in the order of their menus.

    Examples
    --------
    >>> registry = CommandRegistry()
    >>> done = []
    >>> registry.add(Command(id="mask.clear", title="Show everything", run=lambda: done.append(1)))
    >>> registry.run("mask.clear"), done, registry.log
    (True, [1], ['mask.clear'])
    """

    def __init__(self) -> None:
        self._commands: dict[str, Command] = {}
        self._sources: dict[str, tuple[str, ...]] = {}
        self.log: list[str] = []

    def add(self, *commands: Command) -> None:
        """Add commands.

        Raises
        ------
        ValueError
            If an id or a shortcut is taken.
        """
        for command in commands:
            self._check_free(command)
            self._commands[command.id] = command

    def replace(self, source: str, commands: Iterable[Command]) -> None:
        """Put commands that come and go, for example one per region, in place of those before."""
        for old in self._sources.pop(source, ()):
            del self._commands[old]
        new = tuple(commands)
        self.add(*new)
        self._sources[source] = tuple(command.id for command in new)

    def get(self, command_id: str) -> Command:
        """Return a command by its id."""
        if command_id not in self._commands:
            raise UnknownNameError("command", command_id, self._commands)
        return self._commands[command_id]

    def run(self, command_id: str) -> bool:
        """Do it if it can be done now; tell whether it was done."""
        command = self.get(command_id)
        if not command.is_enabled():
            return False
        self.log.append(command_id)
        command.run()
        return True

    def in_menus(self) -> dict[str, list[Command]]:
        """Return the commands of each menu, in the order in which they were added."""
        menus: dict[str, list[Command]] = {}
        for command in self._commands.values():
            if command.menu:
                menus.setdefault(command.menu, []).append(command)
        return menus

    def with_shortcut(self) -> dict[str, list[Command]]:
        """Return the commands that have a shortcut, by menu."""
        return {
            menu: with_keys
            for menu, commands in self.in_menus().items()
            if (with_keys := [command for command in commands if command.shortcut])
        }

    def search(self, query: str) -> list[Command]:
        """Return what can be done now and fits all words of a query, best first.

        Examples
        --------
        >>> registry = CommandRegistry()
        >>> registry.add(Command(id="a", title="Open session…", run=print),
        ...              Command(id="b", title="Theme: dark", run=print))
        >>> [command.id for command in registry.search("ses open")]
        ['a']
        """
        words = query.lower().split()
        found = [
            (_rank(command, words), place, command)
            for place, command in enumerate(self._commands.values())
            if command.is_enabled() and all(word in _haystack(command) for word in words)
        ]
        return [command for _, _, command in sorted(found, key=lambda entry: entry[:2])]

    def _check_free(self, command: Command) -> None:
        if command.id in self._commands:
            msg = f"Two commands are called {command.id}."
            raise ValueError(msg)
        taken = [c.id for c in self._commands.values() if c.shortcut == command.shortcut != ""]
        if taken:
            msg = f"{command.id} and {taken[0]} share the shortcut {command.shortcut}."
            raise ValueError(msg)


def _haystack(command: Command) -> str:
    return f"{command.menu} {command.title_now} {command.help}".lower()


def _rank(command: Command, words: list[str]) -> int:
    """Commands whose title begins with the query come first, then those with it in the title."""
    title = command.title_now.lower()
    if words and title.startswith(words[0]):
        return 0
    return 1 if all(word in title for word in words) else 2
