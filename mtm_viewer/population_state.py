"""What the population panel shows: against what, how finely, and what is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PyQt6.QtCore import QObject, pyqtSignal

from mtm_viewer.presenters.population import PopulationAnswer, PopulationChoice


class PopulationState(QObject):
    """The state of the population panel; it tells of every change.

    Notes
    -----
    Signals: `choice_changed` a `PopulationChoice`, `answer_changed` a `PopulationAnswer` or None.
    """

    choice_changed = pyqtSignal(object)
    answer_changed = pyqtSignal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._choice = PopulationChoice()
        self._answer: PopulationAnswer | None = None

    @property
    def choice(self) -> PopulationChoice:
        """How units are shown."""
        return self._choice

    @property
    def answer(self) -> PopulationAnswer | None:
        """What is known of units and trials; None before anything is scored."""
        return self._answer

    def choose(self, **changes: Any) -> None:  # noqa: ANN401 - fields of `PopulationChoice`
        """Show units otherwise."""
        choice = replace(self._choice, **changes)
        if choice != self._choice:
            self._choice = choice
            self.choice_changed.emit(choice)

    def set_answer(self, answer: PopulationAnswer | None) -> None:
        """Take what is known now."""
        if answer is not self._answer:
            self._answer = answer
            self.answer_changed.emit(answer)
