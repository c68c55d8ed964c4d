"""A session in the units of a checkpoint, some of which it lacks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.session import Session
from mtm_core.data.table import Column, Table
from mtm_core.models.manifest import Manifest


def with_silent_units(session: Session, manifest: Manifest, rows: NDArray[np.int64]) -> Session:
    """Return a session with the units of a checkpoint; those that it lacks are silent.

    Parameters
    ----------
    session : Session
        The recording.
    manifest : Manifest
        Says which units, and in which regions.
    rows : ndarray of int64, shape (n_units,)
        Row of each of these units in the session; negative where it lacks one.
    """
    is_missing = rows < 0
    counts = np.where(is_missing, np.uint8(0), session.counts[:, :, rows])
    columns = {
        name: _column_with_gaps(column, rows) for name, column in session.units.columns.items()
    }
    columns["unit_id"] = Column.full(np.array(manifest.unit_id))
    given, known = columns["region"], np.array(manifest.region)
    columns["region"] = replace(
        given,
        values=np.where(is_missing, known, given.values),
        is_valid=np.where(is_missing, known != "", given.is_valid),
    )
    return replace(session, counts=counts, units=Table(columns))


def _column_with_gaps(column: Column, rows: NDArray[np.int64]) -> Column:
    blank: Any = np.zeros(1, dtype=column.values.dtype)[0]
    is_missing = rows < 0
    values = np.where(is_missing, blank, column.values[rows]).astype(column.values.dtype)
    return Column(values, column.is_valid[rows] & ~is_missing)
