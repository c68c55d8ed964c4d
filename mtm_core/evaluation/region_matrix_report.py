"""All numbers of a matrix with the choices behind them, as plain values and as a table."""

from __future__ import annotations

import csv
import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.evaluation.region_matrix_cells import ColumnFacts, Estimate, MatrixCell, SourceCell
from mtm_core.evaluation.region_matrix_plan import MatrixPlan
from mtm_core.evaluation.region_matrix_tally import SOURCES, SourceName
from mtm_core.inference import Reconstructor
from mtm_core.masking.region_level import LEVEL_WORDS
from mtm_core.models.backend import backend_words
from mtm_core.resources import atomic_write

CAUTION = "predictive, not causal"
"""Goes with every picture and table of a matrix."""
CAUTION_WORDS = (
    "Predictive, not causal: regions that share a cause predict each other as well as regions "
    "that talk, and the asymmetry does not tell who sends."
)
SCORE_WORDS = (
    "bits per spike beyond the null, pooled over units and draws; intervals: 95 % over samples of "
    "trials"
)
NULL_WORDS = {
    "psth_by_condition": "each unit's training PSTH in the trial's condition",
    "psth_all_trials": "each unit's training PSTH over all trials",
}
CSV_HEADER = (
    *("row_visible", "column_scored", "n_matched_units", "n_units_row", "n_units_column"),
    *("n_spikes", "bps_beyond_null", "low", "high", "draws", "draw_sd", "share_of_ceiling"),
    *("asymmetry", "asymmetry_low", "asymmetry_high"),
    *("regression", "regression_low", "regression_high", "regression_draws"),
    *("regression_share", "regression_asymmetry"),
    *("regression_asymmetry_low", "regression_asymmetry_high"),
    *("model_minus_regression", "difference_low", "difference_high"),
    *("ceiling", "regression_ceiling", "floor", "null", "not_trained_for_this", "caution"),
)
"""Columns of `MatrixReport.csv_rows`; an unknown number is an empty field."""


@dataclass(frozen=True, eq=False, kw_only=True)
class MatrixReport:
    """A matrix as it is: perhaps not all of it yet.

    Parameters
    ----------
    header : mapping of str to value
        Session, model, settings and rules: what a reader needs to judge the numbers.
    n_done, n_steps : int
        Steps that are done, and steps of the whole matrix.
    columns : mapping of str to ColumnFacts
        Ceiling and floor of every region, in the order of the matrix.
    cells : mapping of (str, str) to MatrixCell
        By (row, column), off the diagonal.
    """

    header: Mapping[str, Any]
    n_done: int
    n_steps: int
    columns: Mapping[str, ColumnFacts]
    cells: Mapping[tuple[str, str], MatrixCell]

    @property
    def regions(self) -> tuple[str, ...]:
        """Rows and columns, in order."""
        return tuple(self.columns)

    @property
    def is_complete(self) -> bool:
        """True once every step is done."""
        return self.n_done == self.n_steps

    @property
    def untrained_reasons(self) -> tuple[str, ...]:
        """The different reasons why the model was not trained for cells."""
        found = (cell.untrained_reason for cell in self.cells.values())
        return tuple(dict.fromkeys(reason for reason in found if reason is not None))

    def grid(
        self, source: SourceName = "model", what: str = "score"
    ) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """Return one number of every cell, and which there are, shape (n_regions, n_regions).

        Parameters
        ----------
        source : {"model", "regression"}
            Whose.
        what : {"score", "asymmetry"}
            Which; see `SourceCell`.
        """
        size = len(self.regions)
        values, is_known = np.zeros((size, size)), np.zeros((size, size), dtype=bool)
        for place in np.ndindex(size, size):
            cell = self.cells.get((self.regions[place[0]], self.regions[place[1]]))
            if cell is None:
                continue
            number = getattr(source_cell(cell, source), what).value
            if number is not None:
                values[place], is_known[place] = number, True
        return values, is_known

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain values for JSON."""
        return {
            **self.header,
            "n_done": self.n_done,
            "n_steps": self.n_steps,
            "regions": [_plain(facts) for facts in self.columns.values()],
            "cells": [_plain(cell) for cell in self.cells.values()],
        }

    def csv_rows(self) -> list[list[object]]:
        """Return a line for each cell, in the order of `CSV_HEADER`."""
        return [self._csv_row(cell) for cell in self.cells.values()]

    def _csv_row(self, cell: MatrixCell) -> list[object]:
        row, column = self.columns[cell.row], self.columns[cell.column]
        model, rival = cell.model, cell.regression
        values: list[object | None] = [
            *(cell.row, cell.column, self.header["n_matched"], row.n_units, column.n_units),
            *(cell.n_spikes, *_three(model.score), model.n_draws, model.draw_spread, model.share),
            *_three(model.asymmetry),
            *(*_three(rival.score), rival.n_draws, rival.share, *_three(rival.asymmetry)),
            *_three(cell.difference),
            *(column.ceiling.value, column.regression_ceiling.value, column.floor.value),
            self.header["null"],
            cell.untrained_reason,
            CAUTION,
        ]
        return ["" if value is None else value for value in values]


def write_csv(report: MatrixReport, path: str | os.PathLike[str]) -> None:
    """Write a line for each cell, whole or not at all; the first line names the columns.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    with atomic_write(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(CSV_HEADER)
        writer.writerows(report.csv_rows())


def source_cell(cell: MatrixCell, source: SourceName) -> SourceCell:
    """Return one predictor's numbers of a cell."""
    return cell.model if source == "model" else cell.regression


def describe_matrix(
    bound: Reconstructor, plan: MatrixPlan, prompt: str, n_trials: int
) -> dict[str, Any]:
    """Return the choices behind a matrix."""
    manifest, session, settings = bound.checkpoint.manifest, bound.session, plan.settings
    return {
        "caution": CAUTION_WORDS,
        "score": SCORE_WORDS,
        "session": session.session_id,
        "session_hash": session.content_hash,
        "is_simulated": session.provenance.is_simulated,
        "checkpoint": str(bound.checkpoint.path),
        "preset": manifest.config.name,
        "schemes": list(manifest.config.masking.schemes),
        "train_seed": manifest.config.run.seed,
        "train_step": manifest.step,
        "prompt": prompt,
        "level": settings.level,
        "level_words": LEVEL_WORDS[settings.level],
        "n_matched": plan.n_matched,
        "n_draws": settings.n_draws,
        "min_units": settings.min_units,
        "left_out": dict(plan.left_out),
        "split": settings.split,
        "split_kind": manifest.config.data.split,
        "split_seed": manifest.config.data.split_seed,
        "n_trials": n_trials,
        "with_regression": settings.with_regression,
        "seed": settings.seed,
        "sources": list(SOURCES if settings.with_regression else SOURCES[:1]),
        "versions": dict(manifest.versions),
        "backend": backend_words(),
    }


def _three(estimate: Estimate) -> tuple[float | None, float | None, float | None]:
    low, high = estimate.interval or (None, None)
    return estimate.value, low, high


def _plain(value: object) -> Any:  # noqa: ANN401 - plain values of any kind
    """Return dataclasses and estimates as dictionaries."""
    if isinstance(value, Estimate):
        return {"value": value.value, "interval": value.interval}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    return value


def colour_limit(*grids: tuple[NDArray[np.float64], NDArray[np.bool_]]) -> float:
    """Return the value that takes the strongest colour: the largest in size, of all grids.

    Examples
    --------
    >>> colour_limit((np.array([[0.0, -0.2]]), np.array([[False, True]])))
    0.2
    """
    largest = [float(np.abs(values[is_known]).max(initial=0.0)) for values, is_known in grids]
    return max(largest, default=0.0) or 0.01
