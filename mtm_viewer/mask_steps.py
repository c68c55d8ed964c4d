"""Steps of the undo history: what was on screen before, what after, and a name to read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

from PyQt6.QtGui import QUndoCommand

from mtm_core.masking.named_masks import NamedMasks
from mtm_viewer.presenters.mask_choice import MaskChoice

Value = TypeVar("Value")


class Step(QUndoCommand, Generic[Value]):
    """One step: shows the later value, or the earlier one again.

    Steps of one stroke (the same `stroke` in a row, for example a range being dragged) merge.

    Parameters
    ----------
    show : callable
        Puts a value on screen.
    before, after : object
        The value before and after the step.
    text : str
        What the history calls it.
    stroke : str
        Name of the gesture that it is a part of; "" for a step of its own.
    """

    kind = 0
    """Steps of different kinds never merge."""

    def __init__(
        self,
        show: Callable[[Value], None],
        before: Value,
        after: Value,
        text: str,
        stroke: str = "",
    ) -> None:
        super().__init__(text)
        self.before = before
        self.after = after
        self.stroke = stroke
        self._show = show

    def redo(self) -> None:
        """Put the later value on screen (Qt's own hook)."""
        self._show(self.after)

    def undo(self) -> None:
        """Put the earlier value on screen (Qt's own hook)."""
        self._show(self.before)

    def id(self) -> int:
        """Say which steps may merge (Qt's own hook)."""
        return self.kind if self.stroke else -1

    def mergeWith(self, other: QUndoCommand | None) -> bool:
        """Take in the next step of the same stroke (Qt's own hook)."""
        if not isinstance(other, type(self)) or other.stroke != self.stroke:
            return False
        self.after = other.after
        self.setText(other.text())
        self.setObsolete(self.after == self.before)
        return True


class MaskStep(Step[MaskChoice]):
    """A step from one mask to another."""

    kind = 1


class NamesStep(Step[NamedMasks]):
    """A step that names a mask, or forgets a name."""

    kind = 2
