"""What `mtm-core compare` says and writes."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import numpy as np

from mtm_core.cli.output import table_text
from mtm_core.data.regions import sort_regions
from mtm_core.data.session import Session
from mtm_core.evaluation.paired_change import PairedChange
from mtm_core.experiment.caption import compared_lines, recording_name
from mtm_core.experiment.computation import Bound, Outcome
from mtm_core.experiment.record import CHOICES, Experiment
from mtm_core.experiment.record_json import to_dict
from mtm_core.resources import atomic_write

UNIT_COLUMNS = (
    *("unit_id", "region", "n_spikes", "bps_beyond_psth", "opponent_bps_beyond_psth"),
    *("change", "interval_low", "interval_high"),
)
_REGION_COLUMNS = ("region", "units", "spikes", "model", "opponent", "change")


def comparison_text(bound: Bound, experiment: Experiment, outcome: Outcome) -> str:
    """Return what is printed: what was compared, in sentences, and region by region."""
    trials = experiment.trials
    lines = [
        f"{experiment.title}; {recording_name(bound.session)}, "
        f"{len(trials.rows)} {trials.kind} trials.",
        "",
        *compared_lines(experiment.numbers),
    ]
    if experiment.contrast and experiment.numbers.contrast is None:
        lines.append("Too few trials of one of the two conditions to compare them.")
    if outcome.change is not None:
        lines += ["", "Bits per spike beyond the PSTH, pooled over the units of each region:"]
        lines.append(table_text(_REGION_COLUMNS, _region_rows(bound.session, outcome.change)))
    return "\n".join(lines)


def comparison_values(bound: Bound, experiment: Experiment, outcome: Outcome) -> dict[str, Any]:
    """Return all numbers with the choices behind them, as plain values."""
    values = to_dict(experiment)
    header = {
        name: values.get(name)
        for name in ("title", "session", "model", "opponent", "contrast", "mask", "trials", "seed")
    }
    units = None if outcome.change is None else _unit_rows(bound.session, outcome.change)
    return header | {
        "choices": dict(CHOICES),
        "numbers": {
            name: values["numbers"].get(name) for name in ("change", "contrast", "predictors")
        },
        "units": None
        if units is None
        else [dict(zip(UNIT_COLUMNS, r, strict=True)) for r in units],
    }


def write_unit_changes(path: Path, session: Session, change: PairedChange) -> None:
    """Write a line for each scored unit as CSV, whole or not at all.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    with atomic_write(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(UNIT_COLUMNS)
        writer.writerows(_unit_rows(session, change))


def _unit_rows(session: Session, change: PairedChange) -> list[list[Any]]:
    found = change.units
    return [
        [
            str(session.unit_id[unit]),
            str(session.region[unit]),
            int(found.n_spikes[row]),
            *(
                float(values[row]) if known[row] else None
                for values, known in (
                    (found.bps, found.is_valid),
                    (found.other_bps, found.is_valid),
                    (found.change, found.is_valid),
                    (found.low, found.has_interval),
                    (found.high, found.has_interval),
                )
            ),
        ]
        for row, unit in enumerate(found.units)
    ]


def _region_rows(session: Session, change: PairedChange) -> list[list[Any]]:
    """Pool units by region: each unit's bits per spike weighs as many spikes as it has."""
    found = change.units
    region = session.region[found.units]
    rows = []
    for name in sort_regions(np.unique(region).tolist()):
        mine = found.is_valid & (region == name)
        spikes = found.n_spikes[mine]
        total = max(int(spikes.sum()), 1)
        pooled = [
            float((values[mine] * spikes).sum()) / total
            for values in (found.bps, found.other_bps, found.change)
        ]
        n_units = int((region == name).sum())
        rows.append([name or "-", n_units, int(spikes.sum()), *pooled])
    return rows
