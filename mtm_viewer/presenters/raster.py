"""From maps to what a raster view draws: numpy in, drawable out, no Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtm_core.evaluation.colour_scale import (
    SCALE_UNITS,
    Levels,
    quantise,
    scale_ticks,
    shared_levels,
)
from mtm_core.evaluation.rasters import (
    DIFFERENCE_LIMIT,
    DIFFERENCE_UNIT,
    GAIN_UNIT,
    difference_in_errors,
    smooth,
)
from mtm_core.evaluation.row_order import RowOrder
from mtm_core.evaluation.unit_labels import unit_label
from mtm_viewer.presenters.compared import ComparedMaps
from mtm_viewer.presenters.raster_drawable import (
    RasterDrawable,
    RasterPanel,
    RowInfo,
    ShownTrials,
)
from mtm_viewer.presenters.raster_scene import EventLine, RasterScene, colours_of
from mtm_viewer.presenters.raster_settings import PANELS, PanelName, RasterSettings
from mtm_viewer.presenters.rectangles import rectangles
from mtm_viewer.theme import DIFFERENCE

Map = NDArray[np.floating]


@dataclass(frozen=True, eq=False, kw_only=True)
class RasterMaps:
    """Unsmoothed trial averages over the same trials, each (n_bins, n_units) in spikes/s.

    Parameters
    ----------
    true_hz : ndarray
        What was recorded.
    model_hz, temporal_hz : ndarray or None
        Of the model on screen and of the temporal baseline; None where there is none yet.
    control_gain : ndarray or None
        What the model gains over itself given other trials, in standard errors, smoothed as the
        settings say (see `mtm_core.evaluation.rasters.gain_in_errors`).
    psth_hz : ndarray or None
        What training trials of the same conditions foretell.
    has_temporal : bool
        Whether a temporal baseline will come; without one the difference takes its place.
    compared : ComparedMaps or None
        Those of what the model is compared with, and of two conditions.
    """

    true_hz: Map
    model_hz: Map | None = None
    temporal_hz: Map | None = None
    control_gain: Map | None = None
    psth_hz: Map | None = None
    has_temporal: bool = False
    compared: ComparedMaps | None = None


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
    maps: RasterMaps,
    *,
    scene: RasterScene,
    trials: ShownTrials,
    order: RowOrder | None = None,
    mask: RasterMask | None = None,
    settings: RasterSettings | None = None,
    medians: tuple[EventLine, ...] = (),
) -> RasterDrawable:
    """Lay out three maps side by side, on one shared scale.

    Parameters
    ----------
    maps : RasterMaps
        What is known.
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
    medians : tuple of EventLine, optional
        Further events, at the median of the trials that are shown.
    """
    settings = settings or RasterSettings()
    rows = (order or scene.order).rows
    look = _Look(maps, scene=scene, settings=settings, rows=rows, n_trials=trials.n_done)
    info = _row_info(scene, order or scene.order, mask)
    model_hz = maps.model_hz
    return RasterDrawable(
        panels=tuple(look.panel(name) for name in shown_panels(settings, maps)),
        rows=info,
        bin_start_s=scene.bin_start_s,
        bin_size_s=scene.bin_size_s,
        events=(*scene.events, *medians),
        hatch=rectangles(info.is_hidden),
        veil=rectangles(~info.is_scored),
        true_hz=look.smoothed(maps.true_hz),
        model_hz=None if model_hz is None else look.smoothed(model_hz),
        trials=trials,
        note=_note(settings, trials, order or scene.order),
        blink=None
        if maps.compared is None or maps.compared.opponent_hz is None
        else look.panel("opponent"),
    )


def shown_panels(settings: RasterSettings, maps: RasterMaps) -> tuple[PanelName, ...]:
    """Name the maps that are shown: where no temporal baseline can be, the difference is."""
    panels = settings.panels
    if maps.has_temporal or maps.temporal_hz is not None or "difference" in panels:
        return panels
    return tuple("difference" if name == "temporal" else name for name in panels)


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
    parts += [
        f"{_SHORT[panel.name]} {panel.rate_hz[row, time_bin]:.1f}"
        for panel in drawable.panels
        if panel.rate_hz is not None and panel.name in _SHORT
    ]
    for panel in drawable.panels:
        if panel.name in _SIGNED and not panel.message:
            word, unit = _SIGNED[panel.name]
            value = f"{panel.values[row, time_bin]:+.1f}".replace("-", "\N{MINUS SIGN}")
            parts.append(f"{word} {value} {unit}")
    n_trials = drawable.trials.n_done
    text = f"{', '.join(parts)} ({n_trials} trial{'s' if n_trials != 1 else ''})"
    return f"{text}, hidden" if rows.is_hidden[row, time_bin] else text


class _Look:
    """How maps become panels: one smoothing, one scale, one order for all of them."""

    def __init__(
        self,
        maps: RasterMaps,
        *,
        scene: RasterScene,
        settings: RasterSettings,
        rows: NDArray[np.int64],
        n_trials: int,
    ) -> None:
        self.settings = settings
        self.scene = scene
        self.rows = rows
        self.sigma_bins = settings.sigma_s / scene.bin_size_s
        self._maps = maps
        self._n_trials = n_trials
        self._smooth: list[tuple[Map, NDArray[np.float64]]] = []
        self.levels = settings.levels or shared_levels(
            self._scaled(maps.true_hz), settings.scale, percentile=settings.percentile
        )

    def smoothed(self, map_hz: Map) -> NDArray[np.float32]:
        return self._arranged(self._smoothed_once(map_hz))

    def panel(self, name: PanelName) -> RasterPanel:
        maps = self._maps
        if name == "difference":
            return self._difference()
        if name in _SIGNED:
            return self._gain(name)
        known = {
            "true": maps.true_hz,
            "model": maps.model_hz,
            "temporal": maps.temporal_hz,
            "psth": maps.psth_hz,
            "opponent": None if maps.compared is None else maps.compared.opponent_hz,
        }
        map_hz = known[name]
        if map_hz is None:
            return self._empty(name, self._missing(name))
        return self._rates(name, map_hz)

    def _rates(self, name: PanelName, map_hz: Map) -> RasterPanel:
        settings = self.settings
        values = self._scaled(map_hz)
        is_signed = settings.scale == "zscore"
        return RasterPanel(
            name=name,
            title=self._title(name),
            image=quantise(values, self.levels, settings.scale),
            values=values,
            rate_hz=self.smoothed(map_hz),
            lut=DIFFERENCE if is_signed else settings.colour_map,
            levels=self.levels,
            ticks=scale_ticks(self.levels, settings.scale),
            unit=SCALE_UNITS[settings.scale],
            scale=settings.scale,
            centre=128 if is_signed else 0,
            is_hatched=name not in ("true", "psth"),
            is_veiled=name != "true",
        )

    def _difference(self) -> RasterPanel:
        true_hz, model_hz = self._maps.true_hz, self._maps.model_hz
        if model_hz is None:
            return self._empty("difference", _MISSING["model"])
        difference = difference_in_errors(
            true_hz, model_hz, self._n_trials, self.scene.bin_size_s, self.sigma_bins
        )
        return self._signed("difference", difference, DIFFERENCE_UNIT)

    def _gain(self, name: PanelName) -> RasterPanel:
        """Show what was computed in standard errors already."""
        compared = self._maps.compared
        map_ = self._maps.control_gain
        if name != "control":
            map_ = None if compared is None else compared.signed.get(name)
        if map_ is None:
            return self._empty(name, self._missing(name))
        unit = GAIN_UNIT if name in ("control", "opponent_gain") else DIFFERENCE_UNIT
        return self._signed(name, map_, unit)

    def _missing(self, name: PanelName) -> str:
        """Say why a map is empty: nothing was asked for, or it is still to come."""
        compared = self._maps.compared
        if compared is None or _ASKED.get(name) not in compared.titles:
            return _MISSING[name]
        return _COMING if _ASKED[name] == "opponent" else _TOO_FEW

    def _title(self, name: PanelName) -> str:
        compared = self._maps.compared
        return PANELS[name] if compared is None else compared.titles.get(name, PANELS[name])

    def _signed(self, name: PanelName, map_: Map, unit: str) -> RasterPanel:
        levels = Levels(-DIFFERENCE_LIMIT, DIFFERENCE_LIMIT)
        values = self._arranged(map_)
        return RasterPanel(
            name=name,
            title=self._title(name),
            image=quantise(values, levels, "zscore"),
            values=values,
            lut=DIFFERENCE,
            levels=levels,
            ticks=scale_ticks(levels, "zscore"),
            unit=unit,
            centre=128,
            is_veiled=name != "contrast_true",
        )

    def _empty(self, name: PanelName, message: str) -> RasterPanel:
        shape = (len(self.rows), len(self.scene.bin_start_s))
        return RasterPanel(
            name=name,
            title=self._title(name),
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
        elif self.settings.scale == "peak":
            values = self.scene.peak_scale(self.sigma_bins).apply(values)
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


_SHORT = {"temporal": "temporal", "psth": "PSTH", "opponent": "compared"}
_SIGNED = {
    "difference": ("difference", "expected errors"),
    "control": ("gain over shuffle", "standard errors"),
    "opponent_difference": ("difference from compared", "expected errors"),
    "opponent_gain": ("gain over compared", "standard errors"),
    "contrast_true": ("true contrast", "expected errors"),
    "contrast_model": ("reconstructed contrast", "expected errors"),
}
_COMPARE = "nothing compared yet: choose with what in the panel Compare (Ctrl+Shift+D)"
_CONTRAST = "no contrast yet: choose two conditions in the panel Compare (Ctrl+Shift+D)"
_COMING = "comparing\N{HORIZONTAL ELLIPSIS}"
_TOO_FEW = "too few trials of a condition so far"
_ASKED: dict[str, PanelName] = {
    "opponent": "opponent",
    "opponent_difference": "opponent",
    "opponent_gain": "opponent",
    "contrast_true": "contrast_true",
    "contrast_model": "contrast_model",
}
"""For maps of a comparison: which title stands there once it is asked for."""
_MISSING = {
    "model": "no reconstruction yet",
    "temporal": "no temporal baseline yet",
    "psth": "no PSTH yet",
    "control": "no shuffle control yet",
    "opponent": _COMPARE,
    "opponent_difference": _COMPARE,
    "opponent_gain": _COMPARE,
    "contrast_true": _CONTRAST,
    "contrast_model": _CONTRAST,
}
_SCALE_WORDS = {
    "sqrt": "square-root colour scale",
    "linear": "linear colour scale",
    "log": "logarithmic colour scale",
    "peak": "each unit by its peak in the true training map",
    "zscore": "z-scored by the true training mean and SD",
}


def _note(settings: RasterSettings, trials: ShownTrials, order: RowOrder) -> str:
    smoothing = (
        f"all smoothed with a Gaussian of {settings.sigma_s * 1000:g} ms"
        if settings.sigma_s > 0
        else "not smoothed"
    )
    return "; ".join(
        [f"mean of {trials.words()}", smoothing, _SCALE_WORDS[settings.scale], order.words]
    )
