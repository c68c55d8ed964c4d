"""The raster figure: recorded, reconstructed, a rival, and the difference, region by region.

After figure 3 of Zhang et al. 2024, with what it lacks: a colour scale that slow units survive,
rows ordered by training trials, the difference in units of the expected error, event lines, trial
counts, intervals, and the score of every row.
"""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import Colormap, LinearSegmentedColormap, Normalize, PowerNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from mtm_core.evaluation.colour_scale import Levels, scale_ticks, shared_levels
from mtm_core.evaluation.metrics import MIN_SPIKES
from mtm_core.evaluation.rasters import (
    DIFFERENCE_LIMIT,
    DIFFERENCE_UNIT,
    difference_in_errors,
    smooth,
)
from mtm_core.evaluation.unit_labels import region_colour, unit_number
from mtm_core.figures.picture_file import write_figure
from mtm_core.figures.raster_content import MapScore, RasterContent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

SIGMA_S = 0.02
"""Smoothing of all maps by default."""
DPI = 250.0
"""Also the resolution of the maps inside SVG and PDF."""
MS = 1000.0
_EVENT, _INK, _QUIET = "#00a5d6", "#1b1f24", "#5b6470"
_DIFFERENCE = LinearSegmentedColormap.from_list(
    "difference", ["#055e92", "#0484ca", "#8dbcef", "#f6f6f6", "#eba992", "#c7603d", "#a82b03"]
)

# All in inches.
_WIDTH = 11.6
_TOP, _AXIS = 1.42, 0.56
_PANEL, _BAR = 1.9, 0.11
_RECIPE_LINE = 0.118
_ROW, _LOWEST, _HIGHEST = 0.06, 2.4, 7.5
_LEFT = {"band": 0.72, "true": 1.1, "model": 3.18, "rival": 5.26, "bar": 7.24}
_LEFT |= {"difference": 7.88, "difference_bar": 9.86, "units": 10.58}
_UNITS = 0.88


def draw_raster(
    content: RasterContent, path: Path, *, sigma_s: float = SIGMA_S, attachment: str | None = None
) -> None:
    """Draw and write a raster figure.

    Parameters
    ----------
    content : RasterContent
        What to show.
    path : Path
        A ``.png``, ``.svg`` or ``.pdf`` file.
    sigma_s : float
        Standard deviation of the Gaussian that smooths every map alike; 0 is none.
    attachment : str or None
        ASCII text to carry inside, such as an experiment.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    figure = make_figure(content, sigma_s=sigma_s)
    recipe = " ".join(recipe_lines(content, sigma_s))
    # Every row gets a pixel of its own.
    dpi = max(DPI, len(content.unit_id) / _height(content))
    write_figure(figure, path, title=content.title, recipe=recipe, dpi=dpi, attachment=attachment)


def recipe_lines(content: RasterContent, sigma_s: float) -> tuple[str, ...]:
    """Say how the figure was made, the choices of drawing included."""
    smoothing = (
        f"All maps smoothed with a Gaussian of {sigma_s * MS:g} ms."
        if sigma_s > 0
        else "Maps are not smoothed."
    )
    return (
        *content.recipe,
        f"{smoothing} Colours: square root of the rate, one scale for all maps, from 0 to the "
        "99th percentile of the recorded map.",
        "Difference: recorded minus reconstructed, over the standard error that Poisson spikes "
        "at the reconstructed rate would have in so many trials.",
    )


def make_figure(content: RasterContent, *, sigma_s: float = SIGMA_S) -> Figure:
    """Draw the figure without writing it; see `draw_raster`."""
    return _Drawing(content, sigma_s).figure


def _height(content: RasterContent) -> float:
    return float(np.clip(_ROW * len(content.unit_id), _LOWEST, _HIGHEST))


class _Drawing:
    """One figure in the making."""

    def __init__(self, content: RasterContent, sigma_s: float) -> None:
        self.content = content
        self.sigma_bins = sigma_s / content.bin_size_s
        self.n_rows = len(content.unit_id)
        self.rows_in = _height(content)
        lines = recipe_lines(content, sigma_s)
        self.recipe = textwrap.wrap(" ".join(lines), 205)
        self.bottom_in = _AXIS + _RECIPE_LINE * len(self.recipe) + 0.1
        self.height_in = _TOP + self.rows_in + self.bottom_in
        self.figure = Figure(figsize=(_WIDTH, self.height_in))
        true = smooth(content.true_hz, self.sigma_bins)
        self.levels = shared_levels(true, "sqrt")
        self._write_words()
        self._draw_bands()
        self._draw_rates(true)
        self._draw_difference()
        self._draw_units()

    @property
    def _recorded(self) -> Axes:
        """The recorded map: drawn next after the bands."""
        return self.figure.axes[1]

    def _axes(self, name: str, width: float) -> Axes:
        whole = self.height_in
        left, bottom = _LEFT[name] / _WIDTH, self.bottom_in / whole
        axes = self.figure.add_axes((left, bottom, width / _WIDTH, self.rows_in / whole))
        axes.set_ylim(self.n_rows, 0)
        axes.tick_params(labelsize=7.5, length=2.5, color=_QUIET, labelcolor=_INK)
        for spine in axes.spines.values():
            spine.set_visible(False)
        return axes

    def _write_words(self) -> None:
        whole = self.height_in
        left = _LEFT["band"] / _WIDTH
        write = self.figure.text
        title = textwrap.shorten(self.content.title, 130, placeholder=" ...")
        write(left, 1 - 0.24 / whole, title, size=11, weight="bold", color=_INK, va="center")
        subtitle = self.content.subtitle
        write(left, 1 - 0.47 / whole, subtitle, size=8.5, color=_QUIET, va="center")
        recipe = "\n".join(self.recipe)
        write(left, 0.08 / whole, recipe, size=6, color=_QUIET, va="bottom", linespacing=1.35)

    def _draw_bands(self) -> None:
        axes = self._axes("band", 0.09)
        axes.set_xticks([])
        axes.set_xlim(0, 1)
        for band in self.content.order.bands:
            axes.axhspan(band.start, band.stop, color=region_colour(band.region), lw=0)
            middle = (band.start + band.stop) / 2
            axes.text(
                -0.6,
                middle,
                f"{band.region}\n{band.n_units} units",
                ha="right",
                va="center",
                size=7.5,
                color=_INK,
            )
        for band in self.content.order.bands[1:]:
            axes.axhline(band.start, color="white", lw=1.2)
        axes.set_yticks([])

    def _draw_rates(self, true: NDArray[np.float64]) -> None:
        content = self.content
        maps: tuple[tuple[str, str, NDArray[np.float64], str], ...] = (
            ("true", "Recorded", true, f"mean of {content.n_trials} {content.trial_kind} trials"),
            (
                "model",
                content.model.title,
                self._smooth(content.model.rate_hz),
                _score_words(content.model.score),
            ),
            (
                "rival",
                content.rival.title,
                self._smooth(content.rival.rate_hz),
                _score_words(content.rival.score),
            ),
        )
        norm = PowerNorm(0.5, self.levels.low, self.levels.high, clip=True)
        for name, title, values, words in maps:
            axes = self._axes(name, _PANEL)
            image = self._draw_map(axes, values, "magma", norm)
            _head(axes, title, words, self.rows_in)
        self._mark_predicted()
        self._number_rows()
        self._draw_bar("bar", image, scale_ticks(self.levels, "sqrt"), "spikes/s")

    def _mark_predicted(self) -> None:
        """Show in the recorded map where the part that is predicted begins."""
        if self.content.first_bin > 0:
            first_ms = float(self.content.bin_start_s[self.content.first_bin]) * MS
            self._recorded.axvline(first_ms, color="white", lw=1.2, ls=(0, (3, 2)))

    def _number_rows(self) -> None:
        """Name units beside the recorded map where there is room."""
        if self.rows_in / self.n_rows * 72 < 6.5:
            return
        axes = self._recorded
        labels = [f"#{unit_number(str(unit))}" for unit in self.content.unit_id]
        axes.set_yticks(np.arange(self.n_rows) + 0.5, labels, size=5)
        axes.tick_params(axis="y", length=0, pad=1.5, labelcolor=_QUIET)

    def _draw_difference(self) -> None:
        content = self.content
        predicted = slice(content.first_bin, content.stop_bin)
        values = difference_in_errors(
            content.true_hz[predicted],
            content.model.rate_hz,
            content.n_trials,
            content.bin_size_s,
            self.sigma_bins,
        )
        axes = self._axes("difference", _PANEL)
        norm = Normalize(-DIFFERENCE_LIMIT, DIFFERENCE_LIMIT)
        image = self._draw_map(axes, values, _DIFFERENCE, norm)
        share = float(np.mean(np.abs(values) > 2))
        words = f"{100 * share:.0f} % beyond ±2\n(5 % if the model is right)"
        _head(axes, f"Recorded \N{MINUS SIGN} {content.model.title}", words, self.rows_in)
        levels = Levels(-DIFFERENCE_LIMIT, DIFFERENCE_LIMIT)
        ticks = scale_ticks(levels, "linear")
        self._draw_bar("difference_bar", image, ticks, DIFFERENCE_UNIT)

    def _draw_map(
        self,
        axes: Axes,
        values: NDArray[np.float64],
        colours: str | Colormap,
        norm: Normalize,
    ) -> AxesImage:
        content = self.content
        step = content.bin_size_s * MS
        # A map of the predicted bins alone spans their time alone.
        first_bin = content.first_bin if len(values) < len(content.bin_start_s) else 0
        start = float(content.bin_start_s[first_bin]) * MS
        stop = start + step * len(values)
        image = axes.imshow(
            values.T,
            cmap=colours,
            norm=norm,
            aspect="auto",
            interpolation="nearest",
            extent=(start, stop, self.n_rows, 0),
        )
        pad = 0.015 * (stop - start)
        axes.set_xlim(start - pad, stop + pad)
        axes.set_xlabel(f"time from {content.event} (ms)", size=7.5, color=_INK)
        axes.set_yticks([])
        for band in content.order.bands[1:]:
            axes.axhline(band.start, color="#8a8f98", lw=0.7)
        if start - pad <= 0 <= stop:
            axes.axvline(0, color="black", lw=2.2, alpha=0.6)
            axes.axvline(0, color=_EVENT, lw=1.2)
        return image

    def _smooth(self, rate_hz: NDArray[np.float64]) -> NDArray[np.float64]:
        return smooth(rate_hz, self.sigma_bins)

    def _draw_bar(
        self, name: str, image: AxesImage, ticks: tuple[tuple[float, str], ...], unit: str
    ) -> None:
        axes = self._axes(name, _BAR)
        ramp = np.linspace(0, 1, 256)[:, None]
        axes.imshow(
            ramp,
            cmap=image.get_cmap(),
            aspect="auto",
            origin="lower",
            extent=(0, 1, 0, 1),
            interpolation="nearest",
            vmin=0,
            vmax=1,
        )
        axes.set_ylim(0, 1)
        axes.set_xticks([])
        axes.yaxis.tick_right()
        axes.yaxis.set_label_position("right")
        axes.set_yticks([place for place, _ in ticks], [text for _, text in ticks])
        axes.set_ylabel(unit, size=7.5, color=_INK, labelpad=2)

    def _draw_units(self) -> None:
        """Score every row: open dots have too few spikes to say much."""
        content = self.content
        axes = self._axes("units", _UNITS)
        rows = np.arange(self.n_rows) + 0.5
        has_spikes = content.unit_spikes > 0
        is_sure = content.unit_spikes >= MIN_SPIKES
        axes.axvline(0, color=_QUIET, lw=0.7)
        size = float(np.clip(self.rows_in / self.n_rows * 72 * 0.9, 1.2, 4.5))
        low, high = _unit_limits(content.unit_bps[is_sure], content.unit_bps[has_spikes])
        for chosen, fill in ((is_sure, _INK), (has_spikes & ~is_sure, "white")):
            for marker, is_here in _markers(content.unit_bps, low, high):
                axes.plot(
                    np.clip(content.unit_bps, low, high)[chosen & is_here],
                    rows[chosen & is_here],
                    marker,
                    ms=size,
                    mfc=fill,
                    mec=_INK,
                    mew=0.5,
                    ls="none",
                    clip_on=False,
                )
        axes.set_xlim(low, high)
        axes.set_yticks([])
        axes.set_xlabel("bits/spike\nbeyond PSTH", size=7.5, color=_INK)
        axes.spines["bottom"].set_visible(True)
        axes.spines["bottom"].set_color(_QUIET)
        n_few = int((~is_sure).sum())
        words = f"open: under {MIN_SPIKES}\nspikes ({n_few} units)"
        _head(axes, "Each unit", words, self.rows_in, is_boxed=False)


def _markers(
    values: NDArray[np.float64], low: float, high: float
) -> tuple[tuple[str, NDArray[np.bool_]], ...]:
    """Dots inside the axis, arrow heads for what lies beyond its ends."""
    return (
        ("o", (values >= low) & (values <= high)),
        ("<", values < low),
        (">", values > high),
    )


def _unit_limits(sure: NDArray[np.float64], scored: NDArray[np.float64]) -> tuple[float, float]:
    """Span all units with enough spikes, and nine tenths of the others."""
    typical = np.percentile(scored, [5, 95]) if len(scored) else np.zeros(2)
    low = float(min(sure.min(initial=-0.05), typical[0]))
    high = float(max(sure.max(initial=0.05), typical[1]))
    margin = 0.06 * (high - low)
    return low - margin, high + margin


def _score_words(score: MapScore | None) -> str:
    if score is None:
        return "0 bits/spike beyond PSTH\nby definition"
    if score.bps is None:
        return "no spike to score"
    text = f"{score.bps:.3f} bits/spike beyond PSTH"
    if score.interval is not None:
        text += f"\n[{score.interval[0]:.3f}, {score.interval[1]:.3f}]"
    return text.replace("-", "\N{MINUS SIGN}")


def _head(axes: Axes, title: str, words: str, rows_in: float, *, is_boxed: bool = True) -> None:
    """Write a panel's name and, below it, its numbers in a box."""
    box = {"boxstyle": "round,pad=0.35", "fc": "#f4f5f7", "ec": "#c9ced6", "lw": 0.6}
    axes.text(
        0.5,
        1 + 0.64 / rows_in,
        title,
        transform=axes.transAxes,
        ha="center",
        va="center",
        size=9.5,
        weight="bold",
        color=_INK,
    )
    axes.text(
        0.5,
        1 + 0.30 / rows_in,
        words,
        transform=axes.transAxes,
        ha="center",
        va="center",
        size=7,
        color=_INK,
        linespacing=1.3,
        bbox=box if is_boxed else None,
    )
