"""What `mtm-core evaluate` prints: the choices behind the numbers, and two tables."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from mtm_core.cli.output import table_text

Values = Mapping[str, Any]
OWN_PROMPTS = "of each task"

NULL_WORDS = {
    "train_mean": "each unit's mean rate in training trials",
    "test_mean": "each unit's mean rate in the scored entries, as published",
    "psth": "each unit's training PSTH, by condition",
}
_TASK_HEADER = (
    "task",
    "bps",
    "95 %",
    "unit mean",
    "beyond PSTH",
    "95 %",
    "D2",
    "D2 of units",
    "shuffled",
    "units",
    "spikes",
)
CEILINGS = ("true_rate_ceiling", "informed_observer")
"""What a simulated session is scored beside if its truth was given."""


def report_text(values: Values) -> str:
    """Return the report of `mtm_core.evaluation.report.Report.to_dict` for people."""
    parts = [_head(values), _task_table(values)]
    if values["baselines"]:
        parts.append(_baseline_table(values))
    if CEILINGS[0] in values:
        parts.append(_ceiling_table(values))
    parts += [_region_table(values, task) for task in ("intra_region", "inter_region")]
    return "\n\n".join(part for part in parts if part)


def _head(values: Values) -> str:
    made = " (simulated)" if values["is_simulated"] else ""
    lines = [
        f"Session   {values['session']}{made}, {values['n_trials']} {values['split']} trials "
        f"({values['split_kind']} split, seed {values['split_seed']})",
        f"Model     {values['preset']}, step {values['train_step']}, seed "
        f"{values['train_seed']} ({values['checkpoint']})",
        f"Null      {values['null']}: {NULL_WORDS[values['null']]}",
        *_wrapped("Pooling   ", values["pooling"]),
        *_wrapped("Interval  ", f"{values['intervals']} (seed {values['seed']})"),
        *_wrapped("Shuffled  ", f"beyond PSTH of {values['shuffle_control']}"),
    ]
    if values["prompt"] != OWN_PROMPTS:
        lines.append(
            f"Prompt    {values['prompt']} in every task; what a bin may attend to follows "
            "the task"
        )
    lines += _wrapped("Computed  ", f"on {values['backend']}")
    forward = values["tasks"].get("forward_prediction")
    if forward is not None:
        lines.append(f"Horizon   {forward['horizon_ms']:g} ms in forward prediction")
    for task, why in values["not_scored"].items():
        lines.append(f"Left out  {task}: {why}")
    lines += [line for task in values["tasks"].items() for line in _left_out(*task)]
    return "\n".join(lines)


def _wrapped(name: str, text: str) -> list[str]:
    return textwrap.wrap(name + text, 99, subsequent_indent=" " * len(name))


def _left_out(task: str, scores: Values) -> list[str]:
    """Say which units and regions do not enter some of the numbers."""
    lines = []
    if scores["n_units_left_out"]:
        lines += _wrapped(
            "Left out  ",
            f"{task}: {scores['n_units_left_out']} of {scores['n_units']} units have too few "
            f"scored spikes for the unit mean ({scores['n_units_silent']} have none)",
        )
    skipped = scores.get("regions_skipped", {})
    if skipped:
        named = ", ".join(f"{region} ({why})" for region, why in skipped.items())
        lines += _wrapped("Left out  ", f"{task}: {named}")
    return lines


def _task_table(values: Values) -> str:
    rows = [
        [
            task,
            scores["bps_pooled"],
            _interval(scores["interval"]),
            scores["bps_unit_mean"],
            scores["bps_beyond_psth"],
            _interval(scores["interval_beyond_psth"]),
            scores["d2"],
            scores["d2_unit_mean"],
            scores.get("shuffle", {}).get("bps_beyond_psth"),
            scores["n_units"],
            scores["n_spikes"],
        ]
        for task, scores in values["tasks"].items()
    ]
    return table_text(_TASK_HEADER, rows)


def _baseline_table(values: Values) -> str:
    """Pooled bits per spike of model and baselines, and how far the model is from the best."""
    tasks = list(values["tasks"])
    rows: list[list[object]] = [
        ["model", *(values["tasks"][task]["bps_pooled"] for task in tasks)]
    ]
    for name, by_task in values["baselines"].items():
        rows.append([name, *(by_task.get(task, {}).get("bps_pooled") for task in tasks)])
    rows.append(["model - best baseline", *(_lead(values, task) for task in tasks)])
    return "Pooled bits per spike:\n" + table_text(["", *tasks], _as_text(rows))


def _ceiling_table(values: Values) -> str:
    """Pooled bits per spike beside what is known of a simulated session."""
    tasks = list(values["tasks"])
    own = [values["tasks"][task]["bps_pooled"] for task in tasks]
    rows: list[list[object]] = [["model", *own]]
    for name in CEILINGS:
        if name in values:
            best = [values[name][task]["bps_pooled"] for task in tasks]
            rows += [[name, *best], [f"model / {name}", *map(_share, own, best)]]
    words = (
        "Pooled bits per spike beside the true rates of the simulation, which no model can be\n"
        "expected to exceed"
    )
    if CEILINGS[1] in values:
        words += (
            ", and those that somebody infers from the visible spikes who knows\nits parameters"
        )
    return f"{words}:\n" + table_text(["", *tasks], _as_text(rows))


def _share(own: float | None, best: float | None) -> str:
    return "-" if own is None or not best else f"{100 * own / best:.0f} %"


def _as_text(rows: list[list[object]]) -> list[list[object]]:
    """Make numbers text of equal digits, so that they share columns with intervals."""
    return [[f"{v:.3f}" if isinstance(v, float) else v or "-" for v in row] for row in rows]


def _lead(values: Values, task: str) -> str:
    differences = values["tasks"][task]["minus_baselines"]
    known = {name: d for name, d in differences.items() if d["bps_pooled"] is not None}
    if not known:
        return "-"
    least = min(known.values(), key=lambda d: float(d["bps_pooled"]))
    return f"{least['bps_pooled']:+.3f} {_interval(least['interval'])}"


def _region_table(values: Values, task: str) -> str:
    scores = values["tasks"].get(task)
    if scores is None:
        return ""
    rows = [
        [
            region,
            found["n_units"],
            found["n_spikes"],
            found["bps_pooled"],
            found["bps_beyond_psth"],
            _interval(found["interval_beyond_psth"]),
        ]
        for region, found in scores["per_region"].items()
    ]
    header = ("region", "units", "spikes", "bps", "beyond PSTH", "95 %")
    return f"{task} by region:\n{table_text(header, rows)}"


def _interval(interval: tuple[float, float] | None) -> str:
    return "-" if interval is None else f"[{interval[0]:.3f}, {interval[1]:.3f}]"
