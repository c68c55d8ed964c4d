"""The change of each unit as a table."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from mtm_core.data.session import Session
from mtm_core.evaluation.paired_change import PairedChange
from mtm_core.resources import atomic_write

UNIT_COLUMNS = (
    *("unit_id", "region", "n_spikes", "bps_beyond_psth", "opponent_bps_beyond_psth"),
    *("change", "interval_low", "interval_high"),
)


def unit_rows(session: Session, change: PairedChange) -> list[list[Any]]:
    """Return a row for each scored unit, in the order of `UNIT_COLUMNS`; None for no number.

    Parameters
    ----------
    session : Session
        The recording, in the units of the model.
    change : PairedChange
        What was compared.
    """
    found = change.units
    columns = (
        (found.bps, found.is_valid),
        (found.other_bps, found.is_valid),
        (found.change, found.is_valid),
        (found.low, found.has_interval),
        (found.high, found.has_interval),
    )
    return [
        [
            str(session.unit_id[unit]),
            str(session.region[unit]),
            int(found.n_spikes[row]),
            *(float(values[row]) if known[row] else None for values, known in columns),
        ]
        for row, unit in enumerate(found.units)
    ]


def write_unit_changes(session: Session, change: PairedChange, path: Path) -> None:
    """Write a line for each scored unit as CSV, whole or not at all.

    Raises
    ------
    OutputError
        If it cannot be written.
    """
    with atomic_write(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(UNIT_COLUMNS)
        writer.writerows(unit_rows(session, change))
