"""From cells to rows: means over sessions, and mean and spread over seeds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mtm_core.config import SplitName
from mtm_core.evaluation.summary import Mean
from mtm_core.masking.tasks import TASKS
from mtm_core.reproduce.published import COLUMNS
from mtm_core.reproduce.table_behavior import AUTO
from mtm_core.reproduce.table_differences import Difference, paired_difference
from mtm_core.reproduce.table_plan import TableCell, TablePlan

Values = Mapping[str, Any]

MEASURES = {
    "bps_pooled": "bits per spike, pooled over units; null: mean rate in training trials",
    "bps_unit_mean": "bits per spike, mean over units with any scored spike (the published rule); "
    "null: the unit's own mean over the scored test entries",
}
"""Each way to average bits per spike, in words."""
RAW_COUNTS = "raw_counts"


@dataclass(frozen=True, kw_only=True)
class Value:
    """One number of a row.

    Parameters
    ----------
    mean : float
        Over sessions, then over seeds.
    sd : float or None
        Standard deviation over seeds of the mean over sessions; None for one complete seed.
    n_sessions, n_seeds : int
        How many it was made from.
    """

    mean: float
    sd: float | None
    n_sessions: int
    n_seeds: int


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a table under one split and one measure.

    Parameters
    ----------
    split, measure : str
        How trials are divided, and one of `MEASURES`.
    kind : str
        ``model`` or ``classical``.
    name, label : str
        What it is.
    values : dict of str to Value
        By column; those that could not be scored are left out.
    minus_baseline : dict of str to Difference
        The difference from the table's baseline, session by session, for each column.
    minus_classical : dict of str to Difference
        The same from the best classical baseline of each task.
    classical : dict of str to str
        Which that is: the one of the highest mean over sessions.
    n_cells, n_planned : int
        Cells that are there, and that will be.
    runs : tuple of str
        Folders of the training runs.
    """

    split: str
    measure: str
    kind: str
    name: str
    label: str
    values: Mapping[str, Value]
    minus_baseline: Mapping[str, Difference] = field(default_factory=dict)
    minus_classical: Mapping[str, Difference] = field(default_factory=dict)
    classical: Mapping[str, str] = field(default_factory=dict)
    n_cells: int
    n_planned: int
    runs: tuple[str, ...] = ()


def model_rows(plan: TablePlan, split: SplitName, measure: str) -> list[Row]:
    """Return a row for every variant."""
    cells = {each.name: _cells(plan, split, each.name) for each in plan.content.variants}
    grids = {name: _grids(found, measure) for name, found in cells.items()}
    baseline = plan.content.baseline
    rivals = _classical_cells(plan, split)
    rival_grids = {name: _grids(found, measure) for name, found in rivals.items()}
    best = _best(rival_grids)
    return [
        Row(
            split=split,
            measure=measure,
            kind="model",
            name=variant.name,
            label=variant.label,
            values=_summarise(grids[variant.name]),
            minus_baseline=(
                _differences(
                    (cells[variant.name], grids[variant.name]),
                    (cells[baseline], grids[baseline]),
                    measure,
                )
                if baseline and variant.name != baseline
                else {}
            ),
            minus_classical={
                task: difference
                for task, name in best.items()
                for column, difference in _differences(
                    (cells[variant.name], grids[variant.name]),
                    (rivals[name], rival_grids[name]),
                    measure,
                ).items()
                if column == task
            },
            classical=best,
            n_cells=len(cells[variant.name]),
            n_planned=len(plan.sessions) * len(plan.seeds),
            runs=tuple(str(values["run"]) for values in cells[variant.name].values()),
        )
        for variant in plan.content.variants
    ]


def _classical_cells(plan: TablePlan, split: SplitName) -> dict[str, dict[Key, Values]]:
    """Return the classical baselines in the form of models' cells: the same for every seed."""
    found: dict[str, dict[Key, Values]] = {}
    for path in plan.sessions:
        values = plan.read(TableCell(path=str(path), split=split)) or {}
        trials = values.get("baseline_trials", {})
        for name, tasks in values.get("baselines", {}).items():
            cell = {"tasks": tasks, "trials": trials.get(name, {})}
            found.setdefault(name, {}).update({(seed, path.stem): cell for seed in plan.seeds})
    return found


def _best(grids: Mapping[str, Mapping[str, Grid]]) -> dict[str, str]:
    """Return the name of the highest mean over sessions for each task."""
    best: dict[str, str] = {}
    for task in TASKS:
        means = {name: _mean(grid[task].values()) for name, grid in grids.items() if grid[task]}
        if means:
            best[task] = max(means, key=lambda name: means[name])
    return best


def classical_rows(plan: TablePlan, split: SplitName, measure: str) -> list[Row]:
    """Return a row for every classical baseline; behaviour from raw counts is one of them."""
    found = {}
    for path in plan.sessions:
        values = plan.read(TableCell(path=str(path), split=split))
        if values is not None:
            found[(0, path.stem)] = values
    names = dict.fromkeys(name for values in found.values() for name in values["baselines"])
    rows = [
        Row(
            split=split,
            measure=measure,
            kind="classical",
            name=name,
            label=name.replace("_", " "),
            values=_summarise(
                {
                    task: _grid(
                        found,
                        lambda v, task=task, name=name: _bps(
                            v["baselines"].get(name, {}), task, measure
                        ),
                    )
                    for task in TASKS
                }
            ),
            n_cells=len(found),
            n_planned=len(plan.sessions),
        )
        for name in names
    ]
    return [*rows, *_raw_counts(plan, split, measure)]


def behavior_score(values: Values, target: str, features: str, prompt: str = AUTO) -> float | None:
    """Return what a cell's decoder of a target scored; None if it was not decoded."""
    found = values.get("behavior", {}).get(prompt, {}).get(target, {})
    metric = "accuracy" if found.get("classes") else "r2"
    for decoder in found.get("decoders", ()):
        if decoder["features"] == features:  # the first: logistic, or ridge as published
            score = decoder["scores"].get(metric)
            return None if score is None else score["value"]
    return None


def not_recorded(plan: TablePlan, target: str) -> dict[str, str]:
    """Return why a target was decoded in no cell, by session; empty if it was in some."""
    reasons: dict[str, str] = {}
    for cell in plan.cells():
        values = plan.read(cell) if cell.variant else None
        for found in (values or {}).get("behavior", {}).values():
            if "decoders" in found.get(target, {}):
                return {}
            if target in found and values is not None:
                reasons[str(values["session"])] = found[target]["why_not"]
    return reasons


def _raw_counts(plan: TablePlan, split: SplitName, measure: str) -> list[Row]:
    """Behaviour from raw counts is the same beside every variant: take the first's."""
    cells = _cells(plan, split, plan.content.variants[0].name)
    grids = {
        target: _grid(cells, lambda v, t=target: behavior_score(v, t, "counts"))
        for target in COLUMNS[len(TASKS) :]
    }
    values = _summarise(grids)
    if not values:
        return []
    return [
        Row(
            split=split,
            measure=measure,
            kind="classical",
            name=RAW_COUNTS,
            label="decoders of raw counts",
            values=values,
            n_cells=len(cells),
            n_planned=len(plan.sessions) * len(plan.seeds),
        )
    ]


Key = tuple[int, str]
Grid = dict[Key, float]
"""A value for each seed and session that has one."""


def _cells(plan: TablePlan, split: SplitName, variant: str) -> dict[Key, Values]:
    found = {}
    for seed in plan.seeds:
        for path in plan.sessions:
            cell = TableCell(path=str(path), split=split, variant=variant, seed=seed)
            values = plan.read(cell)
            if values is not None:
                found[(seed, path.stem)] = values
    return found


def _grids(cells: Mapping[Key, Values], measure: str) -> dict[str, Grid]:
    grids: dict[str, Grid] = {
        task: _grid(cells, lambda v, t=task: _bps(v.get("tasks", {}), t, measure))
        for task in TASKS
    }
    for target in COLUMNS[len(TASKS) :]:
        grids[target] = _grid(cells, lambda v, t=target: behavior_score(v, t, "log_rate"))
    return grids


def _grid(cells: Mapping[Key, Values], read: Any) -> Grid:  # noqa: ANN401 - a lambda
    pairs = ((key, read(values)) for key, values in cells.items())
    return {key: value for key, value in pairs if value is not None}


def _bps(tasks: Values, task: str, measure: str) -> float | None:
    if task not in tasks:
        return None
    if measure == "bps_pooled":
        return tasks[task]["bps_pooled"]  # type: ignore[no-any-return]
    return tasks[task]["by_null"]["test_mean"]["bps_unit_mean_published"]  # type: ignore[no-any-return]


def _summarise(grids: Mapping[str, Grid]) -> dict[str, Value]:
    return {column: _value(grid) for column, grid in grids.items() if grid}


def _value(grid: Grid) -> Value:
    sessions = list(dict.fromkeys(session for _, session in grid))
    seeds = list(dict.fromkeys(seed for seed, _ in grid))
    per_session = [_mean(v for (_, s), v in grid.items() if s == session) for session in sessions]
    complete = [
        _mean(grid[seed, session] for session in sessions)
        for seed in seeds
        if all((seed, session) in grid for session in sessions)
    ]
    return Value(
        mean=_mean(per_session),
        sd=float(np.std(complete, ddof=1)) if len(complete) > 1 else None,
        n_sessions=len(sessions),
        n_seeds=len(seeds),
    )


def session_means(grid: Mapping[Key, float]) -> dict[str, float]:
    """Average over seeds: one value for each session."""
    sessions = dict.fromkeys(session for _, session in grid)
    return {s: _mean(v for (_, session), v in grid.items() if session == s) for s in sessions}


def session_scores(
    plan: TablePlan, split: SplitName, variant: str, measure: str
) -> dict[str, dict[str, float]]:
    """Return a variant's value for each column and session, averaged over seeds."""
    grids = _grids(_cells(plan, split, variant), measure)
    return {column: session_means(grid) for column, grid in grids.items()}


def best_classical_scores(
    plan: TablePlan, split: SplitName, measure: str
) -> dict[str, dict[str, float]]:
    """Return for each task and session the score of the classical baseline of the highest mean."""
    rivals = _classical_cells(plan, split)
    grids = {name: _grids(found, measure) for name, found in rivals.items()}
    return {task: session_means(grids[name][task]) for task, name in _best(grids).items()}


def _differences(
    own: tuple[Mapping[Key, Values], Mapping[str, Grid]],
    rival: tuple[Mapping[Key, Values], Mapping[str, Grid]],
    measure: str,
) -> dict[str, Difference]:
    """Compare the cells of two rows, and what was read off them, column by column."""
    found = {}
    for column, grid in own[1].items():
        ours, theirs = session_means(grid), session_means(rival[1].get(column, {}))
        both = [s for s in ours if s in theirs]
        if not both:
            continue
        trial_by_trial = None
        if measure == "bps_pooled" and column in TASKS:
            seeds = _shared_seeds(own[0], rival[0])
            cells = ([[c[k, s] for k in seeds[s]] for s in both] for c in (own[0], rival[0]))
            trial_by_trial = paired_difference(column, *cells)
        gains = [ours[s] - theirs[s] for s in both]
        found[column] = trial_by_trial or Difference(
            over_sessions=Mean.of(gains), n_won=sum(gain > 0 for gain in gains)
        )
    return found


def _shared_seeds(own: Mapping[Key, Values], rival: Mapping[Key, Values]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for seed, session in own:
        if (seed, session) in rival:
            found.setdefault(session, []).append(seed)
    return found


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))
