"""What `mtm-core compare` says and writes."""

from __future__ import annotations

from typing import Any

import numpy as np

from mtm_core.cli.output import table_text
from mtm_core.data.regions import sort_regions
from mtm_core.data.session import Session
from mtm_core.evaluation.paired_change import PairedChange
from mtm_core.evaluation.paired_table import UNIT_COLUMNS, unit_rows
from mtm_core.experiment.caption import compared_lines, recording_name
from mtm_core.experiment.computation import Bound, Outcome
from mtm_core.experiment.record import CHOICES, Experiment
from mtm_core.experiment.record_json import to_dict

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
    units = None if outcome.change is None else unit_rows(bound.session, outcome.change)
    return header | {
        "choices": dict(CHOICES),
        "numbers": {
            name: values["numbers"].get(name) for name in ("change", "contrast", "predictors")
        },
        "units": None
        if units is None
        else [dict(zip(UNIT_COLUMNS, r, strict=True)) for r in units],
    }


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
