"""Pages of the documentation that are made from the program itself.

Command line and settings come from the parsers and the settings classes, keys and commands from
the registry of the window, the changes from the change log: none of them can be out of date.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import os
from collections.abc import Iterator
from pathlib import Path

from mtm_core import config_io, resources
from mtm_core.cli.__main__ import COMMANDS
from mtm_core.cli.parser import Parser
from mtm_core.config_fields import Setting

ROOT = Path(__file__).resolve().parents[1]
_KEPT: list[object] = []
_ANY = 1e9
"""A bound that nobody meets is not shown."""
_SETTINGS_NOTE = "Every setting has a flag too: see [settings](settings.md)."


def pages() -> dict[str, str]:
    """Return every generated page by its name."""
    return {
        "command_line.md": command_line_page(),
        "settings.md": settings_page(),
        "keyboard.md": keyboard_page(),
        "changes.md": changes_page(),
    }


def readme_section(title: str) -> str:
    """Return the text under a heading of the README, without the heading."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    return text.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0].strip()


def changes_page() -> str:
    """Return the change log."""
    return (ROOT / "packaging" / "CHANGELOG.md").read_text(encoding="utf-8")


def command_line_page() -> str:
    """Return the page of all commands and their flags."""
    head = (
        "# The command line\n\nThis page is made from the program's own help. Results go to "
        "stdout, progress and warnings to stderr. The exit code is 0, or 2 after an error, which "
        "is told in a sentence; `--debug` adds the traceback. `replay` ends with 1 where a number "
        "differs.\n"
    )
    return "\n".join([head, *(_command(name, what) for name, what in COMMANDS.items())])


def settings_page() -> str:
    """Return the page of all settings, with defaults and presets."""
    names = ", ".join(f"`{name}`" for name in resources.list_presets())
    parts = [
        "# Settings\n",
        "Settings of training (`train`, `finetune`, `reproduce`) and preparation (`prepare`), as "
        "flags; in a TOML file the part before the dot is a section. A preset says what differs "
        f"from the defaults below. Presets of training: {names}. `mtm-core info RUN` shows what a "
        "run used.\n",
    ]
    for title, settings in (
        ("Training", config_io.all_settings()),
        ("Preparation", config_io.preparation_settings()),
    ):
        parts += [f"## {title}\n", _table(("flag", "values", "default", "what it does"))]
        parts += [_setting_row(setting) for setting in settings.values()]
        parts += [""]
    return "\n".join(parts)


def keyboard_page() -> str:
    """Return the page of all keys and commands of the window."""
    parts = [
        "# Keys and commands\n",
        "Every command of the window can be found by typing: **Ctrl+P** opens the palette. On a "
        "Mac Ctrl is Cmd. The window shows the same list under Help > Keyboard shortcuts.\n",
    ]
    for menu, commands in _window_commands().items():
        parts += [f"## {menu.replace('/', ' > ')}\n", _table(("command", "keys", "what it does"))]
        parts += [
            _row((title, f"<kbd>{keys}</kbd>" if keys else "", text))
            for title, keys, text in commands
        ]
        parts += [""]
    return "\n".join(parts)


def _window_commands() -> dict[str, list[tuple[str, str, str]]]:
    """Return title, keys and help of every command by menu, from a window without a display."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from mtm_viewer import app as program
    from mtm_viewer.desktop import LogKeeper

    app = program._make_app()
    _KEPT.append(app)  # Qt's windows must go before its application
    desktop = program.build(LogKeeper(), is_offscreen=True)
    found = {
        menu: [(command.title, command.shortcut, command.help) for command in commands]
        for menu, commands in desktop.explorer.registry.in_menus().items()
        if menu != "Session/Bundled recordings"
    }
    desktop.close_window()
    app.processEvents()
    del desktop
    gc.collect()
    app.processEvents()
    return found


def _command(name: str, what: str) -> str:
    module = importlib.import_module(f"mtm_core.cli.{name.replace('-', '_')}")
    parser = Parser(f"mtm-core {name}", module.__doc__)
    module.add_arguments(parser)
    words = (module.__doc__ or "").strip()
    parts = [f"## {name}\n", f"{what[0].upper()}{what[1:]}.\n", f"```text\n{words}\n```\n"]
    parts += list(_flags(parser, 3))
    return "\n".join(parts)


def _flags(parser: argparse.ArgumentParser, level: int) -> Iterator[str]:
    """Yield tables of the flags of a parser, then those of its actions."""
    has_settings = False
    for group in parser._action_groups:
        rows = [action for action in group._group_actions if not _is_setting(action)]
        has_settings |= len(rows) < len(group._group_actions)
        listed = [row for row in rows if row.help != argparse.SUPPRESS and row.dest != "help"]
        listed = [row for row in listed if not isinstance(row, argparse._SubParsersAction)]
        if listed:
            yield _table(("argument", "what it does"))
            yield from map(_argument_row, listed)
            yield ""
    if has_settings:
        yield f"{_SETTINGS_NOTE}\n"
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner in action.choices.items():
                yield f"{'#' * level} {parser.prog.partition(' ')[2]} {name}\n"
                yield from _flags(inner, level + 1)


def _is_setting(action: argparse.Action) -> bool:
    return any(
        flag.startswith(("--data.", "--model.", "--masking.", "--optim.", "--run.", "--prepare."))
        for flag in action.option_strings
    )


def _argument_row(action: argparse.Action) -> str:
    name = ", ".join(action.option_strings) or str(action.metavar or action.dest)
    takes = action.metavar if isinstance(action.metavar, str) else None
    if action.option_strings and action.nargs != 0:
        words = "|".join(map(str, action.choices)) if action.choices else action.dest.upper()
        name = f"{name} {takes or words}"
    text = (action.help or "").replace("%(default)s", str(action.default)).replace("%%", "%")
    return _row((f"`{_cell(name)}`", _cell(text)))


def _setting_row(setting: Setting) -> str:
    if setting.choices:
        values = ", ".join(setting.choices)
    else:
        values = {bool: "true, false", int: "whole number", float: "number", str: "text"}[
            setting.kind
        ]
    if setting.bounds is not None:
        low, high = setting.bounds.low, setting.bounds.high
        top = f" to {high:g}" if high < _ANY else " or more"
        values = f"{values}, {low:g}{top}"
    values += " (several)" if setting.is_list else ""
    values += ", none" if setting.is_optional else ""
    default = setting.default
    shown = " ".join(map(str, default)) if isinstance(default, tuple) else str(default).lower()
    return _row((f"`{setting.flag}`", values, f"`{shown}`" if shown else "", _cell(setting.doc)))


def _table(heads: tuple[str, ...]) -> str:
    return f"{_row(heads)}\n{_row(('---',) * len(heads))}"


def _row(cells: tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
