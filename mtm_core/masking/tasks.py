"""The paper's four tasks as ready-made masks, and the plan of a task for one session."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import get_args

import numpy as np
from numpy.typing import NDArray

from mtm_core.config import TaskName
from mtm_core.data.session import Session
from mtm_core.errors import MaskError, UnknownNameError
from mtm_core.masking.choice import Block, UnitChoice, unknown_region
from mtm_core.masking.spec import MaskSpec
from mtm_core.masking.targets import region_sizes, target_regions

TASKS: tuple[TaskName, ...] = get_args(TaskName)
"""Names of the four tasks."""
FORWARD_FRACTION = 0.1
"""Share of the bins that forward prediction hides, as published."""
MIN_REGION_UNITS = 5
"""Smallest region that is a target of the region tasks."""


@dataclass(frozen=True, eq=False)
class TaskPlan:
    """What a task asks of a model for one session.

    Parameters
    ----------
    name : str
        One of `TASKS`.
    specs : tuple of MaskSpec
        The masks to run. Empty if no region qualifies.
    groups : tuple of (str or None)
        For each mask the region it targets; None where the task has no regions.
    is_scored : ndarray of bool, shape (n_bins, n_units)
        The entries that some mask scores; no entry is scored by two.
    skipped : dict of str to str
        Regions that are no targets, and why.
    """

    name: TaskName
    specs: tuple[MaskSpec, ...]
    groups: tuple[str | None, ...]
    is_scored: NDArray[np.bool_]
    skipped: dict[str, str] = field(default_factory=dict)


def co_smoothing() -> MaskSpec:
    """Hide one unit at a time for the whole trial, and score it."""
    return MaskSpec(scored=(Block(),), one_at_a_time=True, prompt="neuron")


def forward_prediction(n_bins: int, fraction: float = FORWARD_FRACTION) -> MaskSpec:
    """Hide the last bins of every unit, and score them.

    Parameters
    ----------
    n_bins : int
        Bins of a trial.
    fraction : float
        Share of the bins to hide; at least one bin is hidden.

    Raises
    ------
    MaskError
        If no bin would be left to predict from.

    Examples
    --------
    >>> forward_prediction(100).blocks[0].bins, forward_prediction(40).blocks[0].bins
    ((90, 100), (36, 40))
    """
    n_hidden = max(round(fraction * n_bins), 1)
    if not 0 < fraction < 1 or n_hidden >= n_bins:
        msg = f"Forward prediction of a share {fraction:g} of {n_bins} bins leaves none to see."
        raise MaskError(msg)
    return MaskSpec(blocks=(Block(bins=(n_bins - n_hidden, n_bins)),), prompt="causal")


def intra_region(region: str) -> MaskSpec:
    """Hide everything outside a region and one of its units at a time; score that unit."""
    inside = UnitChoice.of_region(region)
    return MaskSpec(
        blocks=(Block(inside, invert=True),),
        scored=(Block(inside),),
        one_at_a_time=True,
        prompt="intra_region",
    )


def inter_region(region: str) -> MaskSpec:
    """Hide a whole region, and score its units."""
    return MaskSpec(blocks=(Block(UnitChoice.of_region(region)),), prompt="inter_region")


def plan_task(
    name: str,
    session: Session,
    *,
    min_region_units: int = MIN_REGION_UNITS,
    target_regions: Sequence[str] | None = None,
    fraction: float = FORWARD_FRACTION,
) -> TaskPlan:
    """Plan a task for a session.

    Parameters
    ----------
    name : str
        One of `TASKS`.
    session : Session
        The recording.
    min_region_units : int
        Regions with fewer units are skipped (and never fewer than two for intra-region).
    target_regions : sequence of str, optional
        Regions to target; by default all named ones, which leaves out `root` and `void`.
    fraction : float
        Share of the bins that forward prediction hides.

    Returns
    -------
    TaskPlan

    Raises
    ------
    UnknownNameError
        If there is no such task.
    MaskError
        If a target is no region of the session.
    """
    task = find_task(name)
    if task == "co_smoothing":
        return _plan(task, session, {None: co_smoothing()}, {})
    if task == "forward_prediction":
        return _plan(task, session, {None: forward_prediction(session.n_bins, fraction)}, {})
    smallest = max(min_region_units, 2 if task == "intra_region" else 1)
    regions, skipped = _regions(session, smallest, target_regions, task)
    make = intra_region if task == "intra_region" else inter_region
    return _plan(task, session, {region: make(region) for region in regions}, skipped)


def find_task(name: str) -> TaskName:
    """Return a task's name if it is one.

    Raises
    ------
    UnknownNameError
        If it is none; the text offers the nearest.
    """
    for task in TASKS:
        if task == name:
            return task
    raise UnknownNameError("task", name, TASKS)


def _plan(
    name: TaskName,
    session: Session,
    specs: dict[str | None, MaskSpec],
    skipped: dict[str, str],
) -> TaskPlan:
    is_scored = np.zeros((session.n_bins, session.n_units), dtype=bool)
    for spec in specs.values():
        is_scored |= spec.resolve(session).is_scored
    return TaskPlan(name, tuple(specs.values()), tuple(specs), is_scored, skipped)


def _regions(
    session: Session, smallest: int, wanted: Sequence[str] | None, task: TaskName
) -> tuple[list[str], dict[str, str]]:
    """Return the targets, and for every other region why it is none."""
    known = session.region_names()
    for region in wanted or ():
        if region not in known:
            raise MaskError(unknown_region(region, known))
    sizes = region_sizes(session.region)
    named = target_regions(session.region, 1)
    targets: list[str] = []
    skipped: dict[str, str] = {}
    for region in known if wanted is None else dict.fromkeys(wanted):
        if wanted is None and region not in named:
            skipped[region] = "not a named region"
        elif sizes[region] < smallest:
            skipped[region] = f"{sizes[region]} units, fewer than {smallest}"
        elif task == "inter_region" and sizes[region] == session.n_units:
            skipped[region] = "no unit outside it"
        else:
            targets.append(region)
    return targets, skipped
