"""Reads predictions with the truth they are judged by, and trusts nothing that it has not checked.

The benchmark's own scorer silently leaves out what does not match; this reader refuses it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from mtm_core.errors import CheckpointError, DataError, UnknownNameError
from mtm_core.export.bwb_tasks import BwbTask, Kind, find_task
from mtm_core.export.bwb_units import decode_ids
from mtm_core.models.tensor_file import open_tensors

_WINDOWS = {"window_timestamps": ("f", 1), "unit_ids": ("u", 2)}
_TRIALS = {"trial_id": ("i", 1)}
_SIGNAL = {**_TRIALS, "timestamps": ("f", 2)}
_PREDICTED: dict[Kind, dict[str, tuple[str, int]]] = {
    "activity": {"predictions": ("f", 3), **_WINDOWS},
    "classes": {"predictions": ("f", 3), **_TRIALS},
    "signal": {"predictions": ("f", 3), **_SIGNAL},
}
_TRUE: dict[Kind, dict[str, tuple[str, int]]] = {
    "activity": {"targets": ("iuf", 3), **_WINDOWS},
    "classes": {"values": ("iuf", 2), **_TRIALS},
    "signal": {"values": ("f", 3), **_SIGNAL},
}
"""Tensors of each file: the kinds of number that they may hold, and how many axes they have."""


@dataclass(frozen=True, eq=False, kw_only=True)
class BwbPair:
    """Predictions and the truth, row by row.

    Parameters
    ----------
    task : BwbTask
        The task.
    predicted, true : ndarray of float64
        See `mtm_core.export.bwb_files`.
    rows : ndarray, shape (n_rows,)
        Start of each window, or id of each trial; rising.
    units : tuple of str
        Units of the last axis; empty for behaviour.
    about : mapping of str to str
        All text beside the predictions.
    """

    task: BwbTask
    predicted: NDArray[np.float64]
    true: NDArray[np.float64]
    rows: NDArray[Any]
    units: tuple[str, ...]
    about: Mapping[str, str]


@dataclass(frozen=True, eq=False, kw_only=True)
class _File:
    path: Path
    about: Mapping[str, str]
    arrays: Mapping[str, NDArray[Any]]

    def refuse(self, why: str) -> NoReturn:
        msg = f"{self.path} cannot be scored: {why}. Export it again."
        raise DataError(msg)


def read_pair(predictions: Path, truth: Path) -> BwbPair:
    """Read predictions and what they are judged by.

    Raises
    ------
    DataError
        If a file is missing or damaged, lies where it does not belong, or does not fit the other;
        the text says which and why.
    """
    said, known = _read(predictions), _read(truth)
    task = _task_of(said)
    _check_place(said)
    _check_arrays(said, _PREDICTED[task.kind])
    _check_arrays(known, _TRUE[task.kind])
    _check_partner(said, known)
    row_name = "trial_id" if task.kind != "activity" else "window_timestamps"
    orders = [_order(file, row_name) for file in (said, known)]
    rows = said.arrays[row_name][orders[0]]
    if not np.array_equal(rows, known.arrays[row_name][orders[1]]):
        said.refuse(f"its {row_name} is not that of {known.path}")
    true_name = "targets" if task.kind == "activity" else "values"
    predicted = said.arrays["predictions"][orders[0]].astype(np.float64)
    true = known.arrays[true_name][orders[1]].astype(np.float64)
    _check_shapes(said, task.kind, predicted, true)
    return BwbPair(
        task=task,
        predicted=predicted,
        true=true,
        rows=rows,
        units=_units(said, known) if task.kind == "activity" else (),
        about=said.about,
    )


def _read(path: Path) -> _File:
    try:
        file = open_tensors(path)
        arrays = {name: tensor.numpy() for name, tensor in file.read().items()}
    except CheckpointError as error:
        why = "it is not whole, or something else" if path.exists() else "there is no such file"
        msg = f"{path} cannot be scored: {why}. Export it again."
        raise DataError(msg) from error
    return _File(path=path, about=file.metadata, arrays=arrays)


def _task_of(file: _File) -> BwbTask:
    try:
        return find_task(file.about.get("task", ""))
    except UnknownNameError:
        file.refuse(f"its task is {file.about.get('task')!r}, which is none that is known here")


def _check_place(file: _File) -> None:
    """Compare the path with the text, by which the benchmark's scorer goes alone."""
    lacking = {"label", "task", "recording_id", "seed"} - file.about.keys()
    if lacking:
        file.refuse(f"it does not say its {', '.join(sorted(lacking))}")
    about, path = file.about, file.path
    says = [about["label"], about["task"], about["recording_id"], f"seed_{about['seed']}"]
    lies = [path.parents[2].name, path.parents[1].name, path.parent.name, path.stem]
    if says != lies:
        file.refuse(f"it lies in {'/'.join(lies)}, but says that it is {'/'.join(says)}")
    if not about["seed"].isdecimal():
        file.refuse(f"its seed is {about['seed']!r}, which is no number")


def _check_arrays(file: _File, expected: Mapping[str, tuple[str, int]]) -> None:
    if file.arrays.keys() != expected.keys():
        file.refuse(f"it holds {sorted(file.arrays)}, not {sorted(expected)}")
    sizes = {len(array) for name, array in file.arrays.items() if name != "unit_ids"}
    for name, (kinds, n_axes) in expected.items():
        array = file.arrays[name]
        if array.dtype.kind not in kinds or array.ndim != n_axes:
            file.refuse(f"its {name} is {array.dtype} with {array.ndim} axes")
        if not np.isfinite(array).all():
            file.refuse(f"its {name} holds what is no number")
    if len(sizes) != 1 or 0 in sizes:
        file.refuse("its tensors differ in length, or are empty")


def _check_partner(said: _File, known: _File) -> None:
    for word in ("task", "recording_id"):
        if said.about[word] != known.about.get(word):
            known.refuse(f"its {word} is {known.about.get(word)!r}, not {said.about[word]!r}")


def _order(file: _File, name: str) -> NDArray[np.int64]:
    rows, order = np.unique(file.arrays[name], return_index=True)
    if len(rows) < len(file.arrays[name]):
        file.refuse(f"its {name} has the same value twice")
    return order.astype(np.int64)


def _check_shapes(
    said: _File, kind: Kind, predicted: NDArray[np.float64], true: NDArray[np.float64]
) -> None:
    expected = predicted.shape[:2] if kind == "classes" else predicted.shape
    single_axis = {"activity": 0, "classes": 1, "signal": 2}[kind]
    if true.shape != expected or (single_axis and predicted.shape[single_axis] != 1):
        said.refuse(f"predictions of the shape {predicted.shape} go with a truth of {true.shape}")
    if kind == "signal":
        return
    limit = predicted.shape[2] if kind == "classes" else np.inf
    if ((true < 0) | (true >= limit) | (true != np.round(true))).any():
        said.refuse("the truth holds what is neither a count nor a class")


def _units(said: _File, known: _File) -> tuple[str, ...]:
    units, others = (decode_ids(file.arrays["unit_ids"]) for file in (said, known))
    if len(units) != said.arrays["predictions"].shape[2] or len(set(units)) < len(units):
        said.refuse("its units are too few, too many, or there twice")
    if units != others:
        said.refuse(f"its units are not those of {known.path}")
    return units
