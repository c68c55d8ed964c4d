"""From values to colours: one robust scale for all panels, round ticks, and lossless pooling."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
ScaleName = Literal["sqrt", "linear", "log", "zscore", "peak"]

SCALES: tuple[ScaleName, ...] = get_args(ScaleName)
"""How a rate becomes a colour: its root, the rate, its logarithm, its z-score, its share of the
unit's peak."""
SCALE_UNITS = {
    "sqrt": "spikes/s",
    "linear": "spikes/s",
    "log": "spikes/s",
    "zscore": "SD",
    "peak": "of training peak",
}
"""The unit of the values that each scale shows."""


_CLOSEST = 0.15
"""Smallest distance of two ticks, as a share of the colour bar."""


@dataclass(frozen=True)
class Levels:
    """The values at the two ends of a colour bar.

    Parameters
    ----------
    low, high : float
        Values that take the first and the last colour.
    """

    low: float
    high: float


def shared_levels(true_map: Floats, scale: ScaleName, percentile: float = 99.0) -> Levels:
    """Choose one colour scale for all panels, from the true map alone.

    Parameters
    ----------
    true_map : ndarray
        The true map as shown: smoothed, in the unit of the scale.
    scale : str
        One of `SCALES`. Rates start at 0; z-scores are centred on it.
    percentile : float
        The share of entries, in per cent, that the scale spans; a few fast units do not rule it.

    Examples
    --------
    >>> shared_levels(np.array([0.0, 1.0, 2.0]), "linear", percentile=50)
    Levels(low=0.0, high=1.0)
    """
    finite = np.abs(true_map[np.isfinite(true_map)])
    high = float(np.percentile(finite, percentile)) if finite.size else 0.0
    high = high if high > 0 else float(finite.max(initial=0.0)) or 1.0
    return Levels(-high if scale == "zscore" else 0.0, high)


def to_unit_interval(values: Floats, levels: Levels, scale: ScaleName) -> NDArray[np.float64]:
    """Place values on the colour bar, 0 at its low end and 1 at its high end.

    The logarithm is that of one more spike per second, so that silence has a place.
    """
    relative = np.asarray(values, dtype=np.float64) - levels.low
    span = levels.high - levels.low
    share = np.clip(relative / span, 0.0, 1.0)
    if scale == "log":
        share = np.log1p(share * span) / np.log1p(span)
    return np.sqrt(share) if scale == "sqrt" else share


def from_unit_interval(place: float, levels: Levels, scale: ScaleName) -> float:
    """Return the value at a place of the colour bar; beyond its ends the scale goes on.

    Examples
    --------
    >>> from_unit_interval(0.5, Levels(0.0, 100.0), "sqrt")
    25.0
    """
    span = levels.high - levels.low
    if scale == "log":
        return float(levels.low + np.sign(place) * np.expm1(abs(place) * np.log1p(span)))
    share = place * abs(place) if scale == "sqrt" else place
    return float(levels.low + share * span)


def quantise(values: Floats, levels: Levels, scale: ScaleName) -> NDArray[np.uint8]:
    """Turn values into positions in a table of 256 colours."""
    return np.rint(to_unit_interval(values, levels, scale) * 255).astype(np.uint8)


@dataclass(frozen=True, eq=False)
class PooledImage:
    """An image made small enough for the screen, and what that did to it.

    Parameters
    ----------
    image : ndarray of uint8, shape (ceil(n_rows / row_factor), ceil(n_columns / column_factor))
        The colours that stand out most in each block.
    row_factor, column_factor : int
        Rows and columns that share one pixel.
    """

    image: NDArray[np.uint8]
    row_factor: int
    column_factor: int

    def note(self) -> str:
        """Say in words what shares a pixel; empty if nothing does."""
        parts = [
            f"{factor} {name}"
            for factor, name in ((self.row_factor, "units"), (self.column_factor, "bins"))
            if factor > 1
        ]
        joined = " x ".join(parts)
        return f"{joined} share a pixel; the strongest is shown" if parts else ""


def pool(
    image: NDArray[np.uint8], max_rows: int, max_columns: int, *, centre: int = 0
) -> PooledImage:
    """Shrink an image so that nothing that stands out is lost.

    Parameters
    ----------
    image : ndarray of uint8, shape (n_rows, n_columns)
        Positions in a colour table.
    max_rows, max_columns : int
        Pixels on screen.
    centre : int
        The position that means "nothing here": 0 for rates, 128 for signed values. In each block
        the entry farthest from it is kept, so that no spike is ever dropped.

    Examples
    --------
    >>> pool(np.array([[0, 9, 0, 0]], dtype=np.uint8), 1, 2).image
    array([[9, 0]], dtype=uint8)
    """
    row_factor = max(1, -(-image.shape[0] // max(1, max_rows)))
    column_factor = max(1, -(-image.shape[1] // max(1, max_columns)))
    by_row = _strongest([image[k::row_factor] for k in range(row_factor)], centre)
    pooled = _strongest([by_row[:, k::column_factor] for k in range(column_factor)], centre)
    return PooledImage(np.ascontiguousarray(pooled), row_factor, column_factor)


def _strongest(parts: list[NDArray[np.uint8]], centre: int) -> NDArray[np.uint8]:
    """Combine parts entry by entry; later parts may lack a last row or column."""
    high, low = parts[0].copy(), parts[0].copy()
    for part in parts[1:]:
        within = tuple(slice(size) for size in part.shape)
        np.maximum(high[within], part, out=high[within])
        np.minimum(low[within], part, out=low[within])
    if centre == 0:
        return high
    is_above = high.astype(np.int16) - centre >= centre - low.astype(np.int16)
    return np.where(is_above, high, low)


def scale_ticks(levels: Levels, scale: ScaleName) -> tuple[tuple[float, str], ...]:
    """Choose round values for a colour bar.

    Returns
    -------
    tuple of (float, str)
        Place on the bar from 0 to 1, and the value as text.

    Examples
    --------
    >>> scale_ticks(Levels(0.0, 40.0), "linear")
    ((0.0, '0'), (0.25, '10'), (0.5, '20'), (0.75, '30'), (1.0, '40'))
    """
    is_even = scale not in ("sqrt", "log")
    values = _even_ticks(levels) if is_even else _spaced_ticks(levels, scale)
    places = to_unit_interval(np.array(values), levels, scale)
    texts = [f"{value:g}".replace("-", "\N{MINUS SIGN}") for value in values]
    return tuple((float(place), text) for place, text in zip(places, texts, strict=True))


def _even_ticks(levels: Levels) -> list[float]:
    step = _round_step((levels.high - levels.low) / 4)
    first, last = np.ceil(levels.low / step - 1e-9), np.floor(levels.high / step + 1e-9)
    return [float(np.round(k * step, 10)) + 0.0 for k in np.arange(first, last + 1)]


def _spaced_ticks(levels: Levels, scale: ScaleName) -> list[float]:
    """Round values far enough apart on a bar that gives small rates more room."""
    powers = 10.0 ** np.arange(np.floor(np.log10(levels.high)), -9, -1)
    values = np.round(np.outer(powers, (5, 3, 2, 1)).ravel(), 12)
    values = values[(values <= levels.high) & (values >= levels.low)]
    places = to_unit_interval(values, levels, scale)
    ticks: list[float] = []
    above = np.inf
    for value, here in zip(values.tolist(), places.tolist(), strict=True):
        if _CLOSEST <= here <= above - _CLOSEST:
            ticks.append(value)
            above = here
    first = [0.0] if levels.low == 0 else []
    return first + ticks[::-1]


def _round_step(value: float) -> float:
    """Return the nearest of 1, 2, 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(value))
    best = min((1.0, 2.0, 5.0, 10.0), key=lambda digit: abs(digit - value / power))
    return float(np.round(best * power, 10))
