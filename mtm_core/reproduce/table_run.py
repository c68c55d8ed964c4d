"""Make a table of the paper: compute what is missing, write it as Markdown, CSV and JSON.

The folder::

    settings.json                            what the cells are made with
    cells/SESSION.SPLIT.VARIANT.seedN.json   scores of one trained model
    cells/SESSION.SPLIT.baselines.json       scores of all classical baselines
    failed/...                               why a cell could not be computed
    claims/                                  held by whoever computes a cell
    runs/SESSION.SPLIT.VARIANT.seedN/        the training run
    table.md, table.csv, table.json          what came of it
    figures/                                 the same, drawn
"""

from __future__ import annotations

import csv
import dataclasses
import functools
import io
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mtm_core.errors import TrainingError
from mtm_core.reproduce.claimed import Desk, compute_claimed
from mtm_core.reproduce.published import COLUMNS, SOURCE, published_rows
from mtm_core.reproduce.reuse import take_cells
from mtm_core.reproduce.table_cell import try_cell
from mtm_core.reproduce.table_figures import draw_figures
from mtm_core.reproduce.table_plan import TableCell, TablePlan
from mtm_core.reproduce.table_rows import MEASURES, Row, not_recorded
from mtm_core.reproduce.table_text import NOT_RECORDED, behavior_rows, table_rows, table_text
from mtm_core.resources import atomic_write
from mtm_core.shared_folder import prepare_folder, write_json


@dataclass(frozen=True, kw_only=True)
class TableProgress:
    """A cell was computed or failed, or all those that are there were found.

    Parameters
    ----------
    name : str
        Which.
    n_done, n_failed, n_cells : int
        How many are there, how many failed in this call, how many there will be.
    seconds_left : float
        About how long is to come; 0 where nothing was computed yet.
    why : str or None
        What went wrong.
    """

    name: str
    n_done: int
    n_failed: int
    n_cells: int
    seconds_left: float
    why: str | None = None


def make_table(plan: TablePlan) -> Iterator[TableProgress]:
    """Compute what is missing and write the table; iterate over the result to make it happen.

    Yields
    ------
    TableProgress
        First for the cells that are there, then after each other one; the table is up to date
        by then, and at the end its figures too.

    Raises
    ------
    TrainingError
        If the folder was made with other settings.
    ConfigError
        If cells cannot be taken from another folder.
    OutputError
        If it cannot be written.
    """
    prepare_folder(plan.out, plan.settings())
    take_cells(plan)
    cells = plan.cells()
    todo = [cell for cell in cells if not plan.file_of(cell).exists()]
    n_done, n_failed = len(cells) - len(todo), 0
    write_table(plan)
    yield TableProgress(
        name="those found", n_done=n_done, n_failed=0, n_cells=len(cells), seconds_left=0.0
    )
    started = time.perf_counter()
    desk = Desk(
        out=plan.out,
        work=functools.partial(_try_and_note, plan),
        file_of=plan.file_of,
        failure_of=plan.failure_of,
    )
    phases = [[c for c in todo if plan.waits(c) == waits] for waits in (False, True)]
    computed = itertools.chain.from_iterable(
        compute_claimed(desk, phase, workers=plan.workers, threads=plan.threads)
        for phase in phases
    )
    for number, (cell, why) in enumerate(computed, 1):
        n_done, n_failed = n_done + (why is None), n_failed + (why is not None)
        if why is not None and not plan.failure_of(cell).exists():
            _note_failure(plan, cell, why)  # of a worker that could not say so itself
        write_table(plan)
        left = (time.perf_counter() - started) / number * (len(todo) - number)
        yield TableProgress(
            name=cell.name,
            n_done=n_done,
            n_failed=n_failed,
            n_cells=len(cells),
            seconds_left=left,
            why=why,
        )
    write_table(plan)  # a slower process may have written an older one
    draw_figures(plan)
    if n_failed and n_failed == len(todo):
        msg = f"No cell could be computed. {plan.out / 'table.md'} says why."
        raise TrainingError(msg)


def _try_and_note(plan: TablePlan, cell: TableCell) -> str | None:
    """Compute a cell; say to other processes too what went wrong."""
    why = try_cell(plan, cell)
    _note_failure(plan, cell, why)
    return why


def _note_failure(plan: TablePlan, cell: TableCell, why: str | None) -> None:
    """Keep why a cell could not be computed, until it is."""
    path = plan.failure_of(cell)
    if why is None:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {"cell": cell.name, "why": why})


def write_table(plan: TablePlan) -> None:
    """Write the table from the cells that are there."""
    is_tasks = plan.content.kind == "tasks"
    rows = table_rows(plan) if is_tasks else []
    behavior = behavior_rows(plan)
    failed = plan.failures([cell for cell in plan.cells() if not plan.file_of(cell).exists()])
    missing = {target: not_recorded(plan, target) for target in COLUMNS[4:]}
    values = {
        **plan.settings(),
        "sessions": [path.stem for path in plan.sessions],
        "seeds": list(plan.seeds),
        "splits": list(plan.splits),
        "measures": MEASURES,
        "columns": list(COLUMNS),
        "rows": [dataclasses.asdict(row) for row in rows],
        "behavior": behavior,
        "not_recorded": {target: why for target, why in missing.items() if why},
        "published": {
            "source": SOURCE,
            "other_data": True,
            "rows": [dataclasses.asdict(row) for row in published_rows(plan.table)],
        },
        "failed": failed,
    }
    write_json(plan.out / "table.json", values)
    _write(plan, "table.md", table_text(plan))
    text = _tasks_csv(plan, rows, missing) if is_tasks else _behavior_csv(behavior)
    _write(plan, "table.csv", text)


def _write(plan: TablePlan, name: str, text: str) -> None:
    with atomic_write(plan.out / name) as temporary:
        temporary.write_text(text, encoding="utf-8")


_HEAD = ("split", "measure", "kind", "row", "label")
_TAIL = ("n_cells", "n_planned", "note", "runs")


def _tasks_csv(plan: TablePlan, rows: list[Row], missing: dict[str, dict[str, str]]) -> str:
    columns = [name for column in COLUMNS for name in (column, f"{column}_sd")]
    lines: list[dict[str, Any]] = []
    for row in rows:
        line: dict[str, Any] = dict(
            zip(_HEAD, (row.split, row.measure, row.kind, row.name, row.label), strict=True)
        )
        line |= {target: NOT_RECORDED for target, why in missing.items() if why}
        for column, value in row.values.items():
            line |= {column: value.mean, f"{column}_sd": value.sd}
        line |= {"n_cells": row.n_cells, "n_planned": row.n_planned, "runs": " ".join(row.runs)}
        lines.append(line)
    for each in published_rows(plan.table):
        line = dict(
            zip(_HEAD, ("", "bps_unit_mean", "published", each.name, each.label), strict=True)
        )
        note = "; ".join(filter(None, ("other data", SOURCE, each.note)))
        lines.append(line | each.values | {"note": note})
    return _csv([*_HEAD, *columns, *_TAIL], lines)


def _behavior_csv(behavior: list[dict[str, object]]) -> str:
    names = list(dict.fromkeys(name for row in behavior for name in row))
    return _csv(names, behavior)


def _csv(names: list[str], lines: list[dict[str, Any]]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return stream.getvalue()
