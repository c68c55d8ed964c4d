"""Commands that edit the mask beyond the recipes: tools, whole-mask edits, panels."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from mtm_viewer.commands import Command, CommandRegistry
from mtm_viewer.presenters.recipe_panel import prompt_entries
from mtm_viewer.state import ViewerState
from mtm_viewer.views.mask_tools import TOOLS

_TOOL_KEYS = {"point": "V", "brush": "B", "lasso": "L"}
_SIDES = {
    "recipe": ("Parameters of the recipe", "Ctrl+Shift+A"),
    "names": ("Named masks", "Ctrl+Shift+M"),
    "history": ("History", "Ctrl+Shift+H"),
}


class MaskDeeds(Protocol):
    """What these commands ask to be done."""

    @property
    def state(self) -> ViewerState:
        """The state of the program."""

    def attempt(self, title: str, deed: Callable[[], object]) -> None:
        """Do it, and tell in a dialog what went wrong."""

    def take_tool(self, tool: str) -> None:
        """Take a tool for the rasters into the hand."""

    def tool_in_hand(self) -> str:
        """Return the tool in hand."""

    def toggle_eraser(self) -> None:
        """Let strokes show in place of hide, or hide again."""

    def is_erasing(self) -> bool:
        """Tell whether strokes show in place of hide."""

    def toggle_side(self, name: str) -> None:
        """Show a panel at the side, or hide it."""

    def is_side_shown(self, name: str) -> bool:
        """Tell whether a panel at the side is shown."""


def add_mask_commands(registry: CommandRegistry, deeds: MaskDeeds) -> None:
    """Put the commands of this module into the registry."""
    registry.add(*_whole(deeds), *_prompts(deeds), *_tools(deeds), *_sides(deeds))


def _whole(deeds: MaskDeeds) -> list[Command]:
    state = deeds.state

    def command(
        name: str, title: str, keys: str, help_text: str, deed: Callable[[], object]
    ) -> Command:
        return Command(
            id=f"mask.{name}",
            title=title,
            menu="Mask",
            shortcut=keys,
            help=help_text,
            run=partial(deeds.attempt, "This mask", deed),
            is_enabled=lambda: state.mask.spec is not None,
        )

    return [
        command(
            "invert",
            "Invert",
            "Ctrl+Shift+I",
            "Hide what is visible, and show what is hidden.",
            state.invert_mask,
        ),
        command(
            "grow",
            "Grow to region",
            "Ctrl+Shift+G",
            "Hide the whole region of what is hidden.",
            state.grow_to_regions,
        ),
    ]


def _prompts(deeds: MaskDeeds) -> list[Command]:
    """Offer every prompt under every recipe; the first lets the mask decide."""
    state = deeds.state
    titles = prompt_entries("")
    return [
        Command(
            id=f"mask.prompt.{name or 'automatic'}",
            title=title,
            menu="Mask/Prompt",
            help="What the model is told about the mask; it changes nothing that is hidden.",
            run=partial(deeds.attempt, "This prompt", partial(state.choose_prompt, name or None)),
            is_enabled=lambda: state.mask.spec is not None,
            is_checked=lambda name=name: (state.mask.prompt or "") == name,  # type: ignore[misc]
        )
        for name, title in titles.items()
    ]


def _tools(deeds: MaskDeeds) -> list[Command]:
    is_open = _is_open(deeds)
    tools = [
        Command(
            id=f"mask.tool.{name}",
            title=f"{text} tool",
            menu="Mask",
            shortcut=_TOOL_KEYS[name],
            help=help_text,
            run=partial(deeds.take_tool, name),
            is_enabled=is_open,
            is_checked=lambda name=name: deeds.tool_in_hand() == name,  # type: ignore[misc]
            starts_group=name == "point",
        )
        for name, (text, help_text) in TOOLS.items()
    ]
    eraser = Command(
        id="mask.eraser",
        title="Erase with strokes",
        menu="Mask",
        shortcut="E",
        help="Strokes of brush and lasso show again what is hidden.",
        run=deeds.toggle_eraser,
        is_enabled=is_open,
        is_checked=deeds.is_erasing,
    )
    return [*tools, eraser]


def _sides(deeds: MaskDeeds) -> list[Command]:
    return [
        Command(
            id=f"view.{name}",
            title=title,
            menu="View",
            shortcut=keys,
            help=f"Show the panel '{title}', or hide it.",
            run=partial(deeds.toggle_side, name),
            is_enabled=_is_open(deeds),
            is_checked=partial(deeds.is_side_shown, name),
            starts_group=name == "recipe",
        )
        for name, (title, keys) in _SIDES.items()
    ]


def _is_open(deeds: MaskDeeds) -> Callable[[], bool]:
    return lambda: deeds.state.workspace is not None
