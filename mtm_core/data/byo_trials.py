"""``trials.csv`` of a lab's own recording."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from mtm_core.data.byo_tables import LabTable
from mtm_core.data.raw_checks import check_seconds
from mtm_core.data.table import Column, Table
from mtm_core.errors import DatasetError, MissingDatasetError

TRIALS_FILE = "trials.csv"
EVENTS = ("stim_on_s", "go_cue_s", "first_movement_s", "response_s", "feedback_s")
"""Of these at least one must be there."""
TIMES = (*EVENTS, "start_s", "stim_off_s", "end_s")
NUMBERS = ("block", "reward_volume_ul")
CONTRASTS = ("contrast_left", "contrast_right")
SIGNS: Mapping[str, Mapping[str, int]] = {
    "choice": {"1": 1, "-1": -1, "0": 0, "left": 1, "right": -1, "none": 0, "no_go": 0},
    "stim_side": {"1": 1, "-1": -1, "left": 1, "right": -1},
    "feedback": {"1": 1, "-1": -1, "0": -1, "true": 1, "false": -1},
}
OUR_COLUMNS = (*TIMES, *SIGNS, *CONTRASTS, *NUMBERS)


def read_trials(folder: Path, names: Mapping[str, str]) -> tuple[Table, tuple[str, ...]]:
    """Read the trials in our columns, and say which columns were not read.

    Parameters
    ----------
    folder : Path
        The recording.
    names : mapping of str to str
        Our name of a column to the lab's, where they differ.

    Raises
    ------
    MissingDatasetError
        If there is no event, or a column that ``session.toml`` names is not there.
    DatasetError
        If a cell cannot be what its column says.
    """
    table = LabTable(folder / TRIALS_FILE)
    for ours, theirs in names.items():
        table.require(theirs, f"session.toml says it is {ours}")
    theirs_of = {ours: names.get(ours, ours) for ours in OUR_COLUMNS}
    here = {ours: theirs for ours, theirs in theirs_of.items() if theirs in table.columns}
    if not any(event in here for event in EVENTS):
        msg = (
            f"{table.path} has none of the events {', '.join(EVENTS)}; it has "
            f"{', '.join(list(table.columns)[:12])}. Rename one, or say in session.toml under "
            "[trials] which of your columns it is."
        )
        raise MissingDatasetError(msg)
    columns = {"trial_id": Column.full(np.arange(table.n_rows, dtype=np.int64))}
    columns |= {ours: _column(table, ours, theirs) for ours, theirs in here.items()}
    if all(name in columns for name in CONTRASTS):
        columns |= _contrasts(columns)
    return Table(columns), _unread(table, set(here.values()))


def _column(table: LabTable, ours: str, theirs: str) -> Column:
    if ours in SIGNS:
        return table.signs(theirs, SIGNS[ours])
    column = table.numbers(theirs)
    values = column.values.astype(np.float64)
    if ours in TIMES:
        check_seconds(values[column.is_valid], f"{table.path}, column {theirs}")
    high = 1.0 if ours in CONTRASTS or ours == "block" else np.inf
    low = 0.0 if ours not in TIMES else -np.inf
    for row in np.flatnonzero(column.is_valid & ((values < low) | (values > high)))[:1]:
        needed = "between 0 and 1" if high == 1.0 else "0 or more"
        raise DatasetError(table.fault(theirs, int(row), needed))
    return column


def _contrasts(columns: Mapping[str, Column]) -> dict[str, Column]:
    """Fill the empty side with 0; the side of the stimulus is the one with a contrast."""
    left, right = (columns[name] for name in CONTRASTS)
    is_shown = left.is_valid | right.is_valid
    found = {name: Column(columns[name].values, is_shown) for name in CONTRASTS}
    if "stim_side" in columns:
        return found
    only = left.is_valid.astype(np.int8) - right.is_valid.astype(np.int8)
    larger = np.sign(left.values.astype(np.float64) - right.values.astype(np.float64))
    is_both = left.is_valid & right.is_valid
    both_shown = (left.values > np.float64(0)) & (right.values > np.float64(0))
    side = np.where(is_both, np.where(both_shown, 0, larger), only).astype(np.int8)
    return {**found, "stim_side": Column(side, side != 0)}


def _unread(table: LabTable, read: set[str]) -> tuple[str, ...]:
    rest = [name for name in table.columns if name not in read and name != "trial_id"]
    return (f"{TRIALS_FILE}: not read: {', '.join(rest)}.",) if rest else ()
