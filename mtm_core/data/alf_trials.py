"""The trial table of an ALF session: a table, one file per column, or a mix of both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from mtm_core.data.alf_arrays import flat, numbers, read_npy, read_table
from mtm_core.data.alf_plan import Object
from mtm_core.data.table import Column, Table
from mtm_core.errors import DatasetError, MissingDatasetError

_NAMES: Mapping[str, tuple[str, DTypeLike]] = {
    "intervals_0": ("start_s", np.float64),
    "stimOn_times": ("stim_on_s", np.float64),
    "goCue_times": ("go_cue_s", np.float64),
    "firstMovement_times": ("first_movement_s", np.float64),
    "response_times": ("response_s", np.float64),
    "feedback_times": ("feedback_s", np.float64),
    "stimOff_times": ("stim_off_s", np.float64),
    "intervals_1": ("end_s", np.float64),
    "choice": ("choice", np.int8),
    "feedbackType": ("feedback", np.int8),
    "probabilityLeft": ("block", np.float64),
    "rewardVolume": ("reward_volume_ul", np.float64),
    "session_trial_index": ("session_trial_index", np.int64),
}
_ALLOWED = {"choice": (-1, 0, 1), "feedbackType": (-1, 0, 1)}
_EVENTS = ("stim_on_s", "go_cue_s", "first_movement_s", "feedback_s", "response_s")

Fields = dict[str, NDArray[np.float64]]
"""IBL's columns by name, NaN where absent."""


def read_trials(folder: Path, plan: Mapping[str, Object], notes: list[str]) -> Table:
    """Read the trials of every task of a session, in the order of their times.

    Parameters
    ----------
    folder : Path
        The session.
    plan : mapping of str to mapping
        Files of the object ``trials`` by collection.
    notes : list of str
        What was found and done is added here.

    Returns
    -------
    Table
        With the columns of `raw.RawSession`, and ``task`` where there are several.

    Raises
    ------
    MissingDatasetError
        If there are no trials.
    DatasetError
        If a file is damaged, or the trials are empty.
    """
    tasks = {name: _read_task(folder, part, name, notes) for name, part in plan.items()}
    if tasks and not any(map(_n_rows, tasks.values())):
        msg = f"The trials in {', '.join(plan)} are empty. Copy or download the session again."
        raise DatasetError(msg)
    tasks = {name: fields for name, fields in tasks.items() if _n_rows(fields)}
    if not tasks:
        msg = (
            f"No trials found: _ibl_trials.table.pqt (or one .npy for each column) is in neither "
            f"{folder / 'alf'} nor its task folders. Download or copy it."
        )
        raise MissingDatasetError(msg)
    if len(tasks) > 1:
        counts = ", ".join(f"{_n_rows(fields)} of {_short(t)}" for t, fields in tasks.items())
        notes.append(f"Trials of {len(tasks)} tasks are put together: {counts}.")
    return _table(tasks, notes)


def _read_task(folder: Path, part: Object, collection: str, notes: list[str]) -> Fields:
    """Read one task; a column of the table goes before a file of the same name, as in ONE."""
    table = read_table(folder / part["table"].path) if "table" in part else {}
    found = {a: read_npy(folder / name.path) for a, name in part.items() if a != "table"}
    split: dict[str, NDArray[Any]] = {}
    for name, values in found.items():
        if values.ndim == 2 and values.shape[1] == 2:
            split |= {f"{name}_{side}": values[:, side] for side in (0, 1)}
        else:
            split[name] = flat(values)
    raw = {**split, **table}
    wanted = {*_NAMES, "contrastLeft", "contrastRight"}
    fields = {k: numbers(v, f"{collection}: trials.{k}") for k, v in raw.items() if k in wanted}
    n_rows = len(next(iter(table.values()), ())) if table else _usual_length(fields)
    odd = sorted(name for name, values in fields.items() if values.shape != (n_rows,))
    if odd:
        notes.append(
            f"Not used, as they do not have one value for each of the {n_rows} trials: "
            f"{', '.join(f'trials.{name} ({len(fields[name])})' for name in odd)}."
        )
    return {name: values for name, values in fields.items() if name not in odd}


def _usual_length(fields: Fields) -> int:
    lengths = Counter(len(values) for values in fields.values())
    return max(lengths, key=lambda length: (lengths[length], length), default=0)


def _table(tasks: Mapping[str, Fields], notes: list[str]) -> Table:
    names = list(dict.fromkeys(name for fields in tasks.values() for name in fields))
    joined = {
        name: np.concatenate([f.get(name, np.full(_n_rows(f), np.nan)) for f in tasks.values()])
        for name in names
    }
    columns = {
        ours: _column(name, joined[name], dtype, notes)
        for name, (ours, dtype) in _NAMES.items()
        if name in joined
    }
    columns |= _contrasts(joined, notes)
    if len(tasks) > 1:
        labels = np.repeat([_short(t) for t in tasks], [_n_rows(f) for f in tasks.values()])
        columns["task"] = Column.full(labels)
        table = Table(columns)
        columns = dict(table.take(_order(table)).columns)
    n_trials = sum(map(_n_rows, tasks.values()))
    trial_id = Column.full(np.arange(n_trials, dtype=np.int64))
    return Table({"trial_id": trial_id, **columns})


def _column(name: str, values: NDArray[np.float64], dtype: DTypeLike, notes: list[str]) -> Column:
    if name in _ALLOWED:
        is_odd = np.isfinite(values) & ~np.isin(values, _ALLOWED[name])
        if is_odd.any():
            notes.append(f"{int(is_odd.sum())} trials have a {name} other than -1, 0 or 1.")
            values = np.where(is_odd, np.nan, values)
    return Column.where_finite(values, dtype)


def _contrasts(joined: Fields, notes: list[str]) -> dict[str, Column]:
    """Make contrasts and side: NaN marks the side without a stimulus, 0 is a contrast.

    Tables that hold 0 in place of NaN tell the side by the other contrast only.
    """
    if "contrastLeft" not in joined or "contrastRight" not in joined:
        return {}
    left, right = joined["contrastLeft"], joined["contrastRight"]
    if max(np.nanmax(np.append(left, 0.0)), np.nanmax(np.append(right, 0.0))) > 1:
        notes.append("Contrasts above 1 are taken as percent.")
        left, right = left / 100, right / 100
    has_left, has_right = np.isfinite(left), np.isfinite(right)
    left, right = np.where(has_left, left, 0.0), np.where(has_right, right, 0.0)
    is_shown = has_left | has_right
    is_left = np.where(has_left & has_right, left > right, has_left)
    is_known = is_shown & ~(has_left & has_right & ((left == right) | ((left > 0) & (right > 0))))
    side = np.where(is_known, np.where(is_left, 1, -1), 0).astype(np.int8)
    return {
        "contrast_left": Column(left, is_shown),
        "contrast_right": Column(right, is_shown.copy()),
        "stim_side": Column(side, is_known),
    }


def _order(table: Table) -> NDArray[np.int64]:
    """Return rows by time of the first event that every trial has, else as they are."""
    for name in ("start_s", *_EVENTS):
        if table.has(name) and table.column(name).is_valid.all():
            return np.argsort(table.values(name), kind="stable")
    return np.arange(table.n_rows)


def _n_rows(fields: Mapping[str, NDArray[Any]]) -> int:
    lengths: Iterable[int] = (len(values) for values in fields.values())
    return next(iter(lengths), 0)


def _short(collection: str) -> str:
    return collection.rpartition("/")[2]
