"""The matrix figure: every region from every other one alone, the rival's, and the asymmetry."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from mtm_core.evaluation.region_matrix_cells import ColumnFacts, Estimate, MatrixCell
from mtm_core.evaluation.region_matrix_report import (
    CAUTION,
    NULL_WORDS,
    MatrixReport,
    colour_limit,
    source_cell,
)
from mtm_core.evaluation.region_matrix_tally import SourceName
from mtm_core.evaluation.unit_labels import region_colour
from mtm_core.figures.picture_file import write_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.image import AxesImage

DPI = 200.0
_INK, _QUIET, _PAPER, _WARNING = "#1b1f24", "#5b6470", "#ffffff", "#8a5a00"
_COLOURS = LinearSegmentedColormap.from_list(
    "difference", ["#055e92", "#0484ca", "#8dbcef", "#f6f6f6", "#eba992", "#c7603d", "#a82b03"]
)

# All in inches.
_CELL, _SMALLEST = 0.36, 2.2
_LEFT, _GAP, _RIGHT, _TOP = 0.95, 0.62, 0.3, 1.05
_BAR, _BAR_GAP = 0.09, 0.4
_LINE, _LETTERS_PER_INCH = 0.118, 18.5


@dataclass(frozen=True, kw_only=True)
class _Panel:
    """One map: whose numbers, and which."""

    title: str
    source: SourceName
    what: str

    def estimate(self, cell: MatrixCell) -> Estimate:
        found: Estimate = getattr(source_cell(cell, self.source), self.what)
        return found


def draw_region_matrix(report: MatrixReport, path: Path) -> None:
    """Draw and write a matrix.

    Parameters
    ----------
    report : MatrixReport
        What to show.
    path : Path
        A ``.png``, ``.svg`` or ``.pdf`` file.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    title = f"Region-to-region matrix of {report.header['session']} ({CAUTION})"
    write_figure(make_figure(report), path, title=title, recipe=recipe(report), dpi=DPI)


def recipe(report: MatrixReport) -> str:
    """Say how the numbers of the figure were made."""
    header = report.header
    made = " (simulated)" if header["is_simulated"] else ""
    left_out = "; ".join(f"{name}: {why}" for name, why in header["left_out"].items())
    badge = f" The model: {'; '.join(report.untrained_reasons)}." if _has_badge(report) else ""
    part = "" if report.is_complete else f" {report.n_done} of {report.n_steps} steps done."
    return (
        f"{header['session']}{made}, {header['n_trials']} {header['split']} trials "
        f"({header['split_kind']} split, seed {header['split_seed']}). Row: the only region in "
        f"view, by {header['n_matched']} of its units; column: the region predicted, by as many; "
        f"{header['n_draws']} draws of units (seed {header['seed']}), {header['level_words']}. "
        f"Numbers: {header['score']}; bold where the interval leaves out 0. Null: "
        f"{NULL_WORDS[header['null']]}. Below the maps: the column's units predicted from all "
        "units outside their region, and by the training PSTH over all trials, which sees no "
        f"neuron. Asymmetry: cell minus its transpose. Left out: {left_out or 'none'}. Model: "
        f"{header['preset']}, step {header['train_step']}, seed {header['train_seed']} "
        f"({header['checkpoint']}), prompt {header['prompt']}.{badge}{part} {header['caution']}"
    )


def make_figure(report: MatrixReport) -> Figure:
    """Draw the figure without writing it: the model's map, the regression's, the asymmetry."""
    return _Drawing(report).figure


def _has_badge(report: MatrixReport) -> bool:
    return bool(report.untrained_reasons)


class _Drawing:
    """One figure in the making."""

    def __init__(self, report: MatrixReport) -> None:
        self._report = report
        self._panels = tuple(_panels(report))
        self._side = max(_CELL * len(report.regions), _SMALLEST)
        self._strip = 2 * self._side / len(report.regions)
        width = _LEFT + len(self._panels) * (self._side + _BAR + _BAR_GAP) + _RIGHT
        self._width = width + _GAP * (len(self._panels) - 1)
        self._words = textwrap.wrap(recipe(report), int(_LETTERS_PER_INCH * self._width))
        self._bottom = self._strip + 0.4 + _LINE * len(self._words)
        self._height = _TOP + self._side + self._bottom
        self.figure = Figure(figsize=(self._width, self._height))
        limit = colour_limit(*(report.grid(p.source, p.what) for p in self._panels[:-1]))
        for place, panel in enumerate(self._panels):
            own = colour_limit(report.grid(panel.source, panel.what))
            self._draw_panel(place, panel, own if panel.what == "asymmetry" else limit)
        self._write_words()

    def _axes(self, left: float, bottom: float, width: float, height: float) -> Axes:
        w, h = self._width, self._height
        return self.figure.add_axes((left / w, bottom / h, width / w, height / h))

    def _draw_panel(self, place: int, panel: _Panel, limit: float) -> None:
        left = _LEFT + place * (self._side + _BAR + _BAR_GAP + _GAP)
        axes = self._axes(left, self._bottom, self._side, self._side)
        values, is_known = self._report.grid(panel.source, panel.what)
        shown = np.ma.masked_array(values, mask=~is_known)
        image = axes.imshow(
            shown, cmap=_COLOURS, vmin=-limit, vmax=limit, interpolation="nearest", aspect="auto"
        )
        axes.set_title(panel.title, fontsize=9, color=_INK, loc="left")
        self._label(axes, is_first=place == 0)
        self._write_numbers(axes, panel, limit)
        if panel.what == "score":
            self._draw_strip(left, panel, is_first=place == 0)
        self._draw_bar(left + self._side + 0.08, image)

    def _label(self, axes: Axes, *, is_first: bool) -> None:
        regions = self._report.regions
        places = range(len(regions))
        axes.set_xticks(places, regions, rotation=90, fontsize=7)
        axes.set_yticks(places, regions, fontsize=7)
        axes.xaxis.tick_top()
        axes.title.set_position((0.0, 1.0))
        axes.tick_params(length=0, pad=2)
        for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
            for label in labels:
                label.set_color(_INK)
        if is_first:
            axes.set_ylabel("only this region in view", fontsize=8, color=_INK)
        for place, name in enumerate(regions):
            square = Rectangle(
                (place - 0.5, place - 0.5), 1, 1, color=region_colour(name), alpha=0.55, lw=0
            )
            axes.add_patch(square)
        axes.spines[:].set_visible(False)

    def _write_numbers(self, axes: Axes, panel: _Panel, limit: float) -> None:
        places = {name: place for place, name in enumerate(self._report.regions)}
        for (row, column), cell in self._report.cells.items():
            estimate = panel.estimate(cell)
            if estimate.value is None:
                continue
            is_strong = abs(estimate.value) > 0.6 * limit
            axes.text(
                places[column],
                places[row],
                number(estimate.value),
                ha="center",
                va="center",
                fontsize=6,
                weight="normal" if estimate.spans_zero else "bold",
                color=_PAPER if is_strong else _INK,
            )

    def _draw_strip(self, left: float, panel: _Panel, *, is_first: bool) -> None:
        """Write ceilings and floors below their columns."""
        axes = self._axes(left, self._bottom - self._strip - 0.08, self._side, self._strip)
        columns = list(self._report.columns.values())
        axes.set_xlim(-0.5, len(columns) - 0.5)
        axes.set_ylim(1.5, -0.5)
        for place, facts in enumerate(columns):
            for line, estimate in enumerate((_ceiling(facts, panel.source), facts.floor)):
                text = "" if estimate.value is None else number(estimate.value)
                weight = "normal" if estimate.spans_zero else "bold"
                axes.text(
                    place,
                    line,
                    text,
                    ha="center",
                    va="center",
                    fontsize=6,
                    color=_QUIET,
                    weight=weight,
                )
        axes.set_xticks([])
        axes.set_yticks([0, 1], ["all others", "no neuron"] if is_first else ["", ""], fontsize=7)
        axes.tick_params(length=0, pad=2)
        axes.spines[:].set_visible(False)
        axes.axhline(-0.45, color=_QUIET, lw=0.6)

    def _draw_bar(self, left: float, image: AxesImage) -> None:
        axes = self._axes(left, self._bottom, _BAR, self._side)
        bar = self.figure.colorbar(image, cax=axes)
        bar.outline.set_visible(False)
        bar.ax.tick_params(labelsize=6, length=2, pad=1, colors=_INK)
        bar.ax.set_title("bits/\nspike", fontsize=6, color=_QUIET)

    def _write_words(self) -> None:
        header, top = self._report.header, 1 - 0.12 / self._height
        made = " (simulated)" if header["is_simulated"] else ""
        title = f"{header['session']}{made}: regions predicted from one region alone"
        left = 0.12 / self._width
        self.figure.text(left, top, title, va="top", fontsize=10, weight="bold", color=_INK)
        below = top - 0.2 / self._height
        caution = f"{CAUTION[0].upper()}{CAUTION[1:]}."
        self.figure.text(left, below, caution, va="top", fontsize=8, color=_QUIET)
        if _has_badge(self._report):
            reason = self._report.untrained_reasons[0]
            badge = f"\u26a0 {reason[0].upper()}{reason[1:]}"
            right = left + 1.6 / self._width
            self.figure.text(right, below, badge, va="top", fontsize=8, color=_WARNING)
        text = "\n".join(self._words)
        self.figure.text(left, 0.1 / self._height, text, va="bottom", fontsize=6, color=_QUIET)


def number(value: float) -> str:
    """Return a score in as few letters as a cell has room for.

    Examples
    --------
    >>> number(0.123), number(-0.004), number(1.5)
    ('.12', '.00', '1.5')
    """
    if abs(value) >= 1:
        return f"{value:.1f}"
    text = f"{value:.2f}".replace("0.", ".", 1)
    return ".00" if text == "-.00" else text.replace("-", "\u2212")


def _panels(report: MatrixReport) -> Iterator[_Panel]:
    yield _Panel(title="model", source="model", what="score")
    if report.header["with_regression"]:
        yield _Panel(
            title="Poisson regression on the row's components", source="regression", what="score"
        )
    yield _Panel(title="asymmetry of the model", source="model", what="asymmetry")


def _ceiling(facts: ColumnFacts, source: SourceName) -> Estimate:
    return facts.ceiling if source == "model" else facts.regression_ceiling
