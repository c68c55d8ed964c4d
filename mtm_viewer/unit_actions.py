"""Commands of the unit panel."""

from __future__ import annotations

from dataclasses import replace

from mtm_viewer.commands import Command, CommandRegistry
from mtm_viewer.presenters.condition_words import FIELD_TITLES
from mtm_viewer.presenters.trial_order import UNIT_SORTS, SortName
from mtm_viewer.state import ViewerState


def add_unit_commands(registry: CommandRegistry, state: ViewerState) -> None:
    """Put the commands of this module into the registry."""
    registry.add(
        *(_field(state, field, title) for field, title in FIELD_TITLES.items()),
        *(_sort(state, name, text) for name, text in UNIT_SORTS.items()),
    )


def _field(state: ViewerState, field: str, title: str) -> Command:
    return Command(
        id=f"unit.psth.{field}",
        title=title,
        menu="View/PSTHs of the unit by",
        help=f"Average the unit's trials by {title.lower()}, or no longer.",
        run=lambda: state.set_unit_settings(state.unit_settings.with_field_toggled(field)),
        is_checked=lambda: field in state.unit_settings.fields,
    )


def _sort(state: ViewerState, name: SortName, text: str) -> Command:
    def choose() -> None:
        state.set_unit_settings(replace(state.unit_settings, sort=name))

    return Command(
        id=f"unit.sort.{name}",
        title=text[0].upper() + text[1:],
        menu="View/Trials of the unit by",
        help="Sort the single trials of the unit panel.",
        run=choose,
        is_checked=lambda: state.unit_settings.sort == name,
    )
