"""Where the files of an experiment lie: written so that they can be found on another machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mtm_core import resources

_HOME = "~"


def portable(path: Path) -> str:
    """Return a path to be written down; it does not tell the name of the person's home folder.

    Examples
    --------
    >>> portable(Path.home() / "data" / "S.h5")
    '~/data/S.h5'
    """
    whole = path.absolute()
    home = Path.home().absolute()
    if whole.is_relative_to(home) and home != Path(home.anchor):
        return f"{_HOME}/{whole.relative_to(home).as_posix()}"
    return str(whole)


def session_places(written: str, beside: Path | None) -> Iterator[Path]:
    """Yield files that may be the session of an experiment, the likeliest first.

    Parameters
    ----------
    written : str
        What the experiment says about the place.
    beside : Path or None
        The folder of the experiment itself.
    """
    yield from _existing(written, beside)
    stem = _name(written).removesuffix(".h5")
    names = resources.list_sessions()
    yield from (resources.session_path(name) for name in names if name == stem)


def bundled_sessions_like(session_id: str) -> Iterator[Path]:
    """Yield the bundled sessions whose name an id begins with."""
    names = [name for name in resources.list_sessions() if session_id.startswith(name)]
    return (resources.session_path(name) for name in names)


def checkpoint_places(written: str, beside: Path | None) -> Iterator[Path]:
    """Yield files that may be a checkpoint of an experiment; see `session_places`."""
    yield from _existing(written, beside)
    stem = _name(written).removesuffix(".safetensors")
    names = resources.list_checkpoints()
    yield from (resources.checkpoint_path(name) for name in names if name == stem)


def _existing(written: str, beside: Path | None) -> Iterator[Path]:
    """Yield the place itself, and a file of the same name beside the experiment."""
    # A file from elsewhere must not make this machine call a server of its choice.
    is_remote = written.startswith(("//", "\\\\"))
    candidates = [] if is_remote or not written else [_expanded(written)]
    if beside is not None and _name(written):
        candidates.append(beside / _name(written))
    yield from (path for path in dict.fromkeys(candidates) if _is_file(path))


def _expanded(written: str) -> Path:
    home, _, rest = written.partition("/")
    return Path.home() / rest if home == _HOME else Path(written)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def _name(written: str) -> str:
    """Return the last part of a path of any system."""
    name = written.replace("\\", "/").rpartition("/")[2]
    return "" if name in ("", ".", "..", _HOME) else name
