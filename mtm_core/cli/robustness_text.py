"""What `mtm-core robustness` prints: the choices behind the numbers, and a table per task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mtm_core.cli.evaluate_text import NULL_WORDS
from mtm_core.cli.output import table_text

Values = Mapping[str, Any]

_HEADER = ("damage", "level", "bps", "95 %", "draws", "unit mean", "95 %", "beyond PSTH", "kept")


def robustness_text(values: Values) -> str:
    """Return the report of `RobustnessReport.to_dict` for people."""
    made = " (simulated)" if values["is_simulated"] else ""
    lines = [
        f"Session   {values['session']}{made}, {values['n_trials']} {values['split']} trials "
        f"({values['split_kind']} split, seed {values['split_seed']})",
        f"Model     {values['preset']}, step {values['train_step']}, seed "
        f"{values['train_seed']} ({values['checkpoint']}), not retrained",
        f"Null      {values['null']}: {NULL_WORDS[values['null']]}",
        f"Draws     {values['n_draws']} for each level (seed {values['seed']}); scores are their "
        "means, intervals over trials",
        *(f"{kind.capitalize():<10}{what}" for kind, what in values["damages"].items()),
        "Kept      share of the undamaged pooled bps; 0 where it is no better than the null",
        *(f"Left out  {task}: {why}" for task, why in values["not_scored"].items()),
    ]
    tables = [_table(name, task) for name, task in values["tasks"].items()]
    return "\n\n".join(["\n".join(lines), *tables])


def _table(name: str, task: Values) -> str:
    few = task["n_units"] < task["n_units_all"]
    sample = f"a random sample of {task['n_units']} of {task['n_units_all']} units"
    who = sample if few else f"{task['n_units']} units"
    title = f"{name}: {who}, {task['n_spikes']} spikes"
    return f"{title}\n{table_text(_HEADER, _rows(task))}"


def _rows(task: Values) -> Iterator[list[object]]:
    curves = task["curves"]
    intact = next(iter(curves.values()))[0]
    yield _row("none", "", intact, intact)
    for kind, points in curves.items():
        for point in points[1:]:
            yield _row(kind, f"{point['level']:g}", point, intact)
    yield _row("PSTH alone", "", {"mean": task["psth"], "draws": ()}, intact)


def _row(what: str, level: str, point: Values, intact: Values) -> list[object]:
    mean, whole = point["mean"], intact["mean"]["bps_pooled"]
    is_known = mean["bps_pooled"] is not None and whole is not None and whole > 0
    share = max(mean["bps_pooled"] / whole, 0) if is_known else 0
    return [
        what,
        level or "-",
        mean["bps_pooled"],
        _range(mean["interval"]),
        _draws(point["draws"]),
        mean["bps_unit_mean"],
        _range(mean["interval_unit_mean"]),
        mean["bps_beyond_psth"],
        f"{100 * share:.0f} %" if is_known else "-",
    ]


def _draws(draws: tuple[float | None, ...]) -> str:
    """Say the lowest and the highest of several draws."""
    known = [value for value in draws if value is not None]
    return _range((min(known), max(known))) if len(known) > 1 else "-"


def _range(interval: tuple[float, float] | None) -> str:
    return "-" if interval is None else f"[{interval[0]:.3f}, {interval[1]:.3f}]"
