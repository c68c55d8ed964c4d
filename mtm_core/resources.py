"""Where presets, sessions, checkpoints and tables lie, and how every file is written.

The folder ``resources/`` lies beside the package in the source tree and inside the package, as
``mtm_core/_resources``, once installed from a wheel; one look-up serves both.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import platformdirs

from mtm_core.errors import ConfigError, OutputError, UnknownNameError

ENV_CACHE = "MTM_CACHE"
_OWN = "mtm-viewer"
_TEMPORARY = re.compile(r"\..{0,40}-(\d+)-[0-9a-f]{8}(\.\w+)?")
_ABANDONED_S = 3600.0

_PACKAGE = Path(__file__).resolve().parent
_CANDIDATES = (_PACKAGE.parent / "resources", _PACKAGE / "_resources")


def resource_dir() -> Path:
    """Return the folder that holds the bundled resources.

    Raises
    ------
    ConfigError
        If the installation lacks them.
    """
    for folder in _CANDIDATES:
        if (folder / "presets").is_dir():
            return folder
    msg = f"The bundled resources are missing from {_PACKAGE}. Install mtm-viewer again."
    raise ConfigError(msg)


def settings_dir() -> Path:
    """Return the folder of this person's settings, where the window keeps its own.

    It is the folder of Qt's INI files: roaming data on Windows, else ``XDG_CONFIG_HOME`` or
    ``~/.config``, on macOS as well.
    """
    if sys.platform == "win32":
        return Path(platformdirs.user_config_dir(_OWN, appauthor=False, roaming=True))
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / _OWN


def cache_dir() -> Path:
    """Return the folder for what can be made again: ``MTM_CACHE``, or this user's own.

    It need not exist.
    """
    chosen = os.environ.get(ENV_CACHE)
    return Path(chosen or platformdirs.user_cache_dir(_OWN, appauthor=False))


def preset_path(name: str) -> Path:
    """Return the TOML file of a bundled preset, for example ``quick``."""
    return _find("preset", name)


def session_path(name: str) -> Path:
    """Return a bundled session file by its full name or by its unambiguous beginning.

    Raises
    ------
    UnknownNameError
        If no bundled session is called so.
    """
    return _find("session", name)


def checkpoint_path(name: str) -> Path:
    """Return a bundled checkpoint, for example ``demo``."""
    return _find("checkpoint", name)


def preparation_path(name: str) -> Path:
    """Return the TOML file of a bundled preset of preparation, for example ``paper``."""
    return _find("preparation preset", name)


def simulation_path(name: str) -> Path:
    """Return the TOML file of a bundled preset of simulation, for example ``ibl-large``."""
    return _find("simulation preset", name)


def sweep_path(name: str) -> Path:
    """Return the TOML file of a bundled sweep, for example ``example``."""
    return _find("sweep", name)


def table_path(name: str) -> Path:
    """Return a bundled CSV table, for example ``allen_regions``."""
    return _find("table", name)


def pick_list_path(name: str) -> Path:
    """Return the CSV table of a bundled pick list, for example ``brain-wide-map``."""
    return _find("pick list", name)


def list_presets() -> list[str]:
    """Return the names of the bundled presets, sorted."""
    return _names("preset")


def list_preparations() -> list[str]:
    """Return the names of the bundled presets of preparation, sorted."""
    return _names("preparation preset")


def list_simulations() -> list[str]:
    """Return the names of the bundled presets of simulation, sorted."""
    return _names("simulation preset")


def list_sweeps() -> list[str]:
    """Return the names of the bundled sweeps, sorted."""
    return _names("sweep")


def list_sessions() -> list[str]:
    """Return the names of the bundled sessions, sorted."""
    return _names("session")


def list_checkpoints() -> list[str]:
    """Return the names of the bundled checkpoints, sorted."""
    return _names("checkpoint")


def list_pick_lists() -> list[str]:
    """Return the names of the bundled pick lists, sorted."""
    return _names("pick list")


_KINDS = {
    "preset": ("presets", ".toml"),
    "preparation preset": ("preparation", ".toml"),
    "simulation preset": ("simulation", ".toml"),
    "sweep": ("sweeps", ".toml"),
    "session": ("sessions", ".h5"),
    "checkpoint": ("checkpoints", ".safetensors"),
    "table": ("tables", ".csv"),
    "pick list": ("pick_lists", ".csv"),
}


def _names(kind: str) -> list[str]:
    folder, suffix = _KINDS[kind]
    return sorted(path.stem for path in (resource_dir() / folder).glob(f"*{suffix}"))


def _find(kind: str, name: str) -> Path:
    folder, suffix = _KINDS[kind]
    known = _names(kind)
    stem = name.removesuffix(suffix)
    begun = [word for word in known if word.startswith(f"{stem}_")]
    if stem not in known and len(begun) == 1:
        stem = begun[0]
    if stem not in known:
        raise UnknownNameError(kind, name, known)
    return resource_dir() / folder / f"{stem}{suffix}"


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Give a temporary path to write to; it takes the place of `path` only once it is whole.

    The temporary file lies in the same folder and keeps the suffix of `path`. When the block
    ends it is flushed to the disk and renamed over `path`; when the block raises it is removed,
    and a file that was at `path` before is left as it was.

    Parameters
    ----------
    path : path-like
        Where the file shall be in the end.

    Yields
    ------
    Path
        An empty file to write to (opening it anew by this path is fine).

    Raises
    ------
    OutputError
        If the file cannot be written: no such folder, no permission, disk full.

    Notes
    -----
    The block must meet a full disk as an `OSError`. The HDF5 library does not: it crashes the
    process when a write fails half-way. Build an HDF5 file in memory (``driver="core"``,
    ``backing_store=False``) and write its ``file.id.get_file_image()`` here. Likewise write the
    bytes of ``safetensors.torch.save``, whose ``save_file`` raises an error of its own.

    Examples
    --------
    >>> import tempfile
    >>> target = Path(tempfile.mkdtemp()) / "note.txt"
    >>> with atomic_write(target) as temporary:
    ...     _ = temporary.write_text("whole")
    >>> target.read_text()
    'whole'
    """
    target = Path(path)
    temporary: Path | None = None
    try:
        if target.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
        temporary = _temporary_beside(target)
        yield temporary
        _flush_to_disk(temporary)
        temporary.replace(target)
        _flush_folder(target.parent)
    except OSError as error:
        raise OutputError(_why_not_written(target, error)) from error
    finally:
        if temporary is not None:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)


def is_temporary(path: Path) -> bool:
    """Tell by its name whether a file is one that `atomic_write` has not put in its place.

    Examples
    --------
    >>> is_temporary(Path(".note-712-0123abcd.txt")), is_temporary(Path("note.txt"))
    (True, False)
    """
    return _TEMPORARY.fullmatch(path.name) is not None


def is_abandoned(path: Path) -> bool:
    """Tell whether a file is what `atomic_write` left when it was killed.

    Its process must be gone, and its last change an hour ago, for on a shared disk the process
    may be another machine's. Thus a clock that is set forward endangers no file that is written.
    """
    import psutil

    named = _TEMPORARY.fullmatch(path.name)
    if named is None or psutil.pid_exists(int(named[1])):
        return False
    return time.time() - path.stat().st_mtime > _ABANDONED_S


def _temporary_beside(target: Path) -> Path:
    name = f".{target.stem[:40]}-{os.getpid()}-{secrets.token_hex(4)}{target.suffix}"
    temporary = target.with_name(name)
    temporary.touch(exist_ok=False)
    return temporary


def _flush_to_disk(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _flush_folder(folder: Path) -> None:
    """Make the rename itself durable, where the system lets a folder be flushed."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _why_not_written(target: Path, error: OSError) -> str:
    if target.is_dir():
        return f"Could not write {target}: it is a folder. Give the name of a file."
    if not target.parent.is_dir():
        return f"Could not write {target}: there is no folder {target.parent}. Make it first."
    reason = os.strerror(error.errno).lower() if error.errno else str(error).partition("\n")[0]
    return f"Could not write {target}: {reason}. Choose another place, or make room there."
