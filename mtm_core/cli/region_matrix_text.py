"""What `mtm-core region-matrix` prints: the choices behind the numbers, and the matrices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mtm_core.cli.output import table_text
from mtm_core.evaluation.region_matrix_cells import Estimate, MatrixCell
from mtm_core.evaluation.region_matrix_report import NULL_WORDS, MatrixReport

Values = Mapping[str, Any]

_N_BEST = 8
_BEST_HEADER = (
    *("row > column", "bps", "95 %", "SD of draws", "of ceiling"),
    *("regression", "model - regression", "asymmetry"),
)
_SOURCES = {"model": "Model", "regression": "Poisson regression on the row's components"}
_QUESTIONS = {
    "pairs": "pairs, in either direction",
    "cells": "cells, from row to column",
    "asymmetry": "asymmetry, sent minus received",
}


def matrix_text(report: MatrixReport, values: Values) -> str:
    """Return the report for people; `values` holds what the command added to it."""
    parts = ["\n".join(_choices(report))]
    for source in report.header["sources"]:
        parts.append(f"{_SOURCES[source]}\n{_matrix(report, source)}")
    parts.append("\n".join(_summary(report)))
    if "coupling_recovery" in values:
        parts.append(_recovery(values["coupling_recovery"]))
    return "\n\n".join(parts)


def _choices(report: MatrixReport) -> Iterator[str]:
    header = report.header
    made = " (simulated)" if header["is_simulated"] else ""
    yield (
        f"Session   {header['session']}{made}, {header['n_trials']} {header['split']} trials "
        f"({header['split_kind']} split, seed {header['split_seed']})"
    )
    yield (
        f"Model     {header['preset']}, step {header['train_step']}, seed "
        f"{header['train_seed']} ({header['checkpoint']}), prompt {header['prompt']}"
    )
    yield (
        f"Units     {header['n_matched']} of every region, {header['n_draws']} draws (seed "
        f"{header['seed']}); {header['level_words']}"
    )
    yield f"Null      {header['null']}: {NULL_WORDS[header['null']]}"
    yield "Score     bits per spike, pooled over units and draws; * the 95 % interval leaves out 0"
    yield "Rows      the only region in view; all others hidden"
    yield "Columns   the region predicted"
    yield "all       everything outside the column's region in view: its ceiling"
    yield "none      each unit's training PSTH over all trials, which sees no neuron"
    for name, why in header["left_out"].items():
        yield f"Left out  {name}: {why}"
    for reason in report.untrained_reasons:
        n_cells = sum(cell.untrained_reason == reason for cell in report.cells.values())
        yield f"Warning   {n_cells} of {len(report.cells)} cells: {reason}"
    if report.untrained_reasons:
        yield "Advice    train a model that is asked about one region: --preset quick-subset"
    yield f"Caution   {header['caution']}"


def _matrix(report: MatrixReport, source: str) -> str:
    """Return one predictor's matrix, with ceilings and floors as the last rows."""
    is_model = source == "model"
    rows: list[list[object]] = []
    for row in report.regions:
        cells = (report.cells.get((row, column)) for column in report.regions)
        texts = ("" if cell is None else _starred(_score(cell, source)) for cell in cells)
        rows.append([row, *texts])
    facts = report.columns.values()
    ceilings = (each.ceiling if is_model else each.regression_ceiling for each in facts)
    rows.append(["all", *map(_starred, ceilings)])
    rows.append(["none", *(_starred(each.floor) for each in facts)])
    return table_text(["", *(f" {name}" for name in report.regions)], rows)


def _score(cell: MatrixCell, source: str) -> Estimate:
    return cell.model.score if source == "model" else cell.regression.score


def _starred(estimate: Estimate) -> str:
    """Return a score with a star where its interval leaves out 0."""
    if estimate.value is None:
        return " -"
    return f"{estimate.value: .3f}{' ' if estimate.spans_zero else '*'}"


def _summary(report: MatrixReport) -> Iterator[str]:
    known = [cell for cell in report.cells.values() if cell.model.score.value is not None]
    ranked = sorted(known, key=lambda cell: cell.model.score.value or 0.0, reverse=True)
    yield f"The {min(len(ranked), _N_BEST)} highest cells of the model (--csv has them all)"
    yield table_text(_BEST_HEADER, (_best_row(cell) for cell in ranked[:_N_BEST]))
    if report.header["with_regression"]:
        yield ""
        yield _comparison(known)


def _best_row(cell: MatrixCell) -> list[object]:
    model = cell.model
    return [
        f"{cell.row} > {cell.column}",
        model.score.value,
        _range(model.score),
        model.draw_spread,
        "-" if model.share is None else f"{100 * model.share:.0f} %",
        cell.regression.score.value,
        _with_range(cell.difference),
        _with_range(model.asymmetry),
    ]


def _comparison(cells: list[MatrixCell]) -> str:
    """Say in how many cells model and regression are ahead of each other."""
    differences = [cell.difference for cell in cells if cell.difference.value is not None]
    n_ahead = sum(each.is_above_zero for each in differences)
    n_behind = sum(not each.is_above_zero and not each.spans_zero for each in differences)
    return (
        f"Model against regression, {len(differences)} cells: ahead in {n_ahead}, behind in "
        f"{n_behind}, no difference that the interval would show in the others."
    )


def _recovery(found: Values) -> str:
    rows = [
        [source, _QUESTIONS[what], each["n"], each["rho"], each["best"], _chance(each["p"])]
        for source, by_question in found.items()
        for what, each in by_question.items()
    ]
    title = (
        "Known coupling of the simulation, Spearman's rank correlation (at best: what an order "
        "without ties can reach;\np: share of renamings of the regions that do as well)"
    )
    header = ("matrix of", "question", "n", "rho", "at best", "p")
    return f"{title}\n{table_text(header, rows)}"


def _chance(p: float | None) -> str:
    if p is None:
        return "-"
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _with_range(estimate: Estimate) -> str:
    if estimate.value is None:
        return "-"
    return f"{estimate.value:.3f} {_range(estimate)}"


def _range(estimate: Estimate) -> str:
    if estimate.interval is None:
        return "-"
    return f"[{estimate.interval[0]:.3f}, {estimate.interval[1]:.3f}]"
