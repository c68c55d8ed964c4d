"""Commands of the single-trial theatre."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from mtm_viewer.commands import Command, CommandRegistry
from mtm_viewer.presenters.trial_order import THEATRE_SORTS
from mtm_viewer.theatre_state import TheatreState

_MENU = "View/Single trials"


class TheatreDeeds(Protocol):
    """What these commands ask to be done."""

    @property
    def state(self) -> TheatreState:
        """The state of the theatre."""

    def toggle(self) -> None:
        """Open the theatre, or go back to averages."""

    def can_show(self) -> bool:
        """Tell whether there are trials to show."""

    def step(self, places: int) -> None:
        """Go on in the list of trials."""

    def step_extreme(self, sign: int) -> None:
        """Go to the worst or the best trial, then to the next."""

    def can_step_extreme(self) -> bool:
        """Tell whether trials are scored."""


def add_theatre_commands(registry: CommandRegistry, deeds: TheatreDeeds) -> None:
    """Put the commands of this module into the registry."""
    state = deeds.state

    def is_shown() -> bool:
        return state.is_shown

    registry.add(
        Command(
            id="theatre.show",
            title="Single-trial theatre",
            menu="View",
            shortcut="T",
            help="Show one trial at a time in place of averages, and scrub through them.",
            run=deeds.toggle,
            is_enabled=deeds.can_show,
            is_checked=is_shown,
        ),
        _step("next", "Next trial", ".", partial(deeds.step, 1), is_shown),
        _step("previous", "Previous trial", ",", partial(deeds.step, -1), is_shown),
        _step(
            "worst",
            "Next worst trial",
            "W",
            partial(deeds.step_extreme, -1),
            deeds.can_step_extreme,
        ),
        _step(
            "best",
            "Next best trial",
            "Shift+W",
            partial(deeds.step_extreme, 1),
            deeds.can_step_extreme,
        ),
        *(
            Command(
                id=f"theatre.sort.{name}",
                title=f"Trials by {text}",
                menu=_MENU,
                run=partial(state.sort_by, name),
                is_checked=lambda name=name: state.sort == name,  # type: ignore[misc]
                starts_group=name == next(iter(THEATRE_SORTS)),
            )
            for name, text in THEATRE_SORTS.items()
        ),
    )


def _step(
    name: str, title: str, keys: str, run: Callable[[], object], is_enabled: Callable[[], bool]
) -> Command:
    return Command(
        id=f"theatre.{name}",
        title=title,
        menu=_MENU,
        shortcut=keys,
        help="Worst and best are by surprise, or by bits per spike if trials are sorted by them."
        if name in ("worst", "best")
        else "",
        run=run,
        is_enabled=is_enabled,
    )
