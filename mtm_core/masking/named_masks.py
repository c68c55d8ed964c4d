"""Masks that a person gave a name, kept beside a session: an immutable collection and its file.

``{"schema": "mtm-named-masks", "version": 1, "session_id": "...", "masks": [{"name": "...",
"mask": {...}}, ...]}``, each mask as `mtm_core.masking.mask_json` writes it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mtm_core.errors import MaskError, UnknownNameError
from mtm_core.json_text import parse_json
from mtm_core.masking.mask_json import MAX_LENGTH, from_dict, to_dict
from mtm_core.masking.spec import MaskSpec
from mtm_core.resources import atomic_write, settings_dir
from mtm_core.shared_folder import one_at_a_time

SCHEMA = "mtm-named-masks"
VERSION = 1
LONGEST_NAME = 60
"""In characters."""


@dataclass(frozen=True)
class NamedMask:
    """A mask with a name.

    Parameters
    ----------
    name : str
        Not empty, one line.
    spec : MaskSpec
        The mask.

    Raises
    ------
    MaskError
        If the name is empty, has several lines, or is too long.
    """

    name: str
    spec: MaskSpec

    def __post_init__(self) -> None:
        name = self.name.strip()
        if not name or len(name) > LONGEST_NAME or not name.isprintable():
            msg = f"A mask needs a name of 1 to {LONGEST_NAME} letters on one line."
            raise MaskError(msg)
        object.__setattr__(self, "name", name)


@dataclass(frozen=True)
class NamedMasks:
    """The named masks of a session, in the order in which they were named.

    Parameters
    ----------
    masks : tuple of NamedMask
        No two of the same name.

    Examples
    --------
    >>> masks = NamedMasks().with_mask("hippocampus", MaskSpec())
    >>> masks.names, masks.without("hippocampus").names
    (('hippocampus',), ())
    """

    masks: tuple[NamedMask, ...] = ()

    def __iter__(self) -> Iterator[NamedMask]:
        """Go through the masks."""
        return iter(self.masks)

    @property
    def names(self) -> tuple[str, ...]:
        """The names."""
        return tuple(mask.name for mask in self.masks)

    def get(self, name: str) -> MaskSpec:
        """Return a mask by its name.

        Raises
        ------
        UnknownNameError
            If there is none of that name.
        """
        for mask in self.masks:
            if mask.name == name:
                return mask.spec
        raise UnknownNameError("named mask", name, self.names)

    def with_mask(self, name: str, spec: MaskSpec) -> NamedMasks:
        """Add a mask, or put it in place of the one of the same name."""
        new = NamedMask(name, spec)
        if new.name in self.names:
            masks = tuple(new if mask.name == new.name else mask for mask in self.masks)
            return replace(self, masks=masks)
        return replace(self, masks=(*self.masks, new))

    def without(self, name: str) -> NamedMasks:
        """Leave a mask out."""
        self.get(name)
        return replace(self, masks=tuple(mask for mask in self.masks if mask.name != name))


def masks_folder() -> Path:
    """Return the folder in which the window keeps this person's named masks; it need not exist."""
    return settings_dir() / "masks"


def masks_file(folder: Path, session_id: str) -> Path:
    """Return the file of a session; its name holds a hash, since an id may hold anything.

    Examples
    --------
    >>> masks_file(Path("masks"), "KS023/2019-12-10/001").name
    'KS023-2019-12-10-001-4d68f3100f01.json'
    """
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", session_id)[:40]
    digest = hashlib.sha256(session_id.encode()).hexdigest()[:12]
    return folder / f"{readable}-{digest}.json"


def find_named_mask(name: str, session_id: str, folder: Path | None = None) -> MaskSpec:
    """Return a mask that a person named in the window.

    Parameters
    ----------
    name : str
        Its name.
    session_id : str
        The session that it was named for.
    folder : Path, optional
        Where named masks lie, if not in `masks_folder`.

    Raises
    ------
    MaskError
        If there is none of that name, or the file cannot be read.
    """
    path = masks_file(masks_folder() if folder is None else folder, session_id)
    masks = read_named_masks(path, session_id)
    if name not in masks.names:
        known = ", ".join(f"'{known}'" for known in masks.names)
        msg = f"No mask is named '{name}' for {session_id}. " + (
            f"Named are: {known}."
            if known
            else "None is: name one in mtm-viewer (Ctrl+Shift+M), or give --hide or --mask."
        )
        raise MaskError(msg)
    return masks.get(name)


def named_masks_to_json(masks: NamedMasks, session_id: str) -> str:
    """Return named masks as JSON, for `named_masks_from_json`."""
    entries = [{"name": mask.name, "mask": to_dict(mask.spec)} for mask in masks]
    record = {"schema": SCHEMA, "version": VERSION, "session_id": session_id, "masks": entries}
    return json.dumps(record, indent=1, ensure_ascii=False)


def named_masks_from_json(text: str, session_id: str | None = None) -> NamedMasks:
    """Read named masks.

    Parameters
    ----------
    text : str
        As `named_masks_to_json` wrote it.
    session_id : str, optional
        The session that they must belong to.

    Raises
    ------
    MaskError
        If the text holds no named masks that this version knows, or those of another session.
    """
    try:
        record = parse_json(text) if len(text) <= MAX_LENGTH else None
    except ValueError:
        record = None
    if not isinstance(record, dict) or record.get("schema") != SCHEMA:
        msg = "This is no file of named masks."
        raise MaskError(msg)
    if record.get("version") != VERSION:
        msg = f"Named masks of version {str(record.get('version'))[:20]} are not known here."
        raise MaskError(msg)
    owner = record.get("session_id")
    if session_id is not None and owner != session_id:
        msg = f"These masks are of the session {str(owner)[:60]}, not of {session_id}."
        raise MaskError(msg)
    entries = record.get("masks")
    if not isinstance(entries, list):
        msg = "This is no file of named masks: 'masks' is not a list."
        raise MaskError(msg)
    masks = NamedMasks()
    for entry in entries:
        masks = masks.with_mask(*_entry(entry))
    return masks


def read_named_masks(path: str | os.PathLike[str], session_id: str) -> NamedMasks:
    """Read the named masks of a session; none where there is no file.

    Raises
    ------
    MaskError
        If the file cannot be read, or holds something else.
    """
    file = Path(path)
    if not file.exists():
        return NamedMasks()
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"The named masks in {file} cannot be read: {error}."
        raise MaskError(msg) from error
    return named_masks_from_json(text, session_id)


def write_named_masks(path: str | os.PathLike[str], masks: NamedMasks, session_id: str) -> None:
    """Write the named masks of a session, whole or not at all.

    Raises
    ------
    OutputError
        If the file cannot be written.
    """
    with atomic_write(path) as temporary:
        temporary.write_text(named_masks_to_json(masks, session_id), encoding="utf-8")


def change_named_masks(
    path: str | os.PathLike[str], before: NamedMasks, after: NamedMasks, session_id: str
) -> None:
    """Change the named masks of a session in its file; what another window changed there stays.

    Parameters
    ----------
    path : path-like
        The file; need not exist yet.
    before, after : NamedMasks
        What is changed, into what.
    session_id : str
        The session.

    Raises
    ------
    OutputError
        If the file cannot be written.
    MaskError
        If the file holds something else.
    """
    lock = Path(path).with_suffix(".lock")
    with one_at_a_time(lock, is_needed=False):
        stored = read_named_masks(path, session_id)
        write_named_masks(path, _changed(stored, before, after), session_id)


def _changed(stored: NamedMasks, before: NamedMasks, after: NamedMasks) -> NamedMasks:
    if stored == before:
        return after
    gone = set(before.names) - set(after.names)
    kept = NamedMasks(tuple(mask for mask in stored if mask.name not in gone))
    for mask in after:
        if mask not in before.masks:
            kept = kept.with_mask(mask.name, mask.spec)
    return kept


def _entry(value: object) -> tuple[str, MaskSpec]:
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        msg = "This is no file of named masks: an entry has no name."
        raise MaskError(msg)
    return value["name"], from_dict(value.get("mask"))
