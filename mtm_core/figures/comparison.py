"""Two models against each other: by session, by region, by unit; and a score against a number."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import MaxNLocator

from mtm_core.figures.picture_file import write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DPI = 150.0
_INK, _QUIET, _ONE, _OTHER = "#1b1f24", "#5b6470", "#b5541f", "#0b6fa8"
_MARKERS = ("o", "s", "^")
_VIEW = (1.0, 99.0)
"""Percentiles of the units' values that their panels show."""


@dataclass(frozen=True, kw_only=True)
class Caption:
    """What a figure says about itself.

    Parameters
    ----------
    title : str
        What it shows.
    recipe : str
        How it was made.
    x, y : str
        Names of the two models.
    """

    title: str
    recipe: str
    x: str
    y: str


@dataclass(frozen=True, eq=False, kw_only=True)
class Points:
    """Pairs of values: one per session, or one per unit.

    Parameters
    ----------
    x, y : sequence of float
        The two models' bits per spike.
    group : sequence of str
        Which of them belong together: the split.
    rate_hz : sequence of float
        Mean rate of each unit; empty for sessions.
    """

    x: Sequence[float]
    y: Sequence[float]
    group: Sequence[str] = ()
    rate_hz: Sequence[float] = ()


def draw_sessions(panels: Mapping[str, Points], caption: Caption, path: Path) -> None:
    """Draw one point per session in a panel per task, with the line of equal scores."""
    figure, axes = _panels(list(panels), caption)
    for axis, points in zip(axes, panels.values(), strict=True):
        groups = list(dict.fromkeys(points.group))
        for group, marker in zip(groups, _MARKERS, strict=False):
            chosen = [i for i, name in enumerate(points.group) if name == group]
            x, y = ([values[i] for i in chosen] for values in (points.x, points.y))
            axis.scatter(x, y, marker=marker, s=26, color=_OTHER, alpha=0.8, label=group)
        n_above = sum(y > x for x, y in zip(points.x, points.y, strict=True))
        axis.set_xlabel(f"{caption.x}\nabove the line: {n_above} of {len(points.x)}")
        _unity(axis, [0.0, *points.x, *points.y])
    if len(groups) > 1:
        axes[0].legend(frameon=False, fontsize=7)
    _finish(figure, caption, path)


def draw_units(panels: Mapping[str, Points], caption: Caption, path: Path) -> None:
    """Draw one point per unit in a panel per task, coloured by its rate."""
    figure, axes = _panels(list(panels), caption)
    for axis, points in zip(axes, panels.values(), strict=True):
        x, y = np.asarray(points.x), np.asarray(points.y)
        low, high = np.percentile(np.concatenate([x, y]), _VIEW)
        is_shown = (x >= low) & (x <= high) & (y >= low) & (y <= high)
        colour = np.log10(np.maximum(points.rate_hz, 1e-2))
        dots = axis.scatter(
            x[is_shown], y[is_shown], c=colour[is_shown], s=4, cmap="viridis", vmin=-1, vmax=1.7
        )
        axis.set_xlabel(
            f"{caption.x}\n{int(is_shown.sum())} units; {int((~is_shown).sum())} outside"
        )
        _unity(axis, [float(low), float(high)])
    bar = figure.colorbar(dots, ax=list(axes), shrink=0.75, pad=0.01)
    bar.set_ticks([-1, 0, 1], labels=["0.1", "1", "10"])
    bar.set_label("mean rate (spikes/s)", fontsize=8)
    _finish(figure, caption, path)


def draw_regions(
    panels: Mapping[str, Mapping[str, tuple[float, float]]], caption: Caption, path: Path
) -> None:
    """Draw two bars per region in a panel per task."""
    n_most = max(map(len, panels.values()))
    size = (max(0.42 * n_most + 1.5, 5.0), 1.9 * len(panels) + 0.8)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots(len(panels), 1, squeeze=False)[:, 0]
    for axis, (task, regions) in zip(axes, panels.items(), strict=True):
        places = np.arange(len(regions))
        x, y = np.array(list(regions.values())).T
        axis.bar(places - 0.2, x, 0.38, color=_ONE, label=caption.x)
        axis.bar(places + 0.2, y, 0.38, color=_OTHER, label=caption.y)
        axis.set_xticks(places, list(regions), rotation=60, fontsize=7)
        axis.axhline(0.0, color=_QUIET, linewidth=0.6)
        axis.set_title(task, fontsize=9, loc="left")
        axis.set_ylabel("bits per spike", fontsize=8)
        _quiet(axis)
    axes[0].legend(frameon=False, fontsize=7)
    _finish(figure, caption, path)


def draw_curves(
    panels: Mapping[str, Sequence[tuple[int, float, float]]], caption: Caption, path: Path
) -> None:
    """Draw a score against a number, with its spread over seeds, in a panel per task."""
    figure = Figure(figsize=(2.6 * len(panels), 2.7), layout="constrained")
    axes = figure.subplots(1, len(panels), squeeze=False)[0]
    for axis, (task, points) in zip(axes, panels.items(), strict=True):
        n, mean, spread = np.array(points).T
        axis.errorbar(n, mean, yerr=spread, marker="o", markersize=4, color=_OTHER, capsize=2)
        axis.set_title(task, fontsize=9)
        axis.set_xlabel(caption.x, fontsize=8)
        axis.set_xticks(n, [f"{each:g}" for each in n])
        _quiet(axis)
    axes[0].set_ylabel(caption.y, fontsize=8)
    _finish(figure, caption, path)


def _panels(names: Sequence[str], caption: Caption) -> tuple[Figure, Sequence[Axes]]:
    layout = ConstrainedLayoutEngine(h_pad=0.08)
    figure = Figure(figsize=(2.7 * len(names) + 0.4, 3.3), layout=layout)
    axes = figure.subplots(1, len(names), squeeze=False)[0]
    for axis, name in zip(axes, names, strict=True):
        axis.set_title(name, fontsize=9)
        _quiet(axis)
    axes[0].set_ylabel(caption.y, fontsize=8)
    return figure, axes


def _unity(axis: Axes, values: Sequence[float]) -> None:
    low, high = min(values), max(values)
    room = 0.06 * (high - low) or 0.05
    view = (low - room, high + room)
    axis.plot(view, view, color=_QUIET, linewidth=0.8, zorder=0)
    axis.set(xlim=view, ylim=view, aspect="equal")
    axis.xaxis.set_major_locator(MaxNLocator(4))
    axis.yaxis.set_major_locator(MaxNLocator(4))
    axis.xaxis.label.set_fontsize(8)


def _quiet(axis: Axes) -> None:
    axis.spines[["top", "right"]].set_visible(False)
    axis.tick_params(labelsize=7, colors=_INK)


def _finish(figure: Figure, caption: Caption, path: Path) -> None:
    n_letters = int(13.0 * figure.get_figwidth())
    figure.suptitle(textwrap.fill(caption.title, n_letters), fontsize=9, color=_INK)
    write_figure(figure, path, title=caption.title, recipe=caption.recipe, dpi=DPI)
