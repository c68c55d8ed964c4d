"""The figures of a table: its headline model against its baseline."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mtm_core.config import SplitName
from mtm_core.evaluation.metrics import MIN_SPIKES
from mtm_core.figures.comparison import (
    Caption,
    Points,
    draw_curves,
    draw_regions,
    draw_sessions,
    draw_units,
)
from mtm_core.masking.tasks import TASKS
from mtm_core.reproduce.table_plan import TableCell, TablePlan
from mtm_core.reproduce.table_rows import (
    MEASURES,
    best_classical_scores,
    model_rows,
    session_scores,
)
from mtm_core.reproduce.table_text import WORDS

N_REGIONS = 24
"""Most regions in the figure of regions: those of the most units."""
_MEASURE = "bps_pooled"
_CLASSICAL = "best classical baseline"


def draw_figures(plan: TablePlan) -> list[Path]:
    """Draw what the cells that are there can show; return the files.

    Raises
    ------
    OutputError
        If they cannot be written.
    """
    content = plan.content
    if content.kind != "tasks" or not (content.headline and content.baseline):
        return []
    folder = plan.out / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    drawn = []
    if panels := _session_panels(plan, content.baseline):
        drawn.append(folder / "sessions.png")
        draw_sessions(panels, _caption(plan, "Each session"), drawn[-1])
    if panels := _session_panels(plan, None):
        drawn.append(folder / "classical.png")
        draw_sessions(panels, _caption(plan, "Each session", _CLASSICAL), drawn[-1])
    if regions := _region_panels(plan):
        drawn.append(folder / "regions.png")
        draw_regions(regions, _caption(plan, "Each region"), drawn[-1])
    if units := _unit_panels(plan):
        drawn.append(folder / "units.png")
        what = f"Each unit with {MIN_SPIKES} scored spikes or more"
        draw_units(units, _caption(plan, what), drawn[-1])
    if plan.table == "scaling" and (curves := _curves(plan)):
        drawn.append(folder / "scaling.png")
        caption = Caption(
            title=f"{plan.content.title}: {plan.splits[0]} split",
            recipe=_recipe(plan),
            x="sessions trained on before",
            y="bits per spike (pooled)",
        )
        draw_curves(curves, caption, drawn[-1])
    return drawn


def _caption(plan: TablePlan, what: str, x: str | None = None) -> Caption:
    x = x or plan.variant(plan.content.baseline).label
    y = plan.variant(plan.content.headline).label
    is_all = what == "Each session"
    splits = " and ".join(plan.splits) if is_all else plan.splits[0]
    title = f"{what}: {y} against {x}, {splits} split, test trials (bits per spike)"
    return Caption(title=title, recipe=_recipe(plan), x=x, y=y)


def _recipe(plan: TablePlan) -> str:
    sessions = ", ".join(path.stem for path in plan.sessions)
    return (
        f"mtm-core reproduce {plan.table} --budget {plan.budget}; seeds "
        f"{', '.join(map(str, plan.seeds))}; {sessions}; {MEASURES[_MEASURE]}"
    )


def _session_panels(plan: TablePlan, rival: str | None) -> dict[str, Points]:
    """Return the headline against another variant, or against the best classical baselines."""
    panels: dict[str, Points] = {}
    found: dict[str, list[tuple[float, float, str]]] = defaultdict(list)
    for split in plan.splits:
        other = session_scores(plan, split, plan.content.headline, _MEASURE)
        if rival is None:
            one = best_classical_scores(plan, split, _MEASURE)
        else:
            one = session_scores(plan, split, rival, _MEASURE)
        for task in TASKS:
            known = one.get(task, {})
            pairs = ((known[s], other[task][s]) for s in known if s in other[task])
            found[task] += [(x, y, split) for x, y in pairs]
    for name, entries in found.items():
        if entries:
            x, y, group = zip(*entries, strict=True)
            panels[WORDS[name]] = Points(x=x, y=y, group=group)
    return panels


def _cells(plan: TablePlan, variant: str) -> dict[tuple[str, int], Mapping[str, Any]]:
    """Return a variant's cells of the first split, by session and seed."""
    split: SplitName = plan.splits[0]
    found = {}
    for path in plan.sessions:
        for seed in plan.seeds:
            cell = TableCell(path=str(path), split=split, variant=variant, seed=seed)
            values = plan.read(cell)
            if values is not None:
                found[path.stem, seed] = values
    return found


def _region_panels(plan: TablePlan) -> dict[str, dict[str, tuple[float, float]]]:
    one, other = (_cells(plan, n) for n in (plan.content.baseline, plan.content.headline))
    panels = {}
    for task in (TASKS[0], *TASKS[2:]):  # forward prediction hides no region
        pairs: dict[str, list[tuple[float, float]]] = defaultdict(list)
        sizes: dict[str, int] = defaultdict(int)
        for key in one.keys() & other.keys():
            ours, theirs = (
                each[key]["tasks"].get(task, {}).get("per_region", {}) for each in (one, other)
            )
            for region in ours.keys() & theirs.keys():
                values = ours[region]["bps_pooled"], theirs[region]["bps_pooled"]
                if region not in ("", "root", "void") and None not in values:
                    pairs[region].append(values)
                    sizes[region] += ours[region]["n_units"]
        largest = sorted(pairs, key=lambda region: (-sizes[region], region))[:N_REGIONS]
        if largest:
            means = {region: np.mean(pairs[region], axis=0) for region in sorted(largest)}
            panels[WORDS[task]] = {r: (float(m[0]), float(m[1])) for r, m in means.items()}
    return panels


def _unit_panels(plan: TablePlan) -> dict[str, Points]:
    one, other = (_cells(plan, n) for n in (plan.content.baseline, plan.content.headline))
    panels = {}
    for task in TASKS:
        means = [_unit_means(cells, task) for cells in (one, other)]
        rates = _unit_rates(plan)
        units = [unit for unit in means[0] if unit in means[1] and unit in rates]
        if units:
            x, y = ([each[unit] for unit in units] for each in means)
            panels[WORDS[task]] = Points(x=x, y=y, rate_hz=[rates[unit] for unit in units])
    return panels


def _unit_means(
    cells: Mapping[tuple[str, int], Mapping[str, Any]], task: str
) -> dict[tuple[str, str], float]:
    """Average the score of each unit with enough scored spikes over seeds."""
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for (session, _), values in cells.items():
        units = values["units"].get(task, {"unit_id": [], "n_spikes": [], "bps": []})
        columns = (units["unit_id"], units["n_spikes"], units["bps"])
        for unit, n_spikes, bps in zip(*columns, strict=True):
            if bps is not None and n_spikes >= MIN_SPIKES:
                found[session, unit].append(bps)
    return {key: float(np.mean(values)) for key, values in found.items()}


def _unit_rates(plan: TablePlan) -> dict[tuple[str, str], float]:
    rates = {}
    for path in plan.sessions:
        values = plan.read(TableCell(path=str(path), split=plan.splits[0]))
        for unit, rate in (values or {}).get("rate_hz", {}).items():
            rates[path.stem, unit] = float(rate)
    return rates


def _curves(plan: TablePlan) -> dict[str, list[tuple[int, float, float]]]:
    rows = model_rows(plan, plan.splits[0], _MEASURE)
    curves = {}
    for task in TASKS:
        points = [
            (plan.variant(row.name).n_pretrain, value.mean, value.sd or 0.0)
            for row in rows
            if (value := row.values.get(task)) is not None
        ]
        if points:
            curves[WORDS[task]] = points
    return curves
