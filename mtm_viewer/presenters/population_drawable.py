"""What the population panel draws: plain data, no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray


class Mark(IntEnum):
    """How a unit is drawn; shape and filling say it as well as colour."""

    USUAL = 0
    """A disc."""
    WELL = 1
    """A triangle upwards: far better than the others."""
    BADLY = 2
    """A triangle downwards: far worse than the others."""
    FEW = 3
    """A ring: too few scored spikes for the score to mean much."""
    UNSCORED = 4
    """A grey dash: not scored under this mask."""


MARK_WORDS = {
    Mark.USUAL: "\N{BLACK CIRCLE} unit",
    Mark.WELL: "\N{BLACK UP-POINTING TRIANGLE} far better than most",
    Mark.BADLY: "\N{BLACK DOWN-POINTING TRIANGLE} far worse",
    Mark.FEW: "\N{WHITE CIRCLE} under 30 scored spikes",
    Mark.UNSCORED: "\N{EN DASH} not scored",
}


@dataclass(frozen=True, kw_only=True)
class Band:
    """A region along a probe.

    Parameters
    ----------
    name : str
        Acronym; "" where no region is given.
    colour : str
        The atlas's.
    left, right, low, high : float
        Where it lies.
    """

    name: str
    colour: str
    left: float
    right: float
    low: float
    high: float


@dataclass(frozen=True, eq=False, kw_only=True)
class PointCloud:
    """Units as points.

    Parameters
    ----------
    x, y : ndarray, shape (n_points,)
        Where they are drawn.
    units : ndarray of int64, shape (n_points,)
        Columns of the session's counts.
    unit_id : ndarray of str, shape (n_points,)
        Their ids.
    colour : ndarray of uint8, shape (n_points, 3)
        The atlas's colour of their regions.
    mark : ndarray of int8, shape (n_points,)
        Values of `Mark`.
    x_range, y_range : (float, float)
        Ends of the axes.
    x_ticks : tuple of (float, str) or None
        Texts along the x axis; None lets the plot write numbers.
    y_ticks : tuple of (float, str) or None
        Likewise.
    x_label, y_label : str
        What the axes are, with units.
    zeros : tuple of (float, float, float, float)
        Lines where the score is 0: from x, y to x, y.
    bands : tuple of Band
        Regions behind the points.
    note : str
        What is not drawn where it belongs, and what marks mean.
    message : str
        Why there is nothing to draw; else "".
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    units: NDArray[np.int64]
    unit_id: NDArray[np.str_]
    colour: NDArray[np.uint8]
    mark: NDArray[np.int8]
    x_range: tuple[float, float] = (0.0, 1.0)
    y_range: tuple[float, float] = (0.0, 1.0)
    x_ticks: tuple[tuple[float, str], ...] | None = None
    y_ticks: tuple[tuple[float, str], ...] | None = None
    x_label: str = ""
    y_label: str = ""
    zeros: tuple[tuple[float, float, float, float], ...] = ()
    bands: tuple[Band, ...] = ()
    note: str = ""
    message: str = ""

    @classmethod
    def empty(cls, message: str) -> PointCloud:
        """Return a cloud without points that says why."""
        nothing = np.zeros(0)
        return cls(
            x=nothing,
            y=nothing,
            units=nothing.astype(np.int64),
            unit_id=nothing.astype(np.str_),
            colour=np.zeros((0, 3), dtype=np.uint8),
            mark=nothing.astype(np.int8),
            message=message,
        )


@dataclass(frozen=True, kw_only=True)
class RegionBar:
    """The score of one region as a bar.

    Parameters
    ----------
    name, colour : str
        Acronym and the atlas's colour.
    bps : float
        Bits per spike, pooled over its scored units.
    interval : (float, float) or None
        95 %.
    text : str
        The number of units, to be written beside it.
    sentence : str
        All of it in words.
    """

    name: str
    colour: str
    bps: float
    interval: tuple[float, float] | None
    text: str
    sentence: str


@dataclass(frozen=True, eq=False, kw_only=True)
class RegionBars:
    """The scores of all regions.

    Parameters
    ----------
    bars : tuple of RegionBar
        Top to bottom.
    limits : (float, float)
        Ends of the score's axis; 0 lies between them.
    label : str
        What the bars are.
    note : str
        Regions without a score, intervals.
    message : str
        Why there is nothing to draw; else "".
    """

    bars: tuple[RegionBar, ...] = ()
    limits: tuple[float, float] = (0.0, 1.0)
    label: str = ""
    note: str = ""
    message: str = ""


@dataclass(frozen=True, kw_only=True)
class UnitWords:
    """What is said of one unit.

    Parameters
    ----------
    head : str
        Its name.
    numbers : str
        Score and the rest in a line.
    brief : str
        What may explain the score, in a few words; "" where nothing is scored.
    full : str
        The same in sentences, one a line.
    """

    head: str
    numbers: str
    brief: str
    full: str
