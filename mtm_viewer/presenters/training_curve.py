"""Loss and validation of a run as curves: events in, a drawable out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mtm_core.training.events import (
    CheckpointSaved,
    Event,
    RunFinished,
    RunStarted,
    StepDone,
    ValidationDone,
    Warned,
)
from mtm_viewer.presenters.transfer import duration_words

MOST_POINTS = 400
"""Longer runs show means over neighbouring steps."""
MEAN = "mean"
_SMOOTH_SHARE = 0.05
Curve = tuple[NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True, eq=False, kw_only=True)
class TrainingDrawable:
    """What the plots of a run show.

    Parameters
    ----------
    step, loss : ndarray of float, shape (n_points,)
        Training loss by step: of single batches, or of `pooled` neighbouring ones.
    smooth : ndarray of float, shape (n_points,)
        The same as a running mean.
    pooled : int
        Steps behind each point.
    validation : mapping of str to (ndarray, ndarray)
        Steps and bits per spike of each scheme, and of their mean (`MEAN`, the first one); NaN
        between the folds of a cross-fit.
    n_steps : int
        Steps of the whole run; 0 before it began.
    best_step : int or None
        Where the weights are from that will be kept.
    best_bps : float or None
        Their validation score.
    fold : int
        The model of a cross-fit that these weights are of, counted from 1; 1 of a single model.
    """

    step: NDArray[np.float64]
    loss: NDArray[np.float64]
    smooth: NDArray[np.float64]
    pooled: int
    validation: dict[str, Curve]
    n_steps: int
    best_step: int | None
    best_bps: float | None
    fold: int = 1


@dataclass(kw_only=True)
class TrainingCurve:
    """Grows with the events of a run.

    Examples
    --------
    >>> curve = TrainingCurve()
    >>> curve.take([StepDone(step=1, n_steps=4, loss=2.0, lr=0.1, grad_norm=1.0, seconds=1.0,
    ...     seconds_left=60.0)])
    >>> curve.share, curve.words()
    (0.25, 'step 1 of 4, 1 min left')
    """

    n_steps: int = 0
    step: int = 0
    seconds_left: float | None = None
    has_checkpoint: bool = False
    finished: RunFinished | None = None
    warnings: list[str] = field(default_factory=list)
    _losses: list[tuple[float, float]] = field(default_factory=list)
    _scores: dict[str, list[tuple[float, float]]] = field(default_factory=dict)
    _best: tuple[int, float] | None = None
    _fold: int = 1

    def take(self, events: Iterable[Event]) -> None:
        """Add what happened."""
        for event in events:
            self._take(event)

    @property
    def share(self) -> float | None:
        """How much of the run is done, 0 to 1; None before its first step."""
        return self.step / self.n_steps if self.n_steps else None

    def words(self) -> str:
        """Say how far the run is."""
        if self.n_steps == 0:
            return "reading the session and fitting the start"
        text = f"step {self.step:,} of {self.n_steps:,}"
        if self.finished is None and self.seconds_left is not None:
            text += f", {duration_words(self.seconds_left)} left"
        return text

    def drawable(self) -> TrainingDrawable:
        """Return what can be drawn now."""
        losses = np.array(self._losses, dtype=np.float64).reshape(-1, 2)
        pooled = max(1, -(-len(losses) // MOST_POINTS))
        step, loss = _pooled(losses[:, 0], pooled), _pooled(losses[:, 1], pooled)
        best = self._best
        return TrainingDrawable(
            step=step,
            loss=loss,
            smooth=running_mean(loss, max(1, round(_SMOOTH_SHARE * len(loss)))),
            pooled=pooled,
            validation={name: _curve(points) for name, points in self._scores.items()},
            n_steps=self.n_steps,
            best_step=None if best is None else best[0],
            best_bps=None if best is None else best[1],
            fold=self._fold,
        )

    def _take(self, event: Event) -> None:
        if isinstance(event, RunStarted):
            self.n_steps, self.step = event.n_steps, event.step
            self.warnings += event.notes
        elif isinstance(event, StepDone):
            self.n_steps, self.step = event.n_steps, event.step
            self.seconds_left = event.seconds_left
            self._losses.append((event.step, event.loss))
        elif isinstance(event, ValidationDone):
            self._validate(event)
        elif isinstance(event, CheckpointSaved):
            self.has_checkpoint = True
        elif isinstance(event, Warned):
            self.warnings.append(event.text)
        else:
            self.finished = event

    def _validate(self, event: ValidationDone) -> None:
        before = self._scores.get(MEAN)
        if before and event.is_best and event.step <= before[-1][0]:  # another model begins
            self._fold += 1
            for points in self._scores.values():
                points.append((np.nan, np.nan))
        for name, bps in ((MEAN, event.bps), *event.scores.items()):
            self._scores.setdefault(name, []).append((event.step, bps))
        self._best = (event.step, event.bps) if event.is_best else self._best


def running_mean(values: NDArray[np.float64], half: int) -> NDArray[np.float64]:
    """Average each value with up to `half` neighbours on either side.

    Examples
    --------
    >>> running_mean(np.array([0.0, 3.0, 6.0]), 1).tolist()
    [1.5, 3.0, 4.5]
    """
    n = len(values)
    total = np.concatenate([[0.0], np.cumsum(values)])
    low = np.maximum(np.arange(n) - half, 0)
    high = np.minimum(np.arange(n) + half + 1, n)
    mean: NDArray[np.float64] = (total[high] - total[low]) / (high - low)
    return mean


def curve_words(shown: TrainingDrawable) -> str:
    """Say in a sentence what the curves show, for those who do not see them."""
    if not len(shown.step):
        return "No step has been made yet."
    text = f"Training loss {shown.smooth[0]:.3g} at first, {shown.smooth[-1]:.3g} now."
    if shown.best_step is not None:
        best = "Best validation" if shown.fold == 1 else f"Best validation of fold {shown.fold}"
        text += f" {best} {shown.best_bps:.3f} bits per spike, at step {shown.best_step}."
    return text


def _pooled(values: NDArray[np.float64], size: int) -> NDArray[np.float64]:
    if size == 1:
        return values
    edges = np.arange(0, len(values), size)
    mean: NDArray[np.float64] = np.add.reduceat(values, edges) / np.diff([*edges, len(values)])
    return mean


def _curve(points: Sequence[tuple[float, float]]) -> Curve:
    table = np.array(points, dtype=np.float64)
    return table[:, 0], table[:, 1]
