"""The robustness figure: bits per spike against units dropped, spikes added, spikes lost."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from matplotlib.figure import Figure

from mtm_core.evaluation.damage import DamageName
from mtm_core.evaluation.robustness import CurvePoint, RobustnessReport, TaskCurves
from mtm_core.figures.picture_file import write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Pooling = Literal["bps_pooled", "bps_unit_mean"]

DPI = 160.0
_COLOURS = {
    "co_smoothing": "#0072b2",
    "forward_prediction": "#e69f00",
    "intra_region": "#009e73",
    "inter_region": "#d55e00",
}
_INK, _QUIET = "#1b1f24", "#5b6470"
_X_LABELS: dict[DamageName, str] = {
    "dropped": "fraction of visible units dropped",
    "added": "noise spikes, multiples of the mean rate",
    "thinned": "fraction of visible spikes deleted",
}
_Y_LABELS: dict[Pooling, str] = {
    "bps_pooled": "bits/spike, pooled",
    "bps_unit_mean": "bits/spike, mean over units",
}
_INTERVALS: dict[Pooling, str] = {
    "bps_pooled": "interval",
    "bps_unit_mean": "interval_unit_mean",
}
_PANEL_WIDTH, _HEIGHT = 3.4, 6.6
_LETTERS_PER_INCH = 19
_FLOOR = -0.5
"""Scores far below 0 would flatten the curves: the axis ends at this share of the best score, and
what lies below is named at the edge."""


def draw_robustness(report: RobustnessReport, path: Path) -> None:
    """Draw and write a robustness figure.

    Parameters
    ----------
    report : RobustnessReport
        What to show.
    path : Path
        A ``.png``, ``.svg`` or ``.pdf`` file.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    title = f"Robustness of {report.header['preset']} on {report.header['session']}"
    write_figure(make_figure(report), path, title=title, recipe=recipe(report), dpi=DPI)


def recipe(report: RobustnessReport) -> str:
    """Say how the numbers of the figure were made."""
    header = report.header
    units = "; ".join(
        f"{name.replace('_', '-')}: {task.n_units} of {task.n_units_all} units, "
        f"{task.n_spikes} spikes"
        for name, task in report.tasks.items()
    )
    made = " (simulated)" if header["is_simulated"] else ""
    return (
        f"{header['session']}{made}, {header['n_trials']} {header['split']} trials "
        f"({header['split_kind']} split, seed {header['split_seed']}). {units}. Null: "
        f"{header['null']}. Lines: means over {header['n_draws']} draws (dots: each draw, pooled; "
        f"seed {header['seed']}); bands: 95 % over samples of trials; dotted: each unit's "
        f"training PSTH, which sees no other unit. Model: {header['preset']}, step "
        f"{header['train_step']}, seed {header['train_seed']} ({header['checkpoint']}), neither "
        "retrained nor told."
    )


def make_figure(report: RobustnessReport) -> Figure:
    """Draw the figure: a column for each kind of damage, a row for each pooling."""
    kinds = tuple(report.header["damages"])
    figure = Figure(figsize=(max(_PANEL_WIDTH * len(kinds), 6.8), _HEIGHT))
    grid = figure.subplots(2, len(kinds), sharey="row", squeeze=False)
    for row, pooling in enumerate(_Y_LABELS):
        for column, kind in enumerate(kinds):
            _draw_panel(grid[row, column], report, kind, pooling)
        grid[row, 0].set_ylabel(_Y_LABELS[pooling], color=_INK)
        _clip(grid[row], report, pooling)
    for column, kind in enumerate(kinds):
        grid[1, column].set_xlabel(_X_LABELS[kind], color=_INK)
    handles, labels = grid[0, 0].get_legend_handles_labels()
    figure.legend(
        handles,
        labels,
        loc="upper left",
        bbox_to_anchor=(0.005, 0.965),
        ncols=len(labels) if len(kinds) > 2 else 2,
        frameon=False,
        fontsize=8,
    )
    model = f"{report.header['preset']} on {report.header['session']}"
    figure.text(0.012, 0.985, model, va="top", fontsize=10, weight="bold", color=_INK)
    width = int(_LETTERS_PER_INCH * figure.get_figwidth())
    text = "\n".join(textwrap.wrap(recipe(report), width))
    figure.text(0.012, 0.012, text, va="bottom", fontsize=6.5, color=_QUIET)
    figure.subplots_adjust(left=0.09, right=0.985, top=0.88, bottom=0.2, wspace=0.08, hspace=0.14)
    return figure


def _draw_panel(axes: Axes, report: RobustnessReport, kind: DamageName, pooling: Pooling) -> None:
    axes.axhline(0, color=_QUIET, linewidth=0.8)
    for name, task in report.tasks.items():
        _draw_task(axes, task, kind, pooling, _COLOURS[name], name.replace("_", "-"))
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8, colors=_INK)
    axes.grid(axis="y", color="#e3e6ea", linewidth=0.6)
    axes.set_axisbelow(True)
    if kind != "added":
        axes.set_xlim(-0.02, 1.0)


def _draw_task(
    axes: Axes, task: TaskCurves, kind: DamageName, pooling: Pooling, colour: str, name: str
) -> None:
    points = [point for point in task.curves[kind] if getattr(point.mean, pooling) is not None]
    levels = [point.level for point in points]
    means = [getattr(point.mean, pooling) for point in points]
    axes.plot(levels, means, color=colour, marker="o", markersize=3.5, label=name)
    banded = [point for point in points if getattr(point.mean, _INTERVALS[pooling]) is not None]
    if banded:
        low, high = zip(*(getattr(p.mean, _INTERVALS[pooling]) for p in banded), strict=True)
        axes.fill_between([p.level for p in banded], low, high, color=colour, alpha=0.15, lw=0)
    if pooling == "bps_pooled":
        _draw_draws(axes, points, colour)
    psth = getattr(task.psth, pooling)
    if psth is not None:
        axes.axhline(psth, color=colour, linewidth=1.0, linestyle=":", label=f"{name}, PSTH alone")


def _clip(row: Sequence[Axes], report: RobustnessReport, pooling: Pooling) -> None:
    """End the axis of a row of panels where curves are still to be read; name what is below."""
    means = [
        (axes, point.level, getattr(point.mean, pooling), _COLOURS[name])
        for axes, kind in zip(row, report.header["damages"], strict=True)
        for name, task in report.tasks.items()
        for point in task.curves[kind]
    ]
    best = max((mean for _, _, mean, _ in means if mean is not None), default=0.0)
    floor = _FLOOR * best
    if best <= 0 or row[0].get_ylim()[0] >= floor:
        return
    row[0].set_ylim(bottom=floor)
    below: dict[Axes, int] = {}
    for axes, level, mean, colour in means:
        if mean is not None and mean < floor:
            below[axes] = below.get(axes, 0) + 1
            axes.annotate(
                f"{mean:.2f} at {level:g} \u25bc",
                xy=(0.98, 1.0 - 0.07 * below[axes]),  # where falling curves leave room
                xycoords="axes fraction",
                ha="right",
                fontsize=7,
                color=colour,
            )


def _draw_draws(axes: Axes, points: list[CurvePoint], colour: str) -> None:
    pairs = [(p.level, v) for p in points if len(p.draws) > 1 for v in p.draws if v is not None]
    if pairs:
        levels, values = zip(*pairs, strict=True)
        axes.scatter(levels, values, s=5, color=colour, alpha=0.6, linewidths=0)
