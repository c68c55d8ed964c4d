"""Names of ALF datasets, and which file serves where several revisions or formats lie.

A dataset is called ``collection/#revision#/_namespace_object.attribute.extension``, for example
``alf/probe00/pykilosort/#2024-05-06#/spikes.times.npy``; namespace and revision may be absent.
Nothing here opens a file: the rules hold for a folder on disk and for a server's list alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

EXTENSIONS = ("npy", "pqt", "csv", "json")
"""Formats that are read; where a dataset lies in several, the first of these serves."""

_NAME = re.compile(r"(?:_(?P<namespace>[A-Za-z][A-Za-z0-9]*)_)?(?P<object>[A-Za-z]\w*)")
_REVISION = re.compile(r"#(?P<revision>[^#]*)#")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAMESPACES = ("ibl", "")

Key = tuple[str, str, str]
"""Collection, object, attribute."""


@dataclass(frozen=True, kw_only=True)
class AlfName:
    """The parts of a dataset's path.

    Parameters
    ----------
    path : str
        As given, relative to the session, with forward slashes.
    collection, revision, namespace, object, attribute, extension : str
        Its parts; revision and namespace are "" where absent.
    has_uuid : bool
        True for ``spikes.times.<uuid>.npy``, the name on the servers; beside the plain name it is
        the leftover of a download.
    """

    path: str
    collection: str
    revision: str
    namespace: str
    object: str
    attribute: str
    extension: str
    has_uuid: bool

    @property
    def key(self) -> Key:
        """What the dataset is, whatever its revision and format."""
        return self.collection, self.object, self.attribute


def parse_alf_name(path: str) -> AlfName | None:
    """Take the path of a dataset apart; None if it is no dataset that could be read.

    Examples
    --------
    >>> name = parse_alf_name("alf/probe00/#2024-05-06#/_ibl_spikes.times.npy")
    >>> name.collection, name.revision, name.object, name.attribute
    ('alf/probe00', '2024-05-06', 'spikes', 'times')
    >>> parse_alf_name("alf/wheel_velocity_20ms.npy") is None
    True
    """
    *folders, file = PurePosixPath(path).parts
    parts = file.split(".")
    is_plain, has_uuid = len(parts) == 3, len(parts) == 4 and bool(_UUID.fullmatch(parts[2]))
    name = _NAME.fullmatch(parts[0])
    if not (is_plain or has_uuid) or name is None or parts[-1] not in EXTENSIONS or not parts[1]:
        return None
    revisions = [found["revision"] for part in folders if (found := _REVISION.fullmatch(part))]
    return AlfName(
        path=path,
        collection="/".join(part for part in folders if not _REVISION.fullmatch(part)),
        revision=revisions[-1] if revisions else "",
        namespace=name["namespace"] or "",
        object=name["object"],
        attribute=parts[1],
        extension=parts[-1],
        has_uuid=has_uuid,
    )


class AlfFiles:
    """The datasets of one session, with the file that serves chosen for each.

    The revision is chosen per dataset: the last one that is not after the asked one, in the order
    of the text; a file without a revision comes before all others. Without an asked revision the
    newest serves.

    Parameters
    ----------
    paths : iterable of str
        Relative to the session folder, with forward slashes; what is no dataset is passed over.
    revision : str or None
        For example ``"2024-05-06"``.

    Examples
    --------
    >>> paths = ["alf/#2023-01-01#/licks.times.npy", "alf/licks.times.npy"]
    >>> AlfFiles(paths).find("licks", "times", "alf").path
    'alf/#2023-01-01#/licks.times.npy'
    >>> AlfFiles(paths, revision="2022-12-31").find("licks", "times", "alf").path
    'alf/licks.times.npy'
    """

    def __init__(self, paths: Iterable[str], *, revision: str | None = None) -> None:
        self.revision = revision
        self.newer: dict[Key, AlfName] = {}
        """Datasets that lie in revisions after the asked one only, and therefore do not serve."""
        self._chosen: dict[Key, AlfName] = {}
        groups: dict[Key, list[AlfName]] = {}
        for path in paths:
            name = parse_alf_name(path)
            if name is not None:
                groups.setdefault(name.key, []).append(name)
        for key, names in groups.items():
            in_time = [n for n in names if revision is None or n.revision <= revision]
            chosen = _serving(in_time or names)
            (self._chosen if in_time else self.newer)[key] = chosen

    @property
    def collections(self) -> tuple[str, ...]:
        """Collections that hold a dataset which serves, sorted."""
        return tuple(sorted({collection for collection, _, _ in self._chosen}))

    def find(self, object_: str, attribute: str, *collections: str) -> AlfName | None:
        """Return the file that serves, from the first collection that has it; None if none has."""
        for collection in collections:
            if (name := self._chosen.get((collection, object_, attribute))) is not None:
                return name
        return None

    def find_object(
        self, object_: str, attributes: Iterable[str], *collections: str
    ) -> dict[str, AlfName]:
        """Return the files of an object by attribute, as far as they are there."""
        found = {a: self.find(object_, a, *collections) for a in attributes}
        return {attribute: name for attribute, name in found.items() if name is not None}


def _serving(names: list[AlfName]) -> AlfName:
    newest = max(name.revision for name in names)
    return min((n for n in names if n.revision == newest), key=_rank)


def _rank(name: AlfName) -> tuple[bool, int, int, str]:
    known = name.namespace in _NAMESPACES
    namespace = _NAMESPACES.index(name.namespace) if known else len(_NAMESPACES)
    return name.has_uuid, EXTENSIONS.index(name.extension), namespace, name.path
