"""The commands of training, in the Model menu."""

from __future__ import annotations

from typing import Protocol

from mtm_viewer.commands import Command, CommandRegistry


class TrainingDeeds(Protocol):
    """What these commands ask to be done."""

    @property
    def is_open(self) -> bool:
        """Whether a session is open."""

    @property
    def is_running(self) -> bool:
        """Whether a run trains now."""

    @property
    def can_resume(self) -> bool:
        """Whether the chosen run can go on."""

    @property
    def is_shown(self) -> bool:
        """Whether the panel of training is shown."""

    @property
    def quick_title(self) -> str:
        """What the quick training is called now, with its time."""

    def train_quickly(self) -> None:
        """Train a model for the session that is open."""

    def ask_training(self) -> None:
        """Choose settings and sessions, and train."""

    def pause(self) -> None:
        """Stop the run at a checkpoint."""

    def resume(self) -> None:
        """Go on with the chosen run."""

    def cancel(self) -> None:
        """Stop the run at once."""

    def toggle_panel(self) -> None:
        """Show the panel of training, or hide it."""

    def ask_root(self) -> None:
        """Choose the folder in which runs are kept."""


def add_training_commands(registry: CommandRegistry, deeds: TrainingDeeds) -> None:
    """Put all commands of training into the registry."""
    registry.add(*_beginning(deeds), *_stopping(deeds), *_looking(deeds))


def _beginning(deeds: TrainingDeeds) -> list[Command]:
    return [
        Command(
            id="training.quick",
            title="Train a model for this session",
            menu="Model",
            shortcut="Ctrl+T",
            help="Train a model with the preset 'quick' in the background; it is shown when it "
            "is there.",
            run=deeds.train_quickly,
            is_enabled=lambda: deeds.is_open,
            live_title=lambda: deeds.quick_title,
            starts_group=True,
        ),
        Command(
            id="training.choose",
            title="Train…",
            menu="Model",
            shortcut="Ctrl+Shift+T",
            help="Choose a preset and sessions, and train a model in the background.",
            run=deeds.ask_training,
            is_enabled=lambda: deeds.is_open,
        ),
    ]


def _stopping(deeds: TrainingDeeds) -> list[Command]:
    return [
        Command(
            id="training.pause",
            title="Pause training",
            menu="Model",
            help="Save a checkpoint and stop; the run can be resumed at any time.",
            run=deeds.pause,
            is_enabled=lambda: deeds.is_running,
        ),
        Command(
            id="training.resume",
            title="Resume training",
            menu="Model",
            help="Go on with the run that is chosen in the panel of training.",
            run=deeds.resume,
            is_enabled=lambda: deeds.can_resume,
        ),
        Command(
            id="training.cancel",
            title="Cancel training",
            menu="Model",
            help="Stop training at once; the last checkpoint is kept.",
            run=deeds.cancel,
            is_enabled=lambda: deeds.is_running,
        ),
    ]


def _looking(deeds: TrainingDeeds) -> list[Command]:
    return [
        Command(
            id="training.panel",
            title="Training and runs",
            menu="View",
            help="Show the run that trains, with its curves, and all runs before it.",
            run=deeds.toggle_panel,
            is_checked=lambda: deeds.is_shown,
            starts_group=True,
        ),
        Command(
            id="training.folder",
            title="Keep runs in…",
            menu="Model",
            help="Choose the folder in which runs are kept.",
            run=deeds.ask_root,
        ),
    ]
