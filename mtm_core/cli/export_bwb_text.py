"""What `mtm-core export-bwb` prints: what the numbers are, a table of them, and the files."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any

from mtm_core.cli.output import table_text

Values = Mapping[str, Any]

POOLING = (
    "Poisson D2: mean over units with spikes; bits per spike: pooled over these; R2, error and "
    "correlation: over all trials and bins; F1 and precision: mean over classes"
)
_WORDS = {
    "poisson_d2": "Poisson D2",
    "bps": "bits per spike",
    "bacc": "balanced accuracy",
    "f1": "F1",
    "ap": "average precision",
    "r2": "R2",
    "mae": "absolute error",
    "pearson": "correlation",
}


def export_text(values: Values) -> str:
    """Return the report of `mtm_core.export.bwb.BwbReport.to_dict` for people."""
    parts = [_head(values), _table(values), _foot(values)]
    return "\n\n".join(part for part in parts if part)


def _head(values: Values) -> str:
    made = " (SIMULATED)" if values["is_simulated"] else ""
    window_ms = 1000 * values["n_bins"] * values["bin_size_s"]
    return "\n".join(
        [
            f"{values['scores_are']}: these are not scores of BrainWideBench, and cannot be "
            "compared with its board",
            f"Session   {values['session']}{made}, {values['n_trials']} {values['split']} trials "
            f"({values['split_kind']} split, seed {values['split_seed']})",
            f"Window    {window_ms:g} ms in {values['n_bins']} bins, one for each trial",
            f"Model     {values['label']}, step {values['train_step']}, seed {values['seed']} "
            f"({values['checkpoint']})",
            f"Units     scored, or drawn to be hidden: {values['units']}",
            "Null      of activity: each unit's mean over the scored entries",
            *_wrapped("Pooling   ", POOLING),
            *_entries(values),
        ]
    )


def _entries(values: Values) -> list[str]:
    lines = []
    for entry in values["tasks"]:
        said = "; ".join(
            f"{what.replace('_', ' ')}: {how}" for what, how in entry["choices"].items()
        )
        lines += _wrapped("Task      ", f"{entry['task']}: {said}")
        if entry["caveat"]:
            lines += _wrapped("Mind      ", f"{entry['task']}: {entry['caveat']}")
    for task, why in values["not_written"].items():
        lines += _wrapped("Left out  ", f"{task}: {why}")
    return lines


def _wrapped(name: str, text: str) -> list[str]:
    return textwrap.wrap(name + text, 99, subsequent_indent=" " * len(name))


def _table(values: Values) -> str:
    evaluator = values["evaluator"]
    header = ["task", "rows", "bins", "units", "score", "mtm-core"]
    rows = []
    for entry in values["tasks"]:
        own, other = entry["scores"], entry["evaluator_scores"]
        for name in other or own:
            size = [entry["n_rows"], entry["n_bins"], entry["n_units"] or None]
            row = [entry["task"], *size, _WORDS[name], own.get(name)]
            rows.append([*row, other.get(name)] if evaluator else row)
    table = table_text([*header, evaluator] if evaluator else header, rows)
    return f"Scores ({values['scores_are']})\n{table}"


def _foot(values: Values) -> str:
    folder = values["folder"]
    return "\n".join(
        [
            f"Wrote {len(values['tasks'])} tasks to {folder}/predictions/{values['label']} and "
            f"{folder}/ground_truth",
            "To score all that lies there by the benchmark's package (docs/export_bwb.md):",
            f"  python -m ibl_bwb_eval.scoring.aggregation --pred_dir {folder}/predictions "
            f"--gt_dir {folder}/ground_truth",
        ]
    )
