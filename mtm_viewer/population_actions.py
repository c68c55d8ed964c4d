"""Commands of the population panel."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Protocol

from mtm_core.masking.region_level import LEVEL_WORDS
from mtm_viewer.commands import Command, CommandRegistry, Panels, panel_command
from mtm_viewer.population_state import PopulationState
from mtm_viewer.presenters.population import AXES
from mtm_viewer.state import ViewerState

SIDE = "population"
"""Name of the panel among the window's."""
_MENU = "Model/Population"
_TABS = ("Scatter of scores", "Scores by region", "Units along the probe")


class PopulationDeeds(Protocol):
    """What these commands ask to be done."""

    @property
    def state(self) -> PopulationState:
        """The state of the panel."""

    def step_unit(self, step: int) -> None:
        """Look at the unit with the next better or worse score."""

    def pick_outliers(self, sign: int) -> None:
        """Pick the units that score far better or far worse than the others."""

    def n_outliers(self, sign: int) -> int:
        """Count them."""

    def hide_picked(self) -> None:
        """Hide the picked units and nothing else."""

    def keep_picked(self) -> None:
        """Hide all units but the picked ones."""

    def clear_picked(self) -> None:
        """Pick no unit any more."""

    def ask_table(self) -> None:
        """Ask where to save the table, and save it."""


class PanelDeeds(Panels, Protocol):
    """What shows and hides the panel."""

    @property
    def state(self) -> ViewerState:
        """The state of the program."""

    def show_population(self, place: int) -> None:
        """Show the population as scatter, by region or along the probe."""


def add_population_commands(
    registry: CommandRegistry, deeds: PopulationDeeds, panel: PanelDeeds
) -> None:
    """Put the commands of this module into the registry."""
    registry.add(
        _show(panel), *_tabs(panel), *_looks(deeds), *_units(deeds), *_picks(deeds, panel)
    )


def _show(panel: PanelDeeds) -> Command:
    command = panel_command(
        panel,
        SIDE,
        "population.show",
        title="Population",
        shortcut="Ctrl+U",
        help="Show how each unit scores, against its rate, depth or region, and why.",
    )
    return replace(command, is_enabled=lambda: panel.state.workspace is not None)


def _tabs(panel: PanelDeeds) -> list[Command]:
    return [
        Command(
            id=f"population.tab.{name}",
            title=title,
            menu=_MENU,
            run=partial(panel.show_population, place),
            is_enabled=lambda: panel.state.workspace is not None,
        )
        for place, (name, title) in enumerate(
            zip(("scatter", "regions", "probe"), _TABS, strict=True)
        )
    ]


def _looks(deeds: PopulationDeeds) -> list[Command]:
    state = deeds.state
    axes = [
        Command(
            id=f"population.axis.{name}",
            title=f"Score against {text.partition(' (')[0]}",
            menu=_MENU,
            run=partial(state.choose, axis=name),
            is_checked=lambda name=name: state.choice.axis == name,  # type: ignore[misc]
            starts_group=name == next(iter(AXES)),
        )
        for name, text in AXES.items()
    ]
    levels = [
        Command(
            id=f"population.level.{name}",
            title=f"Population by {text}",
            menu=_MENU,
            run=partial(state.choose, level=name),
            is_checked=lambda name=name: state.choice.level == name,  # type: ignore[misc]
            starts_group=name == next(iter(LEVEL_WORDS)),
        )
        for name, text in LEVEL_WORDS.items()
    ]
    return [*axes, *levels]


def _units(deeds: PopulationDeeds) -> list[Command]:
    def has_answer() -> bool:
        return deeds.state.answer is not None

    walks = [
        Command(
            id=f"population.unit.{name}",
            title=f"Next {name} unit",
            menu=_MENU,
            shortcut=keys,
            help=f"Look at the unit with the next {name} score among those with enough spikes.",
            run=partial(deeds.step_unit, step),
            is_enabled=has_answer,
            starts_group=name == "worse",
        )
        for name, keys, step in (("worse", "J", -1), ("better", "K", 1))
    ]
    table = Command(
        id="population.table",
        title="Save units as a table\N{HORIZONTAL ELLIPSIS}",
        menu=_MENU,
        help="Save a line for each scored unit as CSV, with what may explain its score.",
        run=deeds.ask_table,
        is_enabled=has_answer,
    )
    return [*walks, table]


def _picks(deeds: PopulationDeeds, panel: PanelDeeds) -> list[Command]:
    def is_picked() -> bool:
        return bool(panel.state.picked)

    outliers = [
        Command(
            id=f"population.pick.{name}",
            title=f"Pick units that score far {name} than most",
            menu=_MENU,
            help="Pick units three robust standard deviations from the median unit.",
            run=partial(deeds.pick_outliers, sign),
            is_enabled=lambda sign=sign: deeds.n_outliers(sign) > 0,  # type: ignore[misc]
            starts_group=name == "better",
        )
        for name, sign in (("better", 1), ("worse", -1))
    ]
    edits = [
        Command(
            id=f"population.{name}",
            title=title,
            menu=_MENU,
            shortcut=keys,
            run=run,
            is_enabled=is_picked,
        )
        for name, title, keys, run in (
            ("hide", "Hide only the picked units", "Ctrl+Shift+K", deeds.hide_picked),
            ("keep", "Show only the picked units", "", deeds.keep_picked),
            ("clear", "Pick no unit", "", deeds.clear_picked),
        )
    ]
    return [*outliers, *edits]
