"""Commands of the comparison panel."""

from __future__ import annotations

from functools import partial
from typing import Protocol

from mtm_core.evaluation.contrast import CONTRASTS
from mtm_core.models.baselines_masked import BASELINES
from mtm_viewer.commands import Command, CommandRegistry, Panels, panel_command
from mtm_viewer.presenters.compare_choice import (
    NOTHING,
    contrast_entries,
    opponent_entries,
)
from mtm_viewer.state import ViewerState

SIDE = "compare"
"""Name of the panel among the window's."""
_MENU = "Model/Compare"


class CompareDeeds(Protocol):
    """What these commands ask to be done."""

    def compare_with(self, key: str) -> None:
        """Compare with one of `opponent_entries`."""

    def contrast(self, field: str) -> None:
        """Compare two conditions."""

    def blink(self) -> None:
        """Exchange the reconstruction with what it is compared with, or back."""

    def is_blinking(self) -> bool:
        """Tell whether they are exchanged."""

    def can_blink(self) -> bool:
        """Tell whether there is something to blink to."""

    def ask_table(self) -> None:
        """Ask where to save the change of every unit, and save it."""


def add_compare_commands(
    registry: CommandRegistry, state: ViewerState, deeds: CompareDeeds, panels: Panels
) -> None:
    """Put the commands of this module into the registry."""
    registry.add(
        panel_command(
            panels,
            SIDE,
            "compare.show",
            title="Compare",
            shortcut="Ctrl+Shift+D",
            help="Compare the model with another, with itself untold, or with a baseline.",
        ),
        *(_opponent(state, deeds, key, text) for key, text in _opponents().items()),
        *(_contrast(state, deeds, key, text) for key, text in _contrasts().items()),
        Command(
            id="compare.blink",
            title="Blink",
            menu=_MENU,
            shortcut="X",
            help="Exchange the reconstruction with what it is compared with, and back.",
            run=deeds.blink,
            is_enabled=deeds.can_blink,
            is_checked=deeds.is_blinking,
            starts_group=True,
        ),
        Command(
            id="compare.table",
            title="Save table\N{HORIZONTAL ELLIPSIS}",
            menu=_MENU,
            help="Save the change of every unit as CSV.",
            run=deeds.ask_table,
            is_enabled=deeds.can_blink,
        ),
    )


def _opponents() -> dict[str, str]:
    """Name the opponents that need no other model; those are chosen in the panel."""
    return {NOTHING: "With nothing", "prompt": "With itself without prompt"} | {
        name: f"With {text}" for name, text in BASELINES.items()
    }


def _contrasts() -> dict[str, str]:
    return {NOTHING: "No contrast"} | {
        name: f"Contrast of {text}" for name, text in CONTRASTS.items()
    }


def _opponent(state: ViewerState, deeds: CompareDeeds, key: str, text: str) -> Command:
    def can() -> bool:
        return state.workspace is not None and key in opponent_entries(state.workspace)

    return Command(
        id=f"compare.with.{key or 'nothing'}",
        title=text,
        menu=_MENU,
        run=partial(deeds.compare_with, key),
        is_enabled=can,
        is_checked=lambda: state.compare.key == key,
    )


def _contrast(state: ViewerState, deeds: CompareDeeds, key: str, text: str) -> Command:
    def can() -> bool:
        return state.workspace is not None and key in contrast_entries(state.workspace)

    return Command(
        id=f"compare.contrast.{key or 'none'}",
        title=text,
        menu=_MENU,
        run=partial(deeds.contrast, key),
        is_enabled=can,
        is_checked=lambda: state.compare.contrast == key,
        starts_group=key == NOTHING,
    )
