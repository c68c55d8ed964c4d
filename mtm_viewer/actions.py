"""What a person can do, as commands: the one place where menus, keys and sentences are written."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Protocol

from mtm_viewer.commands import Command, CommandRegistry
from mtm_viewer.experiment_actions import ExperimentDeeds, experiment_commands
from mtm_viewer.presenters.recipes import RECIPES
from mtm_viewer.session_actions import SessionDeeds, session_commands
from mtm_viewer.state import ViewerState
from mtm_viewer.view_actions import ViewDeeds, view_commands


class Deeds(SessionDeeds, ViewDeeds, ExperimentDeeds, Protocol):
    """What commands ask to be done."""

    def attempt(self, title: str, deed: Callable[[], object]) -> None:
        """Do it, and tell in a dialog what went wrong."""

    def ask_checkpoint(self) -> None:
        """Ask for a checkpoint and open it."""

    def copy_training_command(self) -> None:
        """Copy what trains a model for the session that is open."""

    def cancel(self) -> None:
        """Stop computing."""

    def show_palette(self) -> None:
        """Show the command palette."""

    def show_shortcuts(self) -> None:
        """Show all shortcuts."""

    def show_log(self) -> None:
        """Show the log."""

    def show_about(self) -> None:
        """Show what this program is."""

    def focus_search(self) -> None:
        """Go to the search box."""


def add_commands(registry: CommandRegistry, deeds: Deeds) -> None:
    """Put everything that can always be found in the menus into the registry."""
    registry.add(*experiment_commands(deeds))
    registry.add(*session_commands(deeds))
    registry.add(*_edit(deeds))
    registry.add(*_mask(deeds))
    registry.add(*_model(deeds))
    registry.add(*view_commands(deeds))
    registry.add(*_help(deeds))


def _edit(deeds: Deeds) -> list[Command]:
    stack = deeds.state.undo_stack
    return [
        Command(
            id="edit.undo",
            title="Undo",
            menu="Edit",
            shortcut="Ctrl+Z",
            run=stack.undo,
            is_enabled=stack.canUndo,
            live_title=lambda: f"Undo {stack.undoText()}".strip(),
        ),
        Command(
            id="edit.redo",
            title="Redo",
            menu="Edit",
            shortcut="Ctrl+Shift+Z",
            run=stack.redo,
            is_enabled=stack.canRedo,
            live_title=lambda: f"Redo {stack.redoText()}".strip(),
        ),
        Command(
            id="edit.palette",
            title="Command palette…",
            menu="Edit",
            shortcut="Ctrl+P",
            help="Find a command or a region by typing.",
            run=deeds.show_palette,
            starts_group=True,
        ),
        Command(
            id="edit.search",
            title="Search regions and units",
            menu="Edit",
            shortcut="Ctrl+F",
            run=deeds.focus_search,
            is_enabled=lambda: deeds.state.workspace is not None,
        ),
    ]


def _mask(deeds: Deeds) -> list[Command]:
    state = deeds.state

    def is_open() -> bool:
        return state.workspace is not None

    recipes = [
        Command(
            id=f"mask.{name}",
            title=words.title,
            menu="Mask",
            shortcut=f"Ctrl+{place}",
            help=words.help,
            run=partial(deeds.attempt, "This mask", partial(state.choose_recipe, name)),
            is_enabled=is_open,
            is_checked=partial(_is_recipe, state, name),
        )
        for place, (name, words) in enumerate(RECIPES.items(), start=1)
    ]
    return [
        *recipes,
        Command(
            id="mask.clear",
            title="Show everything",
            menu="Mask",
            shortcut="Ctrl+0",
            help="Hide nothing.",
            run=lambda: deeds.attempt("This mask", state.show_everything),
            is_enabled=lambda: is_open() and state.mask.spec is not None,
            starts_group=True,
        ),
    ]


def _model(deeds: Deeds) -> list[Command]:
    state = deeds.state
    return [
        Command(
            id="model.open",
            title="Open checkpoint…",
            menu="Model",
            shortcut="Ctrl+Shift+O",
            help="Open a trained model.",
            run=deeds.ask_checkpoint,
        ),
        Command(
            id="model.train",
            title="Copy the training command",
            menu="Model",
            help="Copy the line that trains a model for this session in a terminal.",
            run=deeds.copy_training_command,
            is_enabled=lambda: deeds.state.workspace is not None,
        ),
        Command(
            id="model.control",
            title="Shuffle control",
            menu="Model",
            shortcut="Ctrl+K",
            help="Give the model the visible activity of other trials of the same condition: "
            "what it still predicts was not read from this trial's neurons.",
            run=lambda: state.set_control(is_wanted=not state.wants_control),
            is_checked=lambda: state.wants_control,
            is_enabled=lambda: (
                state.mask.spec is not None
                and state.workspace is not None
                and state.workspace.model is not None
            ),
        ),
        Command(
            id="model.cancel",
            title="Stop computing",
            menu="Model",
            shortcut="Esc",
            help="Stop computing and opening; what is on screen stays.",
            run=deeds.cancel,
        ),
    ]


def _help(deeds: Deeds) -> list[Command]:
    return [
        Command(
            id="help.shortcuts",
            title="Keyboard shortcuts",
            menu="Help",
            shortcut="?",
            run=deeds.show_shortcuts,
        ),
        Command(id="help.log", title="Show log", menu="Help", run=deeds.show_log),
        Command(id="help.about", title="About MtM Viewer", menu="Help", run=deeds.show_about),
    ]


def _is_recipe(state: ViewerState, name: str) -> bool:
    return state.mask.recipe == name
