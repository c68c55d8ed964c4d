"""What the matrix panel shows: which matrix, how far it is, whether it is filled on."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from PyQt6.QtCore import QObject, pyqtSignal

from mtm_viewer.presenters.region_matrix import MatrixAnswer, MatrixChoice


class MatrixState(QObject):
    """The state of the matrix panel; it tells of every change.

    Notes
    -----
    Signals: `choice_changed` a `MatrixChoice`, `answer_changed` a `MatrixAnswer` or None,
    `paused_changed` whether filling is paused, `problem_changed` a sentence or "".
    """

    choice_changed = pyqtSignal(object)
    answer_changed = pyqtSignal(object)
    paused_changed = pyqtSignal(bool)
    problem_changed = pyqtSignal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._choice = MatrixChoice()
        self._answer: MatrixAnswer | None = None
        self._is_paused = False
        self._problem = ""

    @property
    def choice(self) -> MatrixChoice:
        """Which matrix is shown, and how."""
        return self._choice

    @property
    def answer(self) -> MatrixAnswer | None:
        """What is known of it; None before anything is."""
        return self._answer

    @property
    def is_paused(self) -> bool:
        """Whether a person stopped the filling for now."""
        return self._is_paused

    @property
    def problem(self) -> str:
        """Why there is no matrix; "" where there is one or will be."""
        return self._problem

    def choose(self, **changes: Any) -> None:  # noqa: ANN401 - fields of `MatrixChoice`
        """Show another matrix, or this one otherwise."""
        choice = replace(self._choice, **changes)
        if choice == self._choice:
            return
        is_other = choice.settings != self._choice.settings
        self._choice = choice
        if is_other:
            self.set_answer(None)
            self.set_problem("")
        self.choice_changed.emit(choice)

    def set_answer(self, answer: MatrixAnswer | None) -> None:
        """Take what is known by now."""
        if answer is not self._answer:
            self._answer = answer
            self.answer_changed.emit(answer)

    def set_paused(self, *, is_paused: bool) -> None:
        """Pause the filling, or let it go on."""
        if is_paused != self._is_paused:
            self._is_paused = is_paused
            self.paused_changed.emit(is_paused)

    def set_problem(self, sentence: str) -> None:
        """Say why there is no matrix; "" where there is nothing to say."""
        if sentence != self._problem:
            self._problem = sentence
            self.problem_changed.emit(sentence)
