"""One number for the whole content of a session: any change of any part changes it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from mtm_core.data.session import Session
    from mtm_core.data.table import Column


class _Hash(Protocol):
    def update(self, data: bytes | memoryview, /) -> None: ...


def hash_content(session: Session) -> str:
    """Return the SHA-256 (hex) of a session: ids, counts, tables, signals, provenance.

    The same content gives the same number on every machine: numbers are hashed as little-endian
    bytes with their type and shape, text as UTF-8, each part behind its name.
    """
    digest = hashlib.sha256(b"mtm-session 1\n")
    _add_text(digest, [session.session_id, json.dumps(asdict(session.provenance), sort_keys=True)])
    _add_array(digest, "counts", session.counts)
    _add_columns(digest, "units", session.units.columns)
    _add_columns(digest, "trials", session.trials.columns)
    for name, behavior in sorted(session.behaviors.items()):
        _add_array(digest, f"behaviors/{name}", behavior.values)
        _add_array(digest, f"behaviors/{name}/is_valid", behavior.is_valid)
    if session.preparation is not None:
        _add_text(digest, ["preparation", session.preparation.to_json()])
    return digest.hexdigest()


def hash_counts(counts: NDArray[np.uint8]) -> str:
    """Return the SHA-256 (hex) of counts alone, for ids of the form name plus content hash."""
    digest = hashlib.sha256(b"counts\n")
    _add_array(digest, "counts", counts)
    return digest.hexdigest()


def _add_columns(digest: _Hash, table: str, columns: Mapping[str, Column]) -> None:
    for name, column in sorted(columns.items()):
        _add_array(digest, f"{table}/{name}", column.values)
        _add_array(digest, f"{table}/{name}/is_valid", column.is_valid)


def _add_array(digest: _Hash, name: str, values: NDArray[Any]) -> None:
    if values.dtype.kind == "U":
        _add_text(digest, [name, *values.tolist()])
        return
    little = values.dtype.newbyteorder("<")
    _add_text(digest, [name, little.str, str(values.shape)])
    digest.update(np.ascontiguousarray(values, dtype=little).reshape(-1).view(np.uint8).data)


def _add_text(digest: _Hash, parts: list[str]) -> None:
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        digest.update(f"{len(data)}:".encode() + data)
