"""Commands of the matrix panel."""

from __future__ import annotations

from functools import partial
from typing import Protocol

from mtm_viewer.commands import Command, CommandRegistry, Panels, panel_command
from mtm_viewer.matrix_state import MatrixState
from mtm_viewer.presenters.region_matrix import LEVEL_TEXTS

SIDE = "matrix"
"""Name of the panel among the window's."""
_MENU = "Model/Region-to-region matrix"


class MatrixDeeds(Protocol):
    """What these commands ask to be done."""

    @property
    def state(self) -> MatrixState:
        """The state of the panel."""

    def toggle_pause(self) -> None:
        """Pause the filling, or let it go on."""

    def can_pause(self) -> bool:
        """Tell whether there is something to pause or to go on with."""

    def ask_table(self) -> None:
        """Ask where to save the table, and save it."""


def add_matrix_commands(registry: CommandRegistry, deeds: MatrixDeeds, panels: Panels) -> None:
    """Put the commands of this module into the registry."""
    registry.add(*_commands(deeds, panels))


def _commands(deeds: MatrixDeeds, panels: Panels) -> list[Command]:
    state = deeds.state

    def has_matrix() -> bool:
        return state.answer is not None

    return [
        panel_command(
            panels,
            SIDE,
            "matrix.show",
            title="Region-to-region matrix",
            shortcut="Ctrl+Shift+R",
            help="Predict every region from every other one alone; predictive, not causal.",
        ),
        *(
            Command(
                id=f"matrix.level.{level}",
                title=f"{text} level" if level != "given" else text,
                menu=_MENU,
                run=partial(state.choose, level=level),
                is_checked=lambda level=level: state.choice.level == level,  # type: ignore[misc]
            )
            for level, text in LEVEL_TEXTS.items()
        ),
        Command(
            id="matrix.asymmetry",
            title="Asymmetry",
            menu=_MENU,
            help="Show each cell of the matrix minus its transpose.",
            run=lambda: state.choose(is_asymmetry=not state.choice.is_asymmetry),
            is_checked=lambda: state.choice.is_asymmetry,
            starts_group=True,
        ),
        Command(
            id="matrix.regression",
            title="Regression in place of the model",
            menu=_MENU,
            help="Show what a Poisson regression on the row's components makes of each cell.",
            run=lambda: state.choose(
                source="model" if state.choice.source == "regression" else "regression"
            ),
            is_checked=lambda: state.choice.source == "regression",
        ),
        Command(
            id="matrix.pause",
            title="Pause",
            menu=_MENU,
            help="Stop filling the matrix for now, or go on; what is done is kept.",
            run=deeds.toggle_pause,
            is_enabled=deeds.can_pause,
            is_checked=lambda: state.is_paused,
            starts_group=True,
        ),
        Command(
            id="matrix.table",
            title="Save table\N{HORIZONTAL ELLIPSIS}",
            menu=_MENU,
            help="Save a line for each cell of the matrix as CSV.",
            run=deeds.ask_table,
            is_enabled=has_matrix,
        ),
    ]
