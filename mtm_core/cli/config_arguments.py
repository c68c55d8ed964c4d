"""Command-line flags for every setting, generated from the settings classes.

A flag's text is left as it was typed: `mtm_core.config_io` turns it into a value once the
architecture is known, and says what is wrong with it. So the settings of all architectures can
stand side by side as ``--model.NAME``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from mtm_core import config_io
from mtm_core.config_fields import Setting

_METAVARS = {bool: "true|false", int: "N", float: "X", str: "NAME"}


def add_config_arguments(parser: argparse.ArgumentParser) -> None:
    """Add a flag for every setting of training, in one group per section.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Is changed.
    """
    add_settings(parser, config_io.all_settings().values())


def add_settings(parser: argparse.ArgumentParser, settings: Iterable[Setting]) -> None:
    """Add a flag for each of these settings, in one group per section.

    Parameters
    ----------
    parser : argparse.ArgumentParser
        Is changed.
    settings : iterable of Setting
        What can be set.
    """
    groups: dict[str, argparse._ArgumentGroup] = {}
    for setting in settings:
        section = setting.key.rpartition(".")[0]
        if section not in groups:
            groups[section] = parser.add_argument_group(_title(section))
        groups[section].add_argument(
            setting.flag,
            dest=setting.key,
            metavar=_metavar(setting),
            nargs="+" if setting.is_list else None,
            help=setting.doc.replace("%", "%%"),
        )


def typed_settings(args: argparse.Namespace) -> list[tuple[str, str | list[str]]]:
    """Return dotted key and typed text of every setting of training on the command line."""
    return typed_values(args, config_io.all_settings())


def typed_values(
    args: argparse.Namespace, keys: Iterable[str]
) -> list[tuple[str, str | list[str]]]:
    """Return dotted key and typed text of those of these settings that were typed."""
    typed = vars(args)
    return [(key, typed[key]) for key in keys if typed.get(key) is not None]


def _title(section: str) -> str:
    if not section:
        return "settings (each replaces what the preset says)"
    return f"{section} settings"


def _metavar(setting: Setting) -> str:
    words = "|".join(setting.choices) or _METAVARS[setting.kind]
    return f"{words}|none" if setting.is_optional else words
