"""Those tasks of BrainWideBench that a model of ours can predict, and what a score is called.

The benchmark has eleven: two of activity (its suite TS2), eight of behaviour (TS1) and the region
of a unit (TS3). Left out here: the contrast in five classes, the licking rate, the speed of each
paw and the region of a unit, for which this program has no decoder or no signal.

References
----------
The package ibl-bwb-eval 0.1.0 (MIT licence) and arXiv 2609.22064.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from mtm_core.errors import UnknownNameError

OWN_SPLIT = "BWB format, own split"
"""What every score of these files is called."""
EVALUATOR = "ibl-bwb-eval"
EVALUATOR_VERSION = "0.1.0"
"""The package that defines the format, and the version that was followed."""
TARGET_S = 1.0
"""Scored seconds at the end of a window: all of it where it is shorter."""
FORECAST_S = 0.1
"""Seconds at the end of a window that forecasting hides and scores."""

Kind = Literal["activity", "classes", "signal"]


@dataclass(frozen=True, kw_only=True)
class BwbTask:
    """A task.

    Parameters
    ----------
    suite : {"ts1", "ts2"}
        Behaviour or activity.
    name : str
        Its name within the suite.
    kind : {"activity", "classes", "signal"}
        What is predicted.
    """

    suite: Literal["ts1", "ts2"]
    name: str
    kind: Kind

    @property
    def id(self) -> str:
        """Name of the task in paths and files, such as ``"ts2-co_smoothing"``."""
        return f"{self.suite}-{self.name}"


TASKS = (
    BwbTask(suite="ts2", name="co_smoothing", kind="activity"),
    BwbTask(suite="ts2", name="forecasting", kind="activity"),
    BwbTask(suite="ts1", name="choice", kind="classes"),
    BwbTask(suite="ts1", name="reward", kind="classes"),
    BwbTask(suite="ts1", name="wheel_speed", kind="signal"),
    BwbTask(suite="ts1", name="whisker_motion_energy", kind="signal"),
)
"""Activity first, then behaviour."""


def find_task(name: str) -> BwbTask:
    """Return a task by its name, with or without its suite.

    Raises
    ------
    UnknownNameError
        If there is none.

    Examples
    --------
    >>> find_task("co_smoothing").id, find_task("ts1-choice").kind
    ('ts2-co_smoothing', 'classes')
    """
    for task in TASKS:
        if name in (task.name, task.id):
            return task
    raise UnknownNameError("task of BrainWideBench here", name, (task.name for task in TASKS))
