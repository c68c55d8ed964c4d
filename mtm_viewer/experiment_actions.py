"""The commands of the File menu: experiments, captions, numbers."""

from __future__ import annotations

from typing import Protocol

from mtm_viewer.commands import Command
from mtm_viewer.state import ViewerState


class ExperimentDeeds(Protocol):
    """What these commands ask to be done."""

    @property
    def state(self) -> ViewerState:
        """The state of the program."""

    def ask_experiment(self) -> None:
        """Ask for an experiment, or a figure that carries one, and open it."""

    def ask_save_experiment(self) -> None:
        """Ask where to save what is on screen as an experiment, and save it."""

    def copy_numbers(self) -> None:
        """Copy all scores to the clipboard as a table."""

    def copy_caption(self) -> None:
        """Copy a caption of what is on screen."""


def experiment_commands(deeds: ExperimentDeeds) -> list[Command]:
    """Return the commands of the File menu, in their order."""

    def is_open() -> bool:
        return deeds.state.workspace is not None

    return [
        Command(
            id="file.open_experiment",
            title="Open experiment…",
            menu="File",
            shortcut="Ctrl+Shift+E",
            help="Open an experiment, or a figure that carries one: session, model, mask and "
            "view come back.",
            run=deeds.ask_experiment,
        ),
        Command(
            id="file.save_experiment",
            title="Save experiment…",
            menu="File",
            shortcut="Ctrl+E",
            help="Save what is on screen so that it can be opened, and replayed by 'mtm-core "
            "replay', to the same numbers.",
            run=deeds.ask_save_experiment,
            is_enabled=is_open,
        ),
        Command(
            id="file.copy_numbers",
            title="Copy numbers",
            menu="File",
            shortcut="Ctrl+Shift+N",
            help="Copy all scores, to the last digit, as a table with the choices behind them.",
            run=deeds.copy_numbers,
            is_enabled=is_open,
            starts_group=True,
        ),
        Command(
            id="file.copy_caption",
            title="Copy caption",
            menu="File",
            help="Copy what is on screen in words, as a caption for a figure.",
            run=deeds.copy_caption,
            is_enabled=is_open,
        ),
    ]
