"""The region-to-region matrix as the window shows it: colours, numbers in cells, sentences."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mtm_core.evaluation.region_matrix_cells import Estimate, MatrixCell, NullName, SourceCell
from mtm_core.evaluation.region_matrix_plan import MatrixSettings
from mtm_core.evaluation.region_matrix_report import (
    CAUTION,
    MatrixReport,
    colour_limit,
    source_cell,
)
from mtm_core.evaluation.region_matrix_tally import SourceName
from mtm_core.evaluation.unit_labels import region_colour
from mtm_core.masking.region_level import LevelName, only_region_visible
from mtm_core.masking.spec import MaskSpec

LEVEL_TEXTS: Mapping[str, str] = {
    "given": "Given areas",
    "beryl": "Beryl",
    "cosmos": "Cosmos",
}
NULL_TEXTS: Mapping[str, str] = {
    "psth_by_condition": "PSTH by condition",
    "psth_all_trials": "PSTH of all trials",
}
SOURCE_TEXTS: Mapping[str, str] = {"model": "Model", "regression": "Regression"}
_MINUS, _ARROW = "\N{MINUS SIGN}", "\N{RIGHTWARDS ARROW}"


@dataclass(frozen=True, kw_only=True)
class MatrixChoice:
    """Which matrix is shown, and how.

    Parameters
    ----------
    level : {"given", "beryl", "cosmos"}
        Names of regions.
    min_units : int
        Smaller regions are left out.
    null : str
        What scores are gains over.
    source : {"model", "regression"}
        Who predicts.
    is_asymmetry : bool
        Show each cell minus its transpose.
    """

    level: LevelName = "given"
    min_units: int = 10
    null: NullName = "psth_by_condition"
    source: SourceName = "model"
    is_asymmetry: bool = False

    @property
    def settings(self) -> MatrixSettings:
        """What must be computed for it."""
        return MatrixSettings(level=self.level, min_units=self.min_units)


@dataclass(frozen=True, eq=False, kw_only=True)
class MatrixAnswer:
    """A matrix as far as it is known.

    Parameters
    ----------
    settings : MatrixSettings
        What it was computed for.
    reports : mapping of str to MatrixReport
        Its numbers over each null.
    seconds_left : float or None
        Estimate for the rest; None where nothing was timed yet.
    """

    settings: MatrixSettings
    reports: Mapping[NullName, MatrixReport]
    seconds_left: float | None = None

    @property
    def share_done(self) -> float:
        """Share of the steps that are done, 0 to 1."""
        report = self.report("psth_by_condition")
        return report.n_done / report.n_steps

    def report(self, null: NullName) -> MatrixReport:
        """Return the numbers over a null."""
        return self.reports[null]


@dataclass(frozen=True, eq=False, kw_only=True)
class MatrixDrawable:
    """What the view draws.

    Parameters
    ----------
    regions : tuple of str
        Rows and columns.
    region_colours : tuple of str
        Their atlas colours, ``#rrggbb``.
    colour : ndarray of uint8, shape (n_regions, n_regions)
        Place in a table of 256 colours, 0 in the middle.
    is_known, is_firm, is_untrained : ndarray of bool, shape (n_regions, n_regions)
        Cells with a number; those whose interval leaves out 0, once half of the draws of units
        are done; those that the model was not trained for.
    texts : tuple of tuple of str
        A short number for each cell.
    ceilings, floors : tuple of str
        A short number below each column; empty for the asymmetry.
    limit : float
        Value of the strongest colour, bits per spike.
    title, badge, badge_tooltip : str
        What is shown; "" and "" where the model was trained for it.
    """

    regions: tuple[str, ...]
    region_colours: tuple[str, ...]
    colour: NDArray[np.uint8]
    is_known: NDArray[np.bool_]
    is_firm: NDArray[np.bool_]
    is_untrained: NDArray[np.bool_]
    texts: tuple[tuple[str, ...], ...]
    ceilings: tuple[str, ...]
    floors: tuple[str, ...]
    limit: float
    title: str
    badge: str = ""
    badge_tooltip: str = ""


def matrix_drawable(report: MatrixReport, choice: MatrixChoice, command: str) -> MatrixDrawable:
    """Make what the view draws.

    Parameters
    ----------
    report : MatrixReport
        The numbers, over the chosen null.
    choice : MatrixChoice
        What of them is shown.
    command : str
        What trains a model that serves the matrix.
    """
    what = "asymmetry" if choice.is_asymmetry else "score"
    values, is_known = report.grid(choice.source, what)
    limit = colour_limit((values, is_known))
    estimates = _Estimates(report, choice.source, what)
    columns = () if choice.is_asymmetry else tuple(report.columns.values())
    is_model = choice.source == "model"
    badge = f"{_sentence(report.untrained_reasons[0])}." if report.untrained_reasons else ""
    return MatrixDrawable(
        regions=report.regions,
        region_colours=tuple(map(region_colour, report.regions)),
        colour=np.rint(127.5 * (1 + np.clip(values / limit, -1, 1))).astype(np.uint8),
        is_known=is_known,
        is_firm=estimates.grid(
            lambda cell, found: not found.spans_zero and _is_settled(cell, report, choice)
        ),
        is_untrained=estimates.grid(lambda cell, found: cell.untrained_reason is not None),
        texts=estimates.texts(),
        ceilings=tuple(
            short(each.ceiling if is_model else each.regression_ceiling) for each in columns
        ),
        floors=tuple(short(each.floor) for each in columns),
        limit=limit,
        title=_title(report, choice, limit),
        badge="Not trained for this" if badge else "",
        badge_tooltip=f"{badge} To train one that is: {command}" if badge else "",
    )


def short(estimate: Estimate) -> str:
    """Return a number in as few letters as a cell has room for.

    Examples
    --------
    >>> short(Estimate(0.123)), short(Estimate(-0.004)), short(Estimate())
    ('.12', '.00', '')
    """
    if estimate.value is None:
        return ""
    text = f"{abs(estimate.value):.2f}".removeprefix("0")
    return f"{_MINUS}{text}" if estimate.value < 0 and text.strip(".0") else text


def cell_lines(report: MatrixReport, row: str, column: str) -> tuple[str, ...]:
    """Say all that is known of a cell, one sentence a line; of the diagonal that there is none."""
    cell = report.cells.get((row, column))
    if cell is None:
        return (f"{row}: a region is not predicted from itself.",)
    facts = {name: report.columns[name] for name in (row, column)}
    header, model, rival = report.header, cell.model, cell.regression
    n = header["n_matched"]
    lines = [
        f"{column} from {row} alone: {_bps(model.score)} beyond the {NULL_TEXTS[header['null']]}",
        f"{_draws(model, header['n_draws'])}; {n} of {facts[row].n_units} units of {row}, {n} of "
        f"{facts[column].n_units} units of {column}, {cell.n_spikes:,} spikes",
        f"Ceiling (all other regions): {_bps(facts[column].ceiling)}{_share(model)}; no neuron: "
        f"{_bps(facts[column].floor)}",
        f"Poisson regression: {_bps(rival.score)}{_share(rival)}; model minus regression "
        f"{_bps(cell.difference)}",
        f"Asymmetry ({row} {_ARROW} {column} minus {column} {_ARROW} {row}): "
        f"{_bps(model.asymmetry)}",
    ]
    if cell.untrained_reason is not None:
        lines.append(f"{_sentence(cell.untrained_reason)}.")
    return tuple(lines)


def caution_words() -> str:
    """Say what rows and columns are, and what the matrix is not."""
    return (
        "Rows: the only region in view; columns: the region predicted. "
        f"{_sentence(CAUTION)}: regions with a common cause predict each other as well."
    )


def cell_mask(report: MatrixReport, level: LevelName, row: str, column: str) -> MaskSpec:
    """Return the mask of a cell: only the row region visible, the column region scored."""
    return only_region_visible(level, row, column, report.header["prompt"])


def progress_words(answer: MatrixAnswer | None, *, is_running: bool, is_paused: bool) -> str:
    """Say how far the matrix is.

    Examples
    --------
    >>> progress_words(None, is_running=True, is_paused=False)
    'beginning'
    """
    if answer is None:
        return "beginning" if is_running else ""
    report = answer.report("psth_by_condition")
    if report.is_complete:
        return "complete"
    done = f"{report.n_done} of {report.n_steps} steps"
    if is_paused or not is_running:
        return f"{done}, paused" if is_paused else done
    if answer.seconds_left is None:
        return done
    return f"{done}, about {duration(answer.seconds_left)} left"


def duration(seconds: float) -> str:
    """Say a time in words.

    Examples
    --------
    >>> duration(0.2), duration(42), duration(200)
    ('1 s', '42 s', '3 min')
    """
    return f"{max(round(seconds), 1)} s" if seconds < 100 else f"{seconds / 60:.0f} min"


class _Estimates:
    """One number of every cell, with what else is said of it."""

    def __init__(self, report: MatrixReport, source: SourceName, what: str) -> None:
        self._report, self._source, self._what = report, source, what

    def grid(self, ask: Callable[[MatrixCell, Estimate], bool]) -> NDArray[np.bool_]:
        """Ask something of every cell; the diagonal answers no."""
        regions = self._report.regions
        found = np.zeros((len(regions), len(regions)), dtype=bool)
        for place in np.ndindex(found.shape):
            cell = self._report.cells.get((regions[place[0]], regions[place[1]]))
            found[place] = cell is not None and ask(cell, self._of(cell))
        return found

    def texts(self) -> tuple[tuple[str, ...], ...]:
        """Return the short numbers."""
        regions, cells = self._report.regions, self._report.cells
        return tuple(
            tuple(
                short(self._of(cells[row, column])) if row != column else "" for column in regions
            )
            for row in regions
        )

    def _of(self, cell: MatrixCell) -> Estimate:
        found: Estimate = getattr(source_cell(cell, self._source), self._what)
        return found


def _title(report: MatrixReport, choice: MatrixChoice, limit: float) -> str:
    header = report.header
    null = f"bits/spike beyond the {NULL_TEXTS[header['null']]}"
    what = "cell minus transpose" if choice.is_asymmetry else null
    done = min(source_cell(cell, choice.source).n_draws for cell in report.cells.values())
    n_draws = header["n_draws"]
    of = "" if done == n_draws else f", so far {done} of {n_draws} draws of them"
    return (
        f"{SOURCE_TEXTS[choice.source]}: {what}, colours to \N{PLUS-MINUS SIGN}{limit:.2f}; "
        f"{header['n_matched']} units a region{of}, {header['n_trials']} {header['split']} trials"
    )


def _is_settled(cell: MatrixCell, report: MatrixReport, choice: MatrixChoice) -> bool:
    """Tell whether so many draws of units are done that further ones will not move it far."""
    return 2 * source_cell(cell, choice.source).n_draws >= int(report.header["n_draws"])


def _sentence(phrase: str) -> str:
    return f"{phrase[0].upper()}{phrase[1:]}"


def _bps(estimate: Estimate) -> str:
    if estimate.value is None:
        return "not known yet"
    low_high = estimate.interval
    span = "" if low_high is None else f" [{low_high[0]:.3f}, {low_high[1]:.3f}]"
    return f"{estimate.value:.3f}{span}".replace("-", _MINUS)


def _share(source: SourceCell) -> str:
    if source.share is None:
        return ""
    return f" ({100 * source.share:.0f} % of it)".replace("-", _MINUS)


def _draws(source: SourceCell, n_draws: int) -> str:
    spread = "" if source.draw_spread is None else f", SD {source.draw_spread:.3f}"
    return f"{source.n_draws} of {n_draws} draws{spread}"
