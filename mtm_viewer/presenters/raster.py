"""From maps to what a raster view draws: numpy in, drawable out, no Qt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mtm_core.evaluation.colour_scale import (
    SCALE_UNITS,
    Levels,
    ScaleName,
    quantise,
    scale_ticks,
    shared_levels,
)
from mtm_core.evaluation.rasters import (
    DIFFERENCE_LIMIT,
    DIFFERENCE_UNIT,
    difference_in_errors,
    smooth,
)
from mtm_core.evaluation.row_order import RowOrder
from mtm_core.evaluation.unit_labels import unit_label
from mtm_viewer.presenters.raster_drawable import (
    RasterDrawable,
    RasterPanel,
    RowInfo,
    ShownTrials,
)
from mtm_viewer.presenters.raster_scene import RasterScene, colours_of
from mtm_viewer.presenters.rectangles import rectangles
from mtm_viewer.theme import DIFFERENCE

Map = NDArray[np.floating]


@dataclass(frozen=True, kw_only=True)
class RasterSettings:
    """What a person chose about the look of rasters.

    Parameters
    ----------
    scale : {"sqrt", "linear", "zscore"}
        How a rate becomes a colour.
    sigma_s : float
        Standard deviation of the Gaussian that smooths true and model alike; 0 is none.
    colour_map : str
        One of `mtm_viewer.theme.COLOUR_MAPS`.
    third : {"other", "difference"}
        What the third panel shows: the other map (a baseline) or true minus reconstructed.
    percentile : float
        Share of the true map, in per cent, that the colours span.
    """

    scale: ScaleName = "sqrt"
    sigma_s: float = 0.02
    colour_map: str = "magma"
    third: Literal["other", "difference"] = "other"
    percentile: float = 99.0


@dataclass(frozen=True, eq=False, kw_only=True)
class OtherMap:
    """A map to compare with.

    Parameters
    ----------
    title : str
        What it is, for example ``"Temporal baseline"``.
    rate_hz : ndarray, shape (n_bins, n_units)
        Unsmoothed, in spikes/s.
    """

    title: str
    rate_hz: Map


@dataclass(frozen=True, eq=False, kw_only=True)
class RasterMask:
    """What is hidden from the model and what is scored.

    Parameters
    ----------
    is_hidden, is_scored : ndarray of bool, shape (n_bins, n_units)
        As resolved from the mask.
    """

    is_hidden: NDArray[np.bool_]
    is_scored: NDArray[np.bool_]


def raster_image(
    true_hz: Map,
    model_hz: Map | None,
    other: OtherMap | None,
    *,
    scene: RasterScene,
    trials: ShownTrials,
    order: RowOrder | None = None,
    mask: RasterMask | None = None,
    settings: RasterSettings | None = None,
) -> RasterDrawable:
    """Lay out true, reconstructed, and a baseline or the difference, on one shared scale.

    Parameters
    ----------
    true_hz, model_hz : ndarray, shape (n_bins, n_units)
        Unsmoothed trial averages over the same trials; no model map means: not yet.
    other : OtherMap or None
        A baseline; without one the third panel shows the difference.
    scene : RasterScene
        Units, order, time axis.
    trials : ShownTrials
        What was averaged.
    order : RowOrder, optional
        Rows to show, if not those of the scene (for example a part of them).
    mask : RasterMask, optional
        What is hidden and scored; none means nothing is.
    settings : RasterSettings, optional
        The look.
    """
    settings = settings or RasterSettings()
    rows = (order or scene.order).rows
    look = _Look(true_hz, scene=scene, settings=settings, rows=rows)
    info = _row_info(scene, order or scene.order, mask)
    return RasterDrawable(
        panels=(
            look.rates("True", true_hz),
            look.rates("Reconstructed", model_hz, is_predicted=True),
            _third_panel(look, true_hz, model_hz, other, trials.n_done),
        ),
        rows=info,
        bin_start_s=scene.bin_start_s,
        bin_size_s=scene.bin_size_s,
        events=scene.events,
        hatch=rectangles(info.is_hidden),
        veil=rectangles(~info.is_scored),
        true_hz=look.smoothed(true_hz),
        model_hz=None if model_hz is None else look.smoothed(model_hz),
        trials=trials,
        note=_note(look, trials, order or scene.order),
    )


def hover_text(drawable: RasterDrawable, row: int, time_bin: int) -> str:
    """Say what stands under the pointer.

    Parameters
    ----------
    drawable : RasterDrawable
        The raster.
    row, time_bin : int
        Where the pointer is.
    """
    rows = drawable.rows
    name = unit_label(str(rows.unit_id[row]), str(rows.region[row]))
    time_ms = drawable.bin_start_s[time_bin] * 1000
    parts = [name, f"{time_ms:.0f} ms", f"true {drawable.true_hz[row, time_bin]:.1f} spikes/s"]
    if drawable.model_hz is not None:
        parts.append(f"model {drawable.model_hz[row, time_bin]:.1f}")
    third = drawable.panels[-1]
    if third.lut == DIFFERENCE and not third.message and third.unit == DIFFERENCE_UNIT:
        difference = f"{third.values[row, time_bin]:+.1f}".replace("-", "\N{MINUS SIGN}")
        parts.append(f"difference {difference} expected errors")
    text = f"{', '.join(parts)} ({drawable.trials.n_done} trials)"
    return f"{text}, hidden" if rows.is_hidden[row, time_bin] else text


class _Look:
    """How maps become panels: one smoothing, one scale, one order for all of them."""

    def __init__(
        self,
        true_hz: Map,
        *,
        scene: RasterScene,
        settings: RasterSettings,
        rows: NDArray[np.int64],
    ) -> None:
        self.settings = settings
        self.scene = scene
        self.rows = rows
        self.sigma_bins = settings.sigma_s / scene.bin_size_s
        self._smooth: list[tuple[Map, NDArray[np.float64]]] = []
        self.levels = shared_levels(
            self._scaled(true_hz), settings.scale, percentile=settings.percentile
        )

    def smoothed(self, map_hz: Map) -> NDArray[np.float32]:
        return self._arranged(self._smoothed_once(map_hz))

    def rates(self, title: str, map_hz: Map | None, *, is_predicted: bool = False) -> RasterPanel:
        if map_hz is None:
            return self._empty(title, "no reconstruction yet")
        settings = self.settings
        values = self._scaled(map_hz)
        is_signed = settings.scale == "zscore"
        return RasterPanel(
            title=title,
            image=quantise(values, self.levels, settings.scale),
            values=values,
            lut=DIFFERENCE if is_signed else settings.colour_map,
            levels=self.levels,
            ticks=scale_ticks(self.levels, settings.scale),
            unit=SCALE_UNITS[settings.scale],
            centre=128 if is_signed else 0,
            is_hatched=is_predicted,
            is_veiled=is_predicted,
        )

    def difference(self, true_hz: Map, model_hz: Map | None, n_trials: int) -> RasterPanel:
        title = "True \N{MINUS SIGN} reconstructed"
        if model_hz is None:
            return self._empty(title, "no reconstruction yet")
        levels = Levels(-DIFFERENCE_LIMIT, DIFFERENCE_LIMIT)
        values = self._arranged(
            difference_in_errors(
                true_hz, model_hz, n_trials, self.scene.bin_size_s, self.sigma_bins
            )
        )
        return RasterPanel(
            title=title,
            image=quantise(values, levels, "zscore"),
            values=values,
            lut=DIFFERENCE,
            levels=levels,
            ticks=scale_ticks(levels, "zscore"),
            unit=DIFFERENCE_UNIT,
            centre=128,
            is_veiled=True,
        )

    def _empty(self, title: str, message: str) -> RasterPanel:
        shape = (len(self.rows), len(self.scene.bin_start_s))
        return RasterPanel(
            title=title,
            image=np.zeros(shape, dtype=np.uint8),
            values=np.zeros(shape, dtype=np.float32),
            lut=self.settings.colour_map,
            levels=self.levels,
            ticks=(),
            unit="",
            message=message,
        )

    def _scaled(self, map_hz: Map) -> NDArray[np.float32]:
        values = self._smoothed_once(map_hz)
        if self.settings.scale == "zscore":
            values = self.scene.z_score(self.sigma_bins).apply(values)
        return self._arranged(values)

    def _smoothed_once(self, map_hz: Map) -> NDArray[np.float64]:
        """Smooth a map, or remember how it came out: each one is shown and read out."""
        for known, values in self._smooth:
            if known is map_hz:
                return values
        self._smooth.append((map_hz, smooth(map_hz, self.sigma_bins)))
        return self._smooth[-1][1]

    def _arranged(self, values: Map) -> NDArray[np.float32]:
        return np.ascontiguousarray(values[:, self.rows].T, dtype=np.float32)


def _third_panel(
    look: _Look, true_hz: Map, model_hz: Map | None, other: OtherMap | None, n_trials: int
) -> RasterPanel:
    if other is None or look.settings.third == "difference":
        return look.difference(true_hz, model_hz, n_trials)
    return look.rates(other.title, other.rate_hz, is_predicted=True)


def _row_info(scene: RasterScene, order: RowOrder, mask: RasterMask | None) -> RowInfo:
    rows = order.rows
    shape = (len(rows), len(scene.bin_start_s))
    region = scene.region[rows]
    return RowInfo(
        unit_id=scene.unit_id[rows],
        region=region,
        colour=colours_of(region),
        bands=order.bands,
        is_hidden=np.zeros(shape, dtype=bool) if mask is None else mask.is_hidden[:, rows].T,
        is_scored=np.ones(shape, dtype=bool) if mask is None else mask.is_scored[:, rows].T,
    )


_SCALE_WORDS = {
    "sqrt": "square-root colour scale",
    "linear": "linear colour scale",
    "zscore": "z-scored by the true training mean and SD",
}


def _note(look: _Look, trials: ShownTrials, order: RowOrder) -> str:
    settings = look.settings
    smoothing = (
        f"all smoothed with a Gaussian of {settings.sigma_s * 1000:g} ms"
        if settings.sigma_s > 0
        else "not smoothed"
    )
    return "; ".join(
        [f"mean of {trials.words()}", smoothing, _SCALE_WORDS[settings.scale], order.words]
    )
