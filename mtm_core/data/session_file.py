"""The session file: one HDF5 file per `Session`, schema ``mtm-session``.

Layout of version 1 (``N`` trials, ``T`` bins, ``U`` units)::

    /                     attributes schema, schema_version, session_id, content_hash
    /counts               uint8 (N, T, U), chunked by a few units, gzip
    /provenance           text (JSON), the fields of `Provenance`
    /preparation          text (JSON), the fields of `PreparationReport`; only where there is one
    /units/values/NAME    (U,) numbers or UTF-8 text        /units/is_valid/NAME    (U,) bool
    /trials/values/NAME   (N,)                              /trials/is_valid/NAME   (N,) bool
    /behaviors/values/NAME  float32 (N, T)                  /behaviors/is_valid/NAME  (N,) bool
"""

from __future__ import annotations

import dataclasses
import io
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from mtm_core.data.hdf5 import find_group, open_hdf5, read_array
from mtm_core.data.preparation_report import PreparationReport
from mtm_core.data.session import Behavior, Provenance, Session
from mtm_core.data.table import Column, Table
from mtm_core.errors import DataError, SessionFileError
from mtm_core.json_text import parse_json
from mtm_core.resources import atomic_write

SCHEMA = "mtm-session"
SCHEMA_VERSION = 1

_GROUPS = ("units", "trials", "behaviors")
_CHUNK_UNITS = 16
_CHUNK_BYTES = 2**22


@dataclass(frozen=True, eq=False, kw_only=True)
class _Stored:
    """What stands in a file, before anything is made of it."""

    session_id: str
    content_hash: str
    counts: NDArray[Any]
    columns: Mapping[str, dict[str, Column]]
    provenance: str
    preparation: str | None


def write_session(
    session: Session,
    path: str | os.PathLike[str],
    *,
    compression: int = 6,
    made_from: str = "",
) -> None:
    """Write a session file; a file that was there stays as it was until the new one is whole.

    Parameters
    ----------
    session : Session
        What to write.
    path : path-like
        Where.
    compression : int
        Gzip level of the counts, 1 to 9: 9 makes files a sixth smaller and takes ten times as
        long to write; reading is equally fast.
    made_from : str
        What it was made from, for `read_made_from`; no part of the session or its hash.

    Raises
    ------
    OutputError
        If it cannot be written (no such folder, disk full).
    """
    # HDF5 cannot be trusted to give up cleanly when a disk is full, so it writes to memory.
    image = io.BytesIO()
    with h5py.File(image, "w", libver=("earliest", "v110")) as file:
        _write(file, session, compression)
        file.attrs["made_from"] = made_from
    with atomic_write(path) as temporary:
        temporary.write_bytes(image.getbuffer())


def read_session(path: str | os.PathLike[str]) -> Session:
    """Read a session file, and check that it holds what was written.

    Raises
    ------
    SessionFileError
        If the file is not there, is not a session file of this version, or was damaged or edited
        since it was written.
    """
    path = Path(path)
    with open_hdf5(path) as file:
        _check_schema(file, path.name)
        stored = _read(file)
    session = _build(stored, path.name)
    if session.content_hash != stored.content_hash:
        msg = (
            f"{path.name} was changed or damaged after it was written: its content does not "
            "match the hash stored in it. Convert or download it again."
        )
        raise SessionFileError(msg)
    return session


def read_made_from(path: str | os.PathLike[str]) -> str:
    """Return what the writer said that a session file was made from; "" where nothing is said.

    Raises
    ------
    SessionFileError
        If it is no session file.
    """
    path = Path(path)
    with open_hdf5(path) as file:
        _check_schema(file, path.name)
        return str(file.attrs.get("made_from", ""))


def is_session_file(path: str | os.PathLike[str]) -> bool:
    """Tell whether a file says that it is a session file, of whatever version."""
    try:
        with open_hdf5(Path(path)) as file:
            return str(file.attrs.get("schema", "")) == SCHEMA
    except SessionFileError:
        return False


def _write(file: h5py.File, session: Session, compression: int) -> None:
    file.attrs["schema"] = SCHEMA
    file.attrs["schema_version"] = SCHEMA_VERSION
    file.attrs["session_id"] = session.session_id
    file.attrs["content_hash"] = session.content_hash
    file.create_dataset(
        "counts",
        data=session.counts,
        chunks=_chunk_shape(*session.counts.shape),
        compression="gzip",
        compression_opts=compression,
    )
    _write_array(file, "provenance", np.array(json.dumps(dataclasses.asdict(session.provenance))))
    if session.preparation is not None:
        _write_array(file, "preparation", np.array(session.preparation.to_json()))
    tables: tuple[Mapping[str, Column | Behavior], ...] = (
        session.units.columns,
        session.trials.columns,
        session.behaviors,
    )
    for group, fields in zip(_GROUPS, tables, strict=True):
        for name, field in fields.items():
            _write_array(file, f"{group}/values/{name}", field.values)
            _write_array(file, f"{group}/is_valid/{name}", field.is_valid)


def _chunk_shape(n_trials: int, n_bins: int, n_units: int) -> tuple[int, int, int]:
    units = min(n_units, _CHUNK_UNITS)
    trials = max(1, min(n_trials, _CHUNK_BYTES // (n_bins * units)))
    return trials, n_bins, units


def _write_array(file: h5py.File, name: str, values: NDArray[Any]) -> None:
    if values.dtype.kind == "U":
        encoded = np.char.encode(values, "utf-8")
        width = max(1, encoded.dtype.itemsize)
        dtype = h5py.string_dtype("utf-8", width)
        values = encoded.astype(dtype)
    file.create_dataset(name, data=values, **({"compression": "gzip"} if values.ndim else {}))


def _check_schema(file: h5py.File, name: str) -> None:
    schema = str(file.attrs.get("schema", ""))
    if schema != SCHEMA:
        said = f"it says '{schema}'" if schema else "it does not say what it is"
        msg = (
            f"{name} is an HDF5 file, but not a session file ({said}). "
            "Make one with `mtm-core convert`."
        )
        raise SessionFileError(msg)
    version = file.attrs.get("schema_version")
    if version != SCHEMA_VERSION:
        msg = (
            f"{name} is a session file of version {version}; this program reads version "
            f"{SCHEMA_VERSION}. Convert the recording again, or update the program."
        )
        raise SessionFileError(msg)


def _read(file: h5py.File) -> _Stored:
    return _Stored(
        session_id=str(file.attrs.get("session_id", "")),
        content_hash=str(file.attrs.get("content_hash", "")),
        counts=read_array(file, "counts"),
        columns={group: _read_columns(file, group) for group in _GROUPS},
        provenance=str(read_array(file, "provenance")),
        preparation=str(read_array(file, "preparation")) if "preparation" in file else None,
    )


def _read_columns(file: h5py.File, group: str) -> dict[str, Column]:
    if group not in file:
        return {}
    values, is_valid = (find_group(file, f"{group}/{part}") for part in ("values", "is_valid"))
    return {
        name: Column(read_array(values, name), read_array(is_valid, name))
        for name in sorted(values)
    }


def _build(stored: _Stored, name: str) -> Session:
    signals = stored.columns["behaviors"]
    try:
        return Session(
            session_id=stored.session_id,
            counts=stored.counts,
            units=Table(stored.columns["units"]),
            trials=Table(stored.columns["trials"]),
            behaviors={
                key: Behavior(values=column.values.astype(np.float32), is_valid=column.is_valid)
                for key, column in signals.items()
            },
            provenance=_parse_provenance(stored.provenance),
            preparation=(
                None
                if stored.preparation is None
                else PreparationReport.from_json(stored.preparation)
            ),
        )
    except DataError as error:
        msg = f"{name} holds no usable session. {error}"
        raise SessionFileError(msg) from error


def _parse_provenance(text: str) -> Provenance:
    try:
        fields = parse_json(text)
        return Provenance(**{**fields, "notes": tuple(fields["notes"])})
    except (ValueError, TypeError, KeyError) as error:
        msg = "What it says about where it came from cannot be read."
        raise DataError(msg) from error
