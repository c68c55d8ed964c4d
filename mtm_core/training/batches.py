"""The batches of the steps, their masks drawn; the next one is made while a GPU computes."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from mtm_core.masking.masked_batch import MaskedBatch


class DrawnBatch(NamedTuple):
    """A batch on the device, and how long (s) it took until its counts lay there."""

    batch: MaskedBatch
    seconds: float


class Batches:
    """Makes batches, each a function of the numbers of its step and of its place in it.

    Parameters
    ----------
    draw : callable
        From these two numbers to the batch.
    is_ahead : bool
        Make the next one when `prepare` says so: of use where another device computes meanwhile.

    Attributes
    ----------
    seconds : float
        How long was waited until counts lay on the device, over all batches.

    Examples
    --------
    >>> batches = Batches(lambda step, place: DrawnBatch(f"{step}, {place}", 0.5), is_ahead=True)
    >>> batches.prepare(1)
    >>> batches.take(1), batches.seconds
    ('1, 0', 0.0)
    >>> batches.take(2), batches.seconds
    ('2, 0', 0.5)
    """

    def __init__(self, draw: Callable[[int, int], DrawnBatch], *, is_ahead: bool) -> None:
        self.seconds = 0.0
        self._draw, self._is_ahead = draw, is_ahead
        self._next: tuple[int, MaskedBatch] | None = None

    def take(self, step: int, place: int = 0) -> MaskedBatch:
        """Return a batch of a step; one that was made ahead was not waited for."""
        known, self._next = self._next, None
        if known is not None and (step, place) == (known[0], 0):
            return known[1]
        batch, seconds = self._draw(step, place)
        self.seconds += seconds
        return batch

    def prepare(self, step: int) -> None:
        """Make the first batch of a step that is to come, if that saves time here."""
        if self._is_ahead:
            self._next = (step, self._draw(step, 0).batch)
