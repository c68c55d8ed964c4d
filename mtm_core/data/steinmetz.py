"""Steinmetz et al. 2019, as prepared per trial in HDF5: one file -> one `Session`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from mtm_core.data.binning import as_counts
from mtm_core.data.content_hash import hash_counts
from mtm_core.data.hdf5 import open_hdf5, read_array
from mtm_core.data.regions import region_columns
from mtm_core.data.session import Provenance, Session
from mtm_core.data.table import Column, Table
from mtm_core.errors import DataError, SessionFileError

LICENCE = (
    "Reported as CC BY 4.0 by two independent projects that use the figshare record; not checked "
    "against the figshare page itself. Credit the paper and the data set in anything derived."
)
CITATION = (
    "Steinmetz NA, Zatka-Haas P, Carandini M, Harris KD (2019). Distributed coding of choice, "
    "action and engagement across the mouse brain. Nature 576, 266-273, "
    "doi:10.1038/s41586-019-1787-x. Data set: figshare, doi:10.6084/m9.figshare.9598406."
)
NOTES = (
    "Subset prepared for the course STA 141A of UC Davis: spikes from stimulus onset to 0.4 s in "
    "10 ms bins; spike times within a bin, wheel, face and pupil are not in it.",
    "Area labels stood one row too low in the course's files and are corrected here by one row; "
    "the last unit of each session lost its label and is void. This is inferred from the noise "
    "correlations of the recordings, not confirmed at the original source.",
    "Choice is not recorded. It is filled in where the task's rule fixes it (rewarded trials of "
    "unequal contrast, or without any stimulus) and marked as absent elsewhere.",
    "Sign of choice as in IBL data: +1 left stimulus chosen, -1 right stimulus chosen, 0 no-go.",
    "Areas above IBL's Beryl level (ACA, AUD, LS, MB, SSp, TH, TT) keep their own acronym there.",
    "Unit ids are the session id and the row of the unit in the source file.",
)

_SHAPES = {
    "spike_counts": ("trials", "units", "bins"),
    "brain_area": ("units",),
    "contrast_left": ("trials",),
    "contrast_right": ("trials",),
    "feedback_type": ("trials",),
    "stim_onset_time": ("trials",),
    "bin_centers": ("bins",),
}
_ATTRIBUTES: Mapping[str, type] = {
    "session_id": str,
    "mouse_name": str,
    "date": str,
    "align_event": str,
    "bin_width_s": float,
    "window_start_s": float,
}


@dataclass(frozen=True, eq=False)
class _Source:
    """What was read from the file, as it stands there."""

    data: Mapping[str, NDArray[Any]]
    attributes: Mapping[str, Any]


def convert_steinmetz2019(path: str | Path) -> Session:
    """Read one prepared recording of Steinmetz et al. 2019.

    Parameters
    ----------
    path : path-like
        HDF5 file with `spike_counts` (trials, neurons, bins), `brain_area`, `contrast_left`,
        `contrast_right`, `feedback_type`, `stim_onset_time`, `bin_centers` and the attributes
        `session_id`, `mouse_name`, `date`, `bin_width_s`, `window_start_s`, `align_event`.

    Returns
    -------
    Session
        The session id is the recording's name and the first digits of the hash of its counts; the
        choice is valid only where the task's rule fixes it.

    Raises
    ------
    SessionFileError
        If the file is damaged or is not of this layout.
    DataError
        If its numbers cannot be spike counts, outcomes or contrasts.
    """
    path = Path(path)
    with open_hdf5(path) as file:
        source = _read(file, path.name)
    counts = as_counts(source.data["spike_counts"], f"{path.name}: spike_counts")
    counts = np.ascontiguousarray(counts.transpose(0, 2, 1))
    name = f"steinmetz2019_{source.attributes['session_id']}"
    session_id = f"{name}_{hash_counts(counts)[:8]}"
    return Session(
        session_id=session_id,
        counts=counts,
        units=_units(session_id, source.data["brain_area"]),
        trials=_trials(source.data, path.name),
        provenance=_provenance(source.attributes),
    )


def known_choice(
    contrast_left: NDArray[Any], contrast_right: NDArray[Any], feedback: NDArray[Any]
) -> Column:
    """Return the choice where the task's rule fixes it, else an entry that is not valid.

    A rewarded trial of unequal contrast had the choice of the higher side, a rewarded trial
    without any stimulus had none. On unrewarded trials (wrong side, or no response) and where
    both contrasts are equal and not 0 (either side was rewarded at random) it is unknown.

    Returns
    -------
    Column of int8
        +1 left stimulus chosen, -1 right stimulus chosen, 0 no-go (IBL's signs).

    Examples
    --------
    >>> left, right = np.array([1, 0, 0, 0.5, 1]), np.array([0.5, 1, 0, 0.5, 0])
    >>> column = known_choice(left, right, np.array([1, 1, 1, 1, -1]))
    >>> column.values, column.is_valid
    (array([ 1, -1,  0,  0,  0], dtype=int8), array([ True,  True,  True, False, False]))
    """
    has_rule = (contrast_left != contrast_right) | ((contrast_left == 0) & (contrast_right == 0))
    is_known = (feedback == 1) & has_rule
    side = np.sign(contrast_left - contrast_right)
    return Column(np.where(is_known, side, 0).astype(np.int8), is_known)


def _read(file: h5py.File, name: str) -> _Source:
    missing = [key for key in _SHAPES if key not in file]
    missing += [key for key in _ATTRIBUTES if key not in file.attrs]
    if missing:
        msg = (
            f"{name} is not a prepared recording of Steinmetz et al. 2019: "
            f"it lacks {', '.join(missing)}."
        )
        raise SessionFileError(msg)
    data = {key: read_array(file, key) for key in _SHAPES}
    if "source_part" in file:
        data["source_part"] = read_array(file, "source_part")
    _check_shapes(data, name)
    attributes = {key: _as(kind, file.attrs[key], key, name) for key, kind in _ATTRIBUTES.items()}
    return _Source(data, attributes)


def _as(kind: type, value: object, key: str, name: str) -> str | float:
    try:
        converted: str | float = kind(value)
    except (TypeError, ValueError) as error:
        msg = f"{name}: the attribute '{key}' is {value!r}, which is not a {kind.__name__}."
        raise SessionFileError(msg) from error
    return converted


def _check_shapes(data: Mapping[str, NDArray[Any]], name: str) -> None:
    counts = data["spike_counts"]
    if counts.ndim != 3:
        msg = f"{name}: spike_counts must have the axes (trials, neurons, bins)."
        raise SessionFileError(msg)
    sizes = dict(zip(_SHAPES["spike_counts"], counts.shape, strict=True))
    for key, values in data.items():
        wanted = tuple(sizes[axis] for axis in _SHAPES.get(key, ("trials",)))
        is_text = values.dtype.kind == "U"
        if is_text != (key == "brain_area"):
            needed = "text" if key == "brain_area" else "numbers"
            msg = f"{name}: '{key}' holds {values.dtype}, but {needed} are needed."
            raise SessionFileError(msg)
        if values.shape != wanted:
            msg = f"{name}: '{key}' has the shape {values.shape}, but {wanted} is needed."
            raise SessionFileError(msg)


def _units(session_id: str, areas: NDArray[Any]) -> Table:
    ids = np.array([f"{session_id}/{row:04d}" for row in range(len(areas))])
    return Table({"unit_id": Column.full(ids), **region_columns(areas.astype(np.str_).tolist())})


def _trials(data: Mapping[str, NDArray[Any]], name: str) -> Table:
    feedback = data["feedback_type"]
    if not np.isin(feedback, (-1, 1)).all():
        msg = f"{name}: feedback_type must be 1 (rewarded) or -1 (not rewarded) in every trial."
        raise DataError(msg)
    left, right = (data[f"contrast_{side}"].astype(np.float32) for side in ("left", "right"))
    if not all(((side >= 0) & (side <= 1)).all() for side in (left, right)):
        msg = f"{name}: contrasts must lie between 0 and 1 in every trial."
        raise DataError(msg)
    full: dict[str, NDArray[Any]] = {
        "trial_id": np.arange(len(feedback), dtype=np.int64),
        "align_s": data["stim_onset_time"].astype(np.float64),
        "contrast_left": left,
        "contrast_right": right,
        "feedback": feedback.astype(np.int8),
    }
    if "source_part" in data:
        full["source_part"] = data["source_part"].astype(np.uint8)
    columns = {key: Column.full(values) for key, values in full.items()}
    return Table({**columns, "choice": known_choice(left, right, feedback)})


def _provenance(attributes: Mapping[str, Any]) -> Provenance:
    return Provenance(
        source="steinmetz2019",
        source_id=attributes["session_id"],
        subject=attributes["mouse_name"],
        lab=None,
        date=attributes["date"],
        number=None,
        eid=None,
        licence=LICENCE,
        citation=CITATION,
        align_event=attributes["align_event"],
        window_start_s=attributes["window_start_s"],
        bin_size_s=attributes["bin_width_s"],
        is_simulated=False,
        notes=NOTES,
    )
