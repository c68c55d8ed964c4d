"""What a raster view draws: plain data, no Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtm_core.evaluation.colour_scale import Levels, ScaleName
from mtm_core.evaluation.row_order import RegionBand
from mtm_viewer.presenters.raster_scene import EventLine
from mtm_viewer.presenters.rectangles import Rectangle


@dataclass(frozen=True, eq=False, kw_only=True)
class ShownTrials:
    """Which trials a map averages.

    Parameters
    ----------
    n_done, n_wanted : int
        Trials in the average now, and when it is complete.
    kind : str
        Which they are, for example ``"test"``.
    """

    n_done: int
    n_wanted: int
    kind: str = "test"

    def words(self) -> str:
        """Say how many, and whether more are to come."""
        if self.n_done < self.n_wanted:
            return f"{self.n_done} of {self.n_wanted} {self.kind} trials so far"
        return f"{self.n_wanted} {self.kind} trials"


@dataclass(frozen=True, eq=False, kw_only=True)
class RasterPanel:
    """One raster.

    Parameters
    ----------
    title : str
        What is shown.
    image : ndarray of uint8, shape (n_rows, n_bins)
        Places in the colour table; row 0 is on top.
    values : ndarray of float32, same shape
        The same in `unit`, for read-out and export.
    lut : str
        Name of the colour map, see `mtm_viewer.theme.Theme.lut`.
    levels : Levels
        Values at the ends of the colour bar.
    ticks : tuple of (float, str)
        Places on the colour bar (0 to 1) and their text.
    unit : str
        Unit of the values.
    scale : str
        How values become colours.
    name : str
        Which map it is; "" for one that has no name.
    rate_hz : ndarray of float32, same shape, or None
        Smoothed rates for the read-out; None where it shows no rates.
    centre : int
        Place in the colour table that means "nothing here".
    is_hatched : bool
        Whether hidden entries are hatched: in maps that a model made.
    is_veiled : bool
        Whether entries that are not scored are covered: in all but the true map.
    message : str
        Shown in place of the image where there is none; else "".
    """

    title: str
    image: NDArray[np.uint8]
    values: NDArray[np.float32]
    lut: str
    levels: Levels
    ticks: tuple[tuple[float, str], ...]
    unit: str
    scale: ScaleName = "linear"
    name: str = ""
    rate_hz: NDArray[np.float32] | None = None
    centre: int = 0
    is_hatched: bool = False
    is_veiled: bool = False
    message: str = ""


@dataclass(frozen=True, eq=False, kw_only=True)
class RowInfo:
    """What the rows are, top to bottom.

    Parameters
    ----------
    unit_id, region : ndarray of str, shape (n_rows,)
        Id and acronym of the unit of each row.
    colour : ndarray of uint8, shape (n_rows, 3)
        The atlas's colour of the region.
    bands : tuple of RegionBand
        Rows that belong together.
    is_hidden, is_scored : ndarray of bool, shape (n_rows, n_bins)
        The mask, in the order of the rows.
    """

    unit_id: NDArray[np.str_]
    region: NDArray[np.str_]
    colour: NDArray[np.uint8]
    bands: tuple[RegionBand, ...]
    is_hidden: NDArray[np.bool_]
    is_scored: NDArray[np.bool_]


@dataclass(frozen=True, eq=False, kw_only=True)
class RasterDrawable:
    """Everything that a raster view draws.

    Parameters
    ----------
    panels : tuple of RasterPanel
        Left to right.
    rows : RowInfo
        The rows that all panels share.
    bin_start_s : ndarray, shape (n_bins,)
        Start of each bin.
    bin_size_s : float
        Duration of a bin.
    events : tuple of EventLine
        Vertical lines.
    hatch, veil : tuple of Rectangle
        Hidden entries, and entries that are not scored.
    true_hz, model_hz : ndarray of float32, shape (n_rows, n_bins), or None
        Smoothed rates for the read-out, whatever the scale.
    trials : ShownTrials
        Trials in the averages.
    note : str
        How the picture was made, in words.
    blink : RasterPanel or None
        What stands in place of the reconstruction while one blinks to what it is compared with.
    """

    panels: tuple[RasterPanel, ...]
    rows: RowInfo
    bin_start_s: NDArray[np.float64]
    bin_size_s: float
    events: tuple[EventLine, ...]
    hatch: tuple[Rectangle, ...]
    veil: tuple[Rectangle, ...]
    true_hz: NDArray[np.float32]
    model_hz: NDArray[np.float32] | None
    trials: ShownTrials
    note: str
    blink: RasterPanel | None = None

    def blinked(self) -> tuple[RasterPanel, ...]:
        """Return the panels with reconstruction and what it is compared with exchanged."""
        own = next((panel for panel in self.panels if panel.name == "model"), None)
        if self.blink is None or own is None:
            return self.panels
        other = {"model": self.blink, self.blink.name: own}
        return tuple(other.get(panel.name, panel) for panel in self.panels)

    def bar_panels(self) -> tuple[RasterPanel | None, ...]:
        """Say which panel the colour bar right of each panel explains; None for no bar there.

        Neighbours that show the same unit in the same colours share the bar right of the last.
        """
        bars: list[RasterPanel | None] = [None] * len(self.panels)
        shown = [place for place, panel in enumerate(self.panels) if not panel.message]
        nexts: list[int | None] = [*shown[1:], None]
        for place, after in zip(shown, nexts[: len(shown)], strict=True):
            panel = self.panels[place]
            if after is None:
                bars[-1] = panel
            elif _kind(self.panels[after]) != _kind(panel):
                bars[after - 1] = panel
        return tuple(bars)


def _kind(panel: RasterPanel) -> tuple[str, str]:
    return panel.unit, panel.lut
