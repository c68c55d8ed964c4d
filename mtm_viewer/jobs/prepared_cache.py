"""Prepared sessions kept in the person's cache folder, so that the next opening is quick.

A file's name holds a hash of what was prepared (the source as it lies on disk, or its eid), of the
settings and of the program's version: whatever changes, the file is simply not found any more.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
from collections.abc import Iterator
from pathlib import Path

from PyQt6.QtCore import QStandardPaths

import mtm_core
from mtm_core.config import PreparationConfig
from mtm_core.config_io import preparation_to_dict
from mtm_core.data.session import Session
from mtm_core.data.session_file import read_session, write_session
from mtm_core.errors import MtmError, OutputError
from mtm_core.resources import is_abandoned, is_temporary

logger = logging.getLogger(__name__)
MAX_BYTES = 4_000_000_000
"""Above this the files that were used longest ago go."""
_LAYOUT = 1
_MOST_FILES = 20_000


class PreparedCache:
    """Prepared sessions on disk.

    Parameters
    ----------
    folder : Path
        Where they lie; made when the first one is kept.
    max_bytes : int
        How much may lie there.
    """

    def __init__(self, folder: Path, max_bytes: int = MAX_BYTES) -> None:
        self.folder = folder
        self.max_bytes = max_bytes

    def find(self, source: str, config: PreparationConfig) -> tuple[Session, Path] | None:
        """Read what was kept of a source with these settings; None if there is nothing whole."""
        key = _key(source, config)
        for path in sorted(self.folder.glob(f"*-{key}.h5")):
            try:
                session = read_session(path)
                os.utime(path)
            except (MtmError, OSError) as error:
                logger.warning("A kept session was left out: %s", error)
                continue
            return session, path
        return None

    def keep(self, session: Session, source: str, config: PreparationConfig) -> Path:
        """Write a prepared session; return where it lies.

        Raises
        ------
        OutputError
            If it cannot be written: no permission, disk full.
        """
        name = session.provenance.source_id or session.session_id
        name = re.sub(r"[^\w.-]+", "_", name.removesuffix(".nwb"))
        path = self.folder / f"{name[-60:].strip('_') or 'session'}-{_key(source, config)}.h5"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            msg = f"Could not make the folder {self.folder}: {(error.strerror or '').lower()}."
            raise OutputError(msg) from error
        write_session(session, path, compression=1)
        self._prune(path)
        return path

    def _prune(self, newest: Path) -> None:
        """Remove what was used longest ago until the rest has room.

        What another window writes now is left alone, whatever its time says.
        """
        files = []
        for path in self.folder.glob("*.h5"):
            with contextlib.suppress(OSError):
                if is_temporary(path):
                    if is_abandoned(path):
                        path.unlink()
                    continue
                stat = path.stat()
                files.append((stat.st_mtime_ns, stat.st_size, path))
        total = sum(size for _, size, _ in files)
        for _, size, path in sorted(files):
            if total <= self.max_bytes:
                return
            if path != newest:
                with contextlib.suppress(OSError):  # another window removed it, or has it open
                    path.unlink()
                total -= size


def default_cache() -> PreparedCache:
    """Return the cache of the person who runs the program."""
    kind = QStandardPaths.StandardLocation.GenericCacheLocation
    root = QStandardPaths.writableLocation(kind) or str(Path.home() / ".cache")
    return PreparedCache(Path(root) / "mtm-viewer" / "prepared")


def _key(source: str, config: PreparationConfig) -> str:
    parts = {
        "layout": _LAYOUT,
        "version": mtm_core.__version__,
        "source": _fingerprint(source),
        "settings": {k: v for k, v in preparation_to_dict(config).items() if k != "preset"},
        "preset": config.preset,
    }
    text = json.dumps(parts, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _fingerprint(source: str) -> str:
    """Describe a source so that any change of its files shows: names, sizes, times of change."""
    path = Path(source)
    if not path.exists():  # an eid: what lies in a database is asked for by name
        return source.lower()
    digest = hashlib.sha256(str(path.resolve()).encode())
    for name, size, changed_ns in _stats(path):
        digest.update(f"\n{name} {size} {changed_ns}".encode())
    return digest.hexdigest()


def _stats(path: Path) -> Iterator[tuple[str, int, int]]:
    if not path.is_dir():
        stat = path.stat()
        yield path.name, stat.st_size, stat.st_mtime_ns
        return
    n_files = 0
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "raw_")))
        for name in sorted(files):
            n_files += 1
            if n_files > _MOST_FILES:
                return
            with contextlib.suppress(OSError):
                stat = (Path(folder) / name).stat()
                yield f"{folder}/{name}", stat.st_size, stat.st_mtime_ns
