"""Where an ALF session came from: its path, a note of our own beside the data, a hash."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import asdict, fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mtm_core.data.raw import Origin
from mtm_core.errors import DatasetError
from mtm_core.json_text import parse_json

ORIGIN_PATH = "alf/_mtm_session.origin.json"
"""A dataset of our own, in ALF's form so that it travels with the others; see `origin_json`."""
SIMULATED_PATH = "_mtm_simulated.json"
"""Lies in the session folder of what `mtm-core simulate` wrote; its presence says all."""
SOURCE = "ALF folder"

_NUMBER = re.compile(r"\d{1,3}")
_CHUNK = 2**20
_STORED = tuple(f.name for f in fields(Origin) if f.name not in ("session_id", "notes"))
_TEXT = (str, type(None))
_TYPES: dict[str, tuple[type, ...]] = {"number": (int, type(None)), "is_simulated": (bool,)}


def origin_json(origin: Origin) -> str:
    """Return the text of the dataset `ORIGIN_PATH`, by which a folder says where it came from.

    A session that was simulated is recognised as such by it, wherever it is copied.

    Examples
    --------
    >>> text = origin_json(Origin(session_id="x", source="sim", source_id="1", is_simulated=True))
    >>> parse_json(text)["is_simulated"]
    True
    """
    stored = {name: value for name, value in asdict(origin).items() if name in _STORED}
    return json.dumps({**stored, "notes": list(origin.notes)}, indent=1)


def read_origin(path: Path) -> Origin:
    """Read what `origin_json` wrote; the session id is the eid or "".

    Raises
    ------
    DatasetError
        If the file is damaged or says something that cannot be meant.
    """
    try:
        stored = parse_json(path.read_text(encoding="utf-8"))
        notes = tuple(str(note) for note in stored.pop("notes", ()))
        known = {name: stored[name] for name in _STORED if name in stored}
    except (OSError, ValueError, AttributeError, TypeError) as error:
        msg = f"{path.name} in {path.parent} is damaged. Copy it again, or remove it."
        raise DatasetError(msg) from error
    for name, value in known.items():
        allowed = _TYPES.get(name, _TEXT)
        if not isinstance(value, allowed) or (name == "number" and isinstance(value, bool)):
            msg = f"{path.name} in {path.parent}: '{name}' cannot be {value!r}. Remove the file."
            raise DatasetError(msg)
    given = {"source": SOURCE, "source_id": "", **known}
    return Origin(session_id=given.get("eid") or "", notes=notes, **given)


def origin_of_path(folder: Path) -> Origin:
    """Read lab, subject, date and number from the path, as far as it says them.

    Parameters
    ----------
    folder : Path
        ``.../lab/Subjects/subject/date/number`` or ``.../subject/date/number``; the number may
        lack its zeros.

    Returns
    -------
    Origin
        The session id is lab/subject/date/number (without the lab where that is not known), or
        "" where the path says nothing.

    Examples
    --------
    >>> origin_of_path(Path("/data/cortexlab/Subjects/KS023/2019-12-10/1")).session_id
    'cortexlab/KS023/2019-12-10/001'
    """
    parts = folder.parts
    name = folder.name or "session"
    if len(parts) < 3 or not _is_date(parts[-2]) or not _NUMBER.fullmatch(parts[-1]):
        return Origin(session_id="", source=SOURCE, source_id=name)
    subject, day, number = parts[-3], parts[-2], int(parts[-1])
    lab = parts[-5] if len(parts) > 5 and parts[-4].lower() == "subjects" else None
    path = "/".join(filter(None, (lab, subject, day, f"{number:03d}")))
    return Origin(
        session_id=path,
        source=SOURCE,
        source_id=path,
        subject=subject,
        lab=lab,
        date=day,
        number=number,
    )


def origin_of_folder(folder: Path, *, has_note: bool) -> Origin:
    """Return what a session folder says of itself: our own note in it, then its path.

    Parameters
    ----------
    folder : Path
        The session.
    has_note : bool
        True if there is a dataset `ORIGIN_PATH`.
    """
    found = origin_of_path(folder.absolute())
    if not found.session_id:
        found = origin_of_path(folder.resolve())
    if (folder / SIMULATED_PATH).is_file():
        found = replace(found, is_simulated=True)
    return merge_origins(read_origin(folder / ORIGIN_PATH), found) if has_note else found


def merge_origins(*origins: Origin) -> Origin:
    """Fill what the first does not say from the next, and so on; notes are put together."""
    merged = origins[0]
    for other in origins[1:]:
        missing = {
            f.name: getattr(other, f.name)
            for f in fields(Origin)
            if f.name != "notes" and not getattr(merged, f.name)
        }
        merged = replace(merged, **missing, notes=(*merged.notes, *other.notes))
    return merged


def name_with_hash(name: str, arrays: Iterable[NDArray[Any]]) -> str:
    """Return a session id for a folder whose path says none: its name and a hash of the spikes.

    Floats count as float64 and whole numbers as int64, however they are stored.
    """
    digest = hashlib.sha256(b"alf spikes\n")
    for values in arrays:
        dtype = "<f8" if values.dtype.kind == "f" else "<i8"
        digest.update(f"{dtype} {values.shape}\n".encode())
        for start in range(0, len(values), _CHUNK):
            part = np.ascontiguousarray(values[start : start + _CHUNK], dtype=dtype)
            digest.update(part.view(np.uint8).data)
    return f"{name}_{digest.hexdigest()[:8]}"


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
